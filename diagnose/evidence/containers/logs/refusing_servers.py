"""Mail servers whose log has a refusal for each client, and all of them for one reason."""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.registry import evidence

LEAST = 4
"""Refusals; fewer may be those of one stranger."""
_LEAST_CLIENTS = 2
_LONGEST = 1000
"""Letters of a line that are searched: its beginning names client and reason."""
_REFUSED = (
    LazyPattern(
        r"\bNOQUEUE: reject: [A-Z]{4,9} from [^\s\[]{0,253}\[(?P<client>[^\]\s]{1,60})\](?::\d+)?: "
        r"(?P<reason>[45]\d\d (?:[245]\.\d+\.\d+ )?<[^>\n]{0,320}>: [^;\n]{1,200})"
    ),
    LazyPattern(
        r"\bH=[^\[(\n]{0,200}(?:\([^)\n]{0,200}\) )?\[(?P<client>[\da-fA-F.:]{3,60})\][^\n]{0,300}?"
        r"\b(?P<reason>(?:temporarily )?rejected [A-Z]{4}\b[^\n]{0,300})"
    ),
)
"""Lines of Postfix and Exim about a client that may not send a mail."""
_TAKEN = LazyPattern(r"\bsmtpd\[\d+\]: [0-9A-Za-z]{6,20}: client=| <= ")
"""A line about a mail that was taken: Postfix and Exim."""
_CHANGING = LazyPattern(r"<[^>]{0,320}>|[\w.+-]{1,64}@[\w.-]{1,253}")
_BY_DNS = LazyPattern(r"(?i)\b(?:host|domain) not found|cannot find your (?:reverse )?hostname")
_ON_PURPOSE = LazyPattern(
    r"(?i)\brelay(?:ing)? (?:access )?(?:denied|not permitted)|\bgr[ae]y-?list|\bblack-?list|\bblocked (?:by|using)\b"
    r"|\b(?:user|recipient|mailbox) (?:address )?(?:rejected|unknown)\b|\bunrouteable address"
    r"|\bhelo command rejected|\bfully-qualified\b|\bunknown user\b"
)
"""Rules that keep out spammers."""
_PRIVATE = LazyPattern(r"(?i)10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1$|f[cd]|fe80:")
_ROOM = "/var/spool/postfix"
"""Where a service of Postfix runs that has `y` in the column chroot of master.cf."""
_SHUT_IN = LazyPattern(r"(?m)^(?:smtp|\S{0,60}:smtp|25)[ \t]+inet(?:[ \t]+\S+){2}[ \t]+y(?=[ \t])")
_SERVER = LazyPattern(r"(?m)^[ \t]*nameserver[ \t]+\S+")


class RefusingServer(msgspec.Struct, frozen=True):
    """A mail server that refuses each of its clients in the same way."""

    container: Container
    reason: str
    """The words of the last refusal."""
    line: str
    times: int
    clients: int
    """The addresses of the clients."""
    lacks_resolver: bool = False
    """Whether the server runs in a folder without a resolv.conf that names a DNS server."""
    may_be_meant: bool = False
    """Whether a rule against spammers refuses clients of the internet."""


class RefusingServers(Items[RefusingServer], frozen=True):
    """In the order of the containers."""


@evidence
def refusing_servers(
    host: Host, containers: Containers, recent_logs: RecentLogs
) -> RefusingServers:
    """The mail servers that take nothing, by their recent lines.

    Two files of Postfix are read where it refuses clients since a name is not found. That is a rule
    against spammers too, who may be its only clients for an hour: it counts where Postfix finds no
    DNS server, or where a client is on this host or in its network.
    """
    servers = []
    for container in containers.running:
        refused = _refusing_server(container, recent_logs.texts_of(container))
        if refused is not None and _BY_DNS.search(refused.reason):
            lacks = _lacks_resolver(host, container)
            refused = msgspec.structs.replace(refused, lacks_resolver=lacks)
        if refused is not None and (refused.lacks_resolver or not refused.may_be_meant):
            servers.append(refused)
    return RefusingServers(tuple(servers))


def _refusing_server(container: Container, lines: Sequence[str]) -> RefusingServer | None:
    """The refusals in these lines; None where they differ, or where a mail was taken."""
    refusals = list(paired(lines, _refusal_in))
    reasons = {_CHANGING.sub("<>", match["reason"]) for _, match in refusals}
    clients = {match["client"] for _, match in refusals}
    is_enough = len(refusals) >= LEAST and len(clients) >= _LEAST_CLIENTS
    if not is_enough or len(reasons) != 1 or any(map(_TAKEN.search, lines)):
        return None
    line, match = refusals[-1]
    reason = match["reason"]
    is_rule = bool(_ON_PURPOSE.search(reason) or _BY_DNS.search(reason))
    return RefusingServer(
        container,
        reason,
        line,
        len(refusals),
        len(clients),
        may_be_meant=is_rule and not any(map(_PRIVATE.match, clients)),
    )


def _refusal_in(line: str) -> re.Match[str] | None:
    """The client and the reason in a line about a refusal; None for any other line."""
    if "reject" not in line:
        return None
    return next(filter(None, (pattern.search(line[:_LONGEST]) for pattern in _REFUSED)), None)


def _lacks_resolver(host: Host, container: Container) -> bool:
    """Whether Postfix runs shut in, in a folder where it finds no DNS server."""
    settings = host.ask(ReadContainerFile(container.id, "/etc/postfix/master.cf", bytes=16384))
    if isinstance(settings, Failed) or not _SHUT_IN.search(settings.text):
        return False
    resolver = host.ask(ReadContainerFile(container.id, f"{_ROOM}/etc/resolv.conf"))
    if isinstance(resolver, Failed):
        return resolver.reason == "gone"
    return not _SERVER.search(resolver.text)
