"""What programs inside containers write into log files of their own."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.own_files.own_log_files import OwnLogFiles, own_log_files
from diagnose.evidence.containers.logs.own_files.own_logs import OwnLogs, own_logs
from diagnose.evidence.containers.logs.recent import recent_logs
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Failed, Json
from diagnose.phrases import rfc3339
from tests.hosts import Made
from tests.inspected import container, of

NOW = 1_800_000_000.0
VOLUME = {"Type": "volume", "Source": "/v/cloud/_data", "Destination": "/srv/cloud", "RW": True}
LAYER = {"Name": "overlay2", "Data": {"UpperDir": "/var/lib/docker/overlay2/x/diff"}}
CLOUD = container("cloud", Mounts=[VOLUME], GraphDriver=LAYER)
PROXY = container("proxy", Mounts=[VOLUME])
PROCESSES = Processes(
    (
        Process(pid=8, comm="php-fpm", uid=33, container=CLOUD.id, start=1),
        Process(pid=9, comm="nginx", uid=101, container=PROXY.id, start=1),
    )
)
ERROR = "[2026-11-28 12:00:0{}] production.ERROR: no such table: orders"
LOG = "\n".join(ERROR.format(second) for second in range(4)) + "\n"
IN_VOLUME = {"folder": "/v/cloud/_data", "below": "/data/app.log", "mtime": NOW - 5, "uid": 33}
OPEN = {"pid": 8, "path": "/srv/cloud/data/app.log", "mtime": NOW - 5, "uid": 33}


def files(
    found: Json | Failed, *containers: Container, processes: Processes | None = PROCESSES
) -> OwnLogFiles:
    return own_log_files(Made({"log_files": found}), of(*containers), processes)


def lines(text: str, age: float = 5.0) -> OwnLogs:
    """The lines of one file of a container that was written to so long ago."""
    answer = {"text": text, "mtime": NOW - age}
    return own_logs(Made({"file.read": answer}), files({"open": [OPEN]}, CLOUD))


FOUND: dict[str, tuple[Json, str, str]] = {
    "open": ({"open": [OPEN]}, "cloud", "/proc/8/root/srv/cloud/data/app.log"),
    "closed after each line": ({"written": [IN_VOLUME]}, "cloud", "/v/cloud/_data/data/app.log"),
    "both": (
        {"open": [OPEN], "written": [IN_VOLUME]},
        "cloud",
        "/proc/8/root/srv/cloud/data/app.log",
    ),
    "written by the other's user": (
        {"written": [{**IN_VOLUME, "uid": 101}]},
        "proxy",
        "/v/cloud/_data/data/app.log",
    ),
}


@pytest.mark.parametrize(("found", "whose", "place"), FOUND.values(), ids=FOUND)
def test_a_file_of_several_containers_is_its_writers(found: Json, whose: str, place: str) -> None:
    (file,) = files(found, CLOUD, PROXY)
    assert (file.container.name, file.path) == (whose, "/srv/cloud/data/app.log")
    assert f"{file.root}{file.below}" == place
    assert not file.end.follow


def test_folders_of_the_host_are_not_searched() -> None:
    mounts = [
        {"Type": "bind", "Source": source, "Destination": f"/{number}", "RW": source != "/srv/ro"}
        for number, source in enumerate(
            ("/", "/var/log", "/var/log/x", "/etc/app", "/srv/ro", "/srv/a")
        )
    ]
    host = Made({"log_files": {}})
    own_log_files(host, of(container("ship", Mounts=mounts)), PROCESSES)
    (question,) = host.asked
    assert [folder for folder in question.folders if not folder.startswith("/proc/")] == ["/srv/a"]


UNKNOWN: dict[str, tuple[Json | Failed, Processes | None, bool]] = {
    "processes of others": ({"unseen": [8]}, PROCESSES, True),
    "folders of root": ({"unread": ["/v/cloud/_data"]}, PROCESSES, True),
    "too slow": (Failed("timed out"), PROCESSES, True),
    "no list of processes": ({}, None, True),
    "a recording of before": (Failed("not recorded"), PROCESSES, False),
    "all": ({}, PROCESSES, False),
}


@pytest.mark.parametrize(("found", "processes", "is_said"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_could_not_be_looked_for_is_said(
    found: Json | Failed, processes: Processes | None, is_said: bool
) -> None:
    seen = files(found, CLOUD, processes=processes)
    assert bool(seen.unexamined) == is_said
    logs = recent_logs(
        Made({}), of(), Clock(NOW, 0.0), None, own_logs(Made({"file.read": Failed("gone")}), seen)
    )
    assert bool(repeated_errors(of(CLOUD), logs).unexamined) == is_said


def test_times_are_of_the_programs_own_zone() -> None:
    ((_, seen),) = lines(LOG).by_id.items()
    assert [line.at for line in seen] == [NOW - 8, NOW - 7, NOW - 6, NOW - 5]
    assert {line.path for line in seen} == {"/srv/cloud/data/app.log"}


OLD = ERROR.format(1).replace("12:00", "11:20")
UPSTREAM = "2026/11/28 12:00:01 [error] 9#9: *15 connect() failed while connecting to upstream, client: 192.0.2.1"
SCAN = '2026/11/28 12:00:05 [error] 9#9: *16 open() "/www/.env" failed (2: No such file)'
COUNTED: dict[str, tuple[str, int]] = {
    "an old line": (f"{OLD}\n{LOG}", 4),
    "a trace below its line": (f"{LOG}Stack trace:\n#0 /srv/app.php(7): load()\n", 6),
    "without times": ("ModuleNotFoundError: No module named 'shop'\n" * 40, 12),
    "binary": (f"{LOG}\0\0", 0),
    "a proxy, and a scanner": (f"{UPSTREAM}\n{SCAN}\n", 1),
    "nothing": ("\n", 0),
}


@pytest.mark.parametrize(("text", "count"), COUNTED.values(), ids=COUNTED)
def test_lines_of_now(text: str, count: int) -> None:
    assert sum(map(len, lines(text).by_id.values())) == count


def seen_errors(printed: str, own: OwnLogs) -> list[tuple[str, int]]:
    """The file and the number of the errors that are found beside what was printed."""
    answer = {"text": printed}
    logs = recent_logs(Made({"api.logs": answer}), of(CLOUD), Clock(NOW, 0.0), None, own)
    return [(error.path, error.times) for error in repeated_errors(of(CLOUD), logs)]


def test_a_line_that_is_printed_and_written_counts_once() -> None:
    printed = "\n".join(f"{rfc3339(NOW - 9 + at)} {ERROR.format(at)}" for at in range(3))
    assert seen_errors("", lines(LOG)) == [("/srv/cloud/data/app.log", 4)]
    assert seen_errors(printed, lines(LOG)) == [("", 3)]


def test_a_nextcloud_line_is_read_by_its_fields() -> None:
    text = '{{"reqId":"x","level":{},"time":"2026-11-28T12:00:0{}+00:00","message":"Could not connect to LDAP","exception":{{"Trace":"{}"}}}}'
    errors = "\n".join(text.format(3, second, "x" * 3000) for second in range(4))
    notes = "\n".join(text.format(1, second, "x" * 3000) for second in range(4))
    assert seen_errors("", lines(errors)) == [("/srv/cloud/data/app.log", 4)]
    assert seen_errors("", lines(notes)) == []
