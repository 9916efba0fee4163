"""The things that a container or its host lacks, so that its calls fail; and the place to which
a failed call goes."""

from ipaddress import ip_address

import msgspec

from diagnose.evidence.dns.names.moved_names import MovedName
from diagnose.evidence.dns.names.name_search import name_variables
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.absent_machine import AbsentMachine
from diagnose.evidence.network.addresses import is_address, is_itself, is_loopback
from diagnose.evidence.network.calls.failing_calls import where_named
from diagnose.evidence.network.calls.logged_failures import LoggedFailure
from diagnose.evidence.network.calls.unanswered_call import MAIL, MAIL_BLOCKED
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.mappings import present
from diagnose.model import PageVariables


class Lack(msgspec.Struct, frozen=True):
    """A part that a container or its host does not have, and that each of these calls needs."""

    what: str
    cure: dict[str, str]
    is_sure: bool = True
    """Whether the calls cannot succeed; a machine of the local network may just be off."""


def what_it_lacks(failure: LoggedFailure, resolvers: Resolvers | None) -> Lack | None:
    """The network or the DNS server that the caller does not have, and that its call needs."""
    container = failure.container
    if container.host_config.network_mode == "none" and not is_itself(failure.host):
        return Lack("its network mode is none: it has no network", {"unconnected": container.name})
    conf = resolvers.inside.get(container.id) if resolvers is not None else None
    if failure.kind == "dns" and conf is not None and not conf.nameservers:
        return Lack("its /etc/resolv.conf names no DNS server", {"rewritten": container.name})
    return None


def is_ipv4(host: str) -> bool:
    """Whether a host is an IPv4 address of another machine."""
    return ":" not in host and is_address(host) and not is_loopback(host)


def led_away(absent: AbsentMachine | None) -> Lack | None:
    """The lack of the route by the router, where another route takes the packets; None for none."""
    if absent is None or not absent.router:
        return None
    return Lack(str(absent), {"led_away": absent.address, "way_out": absent.router})


def lack_of_moved_name(moved: MovedName | None) -> Lack | None:
    """The lack of the name's present address, where the program calls another one; None
    for none."""
    if moved is None:
        return None
    return Lack(str(moved), dict(moved.cure))


def lack_of_machine(failure: LoggedFailure, neighbours: Neighbours | None) -> Lack | None:
    """The network on which no machine has the called address."""
    if neighbours is None or not is_ipv4(failure.host) or failure.peer is not None:
        return None
    entry = neighbours.unanswered(failure.host)
    if entry is None:
        return None
    reason = f"no machine on the network of interface {entry.interface} has that address"
    keeper = "" if where_named(failure.host, failure.container) else failure.container.name
    variables = {**call_variables(failure), **present({"keeps": keeper})}
    return Lack(reason, variables, is_sure=False)


def blocked_mail(failure: LoggedFailure) -> Lack | None:
    """The port of mail servers, which many providers block.

    Where another mail server takes messages there, the port is open, and this one is down.
    """
    is_mail = failure.port == MAIL and failure.kind == "timeout" and failure.peer is None
    is_closed = is_mail and not failure.delivers_mail
    if not is_closed or not is_address(failure.host) or not ip_address(failure.host).is_global:
        return None
    return Lack(
        MAIL_BLOCKED,
        {**call_variables(failure), "mailer": failure.container.name, "mail_server": failure.host},
    )


def call_variables(failure: LoggedFailure) -> PageVariables:
    """The page variables of the place, where the line names host and port; or of the name that does
    not resolve."""
    if failure.kind == "dns":
        return name_variables(failure.container, failure.host)
    if is_itself(failure.host):
        return {"self_called": failure.container.name}
    if not failure.host or not failure.port:
        return {}
    place = {"called": failure.host, "port": str(failure.port)}
    return {**place, "refuser": failure.host} if failure.kind == "refused" else place
