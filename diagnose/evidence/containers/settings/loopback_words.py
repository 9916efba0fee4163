"""Where a container's own words name loopback, an address or a port: command and variables.

Pure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Sequence

from diagnose.evidence.containers.container import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.redact import holds_token

_PORT_OF_SCHEME = {80: "http", 443: "https"}
_BY_NAME = LazyPattern(
    r"(?:^|_)(?:HOST|HOSTNAME|BIND|LISTEN|ADDR|ADDRESS|URL|SERVER|UPSTREAM)(?:_|$)", re.IGNORECASE
)
"""How a variable is named that says where a program listens, or whom it calls."""


def with_port(containers: Sequence[Container], port: int, other: int) -> tuple[str, str]:
    """The container and the variable, with its value, that give another port in the place of one.

    ("", "") where no variable of these containers names the port, or several do, or where a secret
    stands in the way.
    """
    named = re.compile(rf"(?<![\d.]){port}(?!\d)")
    return _only(
        (container.name, f"{name}={named.sub(str(other), value)}")
        for container in containers
        for name, value in container.config.environment
        if named.search(value) and (value == str(port) or f":{port}" in value)
    )


def with_port_of_url(
    caller: Container, hosts: Collection[str], port: int, other: int
) -> tuple[str, str]:
    """As `with_port`, of a URL without a port to one of these hosts: its scheme names the port."""
    scheme = _PORT_OF_SCHEME.get(port)
    if scheme is None or not hosts:
        return "", ""
    names = "|".join(re.escape(host) for host in sorted(hosts))
    url = re.compile(rf"\b({scheme}://(?:{names}))(?=/|$)")
    with_other = rf"\1:{other}"
    return _only(
        (caller.name, f"{name}={url.sub(with_other, value)}")
        for name, value in caller.config.environment
        if url.search(value)
    )


def _only(places: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The one place; empty where there are none or several, or where a secret is in the way."""
    found = list(places)
    if len(found) != 1 or holds_token(found[0][1]):
        return "", ""
    return found[0]


def with_host(container: Container, port: int, host: str) -> dict[str, str]:
    """The variables of a page that put another host in the place of loopback.

    `command`: the words behind the image; `assignment`: one variable of the environment. Nothing
    where no word or several name loopback, or where a secret stands in the way.
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
    if len(places) == 1 and not assigned:
        (place,) = places
        command = [*words[:place], loopback.sub(changed, words[place]), *words[place + 1 :]]
        variables = {"command": shlex.join(command)}
    elif not places and len(assigned) == 1:
        variables = {"assignment": assigned[0]}
    else:
        return {}
    return {} if any(holds_token(value) for value in variables.values()) else variables


_ADVERTISED = LazyPattern(r"(?:^|_)ADVERTISED_")
"""How a variable is named that says what a broker tells its clients to call."""


def with_advertised(broker: Container, port: int, host: str) -> tuple[str, str]:
    """The variable by which a broker sends its clients to loopback, and with another host there.

    ("", "") where no variable does, or a secret stands in the way.
    """
    local = re.compile(rf"(?<=//)(?:localhost|127\.0\.0\.1)(?=:{port}(?!\d))")
    found = [
        (name, f"{name}={local.sub(host, value)}")
        for name, value in broker.config.environment
        if _ADVERTISED.search(name) and local.search(value)
    ]
    if len(found) != 1 or holds_token(found[0][1]):
        return "", ""
    return found[0]


def with_name(container: Container, address: str, name: str) -> dict[str, str]:
    """The variables of a page that put a name in the place of an address, or one place for another.

    As those of `with_host`: nothing where no word or several hold the address.
    """
    held = re.compile(rf"(?<![\w.-]){re.escape(address)}(?![\d.])")
    words = container.config.cmd or []
    renamed = [held.sub(name, word) for word in words]
    places = [word for word, new in zip(words, renamed, strict=True) if word != new]
    assigned = [
        f"{variable}={held.sub(name, value)}"
        for variable, value in container.config.environment
        if held.search(value)
    ]
    if len(places) == 1 and not assigned:
        variables = {"command": shlex.join(renamed)}
    elif not places and len(assigned) == 1:
        variables = {"assignment": assigned[0]}
    else:
        return {}
    return {} if any(holds_token(value) for value in variables.values()) else variables
