"""Containers whose mounts keep them from starting or working."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from checks.container._words import QUOTED
from diagnose.error_signatures import signs
from diagnose.evidence.containers.bind_mounts import (
    MOUNTING,
    BindSources,
    Named,
    Source,
    StaleMounts,
    asked_for,
    denied,
    never_started,
    not_a_file,
)
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.containers.programs import REFUSED
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import CheckItem, Finding, Severity, Subject, Unavailable, Unexamined
from diagnose.registry import check

IDS = 65536
"""So many users the engine gives to containers where it remaps them: subordinate ids as useradd hands them out."""
_OFFSET = re.compile(r"/(\d+)\.(\d+)/?$")
"""The end of the data root where users are remapped: the first ids."""
_OWNS = re.compile(r"chown|chmod|chgrp|owner|chang\w+ (?:group|mode|permission)|permissions of", re.IGNORECASE)
_MAKES = re.compile(r"creat|mkdir|touch|writ|append|truncat|O_WRONLY|O_RDWR|\bsav(?:e|ing)\b", re.IGNORECASE)
_MOVES = re.compile(r"remov|renam|unlink|delet|\brm: |\bmv: |rmdir", re.IGNORECASE)
_READS = re.compile(r"can(?:'t|not) open|\bread|\blist|scandir|\bload|O_RDONLY", re.IGNORECASE)
_OPENS = re.compile(r"\bopen|Errno 13", re.IGNORECASE)
_ENTERS = re.compile(r"\bcd\b|chdir", re.IGNORECASE)


@check("container.mount-source-missing", severity=Severity.critical)
def mount_source_missing(
    containers: Containers,
    clock: Clock,
    options: Options,
    bind_sources: BindSources | Unavailable,
    last_words: LogTails | Unavailable,
) -> Iterable[CheckItem]:
    """Something that a container mounts does not exist on the host.

    For `-v` the engine makes an empty folder of that name, which cannot be mounted over a file: `not a directory`,
    exit code 127. For `--mount` it refuses the start and leaves no trace in the container (seen on 20.10.24, 26.1.5
    and 28.5.2), so the sources of containers that were created lately and never ran are looked up; a request that
    is refused at create leaves no container at all. Where the image has nothing at that place the start succeeds, and
    the program finds an empty folder: its last words call it a directory.
    """
    for each in containers:
        error = each.state.error
        match = MOUNTING.search(error)
        if each.start_failed and match and ("not a directory" in error or "no such file" in error):
            known = bind_sources.by_path.get(match["source"]) if isinstance(bind_sources, BindSources) else None
            if known and known.type == "file":
                continue  # over a folder: not the source is at fault
            gone = known is not None and known.failed == "missing"
            what = "does not exist" if gone else f"is not a file, {match['target']} in it is"
            yield _finding(
                each,
                f"{each.name} did not start: {match['source']} {what}",
                match["source"],
                {"State": f"{each.state.status}, exit code {each.state.exit_code}", "State.Error": error},
            )
        elif isinstance(last_words, LogTails) and (taken := not_a_file(each, last_words)):
            source = taken.mount.source
            known = bind_sources.by_path.get(source) if isinstance(bind_sources, BindSources) else None
            count = bind_sources.entries.get(source) if isinstance(bind_sources, BindSources) else None
            if unseen := _unseen(bind_sources, source):
                yield Unexamined(each.subject, unseen)
            elif known and known.type == "folder" and count is None:
                yield Unexamined(each.subject, f"{source}: what lies in it could not be listed")
            elif count == 0:
                yield _finding(
                    each,
                    f"{each.name} finds an empty folder at {taken.inside}: {source} is not a file",
                    source,
                    {"log": taken.line[:QUOTED], "on the host": "an empty folder"},
                )
        elif never_started(each, clock.wall, options.since_s):
            for source in asked_for(each):
                unseen = _unseen(bind_sources, source)
                if unseen:
                    yield Unexamined(each.subject, unseen)
                elif isinstance(bind_sources, BindSources) and bind_sources.by_path[source].failed == "missing":
                    yield _finding(
                        each,
                        f"{each.name} cannot start: {source} does not exist",
                        source,
                        {"HostConfig.Mounts": f"bind {source}", "on the host": "no such file or directory"},
                    )


def _finding(each: Container, summary: str, source: str, evidence: dict[str, object]) -> Finding:
    return Finding(
        subject=each.subject,
        summary=summary,
        evidence=evidence,
        variables={"container": each.name, "source": source},
        discriminator=source,
        signs=signs(each.state.error),
        service=each.service,
    )


@check("container.mount-forbidden", severity=Severity.critical)
def mount_forbidden(
    containers: Containers, last_words: LogTails, bind_sources: BindSources | Unavailable, info: Info | Unavailable
) -> Iterable[CheckItem]:
    """A container's user has no access to what is mounted into it.

    Its last log lines say "permission denied" and name a path below a mount, and a mode on the way to it shuts out
    the container's user, or SELinux is on and the mount was not relabelled. Where the engine remaps users, its root
    is one of the host's other users. A user that is given by name, access lists and NFS's root_squash are not seen.
    """
    selinux = isinstance(info, Info) and any("selinux" in option for option in info.security_options or ())
    for each in containers:
        named = denied(each, last_words)
        if named is None or REFUSED.search(named.line):  # what may not be executed has a check of its own
            continue
        shut = _shut(named, bind_sources, _who(each, info)) if named.mount.source.startswith("/") else None
        if isinstance(shut, _Shut):
            yield _forbidden(each, named, shut)
        elif selinux and named.mount.type == "bind" and not {"z", "Z"} & set(named.mount.mode.split(",")):
            yield _unlabelled(each, named)
        elif shut:
            yield Unexamined(each.subject, shut)


class _Who(NamedTuple):
    """A container's user as the host knows it. owner: for chown. first: the ids of the host that are root's in the
    container. more: why it may be in more groups than these. unknown: why nothing of this is known.
    """

    said: str
    owner: str = ""
    uid: int = 0
    gids: frozenset[int] = frozenset()
    first: tuple[int, int] = (0, 0)
    more: str = ""
    unknown: str = ""

    def rules(self, known: Source) -> bool:
        """Whether it is the container's root, to which no mode applies for what the container's users own."""
        first_uid, first_gid = self.first
        return self.uid == first_uid and known.uid - first_uid in range(IDS) and known.gid - first_gid in range(IDS)

    def may(self, known: Source, wanted: int) -> bool | None:
        """None: it depends on its further groups."""
        if self.rules(known) or known.lets(self.uid, self.gids, wanted):
            return True
        joined = self.more and known.gid >= self.first[1] and known.lets(self.uid, self.gids | {known.gid}, wanted)
        return None if joined else False


class _Shut(NamedTuple):
    """What cannot be done, to which path of the host."""

    what: str
    path: str
    inside: str
    known: Source
    who: _Who


def _who(each: Container, info: Info | Unavailable) -> _Who | None:
    """None where owner and mode do not decide: for root, and for a user by name."""
    user, _, group = each.config.user.partition(":")
    user = "0" if user in ("", "root") else user
    said = each.config.user or "root"
    remapped = isinstance(info, Info) and (info.has_userns_remap or info.is_rootless)
    remapped = remapped and each.host_config.userns_mode != "host"
    if not user.isdigit() or (int(user) == 0 and not remapped):
        return None
    first = (0, 0)
    if remapped and isinstance(info, Info):
        offset = _OFFSET.search(info.docker_root_dir)
        if offset is None:
            return _Who(said, unknown="which users of the host the engine takes for those of containers is not known")
        first = int(offset[1]), int(offset[2])
    added = each.host_config.group_add or []
    by_name = [name for name in (group, *added) if name and not name.isdigit()]
    own = [group or "0", *added]
    gids = frozenset(first[1] + int(gid) for gid in own if gid.isdigit())
    more = f"who is in group {', '.join(by_name)} is known to its image alone" if by_name else ""
    if not group:
        more = more or "the groups of its user are known to its image alone"
    uid = first[0] + int(user)
    owner = f"{uid}:{first[1] + int(group or 0)}" if not group or group.isdigit() else str(uid)
    return _Who(f"{said} ({uid} on the host)" if remapped else said, owner, uid, gids, first, more)


def _shut(named: Named, sources: BindSources | Unavailable, who: _Who | None) -> _Shut | str | None:
    """Where the way to the named path is shut to this user; why that is not known; None if it is open."""
    if who is None:
        return None
    if who.unknown or isinstance(sources, Unavailable):
        return f"{named.mount.source}: {who.unknown or sources}"
    words = named.line.replace(named.inside, " ")
    owns = "operation not permitted" in words.lower()
    if owns and not _OWNS.search(words):
        return None  # the kernel never says so of a mode
    steps = named.on_host
    known = [sources.by_path.get(steps[0]), *(sources.below.get(step) for step in steps[1:])]
    makes, moves = (named.mount.rw and bool(pattern.search(words)) for pattern in (_MAKES, _MOVES))
    entry = next((depth for depth, each in enumerate(known) if depth and each and each.failed == "missing"), None)
    if entry is not None and (owns or not (named.whole or makes)):
        return f"{steps[entry]}: it is not there"
    if entry is None and moves and named.rest and not owns:
        entry = len(named.rest)
    end = len(named.rest) if entry is None else entry - 1
    for depth, (step, each) in enumerate(zip(steps[: end + 1], known, strict=False)):
        if each is None or each.failed or each.type == "link":
            return _unseen_step(step, each) or None
        tries = [("enter", 1)]
        if depth == end:
            tries = [("create or remove files in", 3)] if entry is not None else _tries(named, each, words, makes=makes)
        if depth == end and owns:
            tries = [] if each.uid == who.uid or who.rules(each) else [("change the owner or mode of", 0)]
        for what, wanted in tries:
            may = bool(wanted) and who.may(each, wanted)
            if may is None:
                return f"{step}: {who.more}"
            if not may:
                return _Shut(what, step, "/".join((named.mount.destination, *named.rest[:depth])), each, who)
    last = known[end]
    said = owns or any(pattern.search(words) for pattern in (_MAKES, _READS, _OPENS))
    if named.mount.rw and entry is None and not said and last and last.type == "file" and not who.may(last, 2):
        return f"{steps[end]}: whether it was to be written or run is not said"
    return None


def _unseen_step(step: str, known: Source | None) -> str:
    if known is None:
        return f"{step}: it was not looked up"
    if known.type == "link":
        return f"{step}: it is a link, which leads to elsewhere in the container"
    return f"{step}: {known.failed}" if known.failed not in ("", "missing") else ""


def _tries(named: Named, known: Source, words: str, *, makes: bool) -> list[tuple[str, int]]:
    """What was tried at the named path itself, as far as the words say."""
    if known.type == "socket":
        return [("connect to", 2)]
    if known.type == "folder":
        return [("write to", 3)] if makes else [("enter", 1)] if _ENTERS.search(words) else [("list", 5)]
    if makes:
        return [("write to", 2)]
    opened = named.mount.rw and _OPENS.search(words) and not _READS.search(words)
    return [("read", 4), ("write to", 2)] if opened else [("read", 4)]


def _forbidden(each: Container, named: Named, shut: _Shut) -> Finding:
    owner, mode = f"{shut.known.uid}:{shut.known.gid}", f"{shut.known.mode & 0o7777:o}"
    added = each.host_config.group_add
    return Finding(
        subject=each.subject,
        summary=f"{each.name} cannot {shut.what} {shut.inside}: user {shut.who.said}, but it belongs to {owner} with mode {mode}",
        evidence={
            **_refused(named),
            "Config.User": each.config.user or "root",
            **({"HostConfig.GroupAdd": added} if added else {}),
            f"owner and mode of {shut.path}": f"{owner} {mode}",
        },
        variables={"container": each.name, "source": shut.path, "owner": shut.who.owner},
        discriminator=named.mount.destination,
        touches=_volume(named.mount),
        onset=each.failed_first,
        service=each.service,
    )


def _unlabelled(each: Container, named: Named) -> Finding:
    mount = named.mount
    return Finding(
        subject=each.subject,
        summary=f"{each.name} has no access to {mount.destination}: SELinux is on and it was not relabelled",
        evidence={**_refused(named), "Mounts.Mode": mount.mode or "-", "SELinux": "on"},
        variables={"container": each.name, "source": mount.source},
        discriminator=mount.destination,
        touches=_volume(mount),
        onset=each.failed_first,
        service=each.service,
    )


def _refused(named: Named) -> dict[str, object]:
    return {"log": named.line[:QUOTED], "mount": f"{named.mount.source} -> {named.mount.destination}"}


def _volume(mount: Mount) -> tuple[Subject, ...]:
    return (Subject("volume", mount.name),) if mount.type == "volume" and mount.name else ()


def _unseen(sources: BindSources | Unavailable, path: str) -> str:
    """Why nothing is known of a source, or ""."""
    if isinstance(sources, Unavailable):
        return f"{path}: {sources}"
    return _unseen_step(path, sources.by_path.get(path))


@check("container.mount-stale", severity=Severity.warning)
def mount_stale(stale_mounts: StaleMounts) -> Iterable[Finding]:
    """A container still sees the old contents of a mount replaced on the host.

    A mount holds the file or folder itself, not its name: an editor, certbot or a deployment that writes a new one
    and renames it leaves the old one in the container. Read from the mount table of the container's own namespace,
    where the kernel marks it as deleted.
    """
    for each in stale_mounts.items:
        source, container = each.mount.source, each.container
        yield Finding(
            subject=container.subject,
            summary=f"{container.name} still sees the old {source}: it was replaced or deleted since the start",
            evidence={
                "mount": f"{source} -> {each.mount.destination}",
                f"/proc/{container.state.pid}/mountinfo": f"{source}//deleted",
            },
            variables={"container": container.name, "source": source},
            discriminator=each.mount.destination,
            stable=(container.life,),
            service=container.service,
        )
