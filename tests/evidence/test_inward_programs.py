"""Programs that serve their own container alone, and the settings that they did not read."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.inward_programs import UnreadSettings, inward_programs
from tests.hosts import Made
from tests.inspected import container, of

READ = "1703000000: Config loaded from /mosquitto/config/mosquitto.conf."
LOCAL = "1703000000: Starting in local only mode."
FILE = {"type": "file", "mode": 0o644}


def mount(destination: str, source: str = "/srv/mq") -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Destination": destination, "RW": True}


CASES: dict[str, tuple[list[dict[str, Any]], str, dict[str, Any], bool]] = {
    "mounted beside it": ([mount("/mosquitto/conf")], READ, FILE, True),
    "mounted there": ([mount("/mosquitto/config")], READ, FILE, False),
    "no file of that name": ([mount("/mosquitto/conf")], READ, {"failed": "missing"}, False),
    "two files of that name": ([mount("/a"), mount("/b", "/srv/b")], READ, FILE, False),
    "no line names a file": ([mount("/mosquitto/conf")], LOCAL, FILE, False),
}


@pytest.mark.parametrize(("mounts", "line", "status", "is_unread"), CASES.values(), ids=CASES)
def test_settings_that_were_not_read(
    mounts: list[dict[str, Any]], line: str, status: dict[str, Any], is_unread: bool
) -> None:
    app = container(
        "mq",
        NetworkSettings={"Ports": {"1883/tcp": [{"HostIp": "", "HostPort": "1883"}]}},
        Mounts=mounts,
    )
    sockets = (Socket("tcp", "127.0.0.1", 1883),)
    namespaces = Namespaces({app.id: ContainerNetns(app, 1, (), (), (), sockets)})
    paths = {f"{item['Source']}/mosquitto.conf": status for item in mounts}
    answers = {"api.logs": {"text": f"2026-01-02T03:04:06Z {line}\n"}, "file.stats": paths}
    programs = inward_programs(Made(answers), of(app), namespaces)
    assert programs.tails[app.id].lines == (line,)
    assert (app.id in programs.unread) is is_unread
    if is_unread:
        assert programs.unread[app.id].place == "/srv/mq:/mosquitto/config"


PLACES = {
    "a folder of its own": ("/etc/redis/redis.conf", True, "/srv/mq:/etc/redis"),
    "a folder of many": ("/etc/redis.conf", True, "/srv/mq/redis.conf:/etc/redis.conf"),
    "read-only": ("/etc/redis/redis.conf", False, "/srv/mq:/etc/redis:ro"),
}


@pytest.mark.parametrize(("inside", "may_write", "place"), PLACES.values(), ids=PLACES)
def test_where_the_settings_belong(inside: str, may_write: bool, place: str) -> None:
    assert UnreadSettings("", inside, "/conf", "/srv/mq", may_write).place == place
