"""A whole compose project as its files have it, to be compared with what runs. Pure.

The nodes of YAML are read and not their values: an unquoted number and a list that replaces that of
an anchor are seen there alone.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from yaml import Node

from diagnose.live.disk.compose.nodes import MERGE, entries, items, pairs, plain
from diagnose.live.disk.compose.numbers import as_compose_reads, loses_digits
from diagnose.model import Json
from diagnose.yaml_text import read_nodes

_MOST = 100
"""Services of a project; ports, mounts and variables of a service."""
_DEVELOPMENT = re.compile(
    r"(?:^|_)(?:ENV|ENVIRONMENT|MODE|STAGE)=(?:dev|develop|development|local|debug)\Z"
    r"|(?:^|_)DEBUG=(?!(?:0|false|no|off)?\Z)",
    re.IGNORECASE,
)
"""A variable that makes a program one for development."""
_RELOADS = re.compile(
    r"--(?:reload|watch|hot|inspect|debug)\b|\b(?:npm|yarn|pnpm|bun)(?: run)? (?:dev|start:dev|watch)\b"
    r"|\b(?:nodemon|runserver|flask run|rails s(?:erver)?|air|dlv|debugpy)\b"
)
"""A command that reads its sources again, or waits for a debugger."""


def project_services(texts: Mapping[str, str], folder: str) -> list[Json] | None:
    """The services as `WrittenService`, of all files together; None where one is not YAML.

    folder: where relative paths begin.
    """
    try:
        return _services(texts, folder)
    except ValueError:
        return None


def _services(texts: Mapping[str, str], folder: str) -> list[Json]:
    services: dict[str, dict[str, Any]] = {}
    for path, text in texts.items():
        for name, node in entries(entries(read_nodes(text)).get("services")).items():
            if len(services) == _MOST and name not in services:
                continue
            service = services.setdefault(name, {"name": name})
            _add(service, path, node, folder)
    copied = {name for text in texts.values() for name in _copied_parts(read_nodes(text))}
    for service in services.values():
        service["contents"] = [name for name in service["contents"] if name in copied]
    return list(services.values())[:_MOST]


def _copied_parts(root: Node | None) -> Iterator[str]:
    """The configs and secrets whose content stands in the file itself, or in a variable."""
    for kind in ("configs", "secrets"):
        for name, node in entries(entries(root).get(kind)).items():
            if {"content", "environment"} & entries(node).keys():
                yield name


def includes_others(texts: Mapping[str, str]) -> bool:
    """Whether a file takes services from files that it names. ValueError where one is not YAML."""
    return any("include" in entries(read_nodes(text)) for text in texts.values())


def _lists(parts: Mapping[str, Node], path: str) -> dict[str, list[Any]]:
    """The lists of one file about a service, by their keys in the answer."""
    sources = [
        plain(entries(source).get("source")) or plain(source)
        for kind in ("configs", "secrets")
        for source in items(parts.get(kind))
    ]
    return {
        "contents": sources,
        "profiles": [plain(profile) for profile in items(parts.get("profiles"))],
        "ports": [_port(port) for port in items(parts.get("ports"))],
        "variables": [name for name, _ in _variables(parts.get("environment"))],
        "numbers": list(_numbers(path, parts.get("environment"))),
    }


def _plain_values(parts: Mapping[str, Node]) -> dict[str, str]:
    """The single values of a service, by their keys in the answer. Those below `deploy` win."""
    deploy = entries(parts.get("deploy"))
    limits = entries(entries(deploy.get("resources")).get("limits"))
    nodes = {
        "image": parts.get("image"),
        "scale": deploy.get("replicas", parts.get("scale")),
        "cpus": limits.get("cpus", parts.get("cpus")),
        "memory": limits.get("memory", parts.get("mem_limit")),
    }
    return {key: plain(node) for key, node in nodes.items() if node is not None}


def _add(service: dict[str, Any], path: str, node: Node, folder: str) -> None:
    """Add what one file says of a service: the later file wins, lists are joined."""
    parts = entries(node)
    service["path"] = path
    if "extends" in parts or _has_own_tags(node):
        service["is_partial"] = True
    if "build" in parts:
        service["builds"] = True
    if _is_for_development(parts):
        service["is_for_development"] = True
    if "read_only" in parts:
        service["is_read_only"] = plain(parts["read_only"]).lower() in ("true", "yes", "on")
    service |= _plain_values(parts)
    deploy = entries(parts.get("deploy"))
    lists = _lists(parts, path) | {
        "swarm_labels": [
            assignment.partition("=")[0] for assignment in _assignments(deploy.get("labels"))
        ],
        "replaced": list(_replaced_mounts(node, folder)),
    }
    for key, further in lists.items():
        service[key] = [*service.get(key, []), *further][:_MOST]
    mounts = {mount["target"]: mount for mount in service.get("mounts", [])}
    mounts |= {mount["target"]: mount for mount in _mounts(parts.get("volumes"), folder)}
    service["mounts"] = list(mounts.values())[:_MOST]


def _is_for_development(parts: Mapping[str, Node]) -> bool:
    command = parts.get("command")
    words = [plain(command), *(plain(word) for word in items(command))]
    return _RELOADS.search(" ".join(words)) is not None or any(
        _DEVELOPMENT.search(assignment) for assignment in _assignments(parts.get("environment"))
    )


def _assignments(node: Node | None) -> Iterator[str]:
    """The variables of a mapping or a list as NAME=value."""
    yield from (f"{name}={plain(value)}" for name, value in entries(node).items())
    yield from map(plain, items(node))


def _has_own_tags(node: Node) -> bool:
    """Whether a part of it has a tag of compose (`!override`, `!reset`).

    What an anchor names stands in several places, and is looked at once.
    """
    visited: set[int] = set()
    parts = [node]
    while parts:
        part = parts.pop()
        if part.tag.startswith("!"):
            return True
        if id(part) not in visited:
            visited.add(id(part))
            parts += [*items(part), *(value for _, value in pairs(part))]
    return False


def _port(node: Node) -> str:
    """An entry of `ports` as it is written; of a mapping PUBLISHED:TARGET."""
    parts = entries(node)
    if not parts:
        return plain(node)
    address, published, target, protocol = (
        plain(parts.get(key)) for key in ("host_ip", "published", "target", "protocol")
    )
    place = ":".join(filter(None, (address, published, target)))
    return f"{place}/{protocol}" if protocol else place


def _mounts(node: Node | None, folder: str) -> Iterator[dict[str, str]]:
    """The mounts of a service. Those with a variable are left out."""
    for mount in items(node):
        parts = entries(mount)
        if parts:
            kind, source, target = (plain(parts.get(key)) for key in ("type", "source", "target"))
            if kind not in ("bind", "volume"):
                continue
        else:
            words = plain(mount).split(":")
            source, target = ("", words[0]) if len(words) == 1 else (words[0], words[1])
        if not target.startswith("/") or "$" in source + target:
            continue
        if source.startswith("."):
            source = posixpath.normpath(posixpath.join(folder, source))
        target = posixpath.normpath(target)
        yield {"target": target, "source": source}


def _replaced_mounts(node: Node, folder: str) -> Iterator[dict[str, str]]:
    """The mounts of the anchors that a service merges, and that its own list takes away."""
    own_volumes = [value for key, value in pairs(node) if plain(key) == "volumes"]
    if not own_volumes:
        return
    targets = {mount["target"] for mount in _mounts(own_volumes[0], folder)}
    for key, value in pairs(node):
        if key.tag != MERGE:
            continue
        for part in items(value) or [value]:
            for mount in _mounts(entries(part).get("volumes"), folder):
                if mount["target"] not in targets:
                    yield mount


def _variables(node: Node | None) -> Iterator[tuple[str, Node | None]]:
    """The names of a mapping or a list of variables; those of a mapping with their nodes."""
    yield from entries(node).items()
    for variable in items(node):
        yield plain(variable).partition("=")[0], None


def _numbers(path: str, node: Node | None) -> Iterator[dict[str, str]]:
    """The values without quotes that compose takes for numbers, and writes in another way."""
    for name, value in _variables(node):
        text = plain(value)
        is_plain = value is not None and not getattr(value, "style", None)
        read = as_compose_reads(text) if is_plain else text
        if read != text and loses_digits(name, text):
            yield {"path": path, "written": f"{name}={text}", "read": f"{name}={read}"}
