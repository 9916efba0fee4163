"""The references in the files of a compose project, and the parts that the engine must have.
Pure."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping

from yaml import Node

from diagnose.live.disk.compose.nodes import MERGE, entries, items, line_of, pairs, plain
from diagnose.model import Json
from diagnose.yaml_text import read_nodes

_MOST = 50
_LONGEST = 200
"""Characters of a name."""
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_NAMED_VOLUME = re.compile(r"[A-Za-z0-9][\w.-]*")


def needed_parts(texts: Mapping[str, str]) -> list[Json]:
    """The external networks and volumes and the container names that the files need, as
    `NeededPart`. Names with a variable are left out."""
    parts: list[Json] = []
    for path, text in texts.items():
        top = entries(read_nodes(text.removeprefix("\ufeff")))
        services = entries(top.get("services"))
        for name, service in services.items():
            parts_of_it = entries(service)
            container_name = (
                None if "profiles" in parts_of_it else parts_of_it.get("container_name")
            )
            if container_name is not None and "$" not in plain(container_name):
                parts.append(
                    _needed_part("container", path, container_name, plain(container_name), name)
                )
        for key, kind in (("networks", "network"), ("volumes", "volume")):
            used = _used_names(services.values(), key)
            for name, node in entries(top.get(key)).items():
                external_name = _external_name(name, node)
                if external_name and name in used and "$" not in external_name:
                    parts.append(_needed_part(kind, path, node, external_name))
                elif kind == "network" and name in used:
                    parts += _subnets(name, node, path, text)
    return parts[:_MOST]


def _subnets(network: str, node: Node, path: str, text: str) -> Iterator[dict[str, Json]]:
    """The subnets that a network of the file has to have; without those with a variable.

    An "addressed subnet" is one of which the file names an address too.
    """
    for pool in items(entries(entries(node).get("ipam")).get("config")):
        subnet = entries(pool).get("subnet")
        net = _network(plain(subnet))
        if subnet is None or net is None:
            continue
        other_text = text.replace(plain(subnet), "")
        inside = [address for address in _ADDRESS.findall(other_text) if _is_in(address, net)]
        kind = "addressed subnet" if inside else "subnet"
        yield _needed_part(kind, path, subnet, plain(subnet), network)


def _network(text: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return None


def _is_in(address: str, net: ipaddress.IPv4Network) -> bool:
    try:
        return ipaddress.IPv4Address(address) in net
    except ValueError:
        return False


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
