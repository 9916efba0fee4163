"""Programs of Laravel with uploads, with and without the link in their public folder."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import GOOD

CHECK = "container.uploads-unlinked"
_PHP = b"#!/bin/sh\nwhile :; do sleep 1000; done\n"
_FILES = {
    "srv/app/artisan": (b"#!/usr/bin/env php\n", 0o755),
    "srv/app/public/index.php": (b"<?php\n", 0o644),
    "srv/app/storage/app/public/me.png": (b"picture", 0o644),
    "bin/php-fpm": (_PHP, 0o755),
}


def _run(box: Box, number: int) -> str:
    name = f"uploads{number}"
    load(box, "gallery:1", Recipe(_FILES, ("WORKDIR /srv/app", 'CMD ["php-fpm"]')))
    box.docker("run", "-d", f"--name={name}", *GOOD, "gallery:1", "php-fpm")
    box.wait_state(name, "running")
    return name


def _found(box: Box, name: str) -> list[str]:
    report = box.diagnose("check", CHECK, "--format", "json")
    return [finding["id"] for finding in report.findings if finding["subject"]["name"] == name]


@fault(CHECK, subject="container:uploads31")
def uploads_without_a_link(box: Box) -> None:
    """The link went with the container before; the command of the report makes it."""
    name = _run(box, 31)
    typed(box, first_command(box, CHECK, name))
    assert "me.png" in box.docker("exec", name, "ls", "/srv/app/public/storage/").stdout
    assert not _found(box, name)
    box.docker("exec", "--user=0", name, "rm", "/srv/app/public/storage")


@healthy(shareable=True)
def uploads_with_a_link(box: Box) -> None:
    """The link leads to the folder, as the container sees it."""
    name = _run(box, 32)
    target = "/srv/app/storage/app/public"
    box.docker("exec", "--user=0", name, "ln", "-s", target, "/srv/app/public/storage")
    assert not _found(box, name)
