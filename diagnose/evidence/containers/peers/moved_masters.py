"""Masters of Redis that have another address than the one that Sentinel keeps. Pure.

Sentinel writes the address of its master into its file. A recreated master gets another
address, and answers nowhere that Sentinel calls.
"""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.inner_failures import InnerFailure, InnerFailures
from diagnose.evidence.containers.logs.inner_patterns import MASTERLESS
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.registry import evidence

_SILENT = LazyPattern(r"\+sdown master \S{1,200} (?P<address>\d{1,3}(?:\.\d{1,3}){3}) \d{1,5}\b")
_SERVER = LazyPattern(r"(?:^|/)[^/]*(?:keydb|redis|valkey)[^/]*$")
_SENTINEL = LazyPattern(r"sentinel")


class MovedMaster(msgspec.Struct, frozen=True):
    """A master of Redis and its address of today, beside the one that Sentinel calls."""

    master: Container
    address: str
    former_address: str


class MovedMasters(msgspec.Struct, frozen=True):
    """The masters with another address, by the id of the container of Sentinel."""

    by_sentinel: dict[str, MovedMaster] = {}

    def of(self, failure: InnerFailure) -> MovedMaster | None:
        """The master for which the Sentinel of a failure waits at a former address."""
        return self.by_sentinel.get(failure.container.id) if failure.name == MASTERLESS else None


@evidence
def moved_masters(containers: Containers, inner_failures: InnerFailures) -> MovedMasters:
    """The only server of Redis beside a Sentinel whose master has no container any more.

    Where a server of Redis has the address, it is silent for another reason.
    """
    moved: dict[str, MovedMaster] = {}
    for failure in inner_failures:
        match = _SILENT.search(failure.line) if failure.name == MASTERLESS else None
        if match is None:
            continue
        sentinel = failure.container
        servers = [other for other in containers.running if _may_be_master(other, sentinel)]
        master = only(servers)
        former_address = match["address"]
        if master is None or any(former_address in server.addresses for server in servers):
            continue
        networks = sorted(master.shared_networks(sentinel))
        address = master.endpoints[networks[0]].ip_address
        if address:
            moved[sentinel.id] = MovedMaster(master, address, former_address)
    return MovedMasters(moved)


def _may_be_master(server: Container, sentinel: Container) -> bool:
    """Whether a container is a server of Redis on a network of Sentinel."""
    words = " ".join((server.config.image, *server.command))
    is_server = _SERVER.search(server.config.image.lower()) and not _SENTINEL.search(words)
    return bool(is_server) and bool(server.shared_networks(sentinel))
