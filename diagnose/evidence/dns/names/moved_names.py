"""Names whose old address a program keeps calling, while DNS has another one now.

Programs that run for long resolve a name once: a JVM with a security manager, nginx, many pools of
connections. A line that has both the name and the address shows which address was called. Where it
has only the address, as nginx's, the only name in the settings for that port counts.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.dns.names.configured_names import names_at
from diagnose.evidence.dns.query_plan import asking_pid
from diagnose.evidence.dns.resolvers import Resolvers, Upstream
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_address, is_loopback
from diagnose.evidence.network.calls.failing_calls import where_named
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.model import Failed, PageVariables
from diagnose.phrases import joined
from diagnose.questions import Host
from diagnose.questions.dns import DnsReply, QueryDns
from diagnose.registry import evidence

MOST = 8
"""Names that are asked for."""
_ADDRESS = r"(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?![\w.])"
_BOTH = LazyPattern(
    rf"(?<![\w.@-])(?P<name>[A-Za-z0-9][\w-]{{0,62}}(?:\.[\w-]{{1,63}}){{1,8}})\.?(?:/|\[|\" ?\(|\(| \(){_ADDRESS}"
)
"""Java's `name/192.0.2.1`, Postfix' `name[192.0.2.1]`, libpq's `"name" (192.0.2.1)`."""
_DIALLED = LazyPattern(
    rf"://(?P<name>[A-Za-z0-9][\w-]{{0,62}}(?:\.[\w-]{{1,63}}){{1,8}})[:/\"].{{0,300}}\bdial tcp {_ADDRESS}"
)
"""Go: the URL, and the address that was dialled."""


class MovedName(msgspec.Struct, frozen=True):
    """A name, the address that a program calls for it, and its present addresses."""

    container: Container
    name: str
    address: str
    present: tuple[str, ...]
    server: str
    """The DNS server that says so."""
    port: int = 0
    """The port at which the settings have that name, where the line has no name."""

    @property
    def cure(self) -> PageVariables:
        """The variables of a start, at which the program asks again."""
        return {"outdated": self.container.name, "moved_name": self.name}

    def __str__(self) -> str:
        """The calls to the old address, as the end of a sentence."""
        return (
            f'it calls {self.address} for "{self.name}", which has {joined(self.present)} now '
            f"(DNS server {self.server}): the program keeps an old address"
        )


class MovedNames(Items[MovedName], frozen=True):
    """The old and present addresses, one for each name of a container."""

    def called_by(self, container: Container, address: str) -> MovedName | None:
        """The name for which a container calls this address."""
        for moved in self.items:
            if moved.container.id == container.id and moved.address == address:
                return moved
        return None

    def of(self, failure: LoggedFailure) -> MovedName | None:
        """The name that the calls of this failure are about."""
        for moved in self.items:
            is_called = (moved.name, moved.address) in _pairs(failure.line) or (
                (moved.address, moved.port) == (failure.host, failure.port)
            )
            if is_called and moved.container.id == failure.container.id:
                return moved
        return None


class _BareCall(msgspec.Struct, frozen=True):
    """A call that fails, of which only address and port are known."""

    container: Container
    address: str
    port: int


class _CalledName(msgspec.Struct, frozen=True):
    """A name, and the address that a container calls for it."""

    container: Container
    name: str
    address: str
    port: int = 0
    """The port, as in `MovedName.port`."""


class _Question(msgspec.Struct, frozen=True):
    """A name, and the server of its container to ask for it."""

    call: _CalledName
    upstream: Upstream

    def query(self) -> QueryDns:
        pid = asking_pid(self.call.container, self.upstream)
        return QueryDns(self.upstream.server, self.call.name, "A", pid=pid)


@evidence
def moved_names(
    host: Host,
    logged_failures: LoggedFailures,
    logs: RecentLogs,
    resolvers: Resolvers,
    unanswered_calls: UnansweredCalls | None = None,
) -> MovedNames:
    """The names of failed calls whose address has changed.

    No other names are asked. They stand beside an address in a line about such a call, or in the
    settings of a program that names only an address. A program that calls several addresses of a
    name asks for it again each time: those of a large service change with each answer. Names in the
    container's own hosts file are not asked for.
    """
    called = [
        _CalledName(failure.container, name, address)
        for failure in logged_failures
        for name, address in _named_places(failure)
        if _called_as(name, failure.container, logs) <= {address}
    ]
    for call in _bare_calls(logged_failures, unanswered_calls):
        name = only(names_at(host, call.container, call.port))
        if name is not None:
            called.append(_CalledName(call.container, name, call.address, call.port))
    chosen = host.first(called, MOST, "names whose address may have moved")
    questions = [
        _Question(call, upstream)
        for call in chosen
        for upstream in resolvers.upstreams(call.container)[:1]
    ]
    replies = host.ask_about(questions, _Question.query)
    names = (
        _moved_name(question, reply)
        for question, reply in replies
        if not isinstance(reply, Failed) and reply.knows
    )
    return MovedNames(tuple(filter(None, names)))


def _moved_name(question: _Question, reply: DnsReply) -> MovedName | None:
    """The called name, if its server has other addresses for it; else None."""
    call = question.call
    addresses = tuple(answer for answer in reply.answers if is_address(answer))
    if call.address in reply.answers or not addresses:
        return None
    return MovedName(
        call.container,
        call.name,
        address=call.address,
        present=addresses,
        server=question.upstream.server,
        port=call.port,
    )


def _bare_calls(
    failures: LoggedFailures, unanswered_calls: UnansweredCalls | None
) -> Iterator[_BareCall]:
    """The calls of an address that no setting has, where no other one is called at that port."""
    calls = [*_logged_bare_calls(failures), *_waiting_bare_calls(unanswered_calls)]
    by_port = by_key(((call.container.id, call.port), call) for call in calls)
    for same_port in by_port.values():
        call = same_port[0]
        has_others = any(other.address != call.address for other in same_port)
        if has_others or not call.port or not _is_ipv4_elsewhere(call.address):
            continue
        if not where_named(call.address, call.container):
            yield call


def _logged_bare_calls(failures: LoggedFailures) -> Iterator[_BareCall]:
    """The failed calls in logs whose line has an address alone."""
    for failure in failures:
        if failure.peer is None and failure.kind != "dns" and not any(_pairs(failure.line)):
            yield _BareCall(failure.container, failure.host, failure.port)


def _waiting_bare_calls(unanswered_calls: UnansweredCalls | None) -> Iterator[_BareCall]:
    """The calls that wait for an answer of something else than a container."""
    for call in unanswered_calls or ():
        if call.peer is None and call.protocol == "tcp" and not call.further:
            yield _BareCall(call.container, call.address, call.port)


def _is_ipv4_elsewhere(host: str) -> bool:
    """Whether the text is an IPv4 address of another machine."""
    return is_address(host) and ":" not in host and not is_loopback(host)


def _named_places(failure: LoggedFailure) -> Iterator[tuple[str, str]]:
    if failure.kind == "dns" or failure.peer is not None:
        return
    hosts = failure.container.host_config.extra_hosts or ()
    for name, address in _pairs(failure.line):
        is_given = any(entry.startswith((f"{name}:", f"{name}=")) for entry in hosts)
        if not is_given and not is_loopback(address):
            yield name, address


def _called_as(name: str, container: Container, logs: RecentLogs) -> set[str]:
    """The addresses that stand beside a name in the container's log of the last minutes."""
    pairs = (pair for line in logs.of(container) for pair in _pairs(line.text))
    return {address for called, address in pairs if called == name}


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """The name and the address of a line that has both."""
    match = _BOTH.search(line) or _DIALLED.search(line)
    if match is not None and not is_address(match["name"]) and is_address(match["address"]):
        yield match["name"], match["address"]
