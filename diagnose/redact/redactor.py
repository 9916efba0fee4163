"""The redactor of a run: the secrets that it has met, and answers and texts without them."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2s
from os import urandom
from typing import TYPE_CHECKING

import msgspec

from diagnose.redact.encoded import in_wide_text
from diagnose.redact.fields import Walk
from diagnose.redact.json_texts import is_json_of, strings_of, with_strings, written_like
from diagnose.redact.looks import is_distinctive, is_token
from diagnose.redact.patterns import TOKEN
from diagnose.redact.plan import plan_of
from diagnose.redact.scanner import pieces, redact_text

if TYPE_CHECKING:
    from diagnose.model import Json
    from diagnose.redact.own import OwnRules

_FEW = 48
"""Up to so many literals each is searched for; beyond, only those whose longest run of letters and
digits occurs in the text."""
_MUCH = 50_000_000
"""Secrets times characters from which on a text is searched in pieces of `_SMALL` characters: 0.02
s."""
_SMALL = 4096
_PHRASES = 8
"""As many phrases are kept per secret, for the proof."""
_RUN = re.compile(r"[A-Za-z0-9]{4,}")
_TOKENS = re.compile(TOKEN)


class Redactor:
    """Replaces secrets by tokens; keeps token -> value in memory only.

    Safe to use from several threads.
    """

    def __init__(self, key: bytes | None = None, own: OwnRules | None = None) -> None:
        self._own = own
        self._key = key or urandom(32)
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._phrases: dict[str, set[str]] = {}
        self._anchors: dict[str, list[str]] = {}
        self._literals: list[str] = []
        self._clean: set[object] = set()
        self._plans = (plan_of(of_engine=False), plan_of(of_engine=True))
        self._names: set[str] = set()
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many times a secret was met, by kind."""
        return dict(self._counts)

    @property
    def known(self) -> int:
        """How many different secrets this run has met."""
        return len(self._kinds)

    @property
    def secrets(self) -> Iterator[tuple[str, str]]:
        """(kind, what must not be found) of this run, for the proof: see also `phrases`."""
        with self._lock:
            names = self._all_names
            for raw, kind in list(self._kinds.items()):
                if is_distinctive(raw) and raw not in names:
                    yield kind, raw

    @property
    def phrases(self) -> Iterator[tuple[str, str]]:
        """(kind, the name with the value) of secrets that cannot be searched by themselves.

        A value that cannot be distinguished from ordinary words (`postgres`) or that is also a name
        (a container's, an image's) stays in many places: it is given as the phrases that it was in
        (`POSTGRES_PASSWORD=postgres`).
        """
        with self._lock:
            names = self._all_names
            for raw, kind in list(self._kinds.items()):
                if not is_distinctive(raw) or raw in names:
                    for phrase in sorted(self._phrases.get(raw, ())):
                        yield kind, phrase

    @property
    def _all_names(self) -> str:
        """Names that stay, one a line."""
        return "\n".join(self._names)

    def answer(self, kind: str, args: Mapping[str, Json], value: Json) -> Json:
        """The answer to a question without its secrets; the same object where it held none."""
        if self._own is not None:
            value = self._own.value(value, self._mark)
        if kind == "file.read":
            return self._file(str(args.get("path", "")), value)
        if kind == "api.archive":
            return self._container_file(str(args.get("path", "")), value)
        return self._without_secrets(value, engine=kind.startswith("api."))

    def text(self, text: str) -> str:
        """Free text without its secrets, those included that this run has met elsewhere."""
        if self._own is not None:
            text = self._own.text(text, self._mark)
        return self._replace_literals(redact_text(text, self._mark))

    def settle(self, value: Json) -> Json:
        """A redacted answer without the secrets that the run has learned since.

        For what is stored; the same object where it holds none.

        A word of a command line is only known as a password once another answer has named it.
        """
        if self._own is not None:
            value = self._own.value(value, self._mark)
        return self._map_strings(value) if self._may_hold_literal(value) else value

    def _may_hold_literal(self, value: Json) -> bool:
        """Whether a known secret may be in the strings of a value.

        One search through the value as JSON takes a fifth of the time of a walk through its
        strings; where many secrets are known, their words are looked for in all strings at once.
        """
        try:
            text = msgspec.json.encode(value).decode()
            if len(self._literals) <= _FEW:
                return any(
                    msgspec.json.encode(raw).decode()[1:-1] in text for raw in self._literals
                )
        except UnicodeEncodeError:  # half of a surrogate pair, in the value or in a secret
            return True
        is_as_written = "\\" not in text
        return bool(self._known_secrets_in(text if is_as_written else "\0".join(strings_of(value))))

    def restore(self, value: Json) -> Json:
        """The value with tokens of this run turned back.

        For a question that is built from an answer.
        """
        if isinstance(value, str):
            if "<redacted:" in value:
                return _TOKENS.sub(lambda hit: self._values.get(hit[0], hit[0]), value)
            return value
        if isinstance(value, list):
            return [self.restore(child) for child in value]
        if isinstance(value, dict):
            return {str(self.restore(key)): self.restore(child) for key, child in value.items()}
        return value

    def _mark(self, kind: str, raw: str, phrase: str) -> str:
        """The token that stands for a value, one and the same wherever the value occurs."""
        if is_token(raw):
            return raw
        with self._lock:
            token = self._tokens.get(raw)
            if token is None:
                token = self._new_token(kind, raw)
            self._counts[self._kinds[raw]] += 1
            phrases = self._phrases.setdefault(raw, set())
            if len(phrases) < _PHRASES and phrase != raw:
                phrases.add(phrase)
            return token

    def _new_token(self, kind: str, raw: str) -> str:
        """A token for a secret that was not met before; longer where a short one is taken."""
        data = raw.encode("utf-8", "surrogatepass")
        for size in (3, 6, 12):
            token = (
                f"<redacted:{kind}:{blake2s(data, key=self._key, digest_size=size).hexdigest()}>"
            )
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
        """The text without the secrets that were met elsewhere."""
        present = self._known_secrets_in(text)
        if len(present) * len(text) < _MUCH:
            return self._without_values(present, text)
        # Many secrets in a long text: each is searched for only in pieces that hold it. Those with
        # blanks may lie across two.
        text = self._without_values([raw for raw in present if raw.split() != [raw]], text)
        return "".join(
            [
                self._without_values(self._known_secrets_in(piece), piece)
                for piece in pieces(text, _SMALL)
            ]
        )

    def _without_values(self, present: Sequence[str], text: str) -> str:
        for raw in present:
            with self._lock:
                self._counts[self._kinds[raw]] += text.count(raw)
            text = text.replace(raw, self._tokens[raw])
        return text

    def _known_secrets_in(self, text: str) -> list[str]:
        """The known secrets that are in a text, longest first."""
        candidates = self._literals
        if len(candidates) > _FEW:
            runs = self._anchors.keys() & {"", *_RUN.findall(text)}
            candidates = [raw for run in runs for raw in self._anchors[run]]
        present = [raw for raw in candidates if raw in text and raw not in self._names]
        return sorted(present, key=len, reverse=True)

    def _without_secrets(self, value: Json, *, engine: bool) -> Json:
        """The value without its secrets, those included that this run has met elsewhere."""
        walk = Walk(self._plans[engine], self._mark, self._clean, self._names)
        new = walk.value(value)
        if walk.seen and self._literals and self._known_secrets_in("\0".join(walk.seen)):
            return self._map_strings(new)
        return new

    def _map_strings(self, value: Json) -> Json:
        if isinstance(value, str):
            return self._replace_literals(value) if value not in self._names else value
        if isinstance(value, list):
            return [self._map_strings(child) for child in value]
        if isinstance(value, dict):
            return {
                self._map_strings(key): self._map_strings(child) for key, child in value.items()
            }
        return value

    def _file(self, path: str, value: Json) -> Json:
        """A file's answer: its text is redacted by its notation, all else like any answer."""
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            return self.answer("file", {}, value)
        text = value["text"]
        new = self._file_text(path, text)
        rest = self._without_secrets(
            {key: child for key, child in value.items() if key != "text"}, engine=False
        )
        return {key: new if key == "text" else rest[key] for key in value}

    def _container_file(self, path: str, value: Json) -> Json:
        """A file of a container: text as of any file, and what comes in hex byte by byte."""
        old = value.get("hex") if isinstance(value, dict) else None
        if not isinstance(old, str):
            return self._file(path, value)
        text = bytes.fromhex(old).decode("latin-1")
        new = self._file_text(path, text)
        value = value if new == text else value | {"hex": new.encode("latin-1", "replace").hex()}
        return self._file(path, value)

    def _file_text(self, path: str, text: str) -> str:
        """A file's text without secrets, read as JSON, as UTF-16, or as a process's words if it is
        that."""
        if text[:1] in "{[" or path.endswith(".json"):
            return self._json_text(path, text)
        if "\0" in text:
            wide = in_wide_text(text, lambda plain: self._file_text(path, plain))
            if wide is not None:
                return wide
        if path.endswith("/cmdline"):
            return "\0".join(
                self._without_secrets({"cmdline": text.split("\0")}, engine=False)["cmdline"]
            )
        if path.endswith("/environ") or "\0" in text:
            walk = Walk(self._plans[False], self._mark, self._clean, self._names)
            assignments = [walk.assignment(assignment) for assignment in text.split("\0")]
            return self._replace_literals("\0".join(assignments))
        return self.text(text)

    def _json_text(self, path: str, text: str) -> str:
        """A text in JSON; one that is none is redacted like any text."""
        try:
            old = json.loads(text)
        except (ValueError, RecursionError):
            return self.text(text)
        new = self._without_secrets(
            old, engine=path.endswith(("config.v2.json", "hostconfig.json"))
        )
        if new == old:
            return text
        # A place in the file that is named later must be where it was: what keeps the lines is
        # tried first.
        for candidate in (with_strings(text, new), self.text(text)):
            if candidate is not None and is_json_of(candidate, new):
                return candidate
        return written_like(text, new)
