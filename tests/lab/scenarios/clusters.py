"""Clusters of real servers of Redis whose containers get other addresses."""

from __future__ import annotations

import functools

from tests.lab import Box, fault, healthy
from tests.lab.programs import load_server
from tests.lab.scenarios.everyday.helpers import first_command

_LIMITS = ("--memory=128m", "--pids-limit=64")
_OPTIONS = "--protected-mode no --cluster-enabled yes --cluster-node-timeout 4000 --dir /data"


def _servers(box: Box, prefix: str, subnet: str) -> list[str]:
    """Three servers with their data in folders of the host; returns their addresses."""
    program = load_server(box, "redis-server", "redis:7.0")
    network = f"{prefix}net"
    box.docker("network", "create", f"--subnet={subnet}", network)
    words = [program, *_OPTIONS.split(), "--save", ""]
    for number in (1, 2, 3):
        name = f"{prefix}-{number}"
        mount = f"/srv/{name}:/data"
        box.docker(
            *("run", "-d", f"--name={name}", *_LIMITS, f"--network={network}", "-v", mount),
            *("redis:7.0", *words),
        )
    return [
        box.inspect(f"{prefix}-{number}")["NetworkSettings"]["Networks"][network]["IPAddress"]
        for number in (1, 2, 3)
    ]


def _info(box: Box, name: str) -> str:
    return box.docker("exec", name, "redis-cli", "cluster", "info", check=False).stdout


def _await_work(box: Box, name: str) -> None:
    box.wait_for(lambda: "cluster_state:ok" in _info(box, name), 90, f"{name} to work")


def _await_loss(box: Box, prefix: str) -> None:
    """Wait until each server misses both others.

    `cluster_state:fail` does not say that: a server begins with it.
    One that still believes in a former address hands that on, also to a server that was just
    introduced to the present one.
    """
    for number in (1, 2, 3):
        misses_both = functools.partial(_misses_both, box, f"{prefix}-{number}")
        box.wait_for(misses_both, 90, f"{prefix}-{number} to miss the others")


def _misses_both(box: Box, name: str) -> bool:
    nodes = box.docker("exec", name, "redis-cli", "cluster", "nodes", check=False).stdout
    return sum("fail" in line.split()[2] for line in nodes.splitlines()) == 2


def _join(box: Box, prefix: str, addresses: list[str]) -> None:
    """Make them a cluster, and wait until it works."""
    places = [f"{address}:6379" for address in addresses]
    create = ("redis-cli", "--cluster", "create", *places, "--cluster-yes")
    box.wait_for(
        lambda: box.docker("exec", f"{prefix}-1", *create, check=False, timeout=30).returncode == 0,
        what="the cluster to be made",
    )
    box.wait_for(lambda: "cluster_state:ok" in _info(box, f"{prefix}-3"), what="the cluster")


def _moved(box: Box, prefix: str, subnet: str) -> list[str]:
    """The same servers with the same data, on a network with another subnet."""
    names = [f"{prefix}-{number}" for number in (1, 2, 3)]
    box.docker("rm", "-f", *names)
    box.docker("network", "rm", f"{prefix}net")
    return _servers(box, prefix, subnet)


@fault(
    "network.cluster-address-stale",
    subject="container:shard4-1",
    also=["network.call-unanswered", "container.*"],
)
def cluster_whose_members_moved(box: Box) -> None:
    """All servers of a cluster are made again on another subnet: nobody finds anybody."""
    _join(box, "shard4", _servers(box, "shard4", "10.236.4.0/24"))
    _moved(box, "shard4", "10.236.5.0/24")
    _await_loss(box, "shard4")


@healthy()
def cluster_whose_members_were_introduced(box: Box) -> None:
    """The same cluster after the report's first command; one with a server that moved alone, which
    the others have found; and a single server of Redis."""
    _join(box, "shard6", _servers(box, "shard6", "10.236.6.0/24"))
    _moved(box, "shard6", "10.236.7.0/24")
    _await_loss(box, "shard6")
    box.sh(first_command(box, "network.cluster-address-stale", "shard6-1"), timeout=90)
    for number in (1, 2, 3):
        _await_work(box, f"shard6-{number}")
    box.docker(
        "run", "-d", "--name=filler6", *_LIMITS, "--network=shard6net", "bb:1.36", "sleep", "900"
    )
    box.docker("run", "-d", "--name=single6", *_LIMITS, "redis:7.0", "redis-server", "--save", "")
    box.docker("stop", "-t", "1", "shard6-3")
    box.docker("network", "disconnect", "shard6net", "shard6-3")
    box.docker("network", "connect", "--ip", "10.236.7.77", "shard6net", "shard6-3")
    box.docker("start", "shard6-3")
    for number in (1, 2, 3):
        _await_work(box, f"shard6-{number}")
