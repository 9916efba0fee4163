"""Programs whose documentation demands a service for jobs beside them, and no such service. Pure.

A program is known by its image. Its server works without the worker, and logs nothing.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence


class WorkerMark(msgspec.Struct, frozen=True):
    """The command, image or setting that tells a worker from the server of its program."""

    kind: Literal["command", "image", "setting"]
    text: str


class _Setting(msgspec.Struct, frozen=True):
    """An environment variable and its value."""

    variable: str
    value: str

    @property
    def text(self) -> str:
        return f"{self.variable}={self.value}"


class _Program(msgspec.Struct, frozen=True):
    """A program in several services, by the image of the one that makes jobs."""

    image: LazyPattern
    works: LazyPattern
    """A worker, by image, command and `MODE=` of its container."""
    worker: WorkerMark
    asks: _Setting | None = None
    """The setting that leaves jobs to a worker; None where the program always does so."""
    alone: str = ""
    """The setting with which the program does its jobs itself."""


_ROWS = (
    _Program(
        LazyPattern(r"(?:^|/)n8n(?:[:@]|$)"),
        LazyPattern(r"\bworker\b"),
        worker=WorkerMark("command", "n8n worker"),
        asks=_Setting("EXECUTIONS_MODE", "queue"),
        alone="EXECUTIONS_MODE=regular",
    ),
    _Program(
        LazyPattern(r"(?:^|/)airflow(?:[:@]|$)"),
        LazyPattern(r"\bworker\b"),
        worker=WorkerMark("command", "celery worker"),
        asks=_Setting("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor"),
    ),
    _Program(
        LazyPattern(r"goauthentik/server(?:[:@]|$)"),
        LazyPattern(r"\b(?:worker|allinone)\b"),
        worker=WorkerMark("command", "worker"),
    ),
    _Program(
        LazyPattern(r"langgenius/dify-api(?:[:@]|$)"),
        LazyPattern(r"\bMODE=(?:worker|all)\b"),
        worker=WorkerMark("setting", "MODE=worker"),
        asks=_Setting("MODE", "api"),
    ),
    _Program(
        LazyPattern(r"(?:^|/)langfuse:3"),
        LazyPattern(r"langfuse-worker"),
        worker=WorkerMark("image", "langfuse/langfuse-worker:3"),
    ),
    _Program(
        LazyPattern(r"(?:tootsuite|mastodon)/mastodon(?:[:@]|$)"),
        LazyPattern(r"\bsidekiq\b"),
        worker=WorkerMark("command", "bundle exec sidekiq"),
    ),
    _Program(
        LazyPattern(r"chatwoot/chatwoot(?:[:@]|$)"),
        LazyPattern(r"\bsidekiq\b"),
        worker=WorkerMark("command", "bundle exec sidekiq -C config/sidekiq.yml"),
    ),
    _Program(
        LazyPattern(r"netboxcommunity/netbox(?:[:@]|$)"),
        LazyPattern(r"\brqworker\b"),
        worker=WorkerMark(
            "command", "/opt/netbox/venv/bin/python /opt/netbox/netbox/manage.py rqworker"
        ),
    ),
)
"""The programs, as the compose files of their makers have them."""
_SERVES = LazyPattern(r"\b(?:api-server|puma|rails|server|start|webserver)\b")
"""A word of the command of a service that answers requests."""


class KnownWorker(msgspec.Struct, frozen=True):
    """A program without the worker that its documentation demands."""

    program: Container
    worker: WorkerMark
    asks: str
    """The setting that leaves jobs to a worker; "" where the program always does so."""
    alone: str
    """The setting with which the program does its jobs itself; "" for none."""


class KnownWorkers(Items[KnownWorker], frozen=True):
    """The first service of each project that lacks its worker."""


@evidence
def known_workers(containers: Containers) -> KnownWorkers:
    """The running programs whose worker no container of this host is, not even a stopped one."""
    workers: dict[str, KnownWorker] = {}
    for container in containers.running:
        project = container.compose_project or container.id
        for row in _ROWS:
            if project not in workers and _lacks_worker(container, row, containers):
                asks = row.asks.text if row.asks is not None else ""
                workers[project] = KnownWorker(container, row.worker, asks, row.alone)
    return KnownWorkers(tuple(workers.values()))


def _lacks_worker(container: Container, row: _Program, containers: Containers) -> bool:
    """Whether a container leaves jobs to a worker of this program, and none is there."""
    config = container.config
    if not row.image.search(config.image):
        return False
    if row.asks is not None:
        leaves_jobs = config.value_of(row.asks.variable) == row.asks.value
    else:
        leaves_jobs = not config.words or _SERVES.search(" ".join(config.words)) is not None
    if not leaves_jobs:
        return False
    return not any(row.works.search(" ".join(_marks(other))) for other in containers)


def _marks(container: Container) -> Iterator[str]:
    """The words by which a worker is known: of its name, image, command and MODE."""
    config = container.config
    yield from (container.compose_service, container.name, config.image, *config.words)
    yield f"MODE={config.value_of('MODE')}"
