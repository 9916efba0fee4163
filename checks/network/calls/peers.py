"""Addresses of containers that programs call and that lead nowhere."""

import json

from diagnose.error_signatures import FOUND_NOBODY
from diagnose.evidence.containers.addresses.loopback_words import with_name, with_names_for_list
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.calls.called_members import is_taken_over, members_around, servers_of
from diagnose.evidence.network.calls.configured_places import ConfiguredPlaces
from diagnose.evidence.network.calls.failing_calls import FailingCall, FailingCalls
from diagnose.evidence.network.calls.fixed_lookups import FixedLookups
from diagnose.evidence.network.calls.stale_addresses import (
    StaleAddress,
    counts_from,
    holder_of,
    is_former_own,
    is_own_now,
    may_come_back,
    stopped_holder,
)
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.mappings import names_of, only, subjects_of
from diagnose.model import CheckResult, Count, Finding, PageVariables, Seconds, Severity
from diagnose.phrases import named
from diagnose.registry import check


@check(
    "network.peer-address-stale",
    severity=Severity.critical,
    causes=["container.restart-loop", "container.restarts-exhausted", "container.exits-at-start"],
)
def peer_address_stale(
    failing_calls: FailingCalls,
    containers: Containers,
    namespaces: Namespaces | None,
    configured_places: ConfiguredPlaces | None,
    fixed_lookups: FixedLookups | None,
    *,
    least: Count = Count(2),
    settled: Seconds = Seconds(10),
) -> CheckResult:
    """A container keeps calling an address that its peer no longer has.

    A container that is recreated may get another address. nginx and many other programs look a name
    up once, at their start; `extra_hosts`, environment variables and files of settings hold an
    address for ever. Such a file may be written by a program in another container, such as
    docker-gen, which does not run any more.

    The log must repeat it within the last minutes, and later than the last start of a container on
    that network: `settled` later, unless the caller is an nginx that looks names up once; its
    reload counts as a start of its own. Where a container has the address now, it counts only if
    the call may be older than that: the address is configured, or the owner and a container that
    serves the port were started after the caller. The check says nothing while a container of that
    network is between two runs of a restart loop, and has no address.

    A node of a cluster (Raft) that serves the called port itself may have kept its own former
    address in its data; those of etcd and Sentinel keep the addresses of all nodes, which no
    restart changes. A replica set of MongoDB tells its clients the addresses of its members, as
    they were when it was made.

    An address that was given to no container is one of a machine outside
    (network.subnet-overlaps-route).
    """
    for call in failing_calls:
        is_beside = call.network.name in call.container.endpoints and not call.is_outside
        if not is_beside or call.times < least or is_own_now(call):
            continue
        members = members_around(call, containers)
        if call.at < counts_from(call, members, fixed_lookups, settled):
            continue
        holder = holder_of(call, members)
        servers = servers_of(call, members, namespaces)
        if holder is not None:
            is_stale = is_taken_over(call, holder, servers, namespaces)
        else:
            is_stale = bool(servers) or not may_come_back(call, containers)
        if is_stale:
            is_own = holder is None and not servers and is_former_own(call, namespaces)
            file = configured_places.of(call) if configured_places is not None else None
            stopped = None if holder is not None else stopped_holder(call, containers)
            yield _stale_address_finding(
                StaleAddress(
                    call, holder, servers=servers, file=file, is_own=is_own, stopped=stopped
                )
            )
    yield from failing_calls.unread


def _stale_address_finding(stale: StaleAddress) -> Finding:
    call = stale.call
    servers = stale.servers
    clauses = "; ".join(
        clause for clause in (_served_by_clause(stale), _source_clause(stale)) if clause
    )
    addresses = {
        f"address of {server.name}": server.endpoints[call.network.name].ip_address
        for server in servers[:5]
    }
    idle = [caller for caller in (stale.writer, stale.stopped) if caller is not None]
    return Finding.about(
        call.container,
        f"{call.container} keeps calling {call.address}:{call.port}, {_owner_clause(stale)}"
        + (f"; {clauses}" if clauses else ""),
        {
            call.seen_in: call.line,
            "times in its last lines": call.times,
            "network": call.network.name,
            **addresses,
            "the address comes from": stale.place or _source(stale),
        },
        discriminator=f"{call.address}:{call.port}",
        touches=(call.network.subject, *subjects_of([*servers, *idle])),
        calls=subjects_of(servers),
        signs=FOUND_NOBODY,
        recheck=call.container.caller_runs,
        variables=_variables(stale),
    )


def _owner_clause(stale: StaleAddress) -> str:
    if stale.holder is not None:
        return f"an address that {stale.holder} has now, where nothing listens on that port"
    if stale.stopped is not None:
        return f"the fixed address of {stale.stopped}, which is not running"
    no_owner = "an address that no container has now"
    if stale.is_own:
        return f"{no_owner}, and which may have been its own before it was started again"
    if not stale.servers:
        hidden = f'which network "{stale.call.network.name}" hides'
        return f"{no_owner}: that of a container that is gone, or of a machine outside, {hidden}"
    return no_owner


def _served_by_clause(stale: StaleAddress) -> str:
    """The clause about the containers that serve the called port; "" for none."""
    if not stale.servers:
        return ""
    return f"port {stale.call.port} is served by {named('container', names_of(stale.servers))}"


def _source_clause(stale: StaleAddress) -> str:
    """The clause about the setting or the replica set that has the address; "" where none is
    known."""
    if stale.replica is not None:
        return "its replica set keeps that address, and gives it to all clients"
    if not stale.place:
        return ""
    written = f", which {stale.writer} can write, and that is not running" if stale.writer else ""
    return f"the address is configured in {stale.place}{written}"


def _variables(stale: StaleAddress) -> PageVariables:
    """The page variables of the one command that corrects the address at its source."""
    if stale.writer is not None:
        return {"writer": stale.writer.name}
    if stale.stopped is not None:
        return {"stopped": stale.stopped.name}
    if stale.is_own:
        return {"itself": stale.call.container.name}
    if stale.replica is not None:
        return _member_variables(stale.call, stale.replica)
    if not stale.place:
        return {stale.list_keeper or "keeper": stale.call.container.name}
    server = only(stale.servers)
    if server is None:
        return _names_variables(stale)
    return _cure(stale.call, server, is_free=stale.holder is None)


def _source(stale: StaleAddress) -> str:
    if stale.replica is not None:
        return f"the configuration of the replica set in {stale.replica.name}"
    if stale.is_own or stale.list_keeper:
        return "its data: nodes of a cluster keep the addresses of all nodes, and their own"
    return "a name that the program looked up earlier"


_RECONFIGURE = (
    'c = db.getSiblingDB("local").system.replset.findOne(); '
    "c.members.forEach((m) => {{ if (m.host === {old}) m.host = {new}; }}); c.version += 1; "
    "db.adminCommand({{replSetReconfig: c, force: true}})"
)
"""The script for mongosh. A member that is not in its own configuration has no other way to read
it."""


def _member_variables(call: FailingCall, server: Container) -> PageVariables:
    """The page variables that give a replica set the server's name in place of its former
    address."""
    if call.network.name == DEFAULT_NETWORK:
        return {}
    old, new = (
        json.dumps(f"{host}:{call.port}") for host in (call.address, _name_of(call, server))
    )
    return {"member": server.name, "script": _RECONFIGURE.format(old=old, new=new)}


def _name_of(call: FailingCall, server: Container) -> str:
    return server.compose_service or _alias(server, call.network.name)


def _names_variables(stale: StaleAddress) -> PageVariables:
    """The page variables with the caller's settings, and the names of the servers for a list of
    former addresses.

    Empty where the list has more addresses than there are other servers.
    """
    call = stale.call
    if stale.holder is not None or call.network.name == DEFAULT_NETWORK:
        return {}
    others = [server for server in stale.servers if server.id != call.container.id]
    return with_names_for_list(
        call.container, call.address, [_name_of(call, server) for server in others]
    )


def _cure(call: FailingCall, server: Container, *, is_free: bool) -> PageVariables:
    """The page variables that lead the call to the one server. is_free: no container has the
    address now."""
    network = call.network.name
    if is_free:
        return {
            "peer": server.name,
            "network": network,
            "address": call.address,
            "alias": _alias(server, network),
        }
    return with_name(call.container, call.address, server.name) if network != "bridge" else {}


def _alias(container: Container, network: str) -> str:
    """A name by which others call a container on a network, beside its own."""
    aliases = container.endpoints[network].aliases or ()
    others = [alias for alias in aliases if alias not in (container.name, container.id[:12])]
    return others[0] if others else container.name


@check("network.peer-on-other-network", severity=Severity.critical)
def peer_on_other_network(
    failing_calls: FailingCalls, containers: Containers, *, least: Count = Count(2)
) -> CheckResult:
    """A container calls an address on a network that it is not connected to.

    The engine keeps its networks apart, and drops these packets. Reverse proxies that take the
    addresses of containers from the engine choose one of a network that they are not on. A
    container that uses the network of another one is on the networks of that one.
    """
    for call in failing_calls:
        network_owner = containers.owner_of(call.container)
        if call.network.name in network_owner.endpoints or call.times < least or call.refused:
            continue
        peer = containers.by_place.get((call.network.name, call.address))
        if peer is not None:
            yield _other_network_finding(call, peer, network_owner)
    yield from failing_calls.unread


def _other_network_finding(call: FailingCall, peer: Container, network_owner: Container) -> Finding:
    """The finding about a peer on another network.

    network_owner: the container whose network the caller uses: itself, or the one that it joined.
    """
    container = call.container
    common = sorted(set(network_owner.endpoints) & set(peer.endpoints))
    instead = f'; on network "{common[0]}" they could reach each other' if common else ""
    owner = "it" if network_owner.id == container.id else f"{network_owner}, whose network it uses,"
    return Finding.about(
        container,
        f"{container} calls {peer} by {call.address}:{call.port} "
        f"on {call.network}, and {owner} is not connected to that network{instead}",
        {
            call.seen_in: call.line,
            "times in its last lines": call.times,
            f"networks of {network_owner.name}": sorted(network_owner.endpoints),
            f"networks of {peer.name}": sorted(peer.endpoints),
        },
        discriminator=f"{call.address}:{call.port}",
        touches=(call.network.subject, peer.subject),
        calls=(peer.subject,),
        signs=frozenset({"timeout", "unreachable"}),
        recheck=(*container.caller_runs, peer.run),
        variables={"network": call.network.name, "container": network_owner.name},
    )
