"""The texts that people ask for in a ticket, made from the answers of a recording.

Logs, rules, links, routes, kernel lines.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from diagnose.model import Failed, Json
from diagnose.phrases import unix
from diagnose.questions import AnyQuestion
from diagnose.recording.answer_files import Recording

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def file_name(name: str) -> str:
    """A user's name as part of a file name: nothing in it can leave the folder or hide."""
    return _UNSAFE.sub("_", name).lstrip(".")[:80] or "unnamed"


def texts(recording: Recording) -> Iterator[tuple[str, str]]:
    """(relative path, text), the least valuable last.

    A text that cannot be made is simply not there.
    """
    answered: list[tuple[AnyQuestion, Any]] = [
        (question, entry.answer)
        for question, entry in recording.items()
        if not isinstance(entry.answer, Failed)
    ]
    names = _names(answered)
    for question, answer in answered:
        try:
            yield from _texts(question, answer, names)
        except (KeyError, TypeError, AttributeError, ValueError):
            continue  # an answer of an unforeseen shape is still in answers/, as it came


def _names(answered: list[tuple[AnyQuestion, Any]]) -> Mapping[str, str]:
    """Container names by id."""
    return {
        str(answer.get("Id")): str(answer.get("Name", "")).removeprefix("/")
        for question, answer in answered
        if question.kind == "api.container" and isinstance(answer, dict)
    }


def _texts(
    question: AnyQuestion, answer: Any, names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """An answer as text files of a bundle, each with its name."""
    kind = question.kind
    args = question.args
    if kind in _TABLES:
        name, row_text = _TABLES[kind]
        yield f"texts/{name}.txt", _lines(row_text(row) for row in answer)
    elif kind == "kernel.log":
        yield (
            "texts/kernel.txt",
            _lines(f"{row.get('at', '')} {row.get('text', '')}" for row in answer["records"]),
        )
    elif kind == "journal":
        rows = (f"{row.get('at', '')} {row.get('message', '')}" for row in answer["entries"])
        yield f"texts/journal-{file_name(str(args.get('unit', '')))}.txt", _lines(rows)
    elif kind in ("api.logs", "iptables", "file.read") and answer.get("text"):
        yield f"texts/{_place(kind, args, names)}", answer["text"]


def _place(kind: str, args: Mapping[str, Json], names: Mapping[str, str]) -> str:
    """The name of the file that holds the text of an answer."""
    if kind == "api.logs":
        id = str(args["id"])
        return f"logs/{file_name(names.get(id) or id[:12])}.txt"
    if kind == "iptables":
        label = file_name("-".join(str(value) for value in args.values()) or "rules")
        return f"iptables-{label}.txt"
    return f"files/{file_name(str(args['path']).strip('/').replace('/', '-'))}"


def _lines(rows: Iterator[str]) -> str:
    return "\n".join(rows) + "\n"


def _link(row: Mapping[str, Json]) -> str:
    state = "up" if row.get("up") else "down"
    return (
        f"{row.get('index')} {row.get('name')} {state} mtu "
        f"{row.get('mtu')} kind {row.get('kind')} master {row.get('master')}"
    )


def _route(row: Mapping[str, Json]) -> str:
    destination = f"{row['dst']}/{row.get('prefix', '')}" if row.get("dst") else "default"
    return (
        f"table {row.get('table')} {destination} via {row.get('gateway')} "
        f"oif {row.get('oif')} metric {row.get('metric')}"
    )


def _address(row: Mapping[str, Json]) -> str:
    return f"{row.get('index')} {row.get('address')}/{row.get('prefix')}"


_TABLES: Mapping[str, tuple[str, Callable[[Mapping[str, Json]], str]]] = {
    "net.links": ("links", _link),
    "net.routes": ("routes", _route),
    "net.addresses": ("addresses", _address),
}
"""Answers that are lists, by the kind of their question: the name of their text, and a row as one
line of it."""


def failing_containers(recording: Recording) -> tuple[str, ...]:
    """The ids of containers whose last words a ticket needs.

    Failed, restarting, unhealthy, or ended badly.
    """
    paths = []
    for question, entry in recording.items():
        answer = entry.answer
        if question.kind != "api.container" or not isinstance(answer, dict):
            continue
        state = answer.get("State")
        if not isinstance(state, dict):
            continue
        health = (state.get("Health") or {}).get("Status")
        bad = state.get("ExitCode") not in (0, None) or state.get("Status") in (
            "restarting",
            "dead",
        )
        if bad or health == "unhealthy" or answer.get("RestartCount"):
            paths.append((unix(state.get("FinishedAt")) or 0.0, str(answer.get("Id"))))
    return tuple(id for _, id in sorted(paths, reverse=True))
