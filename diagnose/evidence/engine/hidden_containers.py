"""Containers in the data root that the engine does not list: those of another storage driver."""

from __future__ import annotations

import json

import msgspec

from diagnose.evidence.containers.from_disk import FILE_BYTES
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, ReadFile
from diagnose.registry import evidence

MOST = 20
"""So many files are read; the rest are counted as those of the same driver."""
ID_LENGTH = 64


class HiddenContainers(msgspec.Struct, frozen=True):
    """What lies in the data root and was made with another storage driver than the one in use."""

    folder: str
    count: int = 0
    """The number of all such containers."""
    names: tuple[str, ...] = ()
    """Names of these containers, as far as their files were read."""
    driver: str = ""
    """Their storage driver."""


class _Config(msgspec.Struct, frozen=True):
    """What is needed of config.v2.json."""

    name: str = msgspec.field(default="", name="Name")
    driver: str = msgspec.field(default="", name="Driver")


@evidence
def hidden_containers(
    host: Host, containers: Containers, info: Info
) -> HiddenContainers | Unavailable:
    """The engine loads only what was made with the driver in use, and says nothing of the rest
    (daemon/daemon.go, engines 20.10 to 29)."""
    folder = f"{info.docker_root_dir}/containers"
    if not info.docker_root_dir or not info.driver:
        return Unavailable("missing", "the engine does not name its data root or storage driver")
    listing = host.ask(ListFolder(folder))
    if isinstance(listing, Failed):
        return Unavailable.of(listing)
    unlisted = _unlisted([entry.name for entry in listing.entries], containers)
    if not unlisted:
        return HiddenContainers(folder)
    paths = [f"{folder}/{id}/config.v2.json" for id in unlisted[:MOST]]
    answers = host.ask_about(paths, lambda path: ReadFile(path, max_bytes=FILE_BYTES))
    configs = [_config(answer.text) for _, answer in answers if not isinstance(answer, Failed)]
    foreign = [config for config in configs if config.driver and config.driver != info.driver]
    if not foreign:
        return HiddenContainers(folder)
    rest = max(0, len(unlisted) - MOST)
    names = tuple(sorted(config.name.lstrip("/") for config in foreign))
    return HiddenContainers(folder, len(foreign) + rest, names, foreign[0].driver)


def _unlisted(names: list[str], containers: Containers) -> list[str]:
    ids = {container.id for container in containers}
    unread = tuple(item.subject.name for item in containers.unexamined)
    return sorted(
        name
        for name in names
        if len(name) == ID_LENGTH and name not in ids and not name.startswith(unread)
    )


def _config(text: str) -> _Config:
    try:
        return msgspec.convert(json.loads(text), _Config)
    except (ValueError, msgspec.ValidationError):
        return _Config()
