"""Denials of SELinux for container processes, by the kernel log and the audit daemon's log."""

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, paired
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FileText, ReadFile, StatPaths
from diagnose.registry import evidence

AUDIT_LOG = "/var/log/audit/audit.log"
"""The file to which auditd writes the denials, which are then missing in the kernel log."""
_TAIL = 512 * 1024
_DENIED = LazyPattern(
    r"""
    avc:[ ]{1,2} denied[ ]{1,2} \{[ ] (?P<rights>[^}]{1,100}?) [ ]\}
    [ ]for[ ]{1,2} pid=\d{1,10} [ ]comm="[^"]{1,64}"
    (?P<object>.{0,300}?)                                   # its name, path, device and inode
    [ ]scontext=\S{1,100}: (?P<domain> container\w{0,20}_t | svirt_lxc_net_t ) :
        (?P<level> s0 (?: :c\d{1,4} (?: ,c\d{1,4} )* )? )
    [ ]tcontext=\S{1,100}: (?P<label>\w{1,60}_t) : (?P<target_level> s0 (?: :[\w.,]{1,60} )? )
    [ ]tclass= (?P<kind>\w{1,40})
    (?: [ ]permissive= (?P<permissive>[01]) )?
    """,
    re.VERBOSE,
)
"""A denial of one of the domains of containers (container-selinux). Its level, two categories that
the engine chose, is the container's own."""
_NAME = LazyPattern(r'\b(?:name|path)="(?P<name>[^"]{1,200})"')
_DEVICE = LazyPattern(r'\bdev="(?P<name>[^"]{1,60})"')
_NO_MOUNT = frozenset({"proc", "sysfs", "overlay", "cgroup", "cgroup2", "devpts", "mqueue"})
"""File systems of the container's own, or of the kernel: a denial there is about no bind mount."""
_INODE = LazyPattern(r"\bino=(\d{1,20})\b")
_AT = LazyPattern(r"\baudit\((\d{1,12}\.\d{1,3}):\d{1,12}\)")
_SIGNS = ("avc:  denied", "avc: denied")
FILES = frozenset({"dir", "file", "lnk_file", "sock_file", "fifo_file"})
"""Classes of objects in a file system."""
CONTAINERS_FILE = "container_file_t"
_OLD_NAMES = frozenset({"svirt_sandbox_file_t", CONTAINERS_FILE})
"""The label that the options z and Z of a mount set, and its name before container-selinux 2.0."""


class Denial(msgspec.Struct, frozen=True):
    """A denial of SELinux for a container's process, in the file system."""

    container: Container
    mount: Mount
    """The bind mount that it is about."""
    rights: str
    """The rights in SELinux' terms, "read write"."""
    label: str
    """The type of the file's label."""
    kind: str
    """The class of the file: dir, file, sock_file."""
    source: str
    """The source of the line."""
    line: str

    @property
    def is_of_another(self) -> bool:
        """Whether the file is labelled for another container alone, as the option Z does."""
        return self.label in _OLD_NAMES


class SelinuxDenials(Items[Denial], frozen=True):
    """The newest denial for each bind mount of a container."""


class _Line(msgspec.Struct, frozen=True):
    at: float
    source: str
    text: str


@evidence
def selinux_denials(
    host: Host,
    containers: Containers,
    info: Info | None,
    kernel: KernelLog | None,
    clock: Clock,
    options: Options,
) -> SelinuxDenials:
    """The newest denial of SELinux for each bind mount of a container.

    The collector asks only where the engine gives its containers labels. A denial belongs to the
    container that has its level, and to the mount whose source has its inode or its name; a file on
    a disk belongs to the only mount without a label. Unmatched denials are left out, and containers
    that were started since and run well.
    """
    if info is None or not info.has_security("selinux"):
        return SelinuxDenials()
    oldest = clock.wall - options.since_s
    by_level = {level: container for container, level in paired(containers, _level)}
    denials: dict[tuple[str, str], Denial] = {}
    for line in _lines(host, kernel, oldest):
        match = _DENIED.search(line.text)
        container = by_level.get(match["level"]) if match else None
        if match is None or container is None or match["permissive"] == "1":
            continue
        if match["kind"] not in FILES or _is_mended(container, line.at):
            continue
        mount = _mount(host, container, match["object"])
        if mount is not None:
            denials[container.id, mount.destination] = Denial(
                container,
                mount,
                rights=match["rights"],
                label=match["label"],
                kind=match["kind"],
                source=line.source,
                line=line.text,
            )
    return SelinuxDenials(tuple(denials.values()))


def _is_mended(container: Container, at: float) -> bool:
    """Whether a container has run well since a start that came after a denial."""
    runs_well = container.is_running and not container.is_unwell
    return runs_well and (container.started_at or 0.0) > at


def _level(container: Container) -> str:
    """The categories of a container's processes: s0:c324,c837; "" without a label."""
    label = container.process_label.split(":", 3)
    return label[3] if len(label) == 4 else ""


def _lines(host: Host, kernel: KernelLog | None, oldest: float) -> Iterator[_Line]:
    """The denials of the looked-at time, oldest first in each log."""
    for record in kernel or ():
        if record.at >= oldest and any(sign in record.text for sign in _SIGNS):
            yield _Line(record.at, "kernel log", record.text)
    audit = host.answer_or(ReadFile(AUDIT_LOG, max_bytes=_TAIL, tail=True), FileText(""))
    for text in audit.text.splitlines():
        at = _AT.search(text)
        if at is not None and float(at[1]) >= oldest and any(sign in text for sign in _SIGNS):
            yield _Line(float(at[1]), AUDIT_LOG, text)


def _mount(host: Host, container: Container, described: str) -> Mount | None:
    """The bind mount of a denied path; None if that is not known."""
    mounts = container.bind_mounts
    device = _DEVICE.search(described)
    if device is not None and device["name"] in _NO_MOUNT:
        return None
    by_words = _mount_by_inode(host, mounts, described) or _mount_by_name(mounts, described)
    if by_words is not None:
        return by_words
    is_on_disk = device is not None and device["name"] != "tmpfs"
    unlabelled = [mount for mount in mounts if is_on_disk and is_unlabelled(mount)]
    return only(unlabelled)


def _mount_by_inode(host: Host, mounts: Sequence[Mount], described: str) -> Mount | None:
    """The mount whose source has the inode that a denial names."""
    statuses = host.ask(StatPaths(sorted({mount.source for mount in mounts})))
    inode = _INODE.search(described)
    if inode is None or isinstance(statuses, Failed):
        return None
    for mount in mounts:
        status = statuses.get(mount.source)
        if status is not None and not status.failed and status.ino == int(inode[1]):
            return mount
    return None


def _mount_by_name(mounts: Sequence[Mount], described: str) -> Mount | None:
    """The mount whose source has the name in a denial, or that holds the path there."""
    match = _NAME.search(described)
    name = match["name"] if match is not None else ""
    for mount in mounts:
        ends = (mount.source, posixpath.basename(mount.source.rstrip("/")))
        if (name and name in ends) or mount.holds(name):
            return mount
    return None


def is_unlabelled(mount: Mount) -> bool:
    """Whether a folder of the host was mounted without a label that SELinux lets containers use."""
    return mount.type == "bind" and not {"z", "Z"} & set(mount.mode.split(","))
