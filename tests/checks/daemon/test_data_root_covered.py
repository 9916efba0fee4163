"""The check daemon.data-root-covered."""

from __future__ import annotations

from diagnose.evidence.engine.data.covered_data_root import CoveredDataRoot
from diagnose.evidence.engine.data.covered_records import CoveredRecord, CoveredRecords
from diagnose.evidence.storage.mounts import Mounted
from diagnose.model import Verdict
from tests.checks.daemon.evidence import daemon
from tests.inspected import container, of
from tests.judging import judge, rows

LIVING = daemon(silence=None)
DISK = Mounted("/var/lib/docker", "ext4", "/dev/sdb1", dev="8:17")


def test_a_disk_over_the_data_root() -> None:
    covered = CoveredDataRoot("/var/lib/docker", DISK)
    result = judge("daemon.data-root-covered", covered=covered, daemon=LIVING)
    assert rows(result) == [("critical", "docker")]
    assert result.findings[0].variables == {"point": "/var/lib/docker"}


def test_a_disk_over_a_part_of_it() -> None:
    part = Mounted("/var/lib/docker/image", "ext4", "/dev/sdb1", dev="8:17")
    record = CoveredRecord(part, "/var/lib/docker/containers", ("a" * 64, "b" * 64))
    result = judge(
        "daemon.data-root-covered",
        covered=CoveredDataRoot("/var/lib/docker"),
        records=CoveredRecords((record,)),
        daemon=LIVING,
    )
    assert rows(result) == [("critical", "docker")]
    assert result.findings[0].variables == {"part": "/var/lib/docker/image"}


def test_a_disk_that_came_later_over_a_part_of_it() -> None:
    part = Mounted("/var/lib/docker/volumes", "ext4", "/dev/sdb1", dev="8:17")
    web = container("web")
    result = judge(
        "daemon.data-root-covered",
        covered=CoveredDataRoot("/var/lib/docker"),
        records=CoveredRecords((CoveredRecord(part, "", (web.id,), is_later=True),)),
        containers=of(web, container("db")),
        daemon=LIVING,
    )
    assert rows(result) == [("critical", "docker")]
    (finding,) = result.findings
    assert finding.variables == {"point": "/var/lib/docker/volumes"}
    assert web.subject in finding.touches


def test_nothing_over_it() -> None:
    covered = CoveredDataRoot("/var/lib/docker")
    result = judge("daemon.data-root-covered", covered=covered, daemon=LIVING)
    assert result.verdict is Verdict.PASSED


def test_an_engine_that_is_down_is_not_judged() -> None:
    covered = CoveredDataRoot("/var/lib/docker")
    result = judge("daemon.data-root-covered", covered=covered, daemon=daemon())
    assert result.verdict is Verdict.SKIPPED


def test_podman_is_not_judged() -> None:
    covered = CoveredDataRoot("/var/lib/docker")
    result = judge("daemon.data-root-covered", covered=covered, daemon=daemon(is_podman=True))
    assert result.verdict is Verdict.SKIPPED
