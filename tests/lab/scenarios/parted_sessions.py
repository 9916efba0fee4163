"""Replicas of a service that keep sessions of their users in files."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import load
from tests.lab.programs import install_compose

_SERVICE = """services:
  web:
    image: bb:1.36
    command: ["sh", "-c", "echo user >/tmp/sess_$$(hostname)0123456789abcdef; exec sleep 1000"]
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
"""
_SHARED = "    volumes: ['sessions:/tmp']\nvolumes: {sessions: {}}\n"


def _service(box: Box, name: str, text: str, replicas: int) -> None:
    """So many containers of a service, each of which has served a login."""
    load(box, "bb:1.36")
    install_compose(box)
    box.write(f"/srv/{name}/compose.yaml", text)
    box.sh(f"cd /srv/{name} && docker compose up --detach --scale web={replicas} 2>&1", timeout=60)
    for number in range(1, replicas + 1):
        _wait_for_session(box, f"{name}-web-{number}")


def _wait_for_session(box: Box, name: str) -> None:
    listed = ("exec", name, "ls", "/tmp")
    box.wait_for(lambda: "sess_" in box.docker(*listed, check=False).stdout, what="a session")


@fault("container.sessions-apart", subject="container:logins41-web-1", exit_code=0)
def replicas_with_sessions_of_their_own(box: Box) -> None:
    """Two containers of a service have files of sessions in their layers."""
    _service(box, "logins41", _SERVICE, 2)


@healthy()
def replicas_with_common_sessions(box: Box) -> None:
    """The folder of the sessions is a volume that both have."""
    _service(box, "logins42", _SERVICE + _SHARED, 2)


@healthy()
def one_container_with_sessions(box: Box) -> None:
    """The service has one container."""
    _service(box, "logins43", _SERVICE, 1)
