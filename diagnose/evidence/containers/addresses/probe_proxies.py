"""The proxy that takes the request of a container's health check to the container itself. Pure."""

from diagnose.evidence.containers.addresses.proxy_settings import (
    ProxySetting,
    exceptions,
    is_excepted,
    proxy_settings,
)
from diagnose.evidence.containers.container import Container
from diagnose.evidence.network.addresses import is_everywhere, is_itself
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of

ELSEWHERE = LazyPattern(r"unix-socket|--(?:proxy|connect-to|resolve|preproxy)\b|\s-x\s")
"""Options with which the address of a URL is not the called one."""
_DIRECT = LazyPattern(r"--no-?proxy\b|\s-Y\s|(?i:\b\w+_proxy)=|\bunset\s")
"""With these a request may go to no proxy."""
_URL = LazyPattern(r"(?P<scheme>https?)://\[?(?P<host>[\w.-]{1,250}|[0-9a-f:]{2,45}(?=\]))")
_TOOL = LazyPattern(r"(?:^|[\s;&|(/])(?P<tool>curl|wget)\s")
"""Tools that take the proxy of a variable for every host that `no_proxy` does not name."""
_HTTP_ERROR = {"curl": 22, "wget": 8}
"""The exit codes of curl and wget for an error of HTTP; busybox's wget has no such code."""
_REMOTE = LazyPattern(r"can't connect to remote host \((?P<address>[^)\s]{1,50})\)")
"""The line of busybox's wget, which prints the address alone."""
_HOSTS = LazyPattern(r"[a-zA-Z0-9][\w.-]{0,100}\w")
_OF_A_PROXY = LazyPattern(r"(?:\berror:? |\bHTTP/\d(?:\.\d)? |\bERROR )(?:403|407|50[234])\b")
"""The answer of a proxy that may not call a host, or does not reach it."""


def probe_proxy(
    container: Container, command: str, output: str, exit_code: int
) -> ProxySetting | None:
    """The proxy to which a probe's request to its own container is sent; None for a direct request.

    By the output of the probe: the proxy's address, or a proxy's answer to a request that curl or
    wget hand to it. They take the proxy of a variable for a loopback address and for the
    container's own name too, unless `no_proxy` names it; busybox's wget does not know `no_proxy`.
    The exit code of a silent probe shows that a server has answered with an error.
    """
    url = _URL.search(command)
    if url is None or ELSEWHERE.search(command) or not _is_itself(container, url["host"]):
        return None
    variables = (f"{url['scheme']}_proxy", "all_proxy")
    proxies = [
        proxy
        for proxy in proxy_settings(container)
        if proxy.variable.lower() in variables and not is_itself(proxy.host)
    ]
    called = _REMOTE.search(output)
    if called is not None:
        container_addresses = container.ipv4_addresses
        is_direct = is_itself(called["address"]) or called["address"] in container_addresses
        return None if is_direct else first_of(proxies, None)
    words = set(_HOSTS.findall(output))
    named_proxy = next((proxy for proxy in proxies if proxy.host in words), None)
    if named_proxy is None and _shows_an_answer(command, output, exit_code):
        return _answering_proxy(container, proxies, url["host"])
    return named_proxy


def _shows_an_answer(command: str, output: str, exit_code: int) -> bool:
    """Whether a tool that hands requests to a proxy has met an error of HTTP."""
    tool = _TOOL.search(command)
    if tool is None or _DIRECT.search(command):
        return False
    is_silent = not output and exit_code == _HTTP_ERROR[tool["tool"]]
    return is_silent or _OF_A_PROXY.search(output) is not None


def _answering_proxy(
    container: Container, proxies: list[ProxySetting], host: str
) -> ProxySetting | None:
    """The proxy whose answer the probe shows.

    Both tools read the variable for http in small letters alone.
    """
    if is_excepted(host, exceptions(container)):
        return None
    return next((proxy for proxy in proxies if proxy.variable.islower()), None)


def _is_itself(container: Container, host: str) -> bool:
    container_names = {container.config.hostname, *container.dns_names}
    return is_itself(host) or is_everywhere(host) or host in container_names
