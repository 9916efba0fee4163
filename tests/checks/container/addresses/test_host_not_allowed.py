"""The check in checks/container/addresses/host_not_allowed.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.addresses.allowed_hosts import HostsNotAllowed, hosts_not_allowed
from diagnose.evidence.containers.addresses.local_origins import local_origins
from diagnose.evidence.containers.logs.access_lines import AccessLine
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers, FailedAnswers
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Failed
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import Result, judge, rows

PORTS = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "3001"}]}
CONFIG = """<?php
$CONFIG = array (
  'dbpassword' => 'made-up',
  'trusted_domains' =>
  array (
    0 => 'localhost',
    1 => 'cloud.example.com',
  ),
  'datadirectory' => '/data',
);
"""
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another address": (
        {"env": ["OWNCLOUD_TRUSTED_DOMAINS=localhost,192.0.2.1"]},
        ["OWNCLOUD_TRUSTED_DOMAINS=localhost,192.0.2.1,192.0.2.10"],
    ),
    "words": ({"env": ["ALLOWED_HOSTS=localhost web"]}, ["ALLOWED_HOSTS=localhost web 192.0.2.10"]),
    "with the port": (
        {"env": ["HOMEPAGE_ALLOWED_HOSTS=localhost:3000"]},
        ["HOMEPAGE_ALLOWED_HOSTS=localhost:3000,192.0.2.10:3001"],
    ),
    "a list of JSON": ({"env": ['DJANGO_ALLOWED_HOSTS=["localhost"]']}, [""]),
    "its address is there": ({"env": ["ALLOWED_HOSTS=localhost,192.0.2.10"]}, []),
    "its address with a port": ({"env": ["ALLOWED_HOSTS=192.0.2.10:8080"]}, []),
    "networks of clients": ({"env": ["ALLOWED_HOSTS=10.1.0.0/16 192.0.2.7"]}, []),
    "clients by their addresses": ({"env": ["ALLOWED_HOSTS=192.0.2.7"], "status": 403}, []),
    "all names": ({"env": ["ALLOWED_HOSTS=*"]}, []),
    "no list": ({"env": ["ALLOWED_USERS=me"]}, []),
    "a status of another reason": ({"env": ["ALLOWED_HOSTS=localhost"], "status": 404}, []),
    "its file": ({"image": "nextcloud:30"}, [""]),
    "its file before the variable of the first start": (
        {"image": "nextcloud:30", "env": ["NEXTCLOUD_TRUSTED_DOMAINS=192.0.2.10"]},
        [""],
    ),
    "a file of another program": ({"image": "wordpress:6"}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_lists_of_host_names(case: dict[str, Any], expected: list[str]) -> None:
    assert [finding.variables.get("own", "") for finding in _judged(case).findings] == expected


AGENTS = {
    "-": "warning",
    "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101": "warning",
    "ELB-HealthChecker/2.0": "advice",
    "Mozilla/5.0 (compatible; Nmap Scripting Engine)": "advice",
}


@pytest.mark.parametrize(("agent", "severity"), AGENTS.items())
def test_monitors_call_by_address_where_people_call_by_name(agent: str, severity: str) -> None:
    case = {"env": ["ALLOWED_HOSTS=shop.example.com"], "rest": f'12 "-" "{agent}"'}
    assert rows(_judged(case)) == [(severity, "cloud")]


def test_what_a_file_allows() -> None:
    (finding,) = _judged({"image": "nextcloud:30"}).findings
    assert "/srv/cloud/config.php allows only localhost, cloud.example.com" in finding.summary
    assert finding.variables["address"] == "192.0.2.10"
    assert only("trusted domains", CONFIG) == "localhost\ncloud.example.com\n"


def _judged(case: dict[str, Any]) -> Result:
    folder = {"Type": "bind", "Source": "/srv/cloud", "Destination": "/var/www/html/config"}
    cloud = container(
        "cloud",
        Config={"Image": case.get("image", "shop:1"), "Env": case.get("env", [])},
        Mounts=[folder],
        NetworkSettings={"Ports": PORTS},
    )
    line = '192.0.2.77 - - "GET / HTTP/1.1" 400 12'
    request = AccessLine(
        5.0, line, method="GET", path="/", status=case.get("status", 400), rest=case.get("rest", "")
    )
    failed = FailedAnswers(cloud, (request,) * 4, of=4, is_most=False, url="")
    text = {"text": only("trusted domains", CONFIG)}
    host = Made({"file.read": text if "image" in case else Failed("missing", "")})
    found = hosts_not_allowed(
        host,
        AllFailedAnswers((failed,)),
        Interfaces((), (Address(index=2, family="inet", address="192.0.2.10", prefix=24),)),
        Uplinks((Uplink("eth0", "192.0.2.10"),)),
    )
    return judge("container.host-not-allowed", hosts_not_allowed=found, local_origins=None)


HERE = "http://localhost:3000"
OPEN = [{"HostIp": "0.0.0.0", "HostPort": "3000"}]
ALONE = [{"HostIp": "127.0.0.1", "HostPort": "3000"}]
RULE = "traefik.http.routers.x.rule"
ORIGINS: dict[str, tuple[dict[str, Any], str | None]] = {
    "the port of the page": ({"env": f"CORS_ORIGINS={HERE}"}, "port 3000 of this host"),
    "a list of JSON": ({"env": f'CORS_ALLOWED_ORIGINS=["{HERE}"]'}, "port 3000 of this host"),
    "a name": ({"env": f"ALLOWED_ORIGINS={HERE}", "site": "shop.lab.test"}, "shop.lab.test"),
    "one name for both": (
        {"env": f"ALLOWED_ORIGINS={HERE}", "site": "shop.lab.test", "own": "shop.lab.test"},
        None,
    ),
    "another origin too": ({"env": f"CORS_ORIGINS={HERE},https://shop.lab.test"}, None),
    "all": ({"env": "CORS_ORIGINS=*"}, None),
    "a page for this host": ({"env": f"CORS_ORIGINS={HERE}", "page": ALONE}, None),
    "a page at another port": ({"env": "CORS_ORIGINS=http://localhost:5173"}, None),
    "a page at another port, refused": (
        {"env": "CORS_ORIGINS=http://localhost:5173", "answers": [403, 403]},
        "port 3000 of this host",
    ),
    "called by the server of the page, refused": (
        {"env": f"CORS_ORIGINS={HERE}", "server": [], "answers": [403, 403]},
        "port 3000 of this host",
    ),
    "a page at another port, answered": (
        {"env": "CORS_ORIGINS=http://localhost:5173", "answers": [403, 403, 201]},
        None,
    ),
    "a server that no browser reaches": ({"env": f"CORS_ORIGINS={HERE}", "server": []}, None),
    "no page": ({"env": f"CORS_ORIGINS={HERE}", "project": "other"}, None),
    "a proxy that may serve both": ({"env": f"CORS_ORIGINS={HERE}", "front": "80"}, None),
    "another published port": (
        {"env": f"CORS_ORIGINS={HERE}", "front": "5432"},
        "port 3000 of this host",
    ),
    "for developers": ({"env": f"CORS_ORIGINS={HERE}", "words": ["npm", "run", "dev"]}, None),
    "a desk": ({"env": f"CORS_ORIGINS={HERE}", "comm": "gnome-shell"}, None),
    "another variable": ({"env": f"ORIGIN_URL={HERE}"}, None),
}


@pytest.mark.parametrize(("case", "expected"), ORIGINS.values(), ids=ORIGINS)
def test_lists_of_origins(case: dict[str, Any], expected: str | None) -> None:
    def labels(project: str, name: str) -> dict[str, str]:
        rule = {RULE: f"Host(`{name}`)"} if name else {}
        return {"com.docker.compose.project": project, **rule}

    bindings = case.get("server", [{"HostIp": "0.0.0.0", "HostPort": "8000"}])
    server = container(
        "api",
        Config={
            "Env": [case["env"]],
            "Cmd": case.get("words", []),
            "Labels": labels("shop", case.get("own", "")),
        },
        NetworkSettings={"Ports": {"8000/tcp": bindings}},
    )
    page = container(
        "page",
        Config={"Labels": labels(case.get("project", "shop"), case.get("site", ""))},
        NetworkSettings={"Ports": {"80/tcp": case.get("page", OPEN)}},
    )
    front = container(
        "front",
        Config={"Labels": labels("shop", "")},
        NetworkSettings={"Ports": {"80/tcp": [{"HostIp": "", "HostPort": case.get("front", "")}]}},
    )
    processes = Processes((Process(pid=9, comm=case.get("comm", "sshd")),))
    answers = case.get("answers", [])
    lines = tuple(
        RecentLine(1_800_000_000.0, f'192.0.2.7 - - "POST /login HTTP/1.1" {status} 9')
        for status in answers
    )
    logs = RecentLogs({server.id: lines})
    containers = of(server, page, *([front] if "front" in case else []))
    found = local_origins(containers, processes, logs)
    result = judge(
        "container.host-not-allowed", hosts_not_allowed=HostsNotAllowed(), local_origins=found
    )
    assert [origin.by for origin in found] == ([] if expected is None else [expected])
    severity = "warning" if answers else "advice"
    assert rows(result) == [(severity, "api")] * len(found)
