"""Containers whose mounts keep them from starting or working."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.container._words import QUOTED
from diagnose.evidence.bind_mounts import MOUNTING, BindSources, StaleMounts, asked_for, never_started
from diagnose.evidence.clock import Clock
from diagnose.evidence.container import Mount
from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.info import Info
from diagnose.evidence.last_words import LastWords
from diagnose.evidence.options import Options
from diagnose.evidence.programs import REFUSED
from diagnose.model import Finding, Severity, Subject, Unavailable, Unexamined, Yield
from diagnose.registry import check
from diagnose.signs import signs


@check("container.mount-source-missing", severity=Severity.critical)
def mount_source_missing(
    containers: Containers, clock: Clock, options: Options, bind_sources: BindSources | Unavailable
) -> Iterable[Yield]:
    """Something that a container mounts does not exist on the host.

    For `-v` the engine makes an empty folder of that name, which cannot be mounted over a file: `not a directory`,
    exit code 127. For `--mount` it refuses the start and leaves no trace in the container (seen on 20.10.24, 26.1.5
    and 28.5.2), so the sources of containers that were created lately and never ran are looked up; a request that
    is refused at create leaves no container at all.
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
                f"{each.short} did not start: {match['source']} {what}",
                match["source"],
                {"State": f"{each.state.status}, exit code {each.state.exit_code}", "State.Error": error},
            )
        elif never_started(each, clock.wall, options.since_s):
            for source in asked_for(each):
                unseen = _unseen(bind_sources, source)
                if unseen:
                    yield Unexamined(each.subject, unseen)
                elif isinstance(bind_sources, BindSources) and bind_sources.by_path[source].failed == "missing":
                    yield _finding(
                        each,
                        f"{each.short} cannot start: {source} does not exist",
                        source,
                        {"HostConfig.Mounts": f"bind {source}", "on the host": "no such file or directory"},
                    )


def _finding(each: Container, summary: str, source: str, evidence: dict[str, object]) -> Finding:
    return Finding(
        subject=each.subject,
        summary=summary,
        evidence=evidence,
        variables={"container": each.short, "source": source},
        discriminator=source,
        signs=signs(each.state.error),
        service=each.service,
    )


@check("container.mount-forbidden", severity=Severity.critical)
def mount_forbidden(
    containers: Containers, last_words: LastWords, bind_sources: BindSources | Unavailable, info: Info | Unavailable
) -> Iterable[Yield]:
    """A container's user has no access to what is mounted into it.

    Its last log lines say "permission denied" and name a path below a mount whose mode shuts out the container's
    user, or SELinux is on and the mount was not relabelled. A user that is given by name, access lists and NFS's
    root_squash are not seen.
    """
    selinux = isinstance(info, Info) and any("selinux" in option for option in info.security_options or ())
    for each in containers:
        line = last_words.of(each).find("permission denied", "eacces", "operation not permitted")
        mount = _mount_named(each, line)
        if mount is None or REFUSED.search(line):  # what may not be executed has a check of its own
            continue
        why = _why(each, mount, bind_sources, selinux)
        if why:
            yield Finding(
                subject=each.subject,
                summary=f"{each.short} has no access to {mount.destination}: {why[0]}",
                evidence={"log": line[:QUOTED], "mount": f"{mount.source} -> {mount.destination}", **why[1]},
                variables={"container": each.short, "source": mount.source, "owner": why[2]},
                discriminator=mount.destination,
                touches=(Subject("volume", mount.name),) if mount.type == "volume" and mount.name else (),
                onset=each.failed_first,
                service=each.service,
            )
        elif _modes_matter(each, mount) and (unseen := _unseen(bind_sources, mount.source)):
            yield Unexamined(each.subject, unseen)


def _modes_matter(each: Container, mount: Mount) -> bool:
    """Whether owner and mode of the source decide: not for root, a user by name, or a mount without a source."""
    uid = each.config.user.partition(":")[0]
    return uid.isdigit() and int(uid) > 0 and mount.source.startswith("/")


def _unseen(sources: BindSources | Unavailable, path: str) -> str:
    """Why nothing is known of a source, or ""."""
    if isinstance(sources, Unavailable):
        return f"{path}: {sources}"
    known = sources.by_path.get(path)
    if known is None:
        return f"{path}: it was not looked up"
    return f"{path}: {known.failed}" if known.failed not in ("", "missing") else ""


def _mount_named(each: Container, line: str) -> Mount | None:
    """The innermost mount that holds a path of this line."""
    named = [m for m in each.mounts or () if line and re.search(re.escape(m.destination) + r"(?![\w.-])", line)]
    return max(named, key=lambda mount: len(mount.destination), default=None)


def _why(
    each: Container, mount: Mount, sources: BindSources | Unavailable, selinux: bool
) -> tuple[str, dict[str, object], str] | None:
    uid, _, gid = each.config.user.partition(":")
    known = None if isinstance(sources, Unavailable) else sources.by_path.get(mount.source)
    if uid.isdigit() and known and not known.failed:
        group = int(gid) if gid.isdigit() else 0
        if not known.lets(int(uid), group, write=mount.rw):
            owner = f"{known.uid}:{known.gid}"
            said = f"user {each.config.user}, but it belongs to {owner} with mode {known.mode & 0o7777:o}"
            return (
                said,
                {"Config.User": each.config.user, "owner and mode": f"{owner} {known.mode & 0o7777:o}"},
                (f"{uid}:{group}"),
            )
    relabelled = {"z", "Z"} & set(mount.mode.split(","))
    if selinux and mount.type == "bind" and not relabelled:
        return "SELinux is on and it was not relabelled", {"Mounts.Mode": mount.mode or "-", "SELinux": "on"}, "0:0"
    return None


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
            summary=f"{container.short} still sees the old {source}: it was replaced or deleted since the start",
            evidence={
                "mount": f"{source} -> {each.mount.destination}",
                f"/proc/{container.state.pid}/mountinfo": f"{source}//deleted",
            },
            variables={"container": container.short, "source": source},
            discriminator=each.mount.destination,
            stable=(container.life,),
            service=container.service,
        )
