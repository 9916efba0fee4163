"""container.label-misspelt: keys of labels, and the programs that read them."""

from __future__ import annotations

import subprocess
import time

import pytest

from diagnose.evidence.containers.settings.misspelt_labels import misspelt_labels
from diagnose.programs.known_label_keys import LABEL_KEYS
from tests.inspected import container, of
from tests.judging import judge, rows

BY_PROGRAM = {keys.program: keys for keys in LABEL_KEYS}
MEANT = (
    ("Traefik", "traefik.enabled", "traefik.enable"),
    ("Traefik", "traeffik.enable", "traefik.enable"),
    ("Traefik", "traefik.docker.enable", "traefik.enable"),
    ("Traefik", "traefik.network", "traefik.docker.network"),
    ("Traefik", "traefik.http.router.x.rule", "traefik.http.routers.x.rule"),
    ("Traefik", "traefik.routers.x.rule", "traefik.http.routers.x.rule"),
    ("Traefik", "http.routers.x.rule", "traefik.http.routers.x.rule"),
    ("Traefik", "traefik.http.routers.x.certresolver", "traefik.http.routers.x.tls.certresolver"),
    ("Traefik", "traefik.http.routers.x.tls.domain[0].main", "traefik.http.routers.x.tls.domains[0].main"),
    ("Traefik", "traefik.http.services.x.loadbalancer.port", "traefik.http.services.x.loadbalancer.server.port"),
    ("Caddy", "caddy_0.revers_proxy", "caddy_0.reverse_proxy"),
    ("Caddy", "caddy.1_reverse-proxy", "caddy.1_reverse_proxy"),
    ("Watchtower", "watchtower.enable", "com.centurylinklabs.watchtower.enable"),
    ("Watchtower", "com.centurylinklabs.watchtower.enabled", "com.centurylinklabs.watchtower.enable"),
    ("Ofelia", "ofelia.jobs-exec.x.schedule", "ofelia.job-exec.x.schedule"),
    ("autoheal", "autoheal.enable", "autoheal"),
    ("nginx-proxy", "VIRTUAL_HOSTS", "VIRTUAL_HOST"),
    ("nginx-proxy", "LETS_ENCRYPT_HOST", "LETSENCRYPT_HOST"),
)  # fmt: skip
THEIR_OWN = (
    ("Traefik", "traefik.http.routers.x.entryPoints"),
    ("Traefik", "traefik.http.middlewares.x.plugin.y.z"),
    ("Traefik", "traefik.http.middlewares.x.of-a-plugin.y"),
    ("Traefik", "traefik.constraint-label"),
    ("Traefik", "traefik.tags"),
    ("Traefik", "org.opencontainers.image.title"),
    ("Caddy", "caddy.@ws.0_header"),
    ("Caddy", "caddy.rate_limit"),
    ("Watchtower", "com.docker.compose.service"),
    ("Homepage", "homepage.widget.type"),
    ("Caddy", "caddy.@header.header"),
    ("Traefik", "docker.network"),
    ("Ofelia", "docker.network"),
    ("What's up Docker", "display.name"),
    ("autoheal", "stop.timeout"),
    ("nginx-proxy", "VIRTUAL_ENV"),
    ("nginx-proxy", "HTTP_METHOD"),
    ("nginx-proxy", "HTTP_PORT"),
    ("nginx-proxy", "HTTP_METHOD"),
    ("Traefik", "caddy.tls"),
    ("Traefik", "enable"),
    ("Diun", "enable"),
)


@pytest.mark.parametrize(("program", "key", "meant"), MEANT)
def test_keys_with_a_slip(program: str, key: str, meant: str) -> None:
    assert BY_PROGRAM[program].meant_by(key) == meant
    assert BY_PROGRAM[program].meant_by(meant) == ""


@pytest.mark.parametrize(("program", "key"), THEIR_OWN)
def test_keys_that_are_no_slip(program: str, key: str) -> None:
    assert BY_PROGRAM[program].meant_by(key) == ""


COMPOSE = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.project.working_dir": "/srv/shop",
    "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
}
ADVICE = [("advice", "web")]
HOSTS: dict[str, tuple[str, dict[str, str], list[tuple[str, str]]]] = {
    "a key with a slip": ("traefik:v3.1", {"traefik.enabled": "true"}, ADVICE),
    "the right key too": ("traefik:v3.1", {"traefik.enabled": "", "traefik.enable": "true"}, []),
    "no such program": ("nginx:1", {"traefik.enabled": "true"}, []),
    "labels of Traefik 1": ("traefik:2.10", {"traefik.frontend.rule": "Host:a"}, ADVICE),
    "labels of both": (
        "traefik:2.10", {"traefik.port": "80", "traefik.http.routers.a.rule": "Host(`a`)"}, [],
    ),
    "Traefik 1 itself": ("traefik:1.7", {"traefik.frontend.rule": "Host:a"}, []),
}  # fmt: skip


@pytest.mark.parametrize(("image", "labels", "expected"), HOSTS.values(), ids=HOSTS)
def test_hosts(image: str, labels: dict[str, str], expected: list[tuple[str, str]]) -> None:
    reader = container("proxy", Config={"Image": image})
    found = misspelt_labels(of(reader, container(Config={"Labels": labels})))
    assert rows(judge("container.label-misspelt", misspelt_labels=found)) == expected


def test_a_program_of_another_engine_reads_other_labels() -> None:
    elsewhere = {"Image": "containrrr/watchtower", "Env": ["DOCKER_HOST=tcp://nas:2375"]}
    web = container(Config={"Labels": {"watchtower.enable": "true"}})
    assert not misspelt_labels(of(container("updater", Config=elsewhere), web))


@pytest.mark.parametrize("setting", ["AUTOHEAL_CONTAINER_LABEL=auto-heal", "A=x,auto-heal"])
def test_another_label_that_the_program_is_given(setting: str) -> None:
    reader = container("healer", Config={"Image": "willfarrell/autoheal", "Env": [setting]})
    web = container(Config={"Labels": {"auto-heal": "true"}})
    assert not misspelt_labels(of(reader, web))


def _edited(edit: str, text: str) -> str:
    run = subprocess.run(
        ["sed", "-e", edit], input=text, capture_output=True, text=True, check=True
    )
    return run.stdout


def _offered(label: str) -> str:
    """The edit of the compose file of a container with this label; "" for none."""
    labels = {**COMPOSE, label: "true"}
    reader = container("proxy", Config={"Image": "traefik"})
    found = misspelt_labels(of(reader, container(Config={"Labels": labels})))
    (finding,) = judge("container.label-misspelt", misspelt_labels=found).findings
    return finding.variables.get("edit", "")


def test_the_right_keys_of_other_services_stay() -> None:
    text = "- traefik.enabl=true\n- traefik.enable=true\ntraefik.enabl: a\n- 'traefik.enabl=b'\n"
    expected = text.replace("enabl=", "enable=").replace("enabl:", "enable:")
    assert _edited(_offered("traefik.enabl"), text) == expected


HOSTILE = "traefik.http.router.a/b/;1eid;.rule"


@pytest.mark.parametrize("label", [HOSTILE, "traefik.enab/l/e;", "traefik.http.router.a\nb.rule"])
def test_a_key_with_a_command_of_sed_is_not_edited(label: str) -> None:
    assert not _offered(label)


def test_what_is_said_and_offered() -> None:
    labels = {**COMPOSE, "traefik.http.router.a.rule": "Host(`a`)"}
    reader = container("proxy", Config={"Image": "traefik"})
    found = misspelt_labels(of(reader, container(Config={"Labels": labels})))
    (finding,) = judge("container.label-misspelt", misspelt_labels=found).findings
    edited = _edited(finding.variables["edit"], "      - traefik.http.router.a.rule=Host(`a`)\n")
    assert edited == "      - traefik.http.routers.a.rule=Host(`a`)\n"
    assert finding.summary.endswith("does not know: Traefik reads traefik.http.routers.a.rule")


def test_many_labels_take_no_time() -> None:
    labels = {f"org.made.up{number}.enable.traefic": "x" for number in range(20000)}
    labels |= {f"traefik.{'routers.' * 3000}rule": "x", "traefik.enabled": "true"}
    readers = [container(f"r{number}", Config={"Image": "traefik"}) for number in range(4)]
    webs = [container(f"w{number}", Config={"Labels": labels}) for number in range(10)]
    began = time.process_time()
    misspelt_labels(of(*readers, *webs))
    assert time.process_time() - began < 3
