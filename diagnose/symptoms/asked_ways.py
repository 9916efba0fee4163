"""The connections that a question is about, as the two ends of a path on the examined host.

"web cannot reach db:5432" names both. "port 8080 does not answer" and a URL name one: whoever says
it comes from outside, or from the host where the address is `localhost`.
"""

import itertools
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.addresses import is_address
from diagnose.mappings import first_of
from diagnose.path.ends import HOST, INTERNET
from diagnose.symptoms import asked_ports
from diagnose.symptoms.user_question import UserQuestion

MOST = 2
"""At most this many connections are walked for one question."""
_BEYOND = frozenset({"internet", "outside", "world"})
_VISITORS = _BEYOND | {"browser", "browsers", "clients", "customers", "laptop", "phone", "users"}
_HOSTS = frozenset({"host", "localhost", "machine", "server"})


class AskedWay(msgspec.Struct, frozen=True):
    """A connection, with its ends as `diagnose path` takes them."""

    begin: str
    target: str


def asked_ways(question: UserQuestion, containers: Containers) -> tuple[AskedWay, ...]:
    """The connections that the question is about; none where no end is known on this host.

    Up to `asked_ports.MOST` where it is about all published ports.
    """
    named_ways = tuple(_between_named_ends(question, containers))
    over_udp = tuple(
        AskedWay(INTERNET, port) for port in asked_ports.udp_ports(question, containers)
    )
    first = over_udp if question.is_of_udp else ()
    ways = named_ways or first or tuple(_visitors_ways(question, containers)) or over_udp
    if not ways and question.is_of_all_ports:
        ways = tuple(AskedWay(INTERNET, port) for port in asked_ports.all_ports(containers))
        return ways[: asked_ports.MOST]
    return tuple(itertools.islice(dict.fromkeys(ways), MOST))


def _between_named_ends(question: UserQuestion, containers: Containers) -> Iterator[AskedWay]:
    for pair in question.pairs:
        caller = _caller(pair.begin, containers)
        target = _target(pair.end, question, containers)
        is_reached = caller != INTERNET or _is_on_this_host(target, containers)
        if caller and target and is_reached:
            yield AskedWay(caller, target)


def _caller(word: str, containers: Containers) -> str:
    """The caller, as `diagnose path` takes it; "" where the word names nobody here."""
    if word in containers.by_dns_name:
        return word
    if word.lower() in _HOSTS:
        return HOST
    return INTERNET if word.lower() in _VISITORS else ""


def _target(word: str, question: UserQuestion, containers: Containers) -> str:
    """The called end, as `diagnose path` takes it; "" where the word names nobody, or the host
    without a port."""
    name, _, own_port = word.partition(":")
    number = own_port or str(question.port_of_end or "")
    if name.lower() in _BEYOND and name not in containers.by_dns_name:
        return INTERNET
    if name.lower() in _HOSTS:
        return f"{HOST}:{number}" if number else ""
    is_of_elsewhere = is_address(name) or "." in name.strip(".")
    if not is_of_elsewhere and name not in containers.by_dns_name:
        return ""
    called = first_of(containers.by_dns_name.get(name, ()), None)
    port = int(number) if number.isdigit() else None
    udp = asked_ports.udp_suffix(called, port, question) if called is not None else ""
    return f"{name}:{udp or number}".rstrip(":")


def _is_on_this_host(target: str, containers: Containers) -> bool:
    name = target.partition(":")[0]
    return name == HOST or name in containers.by_dns_name


def _visitors_ways(question: UserQuestion, containers: Containers) -> Iterator[AskedWay]:
    """Connections to ports that the question names, whoever has them; to a URL without a port if
    one does."""
    begin = HOST if question.is_of_loopback else INTERNET
    for port in question.ports:
        yield from _ways_to(begin, port, containers, even_to_host=True)
    for server in question.servers:
        if server.is_url and server.place not in containers.by_dns_name:
            begin = HOST if server.is_loopback else INTERNET
            yield from _ways_to(begin, server.port, containers, even_to_host=server.has_port)


def _ways_to(
    begin: str, port: int, containers: Containers, *, even_to_host: bool
) -> Iterator[AskedWay]:
    """A connection to each container that publishes the port, or should; else to the host
    itself."""
    bindings = [
        (container, binding)
        for container in containers
        for binding in (*container.published_ports, *container.wanted_ports)
        if binding.host_port == port and binding.protocol in ("tcp", "udp")
    ]
    is_tcp = any(binding.protocol == "tcp" for _, binding in bindings)
    protocol = "" if is_tcp else "/udp"
    leading = [
        AskedWay(begin, f"{container.name}:{binding.number}{protocol}")
        for container, binding in bindings
        if not is_tcp or binding.protocol == "tcp"
    ]
    yield from leading
    if not leading and even_to_host:
        yield AskedWay(begin, f"{HOST}:{port}")
