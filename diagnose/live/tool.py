"""Answers about the tool itself: its clock, its options, and the user who runs it."""

import os
import re
import sys
import time
from pathlib import Path

from diagnose.live import Live
from diagnose.model import Json
from diagnose.questions.run import IdentifyCaller, IdentifySite, ReadClock, ReadOptions

# In the order of linux/capability.h, kernel 5.9 and later.
CAPABILITIES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)


def now(live: Live, question: ReadClock) -> Json:  # noqa: ARG001 - the signature of every collector
    """The time now and at the boot, and how long that is ago, suspend included.

    /proc/stat gives the boot in whole seconds: by up to one, a process would have begun too early.
    """
    wall = time.time()
    uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
    return {"wall": wall, "boot_wall": wall - uptime, "uptime": uptime}


def options(live: Live, _question: ReadOptions) -> Json:
    """The options of this run on which evidence depends."""
    return live.options.recorded


MACHINE_ID = Path("/etc/machine-id")


def site(live: Live, _question: IdentifySite) -> Json:
    """The identity of this host within its site: the hashed machine id, and its name and labels
    from the configuration.

    machine-id(5): an application hashes the id with a key of its own and never shows it.
    """
    from hashlib import blake2s

    site_options = live.options.site
    try:
        plain = MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        plain = ""
    key = blake2s(f"diagnose:{site_options.salt}".encode()).digest()
    machine = ""
    if _MACHINE_ID.fullmatch(plain):
        machine = blake2s(plain.encode(), key=key, digest_size=16).hexdigest()
    return {"machine": machine, "name": site_options.name, "labels": site_options.labels}


_MACHINE_ID = re.compile("[0-9a-f]{32}")
"""An image that is made for copying holds the word `uninitialized`, or nothing."""


def caller(live: Live, question: IdentifyCaller) -> Json:  # noqa: ARG001 - the signature of every collector
    """The user and the groups of this process, its effective capabilities, and its place."""
    import grp
    import pwd

    uid = os.geteuid()
    groups = sorted({os.getegid(), *os.getgroups()})
    try:
        entry = pwd.getpwuid(uid)
        user = entry.pw_name
        home = entry.pw_dir
        own_group = entry.pw_gid
    except KeyError:
        user = None
        home = None
        own_group = None
    try:
        docker = grp.getgrnam("docker")
        docker_gid = docker.gr_gid
        members = docker.gr_mem
    except KeyError:
        docker_gid = None
        members = []
    return {
        "uid": uid,
        "gid": os.getegid(),
        "groups": groups,
        "user": user,
        "caps": _capabilities(),
        "docker_gid": docker_gid,
        "docker_members": members,
        "docker_group": docker_gid is not None and (user in members or own_group == docker_gid),
        "session_has_it": docker_gid in groups,
        "is_administrator": uid == 0 or any(_is_for_sudo(gid) for gid in groups),
        "home": os.environ.get("HOME") or home,
        "in_container": in_container(),
        "tty": sys.stdout.isatty() if sys.stdout else False,
    }


def _is_for_sudo(gid: int) -> bool:
    """Whether the members of a group may become root, as distributions set sudo up."""
    import grp

    try:
        return grp.getgrgid(gid).gr_name in ("root", "sudo", "wheel", "admin")
    except KeyError:
        return False


def in_container() -> bool:
    """Whether our mount namespace is a container's.

    Docker, Podman and Kubernetes bind /etc/hosts into theirs.

    The file /.dockerenv does not tell: a machine whose disk was made from an image has it too.
    """
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.split(" ", 5)[4] == "/etc/hosts" for line in lines)


def _capabilities() -> list[str]:
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    bits = int(line.split()[1], 16)
    return [name for number, name in enumerate(CAPABILITIES) if bits >> number & 1]
