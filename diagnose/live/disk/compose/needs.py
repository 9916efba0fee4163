"""The references in the files of a compose project, and the parts that the engine must have.
Pure."""

import contextlib
import ipaddress
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from yaml import Node

from diagnose.live.disk.compose.nodes import MERGE, entries, items, line_of, pairs, plain
from diagnose.model import Json
from diagnose.yaml_text import read_nodes

_MOST = 50
_LONGEST = 200
"""Characters of a name."""
_ADDRESS = re.compile(r"(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?:/\d{1,2})?")
_NAMED_VOLUME = re.compile(r"[A-Za-z0-9][\w.-]*")


def needed_parts(texts: Mapping[str, str]) -> list[Json]:
    """The external networks and volumes and the container names that the files need, as
    `NeededPart`. Names with a variable are left out."""
    parts = itertools.chain.from_iterable(
        _parts_of_file(path, text) for path, text in texts.items()
    )
    return list(itertools.islice(parts, _MOST))


def _parts_of_file(path: str, text: str) -> Iterator[dict[str, Json]]:
    """The needs of one file: first the container names, then networks and volumes."""
    top = entries(read_nodes(text.removeprefix("\ufeff")))
    services = entries(top.get("services"))
    for name, service in services.items():
        parts_of_it = entries(service)
        container_name = None if "profiles" in parts_of_it else parts_of_it.get("container_name")
        if container_name is not None and "$" not in plain(container_name):
            yield _needed_part("container", path, container_name, plain(container_name), name)
    addresses = _addresses(text)
    for key, kind in (("networks", "network"), ("volumes", "volume")):
        used = _used_names(services.values(), key)
        for name, node in entries(top.get(key)).items():
            external_name = _external_name(name, node)
            if external_name and name in used and "$" not in external_name:
                yield _needed_part(kind, path, node, external_name)
            elif kind == "network" and name in used:
                yield from _subnets(name, node, path, addresses)


class _Address(NamedTuple):
    """An address in the text of a file."""

    value: ipaddress.IPv4Address
    text: str
    """With the length of the prefix, where one follows."""


def _addresses(text: str) -> list[_Address]:
    """The addresses of a text, each once."""
    addresses = []
    for match in {match[0]: match for match in _ADDRESS.finditer(text)}.values():
        with contextlib.suppress(ValueError):
            addresses.append(_Address(ipaddress.IPv4Address(match["address"]), match[0]))
    return addresses


def _subnets(
    network: str, node: Node, path: str, addresses: Sequence[_Address]
) -> Iterator[dict[str, Json]]:
    """The subnets that a network of the file has to have; without those with a variable.

    An "addressed subnet" is one of which the file names an address too.
    """
    for pool in items(entries(entries(node).get("ipam")).get("config")):
        subnet = entries(pool).get("subnet")
        written = plain(subnet)
        net = _network(written)
        if subnet is None or net is None:
            continue
        is_addressed = any(address.value in net for address in addresses if address.text != written)
        kind = "addressed subnet" if is_addressed else "subnet"
        yield _needed_part(kind, path, subnet, written, network)


def _network(text: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None


def _needed_part(kind: str, path: str, node: Node, name: str, service: str = "") -> dict[str, Json]:
    place = {"path": path, "line": line_of(node)}
    return {"kind": kind, "name": name[:_LONGEST], **place, "service": service[:_LONGEST]}


def _used_names(services: Iterable[Node], key: str) -> set[str]:
    """The networks or volumes that services without a profile name."""
    used: set[str] = set()
    for service in map(entries, services):
        if "profiles" in service:
            continue
        if key == "networks":
            used |= set(map(plain, named_nodes(service.get(key)))) or {"default"}
        else:
            used |= set(filter(None, map(volume_of, items(service.get(key)))))
    return used


def _external_name(name: str, node: Node) -> str:
    """The name of a part that compose does not make itself; "" for any other."""
    parts = entries(node)
    external = parts.get("external")
    if external is None:
        return ""
    old_name = plain(entries(external).get("name"))
    is_external = bool(old_name) or plain(external).lower() == "true"
    return (old_name or plain(parts.get("name")) or name) if is_external else ""


def volume_of(node: Node) -> str:
    """The volume that an entry of `volumes` names; "" for a path, and where a variable is in it."""
    parts = entries(node)
    if parts:
        source = plain(parts.get("source")) if plain(parts.get("type")) == "volume" else ""
    else:
        words = plain(node).split(":")
        source = words[0] if len(words) > 1 else ""
    is_name = _NAMED_VOLUME.fullmatch(source.partition("/")[0]) is not None
    is_windows = len(source) == 1 and not parts
    return source if is_name and "$" not in source and not is_windows else ""


def named_nodes(node: Node | None) -> Iterator[Node]:
    """The names that a service refers to: the keys of a mapping, the entries of a list or their
    sources."""
    yield from (key for key, _ in pairs(node) if key.tag != MERGE)
    for entry in items(node):
        source = entries(entry).get("source")
        yield entry if source is None else source
