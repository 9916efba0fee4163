"""What the tool knows of itself: the clock it reads, and who runs it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from diagnose.host import Question
from diagnose.live import Live
from diagnose.model import Json

# The names of linux/capability.h by number, kernel 5.9 and later.
CAPABILITIES = """
chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service
net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin
sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override
mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore
""".split()


def now(live: Live, question: Question) -> Json:  # noqa: ARG001 - the signature of every hand
    """Answer `now`: wall, the Unix time; boot_wall, that of the boot; uptime in seconds, suspend included."""
    wall = time.time()
    stat = Path("/proc/stat").read_text(encoding="ascii")
    boot = next((line.split()[1] for line in stat.splitlines() if line.startswith("btime ")), None)
    return {
        "wall": wall,
        "boot_wall": float(boot) if boot else None,
        "uptime": time.clock_gettime(time.CLOCK_BOOTTIME),
    }


def caller(live: Live, question: Question) -> Json:  # noqa: ARG001 - the signature of every hand
    """Answer `caller`: uid, gid, groups and user of this process, its effective capabilities, its place.

    caps: names as "CAP_SYS_ADMIN". docker_group: the group file makes the user a member of group docker;
    session_has_it: this process carries it already; docker_gid: None when there is no such group. in_container:
    see the function of this name.
    """
    import grp
    import pwd

    uid, groups = os.geteuid(), sorted({os.getegid(), *os.getgroups()})
    try:
        entry = pwd.getpwuid(uid)
        user, home, own_group = entry.pw_name, entry.pw_dir, entry.pw_gid
    except KeyError:
        user, home, own_group = None, None, None
    try:
        docker = grp.getgrnam("docker")
        docker_gid, members = docker.gr_gid, docker.gr_mem
    except KeyError:
        docker_gid, members = None, []
    return {
        "uid": uid,
        "gid": os.getegid(),
        "groups": groups,
        "user": user,
        "caps": _capabilities(),
        "docker_gid": docker_gid,
        "docker_group": docker_gid is not None and (user in members or own_group == docker_gid),
        "session_has_it": docker_gid in groups,
        "home": os.environ.get("HOME") or home,
        "in_container": in_container(),
        "tty": sys.stdout.isatty() if sys.stdout else False,
    }


def in_container() -> bool:
    """Whether this process's mount namespace is a container's: Docker, Podman and Kubernetes bind /etc/hosts over its own.

    The files /.dockerenv and /run/.containerenv do not tell: a machine whose disk was made from an image has them too.
    """
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.split(" ", 5)[4] == "/etc/hosts" for line in lines)


def _capabilities() -> list[str]:
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    bits = int(line.split()[1], 16)
    return [f"CAP_{name.upper()}" for number, name in enumerate(CAPABILITIES) if bits >> number & 1]
