"""Programs that serve their own container alone, and the settings that they did not read."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.mounts.unread_settings import UnreadSettings, unread_files
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.inward_programs import inward_programs
from diagnose.programs.telling_line import TellingLine
from tests.checks.container.evidence import CLOCK
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

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
    namespaces = Namespaces(
        {app.id: ContainerNetns(app, 1, links=(), addresses=(), routes=(), listeners=sockets)}
    )
    paths = {f"{row['Source']}/mosquitto.conf": status for row in mounts}
    answers = {"api.logs": {"text": f"2026-01-02T03:04:06Z {line}\n"}, "file.stats": paths}
    programs = inward_programs(Made(answers), of(app), namespaces)
    assert programs.tails[app.id].lines == (line,)
    assert (app.id in programs.unread) is is_unread
    if is_unread:
        assert programs.unread[app.id].place == "/srv/mq:/mosquitto/config"


LED = "-A PREROUTING ! -i lo -p tcp -m tcp --dport {} -j DNAT --to-destination 127.0.0.1:{}\n"
RULES = {
    "led inward": (LED.format(1883, 1883), {1883}),
    "to another port": (LED.format(1883, 1884), set()),
    "nothing": ("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n", set()),
}


@pytest.mark.parametrize(("text", "ports"), RULES.values(), ids=RULES)
def test_ports_that_a_rule_leads_to_loopback(text: str, ports: set[int]) -> None:
    ports_of = {"Ports": {"1883/tcp": [{"HostIp": "", "HostPort": "1883"}]}}
    app = container("mq", NetworkSettings=ports_of)
    sockets = (Socket("tcp", "127.0.0.1", 1883),)
    namespaces = Namespaces(
        {app.id: ContainerNetns(app, 1, links=(), addresses=(), routes=(), listeners=sockets)}
    )
    programs = inward_programs(Made({"iptables": {"text": text}}), of(app), namespaces)
    assert programs.led[app.id] == ports
    judged = judge(
        "network.published-port-not-listening",
        containers=of(app),
        namespaces=namespaces,
        clock=CLOCK,
        inward_programs=programs,
    )
    assert [finding.variables.get("inner_port") for finding in judged.findings] == (
        [] if ports else ["1883"]
    )


PLACES = {
    "a folder of its own": ("/etc/redis/redis.conf", True, "/srv/mq:/etc/redis"),
    "a folder of many": ("/etc/redis.conf", True, "/srv/mq/redis.conf:/etc/redis.conf"),
    "read-only": ("/etc/redis/redis.conf", False, "/srv/mq:/etc/redis:ro"),
}


@pytest.mark.parametrize(("inside", "may_write", "place"), PLACES.values(), ids=PLACES)
def test_where_the_settings_belong(inside: str, may_write: bool, place: str) -> None:
    assert UnreadSettings("", inside, "/conf", "/srv/mq", may_write).place == place


COMMANDS: dict[str, tuple[list[str], str, bool]] = {
    "the image's own, by an option": (["--config.file=/etc/am/am.yml"], "/etc/prom", True),
    "the image's own, by a word": (["--config", "/etc/am/am.yml"], "/etc/prom", True),
    "mounted there": (["--config.file=/etc/am/am.yml"], "/etc/am", False),
    "beside its code": (["--config.file=/etc/am/am.yml"], "/app", False),
    "two files": (["--config=/etc/am/am.yml", "--web.config=/etc/am/web.yml"], "/etc/prom", False),
    "no file": (["--verbose"], "/etc/prom", False),
}


@pytest.mark.parametrize(("words", "folder", "is_unread"), COMMANDS.values(), ids=COMMANDS)
def test_settings_that_a_command_does_not_name(
    words: list[str], folder: str, is_unread: bool
) -> None:
    app = container("am", Config={"Cmd": ["am", *words]}, Mounts=[mount(folder, "/srv/am")])
    line = TellingLine("connection refused", 0, explains=True)
    errors = RepeatedErrors((RepeatedError(app, line, 3, 4),))
    answers = {"file.stats": {"/srv/am/am.yml": FILE, "/srv/am/web.yml": FILE}}
    unread = unread_files(Made(answers), of(app), errors).of(app)
    assert (unread is not None) is is_unread
    if unread is not None:
        assert unread.place == "/srv/am:/etc/am"
