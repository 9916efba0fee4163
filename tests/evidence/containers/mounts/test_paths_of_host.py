"""Paths of the host that keep their owner: evidence/containers/mounts/access/paths_of_host.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.access.paths_of_host import is_of_host
from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus
from diagnose.evidence.engine.info import Info
from tests.checks.container.evidence import container_in, log_of
from tests.inspected import of
from tests.judging import judge


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/lib/docker/containers", True),
        ("/var/lib/docker/volumes", True),
        ("/var/lib/docker/volumes/shop/_data", False),
        ("/data/docker/containers", False),
        ("/var/log", True),
        ("/var/log/shop", False),
        ("/etc/ssl/private", True),
        ("/etc/shop", False),
        ("/srv/shop", False),
    ],
)
def test_what_belongs_to_the_host(path: str, expected: bool) -> None:
    assert is_of_host(path, Info()) is expected


def test_the_data_root_may_be_elsewhere() -> None:
    info = Info(docker_root_dir="/data/docker")
    assert is_of_host("/data/docker/containers", info)
    assert not is_of_host("/data/docker/volumes/shop/_data", info)


@pytest.mark.parametrize(
    ("source", "status", "expected"),
    [
        ("/var/lib/docker/containers", PathStatus(type="folder", mode=0o710), {"as_root": "web"}),
        ("/run/app.sock", PathStatus(type="socket", mode=0o660, gid=988), {"socket_group": "988"}),
    ],
)
def test_nobody_is_given_what_the_host_needs(
    source: str, status: PathStatus, expected: dict[str, str]
) -> None:
    mount = {"Type": "bind", "Source": source, "Destination": "/given", "RW": True}
    container = container_in("exited", code=1, Config={"User": "1000:1000"}, Mounts=[mount])
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=log_of(container, "open /given: permission denied"),
        bind_sources=BindSources({source: status}, {}),
        info=Info(),
    )
    (finding,) = result.findings
    assert {name: finding.variables[name] for name in expected} == expected
    assert "source" not in finding.variables
