"""Checks of users that may command the engine, and of registries that it trusts."""

import ipaddress

from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.sockets import EngineSockets
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.registry import check


@check("security.insecure-registry", severity=Severity.advice, posture=True)
def insecure_registry(info: Info) -> CheckResult:
    """A registry may be used without a verified TLS connection.

    An attacker on the way can give this host any image. The engine always allows it for its own
    loopback (127.0.0.0/8, and ::1 from engine 24), which is not a finding. A registry on the list
    may still be reached with TLS.
    """
    config = info.registry_config
    if config is None:
        return None
    for name, registry in sorted((config.index_configs or {}).items()):
        host = name.rpartition(":")[0] or name
        if not registry.secure and not _is_loopback(host):
            yield _insecure_finding(
                name, path=f"RegistryConfig.IndexConfigs.{name}.Secure", value=False
            )
    for block in config.insecure_blocks or ():
        if not _is_loopback(block):
            yield _insecure_finding(block, "RegistryConfig.InsecureRegistryCIDRs", block)


def _is_loopback(text: str) -> bool:
    if text == "localhost":
        return True
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False).is_loopback
    except ValueError:
        return False


def _insecure_finding(name: str, path: str, value: object) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=f"the engine accepts {name} as a registry without checking its certificate",
        evidence={f"/info {path}": value},
        # the folder of a certificate is named after one registry
        variables={} if "/" in name else {"registry": name},
        discriminator=name,
    )


@check("security.socket-world-writable", severity=Severity.warning, posture=True)
def socket_world_writable(sockets: EngineSockets) -> CheckResult:
    """Every local user can control the engine, and so become root.

    The socket's permissions let others than its owner and group write to it: `chmod 666` is a
    common and bad answer to "permission denied". Closed folders above the socket would still
    protect it; they are not looked at. The permissions last until the next start of the daemon or
    of docker.socket.
    """
    if not sockets.items:
        return Skipped("the engine is not reached through a socket file of this host")
    for socket in sockets:
        if not socket.mode & 0o002:
            continue
        yield Finding(
            subject=DAEMON,
            summary=(
                f"{socket.path} is writable by everyone (mode {socket.mode:04o}): "
                "every local user can become root"
            ),
            evidence={
                f"stat {socket.path}": f"mode {socket.mode:04o}, uid {socket.uid}, gid {socket.gid}"
            },
            variables={"socket": socket.path},
            discriminator=socket.path,
        )
