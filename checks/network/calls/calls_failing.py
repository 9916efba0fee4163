"""network.calls-failing: a container says that its calls fail."""

from msgspec.structs import replace

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.lone_failures import is_its_work, prints_nothing_else
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.dns.names.moved_names import MovedName, MovedNames
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.absent_machine import HostLinks, absent_machine
from diagnose.evidence.network.addresses import is_address, is_itself
from diagnose.evidence.network.calls.failing_calls import where_named
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.evidence.network.calls.unanswered_call import UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.first_steps.network.lacks_of_callers import (
    Lack,
    blocked_mail,
    call_variables,
    is_ipv4,
    lack_of_machine,
    lack_of_moved_name,
    led_away,
    what_it_lacks,
)
from diagnose.mappings import by_key, present, subjects_of
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check

SHOWN = 160
"""Characters of a line in the finding's sentence."""
_WORDS = {
    "dns": "cannot resolve the name",
    "refused": "is refused by",
    "unreachable": "has no route to",
    "timeout": "gets no answer from",
}
"""The kind of a failed call, as words before the name of the place."""
_RESTARTED_S = 120.0
"""A container that was restarted within this time fails as a whole, and its last lines belong to
that."""


@check(
    "network.calls-failing",
    severity=Severity.advice,
    caused_by=[
        "container.crashed",
        "container.exits-at-start",
        "container.paused",
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.start-refused",
    ],
    causes=["container.errors-in-log"],
    aloud=("has calls that fail", "have calls that fail"),
    observed=True,
)
def calls_failing(
    logged_failures: LoggedFailures,
    unanswered_calls: UnansweredCalls | None,
    repeated_errors: RepeatedErrors | None,
    resolvers: Resolvers | None,
    host_links: HostLinks,
    moved_names: MovedNames | None,
    clock: Clock,
) -> CheckResult:
    """A container says again and again that its calls fail.

    Its last lines name a connection that is refused, leads nowhere, or gets no answer, or a name
    that does not resolve, three times at least, and the next such line is not overdue. This is a
    symptom, which a report says where it knows nothing worse about the container.

    A container that was started within three minutes may yet begin to listen. A program that misses
    many places is left out: it looks for some. A program that was restarted a moment ago is left
    out too. Where this check knows nothing that the caller lacks, it leaves out an error that is a
    known failure, and a line without a place that container.errors-in-log already quotes.

    Where the container that is called does not run, what ended it is the cause.

    It is a warning where the container has no network or no DNS server, and so cannot call what it
    wants, where mail servers of the internet do not answer at port 25 and none takes a message
    there, and where a route of the host leads to another program's net, in which nobody has the
    address. The same holds where DNS has another address for the name in the line than the one that
    was called. Where the program prints nothing else, and is a worker or its container is given the
    address, it is a warning unless the report has another problem that may explain it.
    """
    errors = {error.container.id: error for error in repeated_errors or ()}
    waiting = by_key((call.container.id, call) for call in unanswered_calls or ())
    for failure in logged_failures:
        if _is_restarted(failure.container, clock):
            continue
        moved = moved_names.of(failure) if moved_names is not None else None
        called = moved.address if moved is not None else failure.host
        calls = waiting.get(failure.container.id, ())
        if any(_is_same_call(failure, called, call) for call in calls):
            continue
        lack = _lack(failure, moved, resolvers, host_links)
        if lack is not None or not _is_quoted(failure, errors.get(failure.container.id)):
            yield _finding(failure, lack, clock)
    yield from logged_failures.unread


def _lack(
    failure: LoggedFailure,
    moved: MovedName | None,
    resolvers: Resolvers | None,
    host_links: HostLinks,
) -> Lack | None:
    """The first thing that a caller lacks; None where nothing is known to be wrong."""
    machine = absent_machine(failure.host, host_links) if is_ipv4(failure.host) else None
    return (
        what_it_lacks(failure, resolvers)
        or led_away(machine)
        or lack_of_moved_name(moved)
        or blocked_mail(failure)
        or lack_of_machine(failure, host_links.neighbours)
    )


def _is_same_call(failure: LoggedFailure, called: str, call: UnansweredCall) -> bool:
    """Whether a call that waits for its answer is the one of the lines, by address or by name.

    Then network.call-unanswered says it. A line with a name is about the port of the call alone.
    """
    if called in (call.address, *call.further):
        return True
    if failure.kind != "timeout" or is_address(called):
        return False
    if failure.peer is not None and call.peer is not None:
        return failure.peer.id == call.peer.id
    return failure.port in (0, call.port)


def _is_restarted(container: Container, clock: Clock) -> bool:
    return container.restart_count > 0 and not clock.has_passed(container.started_at, _RESTARTED_S)


def _is_quoted(failure: LoggedFailure, error: RepeatedError | None) -> bool:
    """Whether container.errors-in-log reports the line, and this check would add no place."""
    if error is None:
        return False
    return error.failure is not None or (not failure.host and failure.line in error.lines)


def _finding(failure: LoggedFailure, lack: Lack | None, clock: Clock) -> Finding:
    container = failure.container
    peer = failure.peer
    times_clause = f"{failure.times} of its last {count(failure.of, 'line')} say so"
    place = _place(failure, peer)
    reason = lack.what if lack is not None else _failure_clause(failure, peer)
    if place:
        text = sentence(f"{container} {_WORDS[failure.kind]} {place} ({times_clause})", reason)
    else:
        text = f"{container} says that its calls fail ({times_clause}): {shortened(failure.line, SHOWN)}"
    finding = Finding.about(
        container,
        text,
        present(
            {
                "log": failure.line,
                "times in its last lines": failure.times,
                "first of these lines": clock.ago(failure.first),
            }
        ),
        discriminator=f"{failure.kind} {failure.place}",
        severity=Severity.warning if lack is not None and lack.is_sure else None,
        calls=subjects_of(failure.called),
        signs=frozenset({failure.kind}) | signs(failure.line),
        recheck=container.caller_runs,
    )
    cure = lack.cure if lack is not None else call_variables(failure)
    return replace(finding, does_nothing_else=_does_nothing_else(failure, clock)).with_variables(
        cure
    )


def _does_nothing_else(failure: LoggedFailure, clock: Clock) -> bool:
    """Whether the program prints that its calls fail, and either has no other work or
    needs them."""
    container = failure.container
    ran_for = clock.age(container.started_at) or 0.0
    is_needed = failure.peer is not None or bool(where_named(failure.host, container))
    is_all = prints_nothing_else(container, failure.times, failure.complaints, failure.of, ran_for)
    return is_all and (is_needed or is_its_work(container, failure.complaints))


def _place(failure: LoggedFailure, peer: Container | None) -> str:
    if not failure.host:
        return ""
    if failure.kind == "dns":
        return f'"{failure.host}"'
    if is_itself(failure.host):
        return f"its own address {failure.place}"
    return f"{peer} ({failure.place})" if peer is not None else failure.place


def _failure_clause(failure: LoggedFailure, peer: Container | None) -> str:
    place = where_named(failure.host, failure.container) if is_address(failure.host) else ""
    if place and not is_itself(failure.host):
        return f"that address is in {place}"
    if failure.kind != "refused" or peer is not None or is_itself(failure.host):
        return ""
    return "the machine answers, and no program takes connections there from this host"
