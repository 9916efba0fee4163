"""Proxies that files of this host name, for an engine that has none."""

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.engine.client import ClientProxy, ClientSettings
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.pulls import Pulls
from diagnose.evidence.items import Items
from diagnose.evidence.machine.drop_in_files import drop_in_paths
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

__all__ = ["UnusedProxies", "UnusedProxy", "unused_proxies"]

DROP_INS = (
    "/etc/systemd/system/docker.service.d",
    "/run/systemd/system/docker.service.d",
    "/usr/local/lib/systemd/system/docker.service.d",
)
OF_SHELLS = "/etc/profile.d"
FILES = ("/etc/default/docker", "/etc/sysconfig/docker", "/etc/environment")
"""The first two are for init systems other than systemd, or for units that name them: systemd
passes over a line with `export`."""
MOST = 40
"""Maximum number of files that are read in one folder."""
MAX_BYTES = 64 * 1024
_SETTING = LazyPattern(
    r"""(?<![\w$])(?P<name>https?_proxy|no_proxy)=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'"""
    r"""|(?P<bare>[^\s"';]*))""",
    re.IGNORECASE,
)
"""HTTP_PROXY=http://192.0.2.1:3128, with quotes or without."""


class UnusedProxy(msgspec.Struct, frozen=True):
    """The proxy settings of one file."""

    file: str
    https: str
    """The proxy for HTTPS, or the one for HTTP where there is no other."""
    http: str = ""
    exceptions: str = ""
    """`no_proxy`: hosts that are reached without it, with commas between them."""
    is_drop_in: bool = False
    """Whether the file belongs to the engine's unit: the engine was not started since."""
    is_of_client: bool = False
    """Whether the file is that of a docker command: its proxies are for containers and builds."""


class UnusedProxies(Items[UnusedProxy], frozen=True):
    """The unused proxies: those of drop-ins first, those of docker commands last."""


@evidence
def unused_proxies(
    host: Host, info: Info, pulls: Pulls, client: ClientSettings | None
) -> UnusedProxies:
    """The proxies that files of this host name, for an engine that has none.

    The collector reads only where the engine could not reach a registry.
    """
    if info.https_proxy or info.http_proxy or not pulls.of("unreachable"):
        return UnusedProxies(())
    drop_ins = drop_in_paths(host, DROP_INS, ".conf")[:MOST]
    scripts = drop_in_paths(host, (OF_SHELLS,), ".sh")[:MOST]
    answers = host.ask_about([*drop_ins, *FILES, *scripts], _read_question)
    proxies = [
        proxy
        for path, answer in answers
        if not isinstance(answer, Failed)
        for proxy in _proxies(path, answer.text)
    ]
    proxies += [_client_proxy(proxy) for proxy in (client.proxies if client is not None else ())]
    return UnusedProxies(tuple(sorted(proxies, key=_rank)))


def _rank(proxy: UnusedProxy) -> tuple[bool, bool, str]:
    """The order of files: those for the engine first, those for containers last."""
    return not proxy.is_drop_in, proxy.is_of_client, proxy.file


def _client_proxy(proxy: ClientProxy) -> UnusedProxy:
    https = proxy.https or proxy.http
    return UnusedProxy(proxy.file, https, proxy.http, proxy.exceptions, is_of_client=True)


def _read_question(path: str) -> ReadFile:
    return ReadFile(path, max_bytes=MAX_BYTES)


def _proxies(path: str, text: str) -> Iterator[UnusedProxy]:
    """The proxies that a file sets for everybody.

    An indented line of a script may belong to a function.
    """
    settings: dict[str, str] = {}
    for line in text.splitlines():
        if line[:1] in ("#", ";", " ", "\t"):
            continue
        for match in _SETTING.finditer(line):
            values = (match["double"], match["single"], match["bare"])
            value = next(filter(None, values), "")
            settings[match["name"].lower()] = _expanded_value(value, settings)
    http = settings.get("http_proxy", "")
    https = settings.get("https_proxy", "") or http
    if https:
        is_drop_in = path.startswith(DROP_INS)
        yield UnusedProxy(path, https, http, settings.get("no_proxy", ""), is_drop_in)


def _expanded_value(value: str, settings: dict[str, str]) -> str:
    """A value in which references to earlier lines are replaced."""
    name = value.lstrip("$").strip("{}").lower()
    return settings.get(name, "") if value.startswith("$") else value
