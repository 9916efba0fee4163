"""`diagnose path` against real packets on the generated hosts of `agreement`.

    python -m tests.lab.agreement.paths [SEED [HOSTS]]

There is no engine on such a host: its containers and networks are given to the walk as an engine
would list them. All else, the packet filter, routes and interfaces, is read from the host.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import HostConfig, NetworkEndpoint, NetworkSettings, State
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network import host_stack, interfaces, uplinks
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Address, Interface
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.rules import packet_filter
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.model import Unavailable
from diagnose.path import ends, hops
from diagnose.path.model import PathEvidence
from diagnose.questions.network import Route
from diagnose.questions.sockets import Socket
from tests.lab.agreement.hosts import Generator
from tests.lab.agreement.namespaces import PROJECT
from tests.lab.agreement.packets import _apply, _here
from tests.lab.agreement.site import PATIENT_S, RESET, TCP_PORTS, UDP_PORTS, Attempt, Party, Site

ATTEMPTS = 60
"""Connections that are drawn for each host; those that `path` is not made for are left out."""
MASQUERADES = "com.docker.network.bridge.enable_ip_masquerade"


@dataclass
class PathTally:
    """How paths stood to packets. wrong: what was said, and what was seen."""

    hosts: int = 0
    agreed: int = 0
    beyond: int = 0
    """Sent out by an uplink that does not lead there: no path sees that."""
    unknown: int = 0
    through: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def decided(self) -> int:
        return self.agreed + len(self.wrong)

    def __str__(self) -> str:
        all_of_them = self.decided + self.unknown
        return (
            f"{self.hosts} hosts, {all_of_them} connections ({self.through} got through): "
            f"{self.agreed / max(1, self.decided):.2%} of {self.decided} decided agree, "
            f"{self.unknown / max(1, all_of_them):.2%} undecided"
        )


# -- in the host's namespace ----------------------------------------


def predict() -> None:
    """A process in the host's namespace: a line of questions in, a line of paths out."""
    here = _here()
    listed = _containers(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        evidence = _evidence(here(), listed)
        print(json.dumps([_walked(evidence, asked) for asked in json.loads(line)]), flush=True)


def _containers(parties: list[dict[str, str]]) -> dict[str, Container]:
    """Containers as an engine lists them, by name. parties: name, bridge and address of each."""
    return {
        party["name"]: Container(
            f"{number:064x}",
            f"/{party['name']}",
            state=State(status="running", pid=100 + number),
            network_settings=NetworkSettings(
                {party["device"]: NetworkEndpoint(ip_address=party["ip"])}
            ),
            host_config=HostConfig(network_mode=party["device"]),
        )
        for number, party in enumerate(parties)
    }


def _evidence(host: Any, listed: dict[str, Container]) -> PathEvidence:
    ways_out = uplinks.uplinks(host)
    links = interfaces.interfaces(host)
    firewall = packet_filter.firewall(host, ways_out)
    assert not isinstance(ways_out, Unavailable), ways_out
    assert not isinstance(links, Unavailable), links
    assert not isinstance(firewall, Unavailable), firewall
    stack = host_stack.host_stack(host, firewall, links, Unavailable("missing"))
    assert not isinstance(stack, Unavailable), stack
    bridges = dict.fromkeys(name for container in listed.values() for name in container.endpoints)
    return PathEvidence(
        Containers(tuple(listed.values())),
        Networks(tuple(_network(bridge) for bridge in bridges)),
        stack,
        links,
        ways_out,
        Namespaces({container.id: _inside(container) for container in listed.values()}),
        Listeners(tuple(_served("0.0.0.0"))),
    )


def _network(bridge: str) -> Network:
    """Its masquerading is left to the rules: the providers know a way back to each container."""
    options = {"com.docker.network.bridge.name": bridge, MASQUERADES: "false"}
    return Network(bridge * 8, bridge, "bridge", options=options)


def _inside(container: Container) -> ContainerNetns:
    (endpoint,) = container.endpoints.values()
    gateway = endpoint.ip_address.rpartition(".")[0] + ".1"
    sockets = [
        *(Socket("tcp", "0.0.0.0", port) for port in TCP_PORTS),
        *(Socket("udp", endpoint.ip_address, port) for port in UDP_PORTS),
    ]
    return ContainerNetns(
        container,
        1,
        (Interface(2, "eth0", up=True),),
        (Address(2, endpoint.ip_address, 16),),
        (Route("0.0.0.0", 0, gateway=gateway, oif=2),),
        tuple(sockets),
    )


def _served(address: str) -> list[Listener]:
    return [
        *(Listener("tcp", address, port, 1, "server") for port in TCP_PORTS),
        *(Listener("udp", address, port, 1, "server") for port in UDP_PORTS),
    ]


def _walked(site: PathEvidence, asked: dict[str, str]) -> dict[str, str]:
    begin = ends.end(asked["begin"], site.containers, site.interfaces)
    wanted = ends.target(asked["target"])
    end = ends.end(wanted.end, site.containers, site.interfaces, begin.container)
    path = hops.path(site, begin, wanted, end)
    said = "; ".join(f"{hop.place}: {hop.text}" for hop in path.hops)
    leaves = path.hops[-1].place if path.hops and path.hops[-1].kind == "uplink" else ""
    return {"state": path.state, "leaves": leaves, "said": said}


# -- around it ----------------------------------------


def _question(attempt: Attempt, uplink: str) -> dict[str, str] | None:
    """The words for `diagnose path`; None for what it is not made for.

    It walks IPv4, and from beyond the host it enters by the first uplink, to the host's addresses.
    """
    client = attempt.client
    if attempt.family != "ip":
        return None
    if client.port or client.name == "host":
        begin = client.name
    elif client.device == uplink and attempt.dst not in _inner(attempt):
        begin = client.addresses["ip"]
    else:
        return None
    return {"begin": begin, "target": f"{attempt.dst}:{attempt.dport}/{attempt.proto}"}


def _inner(attempt: Attempt) -> set[str]:
    return {attempt.dst} if attempt.dst.startswith(("172.", "10.")) else set()


def _is_container(party: Party) -> bool:
    return bool(party.port)


def run(seed: int, hosts: int) -> PathTally:
    """Generate hosts, send packets, compare."""
    site = Site()
    tally = PathTally()
    command = [sys.executable, "-m", "tests.lab.agreement.paths", "--predict"]
    predictor = subprocess.Popen(
        ["nsenter", f"--net={site.host.path}", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        pass_fds=(site.host.fd,),
    )
    assert predictor.stdin
    assert predictor.stdout
    parties = [
        {"name": party.name, "device": party.device, "ip": party.addresses["ip"]}
        for party in site.parties
        if _is_container(party)
    ]
    predictor.stdin.write(json.dumps(parties) + "\n")
    try:
        for number in range(hosts):
            rng = random.Random(f"{seed}/{number}")
            script = Generator(rng).script()
            site.host.sh(RESET)
            _apply(site, script)
            drawn = [
                (attempt, question)
                for attempt in site.attempts(rng, ATTEMPTS)
                if (question := _question(attempt, "eth0")) is not None
            ]
            predictor.stdin.write(json.dumps([question for _, question in drawn]) + "\n")
            predictor.stdin.flush()
            paths = json.loads(predictor.stdout.readline())
            pairs = list(zip([attempt for attempt, _ in drawn], paths, strict=True))
            _send(site, pairs)
            _count(tally, site, number, pairs)
    finally:
        predictor.stdin.close()
        predictor.wait(10)
    return tally


def _send(site: Site, pairs: list[tuple[Attempt, dict[str, str]]]) -> None:
    site.host.sh("conntrack -F 2>/dev/null || true")
    site.try_all([attempt for attempt, _ in pairs])
    for wait_s in PATIENT_S:
        silent = [
            attempt
            for attempt, path in pairs
            if path["state"] == "ok" and not attempt.through and not attempt.error
        ]
        if silent:
            site.host.sh("conntrack -F 2>/dev/null || true")
            site.try_all(silent, wait_s)


def _count(
    tally: PathTally, site: Site, number: int, pairs: list[tuple[Attempt, dict[str, str]]]
) -> None:
    devices = {party.addresses["ip"]: party.device for party in site.parties}
    tally.hosts += 1
    for attempt, path in pairs:
        tally.through += attempt.through
        if path["state"] == "unknown":
            tally.unknown += 1
        elif (path["state"] == "ok") == attempt.through:
            tally.agreed += 1
        elif path["leaves"] and path["leaves"] != devices.get(attempt.dst):
            tally.beyond += 1
        else:
            seen = f"answered by {attempt.by}" if attempt.through else attempt.error or "silence"
            tally.wrong.append(f"host {number}: {attempt}: {seen}; {path['said']}")
            print(tally.wrong[-1], flush=True)


if __name__ == "__main__":
    if "--predict" in sys.argv:
        predict()
    else:
        words = [int(word) for word in sys.argv[1:]]
        chosen_seed = words[0] if words else random.SystemRandom().randrange(1 << 30)
        print(f"seed {chosen_seed}")
        print(run(chosen_seed, words[1] if len(words) > 1 else 40))
