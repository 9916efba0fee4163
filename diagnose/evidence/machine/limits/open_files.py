"""Processes of containers that have nearly as many files open as they may."""

from diagnose.evidence.items import ByContainer
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.processes import CountDescriptors, ProcessFiles
from diagnose.registry import evidence

__all__ = ["WORTH_PCT", "OpenFiles", "ProcessFiles", "open_files"]

WORTH_PCT = 80.0
"""From this share of its limit on a process is reported; what it means is for the check to say."""


class OpenFiles(ByContainer[ProcessFiles], frozen=True):
    """The process nearest to its limit of open files, by container id."""


@evidence
def open_files(host: Host) -> OpenFiles | Unavailable:
    """The open files of every process, in one count that only root may take."""
    count = host.require(CountDescriptors(share=WORTH_PCT))
    if count.refusal and not count.processes:
        return Unavailable("forbidden", count.refusal)
    return OpenFiles(
        {process.container: process for process in reversed(count.processes) if process.container}
    )
