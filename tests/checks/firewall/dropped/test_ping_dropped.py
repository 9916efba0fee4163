"""The check in checks/firewall/dropped/ping_dropped.py, and the pings that it follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import (
    ContainerConfig,
    Health,
    Healthcheck,
    HostConfig,
    State,
)
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.dropped_pings import IGNORE, DroppedPings, dropped_pings
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.paths.wanted.called_names import NameSources
from diagnose.firewall.flow import Obstacle
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.verdict import Step
from diagnose.questions import Host
from tests.firewall.test_trace import MASQUERADE, stack, table
from tests.hosts import Made
from tests.judging import judge, rows
from tests.made_paths import ALL, BRIDGE, INNER, SHOP, made

NOW = Clock(wall=1_000_000.0, booted=0)
OPEN = stack(MASQUERADE)
NO_ICMP = "-A FORWARD -p icmp -j DROP"
BETWEEN = stack(table("filter", NO_ICMP), bridge_filter=True)
OUT = stack(MASQUERADE + table("filter", NO_ICMP))
IN = stack(MASQUERADE + table("filter", "-A INPUT -p icmp --icmp-type 8 -j DROP"))
ANSWERS = stack(MASQUERADE + table("filter", "-A FORWARD -i eth0 -p icmp --icmp-type 0 -j DROP"))


def api(test: str = "", *command: str, healthy: bool = False, **variables: str) -> Container:
    """Container api with this health check and command."""
    probe = Healthcheck(test=["CMD-SHELL", test]) if test else None
    found = next(container for container in ALL if container.name == "api")
    status = "healthy" if healthy else "unhealthy"
    env = [f"{name}={value}" for name, value in variables.items()]
    config = ContainerConfig(healthcheck=probe, env=env)
    state = State(status="running", pid=11, health=Health(status=status))
    path, args = (command[0], list(command[1:])) if command else ("", [])
    return replace(found, config=config, state=state, path=path, args=args)


def seen(
    who: Container,
    on: NetworkStack = OPEN,
    log: tuple[str, ...] = (),
    ignores: str | None = "0",
    process: str = "",
) -> DroppedPings:
    """What is made of the pings of one container on this host."""
    containers = Containers((who, *(container for container in ALL if container.name != "api")))
    lines = tuple(RecentLine(NOW.wall - 1, text) for text in log)
    return dropped_pings(
        Host(Made({"sysctl": {IGNORE: ignores}} if ignores is not None else {})),
        NameSources(HostStack(on), containers, Networks((BRIDGE, INNER, SHOP)), None),
        WalkedHost(made().uplinks, ping=None, info=None),
        RecentLogs({who.id: lines}, {}),
        Processes((Process(7, comm="ping", container=who.id, cmdline=process.split()),)),
        NOW,
    )


LOSS = ("PING 192.0.2.1 (192.0.2.1): 56 data bytes", *2 * ("1 sent, 0 received, 100% packet loss",))
PINGS: dict[str, tuple[Container, NetworkStack, dict[str, Any], list[tuple[str, str]]]] = {
    "a neighbour": (api("ping -c1 db || exit 1"), BETWEEN, {}, [("warning", "api")]),
    "a shell": (api(healthy=True), OUT, {"process": "ping 8.8.8.8"}, [("warning", "api")]),
    "a shell that gets answers": (api(healthy=True), OPEN, {"process": "ping 8.8.8.8"}, []),
    "a shell, a few times": (api(healthy=True), OUT, {"process": "ping -qc 3 8.8.8.8"}, []),
    "a neighbour past the filter": (api("ping -c1 db"), stack(table("filter", NO_ICMP)), {}, []),
    "the outside": (api("ping -c 1 -W 2 8.8.8.8"), OUT, {}, [("warning", "api")]),
    "a name of the outside": (api("ping -q dns.example"), OUT, {}, [("warning", "api")]),
    "answers of the outside": (api("ping 192.0.2.99"), ANSWERS, {}, [("warning", "api")]),
    "this host": (api("/bin/ping -c1 172.18.0.1"), IN, {}, [("warning", "api")]),
    "a host that ignores pings": (
        api("ping -c1 172.18.0.1"), OPEN, {"ignores": "1"}, [("warning", "api")],
    ),
    "a host that answers": (api("ping -c1 172.18.0.1"), OPEN, {}, []),
    "a variable": (api("ping -c1 $PEER", PEER="db"), BETWEEN, {}, [("warning", "api")]),
    "a variable that is not set": (api("ping -c1 $PEER"), BETWEEN, {}, []),
    "loopback": (api("ping -c1 127.0.0.1"), OUT, {}, []),
    "itself": (api("ping -c1 api"), OUT, {}, []),
    "a command": (api("", "sh", "-c", "while ping -c1 db; do :; done"), BETWEEN, {}, [("warning", "api")]),
    "no harm": (api("ping -c1 db", healthy=True), BETWEEN, {}, [("advice", "api")]),
    "a log": (api(), OUT, {"log": LOSS}, [("warning", "api")]),
    "a log of one loss": (api(), OUT, {"log": LOSS[:2]}, []),
    "a machine that is off": (api(), OPEN, {"log": LOSS}, []),
    "an argument of another program": (api("mysqladmin ping -u root -pmade-up"), OUT, {}, []),
    "a request for a page": (api("wget http://web/ping -T 5 -O out"), OUT, {}, []),
    "with a limit of time": (
        api("timeout -k 1 5 ping -c1 db"), BETWEEN, {}, [("warning", "api")],
    ),
    "behind an entrypoint": (
        api("", "/docker-entrypoint.sh", "ping", "db"), BETWEEN, {}, [("warning", "api")],
    ),
    "nobody pings": (api("wget -q http://ping.example/"), OUT, {}, []),
}  # fmt: skip


@pytest.mark.parametrize(("who", "on", "more", "expected"), PINGS.values(), ids=PINGS)
def test_ping_dropped(
    who: Container, on: NetworkStack, more: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    result = judge("firewall.ping-dropped", dropped_pings=seen(who, on, **more))
    assert rows(result) == expected


def test_the_cure_opens_the_chain_that_drops() -> None:
    (finding,) = judge(
        "firewall.ping-dropped", dropped_pings=seen(api("ping -c1 db"), BETWEEN)
    ).findings
    assert finding.variables["chain"] == "FORWARD"
    assert finding.variables["pinger"] == "172.18.0.2"
    (finding,) = judge(
        "firewall.ping-dropped", dropped_pings=seen(api("ping 192.0.2.99"), ANSWERS)
    ).findings
    assert finding.variables["answers_to"] == "172.18.0.2"


def test_a_rule_of_nftables_is_opened_for_what_it_drops() -> None:
    by = Step("inet site", "forward", "icmp type echo-reply drop")
    (ping,) = seen(api("ping 192.0.2.99"), ANSWERS)
    lost = replace(ping, obstacle=Obstacle("rule", by, "reply", "forward"))
    (finding,) = judge("firewall.ping-dropped", dropped_pings=DroppedPings((lost,), 1)).findings
    assert finding.variables["nft_chain"] == "forward"
    assert "pinger" not in finding.variables
    assert finding.variables["answers_to"] == "172.18.0.2"


def test_answers_that_are_not_translated_yet_have_no_address_of_a_container() -> None:
    raw = stack(MASQUERADE + table("raw", "-A PREROUTING -i eth0 -p icmp -j DROP"))
    pings = seen(api("ping 192.0.2.99"), raw)
    (finding,) = judge("firewall.ping-dropped", dropped_pings=pings).findings
    assert finding.variables.keys() - {"container"} == {"answer_chain"}


def test_a_setting_that_cannot_be_read_is_no_pass() -> None:
    pings = seen(api("ping -c1 172.18.0.1"), ignores=None)
    assert judge("firewall.ping-dropped", dropped_pings=pings).verdict.value == "unknown"


def test_a_container_that_was_told_to_ignore_pings() -> None:
    who = api("ping -c1 db")
    mute = HostConfig(sysctls={IGNORE: "1"})
    others = [
        replace(container, host_config=mute) if container.name == "db" else container
        for container in ALL
    ]
    found = dropped_pings(
        Host(Made({})),
        NameSources(
            HostStack(OPEN),
            Containers((who, *(container for container in others if container.name != "api"))),
            Networks((BRIDGE, INNER, SHOP)),
            None,
        ),
        WalkedHost(made().uplinks, ping=None, info=None),
        recent_logs=None,
        processes=None,
        clock=NOW,
    )
    (finding,) = judge("firewall.ping-dropped", dropped_pings=found).findings
    assert finding.variables["silent"] == "db"


class Walked(tuple[Process, ...]):
    """Processes that count how often somebody goes through them."""

    walks = 0

    def __iter__(self) -> Iterator[Process]:
        type(self).walks += 1
        return super().__iter__()


def test_processes_are_gone_through_once_for_all_containers() -> None:
    """A host with 1,000 containers has some 5,000 processes."""
    others = [replace(api(), id=f"{number:064x}") for number in range(5)]
    found = dropped_pings(
        Host(Made({})),
        NameSources(
            HostStack(OUT), Containers((*ALL, *others)), Networks((BRIDGE, INNER, SHOP)), None
        ),
        WalkedHost(made().uplinks, ping=None, info=None),
        None,
        Processes(Walked([Process(7, comm="ping", container=others[3].id, cmdline=["ping", "8.8.8.8"])])),
        NOW,
    )  # fmt: skip
    assert [ping.container.id for ping in found] == [others[3].id]
    assert Walked.walks == 1
