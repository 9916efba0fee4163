"""The checks of the families image and security on evidence that is built by hand: fires, stays silent, does not
apply."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks import image, security
from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.images import Image, Images, normal, registry_of, tag_of
from diagnose.evidence.info import Info
from diagnose.evidence.processes import Process, Processes
from diagnose.evidence.secrets import has_secret, in_text
from diagnose.model import Severity, Skipped, Unavailable

TOKEN = "<redacted:password:ab12cd>"
OTHER = "<redacted:bearer:ab12ce>"
OUT_OF_REACH = Unavailable("forbidden", "not root")


def container(name: str = "web", **parts: Any) -> Container:
    """A running container as inspect shows it; parts override or extend the API's own fields."""
    shape: dict[str, Any] = {
        "Id": f"{name:0<64}",
        "Name": f"/{name}",
        "State": {"Status": "running", "Pid": 100, "StartedAt": "2026-01-02T03:04:05Z"},
        "Image": "sha256:1111",
        "Config": {"Image": "shop:1.4", "User": "1000"},
        "HostConfig": {},
        "Mounts": [],
    }
    for key, value in parts.items():
        shape[key] = {**shape[key], **value} if isinstance(value, dict) and isinstance(shape.get(key), dict) else value
    return msgspec.convert(shape, Container)


def of(*containers: Container) -> Containers:
    return Containers(containers)


def bind(source: str, **more: Any) -> dict[str, Any]:
    return {"Mounts": [{"Type": "bind", "Source": source, "Destination": "/x", "RW": True, **more}]}


EXITED: dict[str, Any] = {"State": {"Status": "exited", "Pid": 0}}


def subjects(answer: Any) -> list[str]:
    return sorted(finding.subject.name for finding in answer)


@pytest.mark.parametrize(
    ("one", "fires"),
    [
        pytest.param(container(HostConfig={"Privileged": True}), True, id="running"),
        pytest.param(
            container(HostConfig={"Privileged": True}, State={"Status": "created", "Pid": 0}), True, id="created"
        ),
        pytest.param(container(HostConfig={"Privileged": True}, **EXITED), False, id="a finished job"),
        pytest.param(
            container(HostConfig={"Privileged": True, "RestartPolicy": {"Name": "always"}}, **EXITED),
            True,
            id="comes again",
        ),
        pytest.param(container(HostConfig={"CapAdd": ["SYS_ADMIN"]}), False, id="capabilities are another matter"),
    ],
)
def test_privileged(one: Container, fires: bool) -> None:
    assert subjects(security.privileged(of(one))) == (["web"] if fires else [])


@pytest.mark.parametrize(
    ("parts", "severity"),
    [
        pytest.param(bind("/var/run/docker.sock"), None, id="socket"),
        pytest.param(bind("/run/docker.sock", RW=False), None, id="read-only does not protect"),
        pytest.param(bind("/run"), None, id="the folder that holds it"),
        pytest.param(bind("/run/user/1000/podman/podman.sock"), None, id="podman"),
        pytest.param(
            {**bind("/run/docker.sock"), "Config": {"Image": "x/docker-socket-proxy:1"}}, Severity.advice, id="proxy"
        ),
        pytest.param(
            {
                **bind("/run/docker.sock"),
                "Config": {"Image": "x/docker-socket-proxy:1"},
                "NetworkSettings": {"Ports": {"2375/tcp": [{"HostIp": "0.0.0.0", "HostPort": "2375"}]}},
            },
            None,
            id="a proxy that is published",
        ),
    ],
)
def test_socket_fires(parts: dict[str, Any], severity: Severity | None) -> None:
    (finding,) = security.docker_socket_mounted(of(container(**parts)))
    assert finding.severity is severity


@pytest.mark.parametrize("source", ["/srv/app/app.sock", "/run/app", "/var/lib/data", "/run/docker-app"])
def test_socket_stays_silent(source: str) -> None:
    assert not list(security.docker_socket_mounted(of(container(**bind(source)))))


def test_socket_of_a_volume_is_no_host_path() -> None:
    volume: dict[str, Any] = {
        "Mounts": [{"Type": "volume", "Source": "/var/lib/docker/volumes/x/_data/docker.sock", "Destination": "/x"}]
    }
    assert not list(security.docker_socket_mounted(of(container(**volume))))


@pytest.mark.parametrize(
    ("env", "names"),
    [
        pytest.param([f"DB_PASSWORD={TOKEN}"], ["DB_PASSWORD"], id="value"),
        pytest.param([f"URL=postgres://app:{TOKEN}@db/x"], ["URL"], id="part of a URL"),
        pytest.param(
            ["TOKEN_TTL=3600", "PASSWORD_FILE=/run/secrets/x", "EMPTY_PASSWORD="], [], id="names about secrets"
        ),
        pytest.param(["NOTE=<redacted:by hand>"], [], id="a text that looks like a token"),
        pytest.param(None, [], id="no environment"),
    ],
)
def test_secrets_in_env(env: list[str] | None, names: list[str]) -> None:
    assert [secret.name for secret in has_secret(env)] == names
    assert bool(list(security.secrets_in_env(of(container(Config={"Env": env})), OUT_OF_REACH))) is bool(names)


def test_secrets_in_text() -> None:
    found = in_text(f"|2 NPM_TOKEN={TOKEN} V=3 /bin/sh -c curl -H 'Authorization: {OTHER}' -u app:{TOKEN}")
    assert [(secret.name, secret.kind) for secret in found] == [("NPM_TOKEN", "password"), ("Authorization", "bearer")]


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
    answer = security.root_user(of(one), INFO, processes(uid))
    assert not isinstance(answer, Skipped)
    assert bool(list(answer)) is fires


def test_root_user_says_what_it_could_not_see() -> None:
    answer = security.root_user(of(ROOT), INFO, OUT_OF_REACH)
    assert not isinstance(answer, Skipped)
    (finding,) = answer
    assert "starts as root" in finding.summary
    assert "not seen" in finding.evidence.values()


@pytest.mark.parametrize("info", [REMAPPED, ROOTLESS], ids=["userns-remap", "rootless"])
def test_root_user_does_not_apply(info: Info) -> None:
    assert isinstance(security.root_user(of(ROOT), info, processes(0)), Skipped)


def test_root_user_of_a_container_that_opts_out_of_remapping() -> None:
    out = container("out", Config={"User": ""}, HostConfig={"UsernsMode": "host"})
    answer = security.root_user(of(ROOT, out), REMAPPED, OUT_OF_REACH)
    assert not isinstance(answer, Skipped)
    assert subjects(answer) == ["out"]


def listed(id: str, tags: list[str] | None, size: int = 1000, **more: Any) -> Image:
    return Image(id=f"sha256:{id * 64}"[:71], repo_tags=tags, size=size, **more)


@pytest.mark.parametrize(
    ("items", "fires"),
    [
        pytest.param([listed("1", ["<none>:<none>"]), listed("2", ["<none>:<none>"])], True, id="API up to 1.42"),
        pytest.param([listed("1", []), listed("2", None)], True, id="API from 1.43"),
        pytest.param([listed("1", []), listed("2", ["shop:1.4"])], False, id="one is no heap"),
        pytest.param([listed("1", [], size=3 << 30)], True, id="one that is big"),
        pytest.param(
            [listed("1", [], containers=1), listed("2", [], containers=2)], False, id="containerd's store: used"
        ),
        pytest.param([listed("1", [], size=3 << 30, shared_size=(3 << 30) - 5)], False, id="big, but shared"),
    ],
)
def test_dangling(items: list[Image], fires: bool) -> None:
    answer = image.dangling(Images(tuple(items), {}), OUT_OF_REACH)
    assert not isinstance(answer, Unavailable)
    assert bool(list(answer)) is fires


def test_dangling_images_that_a_container_stands_on() -> None:
    items = (listed("1", []), listed("2", []))
    assert image.dangling(Images(items, {items[0].id: ("a",), items[1].id: ("b",)}), OUT_OF_REACH) == ()


def test_dangling_is_unknown_where_containers_are() -> None:
    assert isinstance(image.dangling(Images((listed("1", []),), {}, users_known=False), OUT_OF_REACH), Unavailable)


@pytest.mark.parametrize(
    ("reference", "full", "registry", "tag"),
    [
        ("bb", "docker.io/library/bb:latest", "docker.io", "latest"),
        ("bb:1.2", "docker.io/library/bb:1.2", "docker.io", "1.2"),
        ("team/app", "docker.io/team/app:latest", "docker.io", "latest"),
        ("localhost:5000/app", "localhost:5000/app:latest", "localhost:5000", "latest"),
        ("reg.example/a/b:3", "reg.example/a/b:3", "reg.example", "3"),
        ("reg.example:5000/a@sha256:12", "reg.example:5000/a@sha256:12", "reg.example:5000", None),
        ("a:latest@sha256:12", "docker.io/library/a@sha256:12", "docker.io", None),
    ],
)
def test_references(reference: str, full: str, registry: str, tag: str | None) -> None:
    assert (normal(reference), registry_of(reference), tag_of(reference)) == (full, registry, tag)


@pytest.mark.parametrize(
    ("reference", "fires"),
    [
        ("shop", True),
        ("shop:latest", True),
        ("shop:1.4", False),
        ("sha256:1111", False),
        ("shop:latest@sha256:11", False),
    ],
)
def test_latest_tag(reference: str, fires: bool) -> None:
    one = container(Config={"Image": reference})
    assert subjects(image.latest_tag(of(one))) == ([reference] if fires else [])
