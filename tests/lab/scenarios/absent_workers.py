"""Programs whose jobs nobody does, and their look-alikes with a worker."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE, labels

CHECK = "container.worker-missing"
_PHP = b"#!/bin/sh\nwhile :; do sleep 1000; done\n"
_FILES = {
    "srv/app/artisan": (b"#!/usr/bin/env php\n", 0o755),
    "srv/app/app/Jobs/SendMail.php": (b"<?php\n", 0o644),
    "bin/php": (_PHP, 0o755),
    "bin/php-fpm": (_PHP, 0o755),
}
"""An application with jobs, and programs that are called like those of PHP."""


def _application(box: Box, number: int, *settings: str) -> str:
    """A program of a project with the code of Laravel; its image."""
    image = f"laravel:{number}"
    load(box, image, Recipe(_FILES, ("WORKDIR /srv/app", 'CMD ["php-fpm"]')))
    _run(box, number, "app", image, "php-fpm", settings=settings)
    return image


def _run(
    box: Box, number: int, service: str, image: str, *command: str, settings: tuple[str, ...] = ()
) -> None:
    project = f"jobs{number}"
    name = f"{project}-{service}-1"
    variables = [f"--env={setting}" for setting in settings]
    marks = labels(project, service)
    box.docker("run", "-d", f"--name={name}", *SAFE, *marks, *variables, image, *command)
    box.wait_state(name, "running")


def _found(box: Box, number: int) -> list[str]:
    report = box.diagnose("check", CHECK, "--format", "json")
    name = f"jobs{number}-app-1"
    return [finding["id"] for finding in report.findings if finding["subject"]["name"] == name]


@fault(CHECK, subject="container:jobs61-app-1", shareable=True)
def queue_without_a_worker(box: Box) -> None:
    """The application puts its jobs into Redis, and only its web server runs."""
    _application(box, 61, "QUEUE_CONNECTION=redis")


@healthy(shareable=True)
def queue_with_a_worker(box: Box) -> None:
    """The same application with a service that works, which has a name of its own."""
    image = _application(box, 62, "QUEUE_CONNECTION=redis")
    _run(box, 62, "background", image, "php", "artisan", "queue:work")
    assert not _found(box, 62)


@healthy(shareable=True)
def jobs_within_the_request(box: Box) -> None:
    """The application does its jobs itself, as it does by default."""
    _application(box, 63)
    assert not _found(box, 63)
