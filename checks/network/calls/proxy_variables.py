"""Proxy variables of containers that lead requests to where nobody takes them."""

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from diagnose.evidence.containers.addresses.proxy_settings import (
    ProxySetting,
    exceptions,
    is_excepted,
    proxy_settings,
)
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import NO_LINES
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.phrases import and_more, quoted
from diagnose.registry import check

_PROXY_WORDS = LazyPattern(
    r"\b(?:403|407|50[234])\b|bad gateway|service unavailable|gateway time|proxy|refused|timed? ?out"
    r"|could not resolve|bad address|no such host",
    re.IGNORECASE,
)
"""Errors of a program whose proxy could not reach the target."""
_ID = LazyPattern("[0-9a-f]{12}")
"""The engine also gives each container its short id as a name."""
_OWN_CALL = LazyPattern(
    r"\bhttp://(?P<host>localhost|127\.0\.0\.1)(?::(?P<port>\d{2,5}))?(?=[/\s'\"]|$)"
)
"""A request of a container to itself."""
_PROXY_ANSWERS = LazyPattern(
    r"\b(?:403|407|50[234])\b|\bproxy\b|bad gateway|gateway time", re.IGNORECASE
)
"""Answers of a proxy that may not, or cannot, call the localhost of another machine."""
_HTTP_ANSWER = LazyPattern(
    r"\b(?:http(?:/\d(?:\.\d)?)?|error|status(?: code)?):? (?:403|407|50[234])\b", re.IGNORECASE
)
"""The same answers where the line says that they are an answer of HTTP."""
_COMMON_WORDS = frozenset(
    {
        *("api", "app", "backend", "client", "code", "error", "frontend", "gateway", "host"),
        *("http", "proxy", "request", "server", "service", "status", "upstream", "web"),
    }
)
"""Names of containers that stand in many lines without a meaning of that container."""
_HOME = ("127.", "localhost", "[::1]")


@check("network.proxy-on-loopback", severity=Severity.warning)
def proxy_on_loopback(
    containers: Containers, namespaces: Namespaces, recent_logs: RecentLogs | None
) -> CheckResult:
    """A proxy variable names localhost, and no proxy listens in that container.

    Inside a container, localhost is the container itself. The proxy of the host is meant, and the
    variable came from the shell, from a compose file or from the client's config.json.
    It is critical where the log says that the connection was refused.
    """
    any_on_loopback = False
    for container in containers.running:
        netns = namespaces.of(container)
        if container.shares_host_network or netns is None:
            continue
        proxies = [proxy for proxy in proxy_settings(container) if proxy.host.startswith(_HOME)]
        any_on_loopback = any_on_loopback or bool(proxies)
        unserved = [proxy for proxy in proxies if not netns.sockets("tcp", proxy.port)]
        if unserved:
            yield _loopback_proxy_finding(container, unserved, recent_logs)
    if not any_on_loopback:
        return Skipped("no running container has a proxy on localhost")


def _loopback_proxy_finding(
    container: Container, unserved: list[ProxySetting], recent_logs: RecentLogs | None
) -> Finding:
    proxy = unserved[0]
    lines = recent_logs.of(container) if recent_logs is not None else ()
    place = f"{proxy.host}:{proxy.port}"
    about = [line.text for line in lines if str(proxy.port) in line.text and _is_failed_call(line)]
    line = about[-1] if about else ""
    names = sorted({proxy.variable for proxy in unserved})
    gateway = f"http://host.docker.internal:{proxy.port}"
    return Finding.about(
        container,
        f"{container} is configured to use proxy {place}, "
        "which is the container itself: nothing listens there",
        present(
            {"variables": list(names), "log": quoted(line), "listeners inside on that port": "none"}
        ),
        discriminator=place,
        severity=Severity.critical if line else None,
        signs=frozenset({"proxy", "refused"}),
        recheck=container.caller_runs,
        variables={
            "http_proxy": f"http_proxy={gateway}",
            "upper_http_proxy": f"HTTP_PROXY={gateway}",
            "https_proxy": f"https_proxy={gateway}",
            "upper_https_proxy": f"HTTPS_PROXY={gateway}",
        },
    )


def _is_failed_call(line: RecentLine) -> bool:
    return bool(_PROXY_WORDS.search(line.text))


@check("network.proxy-takes-neighbours", severity=Severity.critical)
def proxy_takes_neighbours(
    containers: Containers,
    recent_logs: RecentLogs,
    namespaces: Namespaces | None,
    log_tails: LogTails | None,
) -> CheckResult:
    """A container's requests to another container, or to itself, go to a proxy.

    A container has HTTP_PROXY, its NO_PROXY does not name a container that it calls by a URL, and
    its log says that these requests fail. Where a line names that container without a URL, beside
    an answer of HTTP as proxies give it, it is a warning. The first goes for localhost too, where
    the container serves the port that it calls. Without such a line nothing is said: many programs
    do not read these variables, and Go's leave localhost out. Of a container that has failed, the
    lines of its last run count, and it is a warning: the neighbour itself may have answered.
    """
    failed = _failed_with_proxy(containers, log_tails)
    with_proxy = [container for container in containers.running if proxy_settings(container)]
    if not with_proxy and not failed:
        return Skipped("no running container has a proxy in its environment")
    for container, lines in failed:
        for finding in _taken_neighbour_findings(container, containers, lines):
            # the line that says so is of the run that has failed
            yield replace(finding, signs=None, severity=Severity.warning)
    for container in with_proxy:
        # hundreds of neighbours are looked at only where a line may name one
        lines = [line.text for line in reversed(recent_logs.of(container)) if _is_failed_call(line)]
        if lines:
            yield from _taken_neighbour_findings(container, containers, lines)
            netns = namespaces.of(container) if namespaces is not None else None
            if netns is not None and not container.shares_host_network:
                yield from _taken_own_findings(container, netns, lines)
    yield from recent_logs.left_out(with_proxy)


def _failed_with_proxy(
    containers: Containers, log_tails: LogTails | None
) -> list[tuple[Container, list[str]]]:
    """The failed containers with a proxy, and the answer of a proxy in their logs.

    Nothing shows that its neighbour would have refused the program itself.
    """
    failures = []
    for container in containers:
        tail = log_tails.of(container) if log_tails is not None else NO_LINES
        lines = [line for line in reversed(tail.lines) if _PROXY_ANSWERS.search(line)]
        if lines and not container.is_running and proxy_settings(container):
            failures.append((container, lines))
    return failures


def _taken_neighbour_findings(
    container: Container, containers: Containers, lines: Sequence[str]
) -> Iterator[Finding]:
    """Findings about the first neighbour whose requests a proxy takes, by these lines of the
    caller's log.

    A line with the URL of any neighbour counts before one with a neighbour's name alone.
    """
    no_proxy = exceptions(container)
    neighbours = [
        (peer, name)
        for peer, name in _neighbours(container, containers)
        if not is_excepted(name, no_proxy)
    ]
    for peer, name in neighbours:
        line = _line_about(name, lines)
        if line:
            yield _taken_neighbour_finding(container, peer, name, line)
            return
    for peer, name in neighbours:
        answer = _answer_about(name, lines)
        if answer:
            # a word is less than a URL: the answer may be another one's
            finding = _taken_neighbour_finding(container, peer, name, answer)
            yield replace(finding, severity=Severity.warning)
            return


def _taken_own_findings(
    container: Container, netns: ContainerNetns, lines: Sequence[str]
) -> Iterator[Finding]:
    """Findings about the newest request to the container itself that a proxy takes, by these lines
    of its log.

    A port that the container does not serve is refused without any proxy.
    """
    no_proxy = exceptions(container)
    for line in lines:
        call = _OWN_CALL.search(line)
        if call is None or is_excepted(call["host"], no_proxy):
            continue
        port = int(call["port"] or 80)
        by_proxy = _PROXY_ANSWERS.search(line)
        if by_proxy and netns.sockets("tcp", port):
            yield _taken_request_finding(container, call["host"], line)
            return


def _line_about(name: str, lines: Sequence[str]) -> str:
    """The newest line that calls a host of that name; empty where none does."""
    naming = [line for line in lines if name in line]
    if not naming:
        return ""
    call = re.compile(rf"//{re.escape(name)}\b|\b{re.escape(name)}:\d")
    return next(filter(call.search, naming), "")


def _answer_about(name: str, lines: Sequence[str]) -> str:
    """The newest line with a proxy's answer that names a host without its URL; empty where none
    does."""
    answers = [line for line in lines if name in line and _HTTP_ANSWER.search(line)]
    if not answers or name.lower() in _COMMON_WORDS:
        return ""
    word = re.compile(rf"(?<![\w./@-]){re.escape(name)}(?![\w/@-])")
    return next(filter(word.search, answers), "")


def _neighbours(container: Container, containers: Containers) -> Iterator[tuple[Container, str]]:
    """The running containers on the same networks, by each of their names."""
    for peer in containers.beside(container):
        if peer.is_running:
            for name in sorted(peer.dns_names):
                yield peer, name


def _taken_neighbour_finding(
    container: Container, peer: Container, name: str, line: str
) -> Finding:
    callable_by = {*container.dns_names, *peer.dns_names, name}
    names = sorted(word for word in callable_by if not _ID.fullmatch(word))
    return _taken_request_finding(container, name, line, names=names, callees=(peer.subject,))


def _taken_request_finding(
    container: Container,
    name: str,
    line: str,
    *,
    names: Sequence[str] = (),
    callees: tuple[Subject, ...] = (),
) -> Finding:
    """The finding about a request that a proxy takes.

    name: the host that is called. names: those to add to NO_PROXY, beside localhost. callees: the
    container that is called; none where the caller calls itself.
    """
    proxies = proxy_settings(container)
    no_proxy = exceptions(container)
    of_http = [proxy for proxy in proxies if proxy.variable.lower() == "http_proxy"]
    proxy = (of_http or proxies)[0]
    entries = [entry.strip() for entry in no_proxy.split(",") if entry.strip()]
    complete = ",".join(dict.fromkeys([*entries, "localhost", "127.0.0.1", *names]))
    itself = "" if callees else ", itself,"
    return Finding.about(
        container,
        f'{container} sends its requests for "{name}"{itself} '
        f"to proxy {proxy.host}:{proxy.port}: NO_PROXY {_named_variables(entries)}",
        {"log": quoted(line), "proxy variable": proxy.variable, "NO_PROXY": no_proxy or None},
        discriminator=name,
        touches=callees,
        calls=callees,
        signs=frozenset({"proxy", "refused", "timeout", "dns"}),
        recheck=container.caller_runs,
        variables={"lower": f"no_proxy={complete}", "upper": f"NO_PROXY={complete}"},
    )


def _named_variables(exceptions: list[str]) -> str:
    return f"names {and_more(exceptions)} only" if exceptions else "is not set"
