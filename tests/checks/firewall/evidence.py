"""Evidence that several files of this family share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from diagnose.evidence.containers.listing import Containers, containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.host_stack import HostStack, host_stack
from diagnose.evidence.network.interfaces import Interfaces, interfaces
from diagnose.evidence.network.networks import Networks, networks
from diagnose.evidence.network.paths.packet_paths import PacketPaths, packet_paths
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.rules.packet_filter import Firewall, firewall
from diagnose.evidence.network.uplinks import Uplinks, uplinks
from diagnose.model import Json, Result
from tests.hosts import Made
from tests.judging import judge, rows

DATA = Path(__file__).parents[2] / "data" / "firewall"


SHOP, PLAIN, QUIET = "a" * 64, "b" * 64, "c" * 64


def recorded_filter(engine: str, fault: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / f"{engine}-{fault}.json").read_text())
    return loaded


def host_with(recorded: dict[str, Any], *, running: bool = True) -> Made:
    """The recorded filter, and `web` and `plain` as they stood before it."""
    shop, plain = (recorded["probes"][name]["asked"] for name in ("web goes out", "plain goes out"))
    (subnet,) = recorded["probes"]["8080 comes in"]["asked"]["bridges"]
    listed = [
        {"Id": SHOP, "Name": "shop", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": subnet}]},
         "Options": {"com.docker.network.bridge.name": shop["bridge"]}},
        {"Id": QUIET, "Name": "quiet", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.19.0.0/16"}]}},
        {"Id": PLAIN, "Name": "bridge", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}},
    ]  # fmt: skip
    inspected = {
        "1" * 64: container("web", "shop", shop["src"], "8080", running),
        "2" * 64: container("plain", "bridge", plain["src"], "8081", running),
    }
    texts = {"nft": recorded["iptables_nft"], "legacy": recorded["iptables_legacy"]}
    return Made(
        {
            "api.containers": [
                {"Id": id, "Names": [inspect["Name"]]} for id, inspect in inspected.items()
            ],
            "api.container": lambda question: inspected[str(question.args["id"])],
            "api.networks": listed,
            "nftables": recorded["nftables"],
            "iptables": lambda question: {
                "text": texts[question.args["flavour"]].get(question.args["family"], ""),
                "command": None,
            },
            **network(
                {
                    shop["bridge"]: subnet,
                    "docker0": "172.17.0.0/16",
                    f"br-{QUIET[:12]}": "172.19.0.0/16",
                }
            ),
        }
    )


def network(bridges: dict[str, str]) -> dict[str, Json]:
    """The host's own interfaces, addresses and routes: an uplink, and a bridge for each of these
    subnets."""
    links: list[Json] = [{"index": 2, "name": "eth0", "up": True}]
    addresses: list[Json] = [
        {"index": 2, "address": "192.0.2.10", "prefix": 24, "family": "inet", "scope": "global"}
    ]
    default = {
        "table": 254,
        "dst": "0.0.0.0",
        "prefix": 0,
        "oif": 2,
        "type": "unicast",
        "family": "inet",
    }
    routes: list[Json] = [
        default | {"gateway": "192.0.2.1"},
        default | {"dst": "192.0.2.0", "prefix": 24},
    ]
    for index, (name, subnet) in enumerate(bridges.items(), 3):
        net, _, prefix = subnet.partition("/")
        gateway = net[:-1] + "1"
        links.append({"index": index, "name": name, "kind": "bridge", "up": True})
        addresses.append(
            {"index": index, "address": gateway, "prefix": int(prefix), "family": "inet"}
        )
        routes.append(default | {"dst": net, "prefix": int(prefix), "oif": index})
    routes += [
        default
        | {
            "table": 255,
            "dst": held["address"],
            "prefix": 32,
            "oif": held["index"],
            "type": "local",
        }
        for held in addresses
    ]
    return {"net.links": links, "net.addresses": addresses, "net.routes": routes}


def container(name: str, network: str, address: str, port: str, running: bool) -> dict[str, Json]:
    state = {"Status": "running", "Pid": 7} if running else {"Status": "exited", "Pid": 0}
    ports = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]}
    settings = {
        "Networks": {network: {"IPAddress": address if running else ""}},
        "Ports": ports if running else {},
    }
    return {
        "Id": ("1" if name == "web" else "2") * 64,
        "Name": f"/{name}",
        "State": state,
        "NetworkSettings": settings,
    }


def results_of(
    made: Made,
    *,
    config: DaemonConfig | None = None,
    info: Info | None = None,
    ping: Ping | None = None,
    **more: Any,
) -> dict[str, Result]:
    """The result of every check that takes a packet walk."""
    up, boxes, nets, links = uplinks(made), containers(made), networks(made), interfaces(made)
    wall = firewall(made, up)
    assert isinstance(wall, Firewall)
    assert isinstance(boxes, Containers)
    assert isinstance(nets, Networks)
    assert isinstance(up, Uplinks)
    assert isinstance(links, Interfaces)
    stack = host_stack(made, wall, links, nets)
    assert isinstance(stack, HostStack)
    over = packet_paths(stack, boxes, nets, WalkedHost(up, ping, info), Clock(0.0, 0.0))
    evidence: dict[str, Any] = {"firewall": wall, "packet_paths": over, "interfaces": links, **more}
    if config is not None:
        evidence["config"] = config
    takes = {
        "chains-missing": ("firewall", "packet_paths", "config"),
        "masquerade-missing": ("firewall", "packet_paths", "config", "interfaces", "lookups"),
        "dnat-missing": ("firewall", "packet_paths", "config"),
        "forward-dropped": (
            "firewall",
            "packet_paths",
            "config",
            "resolver_paths",
            "logged_failures",
            "unanswered_calls",
            "failed_names",
        ),
        "backend-mixed": ("firewall", "packet_paths"),
        "bypassed-by-publish": ("packet_paths",),
    }
    return {
        name: judge(f"firewall.{name}", **{key: evidence[key] for key in keys if key in evidence})
        for name, keys in takes.items()
    }


def walked(made: Made) -> tuple[HostStack, PacketPaths]:
    """The host's rules, and the ways of packets through them."""
    up, links, nets = uplinks(made), interfaces(made), networks(made)
    boxes, wall = containers(made), firewall(made, up)
    assert isinstance(wall, Firewall)
    assert isinstance(boxes, Containers)
    stack = host_stack(made, wall, links, nets)
    return stack, packet_paths(
        stack, boxes, nets, WalkedHost(up, ping=None, info=None), Clock(0.0, 0.0)
    )


def finding_rows(results: dict[str, Result]) -> list[str]:
    """Severity, check and subject of each finding, sorted."""
    return sorted(
        f"{severity} {name} {subject}"
        for name, result in results.items()
        for severity, subject in rows(result)
    )
