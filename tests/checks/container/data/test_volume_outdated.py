"""The check in checks/container/data/volume_outdated.py."""

from __future__ import annotations

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.mounts.data.outdated_volumes import (
    OutdatedVolume,
    OutdatedVolumes,
)
from diagnose.evidence.engine.info import Info, Ping
from diagnose.model import Result, Verdict
from tests.inspected import container
from tests.judging import judge, rows

ENGINE = Ping("1.51", "28.5.2", "")


def _judged(volumes: OutdatedVolumes, ping: Ping = ENGINE, driver: str = "overlay2") -> Result:
    info = Info(driver=driver)
    return judge("container.volume-outdated", outdated_volumes=volumes, ping=ping, info=info)


def test_a_volume_that_hides_newer_files() -> None:
    mount = Mount(type="volume", name="f" * 64, destination="/www/")
    volume = OutdatedVolume(container("web"), mount, ("index.html", "css/site.css"))
    result = _judged(OutdatedVolumes((volume,)))
    assert rows(result) == [("advice", "web")]
    (finding,) = result.findings
    assert finding.variables["above"] == "web:/www"
    assert "2 newer files" in finding.summary
    assert "f" * 13 not in finding.summary


def test_no_such_volume() -> None:
    assert _judged(OutdatedVolumes()).verdict is Verdict.PASSED


def test_what_was_not_compared_is_no_pass() -> None:
    old = Ping("1.41", "20.10.24", "")
    assert _judged(OutdatedVolumes((), 3)).verdict is Verdict.UNKNOWN
    assert _judged(OutdatedVolumes(), old).verdict is Verdict.SKIPPED
    assert _judged(OutdatedVolumes(), driver="btrfs").verdict is Verdict.SKIPPED
