"""network.cluster-address-stale: a cluster calls its members at addresses that they had before."""

from collections.abc import Mapping, Sequence

from diagnose.error_signatures import FOUND_NOBODY
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.calls.member_lists import MemberLists
from diagnose.evidence.network.calls.moved_members import (
    MovedMembers,
    moved_members,
    moves_by_cluster,
)
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.first_steps.network.cluster_steps import introduction_steps
from diagnose.mappings import distinct, names_of, subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped
from diagnose.phrases import count, joined, named
from diagnose.registry import check


@check("network.cluster-address-stale", severity=Severity.critical)
def cluster_address_stale(
    member_lists: MemberLists, links: Interfaces, unanswered_calls: UnansweredCalls | None
) -> CheckResult:
    """A cluster calls its members at addresses that they had before.

    The servers of a cluster of Redis or Valkey write down the addresses of all members
    (nodes.conf). If all containers get other addresses at once, as after `down` and `up`, nobody
    knows where to find anybody. Each member has an id, and each list names the id of its writer. A
    wrong address counts only where a member waits for an answer there, or its list says that the
    other one has failed. An address of the host is one that the member announces itself.
    It is critical where half of the masters or more are called at a wrong address: the cluster does
    not work then.
    """
    if not len(member_lists):
        return Skipped("no server of a cluster keeps a list of its members here")
    calls = unanswered_calls or ()
    awaited = {(call.container.id, call.address) for call in calls if call.protocol == "tcp"}
    writers = {listed.own_id: listed.container for listed in member_lists if listed.own_id}
    all_moves = [moved_members(listed, writers, links) for listed in member_lists]
    moves = [move for move in all_moves if move.members and move.is_felt(awaited)]
    for cluster in moves_by_cluster(moves):
        yield _finding(cluster, writers, unanswered_calls)


def _finding(
    moves: Sequence[MovedMembers], writers: Mapping[str, Container], calls: UnansweredCalls | None
) -> Finding:
    """A finding for one cluster, with all its servers whose addresses have moved.

    writers: the servers of all clusters by id.
    """
    ids = frozenset[str]().union(*(move.ids for move in moves))
    members = [server for id, server in writers.items() if id in ids]
    servers = sorted(members, key=lambda server: server.name)
    strangers = [server for id, server in writers.items() if id not in ids]
    first = moves[0]
    former = {member.address for move in moves for member in move.members} - {""}
    callers = [call.container for call in calls or () if call.address in former]
    addresses: dict[str, Json] = {
        f"address of {server.name}": sorted(server.ipv4_addresses) for server in servers[:6]
    }
    return Finding.about(
        servers[0],
        f"the cluster of {named('container', names_of(servers))} calls its members at addresses that "
        f"they had before: {first.listed.container} has {_places(first, writers)} in "
        f"{first.listed.path}",
        {"servers with former addresses": count(len(moves), "server"), **addresses},
        severity=None if any(move.is_majority for move in moves) else Severity.warning,
        touches=distinct(subjects_of((*servers, *callers))),
        signs=FOUND_NOBODY,
        recheck=tuple(run for server in servers for run in server.caller_runs),
        variables=_steps(first, servers, strangers),
    )


def _steps(
    move: MovedMembers, servers: Sequence[Container], strangers: Sequence[Container]
) -> PageVariables:
    """The page variables that introduce the servers to each other again.

    Without a loop over their network where another cluster has a server: it would make one of two.
    """
    steps = introduction_steps(move, servers)
    network = steps.get("network")
    if any(network in stranger.endpoints for stranger in strangers):
        return {"container": servers[0].name}
    return steps


def _places(move: MovedMembers, writers: Mapping[str, Container]) -> str:
    places = [
        f"{member.address or 'no address'} for {writers[member.id].name}" for member in move.members
    ]
    return joined(places[:3])
