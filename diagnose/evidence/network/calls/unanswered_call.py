"""A connection that a container tries to open, and where its packets are lost. Pure."""

from ipaddress import ip_address, ip_network
from typing import Literal

import msgspec

from diagnose.evidence.containers.addresses.proxy_settings import EngineProxy
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.absent_machine import AbsentMachine
from diagnose.evidence.network.addresses import BROWSED_PORTS, with_port
from diagnose.evidence.network.calls.ways_through_containers import WayThroughContainer
from diagnose.evidence.network.neighbours import Neighbour
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.wanted.wants import DEPENDENCIES
from diagnose.evidence.network.rules.refusing_routes import in_words, is_refusal
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.lazy_pattern import LazyPattern

METADATA = "169.254.169.254"
"""The address of the metadata service of clouds."""
_OF_SITES = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7")
)
"""The networks of sites, within which machines are most often called without a proxy."""
MESH = ip_network("100.64.0.0/10")
"""The addresses that Tailscale, NetBird and others give the machines of a private network. On the
internet nobody has one."""
_TUNNEL = LazyPattern(r"^(?:tailscale|netbird|nebula|utun|tun|wg|wt|zt)")
"""Names of the interfaces of private networks."""
MAIL = 25
"""The port at which mail servers of the internet take mail from each other."""
MAIL_BLOCKED = "many providers block outgoing port 25 until a customer asks them to open it"
CallLoss = Literal[
    "metadata",
    "untranslated",
    "stopped here",
    "foreign source",
    "wrong neighbour",
    "loopback down",
    "near the caller",
    "routed",
    "mesh",
    "router silent",
    "led away",
    "through a container",
    "udp",
    "own site",
    "proxy",
    "mail",
    "no machine",
    "no container",
    "own rules",
    "over IPv6",
    "undecided here",
    "beyond",
]
"""The place where the packets of a call or their answers are lost, as far as this host shows."""


class UnansweredCall(msgspec.Struct, frozen=True):
    """Requests of one container to one place, repeated without an answer."""

    container: Container
    address: str
    port: int
    repeats: int
    network: Network | None = None
    """The network by which they leave; None where that is not known."""
    peer: Container | None = None
    """The container that has the address."""
    of_network: Network | None = None
    """The Docker network with it in its subnet."""
    named_by: str = ""
    """The setting of the container that names it."""
    no_machine: str = ""
    """The interface on which no machine has it, by ARP."""
    led_away: AbsentMachine | None = None
    """The same where that interface is another program's, and the router is another way."""
    is_closed_in: bool = False
    """Whether all networks of the container are internal."""
    may_filter: bool = False
    """Whether its own namespace may hold rules (NET_ADMIN)."""
    silent_router: str = ""
    """The host's router, where its address does not answer."""
    trace: Trace | None = None
    """The trace of the packets through the host."""
    expired: int = 0
    """Packets that this host has thrown away because their hop limit ended here, by its own counter
    since boot."""
    further: tuple[str, ...] = ()
    """More addresses that do not answer at the same port."""
    protocol: Literal["tcp", "udp"] = "tcp"
    own_name: str = ""
    """A name that the caller calls and that this host serves at the same port."""
    publisher: Container | None = None
    """The container that publishes the same port on this host."""
    engine_proxy: EngineProxy | None = None
    """The proxy that the engine uses and the caller lacks."""
    foreign_source: str = ""
    """The source that a rule gives its packets, where this host does not have that address."""
    mistaken: Neighbour | None = None
    """The caller's ARP entry of its peer, where that holds another machine's hardware address."""
    has_loopback: bool = True
    """Whether the loopback interface of the caller's namespace is up."""
    peer_answers_host: bool = False
    """Whether the peer answers this host at the same place."""
    way_through: WayThroughContainer | None = None
    """The container that reaches the address by a tunnel, which this host does not."""
    mesh_client: Container | None = None
    """The container that runs the client of a private network without an interface of its own."""
    is_refused: bool = False
    """Whether the caller gets a refusal, and its log says so: a rule answers in place of the peer.
    """

    @property
    def has_no_way_out(self) -> bool:
        """Whether it calls the outside from a container that is on internal networks only."""
        return self.network is None and self.of_network is None and self.is_closed_in

    @property
    def is_to_itself(self) -> bool:
        """Whether the caller has the called address itself: its packets take its loopback."""
        return self.peer is not None and self.peer.id == self.container.id

    @property
    def is_open_to_peer(self) -> bool:
        """Whether another container is called, and nothing that this host shows stops the call."""
        is_stopped = self.obstacle is not None or self.mistaken is not None
        return self.peer is not None and not self.is_to_itself and not is_stopped

    @property
    def is_untranslated(self) -> bool:
        """Whether it leaves the host with the container's own address, which the engine hides."""
        if self.network is None or self.trace is None or self.of_network is not None:
            return False
        if self._is_routed:
            return False
        is_open = self.trace.obstacle is None or self.trace.obstacle.part == "reply"
        leaves = bool(self.trace.to) and is_open and self.network.masquerades
        return leaves and self.trace.snat is None and not self.trace.nat_unknown

    @property
    def loss(self) -> CallLoss:
        """The place where the call is lost: the first of these that holds."""
        cases: tuple[tuple[CallLoss, bool], ...] = (
            ("metadata", self.address == METADATA),
            ("untranslated", self.is_untranslated),
            ("stopped here", self.obstacle is not None),
            ("foreign source", bool(self.foreign_source)),
            ("wrong neighbour", self.mistaken is not None),
            ("loopback down", self.is_to_itself and not self.has_loopback),
            ("near the caller", self.peer_answers_host),
            ("routed", self._is_routed),
            ("mesh", self._is_in_mesh),
            ("router silent", self._is_beyond_silent_router),
            ("led away", self.led_away is not None),
            ("through a container", self._is_behind_container),
            ("udp", self.protocol == "udp"),
            ("own site", self.is_own_site),
            ("proxy", self._is_without_proxy),
            ("mail", self._is_mail),
            ("no machine", bool(self.no_machine)),
            ("no container", self.of_network is not None and self.peer is None),
            ("own rules", self.may_filter and self.peer is None),
            ("over IPv6", self._may_use_ipv4),
            ("undecided here", self.doubtful is not None),
        )
        return next((name for name, holds in cases if holds), "beyond")

    @property
    def obstacle(self) -> Obstacle | None:
        """The obstacle that certainly stops requests or their answers on this host; or None."""
        return self.trace.obstacle if self.trace is not None and self.trace.is_blocked else None

    @property
    def doubtful(self) -> Obstacle | None:
        """The rule of this host of which it is not known whether it stops the call; or None."""
        is_decided = self.trace is None or self.trace.is_blocked
        return None if is_decided or self.trace is None else self.trace.obstacle

    @property
    def stopped_by(self) -> str:
        """The rule or the route that is the obstacle, as the subject of a sentence."""
        if self.obstacle is None:
            return ""
        return in_words(self.obstacle.by) if is_refusal(self.obstacle) else str(self.obstacle.by)

    @property
    def stopper(self) -> str:
        """The chain or the route that is the obstacle, as the subject of a sentence.

        The text of a rule is for those who know iptables: the evidence has it.
        """
        if self.obstacle is None or is_refusal(self.obstacle):
            return self.stopped_by
        return self.obstacle.by.place_in_words

    @property
    def lost_part(self) -> str:
        """The lost part of the call, in words."""
        is_reply = self.obstacle is not None and self.obstacle.part == "reply"
        return "answers" if is_reply else "requests"

    @property
    def _is_routed(self) -> bool:
        """Whether it leaves a network in gateway mode `routed`, which translates no addresses."""
        if self.network is None or self.of_network is not None or self.trace is None:
            return False
        family = "6" if self.is_ipv6 else "4"
        mode = self.network.option(f"com.docker.network.bridge.gateway_mode_ipv{family}", "nat")
        return mode == "routed" and self.trace.obstacle is None

    @property
    def _is_in_mesh(self) -> bool:
        """Whether a machine of a private network is called, and no tunnel leads there."""
        if self.is_ipv6 or self.of_network is not None or self.trace is None:
            return False
        out = self.trace.to
        is_outside = out is not None and bool(out) and not _TUNNEL.search(out)
        return ip_address(self.address) in MESH and is_outside

    @property
    def mesh_clause(self) -> str:
        """The reason why no tunnel leads to the private network."""
        out = self.trace.to if self.trace is not None else ""
        what = (
            f"addresses in {MESH} are of a private network such as Tailscale, or of the provider, "
            f"and no tunnel of this host leads there: the call leaves by {out}"
        )
        client = self.mesh_client
        return f"{what}; {client} joins it without an interface (userspace)" if client else what

    @property
    def _is_behind_container(self) -> bool:
        """Whether it leaves by the uplink for a network that a container reaches by a tunnel."""
        is_open = self.trace is None or self.trace.obstacle is None
        return self.way_through is not None and self.of_network is None and is_open

    @property
    def _is_beyond_silent_router(self) -> bool:
        return bool(self.silent_router) and not self.no_machine

    @property
    def is_own_site(self) -> bool:
        """Whether it is this site's own public address by which this host's service is called."""
        is_open = self.trace is None or self.trace.obstacle is None
        is_answered_for = not self.silent_router and not self.no_machine
        serves_name = bool(self.own_name) and self.publisher is not None
        return serves_name and is_open and is_answered_for

    @property
    def _is_without_proxy(self) -> bool:
        """Whether a web server of the internet is called, to which the engine takes a proxy."""
        is_web = self.port in BROWSED_PORTS and not any(
            ip_address(self.address) in net for net in _OF_SITES if net.version == self._version
        )
        is_outside = is_web and self.peer is None and self.of_network is None
        return is_outside and not self.no_machine and self.engine_proxy is not None

    @property
    def _may_use_ipv4(self) -> bool:
        """Whether it calls over IPv6, from a network that has a way over IPv4 too."""
        is_outside = self.is_ipv6 and self.of_network is None and self.peer is None
        return is_outside and self.network is not None and bool(self.network.subnets4)

    @property
    def _is_mail(self) -> bool:
        """Whether a mail server of the internet is called, and the router of this host answers."""
        is_outside = ip_address(self.address).is_global and not self.silent_router
        return self.port == MAIL and is_outside

    @property
    def is_device_off(self) -> bool:
        """Whether a machine of the local network is off that a program found automatically.

        This host lets the call pass, and the address has no answer by ARP.
        """
        is_open = self.trace is None or self.trace.obstacle is None
        is_its_own = self.of_network is None and self.led_away is None
        is_off = bool(self.no_machine) and is_open and is_its_own
        is_needed = bool(self.named_by) or self.port in DEPENDENCIES or self.container.is_unwell
        return is_off and not is_needed

    @property
    def is_watched(self) -> bool:
        """Whether a monitor has found another machine down, and nothing here is to blame.

        The target in its variables is its own database or mail server, which it needs.
        """
        is_elsewhere = self.peer is None and self.of_network is None
        is_beyond = self.loss in ("beyond", "over IPv6", "mail", "no machine", "udp")
        is_needed = bool(self.named_by) or self.container.is_unhealthy
        return self.container.watches_others and is_elsewhere and is_beyond and not is_needed

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.address

    @property
    def _version(self) -> int:
        return 6 if self.is_ipv6 else 4

    @property
    def source(self) -> str:
        """The address of the container on the network by which it calls."""
        if self.network is None:
            return ""
        endpoint = self.container.endpoints[self.network.name]
        return endpoint.global_ipv6_address if self.is_ipv6 else endpoint.ip_address

    @property
    def place(self) -> str:
        """ADDRESS:PORT as people write it; ADDRESS:PORT/udp."""
        place = with_port(self.address, self.port)
        return f"{place}/udp" if self.protocol == "udp" else place
