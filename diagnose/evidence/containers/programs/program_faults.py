"""Lines of the kernel about a program in the second in which its container ended.

A trap, a segfault, a refused system call.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.exit_codes import FAULTS
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

SAME_MOMENT_S = 2.0
"""The engine notes an end some moments after the kernel's line; the kernel's clock may differ by a
second."""
_FAULT = LazyPattern(
    r"""
    traps:[ ] (?P<trap>\S{1,64}?) \[ \d+ \][ ] (?:trap[ ])?    # arch/x86/kernel/traps.c
        (?P<what>[a-z ]{1,60}?) [ ]ip:
    | (?P<comm>\S{1,64}?) \[ \d+ \] :?[ ]                          # arch/x86/mm/fault.c
        (?P<fault> segfault[ ]at[ ]\S+ | vsyscall[ ]\S+ | bad[ ]frame )
    | type=1326[ ] (?: (?![ ]pid=) . ){0,200} [ ]pid= \d{1,9}                  # seccomp,
        [ ]comm=\" (?P<audit>[^\"]{1,64}) \"                                # kernel/auditsc.c
        (?: (?![ ]sig=) . ){0,200} [ ]sig= (?P<signal>\d{1,3})
        (?: (?![ ]syscall=) . ){0,99} [ ]syscall= (?P<call>\d+)
    | apparmor=\"DENIED\"[ ]operation=\" (?P<operation>\w{1,40}) \"         # AppArmor
        .{0,200}? profile=\" (?P<profile>[^\"]{1,200}) \"
        .{0,300}? pid= \d{1,9} [ ]comm=\" (?P<armor>[^\"]{1,64}) \"
    | avc:[ ]{1,3} denied[ ]{1,3} \{[ ] (?P<avc>[^}]{1,200}) [ ]\}          # SELinux
        [ ]for[ ]{1,3} pid= \d{1,9} [ ]comm=\" (?P<selinux>[^\"]{1,64}) \"
    """,
    re.VERBOSE,
)
"""arch/x86/kernel/traps.c, arch/x86/mm/fault.c, kernel/auditsc.c (type 1326 is seccomp), AppArmor,
SELinux."""


_NAMES = ("trap", "comm", "audit", "armor", "selinux")
"""The groups of which one has the program's name."""
_SIGNS = (
    "traps: ",
    "segfault at ",
    "vsyscall ",
    "type=1326",
    'apparmor="DENIED"',
    "avc:  denied",
    "avc: denied",
)
_WRAPPERS = vocabulary(
    "sh bash ash dash zsh env tini dumb-init docker-init gosu su-exec setpriv s6-svscan init"
)
"""Programs that become or start another one."""


class ProgramFault(msgspec.Struct, frozen=True):
    """A line of the kernel about a program."""

    at: float
    """Unix time."""
    comm: str
    what: str
    """The event."""
    text: str

    @property
    def is_invalid_opcode(self) -> bool:
        return "invalid opcode" in self.what


class ProgramFaults(ByContainer[ProgramFault], frozen=True):
    """The kernel's line about the program of a container, at the moment of its own end."""


def faults_in(records: KernelLog) -> Iterator[ProgramFault]:
    """The lines of the kernel log about faults of programs."""
    for record, match in records.matching(_FAULT, _SIGNS):
        yield _fault(record, match)


def _fault(record: Record, match: re.Match[str]) -> ProgramFault:
    """The fault that a line of the kernel reports."""
    comm = next(match[name] for name in _NAMES if match[name])
    return ProgramFault(record.at, comm, _event_text(match), record.text.strip())


def _event_text(match: re.Match[str]) -> str:
    if match["call"]:
        return f"seccomp refused system call {match['call']}"
    if match["operation"]:
        return f"AppArmor profile {match['profile']} denied {match['operation']}"
    if match["avc"]:
        return f"SELinux denied {match['avc'].strip()}"
    return match["what"] or match["fault"]


@evidence
def program_faults(containers: Containers, kernel_log: KernelLog) -> ProgramFaults:
    """The faults that the kernel wrote in the moment in which a container ended.

    A line belongs to a container if it names its program. Behind a shell or a start script that
    name is not known: there the line counts if no other container ended then.
    """
    ended = [
        container
        for container in containers
        if container.finished_at and container.state.exit_code - 128 in FAULTS
    ]
    if not ended:
        return ProgramFaults({})
    faults_of: dict[str, ProgramFault] = {}
    for fault in faults_in(kernel_log):
        container = _owner(fault, ended)
        if container is not None:
            faults_of[container.id] = fault
    return ProgramFaults(faults_of)


def _owner(fault: ProgramFault, ended: Sequence[Container]) -> Container | None:
    """The container that the fault ended, if only one of these can be meant."""
    neighbours = [
        container
        for container in ended
        if abs((container.finished_at or 0.0) - fault.at) <= SAME_MOMENT_S
    ]
    with_program = [container for container in neighbours if fault.comm in container.process_names]
    if len(with_program) == 1:
        return with_program[0]
    if not with_program and len(neighbours) == 1 and _is_wrapped(neighbours[0]):
        return neighbours[0]
    return None


def _is_wrapped(container: Container) -> bool:
    """Whether a container's command does not say which program it ends up with."""
    first = container.program
    return first in _WRAPPERS or first.endswith(".sh") or "entrypoint" in first
