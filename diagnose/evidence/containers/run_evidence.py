"""Evidence of a failed run: its log, its settings, and the containers that did not answer it."""

from collections.abc import Iterable

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import NO_LINES, LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.options.seccomp import is_unfiltered
from diagnose.evidence.containers.programs.program_faults import ProgramFaults
from diagnose.evidence.containers.settings.named.named_settings import NamedSetting
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import Json, Unavailable
from diagnose.phrases import duration
from diagnose.programs.failures import Recognised
from diagnose.programs.telling_line import TellingLine

LINE = "log"
AROUND = "log, around it"
UNFILTERED = {"seccomp": "off for this container: it refuses no system call"}
"""The evidence where a log seems to blame a filter, and none is in force."""
_SYSCALL_REFUSED = "container.syscall-refused"


def tail_of(log_tails: LogTails | Unavailable | None, container: Container) -> LogTail:
    """The last log lines of a container; none where logs could not be read."""
    return log_tails.of(container) if isinstance(log_tails, LogTails) else NO_LINES


def failed_start_evidence(container: Container) -> dict[str, Json]:
    """The state and the error of a failed start."""
    return {"State": str(container.state), "State.Error": container.state.error}


def log_evidence(
    tail: LogTail, *, is_refuted: bool = False, is_known: bool = False
) -> dict[str, object]:
    """The line that explains the failure, whole, with its meaning where that is known.

    Empty where nothing was printed. is_refuted: the host shows that the line does not mean that.
    is_known: the host shows the cure, which a general cure would hide.
    """
    if tail.telling is None:
        return {}
    evidence: dict[str, object] = {LINE: _proof(tail.telling, tail.failure), **written_to(tail)}
    if tail.failure is not None and not is_refuted:
        evidence["this means"] = tail.failure.cause
        if not is_known:
            evidence["what fixes it"] = tail.failure.cure
    if len(tail.telling.neighbours) > 1:
        evidence[AROUND] = list(tail.telling.neighbours)
    return evidence


def _proof(telling: TellingLine, failure: Recognised | None) -> str:
    """The line that proves the cause: the one that complains most, unless another one names it."""
    if failure is None:
        return telling.whole
    names_cause = telling.explains and failure.line in telling.whole
    return telling.whole if names_cause else failure.line


def written_to(tail: LogTail) -> dict[str, str]:
    """The program's own log file that a tail is of; nothing where it is the container's log."""
    return present({"written to": tail.path})


def blames_no_filter(container: Container, tail: LogTail, info: Info | None) -> bool:
    """Whether the log seems to blame a seccomp filter, and none is in force."""
    failure = tail.failure
    blames_filter = failure is not None and failure.confirmed_by == _SYSCALL_REFUSED
    return blames_filter and is_unfiltered(container, info)


def meaning(tail: LogTail) -> str:
    """The meaning of the telling line, as a clause; "" if not known.

    "" too where a check compares the line with the host, and where only its kind is known: the
    cause may be another one then.
    """
    failure = tail.known_failure
    return failure.cause if failure is not None and not failure.confirmed_by else ""


def setting_evidence(setting: NamedSetting | None) -> dict[str, object]:
    """The place of that setting, as evidence."""
    return {"where that is set": setting.text} if setting is not None else {}


def kernel_evidence(program_faults: ProgramFaults | None, container: Container) -> dict[str, str]:
    """The kernel's line about the program in the second in which the container ended."""
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
    if not container.compose_project:
        return {}
    waiting = [other.name for other in containers.waiting_for(container)]
    return present({"wait for it, never started": waiting})


def took(seconds: float | None) -> str:
    """The length of a run in words: less than 0.1 s, 0.3 s, 40 s, 3 h."""
    if seconds is None:
        return "an unknown time"
    if seconds < 0.05:
        return "less than 0.1 s"
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
