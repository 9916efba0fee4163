"""The check in checks/container/mounts/engine_data_elsewhere.py."""

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.former_roots import former_root_mounts
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.model import Failed, Json
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

LOGS = "/var/lib/docker/containers"
CASES = {
    "an empty folder": (LOGS, "/data/docker", {}, [], [("warning", "promtail")]),
    "what was there before": (LOGS, "/data/docker", {}, ["old"], [("advice", "promtail")]),
    "the whole root": ("/var/lib/docker", "/data/docker", {}, [], [("advice", "promtail")]),
    "a link to the data root": (LOGS, "/data/docker", {LOGS: 7}, [], []),
    "a folder that the root lacks": (LOGS, "/data/docker", {"/data/docker/containers": 0}, [], []),
    "the usual root": (LOGS, "/var/lib/docker", {}, [], []),
    "a root of a user namespace": (LOGS, "/var/lib/docker/1000.1000", {}, [], []),
    "another folder": ("/srv/logs", "/data/docker", {}, [], []),
    "a name that begins alike": ("/var/lib/docker-logs", "/data/docker", {}, [], []),
}


@pytest.mark.parametrize(
    ("source", "root", "inodes", "entries", "expected"), CASES.values(), ids=CASES
)
def test_mounts_of_a_root_that_is_not_in_force(
    source: str, root: str, inodes: dict[str, int], entries: list[str], expected: Any
) -> None:
    """inodes: by path; 7 is that of the data root, others differ, and 0 is missing."""
    mount = {"Type": "bind", "Source": source, "Destination": "/logs", "RW": False}
    promtail = container_in("running", name="promtail", Mounts=[mount])

    def status(path: str) -> Json:
        ino = inodes.get(path, 7 if path.startswith("/data") else 9)
        return {"dev": "8:1", "ino": ino} if ino else {"failed": "missing"}

    host = Made(
        {
            "file.stats": lambda question: {path: status(path) for path in question.paths},
            "file.list": {"entries": [{"name": name, "type": "directory"} for name in entries]},
        }
    )
    found = former_root_mounts(host, of(promtail), DataRoot(root, "info"))
    result = judge("container.engine-data-elsewhere", mounts=found, root=DataRoot(root, "info"))
    assert rows(result) == expected
    if expected:
        assert result.findings[0].variables["volume"] == f"{found.items[0].present}:/logs:ro"


def test_a_folder_that_cannot_be_listed_is_not_called_empty() -> None:
    mount = {"Type": "bind", "Source": LOGS, "Destination": LOGS, "RW": True}
    promtail = container_in("running", name="promtail", Mounts=[mount])
    inodes: dict[str, Json] = {LOGS: {"ino": 9}, "/data/docker/containers": {"ino": 7}}
    host = Made({"file.stats": inodes, "file.list": Failed("forbidden", "no")})
    (found,) = former_root_mounts(host, of(promtail), DataRoot("/data/docker", "info"))
    assert not found.is_empty
