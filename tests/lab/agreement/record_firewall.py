"""Records packet filters of real engines, broken in known ways, beside what real packets did.

    python -m tests.lab.agreement.record_firewall [ENGINE...]

Each case becomes `tests/data/firewall/ENGINE-FAULT.json`: the ruleset as the tool reads it,
and for each probe its addresses, and whether a real connection got through.
`tests/checks/firewall/test_recorded_rulesets.py` compares the packet walk with them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.lab.box import Box
from tests.lab.engines import discover
from tests.lab.provider import BOX_ADDRESS, GATEWAY, WEB

DATA = Path(__file__).parents[2] / "data" / "firewall"

_HANDS = """
import json
from types import SimpleNamespace as Ask
from diagnose.live.network.iptables import iptables_save
from diagnose.live.network.nftables import rule_set
ask = lambda flavour: iptables_save(None, Ask(args={"flavour": flavour, "family": "ip"}))["text"]
legacy = {"ip": text} if (text := ask("legacy")) else {}
print(json.dumps({"nftables": rule_set({}), "iptables_nft": {"ip": ask("nft")}, "iptables_legacy": legacy}))
"""

_PEER = "#!/bin/sh\\necho Content-Type: text/plain\\necho\\necho $REMOTE_ADDR\\n"
_SERVE = (
    f"mkdir -p /www/cgi-bin && printf '{_PEER}' >/www/cgi-bin/peer && chmod 755 /www/cgi-bin/peer"
    " && exec httpd -f -p 80 -h /www"
)

FAULTS: dict[str, str] = {
    "healthy": "true",
    "filter-flushed": "iptables -F",
    "nat-flushed": "iptables -t nat -F",
    "all-flushed": "iptables -F; iptables -t nat -F; iptables -X; iptables -t nat -X",
    "policy-drop-jumps-lost": "iptables -P FORWARD DROP; iptables -F FORWARD",
    "policy-accept-jumps-lost": "iptables -P FORWARD ACCEPT; iptables -F FORWARD",
    "docker-user-drops-all": "iptables -I DOCKER-USER -j DROP",
    "docker-user-rejects-a-port": "iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL -j REJECT",
    "docker-user-drops-a-subnet": "iptables -I DOCKER-USER -s {shop_subnet} -o eth0 -m comment --comment 'no way out -j ACCEPT' -j DROP",
    "docker-user-lets-in-one-source": "iptables -I DOCKER-USER -i eth0 ! -s 192.0.2.99 -m conntrack --ctstate NEW -j DROP",
    "native-forward-drop": "nft 'add table inet filter; add chain inet filter forward {{ type filter hook forward priority 0; policy drop; }}'",
    "native-forward-drop-except-docker": "nft 'add table inet filter; add chain inet filter forward {{ type filter hook forward priority 0; policy drop; }};"
    ' add rule inet filter forward ct state established,related accept; add rule inet filter forward iifname {{ "docker0", "br-*" }} accept;'
    " add rule inet filter forward ct status dnat accept'",
    "native-forward-reject-one-bridge": "nft 'add table inet filter; add chain inet filter forward {{ type filter hook forward priority 10; }};"
    ' add rule inet filter forward iifname "{shop}" oifname "eth0" ip saddr {shop_subnet} counter reject\'',
    "native-dormant": "nft 'add table inet filter {{ flags dormant; }}; add chain inet filter forward {{ type filter hook forward priority 0; policy drop; }}'",
    "native-sets": "nft 'add table ip guard; add set ip guard servers {{ type ipv4_addr . inet_service; flags interval; }};"
    " add element ip guard servers {{ {web}/32 . 70-90 }}; add chain ip guard forward {{ type filter hook forward priority -5; }};"
    " add rule ip guard forward ip daddr . tcp dport @servers drop'",
    "native-verdict-map": "nft 'add table ip guard; add chain ip guard shop; add rule ip guard shop ct state new drop;"
    " add chain ip guard forward {{ type filter hook forward priority -5; }};"
    ' add rule ip guard forward iifname vmap {{ "{shop}" : goto shop, "docker0" : accept }}\'',
    "firewalld-shape": "nft 'add table inet firewalld; add chain inet firewalld allowed; add chain inet firewalld filter_FORWARD {{ type filter hook forward"
    " priority 10; }}; add rule inet firewalld filter_FORWARD ct state {{ established, related }} accept; add rule inet firewalld filter_FORWARD"
    ' ct status dnat accept; add rule inet firewalld filter_FORWARD iifname "lo" accept; add rule inet firewalld filter_FORWARD ct state invalid drop;'
    ' add rule inet firewalld allowed iifname "docker0" accept; add rule inet firewalld filter_FORWARD jump allowed;'
    " add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited'",
    "marked-then-dropped": "iptables -t mangle -A PREROUTING -i {shop} -j MARK --set-xmark 0x7/0xffffffff; iptables -I DOCKER-USER -m mark --mark 0x7 -j DROP",
    "masquerade-of-a-subnet-deleted": "iptables -t nat -D POSTROUTING -s {shop_subnet} ! -o {shop} -j MASQUERADE",
    "snat-instead-of-masquerade": "iptables -t nat -D POSTROUTING -s {shop_subnet} ! -o {shop} -j MASQUERADE;"
    f" iptables -t nat -A POSTROUTING -s {{shop_subnet}} -o eth0 -j SNAT --to-source {BOX_ADDRESS}",
    "dnat-of-a-port-deleted": "iptables-save -t nat | grep -e '--dport 8080' | grep DNAT | sed 's/^-A/-t nat -D/' | xargs iptables",
    "dnat-to-a-stale-address": "rule=$(iptables-save -t nat | grep -e '--dport 8080' | grep DNAT | sed 's/^-A //');"
    " iptables -t nat -D $rule; iptables -t nat -A ${{rule%%:80}}1:80",
    "input-drops-new": "iptables -P INPUT DROP; iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables -A INPUT -i lo -j ACCEPT",
    "legacy-forward-drop": "iptables-legacy -P FORWARD DROP",
    "legacy-docker-user-shape": "iptables-legacy -P FORWARD ACCEPT; iptables-legacy -A FORWARD -i {shop} -o eth0 -j DROP",
}  # fmt: skip
"""What is done to a healthy host, as shell: one after the other, in this order, each from the
healthy state. The legacy tables come last, because they stay once they are looked at.
"""


class _Site:
    """Two user networks, an internal one and the default bridge, with a web server on each."""

    def __init__(self, box: Box) -> None:
        self.box = box
        box.image("bb")
        box.docker("network", "create", "shop")
        box.docker("network", "create", "-o", "com.docker.network.bridge.enable_icc=false", "quiet")
        box.docker("network", "create", "--internal", "inner")
        for name, network, *options in (
            ("web", "shop", "-p", "8080:80"),
            ("cart", "shop"),
            ("plain", "bridge", "-p", "8081:80"),
            ("quiet1", "quiet"),
            ("quiet2", "quiet"),
            ("inner1", "inner"),
        ):
            box.docker(
                "run", "-d", "--name", name, "--network", network, *options, "bb", "sh", "-c",
                _SERVE,
            )  # fmt: skip
        networks = {network["Name"]: network for network in box.api("/networks")}
        self.bridge = {name: f"br-{network['Id'][:12]}" for name, network in networks.items()} | {
            "bridge": "docker0"
        }
        self.subnet = {
            name: network["IPAM"]["Config"][0]["Subnet"]
            for name, network in networks.items()
            if network["IPAM"]["Config"]
        }
        inspected = {
            name: box.inspect(name)
            for name in ("web", "cart", "plain", "quiet1", "quiet2", "inner1")
        }
        self.address = {
            name: next(iter(container["NetworkSettings"]["Networks"].values()))["IPAddress"]
            for name, container in inspected.items()
        }
        self.pid = {name: container["State"]["Pid"] for name, container in inspected.items()}
        box.run(
            [
                "nsenter",
                "-t",
                str(self.pid["inner1"]),
                "-n",
                "ip",
                "route",
                "replace",
                "default",
                "via",
                self._gateway(networks["inner"]),
            ]
        )

    def _gateway(self, network: dict[str, Any]) -> str:
        return str(network["IPAM"]["Config"][0]["Gateway"])

    def broken(self, fault: str) -> str:
        """The shell that breaks this site."""
        return FAULTS[fault].format(
            shop=self.bridge["shop"], shop_subnet=self.subnet["shop"], web=self.address["web"]
        )

    def probes(self) -> dict[str, dict[str, Any]]:
        """The questions of `reach`, and how to ask them with a real connection."""
        return {
            "web goes out": self._out("web", "shop"),
            "plain goes out": self._out("plain", "bridge"),
            "inner1 goes out": self._out("inner1", "inner"),
            "8080 comes in": self._in(8080, "shop"),
            "8081 comes in": self._in(8081, "bridge"),
            "quiet1 to quiet2": self._between("quiet1", "quiet2", "quiet"),
            "cart to web": self._between("cart", "web", "shop"),
        }

    def _out(self, name: str, network: str) -> dict[str, Any]:
        asked = {
            "bridge": self.bridge[network],
            "src": self.address[name],
            "dst": WEB,
            "uplink": "eth0",
            "dport": 80,
        }
        return {"reach": "out", "asked": asked, "from": self.pid[name], "url": f"http://{WEB}/"}

    def _in(self, port: int, network: str) -> dict[str, Any]:
        asked = {
            "uplink": "eth0",
            "src": GATEWAY,
            "host_address": BOX_ADDRESS,
            "host_port": port,
            "bridges": {self.subnet[network]: self.bridge[network]},
        }
        return {"reach": "in", "asked": asked, "url": f"http://{BOX_ADDRESS}:{port}/cgi-bin/peer"}

    def _between(self, one: str, other: str, network: str) -> dict[str, Any]:
        asked = {
            "bridge": self.bridge[network],
            "src": self.address[one],
            "dst": self.address[other],
        }
        return {
            "reach": "between",
            "asked": asked,
            "from": self.pid[one],
            "url": f"http://{self.address[other]}/cgi-bin/peer",
        }

    def seen(self) -> dict[str, dict[str, Any]]:
        """Each probe with whether the connection got through, and for one that came in, who its
        peer was."""
        probes = self.probes()
        with ThreadPoolExecutor(len(probes)) as pool:
            answers = dict(zip(probes, pool.map(self._fetch, probes.values()), strict=True))
        return {
            name: {
                "reach": probe["reach"],
                "asked": probe["asked"],
                "through": answers[name] is not None,
                "body": answers[name],
            }
            for name, probe in probes.items()
        }

    def _fetch(self, probe: dict[str, Any]) -> str | None:
        curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", probe["url"]]
        if "from" in probe:
            done = self.box.run(["nsenter", "-t", str(probe["from"]), "-n", *curl], check=False)
        else:
            done = self.box.provider.run(curl, check=False)
        return done.stdout if done.returncode == 0 else None


def record(box: Box, faults: Callable[[str], bool]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The cases of one engine, (name, content)."""
    site = _Site(box)
    box.sh("iptables-save >/tmp/healthy; nft list tables >/dev/null")
    for fault in filter(faults, FAULTS):
        how = site.broken(fault)
        box.sh(how)
        box.run(["conntrack", "-F"], check=False)
        rules = json.loads(
            box.run([sys.executable, "-c", _HANDS], cwd=str(Path(__file__).parents[3])).stdout
        )
        yield fault, {"engine": box.engine.version, "how": how, **rules, "probes": site.seen()}
        for table in ("inet filter", "ip guard", "inet firewalld"):
            box.run(["nft", "delete", "table", *table.split()], check=False)
        box.sh("iptables -P INPUT ACCEPT; iptables -t mangle -F; iptables-restore </tmp/healthy")
        if "legacy" in fault:
            box.sh("iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F FORWARD")


def _lines(case: dict[str, Any]) -> str:
    """JSON with one line per chain, rule, set and probe, so that a change of one shows as one
    line."""
    rows = case["nftables"] | {
        name: "@" + name
        for name, rows in case["nftables"].items()
        if isinstance(rows, list) and rows
    }
    text = json.dumps(case | {"nftables": rows}, indent=1)
    for name, marker in rows.items():
        if isinstance(marker, str) and marker.startswith("@"):
            listed = ",\n   ".join(json.dumps(row) for row in case["nftables"][name])
            text = text.replace(json.dumps(marker), f"[\n   {listed}\n  ]")
    return text + "\n"


def main(wanted: list[str]) -> None:
    """Record all faults on the engines of these names, or on all."""
    DATA.mkdir(parents=True, exist_ok=True)
    for engine in discover()[0]:
        if wanted and engine.name not in wanted:
            continue
        with Box(engine) as box:
            box.start_engine()
            for fault, case in record(box, lambda _: True):
                path = DATA / f"{engine.name}-{fault}.json"
                path.write_text(_lines(case))
                print(
                    path.name,
                    {name: probe["body"] for name, probe in case["probes"].items()},
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:])
