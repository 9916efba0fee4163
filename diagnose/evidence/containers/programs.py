"""What lies at the path of a program that the kernel refused to run: its first bytes say why."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.model import Failed, Unexamined
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

_WHY = "exec format error|no such file or directory|permission denied|operation not permitted|resource temporarily unavailable"
REFUSED = re.compile(
    rf"^exec (?P<path>/.+): (?P<why>{_WHY})$"
    rf"|exec user process caused[: \"]+(?P<legacy>{_WHY})"
    rf"|^\[(?:FATAL tini \(\d+\)\] exec (?P<tini>.+) failed|dumb-init\] (?P<dumb>.+)): (?P<told>{_WHY})$",
    re.IGNORECASE,
)
"""What runc writes to the container's log in its last step before the program (the second form until runc
1.0.0-rc92), and what an init writes that stands between the two: tini (`--init`), dumb-init.
"""
_BY_ENV = re.compile(
    r"^(?:/usr)?(?:/bin/)?env: (?:can't execute )?['\"‘]?(?P<name>[^'\"’:]+)['\"’]?: No such file or directory$"
)
"""What /usr/bin/env says, busybox's and the one of coreutils, of the interpreter that a `#!` line has it look for."""
NOT_FOUND = 127

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
    """A program that was refused. why: "exec format error", "no such file or directory", "permission denied",
    "operation not permitted" or "resource temporarily unavailable".

    machine: of an ELF file, as images name it, empty otherwise. interpreter: of its `#!` line, with a carriage
    return if it has one, empty if there is no such line. known: its first bytes could be read. missing: there is no
    such file, which runc would have said by itself, but an init finds out.
    """

    path: str
    why: str
    line: str
    machine: str = ""
    interpreter: str = ""
    known: bool = False
    missing: bool = False

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
def programs(host: Host, containers: Containers, last_words: LogTails) -> Programs:
    """The last line tells; the file is read from the container's own file system through the engine, links followed
    there."""
    found = {}
    mute = []
    for each in containers:
        looks_so = each.state.exit_code in REFUSED_CODES and (each.ran_for or 0.0) < REFUSED_WITHIN_S
        if each.id in last_words.unread and looks_so and not each.is_running:
            mute.append(Unexamined(each.subject, f"its log: {last_words.unread[each.id]}"))
        last = last_words.of(each).last
        if match := REFUSED.search(last):
            path = match["path"] or match["tini"] or match["dumb"] or each.path
            why = (match["why"] or match["legacy"] or match["told"]).lower()
            found[each.id] = _look(host, each.id, path, why, last)
        elif (match := _BY_ENV.search(last)) and each.state.exit_code == NOT_FOUND:
            name = match["name"].replace("\\r", "\r")
            found[each.id] = Program(each.path, "no such file or directory", last, interpreter=name, known=True)
    return Programs(found, tuple(mute))


def _look(host: Host, id: str, path: str, why: str, line: str) -> Program:
    if not path.startswith("/"):
        return Program(path, why, line, missing=why == "no such file or directory")
    at = path
    for _ in range(LINKS):
        answer = host.ask(question("api.archive", id=id, path=at, bytes=256))
        if isinstance(answer, Failed):
            return Program(path, why, line, missing=answer.reason == "gone")
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
