"""Servers whose data know them under the host name of a former container; look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import logs, run

_FAILING = "container.failing-inside"
_MEMBER = r"""#!/bin/sh
# the words are those of MongoDB 5
say() { echo "{\"t\":{\"\$date\":\"2026-01-02T10:00:0$1.243+00:00\"},\"s\":\"$2\",\"c\":\"REPL\",\"msg\":\"$3\",\"attr\":{$4}}"; }
[ -e /data/db/name ] || hostname >/data/db/name
read -r name </data/db/name
members="\"members\":[{\"_id\":0,\"host\":\"$name:27017\",\"arbiterOnly\":false}]"
if [ "$name" = "$(hostname)" ]; then
    say 2 I 'Replica set state transition' '"newState":"PRIMARY"'
else
    say 1 W 'Locally stored replica set configuration does not have a valid entry for the current node; waiting for reconfig or remote heartbeat' \
        "\"error\":{\"code\":74,\"codeName\":\"NodeNotFound\",\"errmsg\":\"No host described in new configuration with {version: 1, term: 1} for replica set rs0 maps to this node\"},\"localConfig\":{\"_id\":\"rs0\",\"version\":1,\"term\":1,$members}"
    say 1 I 'New replica set config in use' "\"config\":{\"_id\":\"rs0\",\"version\":1,\"term\":1,$members}"
    say 2 I 'This node is not a member of the config' ''
fi
exec sleep 1000
"""


def _member(box: Box, name: str, *options: str) -> None:
    """MongoDB in MongoDB's words, which keeps the host name of its first start in its volume."""
    files = {"usr/bin/mongod": (_MEMBER.encode(), 0o755)}
    load(box, f"{name}:1", Recipe(files, ('CMD ["/usr/bin/mongod"]',)))
    run(box, name, *SAFE, "-v", f"{name}_db:/data/db", *options, f"{name}:1")
    box.wait_for(lambda: "REPL" in logs(box, name), what="the replica set")


def _recreated(box: Box, name: str, *options: str) -> str:
    """A member that was created twice; the host name of the first one."""
    _member(box, name, *options)
    assert "PRIMARY" in logs(box, name)
    former = str(box.inspect(name)["Config"]["Hostname"])
    box.docker("rm", "-f", name)
    _member(box, name, *options)
    return former


@fault(_FAILING, subject="container:member18")
def member_that_lost_its_host_name(box: Box) -> None:
    """MongoDB was created again without a fixed host name; the former one heals it."""
    former = _recreated(box, "member18")
    command = first_command(box, _FAILING, "member18")
    assert command.endswith(f"recreate member18 -- --hostname={former} | sh"), command
    typed(box, command)
    box.wait_for(lambda: "PRIMARY" in logs(box, "member18"), what="the member to be known again")
    box.docker("rm", "-f", "member18")
    _member(box, "member18")


@healthy()
def member_with_a_fixed_host_name(box: Box) -> None:
    """The same, and its host name is fixed."""
    _recreated(box, "member19", "--hostname=member19")
