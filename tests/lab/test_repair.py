"""Computed repairs on real engines: rules are lost at random, the printed script puts them back,
traffic flows again."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator

import pytest

from diagnose.firewall.engine_rules import present

from .box import Box
from .engines import Engine
from .provider import BOX_ADDRESS, WEB

MUTILATIONS = 36 if os.environ.get("DIAGNOSE_LAB_LONG") else 6
"""Random losses for each engine."""
NETWORKS = (
    ("plain",),
    ("inner", "--internal"),
    ("apart", "-o", "com.docker.network.bridge.enable_icc=false"),
    ("shown", "-o", "com.docker.network.bridge.enable_ip_masquerade=false"),
)
CHAINS = {
    "filter": ("FORWARD", "DOCKER", "DOCKER-"),
    "nat": ("DOCKER", "PREROUTING", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING",),
}
"""Chains whose loss the repair mends, by the beginning of their names."""


@contextlib.contextmanager
def _host(engine: Engine, *, has_proxy: bool) -> Iterator[Box]:
    """A host with a network of each kind, and published ports of each kind."""
    with Box(engine) as box:
        box.start_engine(config={"userland-proxy": has_proxy})
        for name, *options in NETWORKS:
            box.docker("network", "create", *options, name)
        if engine.major >= 28:
            box.docker(
                "network",
                "create",
                "-o",
                "com.docker.network.bridge.gateway_mode_ipv4=routed",
                "routed",
            )
            _run(box, "guest", "--network", "routed", "-p", "7003:73")
        _run(box, "web", "-p", "8080:80", "-p", "127.0.0.1:9000:90/udp")
        _run(box, "api", "--network", "plain", "-p", "8081:80")
        _run(box, "job", "--network", "inner")
        _run(box, "lone", "--network", "apart", "-p", "7000:70")
        _run(box, "open", "--network", "shown", "-p", "7002:72")
        box.docker("network", "connect", "inner", "api")
        box.docker("network", "connect", "apart", "api")
        yield box


def _run(box: Box, name: str, *options: str) -> None:
    box.docker("run", "-d", "--name", name, *options, box.image("bb"), "httpd", "-f", "-p", "80")


def _rules(box: Box) -> set[str]:
    """All rules but the RETURN that engines before 28 write into DOCKER-USER, where it changes
    nothing.

    In which order the engine wrote the rules of its bridges is no difference that matters.
    """
    return {
        f"{table} {chain} {rule}"
        for table, chains in present(box.sh("iptables-save")).items()
        for chain, rules in chains.chains.items()
        for rule in rules
        if chain != "DOCKER-USER"
    }


def _repaired(box: Box) -> str:
    done = box.diagnose("repair", "firewall.chains-missing")
    assert done.code == 0, done.err
    box.run(["sh", "-e", "-c", done.out])
    return done.out


def _lose(box: Box, chance: random.Random) -> str:
    """Lose some of the engine's rules; what was done, as a command."""
    rules = present(box.sh("iptables-save"))
    table = chance.choice([name for name in CHAINS if name in rules])
    chains = [
        chain
        for chain, listed in rules[table].chains.items()
        if listed and chain.startswith(CHAINS[table]) and chain != "DOCKER-USER"
    ]
    chain = chance.choice(chains)
    match chance.randrange(4):
        case 0:
            command = f"iptables -t {table} -F"
        case 1:
            command = f"iptables -t {table} -F {chain}"
        case 2:
            command = "iptables -F; iptables -t nat -F; iptables -t raw -F"
        case _:
            command = f"iptables -t {table} -D {chain} {chance.randrange(len(rules[table].chains[chain])) + 1}"
    box.sh(command)
    return command


@pytest.mark.parametrize("has_proxy", [True, False], ids=["proxy", "no-proxy"])
def test_lost_rules_are_put_back_by_the_printed_script(engine: Engine, has_proxy: bool) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with _host(engine, has_proxy=has_proxy) as box:
        well = _rules(box)
        unharmed = box.diagnose("repair", "firewall.chains-missing")
        assert "no rule of the engine is missing" in unharmed.err, unharmed.out
        running = box.docker("ps", "-q", "--no-trunc").stdout.split()
        started = [box.inspect(id)["State"]["StartedAt"] for id in running]
        for _ in range(MUTILATIONS):
            command = _lose(box, chance)
            if _rules(box) != well:
                script = _repaired(box)
                assert _rules(box) ^ well == set(), f"{command}\n{script}"
        box.sh(
            "iptables -F; iptables -X; iptables -t nat -F; iptables -t nat -X; iptables -t raw -F"
        )
        assert _goes_out(box) is False
        _repaired(box)
        assert _goes_out(box)
        assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/", check=False)
        assert [box.inspect(id)["State"]["StartedAt"] for id in running] == started


def _goes_out(box: Box) -> bool:
    pid = box.inspect("web")["State"]["Pid"]
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", f"http://{WEB}/"]
    return box.run(["nsenter", "-t", str(pid), "-n", *curl], check=False).returncode == 0
