"""Reading of small files below /proc, and what several collectors take from them.

/proc and /sys answer without touching a disk, so these reads run in the tool itself.
"""

# A scan makes tens of thousands of these calls, and pathlib triples their cost.
# ruff: noqa: PTH115, PTH208

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

_ID = re.compile(rb"[0-9a-f]{64}")
_SERVICE = re.compile(
    r"^(?:0:|\d+:name=systemd):/system\.slice/(?:[^/\n]+\.slice/)*([^/\n]+\.service)(?:/|$)",
    re.MULTILINE,
)
"""A service of the system's systemd in /proc/PID/cgroup; those of users begin with user.slice."""
_VIRTUAL_SIZE = 20
"""Place of vsize among the fields of /proc/PID/stat that follow the name (man 5 proc_pid_stat)."""
_START_TIME = 19
"""Place of starttime among them."""
MOST_BYTES = 65536
"""As much of one file is read; those of /proc/PID that are read here are smaller."""


def pids() -> Iterator[int]:
    """The processes that the tool can see; they may be gone when they are looked at."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name)


def start_time(pid: int) -> int:
    """When this process started, in clock ticks since boot. Errors: OSError when there is none."""
    fields = read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()
    return int(fields[_START_TIME])


def hides_processes() -> bool:
    """Whether /proc is mounted with hidepid, and shows the caller only processes of its own."""
    return text_of("/proc/1/stat") is None


def read(path: str) -> bytes:
    """The first MOST_BYTES of a file; OSError if it cannot be read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, MOST_BYTES)
    finally:
        os.close(descriptor)


def text_of(path: str) -> str | None:
    """The text of a small file without blanks around it; None if it cannot be read."""
    try:
        return read(path).decode("utf-8", "replace").strip()
    except OSError:
        return None


def hides_files(pid: int | str, error: OSError) -> bool:
    """Whether a process whose descriptors could not be listed may have some that are not seen.

    A process without memory has none: a thread of the kernel, and a process that ends or has ended.
    Such a process belongs to root, whoever began it (task_dump_owner of the kernel's fs/proc).
    """
    if not isinstance(error, PermissionError):
        return False
    words = (text_of(f"/proc/{pid}/stat") or "").rpartition(") ")[2].split()
    return len(words) > _VIRTUAL_SIZE and words[_VIRTUAL_SIZE] != "0"


def target_of(path: str) -> str | None:
    """The target of a symbolic link. None if the link cannot be read."""
    try:
        return os.fsencode(os.readlink(path)).decode("utf-8", "replace")
    except OSError:
        return None


def container_of(pid: int) -> str | None:
    """The id of the container that a process belongs to by its cgroup, or None.

    The outermost, if containers are nested. A container that the first process belongs to holds the
    whole host that the tool sees, its engine too, and is left out (Docker in Docker).
    """
    return next((id for id in _cgroup_ids(pid) if id not in _ids_around_the_host()), None)


def _cgroup_ids(pid: int) -> Iterator[str]:
    try:
        text = read(f"/proc/{pid}/cgroup")
    except OSError:
        return
    for match in _ID.finditer(text):
        yield match[0].decode()


@functools.cache
def _ids_around_the_host() -> frozenset[str]:
    return frozenset(_cgroup_ids(1))


def service_of(pid: int) -> str | None:
    """The service of the host's systemd that a process belongs to by its cgroup, or None."""
    match = _SERVICE.search(text_of(f"/proc/{pid}/cgroup") or "")
    return match[1] if match else None


def cmdline(pid: int) -> list[str]:
    """The arguments of a process; empty where they cannot be read."""
    try:
        body = read(f"/proc/{pid}/cmdline")
    except OSError:
        return []
    return [part.decode("utf-8", "replace") for part in body.split(b"\0")[:-1]]


def counters_of(pid: int | str, file: str) -> dict[str, int]:
    """The numbers of a file of /proc/PID/net, by group and name, such as `Udp:RcvbufErrors`.

    Its lines come in pairs: a group with the names, and the same group with their numbers. OSError
    if it cannot be read.
    """
    lines = iter(Path(f"/proc/{pid}/net/{file}").read_text(encoding="ascii").splitlines())
    counters: dict[str, int] = {}
    for names, numbers in zip(lines, lines, strict=False):
        group, *columns = names.split()
        for column, number in zip(columns, numbers.split()[1:], strict=False):
            counters[group + column] = int(number)
    return counters


def parse_limits(text: str) -> dict[str, dict[str, int | None]]:
    """The rows of /proc/PID/limits by name ("Max open files"); None is unlimited."""
    rows = re.findall(
        r"^(Max [a-z]+(?: [a-z]+)*)  +(\d+|unlimited) +(\d+|unlimited)", text, re.MULTILINE
    )
    return {
        name: {
            "soft": None if soft == "unlimited" else int(soft),
            "hard": None if hard == "unlimited" else int(hard),
        }
        for name, soft, hard in rows
    }
