"""What the processor can do, where a program in a failed container asks for more."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.containers.program_faults import ProgramFaults
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

CONFIRMED_BY = "container.cpu-unsupported"
BYTES = 8192
"""The first processor's entry, whose flags are some 2 KB."""
_FLAGS = re.compile(r"^(?:flags|Features)\s*:\s*(?P<flags>.*)$", re.MULTILINE)
_MODEL = re.compile(r"^model name\s*:\s*(?P<model>.*)$", re.MULTILINE)


class Processor(msgspec.Struct, frozen=True):
    """model: as the kernel names it.

    flags: the features of /proc/cpuinfo; None where nothing needed them.
    """

    model: str = ""
    flags: frozenset[str] | None = None


@evidence
def processor(
    host: Host, log_tails: LogTails, program_faults: ProgramFaults | None
) -> Processor | Unavailable:
    """The beginning of /proc/cpuinfo, read only where a log or the kernel mentions instructions."""
    named = any(
        failure.failure.confirmed_by == CONFIRMED_BY for failure in log_tails.failures.values()
    )
    trapped = program_faults is not None and any(
        fault.is_invalid_opcode for fault in program_faults.by_id.values()
    )
    if not (named or trapped):
        return Processor()
    answer = host.ask(ReadFile("/proc/cpuinfo", max_bytes=BYTES))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    flags = _FLAGS.search(answer.text)
    model = _MODEL.search(answer.text)
    return Processor(
        model["model"].strip() if model else "",
        frozenset(flags["flags"].split()) if flags else None,
    )
