"""Rootless engines that do not run, on a host without an engine of its own."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.rootless_engines import RootlessEngine, RootlessEngines
from diagnose.model import Subject, Unexamined
from diagnose.questions.service import Unit
from tests.checks.daemon.dead_engines import MISSING
from tests.checks.daemon.evidence import NOTHING, ROOT, SOCKET, daemon
from tests.judging import judge

LOGGED_OUT = RootlessEngine("shop", 1200, 2, lingers=False, has_session=False)
ROOTLESS: dict[str, tuple[RootlessEngine, Daemon, str, str]] = {
    "nobody is logged in": (LOGGED_OUT, daemon(silence=MISSING), "lingering is off", "lingering"),
    "the user lingers": (
        replace(LOGGED_OUT, lingers=True),
        daemon(silence=MISSING),
        'engine of user "shop" is not running, and it has 2 containers',
        "rootless",
    ),
    "the host's own engine has run": (
        LOGGED_OUT,
        daemon(silence=MISSING, socket=SOCKET),
        "dockerd is not running",
        "socket",
    ),
    "the host's own engine is to run": (
        LOGGED_OUT,
        daemon(silence=MISSING, unit=Unit(load_state="loaded", unit_file_state="enabled")),
        "dockerd is not running",
        "socket",
    ),
}


@pytest.mark.parametrize(
    ("rootless", "engine", "said", "variable"), ROOTLESS.values(), ids=ROOTLESS
)
def test_rootless_engines_of_a_host_without_its_own(
    rootless: RootlessEngine, engine: Daemon, said: str, variable: str
) -> None:
    (finding,) = judge(
        "daemon.not-running",
        daemon=engine,
        log=NOTHING,
        root=ROOT,
        rootless=RootlessEngines((rootless,)),
    ).findings
    assert said in finding.summary
    assert variable in finding.variables


def test_an_engine_that_answers_runs_whatever_is_not_known_of_a_container() -> None:
    unread = Unexamined(Subject("container", "web"), "the engine took too long")
    result = judge(
        "daemon.not-running",
        daemon=daemon(silence=None, socket=SOCKET),
        log=NOTHING,
        root=ROOT,
        containers=Containers((), (unread,)),
    )
    assert result.verdict == "passed"
