"""The paths that Traefik and Caddy pass on, by labels and by Caddyfiles."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.routes.caddy_files import caddy_files
from diagnose.evidence.network.proxies.routes.passed_routes import passed_routes
from diagnose.live.disk.parts.caddy import sites
from diagnose.model import Json
from diagnose.nginx_text import text_of
from diagnose.questions import AnyQuestion
from diagnose.questions.processes import Process
from tests.checks.network.evidence import container
from tests.hosts import Made

RULE = {"traefik.http.routers.api.rule": "Host(`shop.example`) && PathPrefix(`/api`)"}
STRIP = {
    "traefik.http.routers.api.middlewares": "cut",
    "traefik.http.middlewares.cut.stripprefix.prefixes": "/api",
}
OTHER = {"traefik.http.routers.api.middlewares": "file@file"}
LABELS: dict[str, tuple[dict[str, str], list[tuple[str, bool]]]] = {
    "left on": (RULE, [("/api", False)]),
    "cut off": (RULE | STRIP, [("/api", True)]),
    "changed elsewhere": (RULE | OTHER, []),
    "no path": ({"traefik.http.routers.api.rule": "Host(`shop.example`)"}, []),
}


@pytest.mark.parametrize(("labels", "expected"), LABELS.values(), ids=LABELS)
def test_labels(labels: dict[str, str], expected: list[tuple[str, bool]]) -> None:
    traefik = container("traefik", Config={"Image": "traefik:v3.1"})
    api = container("api", Config={"Image": "api:1", "Labels": labels})
    routes = passed_routes(Made({}), Containers((traefik, api)), Processes(()))
    assert [(route.location, route.is_cut) for route in routes] == expected


CADDYFILES: dict[str, tuple[str, list[tuple[str, bool, int]]]] = {
    "handle": (":80 {\n handle /api/* {\n  reverse_proxy api:8000\n }\n}", [("/api/", False, 8000)]),
    "handle_path": (
        "shop.example {\n handle_path /api/* {\n  reverse_proxy http://api:8000\n }\n}",
        [("/api/", True, 8000)],
    ),
    "in one line": (":80 {\n reverse_proxy /api/* api:8000 # here\n}", [("/api/", False, 8000)]),
    "by a name": (
        ":80 {\n @api path /api/*\n handle @api {\n  uri strip_prefix /api\n  reverse_proxy api\n }\n}",
        [("/api/", True, 80)],
    ),
    "without braces": ("shop.example\nreverse_proxy /api/* {\n to api:8000\n}", [("/api/", False, 8000)]),
    "a rule of its own": (":80 {\n rewrite /api/* /v1{uri}\n reverse_proxy /api/* api:8000\n}", []),
    "no path": (":80 {\n reverse_proxy api:8000\n}", []),
    "a stranger": (":80 {\n reverse_proxy /api/* away:8000\n}", []),
    "a snippet": (
        "(api) {\n handle_path /api/* {\n  reverse_proxy api:8000\n }\n}\n:80 {\n import api\n}",
        [("/api/", True, 8000)],
    ),
    "a snippet in a snippet": (
        "(to) {\n reverse_proxy /api/* api:8000\n}\n(all) {\n import to\n}\n:80 {\n import all\n}",
        [("/api/", False, 8000)],
    ),
    "a snippet with arguments": (
        "(to) {\n reverse_proxy {args[0]} api:8000\n}\n:80 {\n import to /api/*\n}", [],
    ),
    "an import that is not known": (
        ":80 {\n import elsewhere\n reverse_proxy /api/* api:8000\n}", [],
    ),
    "a snippet that nobody imports": (
        "(api) {\n reverse_proxy /api/* api:8000\n}\n:80 {\n respond hello\n}", [],
    ),
    "a snippet that is longer than any": (
        "(all) {\n" + " reverse_proxy /api/* api:8000\n" * 101 + "}\n:80 {\n import all\n}", [],
    ),
    "global options": ("{\n email a@example.com\n}\n:80 {\n respond hello\n}", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CADDYFILES.values(), ids=CADDYFILES)
def test_caddyfiles(text: str, expected: list[tuple[str, bool, int]]) -> None:
    kept = "\n".join(sites(text))
    mounted = {"Type": "bind", "Source": "/srv/caddy", "Destination": "/etc/caddy"}
    caddy = container("caddy", Mounts=[mounted])
    place = {"IPAddress": "172.18.0.3", "Aliases": ["api"]}
    api = container("api", NetworkSettings={"Networks": {"shop": place}})
    running = Processes((Process(7, comm="caddy", container=caddy.id),))
    host = Made({"file.read": {"text": kept, "size": len(kept)}})
    routes = passed_routes(host, Containers((caddy, api)), running)
    assert [(route.location, route.is_cut, route.port) for route in routes] == expected


def test_snippets_that_name_each_other_have_an_end() -> None:
    """Written out, they would be a hundred million directives."""
    chain = "".join(
        f"({this}) {{\n" + f" import {other}\n" * 99 + "}\n"
        for this, other in ("ab", "bc", "cd", "de")
    )
    text = chain + "(e) {\n reverse_proxy api:8000\n}\n:80 {\n import a\n}"
    caddy = container("caddy", Mounts=[WRITABLE])
    running = Processes((Process(7, comm="caddy", container=caddy.id),))
    kept = "\n".join(sites(text))
    host = Made({"file.read": {"text": kept, "size": len(kept)}})
    assert list(passed_routes(host, Containers((caddy,)), running)) == []
    (file,) = caddy_files(host, caddy)
    assert len("\n".join(text_of(file.sites))) < 1 << 20


def test_a_file_for_each_site() -> None:
    files = {
        "/Caddyfile": "import sites/*.caddy\n(log) {\n log\n}\n",
        "/sites/shop.caddy": "shop.example {\n import log\n reverse_proxy /api/* api:8000\n}\n",
    }

    def part(question: AnyQuestion) -> Json:
        text = "\n".join(sites(files[question.args["path"]]))
        return {"text": text, "size": len(text)}

    def names(question: AnyQuestion) -> Json:
        assert question.args["path"] == "/sites"
        return {"entries": [{"name": "shop.caddy"}, {"name": "old.bak"}]}

    caddy = container("caddy", Mounts=[WRITABLE])
    place = {"IPAddress": "172.18.0.3", "Aliases": ["api"]}
    api = container("api", NetworkSettings={"Networks": {"shop": place}})
    running = Processes((Process(7, comm="caddy", container=caddy.id),))
    host = Made({"file.read": part, "file.list": names})
    (route,) = passed_routes(host, Containers((caddy, api)), running)
    assert (route.location, route.path_inside) == ("/api/", "/etc/caddy/sites/shop.caddy")


WRITABLE = {"Type": "bind", "Source": "/srv/caddy", "Destination": "/etc/caddy"}
FILE = {"Type": "bind", "Source": "/srv/Caddyfile", "Destination": "/etc/caddy/Caddyfile"}
API = "handle /api/* {\n reverse_proxy api:8000\n}"
EDITS: dict[str, tuple[dict[str, object], str, str]] = {
    "read-only": ({**WRITABLE, "RW": False}, API, "/srv/caddy/Caddyfile"),
    "the file alone": (FILE, API, "/srv/Caddyfile"),
    "a folder that the container writes": (WRITABLE, API, ""),
    "the same path in two sites": (FILE, f"{API}\n}}\nother.example {{\n{API}", ""),
}


@pytest.mark.parametrize(("mount", "body", "on_host"), EDITS.values(), ids=EDITS)
def test_where_a_caddyfile_may_be_changed(
    mount: dict[str, object], body: str, on_host: str
) -> None:
    kept = "\n".join(sites(f":80 {{\n{body}\n}}"))
    caddy = container("caddy", Mounts=[mount])
    place = {"IPAddress": "172.18.0.3", "Aliases": ["api"]}
    api = container("api", NetworkSettings={"Networks": {"shop": place}})
    running = Processes((Process(7, comm="caddy", container=caddy.id),))
    host = Made({"file.read": {"text": kept, "size": len(kept)}})
    routes = list(passed_routes(host, Containers((caddy, api)), running))
    assert {route.on_host for route in routes} == {on_host}


def test_secrets_of_a_caddyfile_are_not_kept() -> None:
    text = ":80 {\n basic_auth {\n  bob $2a$14$made-up\n }\n reverse_proxy api:8000\n}"
    assert "made-up" not in "\n".join(sites(text))
