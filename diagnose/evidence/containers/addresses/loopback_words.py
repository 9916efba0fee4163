"""Loopback addresses, other hosts and ports in a container's command and variables.

Pure.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.settings.changed_words import spliced
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, paired
from diagnose.model import PageVariables
from diagnose.numbers import is_number
from diagnose.redact import holds_token

_PORT_OF_SCHEME = {80: "http", 443: "https"}
_BY_NAME = LazyPattern(
    r"(?:^|_)(?:HOST|HOSTNAME|BIND|LISTEN|ADDR|ADDRESS|URL|SERVER|UPSTREAM)(?:_|$)", re.IGNORECASE
)
"""Names of variables for the address where a program listens, or that it calls."""


class Correction(msgspec.Struct, frozen=True):
    """A variable of a container with another value."""

    container: str
    variable: str
    assignment: str
    """The corrected variable as `--env` takes it: NAME=value."""


def with_port(containers: Sequence[Container], port: int, other_port: int) -> Correction | None:
    """The variable of these containers that names a port, with another one in its place.

    None where no variable names the port, or several do, or where a secret is in the way.
    """
    number = re.compile(rf"(?<![\d.]){port}(?!\d)")
    return _only_harmless(
        Correction(container.name, name, f"{name}={number.sub(str(other_port), value)}")
        for container in containers
        for name, value in container.config.environment
        if number.search(value) and (value == str(port) or f":{port}" in value)
    )


def with_port_of_url(
    caller: Container, hosts: Collection[str], port: int, other_port: int
) -> Correction | None:
    """The correction of a URL without a port to one of these hosts: its scheme implies the port.

    Like `with_port`.
    """
    scheme = _PORT_OF_SCHEME.get(port)
    if scheme is None or not hosts:
        return None
    names = "|".join(re.escape(host) for host in sorted(hosts))
    url = re.compile(rf"\b({scheme}://(?:{names}))(?=/|$)")
    with_other = rf"\1:{other_port}"
    return _only_harmless(
        Correction(caller.name, name, f"{name}={url.sub(with_other, value)}")
        for name, value in caller.config.environment
        if url.search(value)
    )


def _only_harmless(corrections: Iterable[Correction]) -> Correction | None:
    """The one correction; None where there are none or several, or where a secret is in the way."""
    correction = only(list(corrections))
    if correction is None or holds_token(correction.assignment):
        return None
    return correction


def with_host(container: Container, port: int, host: str) -> PageVariables:
    """The page variables that replace loopback by another host.

    `command`: the words behind the image; `assignment`: one variable of the environment; `spliced`:
    one with a login before the host. Nothing where no word or several name loopback, or where a
    secret is in the way.
    """
    loopback = re.compile(
        r"(?P<before>(?:--?[\w-]+=)?(?:\w+://)?)(?:127\.0\.0\.1|localhost|\[::1\])"
        rf"(?P<after>(?::{port}(?:/\S*)?)?)"
    )
    changed = rf"\g<before>{host}\g<after>"
    words = container.config.cmd or []
    places = [number for number, word in enumerate(words) if loopback.fullmatch(word)]
    assigned = [
        f"{name}={loopback.sub(changed, value)}"
        for name, value in container.config.environment
        if _BY_NAME.search(name) and loopback.fullmatch(value)
    ]
    command = list(words)
    for place in places:
        command[place] = loopback.sub(changed, words[place])
    if not places and not assigned:
        return _spliced_host(container, port, host)
    return _one_change(command, len(places), assigned)


_BEHIND_LOGIN = LazyPattern(
    r"^[a-z][a-z0-9+]{1,20}://[^/@]{1,400}@(?P<place>(?:127\.0\.0\.1|localhost)(?::(?P<port>\d{2,5}))?)(?=[/?]|$)",
    re.IGNORECASE,
)
"""An address on the loopback with a user and a password before it."""


def _spliced_host(container: Container, port: int, host: str) -> PageVariables:
    """The page variables that replace loopback in the only address with a login that may be meant:
    at this port, or without one."""
    matches = paired(container.config.environment, lambda entry: _BEHIND_LOGIN.match(entry[1]))
    hosts = [
        (name, value, match["place"])
        for (name, value), match in matches
        if match["port"] in (None, str(port))
    ]
    if len(hosts) != 1:
        return {}
    name, value, place = hosts[0]
    return spliced(name, value, place, f"{host}:{port}" if ":" in place else host)


def _one_change(command: Sequence[str], places: int, assigned: Sequence[str]) -> dict[str, str]:
    """The command or the variable in which alone something changes.

    command: with all changes. places: how many of its words change. Nothing where none or several
    change, or where a secret is in the way.
    """
    if places + len(assigned) != 1:
        return {}
    name, text = ("command", shlex.join(command)) if places else ("assignment", assigned[0])
    return {} if holds_token(text) else {name: text}


_OF_LOOPBACK = LazyPattern(
    r"^(?:(?P<scheme>[a-z][a-z0-9+]{1,20})://(?:[^\s@/]{0,100}@)?)?"
    r"(?:localhost|127\.0\.0\.1|\[::1\])(?::(?P<port>\d{2,5}))?(?:[/?]\S{0,300})?$",
    re.IGNORECASE,
)
"""A value that is a place on the loopback: redis://user:secret@localhost:6379/0."""
_PORT_OF = {
    **{scheme: port for port, scheme in _PORT_OF_SCHEME.items()},
    "amqp": 5672,
    "mongodb": 27017,
    "mqtt": 1883,
    "mysql": 3306,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
}
"""The port of a URL that names none."""
_OF_OTHERS = LazyPattern(
    r"""
      (?:^|_)(?:
            ALLOWED | BIND | CALLBACK | CLIENT | CORS | DOMAIN | EXTERNAL | FRONTEND
          | LISTEN | ORIGINS? | PROXY | PUBLIC | REDIRECT | ROOT | SELF | SITE | TRUSTED
        )(?:_|$)
    | ^(?:REACT_APP|VITE)_
    | ^(?:(?:APP|SERVER|WEB)_)?(?:BASE_)?(?:URL|URI|HOST)$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Names of variables for the address where others call this program, or where it listens."""


class LoopbackPlace(msgspec.Struct, frozen=True):
    """A port of localhost in a variable, and the name that the program should call instead."""

    variable: str
    port: int


def loopback_places(container: Container) -> list[LoopbackPlace]:
    """The places in its environment: as a URL, as HOST:PORT, or as a host with the port beside it.

    Variables that say where others call the program are left out: a browser's localhost is the
    machine that it runs on.
    """
    variables = dict(container.config.environment)
    places: list[LoopbackPlace] = []
    for name, value in variables.items():
        match = None if _OF_OTHERS.search(name) else _OF_LOOPBACK.search(value)
        if match is None:
            continue
        port = (
            match["port"]
            or _PORT_OF.get((match["scheme"] or "").lower())
            or _port_beside(name, variables)
        )
        if port and is_number(str(port)):
            places.append(LoopbackPlace(name, int(port)))
    return places


def _port_beside(name: str, variables: Mapping[str, str]) -> str:
    """The port of the variable that is called like one for the host: DB_PORT beside DB_HOST."""
    stem = re.sub(r"_?(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVER)$", "", name, flags=re.IGNORECASE)
    return variables.get(f"{stem}_PORT", "")


_ADVERTISED = LazyPattern(r"(?:^|_)ADVERTISED_")
"""Names of variables for the address that a broker gives to its clients."""


def with_advertised(broker: Container, port: int, host: str) -> Correction | None:
    """The variable by which a broker sends its clients to loopback, with another host there.

    None where no variable does, or a secret is in the way.
    """
    local = re.compile(rf"(?<=//)(?:localhost|127\.0\.0\.1)(?=:{port}(?!\d))")
    return _only_harmless(
        Correction(broker.name, name, f"{name}={local.sub(host, value)}")
        for name, value in broker.config.environment
        if _ADVERTISED.search(name) and local.search(value)
    )


def with_name(container: Container, address: str, name: str) -> PageVariables:
    """The page variables that replace an address by a name, or one place by another.

    Empty where no word or several hold the address, as those of `with_host`.
    """
    place = re.compile(rf"(?<![\w.-]){re.escape(address)}(?![\d.])")
    words = container.config.cmd or []
    renamed = [place.sub(name, word) for word in words]
    changes = sum(word != new for word, new in zip(words, renamed, strict=True))
    assigned = [
        f"{variable}={place.sub(name, value)}"
        for variable, value in container.config.environment
        if place.search(value)
    ]
    return _one_change(renamed, changes, assigned)


_ADDRESS_LIST = LazyPattern(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:,\d{1,3}(?:\.\d{1,3}){3}){1,15}(?![\w.:])"
)
"""Addresses of the members of a cluster: 10.0.0.2,10.0.0.3"""


def with_names_for_list(container: Container, address: str, names: Sequence[str]) -> PageVariables:
    """The page variables that replace a list of addresses with this one by names.

    Empty where no word or several hold a list with it, and where it has more addresses than there
    are names.
    """

    def named(match: re.Match[str]) -> str:
        listed = match[0].split(",")
        fits = address in listed and len(listed) <= len(names)
        return ",".join(names[: len(listed)]) if fits else match[0]

    words = container.config.cmd or []
    renamed = [_ADDRESS_LIST.sub(named, word) for word in words]
    changes = sum(word != new for word, new in zip(words, renamed, strict=True))
    assigned = [
        f"{variable}={changed}"
        for variable, value in container.config.environment
        if (changed := _ADDRESS_LIST.sub(named, value)) != value
    ]
    return _one_change(renamed, changes, assigned)
