"""For what compose refuses the files of a project. Pure, but for the files that they name.

Written after the answers of `docker compose config`; what an engine has is not known here.
"""

import os
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from diagnose.live.disk.compose_needs import named_nodes, volume_of
from diagnose.live.disk.compose_nodes import MERGE, entries, items, line_of, pairs, plain
from diagnose.live.disk.compose_shapes import CONDITIONS, NEW_KEYS, SHAPES, STRINGS
from diagnose.model import Json
from diagnose.yaml_text import read_nodes

_MOST = 5
"""Faults of one project."""
_MARKS = ("<<<<<<< ", "=======", ">>>>>>> ")
_MOST_SERVICES = 300
"""Services of one project; of more than these, only the shape is judged."""
_LONGEST = 200
_SIMILAR = 0.75
"""How much two words share where one is the other with a slip."""
_NULLS = ("", "~", "null", "Null", "NULL")
_BOOLEANS = ("true", "True", "TRUE", "false", "False", "FALSE")
_NUMBER = re.compile(
    r"[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?|0x[\da-fA-F]+|0o?[0-7]+"
)
"""A greater exponent is too much for a number: 123e4567 is a string."""
_KIND_NAMES = {
    "m": "a mapping",
    "l": "a list",
    "s": "a string",
    "n": "a number",
    "b": "true or false",
}
_DURATION = re.compile(r"\s*\d+(?:\.\d+)?\s*")
_OPEN_BRACE = re.compile(r"(?<!\$)(?:\$\$)*\$\{(?:[^A-Za-z_]|[^{}]*$)")
"""A `${` that no name follows, or that nothing closes."""
_NEXT_DOCUMENT = "but found another document"
"""What libyaml says of a second document; compose reads them all, as files that follow each other.
"""
_REFERRED = {"networks": "network", "models": "model", "secrets": "secret", "configs": "config"}


class _Fault(msgspec.Struct, frozen=True):
    """See `questions.compose.ComposeFault`."""

    kind: str
    path: str
    line: int = 0
    place: str = ""
    name: str = ""
    detail: str = ""


def compose_faults(texts: Mapping[str, str], folder: str) -> list[Json]:
    """What compose refuses, as `ComposeFault`, the first of which is what it says.

    texts: the files of the project in their order. folder: where relative names begin.
    """
    roots: dict[str, Node] = {}
    for path, text in texts.items():
        try:
            root = read_nodes(text.removeprefix("\ufeff"))
        except ValueError as error:
            fault = _broken(path, text, error)
            return [] if fault.detail == _NEXT_DOCUMENT else [msgspec.to_builtins(fault)]
        if root is None:
            return [msgspec.to_builtins(_Fault("empty", path))]
        roots[path] = root
    try:
        reader = _Reader(roots, folder)
        faults = [fault for fault, _ in zip(reader.faults(), range(_MOST), strict=False)]
    except RecursionError:
        problem = "an anchor merges itself"
        return [msgspec.to_builtins(_Fault("yaml", next(iter(texts)), detail=problem))]
    return [msgspec.to_builtins(fault) for fault in [*faults, *reader.new_keys[:_MOST]]]


def _broken(path: str, text: str, error: ValueError) -> _Fault:
    """What libyaml met, and where; a tab and the marks of git it does not know."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(_MARKS):
            return _Fault("yaml", path, number, detail="marks of a merge that was not finished")
        if "\t" in line[: len(line) - len(line.lstrip())]:
            return _Fault("yaml", path, number, detail="it is indented by a tab")
    cause = error.__cause__
    mark = getattr(cause, "problem_mark", None)
    problem = str(getattr(cause, "problem", "") or "it cannot be read")[:_LONGEST]
    return _Fault("yaml", path, 0 if mark is None else mark.line + 1, detail=problem)


class _Service(msgspec.Struct, frozen=True):
    """A service in one file."""

    path: str
    name: str
    parts: Mapping[str, Node]


class _Reader:
    """The files of one project. A part that another file may change is not judged."""

    def __init__(self, roots: Mapping[str, Node], folder: str) -> None:
        self.roots = roots
        self.folder = folder
        self.tops = {path: entries(root) for path, root in roots.items()}
        self.includes = any("include" in top for top in self.tops.values())
        self.defined = {kind: self._parts_of_kind(kind) for kind in (*_REFERRED, "volumes")}
        """The parts of each kind in all files, by name."""
        self.merged: dict[int, dict[str, Node]] = {}
        """The parts of nodes that services merge; the roots keep these nodes."""
        self.new_keys: list[_Fault] = []
        """Keys that older versions of compose refuse, with the first one that takes them."""

    def faults(self) -> Iterator[_Fault]:
        for path, root in self.roots.items():
            yield from self._doubled(path, root)
            yield from self._shape(path, root, pattern="", place="")
            yield from self._missing_includes(path)
        if not self.includes and not any("services" in top for top in self.tops.values()):
            yield _Fault("empty", next(iter(self.roots)))
        if sum(len(entries(top.get("services"))) for top in self.tops.values()) > _MOST_SERVICES:
            return
        for service in self._services():
            yield from self._service(service.path, service.name, service.parts)
        for service in self._active_services():
            yield from self._needed_files(service)
        yield from self._missing_parts()

    def _services(self) -> Iterator[_Service]:
        """Each service in each file that has it."""
        for path, top in self.tops.items():
            for name, node in entries(top.get("services")).items():
                yield _Service(path, name, entries(node, self.merged))

    def _active_services(self) -> list[_Service]:
        """Those without a profile; of others compose judges the shape alone."""
        found = list(self._services())
        chosen = {service.name for service in found if items(service.parts.get("profiles"))}
        return [service for service in found if service.name not in chosen]

    def _parts_of_kind(self, kind: str) -> dict[str, Node]:
        return {
            name: node
            for top in self.tops.values()
            for name, node in entries(top.get(kind)).items()
        }

    def _doubled(self, path: str, root: Node) -> Iterator[_Fault]:
        """A key that stands twice in one mapping."""
        seen: set[int] = set()
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            lines: dict[str, int] = {}
            for key, value in pairs(node):
                text = plain(key)
                if isinstance(key, ScalarNode) and text in lines:
                    first = f"line {lines[text]}"
                    yield _Fault("doubled", path, line_of(key), name=text[:_LONGEST], detail=first)
                lines.setdefault(text, line_of(key))
                waiting.append(value)
            waiting += items(node)

    def _shape(self, path: str, node: Node, pattern: str, place: str) -> Iterator[_Fault]:
        """Unknown keys and values of another kind, in a part and in those below it."""
        known = SHAPES[pattern]
        below = {
            shape.rpartition(".")[2] for shape in SHAPES if shape.rpartition(".")[0] == pattern
        }
        for key, value in pairs(node):
            name = plain(key)
            if key.tag == MERGE or name.startswith("x-"):
                continue
            own = ".".join(filter(None, (place, name)))
            if name not in known:
                import difflib  # 5 ms, only for a key with a slip

                similar = difflib.get_close_matches(name[:_LONGEST].strip(), known, 1, _SIMILAR)
                meant = "".join(similar)
                yield _Fault(
                    "unknown-key",
                    path,
                    line=line_of(key),
                    place=place,
                    name=name[:_LONGEST],
                    detail=meant,
                )
                continue
            here = ".".join(filter(None, (pattern, name)))
            if here in NEW_KEYS:
                since = ".".join(map(str, NEW_KEYS[here]))
                self.new_keys.append(
                    _Fault("new-key", path, line=line_of(key), place=place, name=name, detail=since)
                )
            if value.tag.startswith("!"):
                continue
            kinds = known[name]
            if kinds and not _is_of(value, kinds):
                wanted = " or ".join(_KIND_NAMES[kind] for kind in kinds if kind != "0")
                yield _Fault(
                    "wrong-kind", path, line=line_of(key), place=own, name=name, detail=wanted
                )
                continue
            if name in below and isinstance(value, MappingNode):
                yield from self._shape(path, value, here, own)
            if f"{here}.*" in SHAPES:
                yield from self._parts(path, value, f"{here}.*", own)

    def _parts(self, path: str, node: Node, pattern: str, place: str) -> Iterator[_Fault]:
        """The shape of each part of a kind, such as each service."""
        for key, value in pairs(node):
            name = plain(key)
            if key.tag == MERGE or name.startswith("x-") or value.tag.startswith("!"):
                continue
            is_nothing = isinstance(value, ScalarNode) and plain(value) in _NULLS
            if isinstance(value, MappingNode):
                yield from self._shape(path, value, pattern, f"{place}.{name}")
            elif pattern == "services.*" or not is_nothing:
                yield _Fault(
                    "wrong-kind",
                    path,
                    line=line_of(key),
                    place=f"{place}.{name}",
                    name=name,
                    detail="a mapping",
                )

    def _service(self, path: str, name: str, service: Mapping[str, Node]) -> Iterator[_Fault]:
        place = f"services.{name}"
        for key in STRINGS:
            for entry in items(service.get(key)):
                if isinstance(entry, MappingNode):
                    yield _Fault(
                        "entry-is-mapping", path, line_of(entry), f"{place}.{key}", _first(entry)
                    )
        yield from self._durations(path, place, service.get("healthcheck"))
        extended = entries(service.get("extends")).get("file")
        if extended is not None and self._is_missing(plain(extended)):
            yield _Fault(
                "file-missing", path, line_of(extended), f"{place}.extends", plain(extended)
            )
        for key in ("image", "command", "environment", "ports", "volumes"):
            for scalar in _scalars(service.get(key)):
                if _OPEN_BRACE.search(plain(scalar)):
                    yield _Fault("open-brace", path, line_of(scalar), f"{place}.{key}")

    def _missing_includes(self, path: str) -> Iterator[_Fault]:
        for included in items(self.tops[path].get("include")):
            named = entries(included).get("path", included)
            for node in items(named) or [named]:
                if self._is_missing(plain(node)):
                    yield _Fault("file-missing", path, line_of(node), "include", plain(node))

    def _needed_files(self, service: _Service) -> Iterator[_Fault]:
        """Env files, and the words of a health check."""
        path, place = service.path, f"services.{service.name}"
        node = service.parts.get("env_file")
        for entry in items(node) or ([node] if node is not None else []):
            parts = entries(entry)
            name = parts.get("path", entry)
            if not _is_optional(entry) and self._is_missing(plain(name)):
                yield _Fault("env-file", path, line_of(name), f"{place}.env_file", plain(name))
        words = items(entries(service.parts.get("healthcheck")).get("test"))
        first = plain(words[0]) if words else "NONE"
        if first not in ("CMD", "CMD-SHELL", "NONE") and "$" not in first:
            yield _Fault("test-without-kind", path, line_of(words[0]), f"{place}.healthcheck.test")

    def _is_missing(self, name: str) -> bool:
        if not name or "$" in name or "://" in name or name.startswith("~"):
            return False
        try:
            os.stat(posixpath.join(self.folder, name))  # noqa: PTH116 - as in its neighbours
        except (FileNotFoundError, NotADirectoryError):
            return True
        except (OSError, ValueError):
            return False
        return False

    def _durations(self, path: str, place: str, node: Node | None) -> Iterator[_Fault]:
        parts = entries(node)
        for key in ("interval", "timeout", "start_period", "start_interval"):
            value = parts.get(key)
            if value is not None and _DURATION.fullmatch(plain(value)) and plain(value) != "0":
                place_of_it = f"{place}.healthcheck.{key}"
                yield _Fault("no-unit", path, line_of(value), place_of_it, plain(value))

    def _missing_parts(self) -> Iterator[_Fault]:
        """What a service refers to, and no file has; what it needs itself, in all files."""
        if self.includes:
            return
        services: dict[str, dict[str, Node]] = {}
        for service in self._services():
            services[service.name] = {**services.get(service.name, {}), **service.parts}
        active = self._active_services()
        for service in active:
            if "extends" not in services[service.name]:
                yield from self._unknown_references(service, services)
        for key in ("secrets", "configs"):
            named = (named_nodes(services[service.name].get(key)) for service in active)
            used = {plain(node) for nodes in named for node in nodes}
            yield from self._missing_files(key, used)
        for service in active:
            path, place = service.path, f"services.{service.name}"
            whole = services[service.name]
            line = self._line_of(path, service.name)
            if not {"image", "build", "extends", "provider"} & whole.keys():
                yield _Fault("no-image", path, line, place)
            if _has_parts(whole.get("networks")) and plain(whole.get("network_mode")):
                yield _Fault("two-networks", path, line, place)

    def _missing_files(self, key: str, used: Collection[str]) -> Iterator[_Fault]:
        """The files of secrets or configs that services have."""
        for path, top in self.tops.items():
            for name, part in entries(top.get(key)).items():
                file = entries(part).get("file")
                if name in used and file is not None and self._is_missing(plain(file)):
                    place = f"{key}.{name}.file"
                    yield _Fault("file-missing", path, line_of(file), place, plain(file))

    def _line_of(self, path: str, service: str) -> int:
        services = self.tops[path].get("services")
        return next((line_of(key) for key, _ in pairs(services) if plain(key) == service), 0)

    def _unknown_references(
        self, referring: _Service, services: Mapping[str, Any]
    ) -> Iterator[_Fault]:
        path, place, service = referring.path, f"services.{referring.name}", referring.parts
        for key, kind in _REFERRED.items():
            known = {*self.defined[key], *(("default",) if key == "networks" else ())}
            for node in named_nodes(service.get(key)):
                if plain(node) not in known and "$" not in plain(node):
                    yield _Fault(
                        "undefined",
                        path,
                        line=line_of(node),
                        place=place,
                        name=plain(node),
                        detail=kind,
                    )
        volumes = self.defined["volumes"]
        for node in items(service.get("volumes")):
            source = volume_of(node)
            if source and source not in volumes:
                yield _Fault(
                    "undefined", path, line=line_of(node), place=place, name=source, detail="volume"
                )
        waited = service.get("depends_on")
        wanted = [*items(service.get("links")), *items(waited)]
        wanted += [
            key for key, value in pairs(waited) if key.tag != MERGE and not _is_optional(value)
        ]
        mode = service.get("network_mode")
        if mode is not None and plain(mode).startswith("service:"):
            wanted.append(mode)
        for node in wanted:
            name = plain(node).removeprefix("service:").partition(":")[0]
            if name and name not in services and "$" not in name:
                yield _Fault(
                    "undefined", path, line=line_of(node), place=place, name=name, detail="service"
                )
        for key, value in entries(service.get("depends_on")).items():
            condition = entries(value).get("condition")
            text = plain(condition)
            if condition is not None and text not in CONDITIONS and "$" not in text:
                yield _Fault(
                    "condition", path, line_of(condition), f"{place}.depends_on.{key}", text
                )


def _is_optional(node: Node) -> bool:
    """Whether an entry says that it may be missing."""
    return plain(entries(node).get("required")).lower() == "false"


def _has_parts(node: Node | None) -> bool:
    return bool(items(node) or pairs(node))


def _is_of(node: Node, kinds: str) -> bool:
    """Whether a value is of one of these kinds; a variable may become any scalar."""
    if isinstance(node, MappingNode):
        return "m" in kinds
    if isinstance(node, SequenceNode):
        return "l" in kinds
    text, is_plain = plain(node), not getattr(node, "style", None)
    if is_plain and text in _NULLS:
        return "0" in kinds
    if is_plain and text in _BOOLEANS:
        return "b" in kinds
    if is_plain and _NUMBER.fullmatch(text):
        return "n" in kinds
    return "s" in kinds


def _first(node: Node) -> str:
    """The first key of a mapping."""
    return next((plain(key)[:_LONGEST] for key, _ in pairs(node)), "")


def _scalars(node: Node | None) -> Iterator[Node]:
    """A scalar, or those of a list or a mapping."""
    if isinstance(node, ScalarNode):
        yield node
    yield from (child for child in items(node) if isinstance(child, ScalarNode))
    yield from (value for _, value in pairs(node) if isinstance(value, ScalarNode))
