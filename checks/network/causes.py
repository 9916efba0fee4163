"""Ids that may be the cause of a connection that does not come about."""

LOST_ON_THE_WAY = (
    "firewall.between-containers", "firewall.dropped-inside-container", "firewall.forward-dropped",
    "network.accept-queue-full", "network.bridge-down", "network.local-net-diverted",
    "network.mac-duplicate", "network.neighbour-table-full", "network.replies-misrouted",
    "network.requests-unanswered", "network.subnet-overlaps-route", "network.veth-detached",
)  # fmt: skip
"""Faults that keep packets from a running container, or its answers from their receiver."""

NO_WAY_TO_PEER = (
    *LOST_ON_THE_WAY,
    "container.paused", "firewall.backend-mixed", "firewall.chains-missing",
    "firewall.forwarding-off", "firewall.input-dropped", "firewall.masquerade-missing",
    "firewall.redirected-to-nobody", "network.interface-taken", "network.peer-address-stale",
    "network.cluster-address-stale", "network.peer-on-other-network",
)  # fmt: skip
"""Faults that make a container wait for an answer from any target."""
