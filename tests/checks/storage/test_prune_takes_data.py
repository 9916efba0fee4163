"""Jobs of the host that remove volumes: storage.prune-takes-data."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.cron_calls import PruneCall, PruneCalls
from diagnose.evidence.storage.volumes.threatened_volumes import (
    ThreatenedVolumesByJob,
    threatened_volumes,
)
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, Volume
from diagnose.model import HOST, Result, Unavailable, Unexamined, Verdict
from diagnose.phrases import unix
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

MADE = "2026-01-02T03:00:00Z"
AT = unix(MADE) or 0.0
NOW = Clock(wall=AT + 600, booted=0.0)
PROJECT = {"com.docker.compose.project": "shop"}
DATA = Volume("shop_data", mountpoint="/v/shop_data/_data", labels=PROJECT)
FORGOTTEN = Volume("ci_42", mountpoint="/v/ci_42/_data")
NAMELESS = Volume("a" * 64, mountpoint="/v/nameless/_data")
ALL = PruneCall("/etc/cron.d/prune", 1, "docker volume prune -af", "volume", every=True)
SYSTEM = PruneCall("/etc/cron.d/prune", 1, "docker system prune -af --volumes", "system")
OF_UNIT = PruneCall(
    "/etc/systemd/system/prune.service", 4, "docker volume prune -af", "volume", every=True
)


def _judge(
    *calls: PruneCall,
    volumes: tuple[Volume, ...] = (DATA,),
    names: list[str] | None = None,
    engine: str = "28.5.2",
    containers: tuple[Container, ...] = (),
    events: Events | None = None,
) -> Result:
    entries = [{"name": name, "type": "file"} for name in (["ibdata1"] if names is None else names)]
    host = Made({"file.list": {"entries": entries}})
    found = threatened_volumes(
        host,
        PruneCalls(calls),
        UnusedVolumes(volumes),
        of(*containers),
        events,
        Ping("1.51", engine, ""),
    )
    jobs = PruneCalls(calls)
    return judge("storage.prune-takes-data", prune_calls=jobs, threatened=found, clock=NOW)


FOUND = [("warning", "host")]
CASES = {
    "a volume with data": (_judge(ALL), FOUND),
    "a volume of no project": (_judge(ALL, volumes=(FORGOTTEN,)), [("advice", "host")]),
    "an empty volume": (_judge(ALL, names=[]), []),
    "a volume without a name": (_judge(ALL, volumes=(NAMELESS,)), []),
    "no volume": (_judge(ALL, volumes=()), []),
    "no job": (_judge(), []),
    "a prune of all on a new engine": (_judge(SYSTEM), []),
    "a prune of all on an old engine": (_judge(SYSTEM, engine="20.10.24"), FOUND),
}


@pytest.mark.parametrize(("result", "expected"), CASES.values(), ids=CASES)
def test_volumes_that_go_next(result: Result, expected: list[tuple[str, str]]) -> None:
    assert rows(result) == expected


UNREAD = Unexamined(HOST, "the crontabs of /var/spool/cron: only root may read them")
UNKNOWN: dict[str, tuple[PruneCalls | Unavailable, Verdict]] = {
    "a folder that only root may read": (PruneCalls((), (UNREAD,)), Verdict.UNKNOWN),
    "no answer": (Unavailable("timed out"), Verdict.UNKNOWN),
    "of an older bundle": (Unavailable("not recorded"), Verdict.SKIPPED),
}


@pytest.mark.parametrize(("jobs", "verdict"), UNKNOWN.values(), ids=UNKNOWN)
def test_jobs_that_are_not_known_are_no_pass(
    jobs: PruneCalls | Unavailable, verdict: Verdict
) -> None:
    none = ThreatenedVolumesByJob()
    result = judge("storage.prune-takes-data", prune_calls=jobs, threatened=none, clock=NOW)
    assert result.verdict is verdict


def test_a_crontab_is_edited_and_a_unit_is_not() -> None:
    (of_cron,) = _judge(ALL).findings
    assert of_cron.variables == {"crontab": "/etc/cron.d/prune", "edit": "1s/^/# /"}
    (of_unit,) = _judge(OF_UNIT).findings
    assert of_unit.variables == {"file": OF_UNIT.path, "line": "4"}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(AT - 60, [("warning", "db")], id="before its container was made"),
        pytest.param(AT + 60, [], id="later, as of another volume of the name"),
    ],
)
def test_a_volume_that_was_removed_and_made_anew(
    at: float, expected: list[tuple[str, str]]
) -> None:
    mount = {
        "Type": "volume",
        "Name": "shop_data",
        "Destination": "/data",
        "Source": "/v/shop_data",
    }
    db = container("db", Created=MADE, Mounts=[mount])
    gone = Event(at, "volume", "destroy", "", "shop_data", {})
    result = _judge(ALL, volumes=(), containers=(db,), events=Events((gone,)))
    assert rows(result) == expected
