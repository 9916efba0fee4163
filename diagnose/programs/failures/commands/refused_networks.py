"""Networks that the engine does not make, and containers that it does not attach."""

from diagnose.programs.failures.recognition import Failure

_ADDRESSES = (
    Failure(
        name="bridge-of-other-network",
        mark="networks have same bridge name",
        pattern=r"conflicts with network (?P<other>\w{1,64}) \((?P<bridge>[\w.-]{1,16})\): networks have same bridge name",
        cause="another network has the bridge {bridge} already",
        cure="docker network inspect {other} shows it: use that network, or another com.docker.network.bridge.name",
    ),
    Failure(
        name="subnet-of-other-network",
        mark="networks have overlapping ipv",
        pattern=r"conflicts with network (?P<other>\w{1,64}) \([\w.-]{1,16}\): networks have overlapping (?P<kind>IPv[46])",
        cause="another network of this engine has these {kind} addresses, or a part of them",
        cure="docker network inspect {other} --format '{{json .IPAM.Config}}' shows its subnet: take another one, or remove that network",
    ),
    Failure(
        name="several-subnets",
        mark=("multiple subnets", "multiple overlapping subnet", "cannot configure multiple"),
        pattern=r"bridge driver doesn't support multiple subnets|multiple overlapping subnet configuration is not supported"
        r"|cannot configure multiple (?P<what>ranges|gateways) \([^)\n]{1,100}\) (?:on|for) the same subnet",
        cause="the network is given several subnets, ranges or gateways of one kind, and its driver takes one for IPv4 and one for IPv6",
        cure="keep one --subnet, --ip-range and --gateway of each kind (compose: ipam.config)",
    ),
    Failure(
        name="gateway-mode-needs-internal",
        mark="gateway mode",
        pattern=r"gateway mode 'isolated' can only be used for an internal network",
        cause="gateway_mode_ipv4=isolated leaves the network without a way out, and the network is not declared as internal",
        cure="add --internal (compose: internal: true), or leave the option out",
    ),
)

_LINKS = (
    Failure(
        name="parent-already-used",
        mark="already using parent interface",
        pattern=r"network (?:dm-)?(?P<other>[\w.-]{1,64}) is already using parent interface (?P<parent>[\w.@-]{1,16})",
        cause="network {other} has the interface {parent} already, and cannot share it: engines before 27 give one parent to one macvlan network, "
        "and every engine does so for ipvlan and in mode passthru",
        cure="docker network inspect {other} shows it: use that network, or a VLAN of its own (-o parent={parent}.10)",
    ),
    Failure(
        name="vlan-malformed",
        mark="vlan",
        pattern=r"""(?x)
              invalid\ subinterface\ vlan\ name\ (?P<value>[\w.@-]{1,40})
            | vlan\ id\ must\ be\ between\ 1-4094,\ received:\ (?P<value_id>\d{1,9})
            | required\ interface\ name\ format\ is:\ name\.vlan_id[^\n]{0,60}received\ (?P<value_form>[\w.@-]{1,40})
            | unable\ to\ parse\ a\ valid\ vlan\ id\ from:\ (?P<value_no>[\w.@-]{1,40})
        """,
        cause='"{value}" is not an interface with a VLAN: that is an interface, a full stop, and a number from 1 to 4094',
        cure="write -o parent=eth0.10, or the name of an interface that ip -br link lists",
    ),
    Failure(
        name="parent-is-loopback",
        mark="loopback interface",
        pattern=r"loopback interface is not a valid (?P<kind>macvlan|ipvlan) parent link",
        cause="a {kind} network was to hang on the loopback interface, which leads nowhere",
        cure="give it an interface of the LAN: -o parent=eth0 (ip -br link lists them)",
    ),
)

_SWARM = (
    Failure(
        name="overlay-without-swarm",
        mark=("swarm scoped network", "multi-host network from a worker"),
        pattern=r"cannot create a swarm scoped network when swarm is not active"
        r"|Cannot create a multi-host network from a worker node",
        cause="an overlay network belongs to a swarm, and this engine is in none, or is a worker",
        cure="make the network on a manager (docker node ls); docker swarm init makes a swarm of this host",
    ),
    Failure(
        name="attachment-unanswered",
        mark="attaching to network failed",
        pattern=r"attaching to network failed, make sure your network options are correct and check manager logs",
        cause="no manager of the swarm gave the container an address on the overlay network in time: the managers are not reached, "
        "have no quorum, or the subnet has no address left",
        cure="docker node ls says whether the swarm has a leader; docker network inspect -v NETWORK shows the addresses in use",
        confirmed_by="swarm.quorum-lost",
    ),
)

REFUSED_NETWORKS = (*_ADDRESSES, *_LINKS, *_SWARM)
"""The first row that fits counts."""
