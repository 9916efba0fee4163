"""The checks in checks/network/ports/host_ports.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.interfaces import Address
from diagnose.evidence.network.nonlocal_bind import NonlocalBind
from diagnose.evidence.network.sockets.listeners import Listener, Listeners, overlap
from diagnose.model import Severity, Unavailable
from tests.checks.network.evidence import (
    ENDED,
    OLD_BIND,
    PUBLISHED,
    container,
    links,
    refused_start,
    subjects_and_severities,
)
from tests.judging import judge, rows

UNKNOWN = Unavailable("forbidden", "not root")


TAKEN = "driver failed programming external connectivity on endpoint b (1): Bind for 0.0.0.0:8080 failed: port is already allocated"


PUBLISHED_UDP = {"Networks": {}, "Ports": {"80/udp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}


WANTS = {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(
            [
                refused_start("b", TAKEN, HostConfig=WANTS),
                container("a", NetworkSettings=PUBLISHED),
            ],
            [("container:b", Severity.critical)],
            id="another has it",
        ),
        pytest.param(
            [refused_start("b", TAKEN, HostConfig=WANTS)],
            [("container:b", Severity.warning)],
            id="free by now",
        ),
        pytest.param(
            [
                refused_start("b", TAKEN, HostConfig=WANTS),
                container("a", NetworkSettings=PUBLISHED_UDP),
            ],
            [("container:b", Severity.warning)],
            id="udp does not clash with tcp",
        ),
        pytest.param(
            [container("b"), container("a", NetworkSettings=PUBLISHED)], [], id="no error"
        ),
    ],
)
def test_port_allocated(listed: list[Container], expected: list[Any]) -> None:
    assert (
        subjects_and_severities(
            judge("network.port-allocated", containers=Containers(tuple(listed))).findings
        )
        == expected
    )


def test_the_holder_of_a_port_is_named_and_touched() -> None:
    listed = Containers(
        (refused_start("b", TAKEN, HostConfig=WANTS), container("a", NetworkSettings=PUBLISHED))
    )
    (finding,) = judge("network.port-allocated", containers=listed).findings
    assert 'container "a" publishes it' in finding.summary
    assert [str(subject) for subject in finding.touches] == ["container:a"]
    assert finding.signs == {"port-taken"}


def _task(name: str, created: str, **parts: Any) -> Container:
    labels = {"com.docker.swarm.service.name": "shop_web"}
    return refused_start(
        name, TAKEN, HostConfig=WANTS, Created=created, Config={"Labels": labels}, **parts
    )


OLD, NEW = "2026-11-30T10:00:00Z", "2026-11-30T10:05:00Z"
TASKS: dict[str, tuple[list[Container], list[dict[str, str]]]] = {
    "the newest speaks for all": (
        [_task("w.1", OLD), _task("w.2", NEW), container("a", NetworkSettings=PUBLISHED)],
        [{"container": "w.2", "port": "8080", "task_holder": "a", "task_service": "shop_web"}],
    ),
    "the port is free": (
        [_task("w.1", OLD)],
        [{"container": "w.1", "port": "8080", "waiting_service": "shop_web"}],
    ),
    "a later task was not tried yet": (
        [
            _task("w.1", OLD),
            container(
                "w.2",
                State={"Status": "created"},
                Created=NEW,
                Config={"Labels": {"com.docker.swarm.service.name": "shop_web"}},
            ),
        ],
        [{"container": "w.1", "port": "8080", "waiting_service": "shop_web"}],
    ),
    "a later task runs": (
        [
            _task("w.1", OLD),
            container(
                "w.2",
                Created=NEW,
                Config={"Labels": {"com.docker.swarm.service.name": "shop_web"}},
                NetworkSettings=PUBLISHED,
            ),
        ],
        [],
    ),
}


@pytest.mark.parametrize(("listed", "expected"), TASKS.values(), ids=TASKS)
def test_tasks_of_a_swarm_service(listed: list[Container], expected: list[dict[str, str]]) -> None:
    findings = judge("network.port-allocated", containers=Containers(tuple(listed))).findings
    assert [finding.variables for finding in findings] == expected


TWICE = {
    "PortBindings": {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
        "81/tcp": [{"HostIp": "", "HostPort": "8080"}],
    }
}
APART = {
    "PortBindings": {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
        "81/tcp": [{"HostIp": "192.0.2.1", "HostPort": "8080"}],
    }
}


@pytest.mark.parametrize(("wants", "is_own"), [(TWICE, True), (APART, False), (WANTS, False)])
def test_a_container_may_ask_for_one_port_of_the_host_twice(
    wants: dict[str, Any], is_own: bool
) -> None:
    listed = Containers((refused_start("b", TAKEN, HostConfig=wants),))
    (finding,) = judge("network.port-allocated", containers=listed).findings
    assert ("its own ports 80/tcp, 81/tcp there" in finding.summary) is is_own
    assert ("waiting" in finding.variables) is not is_own
    assert finding.severity is (Severity.critical if is_own else Severity.warning)


def _member(service: str, *files: str) -> dict[str, Any]:
    labels = {"project": "shop", "service": service, "project.config_files": ",".join(files)}
    return {"Labels": {f"com.docker.compose.{name}": value for name, value in labels.items()}}


@pytest.mark.parametrize(
    ("state", "service", "variable"),
    [
        pytest.param("created", "web", "replica", id="never ran"),
        pytest.param("exited", "web", "twin", id="ran before"),
        pytest.param("created", "api", "holder", id="another service"),
    ],
)
def test_a_second_container_of_a_service_wants_its_port(
    state: str, service: str, variable: str
) -> None:
    run = {"Status": state, "StartedAt": "0001-01-01T00:00:00Z", "Error": TAKEN, "ExitCode": 128}
    second = container("b", State=run, HostConfig=WANTS, Config=_member("web"))
    first = container("a", NetworkSettings=PUBLISHED, Config=_member(service))
    (finding,) = judge("network.port-allocated", containers=Containers((second, first))).findings
    assert ("of the same compose service" in finding.summary) is (service == "web")
    assert variable in finding.variables


def test_the_holder_is_of_the_project_s_former_name() -> None:
    def member(project: str, file: str) -> dict[str, dict[str, str]]:
        labels = {"project": project, "service": "web", "project.config_files": file}
        return {"Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()}}

    run = {
        "Status": "created",
        "StartedAt": "0001-01-01T00:00:00Z",
        "Error": TAKEN,
        "ExitCode": 128,
    }
    second = container("b", State=run, HostConfig=WANTS, Config=member("shop", "/srv/a.yaml"))
    for file, is_said in (("/srv/a.yaml", True), ("/srv/b.yaml", False)):
        first = container("a", NetworkSettings=PUBLISHED, Config=member("app", file))
        listed = Containers((second, first))
        (finding,) = judge("network.port-allocated", containers=listed).findings
        assert ('when the project was "app"' in finding.summary) is is_said


ADDED = {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": port} for port in ("8080", "81")]}}


@pytest.mark.parametrize(
    ("wants", "files", "expected"),
    [
        (ADDED, ("/srv/a.yaml", "/srv/b.yaml"), "81 and 8080 for 80/tcp"),
        (ADDED, ("/srv/a.yaml",), None),
        (WANTS, ("/srv/a.yaml", "/srv/b.yaml"), None),
    ],
    ids=["two files", "one file", "one port"],
)
def test_an_override_file_adds_ports(
    wants: dict[str, Any], files: tuple[str, ...], expected: str | None
) -> None:
    start = refused_start("b", TAKEN, HostConfig=wants, Config=_member("web", *files))
    listed = Containers((start, container("a", NetworkSettings=PUBLISHED)))
    (finding,) = judge("network.port-allocated", containers=listed).findings
    assert finding.variables.get("added_ports") == expected


FORGOTTEN = {"NetworkSettings": {"Networks": {}, "Ports": {}}}


@pytest.mark.parametrize(
    ("options", "has_holder", "variables"),
    [
        pytest.param(
            {"HostConfig": {**WANTS, "NetworkMode": "bridge"}, **FORGOTTEN},
            True, {"rejoin": "bridge", "blocker": "a"}, id="engine 29",
        ),
        pytest.param(
            {"HostConfig": {**WANTS, "NetworkMode": "default"}, **FORGOTTEN},
            False, {"rejoin": "bridge", "unblocked": "b"}, id="engine 29, free by now",
        ),
        pytest.param(
            {
                "HostConfig": {**WANTS, "NetworkMode": "shop_default"}, **FORGOTTEN,
                "Config": {"Labels": {"com.docker.compose.service": "web"}},
            },
            False, {"home": "shop_default", "alias": "web", "unblocked": "b"}, id="engine 29, compose",
        ),
        pytest.param(
            {
                "HostConfig": {**WANTS, "NetworkMode": "bridge"},
                "NetworkSettings": {"Networks": {"bridge": {}}},
            },
            True, {"holder": "a"}, id="engines up to 28",
        ),
    ],
)  # fmt: skip
def test_a_network_that_the_failed_start_forgot_is_connected_first(
    options: dict[str, Any], has_holder: bool, variables: dict[str, str]
) -> None:
    others = [container("a", NetworkSettings=PUBLISHED)] if has_holder else []
    listed = Containers((refused_start("b", TAKEN, **options), *others))
    (finding,) = judge("network.port-allocated", containers=listed).findings
    assert finding.variables == {"container": "b", "port": "8080", **variables}


NEW_BIND = "failed to bind host port for 0.0.0.0:8080:172.17.0.3:80/tcp: address already in use"


SIX_BIND = "Error starting userland proxy: listen tcp6 [::]:8080: bind: address already in use"


NGINX = Listener("tcp", "0.0.0.0", 8080, 12, "nginx", None)


@pytest.mark.parametrize("error", [OLD_BIND, NEW_BIND, SIX_BIND], ids=["up to 27", "28", "IPv6"])
@pytest.mark.parametrize(
    ("held", "severity", "words"),
    [
        pytest.param(Listeners((NGINX,)), Severity.critical, "held by nginx (pid 12)", id="held"),
        pytest.param(Listeners(()), Severity.warning, "is free now", id="free by now"),
        pytest.param(UNKNOWN, Severity.critical, "was in use", id="cannot look"),
    ],
)
def test_port_held_by_process(error: str, held: Any, severity: Severity, words: str) -> None:
    if error is SIX_BIND and isinstance(held, Listeners) and len(held):
        held = Listeners((Listener("tcp6", "::", 8080, 12, "nginx", None),))
    known = {} if held is UNKNOWN else {"listeners": held}
    (finding,) = judge(
        "network.port-held-by-process", containers=Containers((refused_start("b", error),)), **known
    ).findings
    assert (finding.severity, finding.discriminator) == (severity, "8080/tcp")
    assert words in finding.summary


def test_a_missing_address_is_not_a_held_port() -> None:
    error = "listen tcp4 10.9.9.9:80: bind: cannot assign requested address"
    listed = Containers((refused_start("b", error),))
    assert (
        rows(judge("network.port-held-by-process", containers=listed, listeners=Listeners(())))
        == []
    )
    assert rows(judge("network.bind-address-missing", containers=listed, links=links())) == [
        ("critical", "b")
    ]
    there = links(addresses=(Address(2, "10.9.9.9", 24),))
    assert rows(judge("network.bind-address-missing", containers=listed, links=there)) == [
        ("warning", "b")
    ]


@pytest.mark.parametrize(
    ("address", "setting", "expected"),
    [
        pytest.param("192.0.2.10", NonlocalBind(False), [], id="there"),
        pytest.param(
            "192.0.2.77", NonlocalBind(False), [("container:a", Severity.warning)], id="gone"
        ),
        pytest.param("192.0.2.77", NonlocalBind(True), [], id="a stand-by"),
        pytest.param("192.0.2.77", UNKNOWN, [], id="not known whether a stand-by"),
        pytest.param("0.0.0.0", NonlocalBind(False), [], id="all addresses"),
        pytest.param("127.0.0.1", NonlocalBind(False), [], id="loopback"),
        pytest.param("::", NonlocalBind(False), [], id="IPv6"),
    ],
)
def test_an_address_that_left_the_host(address: str, setting: Any, expected: list[Any]) -> None:
    published = {"Networks": {}, "Ports": {"80/tcp": [{"HostIp": address, "HostPort": "8080"}]}}
    listed = Containers((container("a", NetworkSettings=published),))
    known = {} if setting is UNKNOWN else {"nonlocal_bind": setting}
    result = judge("network.bind-address-missing", containers=listed, links=links(), **known)
    assert subjects_and_severities(result.findings) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("0.0.0.0", "192.0.2.1", True),
        ("::", "192.0.2.1", True),
        ("", "192.0.2.1", True),
        ("[::]", "0.0.0.0", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("127.0.0.1", "::1", False),
        ("0.0.0.0", "::1", False),
    ],
)
def test_which_addresses_of_a_port_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is expected


HOSTED = {"NetworkMode": "host"}


IN_USE = "listen tcp :8080: bind: address already in use"


@pytest.mark.parametrize(
    ("who", "log", "expected"),
    [
        pytest.param(
            container("a", HostConfig=HOSTED, State=ENDED),
            IN_USE,
            ["container:a"],
            id="ended by it",
        ),
        pytest.param(container("a", HostConfig=HOSTED), IN_USE, [], id="runs by now"),
        pytest.param(
            container("a", HostConfig={"NetworkMode": "shop"}, State=ENDED),
            IN_USE,
            [],
            id="own network",
        ),
        pytest.param(
            container("a", HostConfig=HOSTED, State=ENDED), "no license", [], id="ended otherwise"
        ),
    ],
)
def test_host_port_conflict(who: Container, log: str, expected: list[str]) -> None:
    words = LogTails({who.id: LogTail((log,))}, {})
    known = {"containers": Containers((who,)), "words": words, "listeners": Listeners((NGINX,))}
    assert [
        str(finding.subject) for finding in judge("network.host-port-conflict", **known).findings
    ] == expected


NAMELESS = "OSError: [Errno 98] Address already in use"


@pytest.mark.parametrize(
    ("config", "port"),
    [
        ({"ExposedPorts": {"8080/tcp": {}}}, "8080"),
        ({"Env": ["APP_PORT=8080"]}, "8080"),
        ({"Env": ["DB_PORT=8080"]}, ""),
        ({"ExposedPorts": {"9090/tcp": {}}}, ""),
    ],
    ids=["image", "variable", "variable of a server", "port of nobody"],
)
def test_the_port_that_a_line_does_not_name(config: dict[str, object], port: str) -> None:
    who = container("a", HostConfig=HOSTED, State=ENDED, Config=config)
    words = LogTails({who.id: LogTail((NAMELESS,))}, {})
    known = {"containers": Containers((who,)), "words": words, "listeners": Listeners((NGINX,))}
    (finding,) = judge("network.host-port-conflict", **known).findings
    assert (f"port {port} " in finding.summary) == bool(port)


def test_a_host_port_conflict_of_a_container_that_has_just_begun_again() -> None:
    who = container("a", HostConfig=HOSTED)
    words = LogTails({who.id: LogTail((IN_USE,))}, {}, begun_again=frozenset({who.id}))
    known = {"containers": Containers((who,)), "words": words, "listeners": Listeners((NGINX,))}
    (finding,) = judge("network.host-port-conflict", **known).findings
    assert finding.subject == who.subject


RESOLVED = Listener("udp", "127.0.0.53", 53, 7, "systemd-resolve", None)
IN_USE_53 = "dnsmasq: failed to create listening socket for port 53: Address in use"
OTHER = container("other", HostConfig=HOSTED)
PUBLISHING = container(
    "green", NetworkSettings={"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}
)


def _listener(comm: str | None, pid: int | None = 12, **more: Any) -> Listener:
    return Listener("tcp", "0.0.0.0", 8080, pid, comm, **more)


HOLDERS: dict[str, tuple[str, Listener | None, dict[str, str]]] = {
    "a program": (IN_USE, NGINX, {"held_port": "8080"}),
    "a service": (
        IN_USE,
        _listener("nginx", unit="nginx.service"),
        {"unit": "nginx.service", "held_port": "8080"},
    ),
    "nobody by now": (IN_USE, None, {"waiting": "a"}),
    "a program that nobody may see": (IN_USE, _listener(None, None), {}),
    "a socket unit": (IN_USE, _listener("systemd", 1), {"awaited": "8080"}),
    "what people log in by": (IN_USE, _listener("sshd", unit="ssh.service"), {"kept": "sshd"}),
    "a private network": (IN_USE, _listener("tailscaled"), {"kept": "tailscaled"}),
    "a rootless engine": (IN_USE.replace("80", "90"), Listener("tcp", "0.0.0.0", 9090, 12, "rootlesskit"), {}),
    "another container": (
        IN_USE,
        _listener("node", container=OTHER.id, unit="docker.service"),
        {"holder": "other"},
    ),
    "the engine's proxy": (
        IN_USE,
        _listener("docker-proxy", unit="docker.service"),
        {"holder": "green"},
    ),
    "a proxy of nobody": (IN_USE.replace("80", "90"), Listener("tcp", "0.0.0.0", 9090, 12, "docker-proxy", unit="docker.service"), {"held_port": "9090"}),
    "the engine": (IN_USE.replace("80", "90"), Listener("tcp", "0.0.0.0", 9090, 12, "dockerd", unit="docker.service"), {}),
    "the host's DNS stub, as musl says it": (IN_USE_53, RESOLVED, {"stub_unit": "systemd-resolved"}),
}  # fmt: skip


@pytest.mark.parametrize(("log", "holder", "steps"), HOLDERS.values(), ids=HOLDERS)
def test_how_the_port_of_the_host_is_freed(
    log: str, holder: Listener | None, steps: dict[str, str]
) -> None:
    who = container("a", HostConfig=HOSTED, State=ENDED)
    listed = Containers((who, OTHER, PUBLISHING))
    tails = LogTails({who.id: LogTail((log,))}, {})
    held = Listeners((holder,) if holder is not None else ())
    (finding,) = judge(
        "network.host-port-conflict", containers=listed, words=tails, listeners=held
    ).findings
    assert finding.variables == {"container": "a", **steps}
    assert signs(log) == {"port-taken"}
