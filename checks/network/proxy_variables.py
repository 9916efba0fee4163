"""Proxy variables of containers that lead requests to where nobody takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import and_more
from diagnose.registry import check

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
_PROXY_WORDS = LazyPattern(
    r"\b(?:403|407|50[234])\b|bad gateway|service unavailable|gateway time|proxy|refused|timed? ?out"
    r"|could not resolve|bad address|no such host",
    re.IGNORECASE,
)
"""What a program prints when the proxy could not reach who was meant."""
_ID = LazyPattern("[0-9a-f]{12}")
"""The engine also gives each container its short id as a name."""
_HOME = ("127.", "localhost", "[::1]")


class _Proxy(msgspec.Struct, frozen=True):
    """One variable and the proxy that it names."""

    variable: str
    host: str
    port: int


def _proxies(container: Container) -> Iterator[_Proxy]:
    for name, value in dict(container.config.environment).items():
        if name.lower() not in _VARIABLES or not value:
            continue
        try:
            parts = urlsplit(value if "://" in value else f"http://{value}")
            host, port = parts.hostname or "", parts.port or 80
        except ValueError:
            continue
        if host:
            yield _Proxy(name, host, port)


@check("network.proxy-on-loopback", severity=Severity.warning)
def proxy_on_loopback(
    containers: Containers, namespaces: Namespaces, recent_logs: RecentLogs | None
) -> CheckResult:
    """A proxy variable names localhost, and no proxy listens in that container.

    Inside a container, localhost is the container itself. The proxy of the host is meant, and the
    variable came from the shell, from a compose file or from the client's config.json. Critical
    where the log says that the connection was refused.
    """
    any_on_loopback = False
    for container in containers.running:
        proxies = [proxy for proxy in _proxies(container) if proxy.host.startswith(_HOME)]
        netns = namespaces.of(container)
        if container.shares_host_network or netns is None:
            continue
        any_on_loopback = any_on_loopback or bool(proxies)
        lost = [proxy for proxy in proxies if not netns.sockets("tcp", proxy.port)]
        if lost:
            yield _on_loopback(container, lost, recent_logs)
    if not any_on_loopback:
        return Skipped("no running container has a proxy on localhost")
    return None


def _on_loopback(
    container: Container, lost: list[_Proxy], recent_logs: RecentLogs | None
) -> Finding:
    proxy = lost[0]
    lines = recent_logs.of(container) if recent_logs is not None else ()
    place = f"{proxy.host}:{proxy.port}"
    about = [line.text for line in lines if str(proxy.port) in line.text and _failed(line)]
    line = about[-1] if about else ""
    names = sorted({proxy.variable for proxy in lost})
    gateway = f"http://host.docker.internal:{proxy.port}"
    return Finding.about(
        container,
        f"{container} is configured to use proxy {place}, "
        "which is the container itself: nothing listens there",
        present(
            {
                "variables": list(names),
                "log": line[:300],
                "listeners inside on that port": "none",
            }
        ),
        discriminator=place,
        severity=Severity.critical if line else None,
        signs=frozenset({"proxy", "refused"}),
        stable=(container.life,),
        http_proxy=f"http_proxy={gateway}",
        upper_http_proxy=f"HTTP_PROXY={gateway}",
        https_proxy=f"https_proxy={gateway}",
        upper_https_proxy=f"HTTPS_PROXY={gateway}",
    )


def _failed(line: RecentLine) -> bool:
    return bool(_PROXY_WORDS.search(line.text))


@check("network.proxy-takes-neighbours", severity=Severity.critical)
def proxy_takes_neighbours(containers: Containers, recent_logs: RecentLogs) -> CheckResult:
    """A container's requests to another container go to a proxy.

    A container has HTTP_PROXY, its NO_PROXY does not name a container that it calls by a URL, and
    its log says that these requests fail. Without such a line nothing is said: many programs do
    not read these variables.
    """
    with_proxy = [container for container in containers.running if any(_proxies(container))]
    if not with_proxy:
        return Skipped("no running container has a proxy in its environment")
    for container in with_proxy:
        # hundreds of neighbours are looked at only where a line may name one
        lines = [line.text for line in reversed(recent_logs.of(container)) if _failed(line)]
        if not lines:
            continue
        proxies = list(_proxies(container))
        environment = {
            name.lower(): value for name, value in dict(container.config.environment).items()
        }
        exceptions = environment.get("no_proxy", "")
        for peer, name in _neighbours(container, containers):
            named = [line for line in lines if name in line]
            if not named or _is_excepted(name, exceptions):
                continue
            called = re.compile(rf"//{re.escape(name)}\b|\b{re.escape(name)}:\d")
            line = next((line for line in named if called.search(line)), "")
            if line:
                yield _takes(container, peer, name, proxies[0], exceptions, line)
                break
    yield from recent_logs.left_out(with_proxy)
    return None


def _neighbours(container: Container, containers: Containers) -> Iterator[tuple[Container, str]]:
    """The running containers on the same networks, by each of their names."""
    for peer in containers.running:
        shared = container.endpoints.keys() & peer.endpoints.keys()
        if peer.id != container.id and shared:
            for name in sorted(peer.dns_names):
                yield peer, name


def _is_excepted(name: str, exceptions: str) -> bool:
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


def _takes(
    container: Container, peer: Container, name: str, proxy: _Proxy, exceptions: str, line: str
) -> Finding:
    callable_by = {*container.dns_names, *peer.dns_names, name}
    names = sorted(word for word in callable_by if not _ID.fullmatch(word))
    wanted = [entry.strip() for entry in exceptions.split(",") if entry.strip()]
    complete = ",".join(dict.fromkeys([*wanted, "localhost", "127.0.0.1", *names]))
    return Finding.about(
        container,
        f'{container} sends its requests to "{name}" '
        f"to proxy {proxy.host}:{proxy.port}: NO_PROXY {_named(wanted)}",
        {"log": line[:300], "proxy variable": proxy.variable, "NO_PROXY": exceptions or None},
        discriminator=name,
        touches=(peer.subject,),
        calls=(peer.subject,),
        signs=frozenset({"proxy", "refused", "timeout", "dns"}),
        stable=(container.life,),
        lower=f"no_proxy={complete}",
        upper=f"NO_PROXY={complete}",
    )


def _named(wanted: list[str]) -> str:
    return f"names {and_more(wanted)} only" if wanted else "is not set"
