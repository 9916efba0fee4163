"""Texts of refused starts for the rows of `diagnose/programs/failures/starts/networks.py`."""

from __future__ import annotations

STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "endpoint-left-behind": (
        "failed to set up container networking: endpoint with name app already exists in network shop",
        {"stale_network": "shop", "stale_endpoint": "app"},
    ),
    "address-outside": (
        "failed to set up container networking: invalid address 10.9.9.9: It does not belong to any of this network's subnets",
        {"network": "shop"},
    ),
    "address-without-subnet": (
        "no configured subnet contains IP address 10.9.9.9",
        {"network": "shop"},
    ),
    "address-not-configured": (
        "user specified IP address is supported only when connecting to networks with user configured subnets",
        {"network": "shop"},
    ),
    "address-no-address": (
        "invalid endpoint settings:\ninvalid IPv4 address: 10.300.1.1",
        {"network": "shop"},
    ),
    "bridge-full": (
        "failed to set up container networking: failed to create endpoint app on network shop: adding interface veth12 to bridge br-77 failed: exchange full",
        {"bridge": "br-77"},
    ),
    "bridge-deleted": (
        "failed to set up container networking: failed to create endpoint app on network shop: adding interface veth12 to bridge br-77 failed: could not find bridge br-77: route ip+net: no such network interface",
        {"after_restart": "app"},
    ),
    "veth-unknown": (
        "failed to set up container networking: failed to create endpoint app on network shop: failed to add the host (veth12) <=> sandbox (veth34) pair interfaces: operation not supported",
        {"module": "veth"},
    ),
    "raw-table-missing": (
        (
            "failed to set up container networking: driver failed programming external connectivity on "
            "endpoint web: Unable to enable DIRECT ACCESS FILTERING - DROP rule:  (iptables failed: "
            "iptables --wait -t raw -A PREROUTING -d 172.17.0.2 ! -i docker0 -j DROP: iptables v1.8.7 "
            "(legacy): can't initialize iptables table `raw': Table does not exist (do you need to "
            "insmod?) Perhaps iptables or your kernel needs to be upgraded. (exit status 3))"
        ),
        {"module": "iptable_raw", "rawless": "app"},
    ),
    "iptables-table-missing": (
        (
            "driver failed programming external connectivity on endpoint web: (iptables failed: iptables "
            "--wait -t nat -A DOCKER: iptables v1.8.7 (legacy): can't initialize iptables table `nat': "
            "Table does not exist (do you need to insmod?)"
        ),
        {"module": "iptable_nat"},
    ),
    "routes-conflict": (
        "failed to set up container networking: cannot program address 10.77.5.2/24 in sandbox interface because it conflicts with existing route {Ifindex: 2 Dst: 10.77.5.0/24 Src: <nil> Gw: <nil>}",
        {"network": "shop"},
    ),
    "gateway-outside": (
        "failed to set up container networking: failed to set gateway while updating gateway: route for the gateway 10.77.9.1 could not be found: network is unreachable",
        {"looked_at": "shop"},
    ),
    "parent-in-use": (
        "failed to set up container networking: failed to create the macvlan port: device or resource busy",
        {"looked_at": "shop"},
    ),
    "parent-missing": (
        "failed to set up container networking: failed to create endpoint app on network shop: failed to create the macvlan port: no such device",
        {"looked_at": "shop"},
    ),
    "parent-not-on-host": ("-o parent interface was not found on the host: eth1", {}),
    "vxlan-left-behind": (
        'failed to set up container networking: subnet sandbox join failed for "10.0.1.0/24": error creating vxlan interface: file exists',
        {"vxlan": "vxlan"},
    ),
    "swarm-attachment": (
        "Could not attach to network shop: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        {"looked_at": "shop"},
    ),
    "port-forbidden": (
        "failed to set up container networking: driver failed programming external connectivity on endpoint app (4a5b): Error starting userland proxy: listen tcp4 0.0.0.0:9090: bind: permission denied",
        {"kernel_setting": "net.ipv4.ip_unprivileged_port_start=9090"},
    ),
    "linked-elsewhere": ("Cannot link to /db, as it does not belong to the default network", {}),
    "peer-restarting": (
        "cannot join network namespace of container: Container web2 is restarting, wait until the container is running",
        {"restarting": "web2"},
    ),
    "ipc-private": (
        "container 71b2: non-shareable IPC (hint: use IpcMode:shareable for the donor container)",
        {"donor": "71b2"},
    ),
}
