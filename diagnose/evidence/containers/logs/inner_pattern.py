"""The type of a failure of a program that fails while its container runs."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern


class Pattern(msgspec.Struct, frozen=True):
    """A failure of a program inside a running container, and the lines that show it."""

    name: str
    commands: frozenset[str]
    """Names of processes, of which the container has one."""
    failed: LazyPattern
    """The line; its group `program` names what failed, and a group `detail` how."""
    over: str
    """A later line after the recovery, with `{program}` for its name. A reload of HAProxy checks
    all servers again."""
    cause: str
    """A sentence behind the container's name, with `{program}` and `{detail}`."""
    explanation: str = ""
    """Why that is so, as far as the pattern tells, with the same places; "" where it does not."""
    noise: LazyPattern = LazyPattern(r"(?!)")
    """Lines of the keeper itself, which do not explain the failure."""
    lasts: bool = False
    """Whether it lasts until a restart, so that a line of any age counts."""
    is_of_address: bool = False
    """Whether `program` is an address: only those of private networks count, and one stands for
    all."""
    why: LazyPattern = LazyPattern(r"(?!)")
    """A line above, which explains the failure although its program calls it information."""
    known_as: LazyPattern = LazyPattern(r"(?!)")
    """A name (`name`) in other lines by which the program's partners know it. Each match is one."""
    recurs: bool = False
    """Whether a keeper starts the program again each time: it counts while that goes on."""
    round_ends: LazyPattern = LazyPattern(r"(?!)")
    """The line at the end of each round of the program's work. A failure that does not occur in a
    whole round is over."""
    is_job: bool = False
    """Whether the program starts jobs at their times, and the failure is that of one job."""
    data: tuple[str, ...] = ()
    """The folder of a server's files, in images that run other programs beside it. The pattern is
    then about a container with a mount there and without such a process: the server has ended, and
    the others continue."""

    def is_about(self, container: Container, commands: set[str]) -> bool:
        """Whether the log of a container with these processes may show this failure."""
        runs = bool(self.commands & commands)
        if not self.data:
            return runs
        places = [mount.destination for mount in container.mounts]
        return not runs and any(is_within(place, data) for place in places for data in self.data)

    @property
    def is_of_each_program(self) -> bool:
        """Whether each program that fails is a failure of its own."""
        names_program = "{program}" in f"{self.cause} {self.explanation}"
        return names_program and not self.is_of_address
