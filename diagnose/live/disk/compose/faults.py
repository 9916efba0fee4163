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

from diagnose.live.disk.compose.dotenv import profiles_that_are_off
from diagnose.live.disk.compose.file_parts import FileFault, FilePart
from diagnose.live.disk.compose.needs import named_nodes, volume_of
from diagnose.live.disk.compose.nodes import (
    MERGE,
    entries,
    first_key,
    has_parts,
    items,
    line_of,
    pairs,
    plain,
    scalars,
)
from diagnose.live.disk.compose.shapes import CONDITIONS, NEW_KEYS, SHAPES, STRINGS
from diagnose.mappings import first_of
from diagnose.model import Json
from diagnose.yaml_text import OversizedError, read_nodes

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
"""The kinds of values of YAML in words, by the letter that the schema has for them."""
_DURATION = re.compile(r"\s*\d+(?:\.\d+)?\s*")
_OPEN_BRACE = re.compile(r"(?<!\$)(?:\$\$)*\$\{(?:[^A-Za-z_]|[^{}]*$)")
"""A `${` that no name follows, or that nothing closes."""
_NEXT_DOCUMENT = "but found another document"
"""What libyaml says of a second document; compose reads them all, as files that follow each other.
"""
_REFERRED = {"networks": "network", "models": "model", "secrets": "secret", "configs": "config"}
"""What a service refers to: the part of the file that declares it, and the word for one."""


def compose_faults(texts: Mapping[str, str], folder: str) -> list[Json]:
    """The faults for which compose refuses the files, as `ComposeFault`, in the order in which it
    reports them.

    texts: the files of the project in their order. folder: the start of relative names.
    """
    roots: dict[str, Node] = {}
    for path, text in texts.items():
        try:
            root = read_nodes(text.removeprefix("\ufeff"))
        except OversizedError:
            return []
        except ValueError as error:
            fault = _syntax_error(path, text, error)
            return [] if fault.detail == _NEXT_DOCUMENT else [msgspec.to_builtins(fault)]
        if root is None:
            return [msgspec.to_builtins(FileFault("empty", path))]
        roots[path] = root
    reader = _Reader(roots, folder)
    faults = [fault for fault, _ in zip(reader.faults(), range(_MOST), strict=False)]
    return [msgspec.to_builtins(fault) for fault in [*faults, *reader.new_keys[:_MOST]]]


def _syntax_error(path: str, text: str, error: ValueError) -> FileFault:
    """The syntax error that libyaml met. Tabs and the marks of an unfinished merge are named
    here, since libyaml does not name them."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(_MARKS):
            return FileFault("yaml", path, number, detail="marks of a merge that was not finished")
        if "\t" in line[: len(line) - len(line.lstrip())]:
            return FileFault("yaml", path, number, detail="it is indented by a tab")
    cause = error.__cause__
    mark = getattr(cause, "problem_mark", None)
    problem = str(getattr(cause, "problem", "") or "it cannot be read")[:_LONGEST]
    return FileFault("yaml", path, 0 if mark is None else mark.line + 1, detail=problem)


class _Service(msgspec.Struct, frozen=True):
    """A service in one file."""

    path: str
    name: str
    parts: Mapping[str, Node]

    @property
    def place(self) -> FilePart:
        return FilePart(self.path, f"services.{self.name}")


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
        self.new_keys: list[FileFault] = []
        """Keys that older versions of compose refuse, with the first one that takes them."""

    def faults(self) -> Iterator[FileFault]:
        """All faults that compose would find in the files, in the order of their places."""
        for path, root in self.roots.items():
            yield from self._doubled_keys(path, root)
            yield from self._shape(FilePart(path), root, pattern="")
            yield from self._missing_includes(path)
        if not self.includes and not any("services" in top for top in self.tops.values()):
            yield FileFault("empty", first_of(self.roots))
        if sum(len(entries(top.get("services"))) for top in self.tops.values()) > _MOST_SERVICES:
            return
        for service in self._services():
            yield from self._service(service)
        for service in self._active_services():
            yield from self._needed_files(service)
        yield from self._missing_parts()

    def _services(self) -> Iterator[_Service]:
        """Each service in each file that has it."""
        for path, top in self.tops.items():
            for name, node in entries(top.get("services")).items():
                yield _Service(path, name, entries(node, self.merged))

    def _active_services(self) -> list[_Service]:
        """The services without a profile; of others compose judges the shape alone."""
        services_of_file = list(self._services())
        chosen = {
            service.name for service in services_of_file if items(service.parts.get("profiles"))
        }
        return [service for service in services_of_file if service.name not in chosen]

    def _parts_of_kind(self, kind: str) -> dict[str, Node]:
        return {
            name: node
            for top in self.tops.values()
            for name, node in entries(top.get(kind)).items()
        }

    def _doubled_keys(self, path: str, root: Node) -> Iterator[FileFault]:
        """A key that stands twice in one mapping."""
        visited: set[int] = set()
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if id(node) in visited:
                continue
            visited.add(id(node))
            lines: dict[str, int] = {}
            for key, value in pairs(node):
                text = plain(key)
                if isinstance(key, ScalarNode) and text in lines:
                    first = f"line {lines[text]}"
                    yield FileFault(
                        "doubled", path, line_of(key), name=text[:_LONGEST], detail=first
                    )
                lines.setdefault(text, line_of(key))
                waiting.append(value)
            waiting += items(node)

    def _shape(self, place: FilePart, node: Node, pattern: str) -> Iterator[FileFault]:
        """Unknown keys and values of another kind, in a part and in those below it."""
        known_keys = SHAPES[pattern]
        below = {
            shape.rpartition(".")[2] for shape in SHAPES if shape.rpartition(".")[0] == pattern
        }
        for key, value in pairs(node):
            name = plain(key)
            if key.tag == MERGE or name.startswith("x-"):
                continue
            if name not in known_keys:
                meant_key = _similar_key(name, known_keys)
                yield place.fault("unknown-key", key, name[:_LONGEST], meant_key)
                continue
            path = ".".join(filter(None, (pattern, name)))
            if path in NEW_KEYS:
                since = ".".join(map(str, NEW_KEYS[path]))
                self.new_keys.append(place.fault("new-key", key, name, since))
            if value.tag.startswith("!"):
                continue
            kinds = known_keys[name]
            if kinds and not _is_of(value, kinds):
                kind_names = " or ".join(_KIND_NAMES[kind] for kind in kinds if kind != "0")
                yield place.at(name).fault("wrong-kind", key, name, kind_names)
                continue
            if name in below and isinstance(value, MappingNode):
                yield from self._shape(place.at(name), value, path)
            if f"{path}.*" in SHAPES:
                yield from self._parts(place.at(name), value, f"{path}.*")

    def _parts(self, place: FilePart, node: Node, pattern: str) -> Iterator[FileFault]:
        """The shape of each part of a kind, such as each service."""
        for key, value in pairs(node):
            name = plain(key)
            if key.tag == MERGE or name.startswith("x-") or value.tag.startswith("!"):
                continue
            is_nothing = isinstance(value, ScalarNode) and plain(value) in _NULLS
            if isinstance(value, MappingNode):
                yield from self._shape(place.at(name), value, pattern)
            elif pattern == "services.*" or not is_nothing:
                yield place.at(name).fault("wrong-kind", key, name, "a mapping")

    def _service(self, service: _Service) -> Iterator[FileFault]:
        """The faults in what one service asks for."""
        place = service.place
        parts = service.parts
        for key in STRINGS:
            for entry in items(parts.get(key)):
                if isinstance(entry, MappingNode):
                    yield place.at(key).fault(
                        "entry-is-mapping", entry, first_key(entry)[:_LONGEST]
                    )
        yield from self._durations(place.at("healthcheck"), parts.get("healthcheck"))
        extended = entries(parts.get("extends")).get("file")
        if extended is not None and self._is_missing(plain(extended)):
            yield place.at("extends").fault("file-missing", extended, plain(extended))
        for key in ("image", "command", "environment", "ports", "volumes"):
            for scalar in scalars(parts.get(key)):
                if _OPEN_BRACE.search(plain(scalar)):
                    yield place.at(key).fault("open-brace", scalar)

    def _missing_includes(self, path: str) -> Iterator[FileFault]:
        for included in items(self.tops[path].get("include")):
            included_path = entries(included).get("path", included)
            for node in items(included_path) or [included_path]:
                if self._is_missing(plain(node)):
                    yield FilePart(path, "include").fault("file-missing", node, plain(node))

    def _needed_files(self, service: _Service) -> Iterator[FileFault]:
        """Env files, and the words of a health check."""
        place = service.place
        node = service.parts.get("env_file")
        for entry in items(node) or ([node] if node is not None else []):
            parts = entries(entry)
            name = parts.get("path", entry)
            if not _is_optional(entry) and self._is_missing(plain(name)):
                yield place.at("env_file").fault("env-file", name, plain(name))
        words = items(entries(service.parts.get("healthcheck")).get("test"))
        first = plain(words[0]) if words else "NONE"
        if first not in ("CMD", "CMD-SHELL", "NONE") and "$" not in first:
            yield place.at("healthcheck").at("test").fault("test-without-kind", words[0])

    def _is_missing(self, name: str) -> bool:
        is_plain = bool(name) and not any(mark in name for mark in ("$", "://"))
        if not is_plain or name.startswith("~"):
            return False
        try:
            os.stat(posixpath.join(self.folder, name))  # noqa: PTH116 - as in its neighbours
        except (OSError, ValueError) as error:
            return isinstance(error, FileNotFoundError | NotADirectoryError)
        return False

    def _durations(self, place: FilePart, node: Node | None) -> Iterator[FileFault]:
        parts = entries(node)
        for key in ("interval", "timeout", "start_period", "start_interval"):
            value = parts.get(key)
            if value is not None and _DURATION.fullmatch(plain(value)) and plain(value) != "0":
                yield place.at(key).fault("no-unit", value, plain(value))

    def _missing_parts(self) -> Iterator[FileFault]:
        """The references of a service to parts that no file of the project defines."""
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
            nodes_of_services = (named_nodes(services[service.name].get(key)) for service in active)
            used = {plain(node) for nodes in nodes_of_services for node in nodes}
            yield from self._missing_files(key, used)
        for service in active:
            place = service.place
            whole = services[service.name]
            line = self._line_of(place.path, service.name)
            if not {"image", "build", "extends", "provider"} & whole.keys():
                yield FileFault("no-image", place.path, line, place.part)
            if has_parts(whole.get("networks")) and plain(whole.get("network_mode")):
                yield FileFault("two-networks", place.path, line, place.part)

    def _missing_files(self, key: str, used: Collection[str]) -> Iterator[FileFault]:
        """The files of secrets or configs that services have."""
        for path, top in self.tops.items():
            for name, part in entries(top.get(key)).items():
                file = entries(part).get("file")
                if name in used and file is not None and self._is_missing(plain(file)):
                    place = FilePart(path, f"{key}.{name}.file")
                    yield place.fault("file-missing", file, plain(file))

    def _line_of(self, path: str, service: str) -> int:
        services = self.tops[path].get("services")
        return next((line_of(key) for key, _ in pairs(services) if plain(key) == service), 0)

    def _unknown_references(
        self, referring: _Service, services: Mapping[str, Any]
    ) -> Iterator[FileFault]:
        """The names in a service of what no file has."""
        place = referring.place
        service = referring.parts
        for key, kind in _REFERRED.items():
            defined = {*self.defined[key], *(("default",) if key == "networks" else ())}
            for node in named_nodes(service.get(key)):
                if plain(node) not in defined and "$" not in plain(node):
                    yield place.fault("undefined", node, plain(node), kind)
        for node in items(service.get("volumes")):
            source = volume_of(node)
            if source and source not in self.defined["volumes"]:
                yield place.fault("undefined", node, source, "volume")
        for node in _wanted_services(service):
            name = plain(node).removeprefix("service:").partition(":")[0]
            if name and name not in services and "$" not in name:
                yield place.fault("undefined", node, name, "service")
            profiles = [plain(profile) for profile in items(services.get(name, {}).get("profiles"))]
            profiles_off = profiles_that_are_off(profiles, self.folder) if profiles else ""
            if profiles_off:
                yield place.fault("off", node, name, profiles_off)
        yield from _unknown_conditions(referring)


def _unknown_conditions(waiting: _Service) -> Iterator[FileFault]:
    """The conditions of a service for others that compose does not know."""
    for key, value in entries(waiting.parts.get("depends_on")).items():
        condition = entries(value).get("condition")
        text = plain(condition)
        if condition is not None and text not in CONDITIONS and "$" not in text:
            yield waiting.place.at("depends_on").at(key).fault("condition", condition, text)


def _similar_key(name: str, known_keys: Collection[str]) -> str:
    """The key that is meant by one with a slip; "" for none."""
    import difflib  # 5 ms, only for a key with a slip

    return "".join(difflib.get_close_matches(name[:_LONGEST].strip(), known_keys, 1, _SIMILAR))


def _wanted_services(service: Mapping[str, Node]) -> Iterator[Node]:
    """The nodes that name another service."""
    waited = service.get("depends_on")
    yield from items(service.get("links"))
    yield from items(waited)
    yield from (key for key, value in pairs(waited) if key.tag != MERGE and not _is_optional(value))
    mode = service.get("network_mode")
    if mode is not None and plain(mode).startswith("service:"):
        yield mode


def _is_optional(node: Node) -> bool:
    """Whether an entry says that it may be missing."""
    return plain(entries(node).get("required")).lower() == "false"


def _is_of(node: Node, kinds: str) -> bool:
    """Whether a value is of one of these kinds; a variable may become any scalar."""
    if isinstance(node, MappingNode):
        return "m" in kinds
    if isinstance(node, SequenceNode):
        return "l" in kinds
    text = plain(node)
    is_plain = not getattr(node, "style", None)
    if is_plain and text in _NULLS:
        return "0" in kinds
    if is_plain and text in _BOOLEANS:
        return "b" in kinds
    if is_plain and _NUMBER.fullmatch(text):
        return "n" in kinds
    return "s" in kinds
