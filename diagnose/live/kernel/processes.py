"""Collectors for processes: the list of all, and one from near."""

# A scan makes tens of thousands of these calls, and pathlib triples their cost.
# ruff: noqa: PTH116, PTH208

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from diagnose.live import Live, Refused
from diagnose.live.kernel.proc_files import (
    cmdline,
    container_of,
    parse_limits,
    pids,
    read,
    target_of,
    text_of,
)
from diagnose.model import Json
from diagnose.questions.containers import CountWakings
from diagnose.questions.processes import MULTI_CALL, InspectProcess, ListProcesses, SeeProcess
from diagnose.word_sets import vocabulary

_WITH_ARGUMENTS = vocabulary(
    "dockerd dockerd-rootless rootlesskit containerd containerd-shim containerd-shim-runc-v1 "
    "docker-proxy docker-containerd docker-init runc crun conmon podman kubelet dnsmasq "
    "systemd-resolve ping firewalld cpulimit"
)
"""Commands whose arguments are part of the answer: the engine's own processes, those that are in
its way, and pings."""
_LONGEST_COMM = 15
"""Characters of a command's name that the kernel keeps (TASK_COMM_LEN)."""
_COMMS_WITH_ARGUMENTS = frozenset(comm[:_LONGEST_COMM] for comm in _WITH_ARGUMENTS)
_COMMS_WITH_THREADS = frozenset({"dockerd", "containerd"})
_TICKS = os.sysconf("SC_CLK_TCK")
_KTHREADD = 2
"""The parent of the kernel's own threads, which belong to no container."""


def processes(_live: Live, _question: ListProcesses) -> Json:
    """Every process that the tool can see."""
    return list(_processes())


def _processes() -> Iterator[dict[str, Json]]:
    """The rows of all processes, one by one."""
    for pid in pids():
        try:
            head, _, tail = read(f"/proc/{pid}/stat").rpartition(b")")
            owner = os.stat(f"/proc/{pid}").st_uid
        except OSError:
            continue
        words = tail.split()
        ppid = int(words[1])
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
        if _KTHREADD not in (pid, ppid):
            row["container"] = container_of(pid)
        if comm in _COMMS_WITH_ARGUMENTS:
            row["cmdline"] = cmdline(pid)
        elif comm in MULTI_CALL:
            row["cmdline"] = cmdline(pid)[:2]
        if comm in _COMMS_WITH_THREADS:
            row |= _threads(pid)
        yield row


def _threads(pid: int) -> dict[str, Json]:
    """How many threads of a process are in each state, and where those in state D wait."""
    states: dict[str, int] = {}
    stuck = []
    try:
        names = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return {}
    for tid in names:
        try:
            state = read(f"/proc/{pid}/task/{tid}/stat").rpartition(b")")[2].split()[0].decode()
        except OSError:
            continue
        states[state] = states.get(state, 0) + 1
        if state == "D":
            stuck.append({"tid": int(tid), "wchan": text_of(f"/proc/{pid}/task/{tid}/wchan")})
    return {"threads": states, "stuck": stuck}


class _Stat(NamedTuple):
    """The fields of /proc/PID/stat."""

    comm: str
    words: list[bytes]
    """From the state on."""


def _stat(pid: int) -> _Stat:
    """Refused("gone") if there is no such process."""
    try:
        head, _, tail = read(f"/proc/{pid}/stat").rpartition(b")")
    except OSError as error:
        raise Refused("gone", f"there is no process {pid}") from error
    return _Stat(head.partition(b"(")[2].decode("utf-8", "replace"), tail.split())


def process_now(_live: Live, question: SeeProcess) -> Json:
    """Whether a process lives.

    Refused("gone") if there is none.
    """
    pid = question.pid
    return {"state": _stat(pid).words[0].decode(), "container": container_of(pid)}


def process(_live: Live, question: InspectProcess) -> Json:
    """One process from near; each part is null where the caller may not read it.

    Refused("gone") if there is none.
    """
    pid = question.pid
    folder = f"/proc/{pid}"
    comm, words = _stat(pid)
    environ = _whole_text(f"{folder}/environ")
    limits = text_of(f"{folder}/limits")
    status = text_of(f"{folder}/status") or ""
    capabilities = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    owner = re.search(r"^Uid:\s*\d+\s+(\d+)", status, re.MULTILINE)
    wchan = text_of(f"{folder}/wchan")
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
        "exe": target_of(f"{folder}/exe"),
        "wchan": wchan if wchan not in ("", "0") else None,
        "fds": _number_of_entries(f"{folder}/fd"),
        "limits": None if limits is None else parse_limits(limits),
        "cgroup": text_of(f"{folder}/cgroup"),
        "namespaces": _namespaces(folder),
        "capabilities": capabilities[1] if capabilities else None,
        "policy": _policy(pid),
        "threads": {},
        "stuck": [],
        **_threads(pid),
    }


def _policy(pid: int) -> int | None:
    try:
        return os.sched_getscheduler(pid)
    except OSError:
        return None


def wakings(_live: Live, question: CountWakings) -> Json:
    """How often processes were woken within a short while, from voluntary_ctxt_switches in
    /proc/PID/status, of the main thread."""
    pids = list(question.pids)
    before = {pid: _switches(pid) for pid in pids}
    time.sleep(min(question.seconds, 1.0))
    after = {pid: _switches(pid) for pid in pids}
    return {str(pid): _increase(before[pid], after[pid]) for pid in pids}


def _increase(before: int | None, after: int | None) -> int | None:
    """None where one is not known, or the counter began again."""
    if before is None or after is None or after < before:
        return None
    return after - before


def _switches(pid: int) -> int | None:
    switches = re.search(
        r"^voluntary_ctxt_switches:\s*(\d+)", text_of(f"/proc/{pid}/status") or "", re.MULTILINE
    )
    return int(switches[1]) if switches else None


def _whole_text(path: str) -> str | None:
    try:
        return Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def _number_of_entries(folder: str) -> int | None:
    """How many entries a folder has; None where it may not be read."""
    try:
        return len(os.listdir(folder))
    except OSError:
        return None


def _namespaces(folder: str) -> dict[str, int] | None:
    namespaces = {}
    for name in ("mnt", "net", "pid", "user", "cgroup", "ipc", "uts"):
        target = target_of(f"{folder}/ns/{name}")
        if target is None:
            return None
        namespaces[name] = int(target.partition("[")[2].rstrip("]"))
    return namespaces
