"""Features of the processor, where a program in a failed container needs more."""

import re

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.program_faults import ProgramFaults
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

CONFIRMED_BY = "container.cpu-unsupported"
ONLINE = "/sys/devices/system/cpu/online"
MOST_PROCESSORS = 8192
"""The kernel's largest NR_CPUS."""
BYTES = 8192
"""The first processor's entry, whose flags are some 2 KB."""
_RANGE = LazyPattern(r"(\d+)(?:-(\d+))?")
_FLAGS = LazyPattern(r"^(?:flags|Features)\s*:\s*(?P<flags>.*)$", re.MULTILINE)
_MODEL = LazyPattern(r"^model name\s*:\s*(?P<model>.*)$", re.MULTILINE)


class Processor(msgspec.Struct, frozen=True):
    """The processor of this host."""

    model: str = ""
    """The processor's name as the kernel has it."""
    flags: frozenset[str] | None = None
    """The features of /proc/cpuinfo; None where nothing needed them."""

    @property
    def is_of_a_guest(self) -> bool:
        """Whether a hypervisor presents it: on x86 the kernel says so among the features."""
        return "hypervisor" in (self.flags or ())


@evidence
def processor(
    host: Host, log_tails: LogTails, program_faults: ProgramFaults | None
) -> Processor | Unavailable:
    """The beginning of /proc/cpuinfo, read only where a log or the kernel mentions instructions."""
    is_in_question = any(
        failure.confirmed_by == CONFIRMED_BY for failure in log_tails.failures.values()
    )
    trapped = program_faults is not None and any(
        fault.is_invalid_opcode for fault in program_faults.by_id.values()
    )
    if not (is_in_question or trapped):
        return Processor()
    answer = host.require(ReadFile("/proc/cpuinfo", max_bytes=BYTES))
    flags = _FLAGS.search(answer.text)
    model = _MODEL.search(answer.text)
    return Processor(
        model["model"].strip() if model else "",
        frozenset(flags["flags"].split()) if flags else None,
    )


class OnlineProcessors(msgspec.Struct, frozen=True):
    """The numbers of the host's processors that are online; None where nothing needed them."""

    numbers: frozenset[int] | None = None
    listed: str = ""


@evidence
def online_processors(host: Host, containers: Containers) -> OnlineProcessors | Unavailable:
    """The processors online, read only where a stopped container is bound to processors."""
    bound = (
        container
        for container in containers
        if container.host_config.cpuset_cpus and not container.is_running
    )
    if not any(bound):
        return OnlineProcessors()
    answer = host.require(ReadFile(ONLINE))
    return OnlineProcessors(processor_numbers(answer.text), answer.text.strip())


def processor_numbers(text: str) -> frozenset[int]:
    """The numbers of a list such as "0-3,8" (cpuset(7))."""
    numbers: set[int] = set()
    for first, last in _RANGE.findall(text):
        numbers |= {*range(int(first), min(int(last or first), MOST_PROCESSORS) + 1)}
    return frozenset(numbers)
