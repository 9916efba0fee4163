"""Where else the containers of a host may lie: planned mounts and other data roots."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.data.data_root_candidates import (
    DataRootCandidates,
    OtherRoot,
    PlannedMount,
    RunningEngine,
    planned_in_fstab,
)
from tests.judging import judge, rows

FSTAB = """
# /etc/fstab: static file system information.
UUID=1 /                 ext4 errors=remount-ro 0 1
UUID=2 none              swap sw                0 0
UUID=3 /var/lib/docker/  xfs  defaults,nofail   0 2
UUID=4 /mnt/my\\040disk   ext4 defaults          0 2
UUID=5 /backup           ext4 noauto            0 2
broken
"""


def test_mounts_that_fstab_asks_for() -> None:
    assert [(mount.source, mount.point) for mount in planned_in_fstab(FSTAB)] == [
        ("UUID=1", "/"),
        ("UUID=3", "/var/lib/docker"),
        ("UUID=4", "/mnt/my disk"),
    ]


MOUNT = PlannedMount("/data", "UUID=3", "/etc/fstab")
OTHER = OtherRoot("/data/docker", 7)
PATH = "/etc/docker/daemon.json"


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        pytest.param(DataRootCandidates("/var/lib/docker", 3), [], id="in use, and nothing else"),
        pytest.param(
            DataRootCandidates("/data/docker", 0, (MOUNT,)),
            [("critical", "docker")],
            id="not mounted, empty",
        ),
        pytest.param(
            DataRootCandidates("/data/docker", 2, (MOUNT,)),
            [("warning", "docker")],
            id="not mounted, used",
        ),
        pytest.param(
            DataRootCandidates("/data/docker", 0, (MOUNT,), (OTHER,)),
            [("critical", "docker")],
            id="one cause",
        ),
        pytest.param(
            DataRootCandidates("/var/lib/docker", containers=0, unmounted=(), others=(OTHER,)),
            [("warning", "docker")],
            id="another root",
        ),
        pytest.param(
            DataRootCandidates(
                "/var/lib/docker", 3, running=(RunningEngine(8, "/data/docker", 7),)
            ),
            [("warning", "docker")],
            id="another engine that wants the socket",
        ),
    ],
)
def test_wrong_data_root(candidates: DataRootCandidates, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("daemon.wrong-data-root", candidates=candidates)) == expected


SNAP = "/var/snap/docker/common/var-lib-docker"


@pytest.mark.parametrize(
    ("root", "other", "config", "variables"),
    [
        pytest.param(
            "/var/lib/docker",
            "/data/docker",
            DaemonConfig(PATH),
            {"other", "root_json"},
            id="by the file",
        ),
        pytest.param(
            "/srv/docker",
            "/data/docker",
            DaemonConfig(PATH, flags={"data-root": ["/srv/docker"]}),
            {"other", "flagged"},
            id="by a flag",
        ),
        pytest.param(
            "/v/1000.1000", "/v", DaemonConfig(PATH), {"other", "remap_json"}, id="remapped since"
        ),
        pytest.param(
            "/v", "/v/1000.1000", DaemonConfig(PATH), {"other", "remapped"}, id="remapped no more"
        ),
        pytest.param(
            SNAP,
            "/var/lib/docker",
            DaemonConfig(PATH, flags={"data-root": [SNAP]}),
            {"other", "snap"},
            id="the snap has the socket",
        ),
        pytest.param(
            "/var/lib/docker", SNAP, DaemonConfig(PATH), {"other", "stopped_snap"}, id="the snap's"
        ),
    ],
)
def test_the_way_back_depends_on_who_chose_the_root(
    root: str, other: str, config: DaemonConfig, variables: set[str]
) -> None:
    candidates = DataRootCandidates(root, containers=0, unmounted=(), others=(OtherRoot(other, 1),))
    (finding,) = judge("daemon.wrong-data-root", candidates=candidates, config=config).findings
    assert finding.variables.keys() == variables
