"""Files and folders of the host that are mounted into containers: what they are, and whether they still are."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.clock import Clock
from diagnose.evidence.container import Mount
from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.last_words import LastWords
from diagnose.evidence.mounts import parse
from diagnose.evidence.options import Options
from diagnose.host import Host, question
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.registry import evidence
from diagnose.times import unix

DELETED = "//deleted"
"""What the kernel appends to the root of a mount whose file or folder was deleted or replaced (fs/d_path.c)."""
MOUNTING = re.compile(r'mounting "(?P<source>[^"]+)" to rootfs at "(?P<target>[^"]+)"')
"""What the runtime says of a mount that it could not make."""


class Source(msgspec.Struct, frozen=True):
    """What stat says of a path of the host. failed: why it says nothing ("missing", "forbidden", "timed out",
    ...).
    """

    type: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    failed: str = ""

    def lets(self, uid: int, gid: int, *, write: bool) -> bool:
        """Whether the mode bits let this user in (root always); access lists and labels are not looked at."""
        if uid == 0:
            return True
        shift = 6 if uid == self.uid else 3 if gid == self.gid else 0
        bits = (self.mode >> shift) & 7
        wanted = 4 | (2 if write else 0) | (1 if self.type == "folder" else 0)
        return bits & wanted == wanted


class BindSources(msgspec.Struct, frozen=True):
    """Sources of mounts of containers that failed, or were never started, by path."""

    by_path: dict[str, Source]
    unexamined: tuple[Unexamined, ...] = ()


def asked_for(container: Container) -> tuple[str, ...]:
    """Sources that must exist before a start: those of `--mount type=bind`. For `-v` the engine makes what is
    missing.
    """
    wanted = container.host_config.mounts or ()
    return tuple(str(each.get("Source")) for each in wanted if each.get("Type") == "bind" and each.get("Source"))


def never_started(container: Container, now: float, since_s: float) -> bool:
    """Created within the looked-at time and never run."""
    created = unix(container.created)
    waiting = container.state.status == "created" and container.started_at is None
    return waiting and created is not None and now - created < since_s


@evidence
def bind_sources(
    host: Host, containers: Containers, clock: Clock, options: Options, last_words: LastWords
) -> BindSources | Unavailable:
    """One question for all paths in doubt; a path on a mount that hangs costs only itself."""
    wanted: dict[str, None] = {}
    for each in containers:
        if never_started(each, clock.wall, options.since_s):
            wanted |= dict.fromkeys(asked_for(each))
        if failed := MOUNTING.search(each.state.error):
            wanted[failed["source"]] = None
        if "permission" in last_words.of(each).signs or "permission denied" in each.state.error:
            wanted |= dict.fromkeys(mount.source for mount in each.mounts or () if mount.source.startswith("/"))
    if not wanted:
        return BindSources({})
    answer = host.ask(question("file.stats", paths=sorted(wanted), follow=True))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    return BindSources({path: msgspec.convert(row, Source) for path, row in answer.items()})


class StaleMount(msgspec.Struct, frozen=True):
    """A mount of a running container whose source was deleted or replaced since its start."""

    container: Container
    mount: Mount


class StaleMounts(msgspec.Struct, frozen=True):
    """As the containers' own mount tables tell."""

    items: tuple[StaleMount, ...]
    unexamined: tuple[Unexamined, ...] = ()


@evidence
def stale_mounts(host: Host, containers: Containers) -> StaleMounts:
    """The mount table of each running container with bind mounts: reading it touches no file system."""
    asked = {
        question("file.read", path=f"/proc/{each.state.pid}/mountinfo"): each
        for each in containers.running
        if any(mount.type == "bind" for mount in each.mounts or ())
    }
    found: list[StaleMount] = []
    missing: list[Unexamined] = []
    for each, answer in host.ask_many(asked):
        container = asked[each]
        if isinstance(answer, Failed):
            if answer.reason not in ("gone", "missing"):
                missing.append(Unexamined(container.subject, f"its mount table: {answer}"))
            continue
        gone = {mounted.point for mounted in parse(answer["text"]) if mounted.root.endswith(DELETED)}
        found += [
            StaleMount(container, mount)
            for mount in container.mounts or ()
            if mount.type == "bind" and mount.destination in gone
        ]
    return StaleMounts(tuple(found), tuple(missing))
