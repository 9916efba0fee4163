"""Settings that do nothing without another part, and the same settings with it."""

from __future__ import annotations

import time

from diagnose.evidence.containers.settings.unmet_needs import SETTLED_S
from diagnose.phrases import unix
from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.storage.helpers import SAFE

_SERVES = (
    b"#!/bin/sh\nfor port in $(cat /ports); do httpd -f -p $port -h /www & done\nexec sleep 1000\n"
)
_LISTENER = "listener 1883\npersistence true\n"


def _program(box: Box, image: str, ports: str, *changes: str) -> None:
    """A stand-in for an image, which listens at these ports."""
    files = {"start": (_SERVES, 0o755), "ports": (ports.encode(), 0o644)}
    load(box, image, Recipe(files, ('ENTRYPOINT ["/start"]', *changes)))


def _run(box: Box, name: str, image: str, *options: str) -> None:
    box.docker(*SAFE, f"--name={name}", *options, image)
    box.wait_state(name, "running")


def _companions(box: Box, number: int) -> None:
    """nginx-proxy and the companion that gets its certificates."""
    socket = "--volume=/var/run/docker.sock"
    certificates = f"--volume=certs{number}:/etc/nginx/certs"
    _program(box, "nginxproxy/nginx-proxy:1.6", "80 443")
    _program(box, "nginxproxy/acme-companion:2.4", "")
    published = (f"--publish=80{number}:80", f"--publish=84{number}:443")
    _run(
        box,
        f"proxy{number}",
        "nginxproxy/nginx-proxy:1.6",
        *published,
        certificates,
        f"{socket}:/tmp/docker.sock",
    )
    _run(
        box,
        f"acme{number}",
        "nginxproxy/acme-companion:2.4",
        certificates,
        f"{socket}:/var/run/docker.sock",
    )
    _program(box, "blog:5", "80", "EXPOSE 80")


@fault("container.setting-incomplete", subject="container:blog61")
def certificate_for_no_site(box: Box) -> None:
    """A container asks for a certificate, and nginx-proxy does not know its name."""
    _companions(box, 61)
    _run(box, "blog61", "blog:5", "--env=LETSENCRYPT_HOST=blog.example.org")
    assert "VIRTUAL_HOST" not in box.docker("exec", "blog61", "env").stdout


@healthy()
def certificate_for_a_site(box: Box) -> None:
    """The site has both variables."""
    _companions(box, 62)
    site = "blog.example.org"
    _run(box, "blog62", "blog:5", f"--env=LETSENCRYPT_HOST={site}", f"--env=VIRTUAL_HOST={site}")


def _runner(box: Box, number: int, folder: str, ports: str) -> None:
    """An engine in a container, and a program that calls it at port 2375."""
    network = f"ci{number}"
    box.docker("network", "create", network)
    _program(box, f"docker:{number}-dind", ports, "ENV DOCKER_TLS_CERTDIR=/certs", "VOLUME /certs")
    options = (f"--network={network}", f"--network-alias=docker{number}")
    _run(
        box,
        f"inner{number}",
        f"docker:{number}-dind",
        *options,
        f"--env=DOCKER_TLS_CERTDIR={folder}",
    )
    address = f"--env=DOCKER_HOST=tcp://docker{number}:2375"
    _run(box, f"runner{number}", "shop:1.4", f"--network={network}", address)


@fault("container.setting-incomplete", subject="container:runner63")
def inner_engine_with_tls(box: Box) -> None:
    """The inner engine listens with TLS at 2376 alone, as its image does by itself."""
    _runner(box, 63, "/certs", "2376")
    refused = box.docker("exec", "runner63", "nc", "-w", "1", "docker63", "2375", check=False)
    assert refused.returncode != 0


@healthy()
def inner_engine_without_tls(box: Box) -> None:
    """Its folder of certificates is empty: it listens at 2375 without TLS."""
    _runner(box, 64, "", "2375")


def _broker(box: Box, number: int, text: str) -> None:
    """A stand-in for mosquitto with a file of settings, that has run for a while."""
    _program(box, "eclipse-mosquitto:2", "1883")
    box.write(f"/srv/mosquitto{number}/mosquitto.conf", text)
    mount = f"--volume=/srv/mosquitto{number}:/mosquitto/config"
    _run(box, f"mq{number}", "eclipse-mosquitto:2", mount)
    started = unix(box.inspect(f"mq{number}")["State"]["StartedAt"]) or 0.0
    box.wait_for(
        lambda: time.time() > started + SETTLED_S, SETTLED_S + 10, "the broker to have settled"
    )


@fault("container.setting-incomplete", subject="container:mq65")
def broker_that_refuses_all(box: Box) -> None:
    """It has a listener for other machines, and no way to log in."""
    _broker(box, 65, _LISTENER)
    assert "allow_anonymous" not in box.read("/srv/mosquitto65/mosquitto.conf")


@healthy()
def broker_with_logins(box: Box) -> None:
    """It has a file of passwords."""
    _broker(box, 66, f"{_LISTENER}password_file /mosquitto/config/passwords\n")
