"""Member lists of cluster servers, with the members' addresses of that time."""

import functools
import posixpath

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, ReadFile
from diagnose.registry import evidence

_PROGRAMS = frozenset({"keydb-server", "redis-server", "valkey-server"})
_BUS = 10000
"""The members of a cluster call each other at their port and this number."""
_USUAL = "/data"
_FILE = LazyPattern(r"^nodes[\w.-]{0,40}\.conf$")
_MOST = 12
"""Servers whose folders are listed."""
_MOST_FOLDERS = 3
_BEGINNING = 65536


class ListedMember(msgspec.Struct, frozen=True):
    """A member of a cluster, as another one knows it."""

    id: str
    address: str
    """"" where it was lost."""
    port: int
    flags: frozenset[str]

    @property
    def is_itself(self) -> bool:
        """Whether it is the writer of the list."""
        return "myself" in self.flags

    @property
    def is_master(self) -> bool:
        return "master" in self.flags

    @property
    def is_missed(self) -> bool:
        """Whether the writer has noticed that it does not answer there."""
        return not self.address or bool({"fail", "fail?", "noaddr"} & self.flags)


class MemberList(msgspec.Struct, frozen=True, dict=True):
    """The list of one server."""

    container: Container
    path: str
    """Its file in the container."""
    members: tuple[ListedMember, ...]

    @functools.cached_property
    def own_id(self) -> str:
        """The id of the server itself; "" where the list does not say."""
        return next((member.id for member in self.members if member.is_itself), "")


class MemberLists(Items[MemberList], frozen=True):
    """The lists of the running servers of clusters, in the order of the containers."""


@evidence
def member_lists(
    host: Host, containers: Containers, processes: Processes, namespaces: Namespaces
) -> MemberLists:
    """The member lists of clusters of Redis and its kind.

    The collector asks only of containers in which such a server listens for its cluster too: at
    most three folders and one file of each.
    """
    servers = [
        container
        for container in containers.running
        if processes.runs(container.id, _PROGRAMS) and _is_in_cluster(namespaces.of(container))
    ]
    lists = []
    for server in host.first(servers, _MOST, "servers of clusters"):
        path = _path_of_list(host, server)
        if not path:
            continue
        answer = host.ask(_file(server, path))
        if not isinstance(answer, Failed):
            lists.append(MemberList(server, path, tuple(_members(answer.text))))
    return MemberLists(tuple(lists))


def _is_in_cluster(netns: ContainerNetns | None) -> bool:
    ports = netns.served_ports if netns is not None else []
    return any(port + _BUS in ports for port in ports)


def _root(server: Container) -> str:
    return f"/proc/{server.state.pid}/root"


def _file(server: Container, path: str) -> ReadFile:
    return ReadFile(path, _BEGINNING, root=_root(server), parts="members")


def _path_of_list(host: Host, server: Container) -> str:
    """The file nodes.conf in one of the server's mounted folders; "" where there is none."""
    mounted = sorted(mount.destination for mount in server.mounts)
    folders = list(dict.fromkeys([*mounted, _USUAL]))[:_MOST_FOLDERS]
    for folder in folders:
        listing = host.ask(ListFolder(folder, root=_root(server)))
        names = [] if isinstance(listing, Failed) else listing.names
        for name in filter(_FILE.search, names):
            return posixpath.join(folder, name)
    return ""


def _members(text: str) -> list[ListedMember]:
    members = []
    for line in text.splitlines():
        kind, *words = line.split()
        if kind == "node":
            name, address, port, flags = words
            known_address = "" if address == "-" else address
            members.append(
                ListedMember(name, known_address, int(port), frozenset(flags.split(",")))
            )
    return members
