"""The check in checks/container/settings/redis_folder_changed.py, and its evidence."""

from typing import Any

import pytest

from diagnose.evidence.containers.workers.led_servers import led_servers
from diagnose.evidence.machine.processes import Process, Processes
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ETC = {"Type": "bind", "Source": "/srv/e", "Destination": "/etc/redis", "RW": True}
CASES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "crontabs": ("/etc/cron.d", {}, True),
    "keys of root": ("/root/.ssh", {}, True),
    "its own folder": ("/data", {}, False),
    "the root folder": ("/", {}, False),
    "named by its command": ("/etc/redis", {"Config": {"Cmd": ["--dir", "/etc/redis"]}}, False),
    "a mount": ("/etc/redis", {"Mounts": [ETC]}, False),
    "crontabs, beside a program": ("/etc/cron.d", {"Config": {"WorkingDir": "/"}}, True),
    "crontabs of a user": ("/var/spool/cron/crontabs", {}, True),
    "a site": ("/var/www/html", {}, True),
    "the site that it belongs to": ("/var/www/html", {"Config": {"WorkingDir": "/var/www"}}, False),
    "beside its program": ("/usr/src/app", {}, False),
    "its settings in the image": ("/etc/redis", {}, False),
    "another program": ("/etc/cron.d", {"comm": "nginx"}, False),
}


@pytest.mark.parametrize(("folder", "own", "is_found"), CASES.values(), ids=CASES)
def test_where_redis_works(folder: str, own: dict[str, Any], is_found: bool) -> None:
    parts = {name: value for name, value in own.items() if name != "comm"}
    cache = container("cache", **parts)
    comm = own.get("comm", "redis-server")
    host = Made({"file.stats": {"/proc/100/cwd": {"type": "link", "link": folder}}})
    processes = Processes((Process(pid=100, comm=comm, container=cache.id),))
    servers = led_servers(host, of(cache), processes)
    result = judge("container.redis-folder-changed", led_servers=servers)
    assert rows(result) == ([("critical", "cache")] if is_found else [])
