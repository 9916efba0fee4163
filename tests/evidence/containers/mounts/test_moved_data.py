"""Fresh files of a mount's names in a container's own layer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from diagnose.evidence.containers.mounts.data.moved_data import moved_data
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import NOW
from tests.hosts import Made
from tests.inspected import container, of

LAYER = "/var/lib/docker/overlay2/aa/diff"
VOLUME = "/var/lib/docker/volumes/dns/_data"
OLD = {f"{VOLUME}/dns.config": 900, f"{VOLUME}/auth.config": 300, f"{VOLUME}/zones/a": 10}


def _fresh(folder: str, size: int = 400) -> dict[str, int]:
    files = {"dns.config": size, "auth.config": 300, "zones/a": 10}
    return {f"{LAYER}{folder}/{name}": length for name, length in files.items()}


CASES: dict[str, tuple[str, Mapping[str, int], list[str]]] = {
    "above the mount": ("/etc/dns/config", _fresh("/etc/dns"), ["/etc/dns"]),
    "beside the mount": ("/etc/dns/config", _fresh("/etc/dns/data"), ["/etc/dns/data"]),
    "copied": ("/etc/dns/config", _fresh("/etc/dns", 900), []),
    "elsewhere": ("/etc/dns/config", _fresh("/opt/dns"), []),
    "in a cache": ("/var/dns", _fresh("/var/cache"), []),
    "one name alone": ("/etc/dns/config", {f"{LAYER}/etc/dns/dns.config": 400}, []),
    "filled in from a template": ("/etc/dns/templates", _fresh("/etc/dns"), []),
}


@pytest.mark.parametrize(("destination", "fresh", "expected"), CASES.values(), ids=CASES)
def test_folder(destination: str, fresh: Mapping[str, int], expected: list[str]) -> None:
    files = {**OLD, **fresh}

    def listing(question: AnyQuestion) -> Json:
        at = f"{str(question.args['path']).rstrip('/')}/"
        below = {path[len(at) :] for path in files if path.startswith(at)}
        entries = {name.split("/")[0]: "folder" if "/" in name else "file" for name in below}
        return {"entries": [{"name": name, "type": kind} for name, kind in sorted(entries.items())]}

    def stats(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        assert isinstance(paths, list)
        return {
            str(path): (
                {"type": "file", "size": files[str(path)], "mtime": NOW - 9e5}
                if str(path) in files
                else {"type": "folder", "mtime": NOW - 9e5}
            )
            for path in paths
        }

    dns = container(
        "dns",
        Created=datetime.fromtimestamp(NOW - 600, UTC).isoformat(),
        GraphDriver={"Name": "overlay2", "Data": {"UpperDir": LAYER}},
        Mounts=[
            {
                "Type": "volume",
                "Name": "dns",
                "Source": VOLUME,
                "Destination": destination,
                "RW": True,
            }
        ],
    )
    host = Made({"file.list": listing, "file.stats": stats})
    assert [moved.folder for moved in moved_data(host, of(dns), None)] == expected
