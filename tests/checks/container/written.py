"""Compose projects by their files, for the tests of checks."""

from __future__ import annotations

from typing import Any

from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.listing import Container
from diagnose.questions.compose import ComposeProject, WrittenService
from tests.inspected import container

FILE = "/srv/shop/compose.yaml"


def made(service: str, **parts: Any) -> Container:
    """A running container of project shop."""
    labels = {
        "project": "shop",
        "service": service,
        "project.working_dir": "/srv/shop",
        "project.config_files": FILE,
    }
    config = parts.pop("Config", {})
    config = {
        **config,
        "Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()},
    }
    return container(f"shop-{service}-1", Config=config, **parts)


def project(
    *containers: Container, services: list[WrittenService], **parts: Any
) -> WrittenProjects:
    """Project shop, as its one file has it."""
    written = ComposeProject(services=services, **parts)
    return WrittenProjects((WrittenProject("shop", "/srv/shop", (FILE,), written, containers),))
