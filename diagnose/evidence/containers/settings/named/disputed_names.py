"""Names that a program asks for or shows, and that another setting contradicts. Pure.

A virtual host, a bucket, an issuer: the log says that the server does not know it, and a variable
of the server that has the same word in its name has another value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_peers import named_peers
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, only

_WORDS: Mapping[str, LazyPattern] = {
    "audience": LazyPattern(r"(?:^|_)AUD(?:IENCE)?(?:_|$)"),
    "bucket": LazyPattern(r"(?:^|_)BUCKETS?(?:_|$)"),
    "database": LazyPattern(r"(?:^|_)(?:DB|DBNAME|DATABASE)(?:_NAME)?$"),
    "exchange": LazyPattern(r"(?:^|_)EXCHANGE(?:_|$)"),
    "issuer": LazyPattern(r"(?:^|_)ISSUER(?:_|$)"),
    "keyspace": LazyPattern(r"(?:^|_)KEYSPACE(?:_|$)"),
    "org": LazyPattern(r"(?:^|_)ORG(?:ANI[SZ]ATION)?(?:_|$)"),
    "queue": LazyPattern(r"(?:^|_)QUEUES?(?:_|$)"),
    "realm": LazyPattern(r"(?:^|_)REALM(?:_|$)"),
    "tenant": LazyPattern(r"(?:^|_)TENANT(?:_|$)"),
    "topic": LazyPattern(r"(?:^|_)TOPICS?(?:_|$)"),
    "vhost": LazyPattern(r"(?:^|_)(?:VHOST|VIRTUAL_?HOST)(?:_|$)"),
}
"""Names of variables with the same meaning, by the word of a line."""
_SAME = {
    "organization": "org",
    "organisation": "org",
    "virtual host": "vhost",
    "virtual_host": "vhost",
}
"""The word in names of variables, by the one that a line has for it."""
_NOUN = (
    r"(?P<noun>audience|bucket|database|exchange|issuer|keyspace|org(?:ani[sz]ation)?|queue|realm"
    r"|tenant|topic|vhost|virtual[ _]host)s?"
)
_VALUE = r"[\"'`\\(\[]{0,3}(?P<value>[^\s\"'`\\,;()\[\]<>]{1,80})"
_UNKNOWN = (
    r"(?:is |was |does |do |could |has )?(?:not (?:be )?(?:found|exist|known|allowed|trusted|available|present)"
    r"|unknown|untrusted|missing)"
)
_SHAPES = (
    LazyPattern(
        rf"\b{_NOUN}(?: name)?[ =:]{{1,2}}{_VALUE}[\"'`\\)\]]{{0,3}}:? {_UNKNOWN}\b", re.IGNORECASE
    ),
    LazyPattern(
        rf"\b(?:unknown|untrusted|unexpected|invalid|unrecogni[sz]ed|no such|could not find"
        rf"|can(?:no|')t find|not find(?: the)?) {_NOUN}(?: name)?[ =:]{{1,3}}{_VALUE}",
        re.IGNORECASE,
    ),
    LazyPattern(rf"\b{_NOUN}(?: name)? {_UNKNOWN}[ =:]{{1,3}}{_VALUE}", re.IGNORECASE),
)
"""Lines about an unknown name: `vhost / not found`, `unknown database "shop"`."""
_PLAIN = LazyPattern(r"[\w./:@-]{1,80}")
_HOST = LazyPattern(r"[A-Za-z0-9][\w.-]*")
_ANY = LazyPattern(r"[\w./:@-]*[\w/]")
"""A value without what ends its sentence."""
_NO_NAME = LazyPattern(
    r"an?|and|are|at|been|but|by|can(?:not)?|could|did|do(?:es)?|exists?|for|found|from|ha(?:s|ve)|in|is|it"
    r"|named?|not?|o[fnr]|specified|th(?:at|e|is)|to|was|were|which|with|your?",
    re.IGNORECASE,
)
"""Words that follow such a word without being its name: `The specified bucket does not exist`."""
SHOWN_BY_CALLERS = frozenset({"audience", "issuer", "realm", "tenant"})
"""Words that callers bring with them: the server's own log is about somebody else's setting."""


class DisputedName(msgspec.Struct, frozen=True):
    """A name that one side uses, and that of the server."""

    line: str
    noun: str
    unknown_name: str
    """The name that is not known."""
    server: Container
    variable: str
    """Of the server, which says another name."""
    server_name: str
    """The server's name for it."""
    caller: Container | None = None
    """The calling container; None where the server's own log does not say it."""
    caller_variable: str = ""
    """The one variable of the caller that says so; "" where none or several do."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The server, its variable and the unknown name: both sides may report one dispute."""
        return self.server.id, self.variable, self.unknown_name


def names_unknown(line: str) -> bool:
    """Whether a line says that a name is not known."""
    return any(True for _ in _asked_in(line))


def words_of(value: str) -> list[str]:
    """The words of a value that may be a host: of a URL, of `db:5432`, of a list."""
    return _HOST.findall(value)


def disputed_name(
    lines: Iterable[str], container: Container, containers: Containers
) -> DisputedName | None:
    """The last such name in the lines of a container's log; None where no setting differs."""
    for line in reversed(list(lines)):
        for noun, asked_name in _asked_in(line):
            dispute = _dispute(line, noun, asked_name, container, containers)
            if dispute is not None:
                return dispute
    return None


def _asked_in(line: str) -> Iterator[tuple[str, str]]:
    for shape in _SHAPES:
        for match in shape.finditer(line):
            value = _ANY.match(match["value"])
            if value is not None and _NO_NAME.fullmatch(value[0]) is None:
                noun = match["noun"].lower()
                yield _SAME.get(noun, noun), value[0]


def _dispute(
    line: str, noun: str, asked_name: str, container: Container, containers: Containers
) -> DisputedName | None:
    """The server with another name, and the caller of this one; None where none is certain."""
    callees = [peer for peer in named_peers((), container, containers) if peer.is_running]
    servers = {
        peer.id: peer for peer in callees if _is_other_value(_settings(peer, noun), asked_name)
    }
    server = only(servers.values())
    if server is not None:
        return _dispute_between(line, noun, asked_name, server, caller=container)
    own_settings = _settings(container, noun)
    if asked_name in own_settings.values() or not _is_other_value(own_settings, asked_name):
        return None
    caller = only(_callers_of(container, containers))
    if caller is None and noun not in SHOWN_BY_CALLERS:
        return None
    return _dispute_between(line, noun, asked_name, server=container, caller=caller)


def _dispute_between(
    line: str, noun: str, asked_name: str, server: Container, caller: Container | None
) -> DisputedName:
    """The dispute of a server with its caller, by the first variable that gives the server a name
    of that kind."""
    variable, server_value = first_of(_settings(server, noun).items())
    settings = _settings(caller, noun) if caller is not None else {}
    names = [name for name, value in settings.items() if value == asked_name]
    return DisputedName(
        line,
        noun=noun,
        unknown_name=asked_name,
        server=server,
        variable=variable,
        server_name=server_value,
        caller=caller,
        caller_variable=only(names) or "",
    )


def _settings(container: Container, noun: str) -> dict[str, str]:
    """The variables of that meaning, without those whose value is hidden or no plain name."""
    pattern = _WORDS[noun]
    return {
        name: value
        for name, value in container.config.environment
        if pattern.search(name) and _PLAIN.fullmatch(value)
    }


def _is_other_value(settings: Mapping[str, str], asked_name: str) -> bool:
    """Whether there is one value, and it differs."""
    return len(set(settings.values())) == 1 and asked_name not in settings.values()


def _callers_of(server: Container, containers: Containers) -> list[Container]:
    """The running containers near a server whose settings name it."""
    neighbours = [other for other in containers.beside(server) if other.is_running]
    return [other for other in neighbours if _names_peer(other, server, containers)]


def _names_peer(container: Container, peer: Container, containers: Containers) -> bool:
    """Whether the settings of a container name another one."""
    return any(named_peer.id == peer.id for named_peer in named_peers((), container, containers))
