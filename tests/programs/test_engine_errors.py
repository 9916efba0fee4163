"""What the engine says when it gives up its start: one real text for each row of the table."""

from __future__ import annotations

import pytest

from diagnose import runbooks
from diagnose.programs.failures import ENGINE_ERRORS, recognise
from tests.programs.setting_ends import SETTING_ENDS

KNOWN = {"root": "/var/lib/docker"}
PAGES = (
    "daemon.not-running",
    "daemon.bridge-init-failed",
    "daemon.storage-driver-failed",
    "daemon.containerd-down",
)
"""The pages of the checks that read the table."""

ENDS: dict[str, tuple[str, dict[str, str]]] = {
    "start-timed-out": ("docker.service: Start operation timed out. Terminating.", {}),
    "engine-illegal-instruction": (
        "docker.service: main process exited, code=dumped, status=4/ILL",
        {},
    ),
    "engine-crashed": ("docker.service: Main process exited, code=dumped, status=11/SEGV", {}),
    "engine-panicked": ("github.com/docker/docker/libnetwork.(*Network).getController", {}),
    "usage-printed": ("Run 'dockerd COMMAND --help' for more information on a command.", {}),
    "driver-not-supported": (
        "failed to start daemon: error initializing graphdriver: driver not supported: aufs",
        {},
    ),
    "database-panics": ("go.etcd.io/bbolt.(*freelist).read(0xc000, 0x7f)", {}),
    "bridges-of-one-name": (
        'failed to start daemon: Error initializing network controller: error creating default "bridge" network: cannot create network 71b2 (docker0): conflicts with network 9f3c (docker0): networks have same bridge name',
        {"database": "/var/lib/docker/network/files/local-kv.db"},
    ),
    "bridge-overlaps": (
        'failed to start daemon: Error initializing network controller: error creating default "bridge" network: invalid pool request: Pool overlaps with other one on this address space',
        {"database": "/var/lib/docker/network/files/local-kv.db"},
    ),
    "networks-torn": (
        "failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to get bridge network configurations from store: unexpected end of JSON input",
        {"database": "/var/lib/docker/network/files/local-kv.db"},
    ),
    "networks-invalid": (
        "failed to start daemon: Error initializing network controller: error obtaining controller instance: libnet controller initialization: invalid database",
        {"database": "/var/lib/docker/network/files/local-kv.db"},
    ),
    "networks-locked": (
        "failed to start daemon: Error initializing network controller: error obtaining controller instance: could not get list of networks: timeout",
        {"locked": "/var/lib/docker/network/files/local-kv.db"},
    ),
    "kernel-modules-gone": (
        'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: modprobe: FATAL: Module ip_tables not found in directory /lib/modules/6.1.0-13-amd64 (exit status 3)',
        {},
    ),
    "match-unknown": (
        'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to create NAT chain DOCKER: iptables failed: iptables --wait -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER: Warning: Extension addrtype revision 0 not supported, missing kernel module? iptables v1.8.9 (nf_tables):  RULE_APPEND failed (No such file or directory): rule in chain PREROUTING (exit status 4)',
        {"module": "xt_addrtype"},
    ),
    "match-not-loaded": (
        "failed to start daemon: Error initializing network controller: error obtaining controller instance: unable to add return rule in DOCKER-ISOLATION-STAGE-1 chain: iptables v1.8.7 (nf_tables): Couldn't load match `addrtype':No such file or directory",
        {"module": "xt_addrtype"},
    ),
    "target-unknown": (
        'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to create NAT chain DOCKER: iptables failed: iptables -t nat -A POSTROUTING -j MASQUERADE: iptables v1.8.9 (nf_tables): RULE_APPEND failed (No such file or directory) (exit status 4)',
        {"module": "xt_MASQUERADE"},
    ),
    "no-iptables": (
        'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to find iptables: exec: "iptables": executable file not found in $PATH',
        {"package": "iptables"},
    ),
    "iptables-denied": (
        'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: iptables v1.8.7 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root) (exit status 4)',
        {},
    ),
    "nft-not-in-kernel": (
        "failed to start daemon: Error initializing network controller: error obtaining controller instance: unable to add return rule in DOCKER-ISOLATION-STAGE-1 chain:  (iptables failed: iptables --wait -A DOCKER-ISOLATION-STAGE-1 -j RETURN: iptables v1.8.7 (nf_tables):  RULE_APPEND failed (No such file or directory): rule in chain DOCKER-ISOLATION-STAGE-1",
        {"legacy": "/usr/sbin/iptables-legacy"},
    ),
    "iptables-locked": (
        'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: Another app is currently holding the xtables lock. Perhaps you want to use the -w option? (exit status 4)',
        {"locked": "/run/xtables.lock"},
    ),
    "firewalld-zone": (
        "failed to start daemon: Error initializing network controller: error creating default \"bridge\" network: failed to add interface docker0 to firewalld zone: ZONE_CONFLICT: 'docker0' already bound to 'trusted'",
        {"zone": "trusted", "interface": "docker0"},
    ),
    "forwarding-off": (
        'failed to start daemon: Error initializing network controller: error creating default "bridge" network: IPv4 forwarding is disabled: check your host\'s firewalling and set sysctl net.ipv4.ip_forward=1, or disable this check using daemon option --ip-forward=false',
        {"forwarding": "net.ipv4.ip_forward=1"},
    ),
    "forwarding6-off": (
        'failed to start daemon: Error initializing network controller: error creating default "bridge" network: IPv6 global forwarding is disabled: check your host\'s firewalling and set sysctls net.ipv6.conf.all.forwarding=1 and net.ipv6.conf.default.forwarding=1, or disable this check using daemon option --ip-forward=false',
        {},
    ),
    "no-pool": (
        "failed to start daemon: Error initializing network controller: list bridge addresses failed: PredefinedLocalScopeDefaultNetworks List: [172.17.0.0/16 172.18.0.0/16]: no available network",
        {},
    ),
    "ipv6-without-subnet": (
        "failed to start daemon: Error initializing network controller: IPv6 is enabled for the default bridge, but no subnet is configured. Specify an IPv6 subnet using --fixed-cidr-v6",
        {},
    ),
    "no-bridges": (
        'failed to start daemon: Error initializing network controller: error creating default "bridge" network: Failed to create bridge docker0 via netlink: operation not supported',
        {"module": "bridge"},
    ),
    "no-ipv6": (
        'failed to start daemon: Error initializing network controller: error creating default "bridge" network: Cannot read IPv6 setup for bridge docker0: open /proc/sys/net/ipv6/conf/docker0/disable_ipv6: no such file or directory',
        {},
    ),
    "no-br-netfilter": (
        'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: cannot restrict inter-container communication or run without the userland proxy: stat /proc/sys/net/bridge/bridge-nf-call-iptables: no such file or directory: set environment variable DOCKER_IGNORE_BR_NETFILTER_ERROR=1 to ignore',
        {"module": "br_netfilter"},
    ),
    "several-drivers": (
        "failed to start daemon: error initializing graphdriver: /var/lib/docker contains several valid graphdrivers: overlay2, aufs; cleanup or explicitly choose storage driver (-s <DRIVER>)",
        {},
    ),
    "no-d-type": (
        "failed to start daemon: error initializing graphdriver: overlay2: the backing xfs filesystem is formatted without d_type support, which leads to incorrect behavior. Reformat the filesystem with ftype=1 to enable d_type support. Backing filesystems without d_type support are not supported.",
        {},
    ),
    "no-overlay": (
        "failed to start daemon: error initializing graphdriver: driver not supported: overlay2: failed to mount overlay: no such device",
        {"module": "overlay"},
    ),
    "driver-removed": (
        "failed to start daemon: error initializing graphdriver: [graphdriver] ERROR: the devicemapper storage-driver has been deprecated and removed; visit https://docs.docker.com/go/storage-driver/ for more information",
        {"old": "/var/lib/docker/devicemapper"},
    ),
    "size-needs-xfs": (
        "failed to start daemon: error initializing graphdriver: Storage Option overlay2.size only supported for backingFS XFS. Found extfs",
        {},
    ),
    "size-needs-quota": (
        "failed to start daemon: error initializing graphdriver: Storage option overlay2.size not supported. Filesystem does not support Project Quota: Filesystem does not support, or has not enabled quotas",
        {},
    ),
    "address-not-here": (
        "failed to load listeners: listen tcp 192.168.7.9:2376: bind: cannot assign requested address",
        {"address": "192.168.7.9", "again": "docker"},
    ),
    "certificate-missing": (
        'failed to load listeners: invalid TLS configuration: Could not load X509 key pair (cert: "/etc/docker/server-cert.pem", key: "/etc/docker/server-key.pem"): open /etc/docker/server-cert.pem: no such file or directory',
        {"lost": "/etc/docker/server-cert.pem"},
    ),
    "certificate-of-another-key": (
        'failed to load listeners: invalid TLS configuration: error reading X509 key pair - make sure the key is not encrypted (cert: "/etc/docker/server-cert.pem", key: "/etc/docker/server-key.pem"): tls: private key does not match public key',
        {
            "certificate": "/etc/docker/server-cert.pem",
            "certificate_key": "/etc/docker/server-key.pem",
        },
    ),
    "group-missing": (
        "failed to load listeners: can't create unix socket /var/run/docker.sock: group docker not found",
        {"group": "docker"},
    ),
    "flag-unknown": ("unknown flag: --graph", {"unknown_flag": "--graph"}),
    "docker-proxy-missing": (
        "merged configuration validation from file and command line flags failed: invalid userland-proxy-path: userland-proxy is enabled, but userland-proxy-path is not set",
        {"lost_program": "docker-proxy"},
    ),
    "program-missing": (
        'failed to start daemon: failed to start containerd: exec: "containerd": executable file not found in $PATH',
        {"lost_program": "containerd"},
    ),
    "repositories-torn": (
        "failed to start daemon: Couldn't create reference store repository: unexpected end of JSON input",
        {"aside": "/var/lib/docker/image/overlay2/repositories.json"},
    ),
    "key-torn": (
        "failed to start daemon: Unable to load or create trust key: Error loading key file /etc/docker/key.json: unable to decode private key JSON: EOF",
        {"aside": "/etc/docker/key.json"},
    ),
    "database-locked": (
        "failed to start daemon: error while opening volume store metadata database (/var/lib/docker/volumes/metadata.db): timeout",
        {"locked": "/var/lib/docker/volumes/metadata.db"},
    ),
    "buildkit-locked": (
        "error initializing buildkit: error creating buildkit instance: timeout",
        {"locked": "/var/lib/docker/buildkit/cache.db"},
    ),
    "root-is-a-file": (
        "failed to start daemon: unable to get the full path to root (/var/lib/docker): canonical path points to a file '/var/lib/docker'",
        {"aside": "/var/lib/docker"},
    ),
    "root-link-dangles": ("mkdir /var/lib/docker: file exists", {"lost": "/var/lib/docker"}),
    "root-leads-nowhere": (
        "failed to start daemon: unable to get the full path to root (/var/lib/docker): failed to stat target '/data/docker' of '/var/lib/docker': lstat /data: no such file or directory",
        {"lost": "/data/docker"},
    ),
    "root-not-reachable": (
        "failed to start daemon: a subdirectory in your graphroot path (/srv/docker/100000.100000) restricts access to the remapped root uid/gid; please fix by allowing 'o+x' permissions on existing directories",
        {"entered": "/srv/docker/100000.100000"},
    ),
    "disk-damaged": (
        "failed to start daemon: unable to read or create engine-id: open /var/lib/docker/engine-id: structure needs cleaning",
        {},
    ),
    "file-for-folder": (
        "failed to start daemon: mkdir /var/lib/docker/containers: not a directory",
        {"aside": "/var/lib/docker/containers"},
    ),
    "folder-for-file": (
        "failed to start daemon: error while opening volume store metadata database (/var/lib/docker/volumes/metadata.db): open /var/lib/docker/volumes/metadata.db: is a directory",
        {"aside": "/var/lib/docker/volumes/metadata.db"},
    ),
    "link-to-itself": (
        "failed to start daemon: mkdir /var/lib/docker: too many levels of symbolic links",
        {},
    ),
    "path-immutable": (
        "failed to start daemon: mkdir /var/lib/docker/runtimes: operation not permitted",
        {"immutable": "/var/lib/docker/runtimes"},
    ),
    "run-is-full": (
        "failed to create pidfile directory: mkdir /run/docker: no space left on device",
        {"full": "/run"},
    ),
    "cgroups-not-mounted": (
        "failed to start daemon: Devices cgroup isn't mounted",
        {"controller": "devices"},
    ),
    "no-subordinate-ids": (
        'failed to start daemon: error creating ID mappings: No subuid ranges found for user "dockremap"',
        {"remapped": "dockremap"},
    ),
    "remapped-user-missing": (
        'failed to start daemon: invalid --userns-remap: Error during uid lookup for "nosuch": user: unknown user nosuch',
        {},
    ),
    "swarm-live-restore": (
        "failed to start cluster component: --live-restore daemon configuration is incompatible with swarm mode",
        {},
    ),
    "swarm-manager-unknown": (
        "failed to start cluster component: could not find local IP address: dial udp: lookup manager1.lan on 192.0.2.53:53: no such host",
        {"peer": "manager1.lan"},
    ),
    "authorization-plugin": (
        'Error validating authorization plugin: plugin "opa-docker-authz" not found',
        {},
    ),
    "no-memory": ("fatal error: runtime: out of memory", {"again": "docker"}),
    "no-threads": (
        "runtime/cgo: pthread_create failed: Resource temporarily unavailable",
        {"tasks": "docker"},
    ),
    "library-too-old": (
        "dockerd: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by dockerd)",
        {},
    ),
    "snapshotter-missing": (
        'failed to start daemon: configured driver "overlayfs" not available: unavailable',
        {"left_out": "overlayfs"},
    ),
    "swarm-key": (
        'failed to start cluster component: manager stopped: failed to create raft node: unable to decrypt: "invalid key"',
        {},
    ),
    "table-not-in-kernel": (
        "failed to start daemon: Error initializing network controller: Error creating default \"bridge\" network: Failed to Setup IP tables: Unable to enable NAT rule: (iptables failed: iptables --wait -t nat -I POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE: iptables v1.8.7 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)",
        {},
    ),
    "api-port-taken": (
        "failed to load listeners: failed to allocate daemon listening port 2375 (err: bind: address already in use)",
        {},
    ),
    "log-level-unknown": (
        'failed to configure daemon logging: invalid logging level: "verbose"',
        {},
    ),
    "address-malformed": (
        'error parsing tcp address: parse "tcp://0.0.0.0:port": invalid port',
        {},
    ),
    "option-of-another-system": (
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: option 'exec-opts=isolation' is only supported on windows",
        {},
    ),
    "home-unknown": ("failed to start daemon: could not get either XDG_DATA_HOME or HOME", {}),
    "sockets-not-handed-over": (
        "failed to load listeners: no sockets found via socket activation: make sure the service was started by systemd",
        {},
    ),
    "link-not-set-up": (
        'failed to start daemon: Error initializing network controller: error creating default "bridge" network: Failed to set link up for docker0: operation not permitted',
        {},
    ),
    "nftables-with-swarm": (
        "failed to start daemon: --firewall-backend=nftables is incompatible with swarm mode",
        {},
    ),
    "api-floor-above": (
        "invalid API version: the minimum API version (1.99) is higher than the default version (1.51)",
        {},
    ),
    "database-on-read-only": (
        "failed to start containerd: open /var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db: read-only file system",
        {},
    ),
} | SETTING_ENDS
"""The row, the text, and the variables that it gives to the commands of its page."""


def test_every_row_has_its_own_line():
    assert {failure.name for failure in ENGINE_ERRORS} == ENDS.keys()


@pytest.mark.parametrize("name", ENDS)
def test_a_failed_start_is_recognised_among_all(name: str):
    text, variables = ENDS[name]
    found = recognise([text], None, ENGINE_ERRORS)
    assert found is not None
    assert found.failure.name == name
    assert "{" not in found.cause + found.cure
    assert all(value for key, value in found.values.items() if f"{{{key}}}" in found.failure.cause)
    assert found.page_variables(KNOWN) == variables


def test_every_variable_is_one_of_a_page():
    declared = {name for id in PAGES for name in runbooks.page(id).variables}
    assert {name for failure in ENGINE_ERRORS for name in failure.page} <= declared


@pytest.mark.parametrize(
    "text",
    [
        "failed to start daemon: something new",
        "Status: unable to configure the Docker daemon with file /etc/docker/daemon.json: x",
        "Processing signal 'terminated'",
    ],
)
def test_other_last_words_stay_as_they_are(text: str):
    assert recognise([text], None, ENGINE_ERRORS) is None
