"""Computed repairs on real engines: rules are lost at random, the printed script puts them back,
traffic flows again."""

from __future__ import annotations

import contextlib
import os
import random
import re
from collections.abc import Iterator

import pytest

from diagnose.firewall.rule_repair import present
from tests.lab.box import Box
from tests.lab.cures.proof import BIN, equip, note_units
from tests.lab.engines import Engine
from tests.lab.faults import discover as discover_scenarios
from tests.lab.provider import BOX_ADDRESS, WEB
from tests.lab.runner import start

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
                "network", "create", "-o", "com.docker.network.bridge.gateway_mode_ipv4=routed",
                "routed",
            )  # fmt: skip
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

    In which order the engine wrote the rules of its bridges is not a difference that matters.
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
    assert "\n# Simulated: " in done.out
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


NATIVE_LOSSES = (
    "nft flush ruleset", "nft flush table ip docker-bridges",
    "nft flush chain ip docker-bridges filter-forward-out__docker0",
    "nft flush chain ip docker-bridges nat-prerouting-and-output",
    "nft flush map ip docker-bridges nat-postrouting-out-jumps",
    "nft delete table ip docker-bridges",
)  # fmt: skip


def _native_rules(box: Box) -> list[str]:
    """The lines of all nftables tables, without counters and in no order."""
    counted = re.sub(r"counter packets \d+ bytes \d+ ", "", box.sh("nft list ruleset"))
    return sorted(line.strip().rstrip(",") for line in counted.splitlines() if line.strip())


@pytest.mark.parametrize("has_proxy", [True, False], ids=["proxy", "no-proxy"])
def test_lost_nftables_rules_are_put_back(engine: Engine, has_proxy: bool) -> None:
    if engine.major < 29:
        pytest.skip("only engine 29 writes nftables rules")
    with Box(engine) as box:
        # the engine does not start with this backend where forwarding is off
        box.sh("sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        box.start_engine(config={"userland-proxy": has_proxy, "firewall-backend": "nftables"})
        for name, *options in NETWORKS:
            box.docker("network", "create", *options, name)
        _run(box, "web", "-p", "8080:80", "-p", "127.0.0.1:9000:90/udp")
        _run(box, "api", "--network", "plain", "-p", "8081:80")
        _run(box, "job", "--network", "inner")
        _run(box, "lone", "--network", "apart", "-p", "7000:70")
        well = _native_rules(box)
        unharmed = box.diagnose("repair", "firewall.chains-missing")
        assert "no rule of the engine is missing" in unharmed.err, unharmed.out
        for command in NATIVE_LOSSES:
            box.sh(command)
            _repaired(box)
            assert _native_rules(box) == well, command
        box.sh("nft flush ruleset")
        assert _goes_out(box) is False
        _repaired(box)
        assert _goes_out(box)
        assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/", check=False)
        box.docker("rm", "-f", "api")
        _run(box, "later", "--network", "plain", "-p", "8082:80")
        still = box.diagnose("repair", "firewall.chains-missing")
        assert "no rule of the engine is missing" in still.err, still.out


def _goes_out(box: Box) -> bool:
    pid = box.inspect("web")["State"]["Pid"]
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", f"http://{WEB}/"]
    return box.run(["nsenter", "-t", str(pid), "-n", *curl], check=False).returncode == 0


def _script(box: Box, *arguments: str) -> str:
    """The script of one repair, which has been run, and said that it was simulated."""
    done = box.diagnose("repair", *arguments)
    assert done.code == 0, done.err
    assert "\n# Simulated: " in done.out
    path = {"PATH": f"{BIN}:{box.engine.path}"}
    box.run(["sh", "-e", "-c", done.out], env=path, timeout=60)
    return done.out


def _undone(box: Box, script: str) -> None:
    """Type what the script names as the way back."""
    for line in script.splitlines():
        if line.startswith("# To undo: "):
            box.sh(line.removeprefix("# To undo: "))


def _found(box: Box, id: str) -> bool:
    return bool(box.diagnose("check", id, "--format", "json").findings)


def test_forwarding_is_on_and_stays_on_at_the_next_boot(engine: Engine) -> None:
    file = "/etc/sysctl.d/60-hardening.conf"
    with Box(engine) as box:
        box.start_engine()
        _run(box, "web")
        was = "# hardening\nnet.ipv4.conf.all.log_martians=1\nnet.ipv4.ip_forward=0\n"
        box.write(file, was)
        box.sh(f"sysctl -qp {file}")
        assert not _goes_out(box)
        script = _script(box, "firewall.forwarding-off")
        assert "firewall.forwarding-off is no longer found" in script
        assert _goes_out(box)
        box.sh(f"sysctl -qp {file}")
        assert _goes_out(box), "the file keeps it on"
        assert box.read(file) == was.replace("ip_forward=0", "ip_forward = 1")
        _undone(box, script)
        assert box.read(file) == was
        assert _found(box, "firewall.forwarding-off")


def test_a_route_that_leads_nowhere_goes_and_comes_back(engine: Engine) -> None:
    scenario = discover_scenarios()["network.route_to_nowhere"]
    with Box(engine, **scenario.box) as box:
        start(box, scenario)
        scenario.inject(box)
        routes = box.sh("ip route show type blackhole")
        script = _script(box, "network.subnet-overlaps-route")
        assert "\nip route del blackhole 172.28.5.9/32\n" in script
        assert box.sh("curl -sS -m 2 http://172.28.5.9:8080/") == "hello\n"
        assert not _found(box, "network.subnet-overlaps-route")
        _undone(box, script)
        assert box.sh("ip route show type blackhole") == routes


def test_keys_of_the_configuration_are_set_and_nothing_else(engine: Engine) -> None:
    file = "/etc/docker/daemon.json"
    was = '{\n\t"log-driver": "json-file",\n\t"labels": ["rack=7"]\n}\n'
    with Box(engine) as box:
        equip(box)
        box.start_engine()
        note_units(box)
        box.write(file, was)
        engine_pid = box.engine_pid
        script = _script(box, "--set", '{"debug": true, "labels": null}')
        assert box.read(file) == '{\n\t"log-driver": "json-file",\n\t"debug": true\n}\n'
        assert "# Risk: safe" in script
        box.wait_for(lambda: box.api("/info")["Debug"], what="the engine with its new file")
        assert box.pids_of("dockerd") == [engine_pid]
        copies = box.sh("ls /etc/docker/daemon.json.before-*").split()
        assert [box.read(copy) for copy in copies] == [was]
        _script(box, "--set", '{"debug": false}')
        assert was in [box.read(copy) for copy in box.sh("ls /etc/docker/*.before-*").split()]


REFUSED = {
    "a key that the engine does not know": ('{"debgu": true}', "{}", "daemon.config-invalid"),
    "a secret in the file": (
        '{"debug": true}',
        '{"http-proxy": "http://ops:Gr33nHorse77@proxy.lab.test:3128"}',
        "holds a secret",
    ),
    "no file to read": ('{"debug": true}', "{", "mend daemon.config-invalid first"),
}


def test_what_the_engine_would_refuse_is_not_printed(engine: Engine) -> None:
    file = "/etc/docker/daemon.json"
    with Box(engine) as box:
        box.start_engine()
        for name, (keys, text, why) in REFUSED.items():
            box.write(file, text)
            done = box.diagnose("repair", "--set", keys)
            assert (done.code, done.out) == (3, "exit 1\n"), name
            assert why in done.err, name
            assert box.read(file) == text
