"""firewall.masquerade-missing: packets hidden behind another address than the host's own."""

from collections.abc import Sequence

from checks.firewall.helpers import with_bridges
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.outgoing.other_address import OtherAddress
from diagnose.model import Finding
from diagnose.phrases import named


def hidden_behind_another(hidden_ways: Sequence[OtherAddress]) -> Finding:
    """The finding about one network."""
    first = hidden_ways[0]
    network = first.way.network
    uplink = first.way.uplink.name
    names = [hidden_way.way.container.name for hidden_way in hidden_ways]
    return Finding(
        subject=network.subject,
        summary=(
            f"{network}: packets of {named('container', names)} leave with source {first.taken}, "
            f"the first address of {uplink}, and no answer comes back; the host itself uses "
            f"{first.own}"
        ),
        evidence={
            "source of the default route": first.own,
            f"first address of {uplink}": first.taken,
            "nat POSTROUTING": str(first.way.sample.nat),
            "container": first.way.container.name,
        },
        variables={
            "network": network.name,
            "hidden": network.subnet4,
            "own_address": first.own,
            "uplink": uplink,
        },
        discriminator="address",
        touches=with_bridges([network]),
        signs=NO_WAY_OUT,
    )
