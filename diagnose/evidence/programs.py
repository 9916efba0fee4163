"""What lies at the path of a program that the kernel refused to run: its first bytes say why."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.containers import Containers
from diagnose.evidence.last_words import LastWords
from diagnose.host import Host, question
from diagnose.model import Failed, Unexamined
from diagnose.registry import evidence

REFUSED = re.compile(
    r"exec (?P<path>/\S+): (?P<why>exec format error|no such file or directory)"
    r"|exec user process caused[: \"]+(?P<legacy>exec format error|no such file or directory)"
)
"""What runc writes to the container's log in its last step before the program (the second form until runc
1.0.0-rc92).
"""

MACHINES = {
    3: "386",
    8: "mips",
    20: "ppc",
    21: "ppc64le",
    22: "s390x",
    40: "arm",
    62: "amd64",
    183: "arm64",
    243: "riscv64",
    258: "loong64",
}
"""e_machine of an ELF header, as images name their architecture."""
LINKS = 3
REFUSED_CODES = (1, 255)
"""What runc exits with when the kernel refuses the program in its last step, by its version."""
REFUSED_WITHIN_S = 5.0


class Program(msgspec.Struct, frozen=True):
    """A program that was refused. why: "exec format error" or "no such file or directory".

    machine: of an ELF file, as images name it, empty otherwise. interpreter: of its `#!` line, with a carriage
    return if it has one, empty if there is no such line. known: its first bytes could be read.
    """

    path: str
    why: str
    line: str
    machine: str = ""
    interpreter: str = ""
    known: bool = False

    @property
    def has_carriage_return(self) -> bool:
        """A line end of DOS: the kernel takes the carriage return as part of the interpreter's name."""
        return self.interpreter.endswith("\r")


class Programs(msgspec.Struct, frozen=True):
    """By container id, of those whose log says that the kernel refused.

    unexamined: those that ended as if it had, and whose log cannot be read.
    """

    by_id: dict[str, Program]
    unexamined: tuple[Unexamined, ...] = ()


class _File(msgspec.Struct):
    type: str = ""
    link_target: str | None = None
    hex: str | None = None


@evidence
def programs(host: Host, containers: Containers, last_words: LastWords) -> Programs:
    """The file is read from the container's own file system through the engine, links followed there."""
    found = {}
    mute = []
    for each in containers:
        looks_so = each.state.exit_code in REFUSED_CODES and (each.ran_for or 0.0) < REFUSED_WITHIN_S
        if each.id in last_words.unread and looks_so and not each.is_running:
            mute.append(Unexamined(each.subject, f"its log: {last_words.unread[each.id]}"))
        words = last_words.of(each)
        line = words.find("exec format error", "no such file or directory")
        match = REFUSED.search(line) if line else None
        if match:
            path = match["path"] or each.path
            found[each.id] = _look(host, each.id, path, match["why"] or match["legacy"], line)
    return Programs(found, tuple(mute))


def _look(host: Host, id: str, path: str, why: str, line: str) -> Program:
    at = path
    for _ in range(LINKS):
        answer = host.ask(question("api.archive", id=id, path=at, bytes=256))
        if isinstance(answer, Failed):
            return Program(path, why, line)
        file = msgspec.convert(answer, _File)
        if file.link_target:
            target = file.link_target
            at = target if target.startswith("/") else f"{at.rpartition('/')[0]}/{target}"
        elif file.hex is not None:
            return describe(path, why, line, bytes.fromhex(file.hex))
        else:
            break
    return Program(path, why, line)


def describe(path: str, why: str, line: str, head: bytes) -> Program:
    """What the first bytes of a program tell: an ELF header (its byte order in byte 5), or a `#!` line."""
    if head.startswith(b"\x7fELF") and len(head) >= 20:
        number = int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")
        return Program(path, why, line, machine=MACHINES.get(number, f"machine {number}"), known=True)
    if head.startswith(b"#!"):
        first = head[2:].partition(b"\n")[0].decode("utf-8", "replace").strip(" \t")
        return Program(path, why, line, interpreter=first.split(" ")[0], known=True)
    return Program(path, why, line, known=True)
