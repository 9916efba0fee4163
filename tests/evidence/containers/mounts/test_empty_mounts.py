"""Empty folders of the host that hide what an image has."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts, empty_mounts
from diagnose.evidence.network.sockets.unserved_ports import UnservedPorts
from tests.checks.container.evidence import CLOCK, OPTIONS, container_in
from tests.hosts import Made
from tests.inspected import bind, of


def looked_up(container: Any, names: list[str], silent: frozenset[str]) -> EmptyMounts:
    entries = [{"name": name, "type": "file"} for name in names]
    host = Made({"file.list": {"entries": entries}})
    return empty_mounts(host, of(container), CLOCK, OPTIONS, UnservedPorts({}, silent))


@pytest.mark.parametrize(
    ("destination", "is_writable", "names", "hides"),
    [
        ("/opt/serviio/config", True, [], True),
        ("/etc/nginx/conf.d", False, [], True),
        ("/opt/app/conf", True, ["app.conf"], False),
        ("/var/lib/app", True, [], False),
        ("/var/lib/app", False, [], True),
        ("/config", True, [], False),
    ],
)
def test_a_folder_that_hides(destination: str, is_writable: bool, names: list[str], hides: bool):
    mount = bind("/srv/empty", Destination=destination, RW=is_writable)
    container = container_in("exited", code=1, **mount)
    found = looked_up(container, names, frozenset())
    assert [mount.destination for mount in found.of(container)] == [destination] * hides
    assert found.variables_of(container) == ({"hidden": destination} if hides else {})


def test_only_containers_that_do_not_work_are_looked_at():
    container = container_in("running", **bind("/srv/empty", Destination="/etc/nginx/conf.d"))
    assert looked_up(container, names=[], silent=frozenset()) == EmptyMounts()
    assert looked_up(container, [], frozenset({container.id})).of(container)
