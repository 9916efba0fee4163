"""Rules that firewalls and administrators have left in the way."""

from __future__ import annotations

import shlex

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, WEB
from tests.lab.scenarios.paths.helpers import DEAF, gets


@fault(
    "firewall.forward-dropped",
    subject="host:host",
    also=[*DEAF, ("firewall.bypassed-by-publish", "*")],
)
def queries_dropped_on_the_way_to_a_tunnel(box: Box) -> None:
    """A VPN's chain drops new connections that leave through its tunnel, where the DNS server of
    the containers is."""
    box.sh(f"""
        ip link add link eth0 name tailscale0 type macvlan mode bridge
        ip addr add 192.0.2.77/32 dev tailscale0
        ip link set tailscale0 up
        ip route add 100.100.100.100/32 via {GATEWAY} dev tailscale0 onlink
        iptables -N ts-forward
        iptables -A ts-forward -o tailscale0 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP
        iptables -I FORWARD -j ts-forward
    """)
    box.docker(
        "run", *shlex.split("-d --name asker --dns 100.100.100.100 -m 32m bb:1.36 sleep 1000")
    )


@healthy()
def closed_way_to_a_tunnel_that_nobody_needs(box: Box) -> None:
    """The same chain where no container is configured with anything behind the tunnel."""
    box.sh(f"""
        ip link add link eth0 name tailscale0 type macvlan mode bridge
        ip addr add 192.0.2.77/32 dev tailscale0
        ip link set tailscale0 up
        ip route add 100.100.100.100/32 via {GATEWAY} dev tailscale0 onlink
        iptables -N ts-forward
        iptables -A ts-forward -o tailscale0 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP
        iptables -I FORWARD -j ts-forward
    """)


@fault("firewall.chains-missing", subject="host:host", also=DEAF)
def reloaded_with_a_file_of_its_own(box: Box) -> None:
    """iptables-services replaces every table by its own file, whose last rule rejects: Docker's
    rules are gone, and stand first."""
    box.write(
        "/tmp/rules",
        """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
""",
    )
    box.sh(
        "iptables -t nat -F; iptables -t nat -X; iptables -F; iptables -X; iptables-restore </tmp/rules"
    )


@fault(
    "firewall.masquerade-missing",
    subject="network:bridge",
    also=DEAF,
    config={"iptables": False},
    baseline=False,
)
def rules_left_to_nobody(box: Box) -> None:
    """The engine is told to write no rules, and nobody else translates: containers get no answer
    from any server."""
    box.docker("run", *shlex.split("-d --name plain -m 32m bb:1.36 sleep 1000"))
    assert not gets(box, "plain", f"http://{WEB}/")


@fault(
    "firewall.masquerade-missing",
    subject="network:shop",
    also=DEAF,
    config={"iptables": False},
    baseline=False,
)
def rules_left_to_nobody_behind_the_engines_resolver(box: Box) -> None:
    """The same on a network of its own, whose containers get every name from the engine: only their
    connections fail."""
    box.docker("network", "create", "shop")
    box.docker("run", *shlex.split("-d --name plain --network shop -m 32m bb:1.36 sleep 1000"))
    assert not gets(box, "plain", f"http://{WEB}/")


@fault("firewall.bypassed-by-publish", subject="container:web")
def port_denied_by_name(box: Box) -> None:
    """The administrator has closed this very port for everyone, and it is open all the same."""
    box.sh(
        "iptables -N ufw-user-input; iptables -A INPUT -j ufw-user-input; iptables -A ufw-user-input -p tcp --dport 8080 -j DROP"
    )
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"
