"""A program that called its neighbours before they served, and did not call them again."""

from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import NO_LINES
from diagnose.evidence.containers.peers.peer_evidence import peer_evidence
from diagnose.evidence.containers.peers.unanswered_peers import Calls, called_too_early
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import names_of
from diagnose.model import Finding, Severity
from diagnose.phrases import named, sentence

_OF_THE_PROBE = ("restarted", "shown", "traced")
"""Variables of steps that look for a reason, or that start the program once more."""
_MEANINGS = ("this means", "what fixes it")
"""What a refused call means in general, which the state of the peer replaces."""


def with_early_calls(
    finding: Finding, container: Container, calls: Calls, containers: Containers, clock: Clock
) -> Finding:
    """The finding about a failing probe, with the neighbours that the program called too early.

    Unchanged where there is none, or where the probe itself is at fault: it cannot run (a
    warning), or there is a better one.
    """
    early = calls.early_for(container)
    further = finding.variables.keys() - container.page_variables.keys()
    has_better_probe = bool(further) and further.isdisjoint(_OF_THE_PROBE)
    is_of_probe = finding.severity == Severity.warning or has_better_probe
    if not early or is_of_probe:
        return finding
    evidence = {name: value for name, value in finding.evidence.items() if name not in _MEANINGS}
    return replace(
        finding,
        summary=sentence(finding.summary, called_too_early(early)),
        evidence={**evidence, **peer_evidence(container, calls, containers, NO_LINES, clock)},
        variables={
            **container.page_variables,
            "early": container.name,
            "awaited": named("container", names_of(early)),
        },
    )
