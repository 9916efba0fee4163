"""Programs that end by a fault of their own without a line in the log."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.model import PageVariables, Unavailable
from diagnose.programs.exit_codes import is_fault


def silent_fault_clause(container: Container, log_tails: LogTails | Unavailable | None) -> str:
    """The clause about a fault of which its log says nothing; "" for another end."""
    if not _is_silent_fault(container, log_tails):
        return ""
    return (
        "it logs nothing: the program or a library of its image is at fault, or the image is built "
        "for another processor"
    )


def silent_fault_steps(
    container: Container, log_tails: LogTails | Unavailable | None
) -> PageVariables:
    """The image of which another release is worth a try."""
    is_silent = _is_silent_fault(container, log_tails)
    return {"silent_image": container.config.image} if is_silent else {}


def _is_silent_fault(container: Container, log_tails: LogTails | Unavailable | None) -> bool:
    """Whether a program failed and printed nothing. Only a log that was read can be said to hold
    nothing."""
    if not isinstance(log_tails, LogTails) or container.id not in log_tails.by_id:
        return False
    return is_fault(container.state.exit_code) and not log_tails.of(container).lines
