"""Secrets and look-alikes as data: the language of the corpus files, and answers to put their texts
into."""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_FIELD = re.compile(r"\{([aluhdbw]):(\d+)\}|\{([mps])\}")
_ALPHABETS = {
    "a": string.ascii_letters + string.digits,
    "l": string.ascii_lowercase + string.digits,
    "u": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "h": string.hexdigits[:16],
    "d": string.digits[1:],
    "b": string.ascii_letters + string.digits + "+/",
    "w": string.ascii_letters + string.digits + "_-",
}
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\0": "\0", "\\\\": "\\"}


@dataclass(frozen=True)
class Case:
    """A text in an answer: what is asked, the answer, the text in it, its secrets, and the answer
    without them."""

    name: str
    kind: str
    question: str
    args: dict[str, Any]
    place: str
    text: str
    secrets: tuple[str, ...]
    answer: Any
    around: Any = None


def cases(file: str, seed: int) -> list[Case]:
    """The cases of a corpus file, their made-up values drawn from the seed."""
    rnd = random.Random(seed)
    lines = (_FOLDER / file).read_text(encoding="utf-8").splitlines()
    return [
        case(f"{file}:{n}", line, rnd) for n, line in enumerate(lines, 1) if line and line[0] != "#"
    ]


def case(name: str, line: str, rnd: random.Random) -> Case:
    """One line of a corpus file as a case."""
    kind, question, place, text = (
        part.strip(" ") if n < 3 else part[1:] for n, part in enumerate(line.split("|", 3))
    )
    text = re.sub(r"\\[nt0\\]", lambda m: _ESCAPES[m[0]], expand(text, rnd))
    secrets = tuple(re.findall(r"‹(.*?)›", text, re.DOTALL))
    whole, around = (
        text.replace("‹", "").replace("›", ""),
        re.sub(r"‹.*?›", "", text, flags=re.DOTALL),
    )
    args: dict[str, Any] = {}
    if question.startswith("file:"):
        args, question = {"path": question[5:]}, "file.read"
        answers: list[Any] = [{"path": args["path"], "text": part} for part in (whole, around)]
    elif question == "text":
        answers = [whole, around]
    elif whole[:1] in ('"', "[", "{") and whole[:2] != "{{":
        secrets = tuple(json.loads(f'"{secret}"') for secret in secrets)
        answers = [
            put(template(question), place, json.loads(part))
            for part in (whole, around.replace(": }", ': ""}'))
        ]
    else:
        answers = [put(template(question), place, part) for part in (whole, around)]
    return Case(name, kind, question, args, place, whole, secrets, *answers)


def expand(text: str, rnd: random.Random) -> str:
    """The text with its fields filled with made-up values."""

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return "".join(rnd.choices(_ALPHABETS[found[1]], k=int(found[2])))
        word = "".join(rnd.choices(string.ascii_letters, k=6)) + "".join(
            rnd.choices(string.digits, k=3)
        )
        if found[3] == "m":
            return word[0].upper() + word[1:5].lower() + word[5:]
        if found[3] == "p":
            return word
        return word[:4] + rnd.choice("!^*+~") + word[4:] + rnd.choice("!^*+~")

    return _FIELD.sub(value, text)


def put(answer: Any, place: str, text: Any) -> Any:
    """The answer with the text at a place: a.b, a[0], a[] to append; a backslash before a dot that
    belongs to a key."""
    steps: list[str | int | None] = []
    for part in re.split(r"(?<!\\)\.", place):
        key, *indexes = part.replace("\\.", ".").split("[")
        steps += [key] if key else []
        steps += [None if index == "]" else int(index[:-1]) for index in indexes]
    holder = {"": answer}
    at: Any = holder
    key_at: Any = ""
    for step in steps:
        if isinstance(step, str):
            if not isinstance(at[key_at], dict):
                at[key_at] = {}
            at, key_at = at[key_at], step
            at.setdefault(step, None)
        else:
            if not isinstance(at[key_at], list):
                at[key_at] = []
            at = at[key_at]
            key_at = len(at) if step is None else step
            while len(at) <= key_at:
                at.append(None)
    at[key_at] = text
    return holder[""]


def strings(value: Any) -> Iterator[str]:
    """Every string in an answer, keys included, numbers as text."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield str(key)
            yield from strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from strings(child)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)


def template(question: str) -> Any:
    """An answer of the kind as an engine gives it, without secrets."""
    return json.loads(json.dumps(_TEMPLATES.get(question)))


_TEMPLATES: dict[str, Any] = {
    "api.container": {
        "Id": "4f" * 32,
        "Name": "/web-1",
        "State": {
            "Status": "exited",
            "Error": "",
            "Health": {"Log": [{"ExitCode": 1, "Output": ""}]},
        },
        "HostConfig": {"Memory": 0, "LogConfig": {"Type": "json-file", "Config": {}}},
        "Config": {
            "Env": ["LANG=C.UTF-8"],
            "Cmd": ["app"],
            "Image": "app:1",
            "Labels": {"com.example.tier": "web"},
        },
    },
    "api.containers": [
        {"Id": "4f" * 32, "Names": ["/web-1"], "Image": "app:1", "Command": "app", "Labels": {}}
    ],
    "api.image": {"Id": "sha256:" + "4f" * 32, "Config": {"Env": []}},
    "api.image_history": [{"Id": "<missing>", "CreatedBy": "", "Size": 0}],
    "api.volumes": {
        "Volumes": [{"Name": "data", "Driver": "local", "Options": {}}],
        "Warnings": None,
    },
    "api.networks": [{"Name": "shop", "Id": "4f" * 32, "Options": {}}],
    "api.events": [
        {
            "Type": "container",
            "Action": "start",
            "Actor": {"ID": "4f", "Attributes": {"name": "web-1"}},
        }
    ],
    "processes": [{"pid": 1, "cmdline": []}],
}
