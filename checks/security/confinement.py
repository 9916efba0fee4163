"""Checks of AppArmor profiles that confine the engine, and keep it from its work."""

from diagnose.evidence.machine.confinement import Confinement
from diagnose.mappings import names_of, subjects_of
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Severity
from diagnose.phrases import count, duration, named, shortened
from diagnose.registry import check

PROFILES = {"runc": "/etc/apparmor.d/runc", "crun": "/etc/apparmor.d/crun"}
"""Files of profiles that AppArmor 4 ships for runtimes, by the profile's name."""


@check("security.stop-denied", severity=Severity.warning)
def stop_denied(confinement: Confinement) -> CheckResult:
    """AppArmor denies the signals with which the engine stops containers.

    The engine, or runc, runs under a profile of its own (the snap of Docker, the profile `runc` of
    AppArmor 4), from which the containers' profile `docker-default` of that engine takes no signal.
    `docker stop` says "permission denied", or ends only with a delayed kill.
    """
    for denied in confinement.signals:
        sender = f'profile "{denied.peer}"'
        variables = {"profile": PROFILES[denied.peer]} if denied.peer in PROFILES else {}
        if denied.peer.startswith("snap."):
            variables = {"snap": denied.peer.split(".")[1]}
        yield Finding(
            subject=DAEMON,
            summary=f"AppArmor denied {count(denied.times, 'signal')} of the engine to containers "
            f"({sender}, last: {denied.signal}): "
            "containers cannot be stopped cleanly",
            evidence={
                "kernel log": shortened(denied.line),
                "from the first to the last": duration(denied.last - denied.first),
            },
            variables=variables,
            discriminator=denied.peer,
            onset=denied.first,
        )
    return confinement.unread_log


@check("security.sysctl-denied", severity=Severity.critical, causes=["container.start-refused"])
def sysctl_denied(confinement: Confinement) -> CheckResult:
    """AppArmor around this host refuses a kernel setting that runc makes.

    The host is itself an LXC container. runc 1.2.8, 1.3.3 and later open /proc/sys through a
    detached mount, which AppArmor takes for /sys and refuses inside LXC. Every container with a
    network of its own fails at its start. The remedy lies on the machine outside: in here there is
    none but an older runc.
    """
    if not confinement.refused:
        return None
    confiner = "an AppArmor profile confines this host"
    if confinement.kind == "lxc":
        confiner = "this host runs inside LXC"
    names = names_of(confinement.refused)
    yield Finding(
        subject=HOST,
        summary=(
            f"{confiner}, which refuses runc the kernel setting {confinement.sysctl}: "
            f"{named('container', names)} cannot start"
        ),
        evidence={
            "State.Error": shortened(confinement.refused[0].state.error),
            "/run/systemd/container": confinement.kind or "not known",
        },
        touches=subjects_of(confinement.refused),
    )
