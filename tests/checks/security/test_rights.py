"""The checks in checks/security/rights.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Severity, Unavailable
from tests.checks.security.evidence import OUT_OF_REACH
from tests.inspected import EXITED, bind, container, live, subjects
from tests.judging import judge


@pytest.mark.parametrize(
    ("one", "fires"),
    [
        pytest.param(container(HostConfig={"Privileged": True}), True, id="running"),
        pytest.param(
            container(HostConfig={"Privileged": True}, State={"Status": "created", "Pid": 0}),
            True,
            id="created",
        ),
        pytest.param(
            container(HostConfig={"Privileged": True}, **EXITED), False, id="a finished job"
        ),
        pytest.param(
            container(
                HostConfig={"Privileged": True, "RestartPolicy": {"Name": "always"}}, **EXITED
            ),
            True,
            id="comes again",
        ),
        pytest.param(
            container(HostConfig={"CapAdd": ["SYS_ADMIN"]}),
            False,
            id="capabilities are another matter",
        ),
    ],
)
def test_privileged(one: Container, fires: bool) -> None:
    assert subjects(judge("security.privileged", exposed=live(one)).findings) == (
        ["web"] if fires else []
    )


@pytest.mark.parametrize(
    ("parts", "severity"),
    [
        pytest.param(bind("/var/run/docker.sock"), None, id="socket"),
        pytest.param(bind("/run/docker.sock", RW=False), None, id="read-only does not protect"),
        pytest.param(bind("/run"), None, id="the folder that holds it"),
        pytest.param(bind("/run/user/1000/podman/podman.sock"), None, id="podman"),
        pytest.param(
            {**bind("/run/docker.sock"), "Config": {"Image": "x/docker-socket-proxy:1"}},
            None,
            id="proxy",
        ),
        pytest.param(
            {
                **bind("/run/docker.sock"),
                "Config": {"Image": "x/docker-socket-proxy:1"},
                "NetworkSettings": {
                    "Ports": {"2375/tcp": [{"HostIp": "0.0.0.0", "HostPort": "2375"}]}
                },
            },
            Severity.warning,
            id="a proxy that is published",
        ),
    ],
)
def test_socket_fires(parts: dict[str, Any], severity: Severity | None) -> None:
    (finding,) = judge("security.docker-socket-mounted", exposed=live(container(**parts))).findings
    assert finding.severity is severity


@pytest.mark.parametrize(
    "source", ["/srv/app/app.sock", "/run/app", "/var/lib/data", "/run/docker-app"]
)
def test_socket_stays_silent(source: str) -> None:
    assert not list(
        judge("security.docker-socket-mounted", exposed=live(container(**bind(source)))).findings
    )


def test_socket_of_a_volume_is_no_host_path() -> None:
    volume: dict[str, Any] = {
        "Mounts": [
            {
                "Type": "volume",
                "Source": "/var/lib/docker/volumes/x/_data/docker.sock",
                "Destination": "/x",
            }
        ]
    }
    assert not list(
        judge("security.docker-socket-mounted", exposed=live(container(**volume))).findings
    )


ROOT = container(Config={"User": ""})


INFO = Info()


REMAPPED = Info(security_options=["name=seccomp,profile=default", "name=userns"])


ROOTLESS = Info(security_options=["name=rootless"])


def processes(uid: int) -> Processes:
    return Processes((Process(100, uid=uid, container=ROOT.id),))


@pytest.mark.parametrize(
    ("one", "uid", "fires"),
    [
        pytest.param(ROOT, 0, True, id="root"),
        pytest.param(container(Config={"User": "0:0"}), 0, True, id="root by number"),
        pytest.param(ROOT, 101, False, id="dropped by its entrypoint"),
        pytest.param(container(Config={"User": "1000"}), 1000, False, id="another user"),
        pytest.param(container(Config={"User": ""}, **EXITED), 0, False, id="a finished job"),
    ],
)
def test_root_user(one: Container, uid: int, fires: bool) -> None:
    answer = judge(
        "security.root-user", exposed=live(one), info=INFO, processes=processes(uid)
    ).findings
    assert bool(list(answer)) is fires


def test_root_user_says_what_it_could_not_see() -> None:
    answer = judge("security.root-user", exposed=live(ROOT), info=INFO).findings
    (finding,) = answer
    assert "starts as root" in finding.summary
    assert "not seen" in finding.evidence.values()


@pytest.mark.parametrize("info", [REMAPPED, ROOTLESS], ids=["userns-remap", "rootless"])
def test_root_user_does_not_apply(info: Info) -> None:
    assert (
        judge("security.root-user", exposed=live(ROOT), info=info, processes=processes(0)).verdict
        == "skipped"
    )


def test_root_user_of_a_container_that_opts_out_of_remapping() -> None:
    out = container("out", Config={"User": ""}, HostConfig={"UsernsMode": "host"})
    answer = judge("security.root-user", exposed=live(ROOT, out), info=REMAPPED).findings
    assert subjects(answer) == ["out"]


@pytest.mark.parametrize(
    ("config", "fires"),
    [
        pytest.param({}, True, id="the default set"),
        pytest.param({"CapDrop": ["ALL"]}, False, id="nothing left"),
        pytest.param(
            {"CapDrop": ["all"], "CapAdd": ["CAP_CHOWN", "NET_BIND_SERVICE"]},
            False,
            id="what is needed",
        ),
        pytest.param(
            {"CapDrop": ["ALL"], "CapAdd": ["CAP_SYS_ADMIN"]}, True, id="a dangerous one given back"
        ),
        pytest.param({"CapDrop": ["NET_RAW"]}, True, id="only one dropped"),
        pytest.param({"Privileged": True}, False, id="privileged has a finding of its own"),
    ],
)
def test_capabilities(config: dict[str, Any], fires: bool) -> None:
    assert (
        bool(judge("security.capabilities", exposed=live(container(HostConfig=config))).findings)
        is fires
    )


@pytest.mark.parametrize(
    ("options", "fires"),
    [
        (None, True),
        (["seccomp=unconfined"], True),
        (["no-new-privileges:false"], True),
        (["no-new-privileges"], False),
        (["no-new-privileges:true"], False),
        (["no-new-privileges=true"], False),
    ],
)
def test_new_privileges(options: list[str] | None, fires: bool) -> None:
    answer = judge(
        "security.new-privileges",
        exposed=live(container(HostConfig={"SecurityOpt": options})),
        config=DaemonConfig("/x"),
        info=INFO,
    ).findings
    assert bool(list(answer)) is fires


@pytest.mark.parametrize(
    ("config", "info"),
    [
        pytest.param(DaemonConfig("/x", values={"no-new-privileges": True}), INFO, id="file"),
        pytest.param(DaemonConfig("/x", flags={"no-new-privileges": ["true"]}), INFO, id="flag"),
        pytest.param(
            OUT_OF_REACH,
            Info(security_options=["name=no-new-privileges"]),
            id="engine 23 and later say so",
        ),
    ],
)
def test_new_privileges_set_for_all(config: DaemonConfig | Unavailable, info: Info) -> None:
    assert (
        judge(
            "security.new-privileges", exposed=live(container()), config=config, info=info
        ).verdict
        == "skipped"
    )


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        pytest.param(bind("/"), "/", id="everything"),
        pytest.param(bind("/", RW=False), "/", id="reading everything is enough"),
        pytest.param(bind("/etc/"), "/etc", id="a slash at the end"),
        pytest.param(bind("/data/docker"), "/data/docker", id="the data root, wherever it is"),
        pytest.param(bind("/proc", RW=False), None, id="an exporter"),
        pytest.param(bind("/sys", RW=False), None, id="an exporter too"),
        pytest.param(bind("/etc/localtime"), None, id="one file"),
        pytest.param(bind("/var/lib/app"), None, id="a folder of its own"),
        pytest.param(
            {"Mounts": [{"Type": "volume", "Source": "/etc", "Destination": "/x"}]},
            None,
            id="a volume",
        ),
    ],
)
def test_host_path(parts: dict[str, Any], path: str | None) -> None:
    findings = judge(
        "security.host-path",
        exposed=live(container(**parts)),
        root=DataRoot("/data/docker", "info"),
    ).findings
    assert [finding.summary.rpartition("'s ")[2] for finding in findings] == (
        [path] if path else []
    )


APPARMOR = ["name=apparmor", "name=seccomp,profile=default"]


SELINUX = ["name=seccomp,profile=builtin", "name=selinux"]


@pytest.mark.parametrize(
    ("config", "has", "fires"),
    [
        pytest.param({"SecurityOpt": ["seccomp=unconfined"]}, APPARMOR, True, id="seccomp"),
        pytest.param(
            {"SecurityOpt": ["seccomp:unconfined"]}, APPARMOR, True, id="seccomp in its old form"
        ),
        pytest.param({"SecurityOpt": ["apparmor=unconfined"]}, APPARMOR, True, id="apparmor"),
        pytest.param(
            {"SecurityOpt": ["apparmor=unconfined"]},
            SELINUX,
            False,
            id="apparmor that the host lacks",
        ),
        pytest.param({"SecurityOpt": ["label=disable"]}, SELINUX, True, id="selinux"),
        pytest.param(
            {"SecurityOpt": ["label=disable"], "PidMode": "host"},
            SELINUX,
            False,
            id="set by the engine itself",
        ),
        pytest.param(
            {"SecurityOpt": ["label=disable"]}, APPARMOR, False, id="selinux that the host lacks"
        ),
        pytest.param(
            {"SecurityOpt": ["seccomp=unconfined"], "Privileged": True},
            APPARMOR,
            False,
            id="privileged",
        ),
        pytest.param(
            {"SecurityOpt": ["seccomp=/etc/profile.json"]},
            APPARMOR,
            False,
            id="a profile of one's own",
        ),
        pytest.param(
            {"SecurityOpt": None, "MaskedPaths": []}, APPARMOR, True, id="nothing is masked"
        ),
        pytest.param({"MaskedPaths": ["/proc/kcore"]}, APPARMOR, False, id="the engine's masks"),
    ],
)
def test_unconfined(config: dict[str, Any], has: list[str], fires: bool) -> None:
    answer = judge(
        "security.unconfined",
        exposed=live(container(HostConfig=config)),
        info=Info(security_options=has),
    ).findings
    assert bool(list(answer)) is fires


def test_daemon_without_seccomp() -> None:
    (finding,) = judge(
        "security.unconfined",
        exposed=live(),
        info=Info(security_options=["name=seccomp,profile=unconfined"]),
    ).findings
    assert finding.subject.kind == "daemon"


def test_host_namespace() -> None:
    shared = container(
        HostConfig={
            "NetworkMode": "host",
            "PidMode": "host",
            "IpcMode": "private",
            "UsernsMode": "host",
        }
    )
    (finding,) = judge("security.host-namespace", exposed=live(shared), info=INFO).findings
    assert finding.evidence == {"HostConfig network": "host", "HostConfig PID": "host"}
    (finding,) = judge("security.host-namespace", exposed=live(shared), info=REMAPPED).findings
    assert "HostConfig user" in finding.evidence


def test_the_most_exposed_come_first() -> None:
    plain = container("a-plain")
    published = container(
        "b-published",
        NetworkSettings={"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]}},
    )
    local = container(
        "c-local",
        NetworkSettings={"Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]}},
    )
    boss = container("d-boss", **bind("/run/docker.sock"))
    findings = judge(
        "security.writable-rootfs", exposed=live(plain, published, local, boss)
    ).findings
    assert [finding.subject.name for finding in findings] == [
        "d-boss",
        "b-published",
        "a-plain",
        "c-local",
    ]
