"""A recorded shop whose names are replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from diagnose.model import Failed
from tests.questions import question
from tests.tickets import made

WEB, DB, NET = "3f" * 32, "4e" * 32, "5d" * 32
BRIDGE = f"br-{NET[:12]}"


def inspect(id: str, name: str, **more: Any) -> dict[str, Any]:
    networks = {
        "acme-shop_backend": {
            "NetworkID": NET,
            "IPAddress": "172.23.7.5",
            "Aliases": ["web", id[:12]],
        }
    }
    return {
        "Id": id,
        "Name": f"/{name}",
        "State": {
            "Status": "exited",
            "ExitCode": 3,
            "Error": "",
            "FinishedAt": "2026-11-23T10:00:00Z",
        },
        "Config": {
            "Image": "registry.acme.internal:5000/payroll/api:2.1",
            "Hostname": id[:12],
            "Env": [
                "DB_HOST=acme-shop-db-1",
                "HOME=/home/alice",
                "URL=https://bob@git.acme.internal/x",
            ],
            "Labels": {
                "de.acme-gmbh.team": "x",
                "com.docker.compose.project": "acme-shop",
                "com.docker.compose.service": "web",
            },
        },
        "HostConfig": {
            "Binds": ["/home/alice/shop:/app", "acme-shop_data:/data"],
            "NetworkMode": "acme-shop_backend",
        },
        "NetworkSettings": {"Networks": networks},
        "Mounts": [
            {
                "Type": "volume",
                "Name": "acme-shop_data",
                "Source": "/var/lib/docker/volumes/acme-shop_data/_data",
            }
        ],
        **more,
    }


SHOP = made(
    {
        question("endpoint"): {
            "url": "ssh://carol@buildhost7",
            "source": "context",
            "named": True,
            "context": "acme-prod",
        },
        question("sysctl", names=["net.ipv4.conf.acmenet0.forwarding", "net.ipv4.ip_forward"]): {
            "net.ipv4.conf.acmenet0.forwarding": "1"
        },
        question("uname"): {
            "nodename": "buildhost7",
            "release": "6.1.0",
            "version": "",
            "machine": "x86_64",
        },
        question("api.containers", all=True): [
            {
                "Id": WEB,
                "Names": ["/acme-shop-web-1"],
                "Image": "registry.acme.internal:5000/payroll/api:2.1",
            },
            {"Id": DB, "Names": ["/search"], "Image": "postgres:16"},
        ],
        question("api.container", id=WEB): inspect(WEB, "acme-shop-web-1"),
        question("api.container", id=DB): {
            "Id": DB,
            "Name": "/search",
            "Config": {"Image": "postgres:16"},
        },
        question("api.logs", id=WEB, tail=200): {
            "text": "cannot reach acme-shop-db-1.acme-shop_backend at 172.23.7.9\n"
        },
        question("api.events", since_s=86400.0): [
            {
                "Type": "container",
                "Action": "die",
                "Actor": {"ID": WEB, "Attributes": {"name": "acme-shop-web-1"}},
            }
        ],
        question("api.networks"): [
            {
                "Name": "acme-shop_backend",
                "Id": NET,
                "Options": {"com.docker.network.bridge.name": "acmenet0"},
                "IPAM": {"Config": [{"Subnet": "172.23.0.0/16", "Gateway": "172.23.0.1"}]},
            }
        ],
        question("net.links"): [{"index": 4, "name": BRIDGE, "mac": "02:42:ac:17:07:05"}],
        question("net.addresses"): [
            {"index": 4, "address": "172.23.0.1", "prefix": 16, "family": "inet"}
        ],
        question("iptables", family="ip", flavour="nft"): {
            "text": f"*nat\n-A DOCKER ! -i {BRIDGE} -p tcp --dport 80 -j DNAT --to-destination 172.23.7.5:80\n"
            f"-A POSTROUTING -s 172.23.0.0/16 ! -o {BRIDGE} -j MASQUERADE\n-A INPUT -s 2001:db8:7::/48 -j ACCEPT\nCOMMIT\n"
        },
        question("nftables"): {
            "rules": [
                {
                    "expressions": [
                        {"kind": "cmp", "data": "ac170705"},
                        {"kind": "immediate", "data": "ac170705"},
                    ]
                }
            ]
        },
        question("file.read", path="/etc/resolv.conf"): {
            "text": "search corp.acme.internal\nnameserver 198.51.100.53\n"
        },
        question("file.stats", paths=["/a/acme-shop_data", "/a/x", "/srv/zz"]): {
            "/a/acme-shop_data": {"size": 1}
        },
        question("kernel.log"): {
            "records": [{"text": f"oom-kill: task_memcg=/docker/{WEB},task=payroll"}]
        },
        question("api.info"): {
            "Name": "buildhost7",
            "HttpProxy": "http://proxy.acme.internal:3128",
        },
        question("fs.usage", path="/home/alice"): Failed("missing", "no /home/alice on buildhost7"),
    }
)


def restored(new_names: Mapping[str, str], new_addresses: Mapping[str, str], value: Any) -> Any:
    """A report of the renamed host with the old names: the way back is one to one for what the
    renaming made. Both mappings lead from the old name to the new one."""
    names = {new: old for old, new in new_names.items()}
    addresses = {new: old for old, new in new_addresses.items()}
    new = {**names, **addresses}
    made_up, placed = (
        "|".join(sorted(map(re.escape, names_of_kind), key=len, reverse=True)) or "(?!)"
        for names_of_kind in (names, addresses)
    )
    spot = re.compile(
        rf"(?<![0-9A-Za-z])(?:(?:{placed})(?![0-9A-Za-z]|\.\d)|(?:{made_up})(?![0-9A-Za-z]))"
    )

    def back(value: Any) -> Any:
        if isinstance(value, str):
            return spot.sub(lambda found: new[found[0]], value)
        if isinstance(value, list):
            return [back(child) for child in value]
        if isinstance(value, dict):
            return {back(key): back(child) for key, child in value.items()}
        return value

    return back(value)
