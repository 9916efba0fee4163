"""All containers: listed and inspected through the engine, or read from its files where it is silent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from diagnose.evidence.container import Container, Containers
from diagnose.host import Host, question
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.model import container as container_subject
from diagnose.registry import evidence

__all__ = ["Container", "Containers", "containers", "still_alive"]


@evidence
def containers(host: Host) -> Containers | Unavailable:
    """List, then inspect each: only inspect has State.Error and ExitCode, also of those that were only created.

    Where the engine is silent, its files are read.
    """
    listed = host.ask(question("api.containers", all=True))
    if isinstance(listed, Failed):
        from diagnose.evidence.disk_containers import from_disk  # rarely needed

        return from_disk(host, Unavailable.of(listed))
    names = {
        row["Id"]: (row.get("Names") or [row["Id"][:12]])[0] for row in msgspec.convert(listed, list[dict[str, Any]])
    }
    found: list[Container] = []
    missing: list[Unexamined] = []
    ids = {question("api.container", id=each): each for each in names}
    for asked, answer in host.ask_many(ids):
        name = names[ids[asked]]
        if isinstance(answer, Failed):
            if answer.reason != "gone":
                missing.append(Unexamined(container_subject(name), f"inspect: {answer}"))
            continue
        try:
            found.append(msgspec.convert(answer, Container))
        except msgspec.ValidationError as error:
            missing.append(Unexamined(container_subject(name), f"inspect: malformed: {error}"))
    return Containers(
        tuple(sorted(found, key=lambda each: each.short)),
        tuple(sorted(missing, key=lambda each: each.subject)),
    )


def still_alive(host: Host, suspects: Iterable[Container]) -> tuple[Container, ...]:
    """Those of these containers whose life is the one that was inspected, asked again: the others ended or began anew since."""
    asked = {question("api.recheck", id=each.id): each for each in suspects}
    return tuple(
        asked[each]
        for each, answer in host.ask_many(asked)
        if isinstance(answer, dict) and msgspec.convert(answer, Container).life == asked[each].life
    )
