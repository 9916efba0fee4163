"""Collectors for figures of the host as a whole: memory, pressure, mounts, kernel settings."""

import os
import re
import time
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import asdict

from diagnose.live import Live, Refused
from diagnose.live.kernel import mountinfo as table
from diagnose.live.kernel.proc_files import counters_of, read, text_of
from diagnose.mappings import assignments
from diagnose.model import Json
from diagnose.questions.machine import ListMounts, ReadMemory, ReadPressure, ReadSysctls, SampleCpus
from diagnose.questions.network import CountReversePathDrops
from diagnose.questions.run import IdentifyKernel


def uname(_live: Live, _question: IdentifyKernel) -> Json:
    """answer: nodename, release, version, machine."""
    system = os.uname()
    return {
        "nodename": system.nodename,
        "release": system.release,
        "version": system.version,
        "machine": system.machine,
    }


def mounts(_live: Live, _question: ListMounts) -> Json:
    """The tool's mount table."""
    return [
        {**asdict(mount), "options": ",".join(mount.options), "super": ",".join(mount.super)}
        for mount in table.mounts()
    ]


def memory(_live: Live, _question: ReadMemory) -> Json:
    """The host's memory in bytes, and how often the kernel has killed since the boot.

    Before Linux 4.13 the kernel does not count that.
    """
    figures = parse_meminfo(Path("/proc/meminfo").read_text())
    kills = re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(), re.MULTILINE)
    return {
        "total": figures["MemTotal"],
        "available": figures.get("MemAvailable", figures["MemFree"] + figures["Cached"]),
        "free": figures["MemFree"],
        "cached": figures["Cached"] + figures.get("SReclaimable", 0),
        "buffers": figures.get("Buffers", 0),
        "shmem": figures.get("Shmem", 0),
        "slab": figures.get("Slab", 0),
        "swap_total": figures.get("SwapTotal", 0),
        "swap_free": figures.get("SwapFree", 0),
        "zfs_cache": parse_arc(text_of("/proc/spl/kstat/zfs/arcstats") or ""),
        "commit_limit": figures.get("CommitLimit", 0),
        "committed": figures.get("Committed_AS", 0),
        "overcommit": int(Path("/proc/sys/vm/overcommit_memory").read_text()),
        "oom_kill": int(kills[1]) if kills else None,
    }


def parse_meminfo(text: str) -> dict[str, int]:
    """Bytes by the name of the line (proc_meminfo(5)); MemAvailable since Linux 3.14.

    psutil has these figures too, and its import takes 10 ms of every run.
    """
    return {
        name: int(kibibytes) * 1024
        for name, kibibytes in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)
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


def pressure(_live: Live, _question: ReadPressure) -> Json:
    """How long work waited (Linux 4.20, CONFIG_PSI), and the load."""
    answer: dict[str, Json] = {}
    for resource in ("cpu", "memory", "io"):
        try:
            answer[resource] = parse_pressure(Path(f"/proc/pressure/{resource}").read_text())
        except OSError:
            answer[resource] = None
    return {**answer, "loadavg": list(os.getloadavg()), "cpus": os.cpu_count() or 1}


def idle_cpus(_live: Live, question: SampleCpus) -> Json:
    """Two readings of /proc/stat, and what lies between them."""
    first = cpu_times(Path("/proc/stat").read_text())
    time.sleep(min(question.seconds, 1.0))
    second = cpu_times(Path("/proc/stat").read_text())
    shares: dict[str, Json] = {}
    for number, now in second.items():
        before = first.get(number, now)
        if now.total > before.total:
            shares[number] = 100 * (now.idle - before.idle) / (now.total - before.total)
    return shares


class CpuTime(NamedTuple):
    """The idle and total time of a processor since the boot, in ticks."""

    idle: int
    """With what it waited for disks."""
    total: int


def cpu_times(text: str) -> dict[str, CpuTime]:
    """Of each CPU how it has spent its time (proc(5))."""
    times = {}
    for line in text.splitlines():
        name, *words = line.split()
        if name.startswith("cpu") and name[3:].isdigit():
            # guest time is counted in user time already
            numbers = [int(word) for word in words[:8]]
            times[name[3:]] = CpuTime(sum(numbers[3:5]), sum(numbers))
    return times


def parse_pressure(text: str) -> dict[str, dict[str, float]]:
    """The figures of one pressure file.

    `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` per line.
    """
    figures = {}
    for line in filter(str.strip, text.splitlines()):
        kind, *words = line.split()
        figures[kind] = {name: float(value) for name, value in assignments(words).items()}
    return figures


def sysctl(_live: Live, question: ReadSysctls) -> Json:
    """Kernel settings as the tool's own namespaces have them."""
    answer: dict[str, Json] = {}
    for name in question.names:
        parts = name.split("/") if "/" in name else name.split(".")
        if ".." in parts:
            raise Refused("not allowed", f"{name} is not the name of a kernel setting")
        try:
            answer[name] = read(f"/proc/sys/{'/'.join(parts)}").decode("utf-8", "replace").strip()
        except FileNotFoundError:
            answer[name] = None
    return answer


def reverse_path_drops(_live: Live, question: CountReversePathDrops) -> Json:
    """How many packets rp_filter has dropped, and how many of them within a short while, from
    IPReversePathFilter in /proc/net/netstat.

    Raises OSError where the file cannot be read.
    """
    before = _packets_dropped_by_filter()
    time.sleep(min(question.seconds, 2.0))
    after = _packets_dropped_by_filter()
    return {"total": after, "within": after - before}


def _packets_dropped_by_filter() -> int:
    return counters_of("self", "netstat").get("TcpExt:IPReversePathFilter", 0)
