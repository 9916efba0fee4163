"""network.clients-unanswered: clients of a published port get no connection."""

from ipaddress import ip_address, ip_interface

from msgspec.structs import replace

from checks.network.causes import LOST_ON_THE_WAY
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.dns.forwarding_circles import ForwardingCircle, ForwardingCircles
from diagnose.evidence.network.absent_machine import AbsentMachine, HostLinks, absent_machine
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.sockets.unanswered_clients import (
    UnansweredClients,
    UnansweredClientsByPort,
)
from diagnose.mappings import only, present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import and_more, counted, sentence
from diagnose.registry import check


@check(
    "network.clients-unanswered",
    severity=Severity.warning,
    aloud=("has clients that get no answer", "have clients that get no answer"),
    caused_by=sorted((*LOST_ON_THE_WAY, "container.paused", "network.requests-taken-for-forged")),
)
def clients_unanswered(
    unanswered_clients: UnansweredClientsByPort,
    host_links: HostLinks,
    forwarding_circles: ForwardingCircles | None,
) -> CheckResult:
    """Clients of a published port try again and again, and get no connection.

    The kernel's table of connections shows how far their packets come. Either nothing comes back
    from the container, or its answers never reach the client: they take another way back than the
    requests came by, or a firewall beyond this host drops them. A client that has another
    connection to the port is served. Addresses of the internet may be false: they count where none
    of them is served, as advice. Over UDP only servers that answer every request count, such as
    DNS.
    """
    if not unanswered_clients.watched and not unanswered_clients.unread:
        return Skipped("no running container publishes a port whose connections are tracked")
    for clients in unanswered_clients:
        mistaken = _mistaken_neighbour(clients, host_links.neighbours)
        absent = None
        if clients.stage != "request" and not clients.stopped_by:
            absent = absent_machine(clients.clients[0], host_links)
        if absent is not None and absent.router:
            yield _led_away_finding(clients, absent)
        else:
            yield _finding(clients, mistaken, _circle(clients, forwarding_circles))
    yield from unanswered_clients.unread


def _mistaken_neighbour(
    clients: UnansweredClients, neighbours: Neighbours | None
) -> Neighbour | None:
    """The entry of the ARP table that gives the container's address to another machine; None for
    none.

    An entry that a program has made permanent outlives the container that it was made for.
    """
    if neighbours is None or clients.stage != "request":
        return None
    places = clients.container.endpoints.values()
    entries = (
        neighbours.mistaken(place.ip_address, place.mac_address)
        for place in places
        if place.ip_address and place.mac_address
    )
    return next(filter(None, entries), None)


def _circle(
    clients: UnansweredClients, circles: ForwardingCircles | None
) -> ForwardingCircle | None:
    """The circle in which the queries of a client come back to it; None unless both are DNS
    servers."""
    circle = circles.silent_of(clients.container) if circles is not None else None
    return circle if circle is not None and circle.other in clients.clients else None


def _finding(
    clients: UnansweredClients, mistaken: Neighbour | None, circle: ForwardingCircle | None = None
) -> Finding:
    container = clients.container
    client_names = counted("client", clients.clients, most=2)
    port = f"published port {clients.place}"
    if clients.is_ipv6:
        port = f"{port} over IPv6"
    if clients.stage == "request":
        failure = f"{container} does not answer {client_names} of {port}"
        reason = circle.clause if circle is not None else _silence_reason(clients, mistaken)
    else:
        failure = f"answers of {container} do not reach {client_names} of {port}"
        reason = _way_of_answers(clients)
    return Finding.about(
        container,
        sentence(failure, reason),
        present(
            {
                "connection attempts": clients.tries,
                "clients": and_more(clients.clients, 5),
                "state in the kernel's table": _state(clients),
                "way back": clients.route or None,
            }
        ),
        discriminator=" ".join(
            (clients.place, clients.stage, *(["ipv6"] if clients.is_ipv6 else []))
        ),
        severity=Severity.advice if clients.strangers else None,
        signs=NO_WAY_OUT,
        recheck=(container.run,),
        variables=_circle_variables(circle) or _variables(clients, mistaken),
    )


def _circle_variables(circle: ForwardingCircle | None) -> PageVariables:
    return {} if circle is None else {"circle": circle.other, "holder": circle.container.name}


def _led_away_finding(clients: UnansweredClients, absent: AbsentMachine) -> Finding:
    """The finding about clients beyond the router, in whose subnet another program of the
    host is."""
    client_names = counted("client", clients.clients, most=2)
    failure = f"answers of {clients.container} do not reach {client_names} of published port {clients.place}"
    return replace(
        _finding(clients, None),
        summary=sentence(failure, str(absent)),
        variables={
            "container": clients.container.name,
            "client": clients.clients[0],
            "port": str(clients.host_port),
            "family": "ipv4",
            "led_away": absent.address,
            "way_out": absent.router,
        },
    )


def _way_of_answers(clients: UnansweredClients) -> str:
    """The clause about the rule that drops the answers, or the interface by which they leave; ""
    where neither is known."""
    if clients.stopped_by:
        return f"{clients.stopped_by} drops them on this host"
    if not clients.leaves_by:
        return ""
    via = f" by router {clients.router}" if clients.router else ""
    return f"they leave this host through interface {clients.leaves_by}{via}"


def _silence_reason(clients: UnansweredClients, mistaken: Neighbour | None) -> str:
    """The reason why nothing comes back from the container, as far as the host shows it."""
    clients_network = _network_of_clients(clients)
    if clients.container.state.status == "paused":
        return "it is paused, and its processes are frozen"
    if mistaken is not None:
        return (
            f"the host's ARP table has {mistaken.mac} for {mistaken.address} on "
            f"{mistaken.interface}, which is not the container's"
        )
    if clients_network:
        return f'it answers them directly on network "{clients_network}", from an address that they did not call'
    if clients.protocol == "udp":
        return "its program may ignore clients outside its own network, as Pi-hole and Unbound do"
    return "the host passes the requests on to the container, and nothing comes back"


def _state(clients: UnansweredClients) -> str:
    if clients.protocol == "udp":
        return "UNREPLIED"
    return "SYN_SENT" if clients.stage == "request" else "SYN_RECV"


def _variables(clients: UnansweredClients, mistaken: Neighbour | None) -> PageVariables:
    """The page variables with the place, and with the block that is about it."""
    container = clients.container.name
    if clients.container.state.status == "paused":
        return {"frozen": container}
    if mistaken is not None:
        return {"mistaken": mistaken.address, "at_interface": mistaken.interface}
    place = {
        "container": container,
        "client": clients.clients[0],
        "port": str(clients.host_port),
        "family": "ipv6" if clients.is_ipv6 else "ipv4",
    }
    if clients.protocol == "udp":
        cure = _way_back(clients) or {"choosy": container}
        return {"container": container, "client": clients.clients[0], **cure}
    if clients.stage == "request":
        return {**place, **(_way_back(clients) or {"mute": container})}
    return {**place, **present({"leaves_by": clients.leaves_by, "router": clients.router})}


def _network_of_clients(clients: UnansweredClients) -> str:
    """The network of the container that these clients are on; "" where they are on none.

    The container answers them there without the host, which alone knows the address that they
    called.
    """
    for name, endpoint in clients.container.endpoints.items():
        place = f"{endpoint.ip_address}/{endpoint.ip_prefix_len}"
        if endpoint.ip_prefix_len and _is_in_subnet_of(place, clients.clients[0]):
            return name
    return ""


def _is_in_subnet_of(place: str, address: str) -> bool:
    """Whether an address is in the subnet of an interface, given as ADDRESS/LENGTH."""
    try:
        return ip_address(address) in ip_interface(place).network
    except ValueError:
        return False


def _way_back(clients: UnansweredClients) -> PageVariables:
    """The page variables of a route by which its answers come back to the host, where it
    has one."""
    clients_network = _network_of_clients(clients)
    endpoints = clients.container.endpoints
    others = [
        endpoint
        for name, endpoint in endpoints.items()
        if name != clients_network and endpoint.gateway
    ]
    other_endpoint = only(others) if clients_network else None
    if other_endpoint is None:
        return {}
    return {
        "near": clients_network,
        "address_inside": other_endpoint.ip_address,
        "gateway_inside": other_endpoint.gateway,
    }
