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
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.lab.agreement.hosts import (
    Generator,
)
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
    from diagnose.firewall.neighbours import NeighbourPair, between_peers, on_the_way
    from diagnose.firewall.trace import trace, trace_bridged

    here = _here()
    for line in sys.stdin:
        stack = _stack(here())
        if not isinstance(stack, HostStack):
            print(json.dumps({"unavailable": str(stack)}), flush=True)
            continue
        rows = []
        for asked in json.loads(line):
            origin = Origin(asked["device"], asked["src"] or None, asked["port"])
            flow = Flow(origin, asked["dst"], asked["proto"], asked["dport"], asked["family"])
            if asked["out_port"]:
                verdict = trace_bridged(stack.stack, flow, asked["out_port"])
                pair = NeighbourPair(asked["device"], asked["src"], asked["dst"])
                unheard = list(between_peers(stack.stack, pair)) if flow.family == "ip6" else []
            else:
                verdict = trace(stack.stack, flow)
                unheard = list(on_the_way(stack.stack, flow, verdict))
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
            _compare(tally, site, number, script, pairs, report)
    finally:
        predictor.stdin.close()
        predictor.wait(10)
    return tally


def _missed(attempt: Attempt, row: dict[str, Any], site: Site) -> bool:
    """Whether silence met a connection that the walk lets through: on a busy machine it may only
    have come too late."""
    return (
        not attempt.through
        and not attempt.error
        and _expected(row, attempt, site) not in ("", None, "nobody there")
    )


def _apply(site: Site, script: str) -> None:
    if "NEEDS_IPSET" in script:
        script = "\n".join(
            line
            for line in script.splitlines()
            if "ipset" not in line.lower() and "crowd" not in line
        )
    site.host.sh(f"set +e\n{script}", check=False)


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
