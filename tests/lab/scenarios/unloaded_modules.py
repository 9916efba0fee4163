"""Programs that load their modules by a list, with and without the module that is set up."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.storage.helpers import SAFE

_SETTINGS = b"[options]\nserver_wide_modules = base,web\n\n[queue_job]\nchannels = root:4\n"
_START = b"#!/bin/sh\necho odoo: HTTP service running\nexec sleep 1000\n"


def _odoo(box: Box, name: str, *words: str) -> None:
    """A stand-in for Odoo with a section of queue_job in its file."""
    files = {"odoo": (_START, 0o755), "etc/odoo/odoo.conf": (_SETTINGS, 0o644)}
    load(box, "odoo:16.0", Recipe(files, ('ENTRYPOINT ["/odoo"]',)))
    box.docker(*SAFE, f"--name={name}", "odoo:16.0", *words)
    box.wait_state(name, "running")


@fault("container.module-unloaded", subject="container:odoo61", exit_code=0)
def queue_that_nobody_runs(box: Box) -> None:
    """The file has channels for jobs, and the list of modules lacks the one that runs them."""
    _odoo(box, "odoo61", "--workers=4", "--dev=reload,queue_job")


@healthy()
def queue_that_is_loaded(box: Box) -> None:
    """The command names the module."""
    _odoo(box, "odoo62", "--workers=4", "--load=base,web,queue_job")


@healthy()
def queue_of_another_container(box: Box) -> None:
    """One container serves pages, and another one of the same image runs the jobs."""
    _odoo(box, "odoo63", "--workers=4")
    _odoo(box, "jobs63", "--workers=0", "--load=base,web,queue_job")
