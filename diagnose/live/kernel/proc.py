"""Collectors for what /proc and uname tell about the host.

/proc and /sys answer without touching a disk, so these run in the tool itself.
"""

# A scan makes tens of thousands of these calls, and pathlib triples their cost.
# ruff: noqa: PTH115, PTH116, PTH208

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from diagnose.live import ERRNO_REASONS, Live, Refused
from diagnose.live.helper import MARGIN_S
from diagnose.live.kernel import mountinfo as table
from diagnose.model import Json
from diagnose.questions import AnyQuestion

FEW_FILES = 48
"""So many descriptors are within any limit that a program can live with."""
ENGINE_COMMS = frozenset(
    {
        "dockerd",
        "dockerd-rootless",
        "rootlesskit",
        "containerd",
        "containerd-shim",
        "containerd-shim-runc-v1",
        "docker-proxy",
        "docker-containerd",
        "docker-init",
        "runc",
        "crun",
        "conmon",
        "podman",
        "kubelet",
        "dnsmasq",
        "systemd-resolve",
        "firewalld",
    }
)
"""Commands whose arguments are part of the answer: the engine's own processes, and those that stand
in its way."""
_COMM_MAX = 15
_ENGINE_SHORT = frozenset(comm[:_COMM_MAX] for comm in ENGINE_COMMS)
_THREADS_OF = frozenset({"dockerd", "containerd"})
_ID = re.compile(rb"[0-9a-f]{64}")
_TICKS = os.sysconf("SC_CLK_TCK")
KTHREADD = 2


def uname(_live: Live, _question: AnyQuestion) -> Json:
    """answer: nodename, release, version, machine."""
    found = os.uname()
    return {
        "nodename": found.nodename,
        "release": found.release,
        "version": found.version,
        "machine": found.machine,
    }


def mounts(_live: Live, _question: AnyQuestion) -> Json:
    """The tool's mount table.

    answer: [{id, parent, dev, root, point, options, fstype, source, super}] in the kernel's
    order.
    """
    return [
        {**mount._asdict(), "options": ",".join(mount.options), "super": ",".join(mount.super)}
        for mount in table.mounts()
    ]


def memory(_live: Live, _question: AnyQuestion) -> Json:
    """Answer `memory`.

    total, available, free, cached, buffers, shmem, slab, swap_total, swap_free (bytes),
    zfs_cache (what of ZFS's cache may shrink), commit_limit, committed (bytes), overcommit
    (vm.overcommit_memory), oom_kill (kernel kills since boot, or null before Linux 4.13).
    """
    import psutil  # imported when it is first asked

    main, swap = psutil.virtual_memory(), psutil.swap_memory()
    fields = dict(
        re.findall(
            r"^(CommitLimit|Committed_AS):\s+(\d+) kB",
            Path("/proc/meminfo").read_text(),
            re.MULTILINE,
        )
    )
    kills = re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(), re.MULTILINE)
    return {
        "total": main.total,
        "available": main.available,
        "free": main.free,
        "cached": main.cached,
        "buffers": main.buffers,
        "shmem": main.shared,
        "slab": main.slab,
        "swap_total": swap.total,
        "swap_free": swap.free,
        "zfs_cache": parse_arc(_text("/proc/spl/kstat/zfs/arcstats") or ""),
        "commit_limit": int(fields.get("CommitLimit", 0)) * 1024,
        "committed": int(fields.get("Committed_AS", 0)) * 1024,
        "overcommit": int(Path("/proc/sys/vm/overcommit_memory").read_text()),
        "oom_kill": int(kills[1]) if kills else None,
    }


def parse_arc(text: str) -> int:
    """How many bytes ZFS's cache may give back, of an arcstats text.

    What it has above its least size.
    """
    figures = {
        name: int(value)
        for name, value in re.findall(r"^(size|c_min) +\d+ +(\d+)$", text, re.MULTILINE)
    }
    return max(figures.get("size", 0) - figures.get("c_min", 0), 0)


def pressure(_live: Live, _question: AnyQuestion) -> Json:
    """How long work waited (Linux 4.20, CONFIG_PSI), and the load.

    answer: cpu, memory, io: {some, full: {avg10, avg60, avg300 (%), total (µs)}} or null; loadavg
    [1, 5, 15 min]; cpus; boot_time (Unix time).
    """
    import psutil  # imported when it is first asked

    answer: dict[str, Json] = {}
    for resource in ("cpu", "memory", "io"):
        try:
            answer[resource] = parse_pressure(Path(f"/proc/pressure/{resource}").read_text())
        except OSError:
            answer[resource] = None
    return {
        **answer,
        "loadavg": list(os.getloadavg()),
        "cpus": psutil.cpu_count() or 1,
        "boot_time": psutil.boot_time(),
    }


def parse_pressure(text: str) -> dict[str, dict[str, float]]:
    """The figures of one pressure file.

    `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` per line.
    """
    return {
        words[0]: {
            name: float(value) for name, _, value in (word.partition("=") for word in words[1:])
        }
        for words in map(str.split, text.splitlines())
        if words
    }


def sysctl(_live: Live, question: AnyQuestion) -> Json:
    """Kernel settings as the tool's own namespaces have them.

    args: names, dotted, or with slashes where a part holds a dot (net/ipv4/conf/eth0.1/forwarding).
    answer: name -> text, or null if there is none.
    """
    answer: dict[str, Json] = {}
    for name in question.args["names"]:
        parts = name.split("/") if "/" in name else name.split(".")
        if ".." in parts:
            raise Refused("not allowed", f"{name} is not the name of a kernel setting")
        try:
            answer[name] = Path("/proc/sys", *parts).read_text(errors="replace").strip()
        except FileNotFoundError:
            answer[name] = None
    return answer


def processes(_live: Live, _question: AnyQuestion) -> Json:
    """Every process that the tool can see.

    answer: [{pid, ppid, comm, state (proc(5) letter), start (s since boot), uid (effective),
    container (64-hex id from its cgroup, or null)}]; engine processes also have cmdline [argument];
    dockerd and containerd also threads {state: count} and stuck [{tid, wchan}] of those in D.
    """
    return list(_processes())


def _processes() -> Iterator[dict[str, Json]]:
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            head, _, tail = _bytes(f"/proc/{name}/stat").rpartition(b")")
            owner = os.stat(f"/proc/{name}").st_uid
        except OSError:
            continue
        words = tail.split()
        pid, ppid = int(name), int(words[1])
        comm = head.partition(b"(")[2].decode("utf-8", "replace")
        row: dict[str, Json] = {
            "pid": pid,
            "ppid": ppid,
            "comm": comm,
            "state": words[0].decode(),
            "start": int(words[19]) / _TICKS,
            "uid": owner,
            "container": None,
        }
        if KTHREADD not in (pid, ppid):
            row["container"] = container_of(pid)
        if comm in _ENGINE_SHORT:
            row["cmdline"] = cmdline(pid)
        if comm in _THREADS_OF:
            row |= _threads(pid)
        yield row


def _bytes(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 65536)
    finally:
        os.close(descriptor)


def container_of(pid: int) -> str | None:
    """The id of the container that a process belongs to by its cgroup, or None.

    The outermost, if containers are nested.
    """
    try:
        found = _ID.search(_bytes(f"/proc/{pid}/cgroup"))
    except OSError:
        return None
    return found[0].decode() if found else None


def cmdline(pid: int) -> list[str]:
    """The arguments of a process; empty where they cannot be read."""
    try:
        body = _bytes(f"/proc/{pid}/cmdline")
    except OSError:
        return []
    return [part.decode("utf-8", "replace") for part in body.split(b"\0")[:-1]]


def _threads(pid: int) -> dict[str, Json]:
    states: dict[str, int] = {}
    stuck = []
    try:
        names = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return {}
    for tid in names:
        try:
            state = _bytes(f"/proc/{pid}/task/{tid}/stat").rpartition(b")")[2].split()[0].decode()
        except OSError:
            continue
        states[state] = states.get(state, 0) + 1
        if state == "D":
            stuck.append({"tid": int(tid), "wchan": _text(f"/proc/{pid}/task/{tid}/wchan")})
    return {"threads": states, "stuck": stuck}


def _text(path: str) -> str | None:
    try:
        return _bytes(path).decode("utf-8", "replace").strip()
    except OSError:
        return None


def _stat(pid: int) -> tuple[str, list[bytes]]:
    """The name of a process, and the words of its /proc/PID/stat from the state on.

    Refused("gone") if there is none.
    """
    try:
        head, _, tail = _bytes(f"/proc/{pid}/stat").rpartition(b")")
    except OSError as error:
        raise Refused("gone", f"there is no process {pid}") from error
    return head.partition(b"(")[2].decode("utf-8", "replace"), tail.split()


def process_now(_live: Live, question: AnyQuestion) -> Json:
    """Whether a process lives.

    args: pid. answer: state, container (from its control group, or null). Refused("gone") if there
    is none.
    """
    pid = int(question.args["pid"])
    _, words = _stat(pid)
    return {"state": words[0].decode(), "container": container_of(pid)}


def process(_live: Live, question: AnyQuestion) -> Json:
    """One process from near; each part is null where the caller may not read it.

    args: pid. answer: pid, ppid, comm, state, start (s since boot), uid, container, cmdline,
    environ ["NAME=value"], exe, wchan, threads {state: count}, stuck [{tid, wchan}], fds (open
    descriptors), limits {name: {soft, hard}} (null: unlimited), cgroup (text), namespaces {name:
    inode}, capabilities (effective, as a hexadecimal text). Refused("gone") if there is none.
    """
    pid = int(question.args["pid"])
    here = f"/proc/{pid}"
    comm, words = _stat(pid)
    environ = _whole(f"{here}/environ")
    limits = _text(f"{here}/limits")
    status = _text(f"{here}/status") or ""
    capabilities = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    owner = re.search(r"^Uid:\s*\d+\s+(\d+)", status, re.MULTILINE)
    wchan = _text(f"{here}/wchan")
    return {
        "pid": pid,
        "ppid": int(words[1]),
        "comm": comm,
        "state": words[0].decode(),
        "start": int(words[19]) / _TICKS,
        "uid": int(owner[1]) if owner else None,
        "container": container_of(pid),
        "cmdline": cmdline(pid),
        "environ": None if environ is None else [part for part in environ.split("\0") if part],
        "exe": _target(f"{here}/exe"),
        "wchan": wchan if wchan not in ("", "0") else None,
        "fds": _count(f"{here}/fd"),
        "limits": None if limits is None else parse_limits(limits),
        "cgroup": _text(f"{here}/cgroup"),
        "namespaces": _namespaces(here),
        "capabilities": capabilities[1] if capabilities else None,
        "threads": {},
        "stuck": [],
        **_threads(pid),
    }


def wakings(_live: Live, question: AnyQuestion) -> Json:
    """How often processes were woken within a short while.

    args: pids, seconds. answer: {pid: number}; null for one that is gone, or ended and began again
    meanwhile. From voluntary_ctxt_switches in /proc/PID/status, of the main thread.
    """
    pids = [int(pid) for pid in question.args["pids"]]
    before = {pid: _switches(pid) for pid in pids}
    time.sleep(min(float(question.args["seconds"]), 1.0))
    after = {pid: _switches(pid) for pid in pids}
    return {
        str(pid): new - old
        if (old := before[pid]) is not None and (new := after[pid]) is not None and new >= old
        else None
        for pid in pids
    }


def port_connections(_live: Live, question: AnyQuestion) -> Json:
    """TCP connections whose near end has a port, listeners apart.

    args: port. answer: rows of peer, state, pid, comm; pid and comm are null where the process may
    not be read, or there is none (TIME_WAIT).
    """
    import psutil  # imported when it is first asked

    rows: list[dict[str, Json]] = []
    for connection in psutil.net_connections("tcp"):
        if not connection.laddr or not connection.raddr:
            continue
        if connection.laddr.port != question.args["port"]:
            continue
        comm = _text(f"/proc/{connection.pid}/comm") if connection.pid else None
        rows.append(
            {
                "peer": f"{connection.raddr.ip}:{connection.raddr.port}",
                "state": str(connection.status),
                "pid": connection.pid,
                "comm": comm.strip() if comm else None,
            }
        )
    return list(rows)


def reverse_path_drops(_live: Live, question: AnyQuestion) -> Json:
    """How many packets rp_filter has dropped, and how many of them within a short while.

    args: seconds. answer: total, within. From IPReversePathFilter in /proc/net/netstat. Raises
    OSError where the file cannot be read.
    """
    before = _counter("IPReversePathFilter")
    time.sleep(min(float(question.args.get("seconds", 1.5)), 2.0))
    after = _counter("IPReversePathFilter")
    return {"total": after, "within": after - before}


def _counter(name: str) -> int:
    """A counter of /proc/net/netstat, whose lines come in pairs of names and numbers."""
    lines = Path("/proc/net/netstat").read_text().splitlines()
    for names, numbers in zip(lines[::2], lines[1::2], strict=False):
        if name in names.split():
            return int(numbers.split()[names.split().index(name)])
    return 0


def _switches(pid: int) -> int | None:
    found = re.search(
        r"^voluntary_ctxt_switches:\s*(\d+)", _text(f"/proc/{pid}/status") or "", re.MULTILINE
    )
    return int(found[1]) if found else None


def parse_limits(text: str) -> dict[str, dict[str, int | None]]:
    """The rows of /proc/PID/limits by name ("Max open files"); None is unlimited."""
    rows = re.findall(
        r"^(Max [a-z -]+?)\s{2,}(\d+|unlimited)\s+(\d+|unlimited)", text, re.MULTILINE
    )
    return {
        name: {
            "soft": None if soft == "unlimited" else int(soft),
            "hard": None if hard == "unlimited" else int(hard),
        }
        for name, soft, hard in rows
    }


def _whole(path: str) -> str | None:
    try:
        return Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def _target(path: str) -> str | None:
    try:
        return os.fsencode(os.readlink(path)).decode("utf-8", "replace")
    except OSError:
        return None


def _count(folder: str) -> int | None:
    try:
        return len(os.listdir(folder))
    except OSError:
        return None


def _namespaces(here: str) -> dict[str, int] | None:
    found = {}
    for name in ("mnt", "net", "pid", "user", "cgroup", "ipc", "uts"):
        target = _target(f"{here}/ns/{name}")
        if target is None:
            return None
        found[name] = int(target.partition("[")[2].rstrip("]"))
    return found


def listeners(live: Live, question: AnyQuestion) -> Json:
    """Sockets of the tool's network namespace that take what comes to a port.

    answer: [{proto: tcp|tcp6|udp|udp6, address, port, uid, inode, pid, comm, container}]; pid,
    comm, container are null where the owner may not be seen or the socket has none (the kernel's
    own).
    """
    sockets = live.helper("network").call("listeners", {}, live.deadline(question) - MARGIN_S)
    rows: list[dict[str, Json]] = [
        {
            "proto": listener["protocol"] + ("6" if listener["family"] == "inet6" else ""),
            **{name: listener[name] for name in ("address", "port", "uid", "inode")},
        }
        for listener in sockets
    ]
    owners = _owners({row["inode"] for row in rows})
    for row in rows:
        pid = owners.get(row["inode"])
        row["pid"] = pid
        row["comm"] = None if pid is None else _text(f"/proc/{pid}/comm")
        row["container"] = None if pid is None else container_of(pid)
    return rows


def _owners(inodes: set[int]) -> dict[int, int]:
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    owners: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        if len(owners) == len(wanted):
            break
        try:
            descriptors = os.listdir(f"/proc/{name}/fd")
        except OSError:
            continue
        for descriptor in descriptors:
            inode = wanted.get(_target(f"/proc/{name}/fd/{descriptor}") or "")
            if inode is not None:
                owners.setdefault(inode, int(name))
    return owners


def deleted_files(live: Live, question: AnyQuestion) -> Json:
    """Files on disks that are deleted but still open, biggest first; each counts once.

    Their figures come from the helper process.

    args: min_bytes (1 MiB). answer: files [{pid, comm, container, fd, path, bytes, dev, fstype}],
    unseen (processes whose descriptors may not be read).
    """
    minimum = int(question.args.get("min_bytes", 1 << 20))
    found = live.helper("disk").call(
        "deleted_files",
        {"path": "deleted files", "min_bytes": minimum},
        live.deadline(question) - MARGIN_S,
    )
    for row in found["files"]:
        row["comm"] = _text(f"/proc/{row['pid']}/comm")
        row["container"] = container_of(row["pid"])
    return found


def descriptors(_live: Live, question: AnyQuestion) -> Json:
    """Processes that have many files open, the nearest to their own soft limit first.

    args: share (percent of the limit from which on a process is reported). answer: processes [{pid,
    comm, container, open, limit}], unseen (processes whose descriptors may not be counted).
    """
    share = float(question.args["share"])
    rows: list[dict[str, Json]] = []
    unseen = 0
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            count = len(os.listdir(f"/proc/{name}/fd"))
        except OSError as error:
            unseen += error.errno in (errno.EACCES, errno.EPERM)
            continue
        if count < FEW_FILES:
            continue
        limit = (
            parse_limits(_text(f"/proc/{name}/limits") or "").get("Max open files", {}).get("soft")
        )
        if limit and 100 * count >= share * limit:
            comm, container = _text(f"/proc/{name}/comm"), container_of(int(name))
            rows.append(
                {
                    "pid": int(name),
                    "comm": comm,
                    "container": container,
                    "open": count,
                    "limit": limit,
                }
            )
    return {
        "processes": sorted(rows, key=lambda row: -row["open"] / row["limit"]),
        "unseen": unseen,
    }


def open_under(_live: Live, question: AnyQuestion) -> Json:
    """Which files below a folder a process has open for writing.

    The kernel adds " (deleted)" to a name that is gone. The engine also reads a log while this tool
    asks for its lines: what is open for reading alone says nothing of where lines go.

    args: pid, folder. answer: paths.
    """
    pid, folder = question.args["pid"], question.args["folder"].rstrip("/") + "/"
    links = [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    targets = (_target(link) or "" for link in links if _is_for_writing(link))
    return {"paths": sorted({target for target in targets if target.startswith(folder)})}


def _is_for_writing(link: str) -> bool:
    """Whether a descriptor is open for writing: the mode of its link says so (proc_fd_link)."""
    try:
        return bool(os.lstat(link).st_mode & stat.S_IWUSR)
    except OSError:
        return False


def reason_of(error: OSError) -> str:
    """The reason for a part of an answer that could not be had."""
    return ERRNO_REASONS.get(error.errno or 0, "refused")


def owned_by_root(path: str) -> bool:
    """Whether only root can have written this program."""
    found = Path(path).stat()
    return found.st_uid == 0 and not found.st_mode & (stat.S_IWOTH | stat.S_IWGRP)
