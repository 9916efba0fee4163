"""What Docker, the kernel and a registry say, each row with a line as people paste it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from diagnose import registry
from diagnose.programs.failures import (
    ENGINE_CALLS,
    KERNEL_LINES,
    REFUSAL_FORMS,
    REFUSED_CALLS,
    REGISTRY_ERRORS,
    TRACED_ERRORS,
    Failure,
    shown_by_any,
)

CALLED = {
    "name-not-found": "getaddrinfo EAI_AGAIN db",
    "no-way-to-host": "dial tcp 172.18.0.3:5432: connect: no route to host",
    "call-timed-out": "Error: connect ETIMEDOUT 172.18.0.3:6379",
    "no-way-at-all": "connect: Network is unreachable",
    "proxy-refused": "connect() failed (111: Connection refused) while connecting to upstream, client: 172.18.0.1, "
    'server: , request: "GET / HTTP/1.1", upstream: "http://172.18.0.3:8080/"',
    "proxy-without-server": "no healthy upstream",
    "proxy-not-answered": "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    "visits-in-a-circle": "ERR_TOO_MANY_REDIRECTS",
}
TRACED = {
    "containerd-late": "failed to start containerd: timeout waiting for containerd to start",
    "port-published-twice": "docker: Error response from daemon: driver failed programming external connectivity on endpoint web (9f2c0a7f): Bind for 0.0.0.0:8080 failed: port is already allocated.",
    "port-of-a-process": "Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint web (5f1e): failed to bind host port for 0.0.0.0:80:172.17.0.2:80/tcp: address already in use",
    "address-of-another-host": "Error response from daemon: driver failed programming external connectivity on endpoint web (5f1e): Error starting userland proxy: listen tcp4 10.9.9.9:80: bind: cannot assign requested address",
    "program-of-engine-missing": 'failed to create task for container: failed to start shim: start failed: exec: "containerd-shim-runc-v2": executable file not found in $PATH: unknown',
    "proxy-not-started": "Error response from daemon: driver failed programming external connectivity on endpoint web: failed to start docker-proxy, check that the current version is in your $PATH",
    "own-rules-of-container": 'level=error msg="Resolver Start failed for container 4f2d, \\"setting up DNAT/SNAT rules failed: (iptables failed: iptables --wait -t nat -I DOCKER_OUTPUT: iptables: No chain/target/match by that name)\\""',
    "chain-flushed": "Error response from daemon: driver failed programming external connectivity on endpoint web: (iptables failed: iptables --wait -t nat -A DOCKER -p tcp -d 0/0 --dport 8080 -j DNAT --to-destination 172.17.0.2:80 ! -i docker0: iptables: No chain/target/match by that name. (exit status 1))",
    "pools-used-up": "ERROR: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    "network-deleted": "Error response from daemon: network 6f1b0c7a0b3e9a2f7d7d4a8b95d2c7d1e6f3a9b8c7d6e5f4a3b2c1d0e9f8a7b6 not found",
    "overlay-conflicts": 'starting container failed: network sandbox join failed: subnet sandbox join failed for "10.0.1.0/24": overlay subnet 10.0.1.0/24 has conflicts in the host while running in host mode',
    "overlay-address-unknown": 'level=error msg="overlay: cannot determine address family of transport: the local data-plane address is not currently known"',
    "device-not-there": 'docker: Error response from daemon: error gathering device information while adding custom device "/dev/ttyUSB0": no such file or directory',
    "folder-onto-file": 'Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting "/srv/nginx.conf" to rootfs at "/etc/nginx/nginx.conf": mount src=/srv/nginx.conf, dst=/etc/nginx/nginx.conf, dstFd=/proc/thread-self/fd/11, flags=MS_BIND|MS_REC: not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type',
    "sysctl-in-lxc": "docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: open sysctl net.ipv4.ip_unprivileged_port_start file: reopen fd 8: permission denied: unknown",
    "proc-refused": 'OCI runtime create failed: container_linux.go:367: starting container process caused: process_linux.go:495: container init caused: rootfs_linux.go:76: mounting "proc" to rootfs at "/proc" caused: mount through procfd: permission denied: unknown',
    "working-folder-gone": "OCI runtime exec failed: exec failed: unable to start container process: current working directory is outside of container mount namespace root -- possible container breakout detected: unknown",
    "processes-exhausted": "OCI runtime exec failed: exec failed: unable to start container process: error starting setns process: fork/exec /proc/self/fd/6: resource temporarily unavailable: unknown",
    "shim-silent": "failed to create task for container: failed to start shim: failed to connect: dial unix:///run/containerd/s/9f2c: timeout: unknown",
    "program-of-other-processor": "exec /entrypoint.sh: exec format error",
    "interpreter-not-there": "exec /docker-entrypoint.sh: no such file or directory",
    "runtime-not-executable": "docker: Error response from daemon: failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/containerd/io.containerd.runtime.v2.task/moby/665f/log.json: no such file or directory): fork/exec /tmp/.X11-unix: permission denied: <nil>: unknown.",
    "program-not-executable": 'docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/entrypoint.sh": permission denied: unknown.',
    "runtime-not-installed": "docker: Error response from daemon: OCI runtime create failed: unable to retrieve OCI runtime error (open "
    '/run/containerd/io.containerd.runtime.v2.task/moby/ab/log.json: no such file or directory): exec: "nvidia-container-runtime": '
    "executable file not found in $PATH: unknown",
    "program-not-in-image": 'OCI runtime exec failed: exec failed: unable to start container process: exec: "bash": executable file not found in $PATH: unknown',
    "step-killed": "The command '/bin/sh -c npm install' returned a non-zero code: 137",
    "step-failed-old": "The command '/bin/sh -c apt-get update && apt-get install -y curl' returned a non-zero code: 100",
    "step-failed": 'ERROR: failed to solve: process "/bin/sh -c npm install" did not complete successfully: exit code: 1',
    "user-without-group": 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.47/containers/json": dial unix /var/run/docker.sock: connect: permission denied',
    "client-too-old": "Error response from daemon: client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version",
    "setting-given-twice": "unable to configure the Docker daemon with file /etc/docker/daemon.json: the following directives are specified both as a flag and in the configuration file: hosts: (from flag: [fd://], from file: [tcp://0.0.0.0:2376])",
    "settings-no-json": "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character '}' looking for beginning of object key string",
    "start-repeated": "docker.service: Start request repeated too quickly.",
    "live-restore-and-swarm": "Error response from daemon: --live-restore daemon configuration is incompatible with swarm mode",
    "resolver-file-unreadable": "Error response from daemon: failed to set up container networking: failed to parse resolv.conf from /etc/resolv.conf: line too long (exceeds 65536)",
    "stop-refused": "Error response from daemon: cannot stop container: web: permission denied",
}
REG = {
    "rate-limited": "Error response from daemon: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
    "image-unknown-or-private": "Error response from daemon: pull access denied for myapp, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    "tag-unknown": "Error response from daemon: manifest for nginx:1.99 not found: manifest unknown: manifest unknown",
    "platform-not-built": "no matching manifest for linux/arm64/v8 in the manifest list entries",
    "authority-unknown": 'Error response from daemon: Get "https://registry.lan:5000/v2/": x509: certificate signed by unknown authority',
    "plain-registry": 'Error response from daemon: Get "https://registry.lan:5000/v2/": http: server gave HTTP response to HTTPS client',
    "certificate-out-of-time": 'Error response from daemon: Get "https://registry.lan/v2/": x509: certificate has expired or is not yet valid: current time 2026-11-29T21:00:00Z is after 2026-11-01T00:00:00Z',
    "certificate-of-other-name": 'Error response from daemon: Get "https://192.0.2.9:5000/v2/": x509: cannot validate certificate for 192.0.2.9 because it doesn\'t contain any IP SANs',
    "client-certificate-unreadable": 'failed to resolve reference "registry.lan/app:1": unable to read CERT file "/etc/docker/certs.d/registry.lan/client.cert": open: permission denied',
    "hosts-file-invalid": 'failed to resolve reference "registry.lan/app:1": failed to load host config: invalid type int64 for "ca"',
    "token-not-fetched": 'ERROR: failed to solve: docker.io/library/alpine: failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token?scope=repository%3Alibrary%2Falpine%3Apull&service=registry.docker.io": dial tcp 44.208.254.194:443: i/o timeout',
    "token-refused": "ERROR: failed to solve: acme/shop: failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.docker.io/token: 401 Unauthorized",
    "registry-status": "failed to solve: rpc error: code = Unknown desc = failed to solve with frontend dockerfile.v0: failed to create LLB definition: unexpected status code [manifests latest]: 403 Forbidden",
    "registry-unanswered": 'Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    "registry-refused-connection": 'Error response from daemon: Get "http://registry.lan:5000/v2/": dial tcp 192.0.2.9:5000: connect: connection refused',
    "download-cut-off": "failed to extract layer sha256:7955be70ba2c: failed to copy: unexpected EOF: unknown",
    "layer-altered": "failed to register layer: Error processing tar file(exit status 1): archive/tar: invalid tar header",
    "layer-ids-outside": "failed to register layer: ApplyLayer exit status 1 stdout:  stderr: lchown /usr/bin/x: invalid argument",
    "layer-id-unmapped": "failed to register layer: Error processing tar file(exit status 1): Container ID 197609 cannot be mapped to a host ID",
    "layer-not-at-registry": "failed to copy: could not fetch content descriptor sha256:4b19 (application/vnd.oci.image.layer.v1.tar+gzip) from remote: not found",
    "layer-of-no-size": "failed to extract layer: unable to fetch descriptor (sha256:4b19957e) which reports content size of zero: invalid argument",
    "layer-unknown": "Error response from daemon: layer does not exist",
}
KERNEL = {
    "folder-full": "EXT4-fs warning (device sdb1): ext4_dx_add_entry:2516: Directory (ino: 2621441) index full, reach max htree level :2",
    "upper-not-supported": "overlay: filesystem on /opt/docker/check-overlayfs-support1396556380/upper not supported as upperdir",
    "netdevice-kept": "unregister_netdevice: waiting for lo to become free. Usage count = 1",
    "task-hangs": "INFO: task dockerd:1234 blocked for more than 120 seconds.",
    "killed-at-limit": "Memory cgroup out of memory: Killed process 4242 (java) total-vm:2097152kB, anon-rss:524288kB, file-rss:0kB",
    "killed-for-host": "Out of memory: Killed process 812 (mysqld) total-vm:4194304kB, anon-rss:2097152kB",
    "overlay-in-use": "overlayfs: upperdir is in-use as upperdir/workdir of another mount, accessing files from both mounts will result in undefined behavior.",
    "conntrack-full": "nf_conntrack: nf_conntrack: table full, dropping packet",
    "neighbours-full": "neighbour: arp_cache: neighbor table overflow!",
    "fork-rejected": "cgroup: fork rejected by pids controller in /system.slice/docker-4f2d0c.scope",
    "disk-errors": "EXT4-fs error (device sda1): ext4_lookup:1785: inode #131074: comm dockerd: iget: checksum invalid",
    "nfs-silent": "nfs: server nas.lan not responding, still trying",
    "segfault": "nginx[4242]: segfault at 0 ip 00007f2e sp 00007ffd error 4 in libc.so.6[7f2e+1a000]",
    "profile-denied": 'audit: type=1400 audit(1795986818.1:42): apparmor="DENIED" operation="signal" profile="docker-default" pid=812 comm="runc"',
    "bridge-port-states": "docker0: port 1(veth4f2d0c1) entered disabled state",
    "own-module-notes": "bridge: filtering via arp/ip/ip6tables is no longer available by default. Update your scripts to load br_netfilter if you need this.",
    "plugins-skipped": 'level=info msg="skip loading plugin \\"io.containerd.snapshotter.v1.aufs\\"..." error="aufs is not supported: skip plugin"',
    "kernel-without-limit": "WARNING: Your kernel does not support swap limit capabilities or the cgroup is not mounted.",
}
CALLS = {
    "file-read-only": "docker: Error response from daemon: error while creating mount source path '/srv/data': mkdir /srv: read-only file system.",
    "file-without-room": "failed to register layer: Error processing tar file(exit status 1): write /usr/lib/libx.so: no space left on device",
    "file-over-quota": "Error response from daemon: write /var/lib/docker/overlay2/4f2d/diff/x: disk quota exceeded",
    "file-damaged": "Error response from daemon: open /var/lib/docker/containers/4f2d/config.v2.json: input/output error",
    "file-of-lost-server": "Error response from daemon: stat /mnt/nas/data: stale NFS file handle",
    "file-busy": 'Error response from daemon: container 6fd31b2b58b3: driver "overlay2" failed to remove root filesystem: unlinkat /var/lib/docker/overlay2/89f505ce6298/merged: device or resource busy',
    "files-too-many": "Error response from daemon: open /proc/self/mountinfo: too many open files",
    "memory-refused": "Error response from daemon: fork/exec /usr/bin/runc: cannot allocate memory",
    "file-forbidden": 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.47/containers/json": dial unix /var/run/docker.sock: connect: permission denied',
    "terminal-withdrawn": "OCI runtime exec failed: exec failed: unable to start container process: open /dev/pts/1: operation not permitted: unknown",
    "file-not-permitted": "failed to start containerd: setting containerd root directory permissions: chmod /var/lib/docker/containerd/daemon: operation not permitted",
    "call-not-permitted": 'failed to start daemon: Error initializing network controller: error creating default "bridge" network: Failed to set link up for docker0: operation not permitted',
    "path-is-a-file": "Error response from daemon: mkdir /srv/data/db: not a directory",
    "path-is-a-folder": "Error response from daemon: open /srv/app/config.yml: is a directory",
    "socket-unanswered": "failed to create task for container: failed to start shim: failed to connect: dial unix:///run/containerd/s/9f2c: timeout: unknown",
    "file-missing": "exec /docker-entrypoint.sh: no such file or directory",
    "server-unreached": 'ERROR: failed to solve: docker.io/library/alpine: failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token?scope=repository%3Alibrary%2Falpine%3Apull&service=registry.docker.io": dial tcp 44.208.254.194:443: i/o timeout',
}
FORMS = {
    "form-ambiguous": "Error response from daemon: network shop is ambiguous (2 matches found on name)",
    "form-twice": "docker: Error response from daemon: Duplicate mount point: /data.",
    "form-exists": 'docker: Error response from daemon: Conflict. The container name "/web" is already in use by container "cce70c23af7a". You have to remove (or rename) that container to be able to reuse that name.',
    "form-port": "docker: invalid port: value is empty",
    "form-required": "ERROR: output directory is required for local exporter",
    "form-link-missing": "Error response from daemon: error occurred looking up the ipvlan parent iface eth9 error: Link not found",
    "form-not-found": "Error response from daemon: network 6f1b0c7a0b3e9a2f7d7d4a8b95d2c7d1e6f3a9b8c7d6e5f4a3b2c1d0e9f8a7b6 not found",
    "form-path-missing": 'invalid output path: directory "/srv/none" does not exist',
    "form-exclusive": "Error response from daemon: --live-restore daemon configuration is incompatible with swarm mode",
    "form-unsupported": 'Error response from daemon: unsupported isolation: "hyperv"',
    "form-disallowed": 'OCI remote resource is disabled by "COMPOSE_EXPERIMENTAL_OCI_REMOTE"',
    "form-state": "docker: Error response from daemon: /dev/shm is not mounted, but must be for --ipc=host",
    "form-value": "Error response from daemon: invalid network config: prefix length out of range",
}
TABLES: tuple[tuple[Iterable[Failure], Mapping[str, str]], ...] = (
    (REFUSED_CALLS, CALLED),
    (TRACED_ERRORS, TRACED),
    (REGISTRY_ERRORS, REG),
    (KERNEL_LINES, KERNEL),
    (ENGINE_CALLS, CALLS),
    (REFUSAL_FORMS, FORMS),
)
ROWS = [
    pytest.param(table, name, line, id=name)
    for table, lines in TABLES
    for name, line in lines.items()
]


def test_each_row_has_a_line() -> None:
    for table, lines in TABLES:
        assert {failure.name for failure in table} == lines.keys()


@pytest.mark.parametrize(("table", "name", "line"), ROWS)
def test_a_line_is_recognised_as_its_row(table: Iterable[Failure], name: str, line: str) -> None:
    found = shown_by_any([line], table)
    assert found is not None
    assert found.name == name
    assert "{" not in found.cause + found.cure.replace("{{", "")
    assert "  " not in found.cause, "no word is left out of the sentence"


def test_a_row_leads_to_a_check() -> None:
    pages = {failure.confirmed_by for table, _ in TABLES for failure in table} - {""}
    assert pages <= registry.load().keys()


WELL = (
    "LOG:  database system is ready to accept connections",
    "web cannot reach db",
    "my container keeps restarting",
    "port 8080 does not answer",
    "Listening on :8080",
    "ERROR api: failed to authorize request from 10.0.0.4: 401 Unauthorized",
)


@pytest.mark.parametrize("line", WELL)
def test_ordinary_words_are_no_failure(line: str) -> None:
    for table, _ in TABLES:
        assert shown_by_any([line], table) is None


OTHER_CAUSES = (
    'error mounting "tmpfs" to rootfs at "/cache": mount tmpfs:/cache, flags: 0xe, data: size=1x: invalid argument',
    "failed to register layer: ApplyLayer exit status 1 stdout:  stderr: lchown /usr/bin/x: invalid argument",
    "failed to register layer: Error processing tar file(exit status 1): archive/tar: invalid tar header",
    "error while mounting volume 'data': failed to mount local volume: mount :/export: protocol not supported",
    'error creating default "bridge" network: Failed to create bridge docker0 via netlink: operation not supported',
    "libnet controller initialization: invalid database",
    "W: GPG error: http://deb.lab.test/debian bookworm InRelease: At least one invalid signature was encountered.",
    "ERROR: data directory has invalid permissions",
    "Fatal glibc error: CPU does not support x86-64-v2",
    "[ERROR] InnoDB: Upgrade after a crash is not supported.",
    "Caused by: java.lang.IllegalArgumentException: myid file is missing",
    "your database version is incompatible with your current engine version",
)
"""What the kernel answers, or a program says of its own data: none of docker's forms."""


@pytest.mark.parametrize("line", OTHER_CAUSES)
def test_sentences_of_other_causes_have_no_form(line: str) -> None:
    assert shown_by_any([line], REFUSAL_FORMS) is None


WORDS = (
    "Error response from daemon: the volume was not found",
    "the container is already in use",
    "container name is already in use",
    "duplicate key in the map",
    "this secret was not found",
    "no such container is known",
    "the file that does not exist",
)
"""Sentences without a name."""


def test_a_network_that_is_gone_is_named_behind_the_words_around_it() -> None:
    line = "failed to set up container networking: network 3f9c0a2b1d4e not found"
    found = shown_by_any([line], REFUSAL_FORMS)
    assert found is not None
    assert (found.values["kind"], found.values["name"]) == ("network", "3f9c0a2b1d4e")


@pytest.mark.parametrize("line", WORDS)
def test_a_word_of_the_sentence_is_no_name(line: str) -> None:
    for table, _ in TABLES:
        found = shown_by_any([line], table)
        assert found is None or not {"name", "path"} & found.values.keys()


REFUSALS_LIKE_LINES_OF_THE_KERNEL = (
    "docker: Error response from daemon: Your kernel does not support CPU real-time scheduler",
    "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted",
    'level=error msg="failed to load plugin io.containerd.grpc.v1.cri" error="invalid plugin config: `mirrors` cannot be set when `config_path` is provided"',
)


@pytest.mark.parametrize("line", REFUSALS_LIKE_LINES_OF_THE_KERNEL)
def test_what_is_refused_or_misconfigured_is_not_called_harmless(line: str) -> None:
    assert shown_by_any([line], KERNEL_LINES) is None
