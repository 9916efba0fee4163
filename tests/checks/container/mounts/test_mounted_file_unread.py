"""The check in checks/container/mounts/mounted_file_unread.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.unopened_settings import unopened_settings
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.storage.mounts import Mounted, Mounts
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

STARTED = 1767323045.0
"""2026-01-02T03:04:05Z."""
WARNING, ADVICE = [("warning", "web")], [("advice", "web")]
REDIS = {"comm": "redis-server", "target": "/etc/redis/redis.conf"}
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "nobody has read it": ({}, ADVICE),
    "read since": ({"read": STARTED - 50}, []),
    "changed after the start": ({"changed": STARTED + 5}, []),
    "a read-only mount": ({"rw": False}, []),
    "no times of reading": ({"options": "rw,noatime"}, []),
    "a network": ({"fstype": "nfs4"}, []),
    "an overlay": ({"fstype": "overlay"}, ADVICE),
    "a lower layer of an overlay": ({"fstype": "overlay", "changed": 5.0, "read": 4.0}, []),
    "just started": ({"now": STARTED + 5}, []),
    "a box of tools": ({"comm": "sleep"}, []),
    "cron": ({"comm": "crond"}, []),
    "a file for browsers": ({"target": "/usr/share/nginx/html/config.json"}, []),
    "a library's file": ({"target": "/etc/krb5.conf"}, []),
    "start scripts of a database": ({"target": "/docker-entrypoint-initdb.d/a.conf"}, []),
    "data": ({"target": "/app/data.json"}, []),
    "a certificate": ({"target": "/etc/app/tls.pem"}, []),
    "settings of an application of PHP": ({"comm": "php-fpm", "target": "/app/.env"}, []),
    "the same by the name of its version": ({"comm": "php-fpm8.2", "target": "/app/.env"}, []),
    "settings of jobs": ({"target": "/etc/ansible/ansible.cfg"}, []),
    "settings of PHP": ({"comm": "php-fpm", "target": "/usr/local/etc/php/up.ini"}, ADVICE),
    "the command names the image's": (
        {"rw": False, "cmd": ["--config.file=/etc/alerts/app.conf"]},
        WARNING,
    ),
    "the command names it": ({"rw": False, "cmd": ["--config.file=/etc/app.conf"]}, []),
    "the command names a mounted one": (
        {"rw": False, "cmd": ["-c", "/b/app.conf"], "beside": "/b/app.conf"},
        [],
    ),
    "the image's file is there": (
        {"rw": False, "cmd": ["--config.file=/etc/alerts/app.conf"], "image": STARTED - 9000},
        WARNING,
    ),
    "a start script has made it": (
        {"rw": False, "cmd": ["--config.file=/etc/alerts/app.conf"], "image": STARTED + 1},
        [],
    ),
    "a folder of the image is a link": (
        {"rw": False, "cmd": ["--config.file=/etc/alerts/app.conf"], "link": "/etc/alerts"},
        [],
    ),
    "redis with a file that includes it": (
        {**REDIS, "rw": False, "cmd": ["redis-server", "/etc/redis/main.conf"]},
        [],
    ),
    "redis behind a script of one's own": (
        {**REDIS, "rw": False, "cmd": ["redis-server"], "start": ["/own.sh"]},
        [],
    ),
    "redis behind its image's script": (
        {**REDIS, "rw": False, "cmd": ["redis-server"], "start": ["docker-entrypoint.sh"]},
        WARNING,
    ),
    "redis without a file": ({**REDIS, "rw": False, "cmd": ["redis-server"]}, WARNING),
    "redis with its file": (
        {**REDIS, "rw": False, "cmd": ["redis-server", "/etc/redis/redis.conf"]},
        [],
    ),
    "redis by a start script": ({**REDIS, "rw": False, "cmd": ["/run.sh"]}, []),
    "redis with a folder of its file": (
        {**REDIS, "target": "/etc/redis", "rw": False, "cmd": ["redis-server", "--port", "1"]},
        WARNING,
    ),
    "the place where HAProxy looks": ({"target": "/usr/local/etc/haproxy/haproxy.cfg"}, []),
    "a place where the image of nginx does not look": (
        {"comm": "nginx", "target": "/etc/nginx/sites-enabled/shop.conf"},
        ADVICE,
    ),
    "the command names what nobody has read": ({"cmd": ["app", "-c", "/etc/app.conf"]}, []),
    "a folder that is read": (
        {"target": "/etc/app", "entries": ["a.conf", "b.conf"], "used": "b.conf"},
        [],
    ),
    "a folder of settings": ({"target": "/etc/app", "entries": ["a.conf", "b.conf"]}, ADVICE),
    "a folder with data": ({"target": "/config", "entries": ["a.conf", "app.db"]}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_mounted_settings(case: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    result = judge("container.mounted-file-unread", unopened=_evidence(case))
    assert rows(result) == expected


def test_the_cures() -> None:
    named = {"rw": False, "cmd": ["--config.file=/etc/alerts/app.conf"]}
    [finding] = judge("container.mounted-file-unread", unopened=_evidence(named)).findings
    assert finding.variables["unread"] == "/etc/app.conf"
    assert finding.variables["place"] == "/srv/a:/etc/alerts/app.conf:ro"
    redis = {**REDIS, "cmd": ["redis-server", "--appendonly", "yes"]}
    [finding] = judge("container.mounted-file-unread", unopened=_evidence(redis)).findings
    assert finding.variables["program"] == "redis-server /etc/redis/redis.conf --appendonly yes"


def _evidence(case: dict[str, Any]) -> Any:
    target = case.get("target", "/etc/app.conf")
    sources = {"/srv/a": target, **({"/srv/b": case["beside"]} if "beside" in case else {})}
    binds = [
        {"Type": "bind", "Source": source, "Destination": place, "RW": case.get("rw", True)}
        for source, place in sources.items()
    ]
    command = {"Cmd": case.get("cmd", ["app"]), "Entrypoint": case.get("start")}
    web = container("web", Config=command, Mounts=binds, Created="2026-01-02T03:00:00Z")
    is_folder = "." not in target.rpartition("/")[2]
    entries = case.get("entries", ["redis.conf"])
    changed = case.get("changed", STARTED - 100)

    def stats(question: Any) -> dict[str, object]:
        return {path: status(path) for path in question.paths}

    def inside(path: str) -> dict[str, object]:
        if path == case.get("link"):
            return {"type": "link"}
        if not path.endswith(".conf"):
            return {"type": "folder"}
        made = case.get("image")
        return {"type": "file", "mtime": made, "ctime": made} if made else {"failed": "missing"}

    def status(path: str) -> dict[str, object]:
        if path.startswith("/proc/"):
            return inside(path.partition("/root")[2])
        read = case.get("read", STARTED - 100)
        if path.endswith(case.get("used", "//")):
            read = STARTED + 1
        kind = "folder" if is_folder and path == "/srv/a" else "file"
        return {"type": kind, "size": 9, "mtime": changed, "ctime": changed, "atime": read}

    names = {"entries": [{"name": name, "type": "file"} for name in entries]}
    host = Made({"file.stats": stats, "file.list": names})
    mounted = Mounted("/", fstype=case.get("fstype", "ext4"), options=case.get("options", "rw"))
    return unopened_settings(
        host,
        of(web),
        Processes((Process(100, comm=case.get("comm", "app"), container=web.id),)),
        Mounts((mounted,)),
        Clock(wall=case.get("now", STARTED + 60), booted=STARTED - 1000),
    )
