"""Checks of the rights that a container has on its host."""

from collections.abc import Sequence

from diagnose.evidence.containers.exposure import Exposed, engine_sockets, is_reachable
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.access.mount_access import MountAccess
from diagnose.evidence.engine.config import DEFAULT_PATH, DaemonConfig
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.processes import Processes
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Skipped
from diagnose.phrases import agree, and_more
from diagnose.registry import check


@check("security.privileged", severity=Severity.advice, posture=True)
def privileged(exposed: Exposed) -> CheckResult:
    """A container runs privileged: its root is the host's root.

    All devices, all capabilities, no seccomp or AppArmor. Containers that truly need it (a nested
    engine, a monitor of the host, some storage and device plugins) are named too: silence them by
    id and subject, with the reason. A job that has ended is not named.
    """
    for container in exposed:
        if not container.host_config.privileged:
            continue
        reach = "; its ports are open to the network" if is_reachable(container) else ""
        yield Finding.about(
            container,
            f"{container} is privileged: whoever breaks into it is root on this host{reach}",
            {
                "HostConfig.Privileged": True,
                "Config.User": container.config.user or "root",
                "Config.Image": container.config.image,
                "State.Status": container.state.status,
            },
            variables={"image": container.config.image},
        )


@check("security.docker-socket-mounted", severity=Severity.advice, posture=True)
def docker_socket_mounted(exposed: Exposed, mount_access: MountAccess | None) -> CheckResult:
    """A container has access to the engine's socket, which means root on the host.

    A read-only mount does not protect: it keeps the file from being replaced, not requests from
    being sent. A mount of /run or /var/run brings the socket along. It is advice: reverse proxies,
    CI runners and dashboards are given the socket on purpose. A proxy that filters requests should
    have the socket instead; whether a proxy filters is not checked. It is a warning where an image
    that calls itself a socket proxy publishes its port: whoever reaches the port commands the
    engine. A container whose user may not open the socket cannot command the engine at present:
    that is container.mount-unwritable.
    """
    for container in exposed:
        for socket, mount in engine_sockets(container):
            is_open = "socket-proxy" in container.config.image and is_reachable(container)
            is_denied = mount_access is not None and mount_access.is_denied(
                container, mount.destination
            )
            danger = "can command the engine"
            if is_denied:
                danger = "could command the engine if its user were allowed to open the socket"
            yield Finding.about(
                container,
                f"{container} {danger}: {socket} is mounted into it",
                present(
                    {
                        "Mounts.Source": mount.source,
                        "Mounts.Destination": mount.destination,
                        "Mounts.RW": mount.rw,
                        "Config.Image": container.config.image,
                        "Config.User": container.config.user if is_denied else "",
                    }
                ),
                discriminator=mount.destination,
                severity=Severity.warning if is_open and not is_denied else None,
                variables={"source": mount.source, "image": container.config.image},
            )


@check("security.root-user", severity=Severity.advice, posture=True)
def root_user(exposed: Exposed, info: Info | None, processes: Processes | None) -> CheckResult:
    """A container runs as root.

    Its root is the host's root, held back only by capabilities and profiles. Where user namespaces
    are remapped or the engine is rootless this does not apply, except to a container that opts out.
    An image that starts as root and then drops it is judged by the process that runs, where /proc
    can be seen (CAP_SYS_PTRACE is not needed). A master process that stays root above workers of
    another user is named.
    """
    concerned = list(exposed)
    if info is not None and (info.has_userns_remap or info.is_rootless):
        concerned = [container for container in exposed if _opts_out(container)]
        if not concerned:
            return Skipped(
                "root in a container is not root on this host: "
                "user namespaces are remapped, or the engine is rootless"
            )
    for container in concerned:
        uid = _uid(container, processes)
        if container.config.starts_as_root and not uid:
            yield _root_finding(container, uid)


def _root_finding(container: Container, uid: int | None) -> Finding:
    verb = "starts" if uid is None else "runs"
    return Finding.about(
        container,
        f"{container} {verb} as root",
        {
            "Config.User": container.config.user or "not set: root",
            **_process_evidence(container, uid),
            "Config.Image": container.config.image,
        },
        variables={"image": container.config.image},
    )


def _process_evidence(container: Container, uid: int | None) -> dict[str, Json]:
    pid = container.state.pid
    if not pid:
        return {"State.Pid": "0: no process runs"}
    return {f"/proc/{pid} uid": "not seen" if uid is None else uid}


def _opts_out(container: Container) -> bool:
    """Whether a container keeps the host's user namespace on an engine that remaps users."""
    return container.host_config.userns_mode == "host"


def _uid(container: Container, processes: Processes | None) -> int | None:
    """The user of its first process; None if it does not run, or cannot be seen by diagnose."""
    if processes is None or not container.is_running:
        return None
    process = processes.by_pid.get(container.state.pid)
    return process.uid if process and process.container in (container.id, None) else None


DANGEROUS = frozenset(
    {
        "ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME",
        "DAC_READ_SEARCH", "BPF", "PERFMON",
        "NET_ADMIN", "MAC_ADMIN", "MAC_OVERRIDE", "SYSLOG", "LINUX_IMMUTABLE", "CHECKPOINT_RESTORE",
    }
)  # fmt: skip
"""Capabilities beyond the engine's default set with which a container's root reaches the host or
its other containers."""


@check("security.capabilities", severity=Severity.advice, posture=True)
def capabilities(exposed: Exposed) -> CheckResult:
    """A container has more capabilities than it is likely to need.

    The finding names a container that was given dangerous capabilities, or that keeps the engine's
    default set because nothing was dropped. The check passes if ALL are dropped and the needed ones
    are added again. Whether the program uses them is not looked at. Privileged containers have a
    finding of their own.
    """
    for container in exposed:
        config = container.host_config
        added = sorted(config.added_capabilities)
        dropped = sorted(config.dropped_capabilities)
        dangerous = [capability for capability in added if capability in DANGEROUS]
        rights = f"was given {and_more(dangerous)}" if dangerous else ""
        if not dangerous and "ALL" not in dropped:
            rights = "keeps the default capabilities"
        if rights and not config.privileged:
            yield Finding.about(
                container,
                f"{container} {rights}",
                {"HostConfig.CapAdd": added or "none", "HostConfig.CapDrop": dropped or "none"},
                variables={"image": container.config.image},
            )


@check("security.new-privileges", severity=Severity.advice, posture=True)
def new_privileges(exposed: Exposed, config: DaemonConfig | None, info: Info | None) -> CheckResult:
    """A process in a container may gain privileges through set-uid programs.

    `no-new-privileges` may be set for a container or for all of them in daemon.json. From engine
    23.0 /info mentions the latter; on older ones it is read from the daemon's configuration, where
    that can be read.
    """
    by_file = config is not None and config.value("no-new-privileges") is True
    by_engine = info is not None and info.has_security("no-new-privileges")
    if by_file or by_engine:
        return Skipped("the daemon sets no-new-privileges for all containers")
    for container in exposed:
        options = container.host_config.security_opt or []
        if any(
            option.replace("=", ":") in ("no-new-privileges", "no-new-privileges:true")
            for option in options
        ):
            continue
        yield Finding.about(
            container,
            f"{container} may gain privileges through set-uid programs",
            {
                "HostConfig.SecurityOpt": options or "none",
                "Config.User": container.config.user or "root",
            },
            variables={"image": container.config.image},
        )


@check("security.writable-rootfs", severity=Severity.advice, posture=True)
def writable_rootfs(exposed: Exposed) -> CheckResult:
    """A container may write to its own root file system.

    An attacker who breaks in can replace programs and leave tools behind. Many programs need only a
    few places to write (/tmp, /run): `--tmpfs` gives them. Whether this one would work read-only is
    not tried.
    """
    for container in exposed:
        if container.host_config.readonly_rootfs:
            continue
        yield Finding.about(
            container,
            f"{container} may write to its root file system",
            {
                "HostConfig.ReadonlyRootfs": False,
                "HostConfig.Tmpfs": sorted(container.host_config.tmpfs or ()) or "none",
            },
            variables={"image": container.config.image},
        )


@check("security.host-namespace", severity=Severity.advice, posture=True)
def host_namespace(exposed: Exposed, info: Info | None) -> CheckResult:
    """A container shares a namespace with the host.

    Network: it reaches what listens on the host's loopback. PID: it sees and may signal the host's
    processes. IPC and UTS: shared memory, the host's name. User: it opts out of remapping.
    Monitoring agents and network plugins are meant to: silence them with the reason.
    """
    is_remapped = info is not None and info.has_userns_remap
    for container in exposed:
        config = container.host_config
        modes = {
            "network": config.network_mode,
            "PID": config.pid_mode,
            "IPC": config.ipc_mode,
            "UTS": config.uts_mode,
            "user": config.userns_mode if is_remapped else "",
        }
        shared = [name for name, mode in modes.items() if mode == "host"]
        if not shared:
            continue
        noun = agree(shared, "namespace", "namespaces")
        yield Finding.about(
            container,
            f"{container} shares the host's {', '.join(shared)} {noun}",
            {f"HostConfig {name}": "host" for name in shared},
            variables={"image": container.config.image},
        )


WRITABLE = frozenset(
    {
        "/", "/bin", "/boot", "/dev", "/etc", "/etc/cron.d", "/etc/docker", "/etc/ssh",
        "/etc/sudoers.d", "/etc/systemd/system",
        "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/root/.ssh", "/run", "/sbin",
        "/sys", "/usr", "/usr/bin", "/usr/local",
        "/usr/local/bin", "/usr/sbin", "/var", "/var/lib", "/var/lib/containerd", "/var/run",
        "/var/spool/cron",
    }
)  # fmt: skip
"""Folders of the host that make their writer root, or nearly root."""

READABLE = frozenset(
    {"/", "/etc", "/etc/shadow", "/root", "/root/.ssh", "/etc/ssh", "/home", "/var", "/var/lib"}
)
"""Folders that hold keys, passwords or other containers' data: reading is enough. /proc and /sys
read-only are what exporters take."""


@check("security.host-path", severity=Severity.advice, posture=True)
def host_path(exposed: Exposed, root: DataRoot) -> CheckResult:
    """A sensitive folder of the host is mounted into a container.

    The check judges by the folder itself: `/etc/localtime` or an application's own folder below one
    of them is nothing. Exporters that take `/proc` and `/sys` read-only pass; one that takes `/`
    read-only is named: it can read every secret of the host.
    """
    for container in exposed:
        for mount in container.bind_mounts:
            source = mount.source.rstrip("/") or "/"
            is_writable = mount.rw and (source in WRITABLE or source == root.path)
            if not is_writable and source not in READABLE and source != root.path:
                continue
            right = "write to" if is_writable else "read"
            yield Finding.about(
                container,
                f"{container} may {right} the host's {source}",
                {
                    "Mounts.Source": mount.source,
                    "Mounts.Destination": mount.destination,
                    "Mounts.RW": mount.rw,
                },
                discriminator=mount.destination,
                variables={"source": mount.source, "image": container.config.image},
            )


@check("security.unconfined", severity=Severity.advice, posture=True)
def unconfined(exposed: Exposed, info: Info) -> CheckResult:
    """A container runs with seccomp, AppArmor or SELinux switched off.

    seccomp, AppArmor, SELinux or masked paths were switched off for it, or seccomp for all in the
    daemon. A confinement that the host does not have is not reported as missing: AppArmor and
    SELinux count only where /info lists them. A privileged container has none of them and a finding
    of its own; `label=disable` is set by the engine itself where the host's PID or IPC namespace is
    shared.
    """
    features = info.security_options or []
    if any("seccomp" in feature and "profile=unconfined" in feature for feature in features):
        yield Finding(
            subject=DAEMON,
            summary="the daemon runs all containers without a seccomp profile",
            evidence={"/info SecurityOptions": features},
            variables={"path": DEFAULT_PATH},
        )
    for container in exposed:
        off = [] if container.host_config.privileged else _switched_off(container, features)
        if off:
            yield _unconfined_finding(container, off, features)


def _switched_off(container: Container, features: list[str]) -> list[str]:
    """The options by which a container lacks a confinement that the host has."""
    config = container.host_config
    options = config.security_opt or ()
    off = [option for option in options if _switches_off(option, container, features)]
    # the docker CLI sends systempaths=unconfined as an empty list of masked paths
    return [*off, "systempaths=unconfined"] if config.masked_paths == [] else off


def _unconfined_finding(container: Container, off: list[str], features: list[str]) -> Finding:
    evidence: dict[str, Json] = {"HostConfig.SecurityOpt": off, "/info SecurityOptions": features}
    if container.host_config.masked_paths == []:
        evidence["HostConfig.MaskedPaths"] = "none"
    return Finding.about(
        container,
        f"{container} runs with {', '.join(off)}",
        evidence,
        variables={"image": container.config.image},
    )


def _switches_off(option: str, container: Container, features: Sequence[str]) -> bool:
    """Whether a security option of a container switches off a confinement that this host has."""
    name, _, value = option.replace(":", "=", 1).partition("=")
    if value == "unconfined":
        return name in ("seccomp", "systempaths") or any(
            f"name={name}" in feature for feature in features
        )
    has_selinux = any("name=selinux" in feature for feature in features)
    shares = "host" in (container.host_config.pid_mode, container.host_config.ipc_mode)
    return (name, value) == ("label", "disable") and has_selinux and not shares
