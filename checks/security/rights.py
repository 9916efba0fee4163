"""What a container may do to its host."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.evidence.containers.exposure import Exposed, engine_sockets, is_reachable
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mount_access import MountAccess
from diagnose.evidence.engine.config import DEFAULT_PATH, DaemonConfig
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.processes import Processes
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.registry import check


@check("security.privileged", severity=Severity.warning)
def privileged(exposed: Exposed) -> Iterable[Finding]:
    """A container runs privileged: its root is the host's root.

    All devices, all capabilities, no seccomp or AppArmor. Containers that truly need it (a nested engine, some
    storage and device plugins) are named too: silence them by id and subject, with the reason. A job that has ended
    is not named.
    """
    for container in exposed:
        if container.host_config.privileged:
            reach = "; its ports are open to the network" if is_reachable(container) else ""
            yield Finding(
                subject=container.subject,
                summary=f"{container.name} is privileged: whoever breaks into it is root on this host{reach}",
                evidence={
                    "HostConfig.Privileged": True,
                    "Config.User": container.config.user or "root",
                    "Config.Image": container.config.image,
                    "State.Status": container.state.status,
                },
                variables={"container": container.name, "image": container.config.image},
                service=container.service,
            )


@check("security.docker-socket-mounted", severity=Severity.warning)
def docker_socket_mounted(exposed: Exposed, mount_access: MountAccess | None) -> CheckResult:
    """A container has the engine's socket, and with it root on the host.

    A read-only mount does not protect: it keeps the file from being replaced, not requests from being sent. A mount of /run or /var/run
    brings the socket along. A proxy that filters requests is what the socket should be given to: one whose image calls itself a socket
    proxy and that publishes no port is advice only; whether it filters is not looked at. A container whose user may not open the socket
    cannot command the engine as it is: that is container.mount-unwritable, and advice here.
    """
    for container in exposed:
        for socket, mount in engine_sockets(container):
            is_proxy = "socket-proxy" in container.config.image and not is_reachable(container)
            is_denied = mount_access is not None and mount_access.is_denied(container, mount.destination)
            what = "can command the engine"
            if is_denied:
                what = "could command the engine if its user were allowed to open the socket"
            yield Finding.about(
                container,
                f'container "{container.name}" {what}: {socket} is mounted into it',
                {
                    "Mounts.Source": mount.source,
                    "Mounts.Destination": mount.destination,
                    "Mounts.RW": mount.rw,
                    "Config.Image": container.config.image,
                    **({"Config.User": container.config.user} if is_denied else {}),
                },
                discriminator=mount.destination,
                severity=Severity.advice if is_proxy or is_denied else None,
                source=mount.source,
                image=container.config.image,
            )
    return None


@check("security.root-user", severity=Severity.advice, posture=True)
def root_user(
    exposed: Exposed, info: Info | Unavailable, processes: Processes | Unavailable
) -> Iterable[Finding] | Skipped:
    """A container runs as root.

    Its root is the host's root, held back by capabilities and profiles alone. Where user namespaces are remapped or
    the engine is rootless this does not apply, except to a container that opts out. An image that starts as root and
    then drops it is judged by the process that runs, where /proc can be seen (CAP_SYS_PTRACE is not needed); a master
    that stays root with lesser workers is named.
    """
    remapped = isinstance(info, Info) and (info.has_userns_remap or info.is_rootless)
    if remapped and not any(each.host_config.userns_mode == "host" for each in exposed):
        return Skipped(
            "root in a container is no root on this host: user namespaces are remapped, or the engine is rootless"
        )
    return _run_as_root(exposed, remapped, processes)


def _run_as_root(exposed: Exposed, remapped: bool, processes: Processes | Unavailable) -> Iterable[Finding]:
    for container in exposed:
        user = container.config.user
        if user.partition(":")[0] not in ("", "0", "root") or (
            remapped and container.host_config.userns_mode != "host"
        ):
            continue
        uid = _uid(container, processes)
        if uid:
            continue
        yield Finding(
            subject=container.subject,
            summary=f"{container.name} {'runs' if uid == 0 else 'starts'} as root",
            evidence={
                "Config.User": user or "not set: root",
                f"/proc/{container.state.pid} uid": "not seen" if uid is None else uid,
                "Config.Image": container.config.image,
            },
            variables={"container": container.name, "image": container.config.image},
            service=container.service,
        )


def _uid(container: Container, processes: Processes | Unavailable) -> int | None:
    """The user of its first process; None if it does not run, or cannot be seen from here."""
    if isinstance(processes, Unavailable) or not container.is_running:
        return None
    process = processes.by_pid.get(container.state.pid)
    return process.uid if process and process.container in (container.id, None) else None


DANGEROUS = frozenset(
    {
        "ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "DAC_READ_SEARCH", "BPF", "PERFMON",
        "NET_ADMIN", "MAC_ADMIN", "MAC_OVERRIDE", "SYSLOG", "LINUX_IMMUTABLE", "CHECKPOINT_RESTORE",
    }
)  # fmt: skip
"""Capabilities beyond the engine's default set with which a container's root reaches the host or its other
containers."""


def _bare(capability: str) -> str:
    return capability.upper().removeprefix("CAP_")


@check("security.capabilities", severity=Severity.advice, posture=True)
def capabilities(exposed: Exposed) -> Iterable[Finding]:
    """A container has more capabilities than it is likely to need.

    Named is one that was given dangerous ones, and one that keeps the engine's default set: nothing was dropped.
    Dropping ALL and giving back what is needed is the practice that passes. Whether the program uses them is not
    looked at. Privileged containers have a finding of their own.
    """
    for container in exposed:
        config = container.host_config
        added = sorted(_bare(each) for each in config.cap_add or ())
        dropped = sorted(_bare(each) for each in config.cap_drop or ())
        dangerous = [each for each in added if each in DANGEROUS]
        if config.privileged or (not dangerous and "ALL" in dropped):
            continue
        what = f"was given {', '.join(dangerous[:3])}" if dangerous else "keeps the default capabilities"
        yield Finding(
            subject=container.subject,
            summary=f"{container.name} {what}",
            evidence={"HostConfig.CapAdd": added or "none", "HostConfig.CapDrop": dropped or "none"},
            variables={"container": container.name, "image": container.config.image},
            service=container.service,
        )


@check("security.new-privileges", severity=Severity.advice, posture=True)
def new_privileges(
    exposed: Exposed, config: DaemonConfig | Unavailable, info: Info | Unavailable
) -> Iterable[Finding] | Skipped:
    """A process in a container may gain privileges through set-uid programs.

    `no-new-privileges` may be set for a container or for all of them in daemon.json. From engine 23.0 /info tells of
    the latter; on older ones it is read from the daemon's configuration, where that can be read.
    """
    if isinstance(config, DaemonConfig) and config.value("no-new-privileges") is True:
        return Skipped("the daemon sets no-new-privileges for all containers")
    if isinstance(info, Info) and any("no-new-privileges" in option for option in info.security_options or ()):
        return Skipped("the daemon sets no-new-privileges for all containers")
    return _may_gain(exposed)


def _may_gain(exposed: Exposed) -> Iterable[Finding]:
    for container in exposed:
        options = container.host_config.security_opt or []
        if any(option.replace("=", ":") in ("no-new-privileges", "no-new-privileges:true") for option in options):
            continue
        yield Finding(
            subject=container.subject,
            summary=f"{container.name} may gain privileges through set-uid programs",
            evidence={"HostConfig.SecurityOpt": options or "none", "Config.User": container.config.user or "root"},
            variables={"container": container.name, "image": container.config.image},
            service=container.service,
        )


@check("security.writable-rootfs", severity=Severity.advice, posture=True)
def writable_rootfs(exposed: Exposed) -> Iterable[Finding]:
    """A container may write to its own root file system.

    Who breaks in can replace programs and leave tools behind. Many programs need only a few places to write (/tmp,
    /run): `--tmpfs` gives them. Whether this one would work read-only is not tried.
    """
    for container in exposed:
        if not container.host_config.readonly_rootfs:
            yield Finding(
                subject=container.subject,
                summary=f"{container.name} may write to its root file system",
                evidence={
                    "HostConfig.ReadonlyRootfs": False,
                    "HostConfig.Tmpfs": sorted(container.host_config.tmpfs or ()) or "none",
                },
                variables={"container": container.name, "image": container.config.image},
                service=container.service,
            )


@check("security.host-namespace", severity=Severity.advice, posture=True)
def host_namespace(exposed: Exposed, info: Info | Unavailable) -> Iterable[Finding]:
    """A container shares a namespace with the host.

    Network: it reaches what listens on the host's loopback. PID: it sees and may signal the host's processes. IPC and
    UTS: shared memory, the host's name. User: it opts out of remapping. Monitoring agents and network plugins are
    meant to: silence them with the reason.
    """
    remapped = isinstance(info, Info) and info.has_userns_remap
    for container in exposed:
        config = container.host_config
        modes = {
            "network": config.network_mode,
            "PID": config.pid_mode,
            "IPC": config.ipc_mode,
            "UTS": config.uts_mode,
            "user": config.userns_mode if remapped else "",
        }
        shared = [name for name, mode in modes.items() if mode == "host"]
        if shared:
            yield Finding(
                subject=container.subject,
                summary=f"{container.name} shares the host's {', '.join(shared)} namespace{'s' if len(shared) > 1 else ''}",
                evidence={f"HostConfig {name}": "host" for name in shared},
                variables={"container": container.name, "image": container.config.image},
                service=container.service,
            )


WRITABLE = frozenset(
    ("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/run", "/sbin", "/sys")
)


WRITABLE |= {f"/etc/{name}" for name in ("cron.d", "docker", "ssh", "sudoers.d", "systemd/system")} | {"/root/.ssh"}


WRITABLE |= {"/usr", "/usr/bin", "/usr/sbin", "/usr/local", "/usr/local/bin"}


WRITABLE |= {"/var", "/var/lib", "/var/lib/containerd", "/var/run", "/var/spool/cron"}
"""Folders of the host: who may write there is root, or close to it."""


READABLE = frozenset({"/", "/etc", "/etc/shadow", "/root", "/root/.ssh", "/etc/ssh", "/home", "/var", "/var/lib"})
"""Folders that hold keys, passwords or other containers' data: reading is enough. /proc and /sys read-only are what
exporters take."""


@check("security.host-path", severity=Severity.advice, posture=True)
def host_path(exposed: Exposed, root: DataRoot) -> Iterable[Finding]:
    """A sensitive folder of the host is mounted into a container.

    Judged by the folder itself: `/etc/localtime` or an application's own folder below one of them is nothing.
    Exporters that take `/proc` and `/sys` read-only pass; one that takes `/` read-only is named: it can read every
    secret of the host.
    """
    for container in exposed:
        for mount in container.mounts or ():
            if mount.type != "bind":
                continue
            source = mount.source.rstrip("/") or "/"
            writable = mount.rw and (source in WRITABLE or source == root.path)
            if not writable and source not in READABLE and source != root.path:
                continue
            yield Finding(
                subject=container.subject,
                summary=f"{container.name} may {'write to' if writable else 'read'} the host's {source}",
                evidence={
                    "Mounts.Source": mount.source,
                    "Mounts.Destination": mount.destination,
                    "Mounts.RW": mount.rw,
                },
                variables={"container": container.name, "source": mount.source, "image": container.config.image},
                discriminator=mount.destination,
                service=container.service,
            )


@check("security.unconfined", severity=Severity.advice, posture=True)
def unconfined(exposed: Exposed, info: Info) -> Iterable[Finding]:
    """A container runs with seccomp, AppArmor or SELinux switched off.

    seccomp, AppArmor, SELinux or masked paths were switched off for it, or seccomp for all in the daemon. What the
    host does not have is not missed: AppArmor and SELinux count only where /info lists them. A privileged container
    has none of them and a finding of its own; `label=disable` is set by the engine itself where the host's PID or IPC
    namespace is shared.
    """
    has = info.security_options or []
    if any("seccomp" in option and "profile=unconfined" in option for option in has):
        yield Finding(
            subject=DAEMON,
            summary="the daemon runs all containers without a seccomp profile",
            evidence={"/info SecurityOptions": has},
            variables={"path": DEFAULT_PATH},
        )
    for container in exposed:
        config = container.host_config
        if config.privileged:
            continue
        off: list[str] = []
        for option in config.security_opt or ():
            name, _, value = option.replace(":", "=", 1).partition("=")
            listed = name in ("seccomp", "systempaths") or any(f"name={name}" in each for each in has)
            if value == "unconfined" and listed:
                off.append(option)
            elif name == "label" and value == "disable" and any("name=selinux" in each for each in has):
                off += [] if "host" in (config.pid_mode, config.ipc_mode) else [option]
        # the docker CLI says systempaths=unconfined in this way
        unmasked = config.masked_paths == []
        if unmasked:
            off.append("systempaths=unconfined")
        if off:
            yield Finding(
                subject=container.subject,
                summary=f"{container.name} runs with {', '.join(off)}",
                evidence={"HostConfig.SecurityOpt": off, "/info SecurityOptions": has}
                | ({"HostConfig.MaskedPaths": "none"} if unmasked else {}),
                variables={"container": container.name, "image": container.config.image},
                service=container.service,
            )
