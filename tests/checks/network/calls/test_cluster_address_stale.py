"""The check in checks/network/calls/cluster_address_stale.py, and the lists that it reads."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.calls.member_lists import ListedMember, MemberList, MemberLists
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.live.disk.parts.redis import members
from tests.inspected import container
from tests.judging import judge, rows


def server(name: str, address: str) -> Container:
    endpoint = {"IPAddress": address, "NetworkID": "a" * 64}
    return container(
        name,
        Id=name[0] * 64,
        Config={"Image": "redis:7"},
        NetworkSettings={"Networks": {"shop": endpoint}},
    )


A, B, C = server("a", "10.2.0.2"), server("b", "10.2.0.3"), server("c", "10.2.0.4")
SECRETIVE = container(
    "a",
    Id="a" * 64,
    Config={"Image": "redis:7", "Cmd": ["redis-server", "--requirepass", "x"]},
    NetworkSettings={"Networks": {"shop": {"IPAddress": "10.2.0.2", "NetworkID": "a" * 64}}},
)


def listed(owner: Container, own: str, **others: str) -> MemberList:
    """The list of a server: the address of each other one, with `!` behind one that is missed."""
    rows = [ListedMember(own, "10.1.0.9", 6379, frozenset({"myself", "master"}))]
    for name, place in others.items():
        flags = {"master", "fail?"} if place.endswith("!") else {"master"}
        rows.append(ListedMember(name, place.rstrip("!"), 6379, frozenset(flags)))
    return MemberList(owner, "/data/nodes.conf", tuple(rows))


SAME = {"a": "10.2.0.2", "b": "10.2.0.3", "c": "10.2.0.4"}
CASES = {
    "all have moved": (
        [
            listed(A, "a", b="10.1.0.3!", c="10.1.0.4!"),
            listed(B, "b", a="10.1.0.2!", c="10.1.0.4!"),
            listed(C, "c", a="10.1.0.2!", b="10.1.0.3!"),
        ],
        [("critical", "a")],
    ),
    "an address is lost": (
        [listed(A, "a", b="!", c=SAME["c"]), listed(B, "b", a=SAME["a"], c=SAME["c"])],
        [("warning", "a")],
    ),
    "nobody is missed": ([listed(A, "a", b="10.1.0.3"), listed(B, "b", a="10.1.0.2")], []),
    "all are where they were": ([listed(A, "a", b=SAME["b"]), listed(B, "b", a=SAME["a"])], []),
    "the other one is on another machine": ([listed(A, "a", b="10.1.0.3!")], []),
}


@pytest.mark.parametrize(("lists", "expected"), CASES.values(), ids=CASES)
def test_members_with_former_addresses(
    lists: list[MemberList], expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "network.cluster-address-stale",
        member_lists=MemberLists(tuple(lists)),
        links=Interfaces((), ()),
    )
    assert rows(result) == expected


def test_a_cluster_beside_one_that_works() -> None:
    d, e = server("d", "10.2.0.5"), server("e", "10.2.0.6")
    lists = MemberLists(
        (
            listed(d, "d", e="10.2.0.6"),
            listed(e, "e", d="10.2.0.5"),
            listed(A, "a", b="10.1.0.3!"),
            listed(B, "b", a="10.1.0.2!"),
        )
    )
    (finding,) = judge(
        "network.cluster-address-stale", member_lists=lists, links=Interfaces((), ())
    ).findings
    assert '"d"' not in finding.summary
    assert "address of d" not in finding.evidence
    assert "network" not in finding.variables


@pytest.mark.parametrize(("first", "is_offered"), [(A, True), (SECRETIVE, False)])
def test_servers_that_ask_for_a_password_are_introduced_by_hand(
    first: Container, is_offered: bool
) -> None:
    lists = MemberLists((listed(first, "a", b="10.1.0.3!"), listed(B, "b", a="10.1.0.2!")))
    (finding,) = judge(
        "network.cluster-address-stale", member_lists=lists, links=Interfaces((), ())
    ).findings
    assert ("node" in finding.variables) is is_offered


def test_the_lines_of_a_list() -> None:
    text = (
        "1198b0674ea5aff8880d96daa4b8e7aa46eed763 172.30.1.3:6379@16379,,shard-id=7 master - 0 1 3 "
        "connected 10923-16383\n"
        "e464641fe273428413e1bb7c5fcfaedad2a6f9ee :0@0 master,noaddr - 16 16 3 disconnected 5461\n"
        "b71f0822e314ed8761f83a7854ea29748c56da38 172.30.1.5:6379@16379 myself,master - 0 0 1 "
        "connected 0-5460\nvars currentEpoch 3 lastVoteEpoch 0\n"
    )
    assert list(members(text)) == [
        "node 1198b0674ea5 172.30.1.3 6379 master",
        "node e464641fe273 - 0 master,noaddr",
        "node b71f0822e314 172.30.1.5 6379 myself,master",
    ]
