"""The process that serves each tun and tap interface.

The kernel names the interface in the process's fdinfo.
"""

# A scan makes tens of thousands of these calls, and pathlib triples their cost.
# ruff: noqa: PTH115, PTH208

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions.network import ListTunnelHolders

_DEVICE = "/dev/net/tun"
_INTERFACE = re.compile(r"^iff:\s*(\S+)", re.MULTILINE)
_UNIT = re.compile(r"/([^/\n]+\.(?:service|scope))(?:/|$)", re.MULTILINE)


def tunnels(_live: Live, _question: ListTunnelHolders) -> list[dict[str, Any]]:
    """The processes that hold a tun or tap interface open.

    Shape: rows of `TunnelHolder`; the unit is that of the process's cgroup. Processes of other
    users are visible to root only. Source: `tun_chr_show_fdinfo` in the kernel's drivers/net/tun.c
    writes `iff:` and the name.
    """
    rows = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            rows += [_row(name, interface) for interface in _held_tunnels(name)]
    return sorted(rows, key=lambda row: (row["interface"], row["pid"]))


def _held_tunnels(pid: str) -> Iterator[str]:
    """The tunnel interfaces whose device a process has open."""
    folder = f"/proc/{pid}/fd"
    try:
        numbers = os.listdir(folder)
    except OSError:
        return
    for number in numbers:
        try:
            if os.readlink(f"{folder}/{number}") != _DEVICE:
                continue
            info = _INTERFACE.search(Path(f"/proc/{pid}/fdinfo/{number}").read_text())
        except OSError:
            continue
        if info and info[1] != "<no":
            yield info[1]


def _row(pid: str, interface: str) -> dict[str, Any]:
    unit = _UNIT.search(_text(f"/proc/{pid}/cgroup"))
    comm = _text(f"/proc/{pid}/comm").strip()
    return {
        "interface": interface,
        "pid": int(pid),
        "comm": comm,
        "unit": unit[1] if unit else None,
    }


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
