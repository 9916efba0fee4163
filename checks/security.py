"""What a container may do to its host, and what it gives away: warnings where a break-out needs no flaw, else
advice."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.exposure import engine_sockets, is_reachable, most_exposed_first
from diagnose.evidence.info import Info
from diagnose.evidence.processes import Processes
from diagnose.evidence.secrets import has_secret
from diagnose.model import Finding, Severity, Skipped, Unavailable
from diagnose.registry import check

NAMES_SHOWN = 8


@check("security.privileged", severity=Severity.warning)
def privileged(containers: Containers) -> Iterable[Finding]:
    """A container runs privileged: its root is the host's root.

    All devices, all capabilities, no seccomp or AppArmor. Containers that truly need it (a nested engine, some
    storage and device plugins) are named too: silence them by id and subject, with the reason. A job that has ended
    is not named.
    """
    for container in most_exposed_first(containers):
        if container.host_config.privileged:
            reach = "; its ports are open to the network" if is_reachable(container) else ""
            yield Finding(
                subject=container.subject,
                summary=f"{container.short} is privileged: whoever breaks into it is root on this host{reach}",
                evidence={
                    "HostConfig.Privileged": True,
                    "Config.User": container.config.user or "root",
                    "Config.Image": container.config.image,
                    "State.Status": container.state.status,
                },
                variables={"container": container.short, "image": container.config.image},
                service=container.service,
            )


@check("security.docker-socket-mounted", severity=Severity.warning)
def docker_socket_mounted(containers: Containers) -> Iterable[Finding]:
    """A container has the engine's socket, and with it root on the host.

    A read-only mount does not protect: it keeps the file from being replaced, not requests from being sent. A mount
    of /run or /var/run brings the socket along. A proxy that filters requests is what the socket should be given to:
    one whose image calls itself a socket proxy and that publishes no port is advice only; whether it filters is not
    looked at.
    """
    for container in most_exposed_first(containers):
        for socket, mount in engine_sockets(container):
            is_proxy = "socket-proxy" in container.config.image and not is_reachable(container)
            yield Finding(
                subject=container.subject,
                summary=f"{container.short} can command the engine: {socket} is mounted into it",
                evidence={
                    "Mounts.Source": mount.source,
                    "Mounts.Destination": mount.destination,
                    "Mounts.RW": mount.rw,
                    "Config.Image": container.config.image,
                },
                variables={"container": container.short, "source": mount.source, "image": container.config.image},
                discriminator=mount.destination,
                severity=Severity.advice if is_proxy else None,
                service=container.service,
            )


@check("security.secrets-in-env", severity=Severity.advice, posture=True)
def secrets_in_env(containers: Containers) -> Iterable[Finding]:
    """A container's environment holds a secret in plain text.

    Everyone who may inspect it, and every process in it, can read it, and crash reports and `docker inspect` in
    tickets carry it out. What counts as a secret is what this tool redacts: by the variable's name, or by the shape
    of the value. Names such as PUBLIC_KEY, TOKEN_TTL or PASSWORD_FILE do not count. A placeholder like "changeme"
    under a secret's name does.
    """
    for container in most_exposed_first(containers):
        secrets = has_secret(container.config.env)
        if secrets:
            names = [secret.name for secret in secrets]
            others = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield Finding(
                subject=container.subject,
                summary=f"{container.short} has {', '.join(names[:3])}{others} in its environment",
                evidence={"Config.Env": [f"{secret.name} ({secret.kind})" for secret in secrets[:NAMES_SHOWN]]},
                variables={"container": container.short, "name": names[0]},
                service=container.service,
            )


@check("security.root-user", severity=Severity.advice, posture=True)
def root_user(
    containers: Containers, info: Info | Unavailable, processes: Processes | Unavailable
) -> Iterable[Finding] | Skipped:
    """A container runs as root.

    Its root is the host's root, held back by capabilities and profiles alone. Where user namespaces are remapped or
    the engine is rootless this does not apply, except to a container that opts out. An image that starts as root and
    then drops it is judged by the process that runs, where /proc can be seen (CAP_SYS_PTRACE is not needed); a master
    that stays root with lesser workers is named.
    """
    remapped = isinstance(info, Info) and (info.has_userns_remap or info.is_rootless)
    if remapped and not any(each.host_config.userns_mode == "host" for each in containers):
        return Skipped(
            "root in a container is no root on this host: user namespaces are remapped, or the engine is rootless"
        )
    return _run_as_root(containers, remapped, processes)


def _run_as_root(containers: Containers, remapped: bool, processes: Processes | Unavailable) -> Iterable[Finding]:
    for container in most_exposed_first(containers):
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
            summary=f"{container.short} {'runs' if uid == 0 else 'starts'} as root",
            evidence={
                "Config.User": user or "not set: root",
                f"/proc/{container.state.pid} uid": "not seen" if uid is None else uid,
                "Config.Image": container.config.image,
            },
            variables={"container": container.short, "image": container.config.image},
            service=container.service,
        )


def _uid(container: Container, processes: Processes | Unavailable) -> int | None:
    """The user of its first process; None if it does not run, or cannot be seen from here."""
    if isinstance(processes, Unavailable) or not container.is_running:
        return None
    process = processes.by_pid.get(container.state.pid)
    return process.uid if process and process.container in (container.id, None) else None
