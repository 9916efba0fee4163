"""The meaning of the last log line of a failed start, where it is known."""

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables, Unavailable
from diagnose.programs.failures import ENGINE_ERRORS, Recognised, recognise

FIXES = "what fixes it"
"""The evidence that holds the cure in words."""
ENGINE = "docker"
"""The unit, for a page whose command starts the engine again."""


def meaning(text: str) -> Recognised | None:
    """The known cause of a failed start, by the line with which the engine gave up."""
    return recognise([text], None, ENGINE_ERRORS) if text else None


def healing(failure: Recognised | None) -> dict[str, str]:
    """The cure of that cause, as evidence."""
    return {FIXES: failure.cure} if failure is not None else {}


class FailedStart(msgspec.Struct, frozen=True):
    """The newest attempt to start an engine that is down."""

    log: DaemonLog
    line: LogLine
    """The one with which it ended."""
    known: Recognised | None
    """The meaning of that line."""

    def is_known_as(self, name: str) -> bool:
        """Whether its last words are those of the known failure of this name."""
        return self.known is not None and self.known.failure.name == name

    @property
    def error(self) -> str:
        """The end of the chain of errors, which names the thing itself."""
        text = self.line.text.removeprefix("failed to start daemon: ")
        return text.removeprefix("Error starting daemon: ")

    @property
    def evidence(self) -> dict[str, str]:
        return self.log.evidence(self.line) | healing(self.known)

    @property
    def variables(self) -> PageVariables:
        return {"log": self.log.name}


def failed_start(
    daemon: Daemon, log: DaemonLog | Unavailable, pattern: LazyPattern
) -> FailedStart | Unavailable | None:
    """The start that failed with a line in which this pattern occurs; or None.

    None for an engine that is not down, or that failed in another way. Without its log the reason
    is not known.
    """
    if not daemon.is_down:
        return None
    if isinstance(log, Unavailable):
        return log
    line = log.last_failure
    if line is None or not pattern.search(line.text):
        return None
    return FailedStart(log, line, meaning(line.text))


def page_variables(failure: Recognised, root: DataRoot | None) -> PageVariables:
    """The page variables that cure the cause."""
    return failure.page_variables({"root": root.path if root is not None else ""})
