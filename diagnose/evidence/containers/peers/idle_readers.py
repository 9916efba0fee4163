"""Programs that act on containers with a label, on a host where none has it."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.label_readers import LABEL_READERS, REMOTE, LabelReader
from diagnose.registry import evidence

_OF_JOBS = "ofelia."
_TRUE = frozenset({"true", "1", "yes", "on"})


class IdleReader(msgspec.Struct, frozen=True):
    """A program that finds no container to act on."""

    container: Container
    does: str
    label: str
    """The label that it looks for."""
    unhealthy: tuple[str, ...]
    """The names of containers that are unhealthy, and that it leaves alone."""
    with_jobs: tuple[str, ...] = ()
    """The names of containers that have jobs for it in other labels."""


class IdleReaders(Items[IdleReader], frozen=True):
    """In the order of the containers."""


@evidence
def idle_readers(containers: Containers) -> IdleReaders:
    """The programs that find no container with their label, by images, settings and labels."""
    candidates = (
        _idle_reader(container, reader, containers)
        for container in containers.running
        for reader in LABEL_READERS
        if reader.image.search(container.config.image)
    )
    return IdleReaders(tuple(filter(None, candidates)))


def _idle_reader(
    container: Container, reader: LabelReader, containers: Containers
) -> IdleReader | None:
    """A program that looks for labels, and finds none; None for one that acts on a container."""
    others = [other for other in containers if other.id != container.id]
    if not others or not _looks_for_labels(container, reader):
        return None
    label = container.config.value_of(reader.named_by) or reader.label
    if any(other.labels.get(label, "").lower() in _TRUE for other in others):
        return None
    is_of_jobs = reader.label.startswith(_OF_JOBS)
    with_jobs = [other.name for other in others if any(map(_is_job, other.labels))]
    if is_of_jobs and not with_jobs:
        return None
    unhealthy = [other.name for other in others if other.is_unwell]
    return IdleReader(
        container,
        reader.does,
        label,
        unhealthy=tuple(unhealthy if reader.does == "restarts" else ()),
        with_jobs=tuple(with_jobs if is_of_jobs else ()),
    )


def _looks_for_labels(container: Container, reader: LabelReader) -> bool:
    """Whether a reader looks for labels at this engine, and does not act on all containers."""
    if _has_setting(container, REMOTE):
        return False
    acts_on_all = reader.off is not None and _has_setting(container, reader.off)
    return not acts_on_all and (reader.mode is None or _has_setting(container, reader.mode))


def _has_setting(container: Container, pattern: LazyPattern) -> bool:
    """Whether a variable, or a word of the command, is such a setting."""
    config = container.config
    settings = (*config.words, *(f"{name}={value}" for name, value in config.environment))
    return any(map(pattern.fullmatch, settings))


def _is_job(label: str) -> bool:
    return label.startswith(f"{_OF_JOBS}job-exec.")
