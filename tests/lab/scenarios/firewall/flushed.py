"""Rules of the engine that are gone."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy
from tests.lab.runner import PATIENT
from tests.lab.scenarios.firewall.helpers import DEAF, PUBLISHED, comes_in, goes_out, shop


@fault("firewall.chains-missing", subject="host:host", also=DEAF)
def filter_flushed(box: Box) -> None:
    """Another tool flushes the filter and nat tables, as configuration management does."""
    box.sh("iptables -P FORWARD DROP; iptables -F; iptables -t nat -F")
    assert not goes_out(box)


_SCRIPT = "/usr/local/sbin/firewall.sh"
_RULES = """#!/bin/sh
iptables -F
iptables -t nat -F
iptables -P FORWARD DROP
iptables -A INPUT -i lo -j ACCEPT
"""


def _firewall_of_cron(box: Box) -> None:
    """A provider's cron job that writes the host's firewall every ten minutes."""
    box.write(_SCRIPT, _RULES, 0o755)
    box.write("/etc/cron.d/firewall", f"*/10 * * * * root {_SCRIPT} >/dev/null\n")


@fault("firewall.chains-missing", subject="host:host", also=DEAF)
def filter_flushed_by_cron(box: Box) -> None:
    """The job has run: the finding names it, since the rules are gone again after its next run."""
    _firewall_of_cron(box)
    box.sh(_SCRIPT)
    found = box.diagnose("check", "firewall.chains-missing", "--format", "json").findings
    assert f"line 1 of /etc/cron.d/firewall runs {_SCRIPT}, which" in found[0]["summary"], found


@healthy()
def job_that_will_flush(box: Box) -> None:
    """The job has not run yet, and all rules are there."""
    _firewall_of_cron(box)


@fault("firewall.chains-missing", subject="host:host", also=DEAF)
def nft_flushed(box: Box) -> None:
    """`nft flush ruleset` at a restart of nftables.service takes Docker's tables along."""
    box.sh("nft flush ruleset")
    assert not goes_out(box)


@fault("firewall.chains-missing", subject="host:host", also=DEAF)
def forward_jumps_lost(box: Box) -> None:
    """Docker's chains are all there, but FORWARD leads to none of them: a presence that proves
    nothing."""
    box.sh("iptables -P FORWARD DROP; iptables -F FORWARD")
    assert "DOCKER" in box.sh("iptables -S")
    assert not goes_out(box)


_OF_OLDER_ENGINES = """
for table in filter nat mangle; do iptables -t $table -F; iptables -t $table -X; done
iptables -N DOCKER; iptables -N DOCKER-USER; iptables -t nat -N DOCKER
iptables -N DOCKER-ISOLATION-STAGE-1; iptables -N DOCKER-ISOLATION-STAGE-2
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
iptables -P FORWARD DROP; iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -o docker0 -j DOCKER; iptables -A FORWARD -i docker0 -j ACCEPT
"""


@fault(
    "firewall.chains-missing",
    subject="host:host",
    also=["daemon.errors-in-log", "firewall.*"],
    engines=Engines(since=28),
)
def chains_of_an_older_engine_written_again(box: Box) -> None:
    """The script of a firewall writes the chains that older engines had: what runs goes on, and a
    network cannot be created."""
    box.sh(_OF_OLDER_ENGINES)
    assert goes_out(box)
    done = box.docker("network", "create", "blog", check=False)
    assert "No chain/target/match by that name" in done.stderr
    out = box.diagnose("check", "firewall.chains-missing", *PATIENT).joined
    assert "diagnose repair firewall.chains-missing | sh -e" in out


@fault("firewall.masquerade-missing", subject="network:shop", also=DEAF)
def masquerade_deleted(box: Box) -> None:
    """One network's MASQUERADE rule is gone: its packets leave and no answer comes back."""
    bridge, subnet = shop(box)
    box.sh(f"iptables -t nat -D POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE")
    assert goes_out(box, "web")
    assert not goes_out(box, "cart")


@fault("firewall.dnat-missing", subject="container:web")
def dnat_deleted(box: Box) -> None:
    """One published port has lost its DNAT rule; docker-proxy still serves it."""
    box.sh(
        "iptables-save -t nat | grep -e '--dport 8080' | grep DNAT | sed 's/^-A/-t nat -D/' | xargs iptables"
    )
    assert comes_in(box)


@fault("firewall.dnat-missing", subject="container:web", config={"userland-proxy": False})
def dnat_deleted_without_proxy(box: Box) -> None:
    """One published port has lost its DNAT rule, and no docker-proxy listens on it."""
    box.sh(
        "iptables-save -t nat | grep -e '--dport 8080' | grep DNAT | sed 's/^-A/-t nat -D/' | xargs iptables"
    )
    assert not comes_in(box)


@fault("firewall.dnat-missing", subject="host:host", config={"userland-proxy": False})
def jump_of_the_hosts_own_packets_lost(box: Box) -> None:
    """The host's own packets are not led to Docker's rules any more, and no docker-proxy stands
    behind the port."""
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", PUBLISHED]
    assert box.run(curl, check=False).returncode == 0
    box.sh("iptables -t nat -S OUTPUT | grep DOCKER | sed 's/^-A/-t nat -D/' | xargs iptables")
    assert box.run(curl, check=False).returncode != 0
    assert comes_in(box)


@fault("firewall.chains-missing", subject="host:host", also=["firewall.dnat-missing"])
def published_ports_emptied(box: Box) -> None:
    """Docker's chain in nat is there, reached, and empty: docker-proxy serves all ports."""
    shop(box)
    box.sh("iptables -t nat -F DOCKER")
    assert comes_in(box)


@fault("firewall.chains-missing", subject="host:host", also=DEAF)
def answers_forgotten(box: Box) -> None:
    """The rules that let answers back are gone, all others are there."""
    box.sh("iptables -P FORWARD DROP; for chain in FORWARD DOCKER-CT; do iptables -S $chain 2>/dev/null"
           " | grep -e ESTABLISHED | sed 's/^-A/-D/' | xargs -r -L1 iptables; done")  # fmt: skip
    assert not goes_out(box)


@fault(
    "firewall.chains-missing", subject="host:host", also=["container.start-refused"], baseline=False
)
def flushed_before_a_start(box: Box) -> None:
    """A firewall's restart has removed all chains, no container runs, and one cannot be started."""
    box.sh("for t in filter nat mangle raw; do iptables -t $t -F; iptables -t $t -X; done")
    words = ("--memory=64m", "--pids-limit=64", "-p", "53:53/udp", "shop:1.4")
    done = box.docker("run", "-d", "--name=bind", *words, check=False)
    assert "No chain/target/match by that name" in done.stderr
