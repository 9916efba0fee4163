"""The check in checks/container/settings/settings_unread.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.mounts.edited_settings import all_edited_settings
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.run.options import Options
from diagnose.phrases import unix
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

STARTED = unix("2026-01-02T03:04:05Z") or 0.0
NOW, BOOT = STARTED + 5 * 86400, STARTED - 86400
CLOCK = Clock(NOW, BOOT)
HOUR = 3600.0
FILES = {"/etc/nginx/conf.d": "site.conf", "/etc/nginx": "conf.d"}


def mount(destination: str, rw: bool = False) -> dict[str, Any]:
    return {"Type": "bind", "Source": "/srv/own", "Destination": destination, "RW": rw}


def made(
    edited: float, uid: int = 0, log: str = "", names: tuple[str, ...] = ("site.conf",)
) -> Made:
    """A host with a mounted file, or a folder with some, that were edited so long ago."""

    def stats(question: Any) -> dict[str, object]:
        return {
            path: {"type": "file", "mtime": NOW - edited, "uid": uid} for path in question.paths
        }

    def listing(question: Any) -> dict[str, object]:
        if question.path == "/":
            return {"entries": [{"name": "conf.d", "type": "folder"}]}
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    return Made({"file.stats": stats, "file.list": listing, "api.logs": {"text": log}})


RELOAD_LINE = '2026-01-07T02:30:05.000000000Z msg="Completed loading of configuration file"\n'
OTHER_LINE = "2026-01-07T02:30:05.000000000Z 10.0.0.1 - GET /\n"
SIGNAL = Event(NOW - 60, "container", "kill", "", f"{'web':0<64}", {"signal": "1"})
PROM = "/etc/prometheus/prometheus.yml"
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a site of nginx": ({"comm": "nginx", "destination": "/etc/nginx"}, "aloud"),
    "a checkout of all files": (
        {"comm": "nginx", "destination": "/etc/nginx", "names": ("a.conf", "b.conf", "c.conf")},
        "quiet",
    ),
    "reloaded since": ({"comm": "nginx", "destination": "/etc/nginx", "loaded": 60.0}, ""),
    "sites that are set aside": (
        {"comm": "nginx", "destination": "/etc/nginx/sites-available/a.conf"},
        "",
    ),
    "a page and no settings": ({"comm": "nginx", "destination": "/usr/share/nginx/html"}, ""),
    "a moment ago": ({"comm": "nginx", "destination": "/etc/nginx", "edited": 10.0}, ""),
    "days ago": ({"comm": "nginx", "destination": "/etc/nginx", "edited": 30 * HOUR}, "quiet"),
    "by its start script": (
        {"comm": "nginx", "destination": "/etc/nginx", "edited": 5 * 86400 - 6.0},
        "",
    ),
    "Prometheus": ({"comm": "prometheus", "destination": PROM}, "aloud"),
    "a line of the log": ({"comm": "prometheus", "destination": PROM, "log": RELOAD_LINE}, ""),
    "another line": ({"comm": "prometheus", "destination": PROM, "log": OTHER_LINE}, "aloud"),
    "a log that began later": (
        {"comm": "prometheus", "destination": PROM, "log": OTHER_LINE * 400},
        "",
    ),
    "a signal": ({"comm": "prometheus", "destination": PROM, "events": (SIGNAL,)}, ""),
    "a program that looks again": (
        {"comm": "caddy", "destination": "/etc/caddy/Caddyfile", "words": ["caddy", "--watch"]},
        "",
    ),
    "named by the command": (
        {"comm": "mosquitto", "destination": "/own/m.conf", "words": ["-c", "/own/m.conf"]},
        "aloud",
    ),
    "a program that writes its file": (
        {"comm": "redis-server", "destination": "/etc/redis/redis.conf", "rw": True, "uid": 999},
        "",
    ),
    "a program that nobody knows": ({"comm": "shopd", "destination": "/etc/shop/a.conf"}, ""),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_an_edited_file(case: dict[str, Any], expected: str) -> None:
    facts = {"rw": False, "loaded": 0.0, "edited": HOUR, "uid": 0, "log": "", **case}
    web = container(
        "web",
        Config={"Cmd": case.get("words", ["run"])},
        Mounts=[mount(case["destination"], facts["rw"])],
    )
    start = NOW - facts["loaded"] if facts["loaded"] else STARTED
    first = Process(pid=100, comm=case["comm"], start=STARTED - BOOT, uid=999, container=web.id)
    worker = Process(pid=101, comm=case["comm"], start=start - BOOT, uid=999, container=web.id)
    edited = all_edited_settings(
        made(facts["edited"], facts["uid"], facts["log"], case.get("names", ("site.conf",))),
        Containers([web]),
        Processes((first, worker)),
        CLOCK,
        None,
        Events(case.get("events", ())),
    )
    result = judge(
        "container.settings-unread", all_edited_settings=edited, clock=CLOCK, options=Options()
    )
    assert rows(result) == ([("advice", "web")] if expected else [])
    assert [finding.is_quiet for finding in result.findings] == (
        [expected == "quiet"] if expected else []
    )
