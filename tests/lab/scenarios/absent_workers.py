"""Programs whose jobs nobody does, and their look-alikes with a worker."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.everyday.helpers import first_command

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


def _n8n(box: Box, number: int, service: str, *command: str) -> None:
    """A service of n8n that leaves its jobs to a queue."""
    load(box, "n8nio/n8n:1.64", Recipe({"bin/n8n": (_PHP, 0o755)}))
    settings = ("EXECUTIONS_MODE=queue", "QUEUE_BULL_REDIS_HOST=redis")
    _run(box, number, service, "n8nio/n8n:1.64", "n8n", *command, settings=settings)


@fault(CHECK, subject="container:jobs71-app-1")
def known_program_without_its_worker(box: Box) -> None:
    """n8n leaves its jobs to a queue, and only its main service runs."""
    _n8n(box, 71, "app", "start")
    command = first_command(box, CHECK, "jobs71-app-1")
    assert command.endswith("recreate jobs71-app-1 -- --env=EXECUTIONS_MODE=regular | sh"), command


@healthy()
def known_program_with_its_worker(box: Box) -> None:
    """The same, and a service that works."""
    _n8n(box, 72, "app", "start")
    _n8n(box, 72, "background", "worker")
    assert not _found(box, 72)


_SCHEDULE = b"""from celery import Celery

celery_app = Celery("worker", broker="redis://queue:6379//")
celery_app.conf.beat_schedule = {
    "nightly": {"task": "app.nightly", "schedule": 86400.0},
}
"""
_WORKER = ("celery", "-A", "app.worker", "worker", "-l", "info")


def _worker_of_celery(box: Box, number: int, *options: str, code: bytes = _SCHEDULE) -> str:
    """A worker of Celery with this module beside it; its image."""
    image = f"backend:{number}"
    files = {"srv/app/app/core/celery_app.py": (code, 0o644), "bin/celery": (_PHP, 0o755)}
    load(box, image, Recipe(files, ("WORKDIR /srv/app",)))
    _run(box, number, "app", image, *_WORKER, *options)
    return image


@fault(CHECK, subject="container:jobs67-app-1", exit_code=0, shareable=True)
def schedule_of_celery_without_a_beat(box: Box) -> None:
    """The code has jobs with fixed times, and the project runs a worker alone."""
    _worker_of_celery(box, 67)


@healthy(shareable=True)
def schedule_of_celery_with_a_beat(box: Box) -> None:
    """A service of its own gives the jobs out, a worker does that itself, a third has none."""
    image = _worker_of_celery(box, 68)
    _run(box, 68, "timer", image, "celery", "-A", "app.worker", "beat")
    _worker_of_celery(box, 69, "-B")
    _worker_of_celery(
        box, 70, code=_SCHEDULE.replace(b"celery_app.conf.beat", b"# celery_app.conf.beat")
    )
    for number in (68, 69, 70):
        assert not _found(box, number)
