"""The check in checks/container/volume_outdated.py."""

from __future__ import annotations

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.mounts.outdated_volumes import OutdatedVolume, OutdatedVolumes
from tests.inspected import container
from tests.judging import judge, rows


def test_a_volume_that_hides_newer_files() -> None:
    mount = Mount(type="volume", name="f" * 64, destination="/www/")
    volume = OutdatedVolume(container("web"), mount, ("index.html", "css/site.css"))
    result = judge("container.volume-outdated", outdated_volumes=OutdatedVolumes((volume,)))
    assert rows(result) == [("advice", "web")]
    (finding,) = result.findings
    assert finding.variables["above"] == "web:/www"
    assert "2 newer files" in finding.summary
    assert "f" * 13 not in finding.summary


def test_no_such_volume() -> None:
    assert judge("container.volume-outdated", outdated_volumes=OutdatedVolumes()).findings == ()
