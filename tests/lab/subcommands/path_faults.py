"""x"""

from __future__ import annotations

from typing import NamedTuple


class Broken(NamedTuple):
    """A fault, the ends of a connection that fails with it, the kind of the broken hop, and the id
    that explains it."""

    scenario: str
    begin: str
    end: str
    kind: str
    id: str | None


FAULTS = [
    Broken("firewall.filter_flushed", "web", "internet", "filter", "firewall.chains-missing"),
    Broken("firewall.forward_jumps_lost", "web", "internet", "filter", "firewall.chains-missing"),
    Broken(
        "firewall.masquerade_deleted",
        "cart",
        "internet",
        "translation",
        "firewall.masquerade-missing",
    ),
    Broken(
        "firewall.dnat_deleted_without_proxy",
        "internet",
        "web:8080",
        "translation",
        "firewall.dnat-missing",
    ),
    Broken("firewall.answers_forgotten", "web", "internet", "filter", "firewall.chains-missing"),
    Broken("firewall.forwarding_off", "web", "internet", "forwarding", "firewall.forwarding-off"),
    Broken(
        "firewall.forwarding_off_on_one_bridge",
        "web",
        "internet",
        "forwarding",
        "firewall.forwarding-off",
    ),
    Broken(
        "firewall.dropped_by_another_table", "web", "internet", "filter", "firewall.forward-dropped"
    ),
    Broken(
        "firewall.dropped_before_tracking", "web", "internet", "filter", "firewall.forward-dropped"
    ),
    Broken(
        "firewall.dropped_in_docker_user", "web", "internet", "filter", "firewall.forward-dropped"
    ),
    Broken(
        "firewall.answers_dropped_in_docker_user",
        "web",
        "internet",
        "filter",
        "firewall.forward-dropped",
    ),
    Broken("network.bridge_switched_off", "cut", "internet", "bridge", "network.bridge-down"),
    Broken("network.docker0_without_address", "web", "internet", "bridge", "network.bridge-down"),
    Broken("network.docker0_without_route", "internet", "web:8080", "route", "network.bridge-down"),
    Broken(
        "network.route_into_a_subnet",
        "host",
        "stray:8080",
        "route",
        "network.subnet-overlaps-route",
    ),
    Broken(
        "network.route_to_nowhere",
        "swallowed",
        "internet",
        "route",
        "network.subnet-overlaps-route",
    ),
    Broken(
        "network.nobody_serves_the_port",
        "internet",
        "mute:8080",
        "listener",
        "network.published-port-not-listening",
    ),
    Broken(
        "network.served_on_loopback_only",
        "internet",
        "inward:18092",
        "listener",
        "network.published-port-not-listening",
    ),
    Broken("network.cable_pulled", "unplugged", "internet", "bridge", "network.veth-detached"),
    Broken(
        "network.default_route_deleted_inside",
        "wayward",
        "internet",
        "namespace",
        "network.veth-detached",
    ),
    Broken(
        "network.default_route_to_nobody",
        "misled",
        "internet",
        "namespace",
        "network.veth-detached",
    ),
    Broken(
        "attachment.joined_network_of_a_former_run",
        "torrent",
        "internet",
        "namespace",
        "network.veth-detached",
    ),
    Broken(
        "attachment.disconnected_from_its_only_network",
        "ledger",
        "internet",
        "network",
        "network.veth-detached",
    ),
    Broken("firewall.nft_flushed", "web", "internet", "translation", "firewall.chains-missing"),
    Broken(
        "firewall.exempt_from_masquerade",
        "web",
        "internet",
        "translation",
        "firewall.masquerade-missing",
    ),
    Broken(
        "firewall.translated_to_a_lost_address",
        "web",
        "internet",
        "translation",
        "firewall.masquerade-missing",
    ),
    Broken(
        "firewall.redirected_to_the_host",
        "internet",
        "web:8080",
        "translation",
        "firewall.dnat-missing",
    ),
    Broken(
        "firewall.saved_rules_of_an_earlier_boot",
        "internet",
        "web:8080",
        "translation",
        "firewall.dnat-stale",
    ),
    Broken(
        "firewall.port_of_the_host_taken_by_a_leftover_rule",
        "internet",
        "host:22",
        "filter",
        "firewall.dnat-stale",
    ),
    Broken(
        "firewall.jump_of_the_hosts_own_packets_lost",
        "host",
        "host:8080",
        "translation",
        "firewall.dnat-missing",
    ),
    Broken(
        "paths.database_on_the_host_behind_its_firewall",
        "api",
        "host:5432",
        "filter",
        "firewall.input-dropped",
    ),
    Broken(
        "paths.host_gateway_behind_a_native_table",
        "scraper",
        "host:9100",
        "filter",
        "firewall.input-dropped",
    ),
    Broken(
        "paths.database_on_loopback",
        "api",
        "host:5432",
        "listener",
        "network.host-service-not-listening",
    ),
    Broken(
        "paths.port_of_a_neighbour_on_loopback",
        "api",
        "host:5432",
        "listener",
        "network.host-service-not-listening",
    ),
    Broken(
        "paths.bridge_to_bridge_rejected_in_docker_user",
        "api",
        "db:8080",
        "filter",
        "firewall.between-containers",
    ),
    Broken(
        "attachment.joined_container_was_made_anew",
        "bereft",
        "internet",
        "network",
        "network.veth-detached",
    ),
    Broken(
        "attachment.disconnected_from_the_default_network",
        "adrift",
        "internet",
        "network",
        "network.veth-detached",
    ),
    Broken(
        "network.routing_policy_without_its_vpn",
        "routed",
        "internet",
        "route",
        "network.subnet-overlaps-route",
    ),
    Broken(
        "network_owners.default_route_on_a_port",
        "web",
        "internet",
        "route",
        "network.interface-taken",
    ),
    Broken(
        "network_owners.default_route_on_docker0",
        "web",
        "internet",
        "route",
        "network.interface-taken",
    ),
    Broken(
        "network_owners.tunnel_into_a_subnet",
        "host",
        "hidden:8080",
        "route",
        "network.subnet-overlaps-route",
    ),
    Broken(
        "network_wiring.port_on_an_internal_network",
        "internet",
        "unreached:18220",
        "listener",
        "network.published-on-internal",
    ),
    Broken(
        "network.port_of_another_container",
        "internet",
        "second:8080",
        "process",
        "network.port-allocated",
    ),
    Broken(
        "attachment.joined_container_was_stopped",
        "orphan",
        "internet",
        "namespace",
        "network.veth-detached",
    ),
    Broken(
        "attachment.service_of_compose_without_a_network",
        "shop-pg-1",
        "internet",
        "network",
        "network.veth-detached",
    ),
    Broken("container.paused_and_forgotten", "internet", "frozen:8080", "process", None),
]
