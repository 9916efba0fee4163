"""The key of the engine's configuration file to which the last words of a failed start object."""

import re
from collections.abc import Iterator

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.mappings import only
from diagnose.model import Json

SHORTEST = 4
"""Characters of a value that a line does not repeat by chance."""
PROTECTING = frozenset(["tls", "tlscacert", "tlscert", "tlskey", "tlsverify", "hosts"])
"""Keys that no command removes: without them the engine may be open to everyone."""


def blamed_key(config: DaemonConfig | None, text: str) -> str:
    """The key that the line names, by its value or by its name; "" for none or several.

    A name of one word counts as an option or in quotes alone: "host" and "group" are in many
    lines.
    """
    if config is None or not text:
        return ""
    keys = [key for key in config.values if key not in PROTECTING]
    repeated = {key: _repeated_characters(text, config.values[key]) for key in keys}
    longest = max(repeated.values(), default=0)
    if longest:
        candidates = [key for key in keys if repeated[key] == longest]
    else:
        candidates = [key for key in keys if _is_named(text, key)]
    return only(candidates) or ""


def _repeated_characters(text: str, value: Json) -> int:
    """Characters of the longest text of a value that a line repeats, or of an option in it."""
    words = {word for whole in _texts(value) for word in (whole, whole.partition("=")[0])}
    return max((len(word) for word in words if _stands_in(word, text)), default=0)


def _stands_in(word: str, text: str) -> bool:
    is_long = len(word) >= SHORTEST
    return is_long and bool(re.search(rf"(?<![\w./-]){re.escape(word)}(?![\w/.-])", text))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)


def _is_named(text: str, key: str) -> bool:
    stem = re.escape(key.removesuffix("s")).replace(r"\-", "[- ]")
    before = r"(?<![\w-])(?:--)?" if "-" in key else r"(?:--|[\"'])"
    return bool(re.search(rf"{before}{stem}(?![\w-]{{2}})", text, re.IGNORECASE))
