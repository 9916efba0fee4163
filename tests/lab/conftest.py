"""The lab under pytest: which engines, the scenarios as test cases, a summary of what was proven
how."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from .box import PROJECT
from .engines import Engine, discover
from .faults import Scenario
from .faults import discover as discover_scenarios
from .sweep import sweep

TOOLS = [
    "unshare", "nsenter", "setpriv", "ip", "iptables", "dnsmasq", "busybox", "curl", "mkfs.ext4",
]  # fmt: skip
_BEGAN = time.monotonic()
DIFFERENT = frozenset({"broken_host", "traps", "firewall", "dns"})
LONG = ("test_incidents.py", "test_cures.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        action="append",
        default=None,
        help="lab: only this engine (28.5, sid, distro), all hosts on it; repeatable",
    )
    parser.addoption(
        "--every-engine",
        action="store_true",
        help="lab: all hosts on every engine, not only those where the newer ones differ (two hours)",
    )


def unfit() -> str | None:
    """Why no box can be made here, or None."""
    if sys.platform != "linux":
        return "the lab needs Linux"
    if os.geteuid() != 0:
        return "the lab needs root"
    lacking = [
        tool for tool in TOOLS if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None
    ]
    return f"the lab lacks {', '.join(lacking)}: run .ci/lab-install" if lacking else None


def chosen_engines(config: pytest.Config) -> list[Engine]:
    """The engines to run on: those asked for that there are, otherwise the oldest and the newest,
    and at night all."""
    if unfit():
        return []
    known = discover()[0]
    wanted = config.getoption("--engine", default=None)
    if wanted:
        return [engine for engine in known if engine.name in wanted or engine.suite in wanted]
    if config.getoption("--every-engine", default=False) or os.environ.get("DIAGNOSE_LAB_LONG"):
        return list(known)
    return [engine for engine in known if engine in (known[0], known[-1])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" not in metafunc.fixturenames:
        return
    if "scenario" not in metafunc.fixturenames:
        engines = chosen_engines(metafunc.config)
        metafunc.parametrize("engine", _or_skip([pytest.param(e, id=e.name) for e in engines]))
    else:
        cases = [
            pytest.param(s, e, id=f"{s.name}-{e.name}", marks=_group(s, e))
            for e in chosen_engines(metafunc.config)
            for s in discover_scenarios().values()
            if e in s.engines and _worth_it(metafunc.config, s, e)
        ]
        metafunc.parametrize(("scenario", "engine"), cases or _or_skip([], 2))


def _worth_it(config: pytest.Config, scenario: Scenario, engine: Engine) -> bool:
    """Newer engines get the hosts on which they differ: firewall, DNS, the broken host, the traps,
    and what only they can have."""
    if (
        config.getoption("--engine")
        or config.getoption("--every-engine")
        or engine == discover()[0][0]
    ):
        return True
    return scenario.engines.since > 0 or scenario.name.partition(".")[0] in DIFFERENT


def _group(scenario: Scenario, engine: Engine) -> list[pytest.MarkDecorator]:
    """Cases that share a box go to one worker."""
    if scenario.shared_box is None:
        return []
    return [pytest.mark.xdist_group(f"{scenario.shared_box}-{engine.name}")]


def _or_skip(cases: list[Any], width: int = 1) -> list[Any]:
    why = unfit() or "no engine can be had: " + "; ".join(map(str, discover()[1]))
    return cases or [pytest.param(*[None] * width, marks=pytest.mark.skip(reason=why), id="none")]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): cases of one name go to one worker")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first. Real engines on a busy machine have bad moments: what fails is built anew
    once, alone, and the summary says so.
    """
    items.sort(key=_turn)
    for test in items:
        if "lab" in test.path.parts:
            test.add_marker(pytest.mark.lab)
            test.add_marker(pytest.mark.flaky(reruns=1))
        if test.path.name in LONG and not os.environ.get("DIAGNOSE_LAB_LONG"):
            test.add_marker(
                pytest.mark.skip(
                    reason="DIAGNOSE_LAB_LONG is not set: cures and incidents take half an hour"
                )
            )


def _turn(test: pytest.Item) -> tuple[bool, int, bool]:
    """The machine takes one worker for long, so it begins before the boxes; a box that many
    scenarios share takes longer than the others. What is long among the rest comes last."""
    name = test.path.name
    order = ("test_machine.py", "test_runner.py", "test_lab.py")
    place = order.index(name) if name in order else len(order) + (name in LONG)
    has_own_box = test.get_closest_marker("xdist_group") is None
    return "lab" in test.path.parts, place, has_own_box


def pytest_runtest_setup(item: pytest.Item) -> None:
    """After $DIAGNOSE_LAB_MINUTES the rest of the lab is skipped aloud: a run that is cut off
    proves nothing at all."""
    limit = float(os.environ.get("DIAGNOSE_LAB_MINUTES", "inf"))
    if "lab" in item.path.parts and time.monotonic() - _BEGAN > limit * 60:
        pytest.skip(f"the lab's {limit:g} minutes are over")


MACHINE_SETTINGS = (
    "fs/inotify/max_user_instances", "fs/inotify/max_user_watches", "kernel/keys/maxbytes",
    "kernel/keys/maxkeys", "kernel/pid_max", "kernel/threads-max", "vm/max_map_count",
    "vm/overcommit_memory",
)  # fmt: skip
"""Settings below /proc/sys that no namespace has of its own: a cure that is typed in a box changes
the machine."""


@pytest.fixture(scope="session", autouse=True)
def _machine_settings() -> Iterator[None]:
    """Give the machine its settings back that a cure has changed."""
    before = {setting: _setting(setting) for setting in MACHINE_SETTINGS}
    yield
    for setting, value in before.items():
        if value and _setting(setting) != value:
            Path("/proc/sys", setting).write_text(value)


def _setting(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


@pytest.fixture(scope="session", autouse=True)
def _tidy() -> Iterator[None]:
    """Before: remove what killed runs left, compile the tool once; SIGTERM ends the run as Ctrl-C
    does. After: sweep."""
    if unfit():
        yield
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    sweep()
    for package in ("diagnose", "checks"):
        compileall.compile_dir(PROJECT / package, quiet=2)
    yield
    sweep()
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def record_dir(scenario: Scenario, engine: Engine) -> Path | None:
    """Where this host's recording is kept ($DIAGNOSE_RECORD/<scenario>@<engine>), or None."""
    base = os.environ.get("DIAGNOSE_RECORD")
    return Path(base).resolve() / f"{scenario.name}@{engine.name}" if base else None
