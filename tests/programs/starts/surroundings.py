"""Texts of refused starts for the rows of `diagnose/programs/failures/starts/surroundings.py`."""

from __future__ import annotations

STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "memory-below-use": (
        "error setting cgroup config for procHooks process: unable to set memory limit to 5242880 (current usage: 7016448, peak usage: 8818688)",
        {"memory": "67108864"},
    ),
    "device-not-made": (
        "error during container init: error creating device nodes: mknod /dev/fuse: operation not permitted",
        {},
    ),
    "namespaces-not-in-kernel": (
        "OCI runtime create failed: USER namespaces aren't enabled in the kernel: unknown",
        {},
    ),
    "mount-target-relative": (
        "OCI runtime create failed: invalid mount {Destination:data Type:bind}: mount destination data not absolute: unknown",
        {},
    ),
    "label-without-selinux": (
        "OCI runtime create failed: runc create failed: selinux label is specified in config, but selinux is disabled or not supported",
        {},
    ),
    "profile-without-apparmor": (
        "error during container init: apparmor: config provided but apparmor not supported",
        {},
    ),
    "shim-ended-at-once": (
        "failed to create task for container: failed to start shim: start failed: containerd-shim-runc-v2: exit status 2: unknown",
        {},
    ),
    "br-netfilter-missing": (
        "cannot restrict inter-container communication or run without the userland proxy: stat /proc/sys/net/bridge/bridge-nf-call-iptables: no such file or directory: set environment variable DOCKER_IGNORE_BR_NETFILTER_ERROR=1 to ignore",
        {},
    ),
}
