"""Hosts with engines that run, or do not."""

from __future__ import annotations

from typing import Any

from diagnose.model import Unavailable

NOTHING = Unavailable("missing", "")


def file(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "mtime": 1.0, "truncated": False, **more}


HERE = {"same_host": True, "why": "", "engine_pid": 7}
USERS = {
    "uid": 1200,
    "config": "/home/shop/.config/docker/daemon.json",
    "data": "/home/shop/.local/share/docker",
    "runtime": "/run/user/1200",
    "traces": True,
}


def at(rootless: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The answer `endpoint` about a user's engine."""
    own = USERS if rootless is None else rootless
    return {
        "url": "unix:///run/user/1200/docker.sock",
        "scheme": "unix",
        "source": "DOCKER_HOST",
        "named": True,
        "rootless": own,
    } | more
