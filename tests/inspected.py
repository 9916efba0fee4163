"""Containers for tests of checks, as inspect shows them."""

from __future__ import annotations

from typing import Any

import msgspec

from diagnose.evidence.containers.exposure import Exposed, most_exposed_first
from diagnose.evidence.containers.listing import Container, Containers


def container(name: str = "web", **parts: Any) -> Container:
    """A running container as inspect shows it; parts override or extend the API's own fields."""
    shape: dict[str, Any] = {
        "Id": f"{name:0<64}",
        "Name": f"/{name}",
        "State": {"Status": "running", "Pid": 100, "StartedAt": "2026-01-02T03:04:05Z"},
        "Image": "sha256:1111",
        "Config": {"Image": "shop:1.4", "User": "1000"},
        "HostConfig": {},
        "Mounts": [],
    }
    for key, value in parts.items():
        if isinstance(value, dict) and isinstance(shape.get(key), dict):
            shape[key] = {**shape[key], **value}
        else:
            shape[key] = value
    return msgspec.convert(shape, Container)


def of(*containers: Container) -> Containers:
    return Containers(containers)


def live(*containers: Container) -> Exposed:
    return Exposed(most_exposed_first(containers))


def bind(source: str, **more: Any) -> dict[str, Any]:
    return {"Mounts": [{"Type": "bind", "Source": source, "Destination": "/x", "RW": True, **more}]}


EXITED: dict[str, Any] = {"State": {"Status": "exited", "Pid": 0}}


def subjects(answer: Any) -> list[str]:
    return sorted(finding.subject.name for finding in answer)
