"""Servers that others know under the name or address of a former container; look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
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


def _sentinel(box: Box, number: int, address: str, image: str = "redis:7.0") -> str:
    """Real Redis, and a real Sentinel that has this address of it; the container of Sentinel."""
    network = f"cache{number}"
    load_server(box, "redis-server", image)
    box.docker("network", "create", f"--subnet=10.77.{number}.0/24", network)
    _master(box, number, 20, image)
    box.write(
        f"/srv/{network}/sentinel.conf",
        f"port 26379\nsentinel monitor main {address} 6379 1\n"
        "sentinel down-after-milliseconds main 1000\n",
    )
    box.sh(f"chmod -R a+rwX /srv/{network}")
    options = ("-d", f"--name=sentinel{number}", f"--network={network}", *SAFE)
    mount = ("-v", f"/srv/{network}:/conf")
    words = ("redis-server", "/conf/sentinel.conf", "--sentinel")
    box.docker("run", *options, *mount, image, *words)
    box.wait_for(lambda: "+monitor" in logs(box, f"sentinel{number}"), what="Sentinel")
    return f"sentinel{number}"


def _master(box: Box, number: int, host: int, image: str) -> None:
    options = ("-d", f"--name=master{number}", f"--network=cache{number}", *SAFE)
    words = ("redis-server", "--save", "", "--protected-mode", "no")
    box.docker("run", *options, f"--ip=10.77.{number}.{host}", image, *words)
    box.wait_for(lambda: "Ready to accept" in logs(box, f"master{number}"), what="Redis")


@fault(_FAILING, subject="container:sentinel71", also=["network.call-unanswered"])
def master_that_moved_from_its_sentinel(box: Box) -> None:
    """The master was created again with another address, which the command of the report writes
    into the file of Sentinel."""
    name = _sentinel(box, 71, "10.77.71.20")
    box.docker("rm", "-f", "master71")
    _master(box, 71, 21, "redis:7.0")
    box.wait_for(lambda: "+sdown master" in logs(box, name), what="Sentinel to miss its master")
    typed(box, first_command(box, _FAILING, name))
    ask = ("exec", name, "redis-cli", "-p", "26379", "sentinel", "get-master-addr-by-name", "main")
    box.wait_for(lambda: "10.77.71.21" in box.docker(*ask).stdout, what="the new address")
    box.docker("rm", "-f", "master71")
    _master(box, 71, 22, "redis:7.0")
    box.wait_for(lambda: logs(box, name).count("+sdown master") > 1, what="it to be missed again")


@healthy()
def master_that_kept_its_address(box: Box) -> None:
    """The master was created again with the same address, and Sentinel has seen it again."""
    name = _sentinel(box, 72, "10.77.72.20")
    box.docker("rm", "-f", "master72")
    box.wait_for(lambda: "+sdown master" in logs(box, name), what="Sentinel to miss its master")
    _master(box, 72, 20, "redis:7.0")
    box.wait_for(lambda: "-sdown master" in logs(box, name), what="Sentinel to see it again")
