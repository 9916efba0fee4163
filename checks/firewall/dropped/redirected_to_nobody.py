"""Connections that a transparent proxy should take, and that nobody takes."""

from collections import defaultdict
from collections.abc import Sequence

from checks.firewall.helpers import with_bridges
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.addresses import with_port
from diagnose.evidence.network.paths.outgoing.captured_paths import CapturedPath, CapturedPaths
from diagnose.evidence.network.paths.outgoing.inner_captures import InnerCapture, InnerCaptures
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.rule_programs import place_of, program_of
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped, Unexamined
from diagnose.model.subjects import HOST
from diagnose.phrases import joined, named
from diagnose.registry import check


@check(
    "firewall.redirected-to-nobody",
    severity=Severity.critical,
    causes=["dns.upstream-unreachable", "network.calls-failing", "container.errors-in-log"],
)
def redirected_to_nobody(
    captured_paths: CapturedPaths, inner_captures: InnerCaptures | None
) -> CheckResult:
    """A rule redirects containers' connections to a port where nothing listens.

    Transparent proxies and DNS redirects write such rules. They stay when the program ends, or the
    program listens only on 127.0.0.1, where no packet of a container arrives. A container may write
    such a rule in its own network namespace, as VPN clients do: that is advice where no log says
    that the calls to this port fail.
    """
    if inner_captures is not None:
        yield from inner_captures.unread
        for capture in inner_captures:
            yield _inner_finding(capture)
    has_inner = inner_captures is not None and (inner_captures.walked or inner_captures.unread)
    if captured_paths.why_none and not has_inner:
        return Skipped(captured_paths.why_none)
    if not captured_paths.walked and not has_inner:
        return Skipped("no running container is on a bridge network that leads out")
    paths_by_step: dict[tuple[Step, int], list[CapturedPath]] = defaultdict(list)
    for path in captured_paths:
        if not path.is_known:
            yield Unexamined(path.network.subject, "the listening sockets could not be listed")
        elif path.taker is None:
            paths_by_step[path.by, path.host_port].append(path)
    for (step, port), paths in paths_by_step.items():
        yield _finding(step, port, paths)


def _finding(step: Step, port: int, paths: Sequence[CapturedPath]) -> Finding:
    first = paths[0]
    members = {member.id: member for path in paths for member in path.members}
    networks = {path.network.name: path.network for path in paths}
    names = sorted(names_of(members.values()))
    ports = sorted({f"{path.protocol} {path.port}" for path in paths})
    target_clause = "where nothing listens"
    evidence: dict[str, Json] = {**step.evidence}
    if first.elsewhere is not None:
        target_clause = f"where a program listens only at {first.elsewhere.address}"
        evidence["listener"] = f"{first.elsewhere.address}:{port}, {first.elsewhere.holder}"
    evidence["containers"] = names
    return Finding(
        subject=HOST,
        summary=(
            f"connections of {named('container', names)} to the outside ({joined(ports)}) "
            f"are redirected to port {port} of this host, {target_clause}: {step}"
        ),
        evidence=evidence,
        variables=_cure(step, first),
        discriminator=f"{step.key} {port}",
        touches=with_bridges(networks.values()) + subjects_of(members.values()),
        signs=NO_WAY_OUT | ({"dns"} if any(path.port == 53 for path in paths) else set()),
    )


def _inner_finding(capture: InnerCapture) -> Finding:
    """A finding about a container's own rule, which redirects its calls and those of containers
    that share its network."""
    owner = capture.owner
    step = capture.by
    names = names_of(capture.members)
    lines = {failure.container.name: failure.line for failure in capture.failures}
    place = with_port(capture.address, capture.inner_port)
    kind = f"{capture.protocol} {capture.port}"
    return Finding(
        subject=owner.subject,
        summary=(
            f"connections of {named('container', names)} to port {capture.port} of any machine "
            f"({kind}) are redirected to {place} inside {owner}, where nothing listens: {step}"
        ),
        evidence=present({**step.evidence, "calls that fail": lines}),
        variables={
            "inside": owner.name,
            **{f"inner_{key}": value for key, value in place_of(step).items()},
            "proto": capture.protocol,
            "port": str(capture.port),
        },
        service=owner.service,
        discriminator=f"in {step.key} {kind}",
        severity=None if capture.failures else Severity.advice,
        touches=subjects_of(capture.members),
        signs=NO_WAY_OUT | {"refused"} | ({"dns"} if capture.port == 53 else set()),
        recheck=owner.caller_runs,
    )


def _cure(step: Step, path: CapturedPath) -> PageVariables:
    """The page variables that disarm the redirect: its own chain where nobody listens at all, else
    for one bridge.

    A chain of the kernel's is not changed: the engine's rules are behind it.
    """
    program = program_of(step)
    bridge = path.network.bridge
    is_own_chain = program != "nft" and step.chain not in ("PREROUTING", "OUTPUT")
    if is_own_chain and path.elsewhere is None:
        return {"program": program, "chain": step.chain, "own_chain": step.chain}
    if program == "nft":
        return {"bridge": bridge, **place_of(step)}
    return {"bridge": bridge, "program": program, "chain": step.chain}
