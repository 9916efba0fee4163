"""Workers that are the only clients of a broker, beside a program whose broker has no worker.

Two servers of one kind run, such as Redis for a cache and Redis for jobs. The program puts its jobs
into one, and the worker waits at the other: all run, and no log has an error.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.workers.worker_roles import is_background, names_server
from diagnose.evidence.containers.workers.worker_settings import OF_BROKER, is_of_a_server
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.sockets import ListCallers
from diagnose.registry import evidence

MOST = 20
"""Brokers whose connections are read."""
_KINDS = {
    "redis": LazyPattern(
        r"(?:^|/)(?:redis|valkey|keydb|dragonfly)(?:-stack\w*|-server)?(?:[:@]|$)"
    ),
    "rabbitmq": LazyPattern(r"(?:^|/)rabbitmq(?:[:@]|$)"),
}
_PORTS = {"redis": 6379, "rabbitmq": 5672}
_MAKES_JOBS = LazyPattern(r"(?i)beat|cron|schedul|producer|flower|(?:^| )-B(?: |$)")
"""Words of a worker that puts jobs into its queue itself, or that only looks."""


class PartedQueue(msgspec.Struct, frozen=True):
    """A worker and a program with brokers of one kind."""

    worker: Container
    program: Container
    broker: Container
    """That of the worker; no other container calls it."""
    other_broker: Container
    """That of the program; no worker calls it."""
    variable: str = ""
    """The variable by which both name their brokers; "" where it is not the same."""


class PartedQueues(Items[PartedQueue], frozen=True):
    """At most one for each worker."""


class _Clients(msgspec.Struct, frozen=True):
    """The containers that call a broker, or name it in a setting."""

    workers: list[Container]
    programs: list[Container]


class _Pair(msgspec.Struct, frozen=True):
    """Two brokers of a kind in one project; the workers are those of the first one."""

    broker: Container
    other: Container
    kind: str


@evidence
def parted_queues(
    host: Host, containers: Containers, namespaces: Namespaces | None
) -> PartedQueues:
    """The brokers of each project of compose, where it has two of a kind or more.

    A broker that other machines reach may have its other clients there. Programs and workers of one
    image are compared by their settings elsewhere.
    """
    if namespaces is None:
        return PartedQueues()
    queues: dict[str, PartedQueue] = {}
    pairs = list(_pairs(containers))
    for pair in host.first(pairs, MOST, "pairs of brokers"):
        clients = _clients(host, pair.broker, pair.kind, containers, namespaces)
        other_clients = _clients(host, pair.other, pair.kind, containers, namespaces)
        if clients is None or other_clients is None:
            continue
        if not clients.programs and not other_clients.workers:
            for parted in _queues_of_pair(pair, clients.workers, other_clients.programs):
                queues.setdefault(parted.worker.id, parted)
    return PartedQueues(tuple(queues.values()))


def _queues_of_pair(
    pair: _Pair, workers: Sequence[Container], programs: Sequence[Container]
) -> Iterator[PartedQueue]:
    """The workers of one broker, with the programs of the other one; none of their own image."""
    for worker in workers:
        is_compared = any(program.image == worker.image for program in programs)
        if programs and not is_compared and not _makes_jobs(worker):
            variable = _common_variable(worker, programs[0])
            yield PartedQueue(worker, programs[0], pair.broker, pair.other, variable)


def _pairs(containers: Containers) -> Iterator[_Pair]:
    """The brokers that no other machine reaches, each with each other one of its project."""
    for kind, image in _KINDS.items():
        brokers = [
            container
            for container in containers.running
            if container.compose_project and image.search(container.config.image)
        ]
        for broker in brokers:
            for other in brokers:
                is_other = other.id != broker.id and other.shares_project(broker)
                if is_other and not _is_open(broker):
                    yield _Pair(broker, other, kind)


def _is_open(broker: Container) -> bool:
    return any(not port.is_for_host_alone for port in broker.published_by("tcp"))


def _clients(
    host: Host, broker: Container, kind: str, containers: Containers, namespaces: Namespaces
) -> _Clients | None:
    """None where a caller is not known, or the broker serves no other container."""
    netns = namespaces.of(broker)
    port = _PORTS[kind]
    if netns is None or not netns.serves_others("tcp", port):
        return None
    neighbours = [other for other in containers.beside(broker) if other.is_running]
    caller_ids = _caller_ids(host, broker, port, neighbours)
    if caller_ids is None:
        return None
    peers = [other for other in neighbours if not _is_broker(other)]
    clients = [peer for peer in peers if peer.id in caller_ids or names_server(peer, broker)]
    return _Clients(
        workers=[client for client in clients if is_background(client)],
        programs=[client for client in clients if not is_background(client)],
    )


def _caller_ids(
    host: Host, broker: Container, port: int, neighbours: Sequence[Container]
) -> set[str] | None:
    """The neighbours that are connected to a broker; None where a caller is not one of them."""
    addresses = host.ask(ListCallers(broker.state.pid, port))
    if isinstance(addresses, Failed):
        return None
    callers = [other for other in neighbours if not other.addresses.isdisjoint(addresses)]
    known_addresses = {address for caller in callers for address in caller.addresses}
    foreign = [address for address in addresses if not is_loopback(address)]
    return {caller.id for caller in callers} if known_addresses.issuperset(foreign) else None


def _is_broker(container: Container) -> bool:
    return any(image.search(container.config.image) for image in _KINDS.values())


def _makes_jobs(worker: Container) -> bool:
    words = " ".join((worker.compose_service, *worker.config.words))
    return _MAKES_JOBS.search(words) is not None


def _common_variable(worker: Container, program: Container) -> str:
    """The one variable of a broker that both have; "" for none or several."""
    names = [name for name, _ in worker.config.environment if _is_of_broker(name)]
    common = [name for name in names if program.config.sets(name)]
    return common[0] if len(common) == 1 else ""


def _is_of_broker(name: str) -> bool:
    return is_of_a_server(name) and OF_BROKER.search(name) is not None
