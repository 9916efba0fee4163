"""Neighbours that serve below another path than the one in the line of a failed call."""

import itertools
import posixpath
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import with_port
from diagnose.lazy_pattern import LazyPattern

_NOT_FOUND = LazyPattern(r"\b404\b")
_URL = LazyPattern(
    r"\bhttps?://(?P<host>[A-Za-z0-9][\w.-]{0,100})(?::(?P<port>\d{2,5}))?(?P<path>/[\w./%-]{0,200})?"
)
_ROUTE = "--web.route-prefix"
_OPTIONS = ("--base-path", "--prefix", "--url-prefix", "--web.external-url", "--webroot")
"""Options that name the path, or an address with one."""
_VARIABLES = (
    "KC_HTTP_RELATIVE_PATH",
    "SCRIPT_NAME",
    "SERVER_SERVLET_CONTEXT_PATH",
    "SONAR_WEB_CONTEXT",
)
_GRAFANA_SERVES = "GF_SERVER_SERVE_FROM_SUB_PATH"
_GRAFANA_URL = "GF_SERVER_ROOT_URL"


class PrefixedPeer(msgspec.Struct, frozen=True):
    """A neighbour that serves below a path, and was called without it."""

    peer: Container
    prefix: str
    setting: str
    """The option or the variable that says so."""
    called: str
    """The address that was called, as the host reaches it."""
    served: str
    """The same with the path before it."""

    @property
    def clause(self) -> str:
        return f"{self.peer} serves below {self.prefix} ({self.setting}), which the call leaves out"

    @property
    def cure(self) -> str:
        return (
            f"put {self.prefix} before the path in the settings of the program that calls "
            "(Prometheus has path_prefix for Alertmanager)"
        )


def prefixed_peer(line: str, caller: Container, containers: Containers) -> PrefixedPeer | None:
    """The neighbour whose path a call leaves out that was answered with 404."""
    match = _URL.search(line) if _NOT_FOUND.search(line) else None
    if match is None:
        return None
    for network in caller.endpoints:
        for peer in containers.called(network, match["host"]):
            prefix, setting = _served_below(peer)
            path = match["path"] or "/"
            is_left_out = prefix and not f"{path}/".startswith(f"{prefix}/")
            address = peer.endpoints[network].ip_address if peer.is_running else ""
            if is_left_out and address and peer.id != caller.id:
                base = f"http://{with_port(address, int(match['port'] or 80))}"
                return PrefixedPeer(peer, prefix, setting, f"{base}{path}", f"{base}{prefix}{path}")
    return None


def _served_below(container: Container) -> tuple[str, str]:
    """The path below which a program serves, and its setting; two empty texts for none."""
    options = dict(_given_options(container))
    if _ROUTE in options:
        return _path_in(options[_ROUTE]), _ROUTE
    for option in _OPTIONS:
        if path := _path_in(options.get(option, "")):
            return path, option
    value_of = container.config.value_of
    for variable in _VARIABLES:
        if path := _path_in(value_of(variable) or ""):
            return path, variable
    if (value_of(_GRAFANA_SERVES) or "").lower() in ("true", "1"):
        return _path_in(value_of(_GRAFANA_URL) or ""), _GRAFANA_URL
    return "", ""


def _given_options(container: Container) -> list[tuple[str, str]]:
    """The options of its command with their values, behind = or as the next word."""
    options = []
    for word, following in itertools.pairwise((*container.config.words, "")):
        option, equals, value = word.partition("=")
        if option.startswith("-"):
            options.append((f"--{option.lstrip('-')}", value if equals else following))
    return options


def _path_in(value: str) -> str:
    """The path of an address or a path, without its last slash; "" for the root."""
    path = urlsplit(value).path if "://" in value else value
    return posixpath.normpath(path).rstrip("/") if path.startswith("/") else ""
