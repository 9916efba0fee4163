"""Addresses of containers that are called, and that their peers no longer have."""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.calls.configured_places import ConfiguredPlace
from diagnose.evidence.network.calls.failing_calls import FailingCall, where_named
from diagnose.evidence.network.calls.fixed_lookups import FixedLookups
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only

_OF_A_CLUSTER = LazyPattern(
    r"\braft\b|RequestVote|memberlist|\bserf\b|gossip|quorum", re.IGNORECASE
)
"""Words of programs that keep the addresses of their cluster's nodes: Consul, Vault, Nomad."""
_OF_ETCD = LazyPattern(r"rafthttp|remote-peer-id")
"""What etcd logs of a call to another member."""
_SENTINEL = LazyPattern(r"(?:^|/)(?:redis|valkey)-sentinel$|^--sentinel$")
"""A word of the command of a Sentinel, which watches the servers of Redis."""
_OF_REPLICA_SET = LazyPattern(r"^--?replSet\b|^MONGO\w{0,20}_REPLICA_SET_(?:MODE|NAME)$")
"""The option of mongod, and how images call the variable that sets it."""


def counts_from(
    call: FailingCall, members: Sequence[Container], fixed: FixedLookups | None, settled: float
) -> float:
    """From when on a failed call says something: the caller has read the names before that."""
    last_start = max((member.started_at or 0.0 for member in members), default=0.0)
    if fixed is None:
        return last_start + settled
    waits_on = 0.0 if fixed.of(call.container) else settled
    return max(last_start + waits_on, fixed.read_at.get(call.container.id, 0.0))


def is_own_now(call: FailingCall) -> bool:
    """Whether the called address is that of the caller: programs log where they are themselves."""
    return call.address in call.container.endpoints[call.network.name].addresses


def may_come_back(call: FailingCall, containers: Containers) -> bool:
    """Whether a container on that network is between two runs: it has no address meanwhile."""
    return any(
        container.state.status == "restarting" and call.network.name in container.endpoints
        for container in containers
    )


def holder_of(call: FailingCall, members: Sequence[Container]) -> Container | None:
    """The container that has the called address now."""
    for member in members:
        if call.address in member.endpoints[call.network.name].addresses:
            return member
    return None


def stopped_holder(call: FailingCall, containers: Containers) -> Container | None:
    """The container that has the called address by its own options, and does not run."""
    for container in containers.by_address.get(call.address, ()):
        end = container.endpoints.get(call.network.name)
        is_its_own = end is not None and end.fixed_address == call.address
        if is_its_own and not container.is_running:
            return container
    return None


class StaleAddress(msgspec.Struct, frozen=True):
    """An address that is called, and that its peer no longer has."""

    call: FailingCall
    holder: Container | None
    """The container that has the address now."""
    servers: list[Container]
    """Those that serve the called port, at another address."""
    file: ConfiguredPlace | None
    """The mounted file that has the address."""
    is_own: bool
    """Whether it may be the address that the caller itself had before."""
    stopped: Container | None = None
    """The stopped container with this fixed address."""

    @property
    def replica(self) -> Container | None:
        """The only server, where it is a member of a replica set that keeps the address."""
        server = only(self.servers)
        if server is None or self.place or self.holder is not None:
            return None
        return server if _is_of_replica_set(server) else None

    @property
    def list_keeper(self) -> str:
        """The kind of a caller that keeps the addresses of all nodes in its own data: etcd or
        sentinel; "" for any other."""
        if _OF_ETCD.search(self.call.line):
            return "etcd"
        words = self.call.container.config.words
        return "sentinel" if any(map(_SENTINEL.search, words)) else ""

    @property
    def place(self) -> str:
        """The setting with the address; "" if that is not known."""
        named_place = where_named(self.call.address, self.call.container)
        return named_place or (self.file.path if self.file is not None else "")

    @property
    def writer(self) -> Container | None:
        """The container that writes that file, and does not run."""
        return self.file.idle_writer if self.file is not None else None


def is_former_own(call: FailingCall, namespaces: Namespaces | None) -> bool:
    """Whether a node of a cluster calls a node at a port which it serves itself."""
    if _OF_A_CLUSTER.search(call.line) is None or where_named(call.address, call.container):
        return False
    exposes = f"{call.port}/tcp" in (call.container.config.exposed_ports or {})
    netns = namespaces.of(call.container) if namespaces is not None else None
    return exposes or (netns is not None and bool(netns.sockets("tcp", call.port)))


def _is_of_replica_set(server: Container) -> bool:
    """Whether a server of MongoDB is configured to be a member of a replica set."""
    variables = (name for name, _ in server.config.environment)
    return any(_OF_REPLICA_SET.search(word) for word in (*server.config.words, *variables))
