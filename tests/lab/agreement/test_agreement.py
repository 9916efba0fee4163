"""The walk against real packets on generated hosts.

Each test runs in namespaces of its own, in a process of its own: a failure prints the seed, the
host and the connection.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
LONG = bool(os.environ.get("DIAGNOSE_LAB_LONG"))
HOSTS = 300 if LONG else 12
PATH_HOSTS = 40
_SUMMARY = re.compile(r"([\d.]+)% of (\d+) decided agree, ([\d.]+)% undecided")

pytestmark = [
    pytest.mark.timeout(1800 if LONG else 180),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(
        not shutil.which("nft") or not shutil.which("iptables-nft"),
        reason="nft or iptables is missing",
    ),
]


def in_namespaces(module: str, seed: int, hosts: int) -> subprocess.CompletedProcess[str]:
    """Run a module on so many generated hosts."""
    inside = f"mount -t tmpfs run /run && exec {sys.executable} -m {module} {seed} {hosts}"
    return subprocess.run(
        ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", inside],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=1700 if LONG else 170,
        check=False,
    )


def test_the_walk_agrees_with_real_packets() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    done = in_namespaces("tests.lab.agreement.packets", seed, HOSTS)
    summary = _SUMMARY.search(done.stdout)
    assert summary is not None, done.stdout + done.stderr
    print(done.stdout)
    agreement, decided, undecided = float(summary[1]), int(summary[2]), float(summary[3])
    assert decided > HOSTS * 20
    # in a short run one connection more or less is more than the whole margin
    assert agreement >= (99 if LONG else 98), done.stdout
    assert undecided <= (5 if LONG else 10), done.stdout


@pytest.mark.skipif(not LONG, reason="DIAGNOSE_LAB_LONG is not set: left to the nightly run")
def test_paths_agree_with_real_packets() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    done = in_namespaces("tests.lab.agreement.paths", seed, PATH_HOSTS)
    summary = _SUMMARY.search(done.stdout)
    assert summary is not None, done.stdout + done.stderr
    print(done.stdout)
    agreement, decided, undecided = float(summary[1]), int(summary[2]), float(summary[3])
    assert decided > PATH_HOSTS * 15
    assert agreement >= 99, done.stdout
    assert undecided <= 5, done.stdout
