"""Published ports that the host itself cannot reach at 127.0.0.1."""

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.paths.host_paths import HostPath, HostPaths
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.registry import check


@check("network.loopback-not-routed", severity=Severity.warning)
def loopback_not_routed(host_paths: HostPaths, config: DaemonConfig | None) -> CheckResult:
    """A published port does not answer at 127.0.0.1: route_localnet is off.

    Without docker-proxy a rule leads such connections to the container, and the kernel sends
    packets from 127.0.0.1 only by an interface whose `route_localnet` is on. The engine turns it on
    when it starts; hardening scripts turn it off again. It is critical where a port is published
    only on 127.0.0.1.
    """
    if host_paths.why_none:
        return Skipped(host_paths.why_none)
    if config is None or config.starts_proxies:
        return Skipped("docker-proxy serves published ports at 127.0.0.1")
    if not host_paths.loopback:
        return Skipped("no running container publishes a TCP port on a bridge network")
    for path in host_paths.loopback:
        if _is_kept_back(path):
            yield _finding(path, config)


def _is_kept_back(path: HostPath) -> bool:
    obstacle = path.trace.obstacle
    if obstacle is None or not path.trace.is_blocked:
        return False
    return obstacle.reason == "route" and obstacle.by.rule.startswith("route_localnet")


def _finding(path: HostPath, config: DaemonConfig) -> Finding:
    container = path.container
    bridge = path.network.bridge
    is_for_host_alone = any(
        published.host_port == path.port and published.is_for_host_alone
        for published in container.published_by("tcp")
    )
    setting = f"net.ipv4.conf.{bridge}.route_localnet"
    return Finding.about(
        container,
        f"{container}: published port {path.port} does not answer at "
        f"127.0.0.1: {setting} is 0, and no docker-proxy serves it",
        {setting: "0", f"userland-proxy in {config.where('userland-proxy')}": False},
        discriminator=str(path.port),
        severity=Severity.critical if is_for_host_alone else None,
        touches=(Subject("interface", bridge),),
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables={"assignment": f"net/ipv4/conf/{bridge}/route_localnet=1"},
    )
