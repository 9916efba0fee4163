"""What findings about containers share.

The line of the log that explains, peers that do not run, durations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.passing_failures import may_have_passed, passing
from diagnose.evidence.containers.logs.tails import LogTail, LogTails
from diagnose.evidence.containers.peers.unanswered_peers import Calls
from diagnose.evidence.containers.programs.program_faults import ProgramFaults
from diagnose.evidence.containers.service import has_health_check
from diagnose.evidence.containers.settings.named_settings import (
    NamedSetting,
    named_setting,
    setting_in,
    setting_of_key,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import names_of
from diagnose.model import Severity, Unavailable
from diagnose.phrases import duration

LINE = "log"
AROUND = "log, around it"
NAMES_SHOWN = 8


class EndOutcome(NamedTuple):
    """What became of a container, and how bad that is."""

    severity: Severity
    what: str
    """The predicate of a sentence about the container: `exits with code 0`."""


def tail_of(log_tails: LogTails | Unavailable | None, container: Container) -> LogTail:
    """Its last log lines; none where logs could not be read."""
    return log_tails.of(container) if isinstance(log_tails, LogTails) else LogTail(())


def log_evidence(tail: LogTail) -> dict[str, object]:
    """The line that explains the failure, whole, and what it means where that is known.

    Nothing where nothing was printed.
    """
    if tail.telling is None:
        return {}
    evidence: dict[str, object] = {LINE: tail.telling.whole}
    if tail.failure is not None:
        evidence["this means"] = tail.failure.cause
        evidence["what fixes it"] = tail.failure.cure
    if len(tail.telling.neighbours) > 1:
        evidence[AROUND] = list(tail.telling.neighbours)
    return evidence


def setting_of(container: Container, tail: LogTail) -> NamedSetting | None:
    """The setting that heals a known failure, or else the one that its log objects to.

    None where that is not known.
    """
    failure = tail.failure
    if failure is None:
        return named_setting(container, tail.telling)
    healing = setting_in(container, failure.cure)
    by_key = setting_of_key(container, failure.values.get("key", ""))
    return healing or named_setting(container, tail.telling) or by_key


def setting_evidence(setting: NamedSetting | None) -> dict[str, object]:
    """Where that setting is made."""
    return {"where that is set": setting.text} if setting is not None else {}


def setting_variables(
    container: Container, tail: LogTail, setting: NamedSetting | None, *, may_pass: bool
) -> dict[str, str]:
    """The variables of a page about the setting to which the log objects.

    Where it objects to something that stays as it is, and does not say where that is set, the page
    shows all settings of the container. may_pass: another start comes first.
    """
    if may_pass or passing(container, tail):
        changes = ("typed", "unset")
        variables = setting.variables if setting is not None else {}
        return {name: value for name, value in variables.items() if name not in changes}
    unset = tail.failure.page_variables({}).get("unset", "") if tail.failure is not None else ""
    if unset and container.config.sets(unset):
        return {"setting": unset, "unset": unset}
    if setting is not None:
        return setting.variables | _scheme_of_postgres(tail, setting)
    is_known = tail.failure is not None
    objects = is_known or (tail.telling is not None and tail.telling.is_complaint)
    return {"configured": container.name} if objects else {}


def _scheme_of_postgres(tail: LogTail, setting: NamedSetting) -> dict[str, str]:
    """The variable whose address begins with the scheme that SQLAlchemy has given up."""
    failure = tail.failure_named("url-scheme")
    if failure is None or failure.values.get("scheme") != "postgres":
        return {}
    # a program in Go lacks a driver, and knows the scheme
    is_given_up = "sqlalchemy" in failure.line
    return {"postgres_url": setting.variable} if is_given_up and setting.variable else {}


def peers_evidence(
    container: Container, calls: Calls, containers: Containers, tail: LogTail, clock: Clock
) -> dict[str, object]:
    """Who the peer is of which the log complains, and how it is.

    A peer that does not run, or since when it runs and whether it listens. Where the log misses a
    name that no container has, the names that there are.
    """
    evidence: dict[str, object] = dict(not_running(calls.callees, clock))
    for callee in calls.callees:
        if callee.is_running and callee.started_at is not None:
            more = _unserved(callee, calls)
            if calls.is_distrusted:
                more = "; the caller does not trust its certificate"
            since = f"running, started {clock.ago(callee.started_at)}{more}"
            evidence[f"{callee.name}, which it calls"] = since
    if not calls.callees and "dns" in tail.signs:
        others = sorted(names_of(containers.beside(container)))
        evidence["names on its networks"] = others[:NAMES_SHOWN] or "none"
    return evidence


def _unserved(callee: Container, calls: Calls) -> str:
    """What is seen inside a peer that does not listen on the port, as the end of a sentence."""
    if not calls.is_unserved(callee):
        return ""
    address = calls.inner_address(callee)
    if address:
        return f"; it listens on port {calls.port} at {address} only, for itself"
    return f"; nothing in it listens on port {calls.port}"


def first_steps(
    container: Container,
    tail: LogTail,
    setting: NamedSetting | None,
    calls: Calls,
    strays: Collection[str] = (),
) -> dict[str, str]:
    """The variables of a page about a container that has ended: another start where it may help, a
    peer that does not listen, and the setting to which the log objects.

    strays: names that it called and that no container has. No other start finds them.
    """
    may_help = may_have_passed(container, tail, setting) or calls.are_back
    is_worth_a_start = may_help and not strays
    return {
        **({"again": container.name} if is_worth_a_start else {}),
        **calls.variables,
        **setting_variables(container, tail, setting, may_pass=is_worth_a_start),
    }


def kernel_evidence(program_faults: ProgramFaults | None, container: Container) -> dict[str, str]:
    """What the kernel wrote about the program in the second in which the container ended."""
    fault = program_faults.of(container) if program_faults is not None else None
    return {"kernel log": fault.text} if fault else {}


def not_running(callees: Iterable[Container], clock: Clock) -> dict[str, str]:
    """The state of called containers that do not run, as evidence.

    A container that was stopped by hand has no finding of its own.
    """
    return {
        f"{callee.name}, which it calls": _state(callee, clock)
        for callee in callees
        if not callee.is_running
    }


def _state(container: Container, clock: Clock) -> str:
    state = container.state
    if container.finished_at is None:
        return state.status
    return f"{state.status}, exit code {state.exit_code}, {clock.ago(container.finished_at)}"


def held_up(container: Container, containers: Containers) -> dict[str, list[str]]:
    """The containers that were never started because they depend on this one, as evidence.

    Only those of its compose project count.
    """
    project, service = container.compose_project, container.compose_service
    if not project:
        return {}
    waiting = [
        other.name
        for other in containers.never_started
        if other.compose_project == project and service in other.compose_dependencies
    ]
    return {"wait for it, never started": waiting} if waiting else {}


def took(seconds: float | None) -> str:
    """How long a run lasted: less than 0.1 s, 0.3 s, 40 s, 3 h."""
    if seconds is None:
        return "an unknown time"
    if seconds < 0.05:
        return "less than 0.1 s"
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def times(count: int) -> str:
    """Once, twice, 5 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def severity_of_end(container: Container) -> Severity:
    """How bad it is that it does not run: ports or a health check make a service.

    A run in the foreground showed its end to somebody.
    """
    if container.wanted_ports or has_health_check(container):
        return Severity.critical
    return Severity.advice if container.was_watched else Severity.warning
