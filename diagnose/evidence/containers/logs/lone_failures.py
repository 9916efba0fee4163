"""Whether a running program does nothing but fail, as far as its log shows. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.addresses import is_address, is_loopback
from diagnose.evidence.network.calls.called_places import called_host
from diagnose.evidence.network.calls.failing_calls import where_named
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.log_message import ERROR, INFO, message
from diagnose.programs.stack_traces import is_frame

LEAST = 3
"""Minimum number of repeats of a message that is not a single mishap; a message of many lines
leaves no room for more."""
LEAST_LINES = 5
NEARLY_ALL = 0.9
"""Of the last lines of 40 healthy programs with errors in their logs, no more than two thirds
complain; of 12 programs whose users were down, 11 print nothing else."""
MOST_HOSTS = 2
"""A program that misses more hosts looks for some: a monitor. One has a name and an address."""
MOST_KINDS = 2
"""Maximum number of kinds of failure for a single cause."""
SETTLED_S = 20.0
"""A program that runs for so long has seen its neighbours start."""
PART_INDENT = 2
"""Spaces by which a part of a message stands further to the right than the log's own lines."""

_OF_PROGRAM = LazyPattern(
    r"\.(?!sock$)\w{1,10}$|^/(?:app|conf|config|etc|opt|srv|usr)(?:/(?!localtime$|timezone$)|$)"
)
"""Folders where settings and programs are mounted."""


class Complaints(msgspec.Struct, frozen=True):
    """The complaints in a log: number of lines, hosts that were called, classes of errors."""

    lines: int = 0
    """How many belong to complaints, with the frames of their traces."""
    hosts: frozenset[str] = frozenset()
    """The addresses and names that they say were called."""
    kinds: frozenset[str] = frozenset()
    """Their classes of errors (`diagnose.error_signatures`)."""

    @property
    def are_about_one_thing(self) -> bool:
        return len(self.hosts) <= MOST_HOSTS and len(self.kinds) <= MOST_KINDS


NONE = Complaints()


class ComplaintLine(NamedTuple):
    """A line of a log in which complaints are looked for."""

    text: str
    is_repeated: bool
    """Whether it is one of the lines of the error that is examined."""


def complaints(lines: Sequence[ComplaintLine]) -> Complaints:
    """The complaints in a program's last lines, oldest first.

    A line counts if it is one of the error, has the words of a known class of errors, is a frame,
    or is indented below a line that counts. A level says little: some programs call errors what
    their callers did wrong. A line that its program calls information is not a complaint (`DEBUG
    took 12 ms timeout=30s`).
    """
    parts = parts_of_messages([line.text for line in lines])
    lines_with_errors: list[str] = []
    is_in_complaint = False
    for line, is_part in zip(lines, parts, strict=True):
        is_rest = is_in_complaint and is_part
        is_error = line.is_repeated or is_frame(line.text) or _complains(line.text)
        is_in_complaint = is_rest or is_error
        if is_in_complaint:
            lines_with_errors.append(line.text)
    return Complaints(
        len(lines_with_errors),
        frozenset(map(called_host, lines_with_errors)) - {""},
        signs(*lines_with_errors),
    )


def parts_of_messages(lines: Sequence[str]) -> list[bool]:
    """Whether each line is a part of the message above it: a frame, or indented.

    Programs that indent each line are compared with themselves: Next.js does so by one space,
    Laravel's workers do by two.
    """
    least_indent = min(map(_indent, lines), default=0)
    return [is_frame(line) or _indent(line) >= least_indent + PART_INDENT for line in lines]


def _indent(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip())].expandtabs())


def _complains(line: str) -> bool:
    return bool(signs(line)) and (message(line).level or ERROR) > INFO


def prints_nothing_else(
    container: Container, times: int, complaints: Complaints, of: int, ran_for: float
) -> bool:
    """Whether complaints are nearly all that a program prints, and no health check says it is well.

    times: the number of the complaint in question. complaints: that one and others. of: the number
    of lines that were read. ran_for: seconds since its start.
    """
    is_all = complaints.lines >= LEAST_LINES and complaints.lines >= NEARLY_ALL * of
    return goes_on(container, times, ran_for) and is_all and complaints.are_about_one_thing


def goes_on(container: Container, times: int, ran_for: float) -> bool:
    """Whether a complaint occurs often and not only at the start, without a healthy health check.

    times: the number of occurrences. ran_for: seconds since the program's start.
    """
    return times >= LEAST and ran_for >= SETTLED_S and not container.is_healthy


def is_worker(container: Container) -> bool:
    """Whether a program offers no port: nobody can ask it for anything but its work.

    On the network of the host or of another container it may serve an undeclared port.
    """
    return not container.offered_ports and not container.shares_network


def is_its_work(container: Container, complaints: Complaints) -> bool:
    """Whether a worker exists for the thing that it misses, as far as that is known.

    A program that cannot reach a server names the target of its call: a near name, or one in its
    variables or its command, or perhaps in a file of the host. A foreign site or machine is often
    one of many: a feed, a peer, a watched device, an address that counts the users.
    """
    if not is_worker(container) or container.watches_others:
        return False
    is_answered = not (complaints.kinds and complaints.kinds <= CALL_FAILED)
    is_known = any(is_near(host) or where_named(host, container) for host in complaints.hosts)
    return is_answered or is_known or _has_files_of_the_host(container)


def _has_files_of_the_host(container: Container) -> bool:
    """Whether settings or scripts are mounted into it, which may name the targets of its calls."""
    return any(_OF_PROGRAM.search(mount.destination) for mount in container.bind_mounts)


def is_near(host: str) -> bool:
    """Whether a host has a name of one word, as containers have, or is the caller itself."""
    return is_loopback(host) if is_address(host) else "." not in host
