"""Ids that may be the cause of a container's failure, by what they are about."""

PROGRAM_CAUSES = (
    "container.client-api-too-new",
    "container.cpu-unsupported",
    "container.data-locked",
    "container.data-version-mismatch",
    "container.database-refused",
    "container.file-misplaced",
    "container.file-mode-refused",
    "container.files-lost",
    "container.heap-above-limit",
    "container.home-differs",
    "container.kernel-setting-low",
    "container.link-dangling",
    "container.loopback-peer",
    "container.option-in-the-way",
    "container.option-missing",
    "container.own-files-refused",
    "container.pid-file-stale",
    "container.settings-disagree",
    "container.syscall-refused",
    "container.variable-malformed",
    "container.variable-missing",
)
"""Faults that the program itself reports, confirmed on the host."""

PEER_CAUSES = (
    "container.crashed",
    "container.data-outside-mount",
    "container.device-missing",
    "container.entrypoint-forbidden",
    "container.entrypoint-missing",
    "container.mount-source-missing",
    "container.network-gone",
    "container.oom-killed",
    "container.paused",
    "container.restarts-exhausted",
    "container.runtime-limit-hit",
    "container.start-refused",
    "logging.driver-blocks-start",
    "network.bind-address-missing",
    "network.port-allocated",
    "network.port-held-by-process",
    "network.subnet-exhausted",
)
"""Reasons why a called container does not answer: faults that keep it from running."""

APPLICATION_CAUSES = (
    *PROGRAM_CAUSES,
    "container.command-lost",
    "container.path-replaced",
    "container.device-forbidden",
    "container.exec-format",
    "container.interpreter-missing",
    "container.killed-for-host-memory",
    "container.mount-forbidden",
    "container.mount-stale",
    "daemon.containerd-down",
    "dns.host-broken",
    "dns.loopback-stub",
    "dns.no-nameserver",
    "dns.udp-blocked",
    "dns.upstream-unreachable",
    "firewall.chains-missing",
    "firewall.forward-dropped",
    "firewall.forwarding-off",
    "firewall.masquerade-missing",
    "network.bridge-down",
    "network.host-port-conflict",
    "network.host-service-not-listening",
    "network.mtu-mismatch",
    "network.peer-not-listening",
    "network.proxy-takes-neighbours",
    "network.veth-detached",
    "resources.host-oom",
    "resources.open-files-exhausted",
    "resources.pids-exhausted",
    "storage.disk-full",
    "storage.inodes-exhausted",
    "storage.network-volume-stale",
    "storage.read-only",
    "storage.shm-full",
)
"""Faults outside a program that make it fail."""


def causes_without(*ids: str) -> list[str]:
    """The ids of checks whose findings can keep a container from working, except `ids`.

    No check is its own cause, nor that of its causes.
    """
    return [id for id in (*APPLICATION_CAUSES, *PEER_CAUSES) if id not in ids]
