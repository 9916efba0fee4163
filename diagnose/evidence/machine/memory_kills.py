"""The kernel's kill of dockerd or containerd for memory, in words, and its page variables."""

from diagnose.evidence.machine.kernel_log import OomKill
from diagnose.model import Json, PageVariables
from diagnose.phrases import size

__all__ = ["kill_cure", "kill_evidence", "kill_reason"]


def kill_reason(kill: OomKill) -> str:
    """The reason for the kill: no memory left on the host, or the limit of the control group."""
    if kill.of_host:
        return "the kernel killed it for memory"
    limit = f" of {size(kill.limit)}" if kill.limit else ""
    return (
        f"the control group {kill.limit_of}, in which it ran, has a memory limit{limit}, and the "
        "kernel killed it there"
    )


def kill_evidence(kill: OomKill) -> dict[str, Json]:
    """The kernel's line, shortened."""
    place = f" at the limit of {kill.limit_of}" if kill.limit_of else ""
    return {"kernel log": f"out of memory{place}: killed process {kill.pid} ({kill.task})"}


def kill_cure(kill: OomKill | None) -> PageVariables:
    """The unit or the control group with the limit to raise; empty where the host had no memory."""
    if kill is None or kill.of_host:
        return {}
    return {"capped": kill.unit} if kill.unit else {"capped_group": kill.limit_of}
