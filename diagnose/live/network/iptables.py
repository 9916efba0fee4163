"""The rules of iptables by flavour, read only where reading loads no kernel module."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from diagnose.live import Refused
from diagnose.live.commands.run import find
from diagnose.live.kernel.modules import is_loaded
from diagnose.questions.firewall import Flavour

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions.firewall import CountLegacyPackets, SaveIptables

Family = Literal["ip", "ip6"]

TIMEOUT_S = 2.5
"""A save of 2,000 rules takes 30 ms; one that waits for the legacy lock is given up before the
question's deadline.
"""

LATER_S = 1.0
"""Clients that are dropped try again within this time."""

MAX_BYTES = 8_000_000
"""A text beyond this (some 80,000 rules) is not judged."""

_FOLDERS = (
    "/usr/sbin",
    "/sbin",
    "/usr/local/sbin",
    "/usr/bin",
    "/bin",
    "/run/current-system/sw/bin",
)
_PROGRAMS: dict[Flavour, str] = {"nft": "xtables-nft-multi", "legacy": "xtables-legacy-multi"}
_NAMES_FILES: dict[Family, str] = {"ip": "ip_tables_names", "ip6": "ip6_tables_names"}


def iptables_save(live: Live, question: SaveIptables) -> dict[str, Any]:  # noqa: ARG001 - a collector's signature
    """The text of `iptables-save` or `ip6tables-save`.

    Arguments: those of `SaveIptables`; with a pid the program is started in the network namespace
    of that process. Shape: `SavedRules`, empty where nothing of that flavour is in the kernel: the
    legacy program creates the tables that it looks at, so it runs only where the kernel names some
    already. Errors: Refused("forbidden") without root, FileNotFoundError where the program is not
    installed, TimeoutError, OSError.
    """
    flavour = question.flavour
    family = question.family
    pid = question.pid
    if not (_legacy_tables(family, pid) if flavour == "legacy" else is_loaded("nf_tables")):
        return {"text": "", "command": None}
    command = [*_enter(pid), _program(flavour, family)]
    return {"text": _saved_rules(command), "command": command}


def counted_twice(live: Live, question: CountLegacyPackets) -> list[str]:  # noqa: ARG001 - a collector's signature
    """The legacy rules with their counters, at once and once packets had time to come.

    Errors: as `iptables_save`.
    """
    family = question.family
    if not _legacy_tables(family, 0):
        return ["", ""]
    command = [_program("legacy", family), "--counters"]
    first = _saved_rules(command)
    time.sleep(LATER_S)
    return [first, _saved_rules(command)]


def _saved_rules(command: list[str]) -> str:
    """The output of an iptables command. Raises Refused where it fails or prints too much."""
    done = _run(command)
    if done.returncode:
        detail = done.stderr.decode("utf-8", "backslashreplace").strip()
        denied = "ermission denied" in detail or "not permitted" in detail
        raise Refused(
            "forbidden" if denied else "refused",
            f"{command[0]} ended with {done.returncode}: {detail}",
        )
    if len(done.stdout) > MAX_BYTES:
        raise Refused("too large", f"{command[0]} printed {len(done.stdout)} bytes")
    return done.stdout.decode("utf-8", "backslashreplace")


def _enter(pid: int) -> list[str]:
    """The command that starts another one in the network namespace of a process."""
    return [find("nsenter"), f"--net=/proc/{pid}/ns/net"] if pid else []


def _legacy_tables(family: Family, pid: int) -> bool:
    place = f"/proc/{pid}/net" if pid else "/proc/thread-self/net"
    try:
        return bool(Path(place, _NAMES_FILES[family]).read_text().strip())
    except FileNotFoundError:
        return False


def _program(flavour: Flavour, family: Family) -> str:
    """The absolute path of the flavour's program.

    By its own name, or by the plain name where that is a link to it.
    """
    plain = "iptables" if family == "ip" else "ip6tables"
    for folder in _FOLDERS:
        path = Path(folder, f"{plain}-{flavour}-save")
        if os.access(path, os.X_OK):
            return str(path)
        unnamed = Path(folder, f"{plain}-save")
        if os.access(unnamed, os.X_OK) and unnamed.resolve().name == _PROGRAMS[flavour]:
            return str(unnamed)
    raise FileNotFoundError(f"no {plain}-{flavour}-save in {', '.join(_FOLDERS)}")


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command of iptables with a bound in time."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
            env={"LC_ALL": "C", "PATH": ":".join(_FOLDERS)},
        )
    except subprocess.TimeoutExpired as late:
        raise TimeoutError(f"{command[0]} gave no answer in {TIMEOUT_S} s") from late
