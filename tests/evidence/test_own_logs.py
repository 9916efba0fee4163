"""What proxies write of their upstreams into files below a mount."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.own_logs import OwnLogs, own_logs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from tests.hosts import Made
from tests.inspected import container, of

NOW = 1_800_000_000.0
DATA = {"Type": "bind", "Source": "/srv/npm/data", "Destination": "/data", "RW": True}
LOGS = {"Type": "volume", "Source": "/v/logs/_data", "Destination": "/var/log/nginx", "RW": True}
CALL = (
    "{} [error] 9#9: *15 connect() failed (111: Connection refused) while connecting to upstream, "
    'client: 192.0.2.1, server: films.lab.test, upstream: "http://127.0.0.1:8096/"'
)
SCAN = '2026/11/28 12:00:05 [error] 9#9: *16 open() "/www/.env" failed (2: No such file)'
TEXT = "\n".join([CALL.format("2026/11/28 12:00:00"), SCAN, CALL.format("2026/11/28 12:00:10"), ""])


def seen(
    mount: dict[str, Any], path: str, text: str = TEXT, comm: str = "nginx", age: float = 5
) -> OwnLogs:
    folder, _, name = path.rpartition("/")
    app = container("proxy", Mounts=[mount])

    def listing(question: Any) -> dict[str, Any]:
        listed = f"{question.root}{question.path}".rstrip("/")
        names = [name, "access.log"] if listed == folder else []
        return {"entries": [{"name": each, "type": "file"} for each in names]}

    def read(question: Any) -> dict[str, Any]:
        assert f"{question.root}{question.path}" == path
        assert not question.follow
        return {"text": text}

    host = Made(
        {
            "file.list": listing,
            "file.stats": {path: {"type": "file", "mtime": NOW - age}},
            "file.read": read,
        }
    )
    process = Process(pid=1, comm=comm, uid=0, container=app.id, start=1)
    return own_logs(host, of(app), Processes((process,)), Clock(NOW, 0.0))


NPM = "/srv/npm/data/logs/proxy-host-1_error.log"


@pytest.mark.parametrize(
    ("mount", "path"),
    [
        pytest.param(DATA, NPM, id="below a folder of data"),
        pytest.param(LOGS, "/v/logs/_data/error.log", id="a volume for logs"),
    ],
)
def test_lines_about_upstreams_with_their_times(mount: dict[str, Any], path: str) -> None:
    ((_, lines),) = seen(mount, path).by_id.items()
    assert [line.at for line in lines] == [NOW - 15, NOW - 5]
    assert all("127.0.0.1:8096" in line.text for line in lines)


def test_a_line_is_not_now_because_a_scanner_calls_now() -> None:
    later = SCAN.replace("12:00:05", "12:40:10")
    ((_, lines),) = seen(DATA, NPM, f"{TEXT}{later}\n").by_id.items()
    assert [line.at for line in lines] == [NOW - 2415, NOW - 2405]


SILENT: dict[str, dict[str, Any]] = {
    "nobody was turned away recently": {"age": 900},
    "scanners alone": {"text": f"{SCAN}\n"},
    "no stamp that is a time": {"text": CALL.format("2026/13/48 99:00:00").replace("13", "ab")},
    "another program": {"comm": "postgres"},
    "no error log": {"path": "/srv/npm/data/logs/notes.txt"},
    "a mount to read": {"mount": {**DATA, "RW": False}},
}


@pytest.mark.parametrize("change", SILENT.values(), ids=list(SILENT))
def test_what_is_no_such_line(change: dict[str, Any]) -> None:
    assert seen(**{"mount": DATA, "path": NPM, **change}) == OwnLogs()
