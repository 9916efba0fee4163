"""Generated hosts on which real packets are compared with what the walk says of them.

    python -m tests.lab.agreement.packets [SEED [HOSTS]]

A host is a network namespace with two uplinks, each to a provider of its own, and two or three
bridges with containers, in IPv4 and IPv6. Each generated host gets random packet filters (iptables
of both backends and nftables, as Docker and other programs write them and worse), settings and
policy routes; then connections are opened from every party to every other, all at once, and their
fate is compared with `trace`. Everything happens in namespaces that end with the process.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from pyroute2.ipset import IPSet, PortEntry

from tests.lab.agreement.hosts import Generator
from tests.lab.agreement.namespaces import PROJECT
from tests.lab.agreement.site import (
    PATIENT_S,
    RESET,
    TCP_PORTS,
    UDP_PORTS,
    Attempt,
    Disagreement,
    Site,
    Tally,
)


def predict() -> None:
    """A process in the host's namespace: a line of attempts in, a line of predictions out."""
    from diagnose.evidence.network.host_stack import HostStack
    from diagnose.firewall.flow import Flow, Origin
    from diagnose.firewall.neighbours import NeighbourPair, between_peers
    from diagnose.firewall.trace import trace, trace_bridged

    here = _here()
    for line in sys.stdin:
        stack = _stack(here())
        if not isinstance(stack, HostStack):
            print(json.dumps({"unavailable": str(stack)}), flush=True)
            continue
        rows = []
        for asked in json.loads(line):
            uid = None if asked["device"] else os.geteuid()
            origin = Origin(asked["device"], asked["src"] or None, asked["port"], uid)
            flow = Flow(origin, asked["dst"], asked["proto"], asked["dport"], asked["family"])
            if asked["out_port"]:
                verdict = trace_bridged(stack.stack, flow, asked["out_port"])
                pair = NeighbourPair(asked["device"], asked["src"], asked["dst"])
                unheard = list(between_peers(stack.stack, pair)) if flow.family == "ip6" else []
            else:
                verdict = trace(stack.stack, flow)
                unheard = list(_unheard(stack.stack, flow, verdict))
            outcome, by, decided = verdict.outcome, verdict.by, verdict.is_decided
            if outcome == "accept" and unheard:
                # nobody knows whom to send the packets to, as the checks of neighbours say
                by = unheard[0].obstacle.by
                decided = any(message.is_certain for message in unheard)
                outcome = "drop" if decided else "unknown"
            end = verdict.packet
            rows.append({
                "outcome": outcome, "decided": decided, "to": verdict.to, "dst": end.dst if end else None,
                "dport": end.dport if end else None, "by": str(by) if by else "",
                "how": [f"{stage.part} {stage.hook}: {stage.verdict.outcome}, {stage.verdict.by}" for stage in verdict.stages],
            })  # fmt: skip
        print(json.dumps(rows), flush=True)


def _unheard(stack: Any, flow: Any, traced: Any) -> Iterator[Any]:
    """What is lost of neighbour discovery between the host and those that it gets an IPv6
    connection from, and hands it on to.

    The client or its router asks first. For a packet that it forwards the host asks by its link's
    own address (ndisc_solicit), so that the other end has to ask for the host in its turn.
    """
    from diagnose.firewall.neighbours import NeighbourPair, asked_by_host, asked_by_peer

    origin, end = flow.origin, traced.packet.dst if traced.packet else None
    links = [(origin.device, origin.src, "", asked_by_peer)]
    links.append((traced.to or "", end, "fe80::1" if origin.device else "", asked_by_host))
    if origin.device:
        links.append((traced.to or "", end, "", asked_by_peer))
    for device, address, own_net, asked in links:
        own = stack.address_on(device, "ip6", own_net or address) if device and address else None
        if flow.family == "ip6" and own is not None:
            router = stack.routing.look_up(address).gateway
            yield from asked(stack, NeighbourPair(device, own, router or str(address)))


def _here() -> Any:
    """Answers of this namespace, whoever's engine it is."""
    from diagnose.live import Live
    from diagnose.questions import Host

    live = Live()
    live.start_helpers(network=True)
    live.__dict__ |= {"_not_this_machine": None, "_other_network": None}

    class Here:
        def ask(self, question: Any) -> Any:
            return live.ask(question)

        def ask_many(self, questions: Any) -> Any:
            return ((question, self.ask(question)) for question in questions)

    return lambda: Host(Here())


def _stack(here: Any) -> Any:
    from diagnose.evidence.network import host_stack, interfaces, uplinks
    from diagnose.evidence.network.rules import packet_filter
    from diagnose.model import Unavailable

    firewall = packet_filter.firewall(here, uplinks.uplinks(here))
    links = interfaces.interfaces(here)
    if isinstance(firewall, Unavailable) or isinstance(links, Unavailable):
        return firewall
    return host_stack.host_stack(here, firewall, links, Unavailable("missing"))


def _asked(attempt: Attempt, site: Site) -> dict[str, Any]:
    client = attempt.client
    server = next(
        (
            party
            for party in site.parties
            if attempt.dst in party.addresses.values() and party.device
        ),
        None,
    )
    on_one_bridge = server is not None and server.device == client.device and bool(client.port)
    return {
        "device": client.device,
        "src": client.addresses[attempt.family],
        "port": client.port,
        "dst": attempt.dst,
        "proto": attempt.proto,
        "dport": attempt.dport,
        "family": attempt.family,
        "out_port": server.port if on_one_bridge and server else "",
    }


def _expected(row: dict[str, Any], attempt: Attempt, site: Site) -> str | None:
    """Who would answer: a namespace's name, "" for nobody, None where that cannot be told."""
    if row["outcome"] in ("drop", "reject"):
        return ""
    if not row["decided"]:
        return None
    ports = TCP_PORTS if attempt.proto == "tcp" else UDP_PORTS
    if row["dport"] not in ports:
        return ""
    if row["to"] == "":
        return "host"
    candidates = [
        party
        for party in site.parties
        if party.device == row["to"] and row["dst"] in party.addresses.values()
    ]
    return candidates[0].space.name if candidates else "nobody there"


def run(seed: int, hosts: int, attempts: int = 40, report: Callable[[str], None] = print) -> Tally:
    """Generate hosts, send packets, compare."""
    site = Site()
    tally = Tally()
    predictor = subprocess.Popen(
        ["nsenter", f"--net={site.host.path}", sys.executable, "-m", "tests.lab.agreement.packets", "--predict"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, pass_fds=(site.host.fd,),
    )  # fmt: skip
    assert predictor.stdin
    assert predictor.stdout
    try:
        for number in range(hosts):
            rng = random.Random(f"{seed}/{number}")
            script = Generator(rng).script()
            site.host.sh(RESET)
            _apply(site, script)
            chosen = site.attempts(rng, attempts)
            predictor.stdin.write(json.dumps([_asked(attempt, site) for attempt in chosen]) + "\n")
            predictor.stdin.flush()
            rows = json.loads(predictor.stdout.readline())
            if isinstance(rows, dict):
                raise RuntimeError(f"host {number}: {rows}")
            site.host.sh("conntrack -F 2>/dev/null || true")
            site.try_all(chosen)
            pairs = list(zip(chosen, rows, strict=True))
            for wait_s in PATIENT_S:
                silent = [attempt for attempt, row in pairs if _missed(attempt, row, site)]
                if silent:
                    site.host.sh("conntrack -F 2>/dev/null || true")
                    site.try_all(silent, wait_s)
            for attempt, row in pairs:
                if _disagrees(attempt, row, site):
                    _try_alone(site, attempt)
            _compare(tally, site, number, script, pairs, report)
    finally:
        predictor.stdin.close()
        predictor.wait(10)
    return tally


def _disagrees(attempt: Attempt, row: dict[str, Any], site: Site) -> bool:
    expected = _expected(row, attempt, site)
    met = attempt.by if attempt.through else ""
    return expected not in (None, "nobody there", met)


def _try_alone(site: Site, attempt: Attempt) -> None:
    """A connection by itself: others, at the same time, tell the parties who their neighbours
    are, and fill limits."""
    site.forget()
    attempt.through, attempt.by, attempt.error = False, "", ""
    site.try_all([attempt], PATIENT_S[-1])


def _missed(attempt: Attempt, row: dict[str, Any], site: Site) -> bool:
    """Whether silence met a connection that the walk lets through: on a busy machine it may only
    have come too late."""
    return (
        not attempt.through
        and not attempt.error
        and _expected(row, attempt, site) not in ("", None, "nobody there")
    )


def _apply(site: Site, script: str) -> None:
    """Make the host, and let all parties forget whom they knew on their links."""
    _make_sets(site, script)
    site.host.sh(f"set +e\n{script}", check=False)
    site.forget()


def _make_sets(site: Site, script: str) -> None:
    """The sets that lines `#ipset` ask for: Debian's program is not on every machine."""
    asked = [line.split()[1:] for line in script.splitlines() if line.startswith("#ipset ")]
    with site.host.entered(), IPSet() as sets:
        for name in {entry.get_attr("IPSET_ATTR_SETNAME") for entry in sets.list()}:
            sets.destroy(name)
        for verb, name, what, *rest in asked:
            if verb == "create":
                inet = socket.AF_INET6 if rest == ["inet6"] else socket.AF_INET
                kind = what
                sets.create(name, stype=kind, family=inet)
            else:
                sets.add(name, _member(what), family=inet, etype=_ENTRY_TYPES[kind])


_ENTRY_TYPES = {"hash:ip": "ip", "hash:net": "net", "hash:ip,port": "ip,port"}


def _member(text: str) -> object:
    """A member of a set as pyroute2 takes it: `172.18.0.2,tcp:80` has a port."""
    address, _, port = text.partition(",")
    if not port:
        return address
    proto, _, number = port.partition(":")
    return (address, PortEntry(int(number), protocol=socket.getprotobyname(proto)))


def _compare(
    tally: Tally,
    site: Site,
    number: int,
    script: str,
    pairs: list[tuple[Attempt, dict[str, Any]]],
    report: Callable[[str], None],
) -> None:
    tally.hosts += 1
    for attempt, row in pairs:
        expected = _expected(row, attempt, site)
        tally.through += attempt.through
        if expected == "nobody there":
            continue
        if expected is None:
            tally.undecided += 1
            tally.undecided_by[row["by"]] = tally.undecided_by.get(row["by"], 0) + 1
        elif expected == (attempt.by if attempt.through else ""):
            tally.agreed += 1
        else:
            if attempt.through:
                seen = f"answered by {attempt.by}"
            else:
                seen = f"nobody answered ({attempt.error or 'silence'})"
            said = f"{row['outcome']} to {expected or 'nobody'} {row['by']}"
            tally.disagreements.append(Disagreement(number, attempt, said, script))
            report(
                f"host {number}: {attempt}: {seen}; the walk: {said}\n    "
                + "\n    ".join(row["how"])
            )


if __name__ == "__main__":
    if "--predict" in sys.argv:
        predict()
    else:
        chosen_seed = (
            int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 30)
        )
        print(f"seed {chosen_seed}")
        outcome = run(chosen_seed, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
        for cause, count in sorted(outcome.undecided_by.items(), key=lambda pair: -pair[1])[:20]:
            print(f"undecided {count}: {cause}")
        print(outcome)
