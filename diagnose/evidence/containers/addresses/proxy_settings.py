"""The proxies that a container's environment names or lacks, and the hosts that need none.

Pure.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.addresses import host_of, is_itself
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
_ID = LazyPattern("[0-9a-f]{12}")
"""The engine also gives each container its short id as a name."""


class ProxySetting(msgspec.Struct, frozen=True):
    """A variable and the proxy that it names."""

    variable: str
    host: str
    port: int


def proxy_settings(container: Container) -> list[ProxySetting]:
    """The proxies of a container's environment whose value can be read as an address."""
    return list(_settings(container))


def _settings(container: Container) -> Iterator[ProxySetting]:
    """The proxies that the variables of a container name, each with host and port."""
    for name, value in dict(container.config.environment).items():
        if name.lower() not in _VARIABLES or not value:
            continue
        try:
            parts = urlsplit(value if "://" in value else f"http://{value}")
            host = parts.hostname or ""
            port = parts.port or 80
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
        is_suffix = bool(word) and f".{name.lower()}".endswith(f".{word}")
        if word == "*" or is_suffix or _is_network_of(word, name):
            return True
    return False


def _is_network_of(word: str, name: str) -> bool:
    try:
        return ip_address(name) in ip_network(word, strict=False)
    except ValueError:
        return False


class EngineProxy(msgspec.Struct, frozen=True):
    """The proxy by which the engine reaches the internet, for a container that has none."""

    http: str
    https: str
    exceptions: str
    """NO_PROXY, with the names of the containers beside the caller."""

    @property
    def is_for_containers(self) -> bool:
        """Whether a container can use it unchanged: it has no password, and is not a loopback
        address.

        The engine shows xxxxx in the place of a password.
        """
        return not any("@" in value or _is_on_loopback(value) for value in (self.http, self.https))

    def variables(self, container: Container) -> PageVariables:
        """The proxy as variables of a container: programs differ in the case that they read."""
        if not self.is_for_containers:
            return {"proxyless": container.name}
        return {
            "http_proxy": f"http_proxy={self.http}",
            "upper_http_proxy": f"HTTP_PROXY={self.http}",
            "https_proxy": f"https_proxy={self.https}",
            "upper_https_proxy": f"HTTPS_PROXY={self.https}",
            "no_proxy": f"no_proxy={self.exceptions}",
            "upper_no_proxy": f"NO_PROXY={self.exceptions}",
        }


def proxy_of_engine_alone(
    container: Container, containers: Containers, info: Info | None
) -> EngineProxy | None:
    """The engine's proxy, where the container has none: it does not hand its own on."""
    if info is None or proxy_settings(container):
        return None
    if not (info.http_proxy or info.https_proxy):
        return None
    names = {name for peer in (container, *containers.beside(container)) for name in peer.dns_names}
    words = [entry.strip() for entry in info.no_proxy.split(",") if entry.strip()]
    neighbour_names = sorted(name for name in names if not _ID.fullmatch(name))
    return EngineProxy(
        info.http_proxy or info.https_proxy,
        info.https_proxy or info.http_proxy,
        ",".join(dict.fromkeys([*words, "localhost", "127.0.0.1", *neighbour_names])),
    )


def _is_on_loopback(value: str) -> bool:
    """Whether an address leads to this machine, or cannot be read."""
    host = host_of(value)
    return not host or is_itself(host)
