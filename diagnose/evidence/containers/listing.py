"""All containers: listed and inspected through the engine, or read from its files where it is silent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from diagnose.evidence.containers.inspect import Container, Containers
from diagnose.model import Failed, Json, Unavailable, Unexamined
from diagnose.model import container as container_subject
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence
from diagnose.shapes import convert

__all__ = ["Container", "Containers", "containers", "still_alive"]

_ASIDE = re.compile(r"(.+)-before-\d{14}")
"""The name that the script of `diagnose recreate` gives to what it has replaced."""
FEW = 4
"""So many containers are asked about once more: what is seen of more of them is no moment's coincidence."""


@evidence
def containers(host: Host) -> Containers | Unavailable:
    """List, then inspect each: only inspect has State.Error and ExitCode, also of those that were only created.

    Where the engine is silent, its files are read.
    """
    listed = host.ask(question("api.containers", all=True))
    if isinstance(listed, Failed):
        from diagnose.evidence.containers.from_disk import from_disk  # rarely needed

        return from_disk(host, Unavailable.of(listed))
    names = {row["Id"]: (row.get("Names") or [row["Id"][:12]])[0] for row in convert(listed, list[dict[str, Any]])}
    found: list[Container] = []
    missing: list[Unexamined] = []
    for id, answer in _inspected(host, names):
        if isinstance(answer, Failed):
            if answer.reason != "gone":
                missing.append(Unexamined(container_subject(names[id]), f"inspect: {answer}"))
            continue
        try:
            found.append(convert(answer, Container))
        except msgspec.ValidationError as error:
            missing.append(Unexamined(container_subject(names[id]), f"inspect: malformed: {error}"))
    names_in_use = {container.name for container in found}
    aside = tuple(container for container in found if _is_aside(container, names_in_use))
    return Containers(
        tuple(sorted((container for container in found if container not in aside), key=lambda each: each.name)),
        tuple(sorted(missing, key=lambda each: each.subject)),
        aside=aside,
    )


def _is_aside(container: Container, names: set[str]) -> bool:
    """Whether another container was created again in its place, and it was kept under a name that says so."""
    kept = _ASIDE.fullmatch(container.name)
    return kept is not None and kept[1] in names and not container.is_running


def _inspected(host: Host, ids: Iterable[str]) -> Iterator[tuple[str, Json | Failed]]:
    """Each id and what inspect says of it. The few that are silent where others answer are asked once more: a container's lock is
    held while it is started or stopped, which takes a busy host seconds."""
    asked = {question("api.container", id=each): each for each in ids}
    silent: list[tuple[str, Failed]] = []
    for each, answer in host.ask_many(asked):
        if isinstance(answer, Failed) and answer.reason == "timed out":
            silent.append((asked[each], answer))
        else:
            yield asked[each], answer
    if len(silent) > FEW or len(silent) == len(asked):
        yield from silent
        return
    again = {question("api.again", id=id): (id, first) for id, first in silent}
    for each, answer in host.ask_many(again):
        id, first = again[each]
        yield id, answer if not isinstance(answer, Failed) or answer.reason == "gone" else first


def still_alive(host: Host, suspects: Iterable[Container]) -> tuple[Container, ...]:
    """Those of these containers whose life is the one that was inspected, asked again: the others ended or started again since.

    A few may have ended without the engine's notice yet, and are asked about later; many are no moment's coincidence.
    """
    known = tuple(suspects)
    kind = "api.settled" if len(known) <= FEW else "api.again"
    asked = {question(kind, id=each.id): each for each in known}
    return tuple(
        asked[each]
        for each, answer in host.ask_many(asked)
        if isinstance(answer, dict) and convert(answer, Container).life == asked[each].life
    )
