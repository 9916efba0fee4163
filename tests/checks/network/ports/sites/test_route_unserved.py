"""The check in checks/network/ports/sites/route_unserved.py, and what proxies make of labels."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.compose.written_projects import WrittenProjects
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import Namespaces, Socket
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.proxies.routes.unserved_routes import unserved_routes
from diagnose.model import Failed, Result, Severity
from diagnose.questions.compose import WrittenService
from tests.checks.container.written import made, project
from tests.checks.network.evidence import LATER, container, namespaces_of
from tests.hosts import Made
from tests.judging import judge, rows

CLOSED = "--providers.docker.exposedbydefault=false"
ON = {"traefik.enable": "true"}
RULE = {"traefik.http.routers.shop.rule": "Host(`shop.example`)"}
PORT = "traefik.http.services.shop.loadbalancer.server.port"


def traefik(*words: str, networks: tuple[str, ...] = ("edge",), **fields: Any) -> Container:
    return container(
        "proxy",
        Config={"Image": "traefik:v3.1", "Cmd": ["traefik", "--providers.docker=true", *words]},
        NetworkSettings={"Networks": {name: {} for name in networks}},
        **fields,
    )


OTHER = {"Image": "lab/other:1"}


def shop(
    labels: dict[str, str],
    *ports: int,
    name: str = "shop",
    networks: tuple[str, ...] = ("edge",),
    **fields: Any,
) -> Container:
    """A container with these labels, whose image declares these ports."""
    config = {"Labels": labels, "ExposedPorts": {f"{port}/tcp": {} for port in ports}}
    return container(
        name,
        Config=config | fields.pop("Config", {}),
        NetworkSettings={"Networks": {network: {} for network in networks}},
        **fields,
    )


def judged(
    containers: list[Container],
    host: Made | None = None,
    *,
    listening: tuple[int, ...] = (8080,),
    written: WrittenProjects | None = None,
    networks: Networks | None = None,
) -> Result:
    sockets = [Socket("tcp", "0.0.0.0", port) for port in listening]
    sockets.append(Socket("tcp", "127.0.0.1", 9999))
    seen = {
        id: netns
        for member in containers
        for id, netns in namespaces_of(member, *sockets).items.items()
    }
    routes = unserved_routes(
        host or Made({}), Containers(tuple(containers)), Namespaces(seen), LATER, written, networks
    )
    return judge("network.route-unserved", unserved_routes=routes)


OPEN = traefik()
MANY = {**ON, **RULE, PORT: "8080", "traefik.http.services.admin.loadbalancer.server.port": "9000"}
ROUTER = "traefik.http.routers.shop"
SAME = {f"{ROUTER}2.rule": "Host(`shop.example`)"}
AUTH = "traefik.http.middlewares.auth.forwardauth.address"
GUARDED = {**RULE, f"{ROUTER}.middlewares": "auth", AUTH: "http://auth:9091/verify"}
EARLY, NOW = "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"
BEGAN = {"Health": {"Status": "starting"}, "StartedAt": "2026-01-01T00:59:30Z"}
STARTS = BEGAN | {"Health": {"Status": "starting", "Log": [{"ExitCode": 1}]}}
ENTRY_POINTS = ("--entrypoints.web.address=:80", "--entrypoints.websecure.address=:443")
HTTPS = {"443/tcp": [{"HostIp": "", "HostPort": "443"}]}


def secure(*words: str) -> Container:
    """Traefik with an entry point at port 443."""
    return container(
        "proxy",
        Config={"Image": "traefik:v3.1", "Cmd": ["--providers.docker=true", *ENTRY_POINTS, *words]},
        NetworkSettings={"Networks": {"edge": {}}, "Ports": HTTPS},
    )


SECURE = secure()
BY_HTTPS = {
    "rule_label": f"{ROUTER}-https.rule=Host(`shop.example`)",
    "point_label": f"{ROUTER}-https.entrypoints=websecure",
    "tls_label": f"{ROUTER}-https.tls=true",
}
ROUTES: dict[str, tuple[list[Container], dict[str, str] | None]] = {
    "served": ([OPEN, shop({**RULE, PORT: "8080"})], None),
    "the only declared port": ([OPEN, shop(RULE, 8080)], None),
    "the lowest declared port": (
        [OPEN, shop(RULE, 8080, 80)], {"label": f"{PORT}=8080"},
    ),
    "a label with another port": (
        [OPEN, shop({**RULE, PORT: "3000"}, 8080)], {"label": f"{PORT}=8080"},
    ),
    "the program has not opened its own port": (
        [OPEN, shop({**RULE, PORT: "3000"}, 3000)], {"proxied": "shop"},
    ),
    "a port on loopback": ([OPEN, shop({**RULE, PORT: "9999"})], {"inward": "shop"}),
    "no port": ([OPEN, shop(RULE)], {"label": f"{PORT}=8080"}),
    "a port for Traefik 1 alone": (
        [OPEN, shop({**RULE, "traefik.port": "8080"}, 25, 8080)], {"label": f"{PORT}=8080"},
    ),
    "a port for both": ([OPEN, shop({**RULE, "traefik.port": "25", PORT: "8080"}, 8080)], None),
    "an earlier port that nothing serves": (
        [OPEN, shop({**RULE, "traefik.port": "81"}, 8080, 8443)], None,
    ),
    "enabled": ([traefik(CLOSED), shop({**ON, **RULE}, 8080)], None),
    "not enabled": ([traefik(CLOSED), shop(RULE, 8080)], {"label": "traefik.enable=true"}),
    "not to be served": (
        [traefik(CLOSED), shop({"traefik.enable": "false", **RULE}, 8080)], None,
    ),
    "without a router": ([traefik(CLOSED), shop({}, 80)], None),
    "without Traefik": ([shop(RULE, 80)], None),
    "two of Traefik": (
        [traefik(CLOSED), container("other", Config={"Image": "traefik"}), shop(RULE, 80)], None,
    ),
    "constraints": (
        [traefik(CLOSED, "--providers.docker.constraints=Label(`a`,`b`)"), shop(RULE)], None,
    ),
    "another engine": (
        [traefik(CLOSED, "--providers.docker.endpoint=tcp://10.0.0.9:2375"), shop(RULE)], None,
    ),
    "a proxy before the socket": (
        [
            traefik(CLOSED, "--providers.docker.endpoint=tcp://guard:2375"),
            container("guard"),
            shop(RULE, 8080),
        ],
        {"label": "traefik.enable=true"},
    ),
    "no common network": (
        [OPEN, shop(RULE, 8080, networks=("back",))],
        {"called_network": "edge", "label": "traefik.docker.network=edge"},
    ),
    "one common network": ([OPEN, shop(RULE, 8080, networks=("back", "edge"))], None),
    "a label for a network of the container alone": (
        [OPEN, shop({**RULE, "traefik.docker.network": "back"}, 8080, networks=("back", "edge"))],
        {"network": "back", "joining": "proxy"},
    ),
    "a label for a network of nobody": (
        [OPEN, shop({**RULE, "traefik.docker.network": "web"}, 8080)], None,
    ),
    "Traefik on the host's network": (
        [
            traefik(networks=("host",), HostConfig={"NetworkMode": "host"}),
            shop(RULE, 8080, networks=("back",)),
        ],
        None,
    ),
    "an entry point": (
        [
            traefik("--entrypoints.web.address=:80"),
            shop({**RULE, "traefik.http.routers.shop.entrypoints": "web,other"}, 8080),
        ],
        None,
    ),
    "another entry point": (
        [
            traefik("--entrypoints.web.address=:80"),
            shop({**RULE, "traefik.http.routers.shop.entrypoints": "https"}, 8080),
        ],
        {"label": "traefik.http.routers.shop.entrypoints=web"},
    ),
    "a middleware that nobody defines": (
        [OPEN, shop({**RULE, "traefik.http.routers.shop.middlewares": "auth@docker"}, 8080)],
        {"middleware": "auth"},
    ),
    "middlewares that are there": (
        [
            OPEN,
            shop({"traefik.http.middlewares.Auth.basicauth.users": "a:b"}, 8080, name="guard"),
            shop({**RULE, "traefik.http.routers.shop.middlewares": "auth@docker,zip@file"}, 8080),
        ],
        None,
    ),
    "another resolver": (
        [
            traefik("--certificatesresolvers.le.acme.email=a@b.example"),
            shop({**RULE, "traefik.http.routers.shop.tls.certresolver": "myresolver"}, 8080),
        ],
        {"label": "traefik.http.routers.shop.tls.certresolver=le"},
    ),
    "one router twice": (
        [
            OPEN,
            shop(RULE, 8080, name="old"),
            shop({"traefik.http.routers.shop.rule": "Host(`b.example`)"}, 8080),
        ],
        {},
    ),
    "two of one service": (
        [OPEN, shop(RULE, 8080, name="shop-2"), shop(RULE, 8080, name="shop")], None,
    ),
    "several services": ([OPEN, shop(MANY)], {}),
    "a chosen service": (
        [OPEN, shop({**MANY, "traefik.http.routers.shop.service": "shop"})], None,
    ),
    "a service of another container": (
        [
            OPEN,
            shop({PORT: "8080"}, name="shop-1"),
            shop({**RULE, "traefik.http.routers.shop.service": "shop"}, 80),
        ],
        None,
    ),
    "a program that starts": ([OPEN, shop(RULE, 80, State=STARTS)], None),
    "a health check that has not run for an hour": (
        [OPEN, shop(RULE, 80, State={"Health": {"Status": "starting"}})],
        {"check_option": "--health-interval=10s"},
    ),
    "a health check whose first run is far": (
        [OPEN, shop(RULE, 80, State=BEGAN, Config={"Healthcheck": {"Interval": 1800 * 10**9}})],
        {"check_option": "--health-interval=10s"},
    ),
    "one rule in two routers": (
        [OPEN, shop(RULE, 8080, name="old", Created=EARLY, Config=OTHER, Image="sha256:old"), shop(SAME, 8080, Created=NOW)],
        {"rival": "old"},
    ),
    "one rule and one service": (
        [
            OPEN,
            shop({**RULE, PORT: "8080", f"{ROUTER}.service": "shop"}, name="old"),
            shop({**SAME, PORT: "8080", f"{ROUTER}2.service": "shop"}),
        ],
        None,
    ),
    "one rule and a priority": (
        [OPEN, shop(RULE, 8080, name="old"), shop({**SAME, f"{ROUTER}2.priority": "9"}, 8080)],
        None,
    ),
    "one rule for HTTP and one for HTTPS": (
        [OPEN, shop(RULE, 8080, name="old"), shop({**SAME, f"{ROUTER}2.tls": "true"}, 8080)],
        None,
    ),
    "one rule at two entry points": (
        [
            OPEN,
            shop({**RULE, f"{ROUTER}.entrypoints": "web"}, 8080, name="old"),
            shop({**SAME, f"{ROUTER}2.entrypoints": "lan"}, 8080),
        ],
        None,
    ),
    "two routers of one container": ([OPEN, shop({**RULE, **SAME}, 8080)], None),
    "nobody allows requests": ([OPEN, shop(GUARDED, 8080)], {"auth_place": "auth:9091"}),
    "who allows requests is stopped": (
        [OPEN, shop(GUARDED, 8080), shop({}, name="auth", State={"Status": "exited"})],
        {"auth_server": "auth"},
    ),
    "who allows requests is on another network": (
        [OPEN, shop(GUARDED, 8080), shop({}, name="auth", networks=("back",))],
        {"network": "edge", "joining": "auth"},
    ),
    "who allows requests is there": (
        [OPEN, shop({**GUARDED, AUTH: "http://auth:8080/verify"}, 8080), shop({}, name="auth")],
        None,
    ),
    "who allows requests is elsewhere": (
        [OPEN, shop({**GUARDED, AUTH: "https://auth.example/verify"}, 8080)], None,
    ),
    "unhealthy": ([OPEN, shop(RULE, 8080, State={"Health": {"Status": "unhealthy"}})], {}),
    "unhealthy, and a replica serves the site": (
        [
            OPEN,
            shop(RULE, 8080, State={"Health": {"Status": "unhealthy"}}),
            shop(RULE, 8080, name="shop2", State={"Health": {"Status": "healthy"}}),
        ],
        None,
    ),
    "plain HTTP at the entry point of HTTPS": ([SECURE, shop(RULE, 8080)], BY_HTTPS),
    "a router with TLS": ([SECURE, shop({**RULE, f"{ROUTER}.tls": "true"}, 8080)], None),
    "a second router with TLS": (
        [SECURE, shop({**RULE, f"{ROUTER}2.rule": "Host(`shop.example`)", f"{ROUTER}2.tls": "true"}, 8080)],
        None,
    ),
    "another container serves the site by HTTPS": (
        [
            SECURE,
            shop(RULE, 8080),
            shop({f"{ROUTER}3.rule": "HostRegexp(`.+`)", f"{ROUTER}3.tls": "true"}, 8080, name="any"),
        ],
        None,
    ),
    "for plain HTTP on purpose": (
        [SECURE, shop({**RULE, f"{ROUTER}.entrypoints": "web"}, 8080)], None,
    ),
    "for HTTPS, and without TLS": (
        [SECURE, shop({**RULE, f"{ROUTER}.entrypoints": "websecure"}, 8080)],
        {"label": f"{ROUTER}.tls=true"},
    ),
    "a login that the second router would lack": (
        [SECURE, shop({**RULE, f"{ROUTER}.middlewares": "a@file"}, 8080)],
        {"plain_router": "shop"},
    ),
    "an entry point with TLS": (
        [secure("--entrypoints.websecure.http.tls.certresolver=le"), shop(RULE, 8080)], None,
    ),
    "a default entry point": (
        [secure("--entrypoints.web.asdefault=true"), shop(RULE, 8080)], None,
    ),
    "sites in files": ([secure("--providers.file.directory=/sites"), shop(RULE, 8080)], None),
    "port 443 is not published": ([traefik(*ENTRY_POINTS), shop(RULE, 8080)], None),
    "a program that is paused": ([OPEN, shop(RULE, 80, State={"Status": "paused"})], None),
    "values behind a blank": (
        [traefik("--providers.docker.exposedbydefault", "false"), shop(RULE, 8080)],
        {"label": "traefik.enable=true"},
    ),
    "a file in the image": ([shop(RULE, 80), container("proxy", Config={"Image": "traefik:v3"})], None),
    "a file that is named": ([traefik("--configfile", "/opt/traefik.yml", CLOSED), shop(RULE)], None),
    "a service of Traefik's own": (
        [OPEN, shop({**RULE, "traefik.http.routers.shop.service": "api@internal"})], None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("containers", "cure"), ROUTES.values(), ids=ROUTES)
def test_routes_of_traefik(containers: list[Container], cure: dict[str, str] | None) -> None:
    found = judged(containers).findings
    assert [finding.subject.name for finding in found] == ([] if cure is None else ["shop"])
    for finding in found:
        assert finding.variables == {"container": "shop", "proxy": "proxy", **(cure or {})}


def test_a_program_that_listens_for_its_own_container_alone() -> None:
    (finding,) = judged([OPEN, shop({**RULE, PORT: "9999"})], listening=()).findings
    assert finding.summary.endswith("listens on the loopback address only")


def test_nothing_listens_for_others() -> None:
    result = judged([OPEN, shop(RULE, 8080)], listening=())
    assert [finding.variables["proxied"] for finding in result.findings] == ["shop"]


def test_sockets_that_were_not_seen_keep_the_check_from_passing() -> None:
    routes = unserved_routes(
        Made({}), Containers((OPEN, shop(RULE, 80))), None, LATER, written=None, networks=None
    )
    assert judge("network.route-unserved", unserved_routes=routes).verdict == "unknown"


FILES = {
    "yaml": ("providers:\n  docker:\n    exposedByDefault: false\n", 1),
    "toml": ("[providers.docker]\n  exposedByDefault = false\n", 1),
    "all": ("providers:\n  docker:\n    endpoint: unix:///var/run/docker.sock\n", 0),
    "constraints": ("  docker:\n    exposedByDefault: false\n    constraints: Label(`a`)\n", 0),
}


@pytest.mark.parametrize(("text", "found"), FILES.values(), ids=FILES)
def test_static_settings_in_a_file(text: str, found: int) -> None:
    mount = {"Type": "bind", "Source": "/srv/traefik", "Destination": "/etc/traefik"}

    def read(question: Any) -> Any:
        is_there = question.path == "/srv/traefik/traefik.yml"
        return {"text": text} if is_there else Failed("missing", question.path)

    result = judged([traefik(Mounts=[mount]), shop(RULE, 8080)], Made({"file.read": read}))
    assert rows(result) == [("warning", "shop")] * found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("providers:\n  file:\n    directory: /etc/traefik/sites\n", 0),
        ("providers:\n  # docker: {}\n  file: {}\n", 0),
        ("providers: {docker: {}}\n", 1),
        ("[providers.docker]\n", 1),
    ],
)
def test_a_file_that_takes_no_routes_from_labels(text: str, found: int) -> None:
    mount = {
        "Type": "bind",
        "Source": "/srv/traefik.yml",
        "Destination": "/etc/traefik/traefik.yml",
    }
    host = Made({"file.read": {"text": text}})
    assert len(judged([traefik(Mounts=[mount]), shop(RULE, 80)], host).findings) == found


def test_static_settings_in_a_file_that_cannot_be_read() -> None:
    mount = {"Type": "bind", "Source": "/srv/traefik", "Destination": "/etc/traefik"}
    host = Made({"file.read": Failed("forbidden", "")})
    assert not judged([traefik(CLOSED, Mounts=[mount]), shop(RULE, 8080)], host).findings


def nginx_proxy(
    *env: str, networks: tuple[str, ...] = ("edge",), ports: tuple[int, ...] = (), program: str = ""
) -> Any:
    proxy = container(
        "proxy",
        Config={"Image": "nginxproxy/nginx-proxy:1.6"},
        NetworkSettings={"Networks": {"edge": {}}},
    )
    config = {"Env": ["VIRTUAL_HOST=shop.example", *env]}
    return [proxy, shop({}, *ports, networks=networks, Config=config, Path=program)]


TO_HTTPS = "--entrypoints.web.http.redirections.entrypoint.to=websecure"


@pytest.mark.parametrize(("words", "severity"), [((), Severity.advice), ((TO_HTTPS,), None)])
def test_a_site_for_plain_http(words: tuple[str, ...], severity: Severity | None) -> None:
    (finding,) = judged([secure(*words), shop(RULE, 8080)]).findings
    assert finding.severity == severity
    assert "answers HTTPS calls" in finding.summary


DOWN = "upstream shop.example { server 172.18.0.9 down; }"
INNER = Network("a1", "inner", internal=True)
EDGE = Network("a2", "edge")
MARKED = {
    "marked as down": (DOWN, ("inner",), {"open_network": "edge"}),
    "served": ("upstream shop.example { server 172.18.0.9:8080; }", ("inner",), None),
    "another site": ("upstream blog.example { server 172.18.0.9 down; }", ("inner",), None),
    "on another network too": (DOWN, ("inner", "edge"), None),
}


@pytest.mark.parametrize(("text", "joined", "cure"), MARKED.values(), ids=MARKED)
def test_a_site_on_an_internal_network(
    text: str, joined: tuple[str, ...], cure: dict[str, str] | None
) -> None:
    proxy = container(
        "proxy",
        Config={"Image": "nginxproxy/nginx-proxy:1.6"},
        NetworkSettings={"Networks": {"edge": {}, "inner": {}}},
    )
    site = shop(
        {}, networks=joined, Config={"Env": ["VIRTUAL_HOST=shop.example", "VIRTUAL_PORT=8080"]}
    )
    host = Made({"api.archive": {"type": "file", "text": text}})
    found = judged([proxy, site], host, networks=Networks((INNER, EDGE))).findings
    assert [finding.variables for finding in found] == (
        [] if cure is None else [{"container": "shop", "proxy": "proxy", **cure}]
    )


CADDY: dict[str, tuple[dict[str, str], str | None]] = {
    "another port": (
        {"caddy.reverse_proxy": "{{upstreams 80}}"},
        "caddy.reverse_proxy={{upstreams 8080}}",
    ),
    "by HTTPS": (
        {"caddy_1.reverse_proxy": "/api/* {{ upstreams https }}"},
        "caddy_1.reverse_proxy=/api/* {{upstreams https 8080}}",
    ),
    "its port": ({"caddy.reverse_proxy": "{{upstreams 8080}}"}, None),
    "a fixed place": ({"caddy.reverse_proxy": "192.0.2.8:80"}, None),
    "no site": ({"caddy.log": "{{upstreams 80}}"}, None),
}


@pytest.mark.parametrize(("labels", "label"), CADDY.values(), ids=CADDY)
def test_labels_of_caddy(labels: dict[str, str], label: str | None) -> None:
    proxy = container(
        "proxy",
        Config={"Image": "lucaslorentz/caddy-docker-proxy:2.9"},
        NetworkSettings={"Networks": {"edge": {}}},
    )
    found = judged([proxy, shop({"caddy": "http://shop.example", **labels}, 8080)]).findings
    assert [finding.variables["label"] for finding in found] == ([] if label is None else [label])
    assert all('"shop.example"' in finding.summary or "caddy_1" in str(labels) for finding in found)


VIRTUAL: dict[str, tuple[list[Container], dict[str, str] | None]] = {
    "the usual port": (nginx_proxy(), {"assignment": "VIRTUAL_PORT=8080"}),
    "the only port": (nginx_proxy(ports=(8080,)), None),
    "a port": (nginx_proxy("VIRTUAL_PORT=8080", ports=(80, 443)), None),
    "no common network": (
        nginx_proxy("VIRTUAL_PORT=8080", networks=("back",)),
        {"network": "edge", "joining": "shop"},
    ),
}


@pytest.mark.parametrize(("containers", "cure"), VIRTUAL.values(), ids=VIRTUAL)
def test_routes_of_nginx_proxy(containers: list[Container], cure: dict[str, str] | None) -> None:
    config = [container.config for container in containers]
    assert config[1].value_of("VIRTUAL_HOST")
    found = judged(containers).findings
    assert [finding.variables for finding in found] == (
        [] if cure is None else [{"container": "shop", "proxy": "proxy", **cure}]
    )


@pytest.mark.parametrize("labels", [["traefik.http.routers.blog.rule"], ["com.example.owner"]])
def test_labels_that_count_for_a_swarm_alone(labels: list[str]) -> None:
    blog = made("blog", NetworkSettings={"Networks": {"edge": {}}})
    service = WrittenService("blog", path="/srv/shop/compose.yaml", swarm_labels=labels)
    found = judged([OPEN, blog], written=project(blog, services=[service])).findings
    wanted = {"swarm_file": "/srv/shop/compose.yaml", "swarm_part": "blog"}
    is_of_proxy = labels[0].startswith("traefik")
    assert [wanted.items() <= finding.variables.items() for finding in found] == [
        True
    ] * is_of_proxy


RIVALS: dict[str, tuple[str, str, list[str]]] = {
    "another image": ("sha256:old", "lab/other:1", ["shop"]),
    "an earlier release": ("sha256:old", "lab/shop:1", []),
    "the same image": ("sha256:new", "lab/other:1", []),
}


@pytest.mark.parametrize(("image", "name", "expected"), RIVALS.values(), ids=RIVALS)
def test_two_containers_for_one_virtual_host(image: str, name: str, expected: list[str]) -> None:
    env = {"Env": ["VIRTUAL_HOST=shop.example", "VIRTUAL_PORT=8080"]}
    old = shop({}, name="old", Image=image, Created=EARLY, Config={**env, "Image": name})
    new = shop({}, Image="sha256:new", Created=NOW, Config={**env, "Image": "lab/shop:2"})
    found = judged([nginx_proxy()[0], new, old]).findings
    assert [finding.subject.name for finding in found] == expected
    assert all("in turn" in finding.summary for finding in found)


UNDECIDED = {
    "one port": ((9090,), "the only port that the container declares"),
    "several ports": ((9090, 9991), "declares ports 9090 and 9991, and without VIRTUAL_PORT"),
    "no port": ((), "declares no port, and without VIRTUAL_PORT nginx-proxy uses port 80"),
}


@pytest.mark.parametrize(("ports", "words"), UNDECIDED.values(), ids=UNDECIDED)
def test_what_nginx_proxy_goes_by_without_a_variable(ports: tuple[int, ...], words: str) -> None:
    (finding,) = judged(nginx_proxy(ports=ports), listening=(8080, 9990)).findings
    assert words in finding.summary
    assert finding.variables["choices"] == "8080 and 9990"


FPM = "/usr/local/sbin/php-fpm"
FASTCGI: dict[str, tuple[list[Container], tuple[int, ...], dict[str, str] | None]] = {
    "called at 80": (nginx_proxy(ports=(80,), program=FPM), (9000,), {"fastcgi_port": "9000"}),
    "called at its port": (
        nginx_proxy(ports=(9000,), program=FPM),
        (9000,),
        {"fastcgi_port": "9000"},
    ),
    "told so": (nginx_proxy("VIRTUAL_PROTO=fastcgi", ports=(9000,), program=FPM), (9000,), None),
    "nginx beside it": (nginx_proxy(ports=(80,), program=FPM), (80, 9000), None),
    "another program": (nginx_proxy(ports=(9000,), program="/app/shop"), (9000,), None),
}


@pytest.mark.parametrize(("containers", "ports", "cure"), FASTCGI.values(), ids=FASTCGI)
def test_a_program_that_speaks_fastcgi_alone(
    containers: list[Container], ports: tuple[int, ...], cure: dict[str, str] | None
) -> None:
    found = judged(containers, listening=ports).findings
    assert [finding.variables for finding in found] == (
        [] if cure is None else [{"container": "shop", "proxy": "proxy", **cure}]
    )


DYNAMIC = "http:\n  routers: {}\ntls:\n  stores: {}\n"
UNREAD = {
    "in the static file": (f"providers:\n  docker: {{}}\n{DYNAMIC}", (), "http and tls"),
    "in TOML": ("[providers.docker]\n[tls.stores.default]\n[[tls.certificates]]\n", (), "tls"),
    "a provider loads it": (f"providers:\n  docker: {{}}\n  file: {{}}\n{DYNAMIC}", (), ""),
    "a provider in braces": (f"providers: {{docker: {{}}, file: {{}}}}\n{DYNAMIC}", (), ""),
    "a provider of TOML, set in": (
        '[providers]\n  [providers.docker]\n  [providers.file]\n    directory = "/d"\n[tls.options]\n', (), "",
    ),
    "a provider of TOML, with dots": (
        '[providers]\nfile.filename = "/etc/traefik/traefik.toml"\n[tls.options]\n', (), "",
    ),
    "a provider of Traefik 1": ("[docker]\n[file]\n[[tls]]\n", (), ""),
    "a flag loads it": (
        f"providers:\n  docker: {{}}\n{DYNAMIC}", ("--providers.file.filename=/a.yml",), "",
    ),
    "static alone": ("entryPoints:\n  web:\n    http:\n      tls: {}\nproviders: {docker: {}}\n", (), ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "flags", "unread"), UNREAD.values(), ids=UNREAD)
def test_dynamic_settings_in_the_static_file(
    text: str, flags: tuple[str, ...], unread: str
) -> None:
    mount = {
        "Type": "bind",
        "Source": "/srv/traefik.yml",
        "Destination": "/etc/traefik/traefik.yml",
    }
    host = Made({"file.read": {"text": text}})
    found = judged([traefik(*flags, Mounts=[mount])], host).findings
    assert [finding.variables.get("unread") for finding in found] == ([unread] if unread else [])


@pytest.mark.parametrize(("scheme", "words"), [("https", []), ("http", ["auth"])])
def test_usual_port_of_who_allows_requests(scheme: str, words: list[str]) -> None:
    site = shop({**GUARDED, AUTH: f"{scheme}://auth/verify"}, 8080)
    found = judged([OPEN, site, shop({}, name="auth")], listening=(443, 8080)).findings
    assert [finding.variables["auth_place"] for finding in found] == words
    assert Severity.advice not in [finding.severity for finding in found]


def test_who_allows_requests_may_be_another_machine() -> None:
    found = judged([OPEN, shop({**GUARDED, AUTH: "http://nas:9091/verify"}, 8080)]).findings
    assert [finding.severity for finding in found] == [Severity.advice]
