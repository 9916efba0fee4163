"""container.errors-in-log: a running container repeats an error that no other check knows."""

from msgspec.structs import replace

from checks.container.causes import PEER_CAUSES
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.quoted_errors import is_copy
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.single_errors import SingleErrors
from diagnose.evidence.containers.mounts.linked_files import LinkedFiles
from diagnose.evidence.containers.mounts.neighbours_files import NeighboursFiles
from diagnose.evidence.containers.peers.called_peers import called_peers
from diagnose.evidence.containers.peers.unknown_names import stray_evidence
from diagnose.evidence.containers.run_evidence import setting_evidence
from diagnose.first_steps.error_case import ErrorCase, ErrorSurroundings
from diagnose.first_steps.error_steps import first_step
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import sentence, shortened, time_of_day
from diagnose.programs.failures import Recognised
from diagnose.registry import check

SHOWN = 160
"""Characters of the line in the finding's sentence."""
_TELLING_LINES = 5
"""So many lines without the error show that a program goes on without it."""
_ONCE = ("printed an error once", "printed an error once")
"""The predicate about programs whose line has not come again."""
_WORKS = ("logs errors while it works", "log errors while they work")
"""The predicate about programs whose repeated line is about one request or one job."""


@check(
    "container.errors-in-log",
    severity=Severity.advice,
    caused_by=(
        *PEER_CAUSES,
        "container.exits-at-start",
        "container.mail-mode-wrong",
        "container.mount-forbidden",
        "container.restart-loop",
        "container.mounted-data-unseen",
        "container.settings-disagree",
        "container.stopped",
        "container.variable-malformed",
        "container.worker-settings-differ",
        "network.https-not-passed-on",
        "network.upgrade-not-passed-on",
    ),
    aloud=("repeats an error in its log", "repeat errors in their logs"),
    observed=True,
)
def errors_in_log(
    repeated_errors: RepeatedErrors,
    surroundings: ErrorSurroundings,
    linked_files: LinkedFiles | None,
    single_errors: SingleErrors | None,
    neighbours_files: NeighboursFiles | None,
) -> CheckResult:
    """A running container repeats an error in its log.

    Its program continues, and nothing else is wrong that this tool can see. Only the program's
    author knows whether its users notice. It is a warning where the line is known to mean that the
    program turns its callers away, waits for a migration of its database, calls a name of its
    settings that no container has, misses a variable that its container has and cron or php-fpm
    does not pass on, lacks a table in a file of SQLite while compose starts a database before it,
    or calls itself by the image's own settings, while a file of the same name is mounted where it
    does not look.

    The last twelve lines of the last five minutes are read, or sixty where the log is busy or a
    stack trace fills them, and the end of each log file that its programs write themselves: what
    they have open, and what lies in its writable layer and its mounts. A line about a stranger on
    the internet who was turned away is not an error, and an error that no longer appears is over.

    Where the program works all the same, and the line is about one request or one item, the report
    stays calm. Where the program prints nothing else, and is a worker or depends on what fails, the
    report does not stay calm if it has no other problem that may explain the line; nor where the
    line is known to mean a fault of its own settings, files, data or build, and no work goes well.
    A line of a known meaning that came once since the start is mentioned, and the report stays
    calm. A line about a file that a neighbour has is left to the finding about that file.
    """
    for error in repeated_errors:
        if is_copy(error, repeated_errors) or _is_about_a_neighbours_file(error, neighbours_files):
            continue
        case = ErrorCase(error, repeated_errors, surroundings)
        finding = _finding(case).with_variables(first_step(case))
        yield finding if linked_files is None else linked_files.out_of(finding)
    for error in single_errors or ():
        yield _single_finding(ErrorCase(error, repeated_errors, surroundings))


def _is_about_a_neighbours_file(error: RepeatedError, files: NeighboursFiles | None) -> bool:
    return files is not None and files.explain(error.container, error.line.whole)


def _single_finding(case: ErrorCase) -> Finding:
    """A finding about an error that a program has printed once, as advice."""
    error = case.error
    meaning = error.failure.cause if error.failure is not None else error.line.text
    return replace(
        _finding(case).with_variables(first_step(case)),
        summary=f"{error.container} printed an error once: {shortened(meaning, SHOWN)}",
        severity=Severity.advice,
        aside=_ONCE,
        does_nothing_else=False,
        is_own_fault=False,
    )


def _finding(case: ErrorCase) -> Finding:
    error = case.error
    authorities = case.authorities
    containers = case.around.containers
    is_warning = case.unpassed is not None or case.turns_callers_away or case.has_no_network
    is_aside = error.is_aside and case.setting is None and case.unpassed is None
    added: dict[str, Json] = {}
    if case.lacks_list:
        added["list of certificate authorities in its image"] = "none"
    elif authorities is not None:
        added["authorities added to this host"] = list(authorities.files[:5])
    finding = Finding.about(
        error.container,
        f"{error.container} {_line_or_meaning(case)}",
        {
            "log": error.line.whole,
            **present({"written to": error.path, "once it said": _lone_line(error)}),
            **_meaning(case),
            **setting_evidence(case.setting),
            "when": sentence(_period(error), _later_lines_clause(error)),
            **(stray_evidence(case.strays, containers) if containers is not None else {}),
            **added,
        },
        severity=Severity.warning if is_warning else Severity.advice,
        recheck=(error.container.run,),
        touches=(case.server.container.subject,) if case.server is not None else (),
        calls=subjects_of(_absent_peers(case)),
        signs=signs(error.line.whole) or None,
        aside=_WORKS if is_aside else None,
    )
    return replace(
        finding,
        does_nothing_else=case.does_nothing_else and not case.nameless.probe,
        is_own_fault=error.is_own_fault,
    )


def _lone_line(error: RepeatedError) -> str:
    """The line that explains the others, which is not repeated; "" where there is none."""
    line = error.failure.line if error.failure is not None else ""
    return "" if line in error.line.whole or line in error.lines else line


def _absent_peers(case: ErrorCase) -> tuple[Container, ...]:
    """The containers that the line names as called, and that do not run."""
    error = case.error
    containers = case.around.containers
    if case.absent is not None or containers is None:
        return (case.absent,) if case.absent is not None else ()
    if case.spoken is not None:
        return (case.spoken.container,)
    called = called_peers((error.line.whole,), error.container, containers, configured=())
    return tuple(peer for peer in called if not peer.is_running)


def _line_or_meaning(case: ErrorCase) -> str:
    """The line, or its meaning where that is clear; and the containers at its addresses."""
    error = case.error
    failure = case.error.failure
    times_clause = _times_clause(error)
    if case.unpassed is not None:
        lacks = f"a program in it does not get the container's variable {case.unpassed.variable}"
        return sentence(f"runs, but {lacks} ({times_clause})", case.unpassed.why)
    if failure is not None and case.unused is not None:
        instead = f"it uses an SQLite file, and none of its settings names {case.unused}"
        return sentence(f"runs, but {instead} ({times_clause})", _cause(case, failure))
    if case.has_no_network:
        without = "it has no network (network mode none), so that its calls go nowhere"
        return sentence(f"runs, but {without} ({times_clause})")
    is_clear = (
        case.turns_callers_away or case.does_nothing_else or case.option or case.nameless.clause
    )
    if failure is not None and is_clear:
        summary = f"runs, but {_cause(case, failure)} ({times_clause})"
        if case.stray_path is not None:
            return sentence(summary, case.stray_path.clause)
    else:
        file_clause = f" in its file {error.path}" if error.path else ""
        summary = (
            f"repeats an error{file_clause} ({times_clause}): {shortened(error.line.text, SHOWN)}"
        )
        if failure is not None and not error.is_aside and not _addressed_peers(case):
            return sentence(summary, f"this means: {_cause(case, failure)}")
    return sentence(summary, *_addressed_peers(case))


def _cause(case: ErrorCase, failure: Recognised) -> str:
    """The cause that the line stands for, with the extension of PHP that is missing."""
    if case.absent is not None:
        return (
            f"the program calls localhost, and {case.absent}, which shares its network, is not "
            "running"
        )
    if case.unset:
        return f"it needs the setting {case.unset}, and no environment variable of that name is set"
    if case.nameless.clause:
        return case.nameless.clause
    extension = case.extension
    return f"its PHP lacks the extension {extension}" if extension else failure.cause


def _addressed_peers(case: ErrorCase) -> list[str]:
    """The containers at the addresses of the line, and other facts about the server that it
    names."""
    others = [f"{address} is {peer}" for address, peer in case.error.peers]
    if case.server is not None:
        place = case.server.place
        server = case.server.container
        others.append(f"{place} is {server}, which publishes that port")
    if case.provider is not None:
        others.append(f"both addresses are {case.provider}")
    remedy = case.remedy
    if case.stray_path is not None:
        others.append(case.stray_path.clause)
    found_beside = (case.refused, case.translated, case.prefixed, case.spoken)
    others += [beside.clause for beside in found_beside if beside is not None]
    if "scripts" in remedy:
        others.append(_scripts_clause(case, remedy))
    if "cut_off" in remedy:
        master = f"a replica of {remedy['master']}, which does not answer"
        others.append(f'container "{remedy["cut_off"]}" is {master}')
    if (unread := case.unread) is not None:
        mounted = f"{unread.mounted}, which is mounted at {unread.folder}"
        others.append(f"it reads the image's own {unread.path_inside}, and not {mounted}")
    return others


def _scripts_clause(case: ErrorCase, remedy: PageVariables) -> str:
    """The clause about php-fpm, which lacks the folder or has it at another place."""
    name, place = remedy["scripts"], remedy["scripts_at"]
    own_mount = case.error.container.mount_at(place)
    peer = next((peer for _, peer in case.error.peers if peer.name == name), None)
    if own_mount is not None and peer is not None:
        elsewhere = [mount for mount in peer.mounts if mount.source == own_mount.source]
        if elsewhere:
            there = elsewhere[0].destination
            return f'container "{name}" has the same folder at {there}, and not at {place}'
    return f'container "{name}" does not have {place}'


def _times_clause(error: RepeatedError) -> str:
    return f"{error.times} of its last {error.of} lines"


def _period(error: RepeatedError) -> str:
    """The period in which these lines were printed; earlier ones may not have been read."""
    first, last = time_of_day(error.first_at), time_of_day(error.last_at)
    return f"at {last} UTC" if first == last else f"from {first} to {last} UTC"


def _later_lines_clause(error: RepeatedError) -> str:
    """How the log goes on without the error, as after a cure; "" where too few lines tell."""
    if error.lines_since < _TELLING_LINES:
        return ""
    return f"none of the {error.lines_since} lines since then repeats it"


def _meaning(case: ErrorCase) -> dict[str, object]:
    """The meaning of the line and its cure, as evidence; empty where the failure is not known."""
    failure = case.error.failure
    if failure is None or case.unpassed is not None:
        return {}
    means = {"this means": _cause(case, failure)}
    if case.floor is not None:
        means[f"the limit in {case.floor.path}"] = case.floor.setting
    if case.nameless.cure:
        return {**means, "what fixes it": case.nameless.cure}
    if case.absent is not None:
        return {**means, f"{case.absent.name} State": str(case.absent.state)}
    if case.unread is not None:
        return {**means, **case.unread.evidence}
    if case.unused is not None:
        cure = f'give it the address of "{case.unused.name}", often in DATABASE_URL, and run its migrations'
        return {**means, "what fixes it": cure}
    return {**means, "what fixes it": case.prefixed.cure if case.prefixed else failure.cure}
