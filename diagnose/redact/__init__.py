"""An answer without its secrets: by field where its shape is known, by the scanner where it is free text.

- `names`     what a name says about its value, and a value about itself.
- `tokens`    secrets that show by their own shape.
- `commands`  secrets under a tool's own options.
- `scanner`   secrets in free text.
- `fields`    secrets by the shape of an answer.

A secret becomes `<redacted:KIND:FINGERPRINT>`: the fingerprint is keyed with 32 random bytes of this run, so that equal secrets stay
recognisable as equal within one run, and nobody can try passwords against a bundle. Names stay, values go.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import blake2s
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from diagnose.redact.fields import Handler, handler_of, keep, named_value, number
from diagnose.redact.names import is_distinctive, is_token, kind_of
from diagnose.redact.scanner import redact_text

if TYPE_CHECKING:
    from diagnose.model import Json

__all__ = ["Redactor", "is_token"]

_CLEAN_LIMIT = 50_000
"""Strings known to be clean that are remembered: what a host of 1,000 containers repeats, in a few MB."""
_PLAN_LIMIT = 20_000
_FEW = 48
"""Up to so many literals each is searched for; beyond, only those whose longest run of letters and digits occurs in the text."""
_RUN = re.compile(r"[A-Za-z0-9]{4,}")
_TOKENS = re.compile(r"<redacted:[a-z0-9-]+:[0-9a-f]{6,32}>")
_INDENT = re.compile(r"\n([ \t]+)\S")


class Redactor:
    """Replaces secrets by tokens; keeps token -> value in memory only. Safe to use from several threads."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or token_bytes(32)
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._phrases: dict[str, set[str]] = {}
        self._anchors: dict[str, list[str]] = {}
        self._literals: list[str] = []
        self._clean: set[str] = set()
        self._plans: tuple[dict[str, Handler | str | None], dict[str, Handler | str | None]] = ({}, {})
        self._names: set[str] = set()
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many times a secret was replaced, by kind."""
        return dict(self._counts)

    @property
    def secrets(self) -> Iterator[tuple[str, str]]:
        """(kind, what must not be found) of this run, for the proof.

        A value that cannot be told from ordinary words (`postgres`) or that is also a name (a container's, an image's) is given
        as the phrases that it stood in (`POSTGRES_PASSWORD=postgres`), since the word itself stays in many places.
        """
        with self._lock:
            names = "\n".join(self._names)
            for raw, kind in list(self._kinds.items()):
                if is_distinctive(raw) and raw not in names:
                    yield kind, raw
                else:
                    for phrase in sorted(self._phrases.get(raw, ())):
                        yield kind, phrase

    def answer(self, kind: str, args: Mapping[str, Json], value: Json) -> Json:
        """The answer to a question without its secrets; the same object where it held none."""
        if kind == "file.read":
            return self._file(str(args.get("path", "")), value)
        seen: list[str] = []
        new = self._walk(value, kind.startswith("api."), seen)
        return self._literally(new, seen)

    def text(self, text: str) -> str:
        """Free text without its secrets, those included that this run has met elsewhere."""
        return self._replace_literals(redact_text(text, self._mark))

    def restore(self, value: Json) -> Json:
        """The value with tokens of this run turned back, for a question that is built from an answer."""
        if isinstance(value, str):
            return (
                _TOKENS.sub(lambda m: self._values.get(m[0], m[0]), value) if "<redacted:" in value else value
            )
        if isinstance(value, list):
            return [self.restore(item) for item in value]
        if isinstance(value, dict):
            return {str(self.restore(key)): self.restore(item) for key, item in value.items()}
        return value

    def _mark(self, kind: str, raw: str, phrase: str) -> str:
        if is_token(raw):
            return raw
        with self._lock:
            token = self._tokens.get(raw)
            if token is None:
                token = self._new_token(kind, raw)
            self._counts[self._kinds[raw]] += 1
            if not is_distinctive(raw) or raw in self._names:
                self._phrases.setdefault(raw, set()).add(phrase)
            return token

    def _new_token(self, kind: str, raw: str) -> str:
        data = raw.encode("utf-8", "surrogatepass")
        for size in (3, 6, 12):
            token = f"<redacted:{kind}:{blake2s(data, key=self._key, digest_size=size).hexdigest()}>"
            if token not in self._values:
                break
        self._tokens[raw] = token
        self._values[token] = raw
        self._kinds[raw] = kind
        if is_distinctive(raw):
            self._literals.append(raw)
            runs = _RUN.findall(raw)
            self._anchors.setdefault(max(runs, key=len) if runs else "", []).append(raw)
        return token

    def _replace_literals(self, text: str) -> str:
        for raw in self._present(text):
            with self._lock:
                self._counts[self._kinds[raw]] += text.count(raw)
            text = text.replace(raw, self._tokens[raw])
        return text

    def _present(self, text: str) -> list[str]:
        """The known secrets that stand in a text, longest first."""
        if len(self._literals) <= _FEW:
            found = [raw for raw in self._literals if raw in text]
        else:
            anchors = self._anchors
            runs = anchors.keys() & _RUN.findall(text)
            found = [raw for run in runs for raw in anchors[run] if raw in text]
            found += [raw for raw in anchors.get("", ()) if raw in text]
        found = [raw for raw in found if raw not in self._names]
        return sorted(found, key=len, reverse=True) if len(found) > 1 else found

    def _literally(self, value: Json, seen: list[str]) -> Json:
        """The value with known secrets replaced wherever they stand in its strings."""
        if seen and self._literals and self._present("\0".join(seen)):
            return self._map_strings(value)
        return value

    def _map_strings(self, value: Json) -> Json:
        if isinstance(value, str):
            return self._replace_literals(value) if value not in self._names else value
        if isinstance(value, list):
            return [self._map_strings(item) for item in value]
        if isinstance(value, dict):
            return {key: self._map_strings(item) for key, item in value.items()}
        return value

    def _scan(self, seen: list[str]) -> Any:
        clean = self._clean

        def scan(text: str) -> str:
            if len(text) < 5:
                return text
            if text not in clean:
                new = redact_text(text, self._mark)
                if new != text:
                    seen.append(new)
                    return new
                if len(text) < 1000:
                    if len(clean) > _CLEAN_LIMIT:
                        clean.clear()
                    clean.add(text)
            seen.append(text)
            return text

        return scan

    def _walk(self, value: Json, engine: bool, seen: list[str]) -> Json:
        scan = self._scan(seen)
        mark = self._mark
        plan = self._plans[engine]

        def walk_dict(old: dict[str, Any]) -> dict[str, Any]:
            new: dict[str, Any] | None = None
            for key, item in old.items():
                try:
                    handler = plan[key]
                except KeyError:
                    handler = self._plan(key, engine)
                if handler is keep:
                    if key == "Name" or key == "Names" or key == "Image":
                        self._learn_names(item)
                    continue
                cls = item.__class__
                if cls is str:
                    if not item:
                        continue
                    if handler is None:
                        changed: Any = scan(item)
                    elif handler.__class__ is str:
                        changed = named_value(key, item, scan, mark)
                    else:
                        changed = handler(key, item, scan, mark)  # type: ignore[operator]
                elif cls is dict or cls is list:
                    if not item:
                        continue
                    if handler is None:
                        changed = walk_dict(item) if cls is dict else walk_list(item)
                    elif handler.__class__ is str:
                        changed = walk_dict(item) if cls is dict else walk_secrets(key, item)
                    elif _is_flat(item):
                        changed = handler(key, item, scan, mark)  # type: ignore[operator]
                    else:
                        changed = walk_dict(item) if cls is dict else walk_list(item)
                elif handler.__class__ is str:
                    changed = number(key, item, mark)
                else:
                    continue
                if changed is not item:
                    if new is None:
                        new = dict(old)
                    new[key] = changed
            if new is None and "alue" in str(old.keys()):
                return old
            return old if new is None else new

        def walk_list(old: list[Any]) -> list[Any]:
            new: list[Any] | None = None
            for index, item in enumerate(old):
                cls = item.__class__
                if cls is dict:
                    changed: Any = walk_dict(item)
                elif cls is str:
                    changed = scan(item)
                elif cls is list:
                    changed = walk_list(item)
                else:
                    continue
                if changed is not item:
                    if new is None:
                        new = list(old)
                    new[index] = changed
            return old if new is None else new

        def walk_secrets(key: str, old: list[Any]) -> list[Any]:
            new = [named_value(key, item, scan, mark) if isinstance(item, str) else item for item in old]
            return walk_list(new if new != old else old)

        if isinstance(value, dict):
            return walk_dict(value)
        if isinstance(value, list):
            return walk_list(value)
        return scan(value) if isinstance(value, str) else value

    def _plan(self, key: str, engine: bool) -> Handler | str | None:
        handler: Handler | str | None = handler_of(key, engine)
        if handler is None:
            handler = kind_of(key)
        plan = self._plans[engine]
        if len(plan) > _PLAN_LIMIT:
            plan.clear()
        plan[key] = handler
        return handler

    def _learn_names(self, item: Json) -> None:
        if isinstance(item, str):
            if len(self._names) < _PLAN_LIMIT:
                self._names.add(item.lstrip("/"))
        elif isinstance(item, list):
            for name in item:
                self._learn_names(name)

    def _file(self, path: str, value: Json) -> Json:
        """A file's answer: its text is redacted by its notation, all else like any answer."""
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            return self.answer("file", {}, value)
        text = value["text"]
        rest = {key: item for key, item in value.items() if key != "text"}
        new = self._file_text(path, text)
        rest = self.answer("file", {}, rest)
        return {**rest, "text": new} if new != text or rest != value else value

    def _file_text(self, path: str, text: str) -> str:
        if text[:1] in "{[" or path.endswith(".json"):
            try:
                old = json.loads(text)
            except ValueError:
                return self.text(text)
            seen: list[str] = []
            engine = path.endswith(("config.v2.json", "hostconfig.json"))
            new = self._literally(self._walk(old, engine, seen), seen)
            if new == old:
                return text
            indent = _INDENT.search(text)
            tail = "\n" if text.endswith("\n") else ""
            separators = None if indent else (",", ":")
            return (
                json.dumps(new, ensure_ascii=False, indent=indent and indent[1], separators=separators) + tail
            )
        if path.endswith("/environ") or "\0" in text:
            seen = []
            scan = self._scan(seen)
            items = [self._item(item, scan) for item in text.split("\0")]
            return self._replace_literals("\0".join(items))
        return self.text(text)

    def _item(self, item: str, scan: Any) -> str:
        name, equals, value = item.partition("=")
        return f"{name}={named_value(name, value, scan, self._mark)}" if equals else scan(item)


def _is_flat(item: Any) -> bool:
    """Whether a list or mapping holds plain values only, as the handlers expect it."""
    for part in item.values() if item.__class__ is dict else item:
        if part.__class__ is dict or part.__class__ is list:
            return False
    return True
