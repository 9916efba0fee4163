"""The plan of all lookups: the DNS queries, and the namespaces from which they are sent."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import FailedNames, dotted_names, searched_names
from diagnose.evidence.dns.resolvers import (
    EMBEDDED,
    ResolvConf,
    Resolvers,
    Upstream,
    resolving_containers,
)
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.run.options import Options
from diagnose.mappings import paired
from diagnose.questions.dns import QueryDns, SampleDns

WITNESSES = 2
"""Containers that ask a server by one way, so that a fault of one is distinguished from a fault of
the way."""

EMBEDDED_LIMIT = 400
"""Containers whose own resolver is asked. Each is a socket, and a process may often open 1,024."""

MOST_SAMPLES = 12
"""Ways on which several queries are sent, to see whether some are lost."""

MOST_FAILED_NAMES = 20
"""Queries for names that failed in logs."""

MOST_SEARCH_DOMAINS = 3
"""Search domains that are asked for a wildcard, one query each."""


class FailedQuery(msgspec.Struct, frozen=True):
    """A name that failed in a container's log, to ask of one of the container's servers."""

    container: Container
    name: str
    server: str
    pid: int | None
    """The process in whose network namespace the query is sent; None for the host's namespace."""

    @property
    def query(self) -> QueryDns:
        return name_query(self.server, self.name, self.pid)

    @property
    def may_ask_from_host(self) -> bool:
        """Whether the host may ask instead, where the container's run has ended meanwhile.

        A program that fails is restarted again and again. See `asking_pid`.
        """
        return not self.container.is_shut_in and not is_loopback(self.server)


class HostWay(NamedTuple):
    """A server that the engine asks from the host for containers of these networks."""

    networks: tuple[str, ...]
    server: str


class ContainerWay(NamedTuple):
    """A server that containers of these networks ask themselves."""

    networks: tuple[str, ...]
    server: str
    alone: str
    """The id of a container with a path of its own; "" for a shared path."""


class QueryPlan:
    """The DNS questions to send, by server and namespace.

    Each question with the containers that could not be examined without its answer.
    """

    def __init__(
        self, resolvers: Resolvers, direct: frozenset[str], *, island: bool, writes_rules: bool
    ) -> None:
        self.resolvers = resolvers
        self.direct = direct
        self.island = island
        self.writes_rules = writes_rules
        self.probes: dict[HostWay, Container] = {}
        outer_servers = [server for server in resolvers.configured if not is_loopback(server)]
        self.servers = dict.fromkeys((*resolvers.host_servers, *outer_servers))
        self.groups: dict[ContainerWay, list[Container]] = {}
        self.closed: list[Container] = []
        self.embedded: list[Container] = []
        self.forwarding: list[Container] = []
        self.services: dict[str, Container] = {}
        self.straying: list[Container] = []
        self.failed: list[FailedQuery] = []

    def add(self, container: Container, outward: tuple[str, ...]) -> None:
        """A running container, with the names of its networks that lead out."""
        conf = self.resolvers.inside.get(container.id)
        if conf is not None and conf.is_embedded:
            self.embedded.append(container)
            if self._may_forward_elsewhere(container, conf):
                self.forwarding.append(container)
        if not outward or (self.island and not self.resolvers.has_own_servers(container)):
            self.closed.append(container)
            return
        for upstream in self.resolvers.upstreams(container):
            if upstream.by_host:
                self._ask_by_host(container, outward, upstream.server)
            else:
                self._ask_by_itself(container, outward, upstream.server)

    def _ask_by_host(self, container: Container, outward: tuple[str, ...], server: str) -> None:
        """A server that the engine's resolver asks from the host, for a container."""
        self.servers[server] = None
        shows_its_way = not self.writes_rules or self.direct.issuperset(outward)
        if shows_its_way and not is_loopback(server):
            self.probes.setdefault(HostWay(outward, server), container)

    def _ask_by_itself(self, container: Container, outward: tuple[str, ...], server: str) -> None:
        """A server that a container asks from its own network namespace."""
        is_itself = is_loopback(server)
        if not is_itself:
            self.servers[server] = None
        is_alone = is_itself or container.may_route_itself
        way = ContainerWay(outward, server, container.id if is_alone else "")
        self.groups.setdefault(way, []).append(container)

    def _may_forward_elsewhere(self, container: Container, conf: ResolvConf) -> bool:
        """Whether the engine's resolver may hold servers that the host has replaced since."""
        host_file = self.resolvers.engine_file
        changed = host_file.mtime if isinstance(host_file, ResolvConf) else None
        started = container.started_at
        is_unknown = conf.external is None and not self.resolvers.configured
        if not is_unknown or changed is None or started is None:
            return False
        return changed > started and not self.resolvers.has_own_servers(container)

    def questions(self, names: tuple[str, ...]) -> dict[QueryDns, list[Container]]:
        """All queries, each with the containers that could not be examined without its answer.

        names: what the user asks about.
        """
        queries: dict[QueryDns, list[Container]] = {
            root_query(server, None): [] for server in self.servers
        }
        for way, members in self.groups.items():
            for member in members[:WITNESSES]:
                queries.setdefault(root_query(way.server, member.state.pid), []).append(member)
        for probe, container in self.probes.items():
            queries.setdefault(root_query(probe.server, container.state.pid), [])
        for container in self.embedded[:EMBEDDED_LIMIT]:
            own_name = name_query(EMBEDDED, container.name, container.state.pid)
            queries.setdefault(own_name, []).append(container)
        for container in self.forwarding[:WITNESSES]:
            queries.setdefault(root_query(EMBEDDED, container.state.pid), [])
        for query in (*self._queries_about(names), *self.wildcards().values()):
            queries.setdefault(query, [])
        return queries

    def _queries_about(self, names: tuple[str, ...]) -> Iterator[QueryDns]:
        """The queries for names of the user, and for those that failed in logs."""
        for name in names:
            if name not in self.services:
                yield from (
                    name_query(server, name, None) for server in self.resolvers.host_servers
                )
        for name, container in self.services.items():
            yield name_query(EMBEDDED, name, container.state.pid)
        for failed in self.failed:
            yield failed.query

    def samples(self) -> dict[SampleDns, tuple[str, ...]]:
        """Several queries to each server, from the host and from one container of each way.

        Each comes with the networks of that way, and with none for the host.
        """
        samples: dict[SampleDns, tuple[str, ...]] = {
            SampleDns(server): () for server in self.servers
        }
        for way, members in self.groups.items():
            samples[SampleDns(way.server, members[0].state.pid)] = way.networks
        return dict(list(samples.items())[:MOST_SAMPLES])

    def wildcards(self) -> dict[str, QueryDns]:
        """The query for the wildcard of each search domain that names may end in."""
        servers = self.resolvers.host_servers
        askers = [*self.straying, *(failed.container for failed in self.failed)]
        domains = dict.fromkeys(
            domain for container in askers for domain in search_domains(container, self.resolvers)
        )
        first = list(domains)[:MOST_SEARCH_DOMAINS] if servers else []
        return {domain: name_query(servers[0], f"*.{domain}", None) for domain in first}


def search_domains(container: Container, resolvers: Resolvers) -> tuple[str, ...]:
    """The domains that a container's libraries may append to a name."""
    conf = resolvers.inside.get(container.id)
    domains = (domain.strip(".") for domain in conf.search) if conf is not None else ()
    return tuple(domain for domain in domains if domain)


def root_query(server: str, pid: int | None, transport: str = "udp") -> QueryDns:
    """The query for the root's name servers, which every resolver can answer or refuse."""
    return QueryDns(server, ".", "NS", transport=transport, pid=pid)


def name_query(server: str, name: str, pid: int | None) -> QueryDns:
    """The query for a name's IPv4 addresses."""
    return QueryDns(server, name, "A", pid=pid)


def plan_queries(
    containers: Containers | None,
    networks: Networks | None,
    resolvers: Resolvers,
    routes: Routes | None,
    options: Options,
    failed_names: FailedNames | None,
    *,
    writes_rules: bool,
) -> QueryPlan:
    """The plan for this host, its containers and the names that a user asks about."""
    plan = plan_ways(containers, networks, resolvers, routes, writes_rules=writes_rules)
    plan.services = dict(
        paired(options.resolve, lambda name: _witness(name, containers, plan.embedded))
    )
    if containers is not None:
        plan.straying = _callers_of_strange_names(containers, resolvers)
    if containers is not None and failed_names is not None:
        plain = _failed_queries(containers, failed_names, resolvers)
        completed = _failed_queries(containers, failed_names, resolvers, complete=True)
        plan.failed = [*plain, *completed][:MOST_FAILED_NAMES]
    return plan


def plan_ways(
    containers: Containers | None,
    networks: Networks | None,
    resolvers: Resolvers,
    routes: Routes | None,
    *,
    writes_rules: bool,
) -> QueryPlan:
    """The plan without any name: which servers are asked, and from where."""
    cut_off = routes is not None and not routes.lead_out
    knows_no_server = (
        not resolvers.host_unread and not resolvers.host_servers and not resolvers.configured
    )
    direct = frozenset(
        network.name for network in networks or () if network.driver in ("macvlan", "ipvlan")
    )
    plan = QueryPlan(
        resolvers, direct, island=cut_off and knows_no_server, writes_rules=writes_rules
    )
    leads_out = _with_a_way_out(networks)
    resolving = resolving_containers(containers) if containers is not None else ()
    for container in resolving:
        outward = sorted(name for name in container.endpoints if leads_out.get(name, True))
        plan.add(container, tuple(outward))
    return plan


def _callers_of_strange_names(containers: Containers, resolvers: Resolvers) -> list[Container]:
    """The containers with a search domain that call a name for which it may answer: a short one, or
    one with fewer dots than `ndots` asks for."""
    names_by_network = containers.names_by_network
    with_domains = [
        container
        for container in resolving_containers(containers)
        if container.id in resolvers.inside and resolvers.inside[container.id].search
    ]
    return [
        container
        for container in with_domains
        if searched_names(container, names_by_network, resolvers.inside[container.id])
        or dotted_names(container, resolvers.inside[container.id])
    ]


def _witness(
    name: str, containers: Containers | None, embedded: list[Container]
) -> Container | None:
    """A container that can ask the engine's resolver for this name of a container.

    A neighbour, or the container itself.
    """
    holders = () if containers is None else containers.by_dns_name.get(name, ())
    owners = [container for container in holders if container.is_running]
    networks = {network for owner in owners for network in owner.endpoints}
    neighbours = [
        container for container in embedded if not networks.isdisjoint(container.endpoints)
    ]
    for neighbour in neighbours:
        if name not in neighbour.dns_names:
            return neighbour
    return neighbours[0] if neighbours else None


def _failed_queries(
    containers: Containers,
    failed_names: FailedNames,
    resolvers: Resolvers,
    *,
    complete: bool = False,
) -> Iterator[FailedQuery]:
    """Each name of a log with each server of its container; the host asks for a stopped container.

    complete: the name with each search domain, which nginx never appends, and musl only to a name
    with fewer dots than `ndots`. A name without a dot gets no other query.
    """
    for container in containers:
        failed = [failed_name.name for failed_name in failed_names.of(container)]
        foreign = [name for name in failed if name not in containers.by_dns_name]
        names = [name for name in foreign if complete or "." in name]
        if not names:
            continue
        upstreams = resolvers.upstreams(container) or resolvers.at_next_start(container)
        domains = search_domains(container, resolvers)[:MOST_SEARCH_DOMAINS]
        endings = [f".{domain}" for domain in domains] if complete else [""]
        for name, upstream, ending in itertools.product(names, upstreams, endings):
            pid = asking_pid(container, upstream)
            yield FailedQuery(container, name + ending, upstream.server, pid)


def asking_pid(container: Container, upstream: Upstream) -> int | None:
    """The process from whose network a container's questions to a server are sent.

    None for the host's, from which the engine asks, and where the container is down. The host never
    asks for a container that nothing leads out of: its log has the name, which may be data.
    """
    inside = container.is_running and (container.is_shut_in or not upstream.by_host)
    return container.state.pid if inside else None


def _with_a_way_out(networks: Networks | None) -> dict[str, bool]:
    known_networks = () if networks is None else networks
    return {
        network.name: not network.internal and network.driver not in ("null", "host")
        for network in known_networks
    }
