"""The proxies that a container's environment names, and whom its requests reach without. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


class ProxySetting(msgspec.Struct, frozen=True):
    """One variable and the proxy that it names."""

    variable: str
    host: str
    port: int


def proxy_settings(container: Container) -> list[ProxySetting]:
    """Those whose value can be read as an address."""
    return list(_settings(container))


def _settings(container: Container) -> Iterator[ProxySetting]:
    for name, value in dict(container.config.environment).items():
        if name.lower() not in _VARIABLES or not value:
            continue
        try:
            parts = urlsplit(value if "://" in value else f"http://{value}")
            host, port = parts.hostname or "", parts.port or 80
        except ValueError:
            continue
        if host:
            yield ProxySetting(name, host, port)


def exceptions(container: Container) -> str:
    """The value of NO_PROXY, the last one of several; empty where it is not set."""
    values = {name.lower(): value for name, value in container.config.environment}
    return values.get("no_proxy", "")


def is_excepted(name: str, exceptions: str) -> bool:
    """Whether NO_PROXY covers a host: by its name, a suffix of it, or everything."""
    for entry in exceptions.split(","):
        word = entry.strip().lower().lstrip(".")
        if word == "*" or (word and (name.lower() == word or name.lower().endswith(f".{word}"))):
            return True
        if _is_network_of(word, name):
            return True
    return False


def _is_network_of(word: str, name: str) -> bool:
    try:
        return ip_address(name) in ip_network(word, strict=False)
    except ValueError:
        return False
