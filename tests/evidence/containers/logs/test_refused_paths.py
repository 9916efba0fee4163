"""Which path below a mount a program was refused, by what its log says."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import refused_path
from tests.checks.container.evidence import container_in

DATA = {"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": True}
READ_ONLY = {"Type": "bind", "Source": "/srv/conf", "Destination": "/conf", "RW": False}

LINES = {
    "the path stands twice, first with a name before it": (
        ['file=/data/queries.active err="open /data/queries.active: permission denied"'],
        "/data/queries.active",
    ),
    "the deepest place counts": (
        ["tried [/data]; maybe not writable; AccessDeniedException: /data/node.lock"],
        "/data/node.lock",
    ),
    "a later line has no path": (
        ["Error: EACCES: permission denied, mkdir '/data/cache'", "  code: 'EACCES',"],
        "/data/cache",
    ),
    "a read-only directory": (
        ["Attempted to create a lock file on a read-only directory: /data"],
        "/data",
    ),
    "a file of the working directory": (
        ["Can't open or create append-only dir appendonlydir: Permission denied"],
        "/data",
    ),
    "a path outside of the mounts": (["open /var/log/app.log: permission denied"], None),
    "a socket, which is not a file": (["bind: operation not permitted"], None),
    "nothing of the kind": (["ready"], None),
}


@pytest.mark.parametrize(("lines", "expected"), LINES.values(), ids=LINES.keys())
def test_the_path_that_was_refused(lines: list[str], expected: str | None):
    container = container_in("exited", code=1, Mounts=[DATA, READ_ONLY])
    path = refused_path(container, LogTails({container.id: LogTail(tuple(lines))}, {}))
    assert (path.path_inside if path else None) == expected


def test_a_relative_name_is_nobodys_where_two_mounts_are_writable():
    container = container_in(
        "exited", code=1, Mounts=[DATA, {**DATA, "Source": "/srv/more", "Destination": "/more"}]
    )
    line = "Can't open the append-only file: Permission denied"
    assert refused_path(container, LogTails({container.id: LogTail((line,))}, {})) is None
