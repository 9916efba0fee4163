"""Evidence about host names that a failed program calls and that no container near it has."""

import difflib
import re
from collections.abc import Mapping

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.own_servers import OF_ONE_KIND
from diagnose.evidence.containers.settings.changed_words import line_with_text, with_text
from diagnose.evidence.containers.settings.named.named_settings import NamedSetting
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Json, PageVariables

VARIABLE = "environment variable "
_SIGNS = LazyPattern(r"[-_.]")
_LETTERS = LazyPattern(r"\D")
_DIGITS = LazyPattern(r"\d")
_ALMOST = 0.8
"""The similarity of two words of which one is mistyped; cache1 and cache2 are two."""


def stray_evidence(strays: Mapping[str, str], containers: Containers) -> dict[str, Json]:
    """Evidence that no container has the name, with the container of a similar name."""
    evidence: dict[str, Json] = {}
    for name, place in strays.items():
        similar_names = _similar_names(name, containers)
        like = (
            f"; a similar name is {_owner(similar_names[0], containers)}" if similar_names else ""
        )
        evidence[f'"{name}", in {place}'] = f"no container on this host has that name{like}"
    return evidence


def _similar_names(name: str, containers: Containers) -> list[str]:
    """The name that is most like this one, or the only one that has it as one of its words."""
    longer = [other for other in containers.by_dns_name if name in _SIGNS.split(other)[1:]]
    alike = difflib.get_close_matches(name, containers.by_dns_name, n=1)
    return alike or ([longer[0]] if len(longer) == 1 else [])


def _owner(name: str, containers: Containers) -> str:
    """A name, and the container that has it under another name."""
    owner = containers.by_dns_name[name][0]
    return f'"{name}"' if owner.name == name else f'"{name}" of {owner}'


def stray_setting(strays: Mapping[str, str]) -> NamedSetting | None:
    """The only variable that gives such a name."""
    places = {place for place in strays.values() if place.startswith(VARIABLE)}
    if len(strays) != 1 or len(places) != 1:
        return None
    return NamedSetting(variable=places.pop().removeprefix(VARIABLE), fault="value")


def stray_variables(
    strays: Mapping[str, str],
    container: Container,
    containers: Containers,
    setting: NamedSetting | None,
) -> PageVariables:
    """The variables of a page: no other start heals a name that no container has.

    setting: the setting of the line. The similar name of a neighbour replaces the wrong one.
    """
    name = only(list(strays)) or ""
    meant_name = meant_name_of(name, container, containers)
    named_setting = stray_setting(strays)
    variable = named_setting.variable if named_setting is not None else ""
    corrected = with_text(container, name, meant_name, variable=variable) if meant_name else {}
    has_line = setting is not None and bool(setting.path and setting.line)
    if meant_name and setting is not None and has_line:
        corrected = line_with_text(setting.path, setting.line, name, meant_name)
    return corrected or (named_setting.variables if named_setting is not None else {})


def meant_name_of(name: str, container: Container, containers: Containers) -> str:
    """The only similar name on its networks, or the only server at its port; or "".

    "" where none or several are. Digits distinguish two names (shop-db-1, shop-db-2), unless there
    is only one such name. A name with one word more in front is that of a project (shop_db of db).
    """
    if not name:
        return ""
    similar_name = neighbour_named_like(name, container, containers)
    return similar_name or _server_at_its_port(name, container, containers)


def neighbour_named_like(name: str, container: Container, containers: Containers) -> str:
    """The only similar name on the networks of a container; "" where none or several are."""
    names_by_network = containers.names_by_network
    names = {
        other for network in container.endpoints for other in names_by_network.get(network, ())
    }
    other_names = sorted(names - {container.name})
    alike = [other for other in other_names if _is_alike(name, other)]
    letters = _DIGITS.sub("", name)
    numbered = [other for other in other_names if letters and _DIGITS.sub("", other) == letters]
    prefixed = [
        other
        for other in other_names
        if _has_prefix_more(name, other) and _is_of_one_project(container, containers, other)
    ]
    return only(alike or numbered) or (_shortest_of_one(prefixed, containers) if not alike else "")


def _has_prefix_more(name: str, other: str) -> bool:
    """Whether one of two names is the other one with a project before it, and a number behind."""
    words, other_words = (_words_before_number(text) for text in (name, other))
    shorter, longer = sorted((words, other_words), key=len)
    return len(shorter) > 0 and longer[-len(shorter) :] == shorter


def _words_before_number(name: str) -> list[str]:
    words = _SIGNS.split(name.lower())
    return words[:-1] if len(words) > 1 and words[-1].isdigit() else words


def _is_of_one_project(container: Container, containers: Containers, name: str) -> bool:
    """Whether another container and the one with a name belong to one project, or to none."""
    holders = containers.by_dns_name.get(name, ())
    return any(holder.compose_project == container.compose_project for holder in holders)


def _shortest_of_one(names: list[str], containers: Containers) -> str:
    """The shortest of the names where one container alone has them all; or ""."""
    holders = {holder.id for name in names for holder in containers.by_dns_name.get(name, ())}
    return min(names, key=lambda name: (len(name), name)) if len(holders) == 1 else ""


def _server_at_its_port(name: str, container: Container, containers: Containers) -> str:
    """The one running neighbour that offers the port which its settings give the name.

    Only a port of databases and brokers tells: many kinds of servers have 80 or 8080.
    """
    place = re.compile(rf"(?<![\w.-]){re.escape(name)}:(?P<port>\d{{2,5}})(?!\d)")
    texts = [*container.command, *container.config.variable_values]
    ports = {match["port"] for text in texts for match in place.finditer(text)}
    port = only(ports)
    if port is None or int(port) not in OF_ONE_KIND:
        return ""
    servers = [
        other
        for other in containers.running
        if other.id != container.id
        and other.shared_networks(container) - {DEFAULT_NETWORK}
        and port in other.offered_ports
    ]
    server = only(servers)
    return (server.compose_service or server.name) if server is not None else ""


def _is_alike(name: str, other: str) -> bool:
    """Whether two names differ by a sign between words, or each word by a letter or two.

    shop-db and shop-es are two names, although most of their letters are the same.
    """
    words, other_words = (_SIGNS.split(text.lower()) for text in (name, other))
    if "".join(words) == "".join(other_words):
        return True
    is_as_long = len(words) == len(other_words)
    return is_as_long and all(map(_is_same_word, words, other_words))


def _is_same_word(word: str, other: str) -> bool:
    has_same_digits = _LETTERS.sub("", word) == _LETTERS.sub("", other)
    return has_same_digits and difflib.SequenceMatcher(None, word, other).ratio() >= _ALMOST
