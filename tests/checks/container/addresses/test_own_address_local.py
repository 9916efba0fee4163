"""The check in checks/container/addresses/own_address_local.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.addresses.local_addresses import LocalAddresses, local_addresses
from diagnose.evidence.containers.addresses.local_page_calls import local_page_calls
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Json
from diagnose.questions import Question
from diagnose.questions.files import StatPaths
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

OPEN = {"3000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "3000"}]}
SHUT = {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3000"}]}
ROUTED = {"traefik.http.routers.app.rule": "Host(`app.example.com`)"}
LOCAL = "NEXTAUTH_URL=http://localhost:3000"
CASES: dict[str, tuple[dict[str, Any], list[bool]]] = {
    "published": ({}, [True]),
    "published on loopback": ({"ports": SHUT}, []),
    "not published": ({"ports": {}}, []),
    "behind Traefik": ({"ports": {}, "labels": ROUTED}, [True]),
    "behind nginx-proxy": ({"ports": {}, "env": [LOCAL, "VIRTUAL_HOST=app.example.com"]}, [True]),
    "a machine with a desktop": ({"comm": "gnome-shell"}, []),
    "a desktop, behind Traefik": ({"comm": "gnome-shell", "labels": ROUTED}, [True]),
    "the address of the site": ({"env": ["NEXTAUTH_URL=https://app.example.com"]}, []),
    "another variable has it": ({"env": [LOCAL, "PUBLIC_URL=https://app.example.com"]}, []),
    "for calls inside": ({"env": ["NEXTAUTH_URL_INTERNAL=http://localhost:3000"]}, []),
    "a database": ({"env": ["DATABASE_URL=http://localhost:5432"]}, []),
    "a development server": ({"env": [LOCAL, "NODE_ENV=development"]}, []),
    "the command of a developer": ({"cmd": ["npm", "run", "dev"]}, []),
    "the address of the request": ({"env": [LOCAL, "AUTH_TRUST_HOST=true"]}, []),
    "a port of nobody": ({"env": ["BASE_URL=http://localhost:9999"]}, []),
    "a port of nobody behind Traefik": (
        {"env": ["BASE_URL=http://localhost:9999"], "labels": ROUTED},
        [True],
    ),
    "a weak variable": ({"env": ["APP_URL=http://localhost"]}, [False]),
    "a weak variable behind Traefik": (
        {"env": ["APP_URL=http://localhost"], "labels": ROUTED},
        [True],
    ),
    "n8n behind Traefik without its address": (
        {"env": [], "labels": ROUTED, "image": "n8nio/n8n:1.70"},
        [True],
    ),
    "n8n with its host": (
        {"env": ["N8N_HOST=app.example.com"], "labels": ROUTED, "image": "n8nio/n8n:1.70"},
        [],
    ),
    "n8n without a proxy": ({"env": [], "image": "n8nio/n8n:1.70"}, []),
    "Grafana with settings of its own": (
        {"env": [], "labels": ROUTED, "image": "grafana/grafana:11", "mount": "/etc/grafana"},
        [],
    ),
    "its own name": ({"env": ["WEBHOOK_URL=http://app:3000/"]}, [True]),
    "a page that calls localhost": ({"env": ["VITE_API_URL=http://localhost:3000/api"]}, [True]),
    "an address in the network of the site": ({"env": ["BASE_URL=http://192.168.1.5:3000"]}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_local_addresses(case: dict[str, Any], expected: list[bool]) -> None:
    result = judge("container.own-address-local", local_addresses=_evidence(case))
    assert [not finding.is_quiet for finding in result.findings] == expected


def test_the_name_of_the_site_is_put_in() -> None:
    case = {"labels": ROUTED, "env": ["WEBHOOK_URL=http://localhost:3000/hooks/"]}
    [finding] = judge("container.own-address-local", local_addresses=_evidence(case)).findings
    assert finding.variables["own"] == "WEBHOOK_URL=https://app.example.com/hooks/"


def test_the_variable_that_is_not_set() -> None:
    case = {"labels": ROUTED, "env": [], "image": "docker.n8n.io/n8nio/n8n"}
    [finding] = judge("container.own-address-local", local_addresses=_evidence(case)).findings
    assert finding.variables["own"] == "WEBHOOK_URL=https://app.example.com/"
    assert "its default without WEBHOOK_URL" in finding.summary


PAGES = {
    "api of the host": ({}, ["page"]),
    "a port of nobody": ({"address": "http://localhost:9999"}, []),
    "the inner port of a neighbour": ({"address": "http://localhost:8000"}, ["page"]),
    "on loopback": ({"ports": SHUT}, []),
    "a container of another project": ({"project": "other"}, []),
    "a machine with a desktop": ({"comm": "Xorg"}, []),
    "WSL": ({"comm": "SessionLeader"}, []),
    "a source of pages": ({"package": True}, []),
    "without a first page": ({"index": False}, []),
    "for developers": ({"cmd": ["npm", "run", "dev"]}, []),
    "a default in an image that was pulled": ({"pulled": True, "file": "/html/app.js"}, []),
    "a call in an image that was pulled": (
        {"pulled": True, "file": "/html/app.js", "direct": True}, ["page"],
    ),
    "a default in a file of the user": ({"pulled": True}, ["page"]),
}  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), PAGES.values(), ids=PAGES)
def test_pages_that_call_localhost(case: dict[str, Any], expected: list[str]) -> None:
    found = _page_calls(case)
    result = judge(
        "container.own-address-local", local_addresses=LocalAddresses(), local_page_calls=found
    )
    assert [finding.subject.name for finding in result.findings] == expected


EDITS = {
    "a folder of the host": ({}, True),
    "one file": ({"mount": "/www/app.js"}, False),
    "settings": ({"file": "/www/config.json"}, False),
    "a port that is not open": ({"address": "http://localhost:8000"}, False),
}


@pytest.mark.parametrize(("case", "expected"), EDITS.values(), ids=EDITS)
def test_edit_of_a_page(case: dict[str, Any], expected: bool) -> None:
    found = _page_calls(case)
    [finding] = judge(
        "container.own-address-local", local_addresses=LocalAddresses(), local_page_calls=found
    ).findings
    assert ("edit" in finding.variables) == expected


def _page_calls(case: dict[str, Any]) -> Any:
    """The calls of a page in a folder of the host, beside its API."""
    state = {"Status": "running", "Pid": 101, "StartedAt": "2026-01-02T03:04:05Z"}
    labels = {"com.docker.compose.project": "shop"}
    mount = {"Type": "bind", "Source": "/srv/x", "Destination": case.get("mount", "/www")}
    page = container(
        "page",
        State=state,
        Config={"Cmd": case.get("cmd", ["httpd", "-h", "/www"]), "Labels": labels},
        Mounts=[mount],
        NetworkSettings={"Ports": case.get("ports", OPEN)},
    )
    api = container(
        "api",
        State=state | {"Pid": 102},
        Config={
            "Labels": {**labels, "com.docker.compose.project": case.get("project", "shop")},
            "ExposedPorts": {"8000/tcp": {}},
        },
        NetworkSettings={"Ports": {"8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8089"}]}},
    )

    def stats(question: Question[object]) -> Json:
        assert isinstance(question, StatPaths)
        known = {"/proc/101/root/www/index.html": case.get("index", True)}
        known["/proc/101/root/www/package.json"] = case.get("package", False)
        return {
            path: {"type": "file"} if known.get(path) else {"failed": "missing"}
            for path in question.paths
        }

    call = {
        "address": case.get("address", "http://localhost:8089"),
        "quote": '"',
        "file": case.get("file", "/www/app.js"),
        "is_direct": case.get("direct", False),
    }
    digests = ["page@sha256:1"] if case.get("pulled") else []
    images = Images((Image(page.image, ["page:1"], digests),))
    host = Made({"file.stats": stats, "file.built-pages": {"calls": [call], "files": 1}})
    processes = Processes((Process(9, comm=case.get("comm", "sshd")),))
    return local_page_calls(host, of(page, api), processes, images)


def _evidence(case: dict[str, Any]) -> Any:
    app = container(
        "app",
        Config={
            "Image": case.get("image", "app:1"),
            "Env": case.get("env", [LOCAL]),
            "Labels": case.get("labels", {}),
            "Cmd": case.get("cmd", ["node", "server.js"]),
            "ExposedPorts": {"3000/tcp": {}},
        },
        Mounts=[{"Type": "bind", "Source": "/srv/x", "Destination": case.get("mount", "/data")}],
        NetworkSettings={"Ports": case.get("ports", OPEN)},
    )
    return local_addresses(of(app), Processes((Process(9, comm=case.get("comm", "sshd")),)))
