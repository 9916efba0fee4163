"""Starts of the engine that fail at its networks, firewall rules and kernel modules."""

from diagnose.programs.failures.engine.storage import TORN
from diagnose.programs.failures.recognition import Failure

NETWORKS = (
    Failure(
        name="bridges-of-one-name",
        mark="same bridge name",
        pattern=r"networks have same bridge name",
        cause="its record of the networks has the default bridge twice",
        cure="move the record aside; the engine makes a new one",
        source="moby/moby#20680",
        page={"database": "{root}/network/files/local-kv.db"},
    ),
    Failure(
        name="bridge-overlaps",
        mark="pool overlaps",
        pattern=r"default \\?\"bridge\\?\" network: .{0,60}Pool overlaps with other one on this address",
        cause="its record of the networks has another one with addresses of the default bridge",
        cure="move the record aside; the engine makes a new one",
        source="moby/moby#18113",
        page={"database": "{root}/network/files/local-kv.db"},
    ),
    Failure(
        name="networks-torn",
        mark="store",
        pattern=r"(?:from store|from local store)\S*: .*" + TORN,
        cause="its record of the networks is corrupt",
        cure="move the record aside; the engine makes a new one",
        source="moby/moby#22486",
        page={"database": "{root}/network/files/local-kv.db"},
    ),
    Failure(
        name="networks-invalid",
        mark="invalid database",
        pattern=r"network controller: .*invalid database",
        cause="its record of the networks is corrupt",
        cure="move the record aside; the engine makes a new one",
        page={"database": "{root}/network/files/local-kv.db"},
    ),
    Failure(
        name="networks-locked",
        mark="timeout",
        pattern=r"could not get list of networks: timeout|controller instance: timeout",
        cause="another process has its record of the networks locked",
        cure="stop that process: most often another dockerd",
        source="moby/moby#22507",
        page={"locked": "{root}/network/files/local-kv.db"},
    ),
    Failure(
        name="kernel-modules-gone",
        mark="not found in directory",
        pattern=r"Module (?P<module>\S+) not found in directory (?P<folder>/lib/modules/\S+)",
        cause="the running kernel has no module {module} in {folder}, as after an upgrade of the "
        "kernel without a reboot",
        cure="reboot into the installed kernel",
        source="docker/for-linux#259",
    ),
    Failure(
        name="match-unknown",
        mark="missing kernel module",
        pattern=r"Extension (?P<match>\w+) revision \d+ not supported, missing kernel module",
        cause="the kernel has no module xt_{match}, which the engine's firewall rules need",
        cure="load it; a slim kernel needs its package of extra modules",
        source="moby/moby#47626",
        page={"module": "xt_{match}"},
    ),
    Failure(
        name="match-not-loaded",
        mark="couldn't load match",
        pattern=r"Couldn't load match `(?P<match>\w{1,40})'",
        cause="iptables finds no match {match}: its file libxt_{match}.so is not there, or the kernel has no module "
        "xt_{match}",
        cure="load the module; if that helps nothing, reinstall the package iptables, and after an upgrade of the kernel reboot",
        source="iptables' own message",
        page={"module": "xt_{match}"},
    ),
    Failure(
        name="target-unknown",
        mark="rule_append failed",
        pattern=r"-j (?P<target>MASQUERADE)\b.*RULE_APPEND failed \(No such file",
        cause="the kernel has no module xt_{target}, which the engine's firewall rules need",
        cure="load it; a slim kernel needs its package of extra modules",
        source="docker/for-linux#1104",
        page={"module": "xt_{target}"},
    ),
    Failure(
        name="table-not-in-kernel",
        mark="does not exist",
        pattern=r"can't initialize (?P<tool>ip6?tables) table `(?P<table>\w{1,20})'",
        cause="the kernel has no table {table} for {tool}: its module is not loaded, or no longer on the disk after an upgrade",
        cure="run `modprobe iptable_{table} ip6table_{table}`; if that finds nothing, reboot into the installed kernel",
    ),
    Failure(
        name="no-iptables",
        mark="iptables",
        pattern=r'(?:failed to find iptables|"iptables": executable file not found)',
        cause="the host has no program iptables, which the engine needs",
        cure="install the package iptables",
        page={"package": "iptables"},
    ),
    Failure(
        name="nft-not-in-kernel",
        mark="(nf_tables)",
        pattern=r"""(?x)
            \(nf_tables\):?\ {1,4}(?:
                  (?:RULE|CHAIN)_\w{1,20}\ failed\ \((?:
                        No\ such\ file\ or\ directory
                      | Operation\ not\ supported | Invalid\ argument
                    )\)
                | Could\ not\ fetch\ rule\ set\ generation\ id:\ Invalid\ argument
                | Failed\ to\ initialize\ nft:\ Protocol\ not\ supported
              )
        """,
        cause="iptables is its nf_tables variant, and this kernel lacks what it needs (as those of WSL, "
        "of a NAS or of a small VPS do)",
        cure="switch to the legacy variant of iptables, or boot a kernel with nf_tables and nft_compat",
        source="microsoft/WSL#6655",
        page={"legacy": "/usr/sbin/iptables-legacy"},
    ),
    Failure(
        name="iptables-denied",
        mark="must be root",
        pattern=r"Permission denied \(you must be root\)",
        cause="the engine may not change the firewall: it runs in a container, or its unit takes "
        "CAP_NET_ADMIN away",
        cure="give the outer container or the unit CAP_NET_ADMIN",
        source="moby/moby#41553",
    ),
    Failure(
        name="iptables-locked",
        mark="xtables lock",
        pattern=r"Another app is currently holding the xtables lock",
        cause="another program holds the lock of iptables",
        cure="stop the program that holds it, and start the engine",
        source="moby/moby#12547",
        page={"locked": "/run/xtables.lock"},
    ),
    Failure(
        name="firewalld-zone",
        mark="zone_conflict",
        pattern=r"ZONE_CONFLICT: '(?P<interface>[\w.-]+)' already bound to '(?P<zone>[\w-]+)'",
        cause="firewalld has {interface} in the zone {zone}, and the engine wants it in its own",
        cure="take the interface out of that zone",
        source="moby/moby#41609",
        page={"zone": "{zone}", "interface": "{interface}"},
    ),
    Failure(
        name="forwarding-off",
        mark="forwarding is disabled",
        pattern=r"IPv4 forwarding is disabled: check your host's firewalling",
        cause="forwarding is off, and an engine that writes nftables rules does not turn it on",
        cure="turn it on, and keep it on at the next boot",
        page={"forwarding": "net.ipv4.ip_forward=1"},
    ),
    Failure(
        name="forwarding6-off",
        mark="forwarding is disabled",
        pattern=r"IPv6 (?:global )?forwarding is disabled: check your host's firewalling",
        cause="IPv6 forwarding is off, and an engine that writes nftables rules does not turn it on",
        cure="set net.ipv6.conf.all.forwarding=1 and net.ipv6.conf.default.forwarding=1",
    ),
    Failure(
        name="no-pool",
        mark=("network", "address pool"),
        pattern=r"no available network|non-overlapping IPv4 address pool"
        r"|predefined address pools have been fully subnetted",
        cause="all address pools of the engine overlap with routes of this host, "
        "often those of a VPN",
        cure='choose a free range in daemon.json, as in "bip": "10.213.0.1/24"',
        source="moby/moby#21776",
    ),
    Failure(
        name="ipv6-without-subnet",
        mark=("fixed-cidr-v6", "ipv6 address pool"),
        pattern=r"Specify an IPv6 subnet using --fixed-cidr-v6"
        r"|non-overlapping IPv6 address pool among the defaults",
        cause='daemon.json has "ipv6", and this engine needs a subnet for it: "fixed-cidr-v6"',
        cure='add "fixed-cidr-v6" with an IPv6 subnet to daemon.json',
        source="docker/for-linux#829",
    ),
    Failure(
        name="no-bridges",
        mark="via netlink",
        pattern=r"Failed to create bridge (?P<bridge>\S+) via netlink: operation not supported",
        cause="the kernel cannot make the bridge {bridge}: its module bridge is not there",
        cure="load the module, or reboot into the installed kernel",
        source="moby/moby#37389",
        page={"module": "bridge"},
    ),
    Failure(
        name="no-ipv6",
        mark="ipv6",
        pattern=r"Cannot read IPv6 setup for bridge|/proc/sys/net/ipv6/\S+: no such file",
        cause="IPv6 is off in this kernel, and the engine's configuration asks for it",
        cure='remove "ipv6" from daemon.json, or boot without ipv6.disable=1',
        source="moby/moby#33099",
    ),
    Failure(
        name="no-br-netfilter",
        mark="br_netfilter",
        pattern=r"DOCKER_IGNORE_BR_NETFILTER_ERROR|br_netfilter kernel module",
        cause="the kernel module br_netfilter is not loaded, which icc=false and an engine without "
        "userland-proxy need",
        cure="load it, and write br_netfilter to /etc/modules-load.d/docker.conf",
        source="moby/moby#48948",
        page={"module": "br_netfilter"},
    ),
)
