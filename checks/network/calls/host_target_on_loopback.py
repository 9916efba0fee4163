"""network.host-target-on-loopback: a file names a port of the host that is on its loopback."""

import json

from diagnose.evidence.network.calls.host_targets import HostTarget, HostTargets
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

_ENGINE = "dockerd"


@check("network.host-target-on-loopback", severity=Severity.warning)
def host_target_on_loopback(host_targets: HostTargets) -> CheckResult:
    """A collector asks the host for figures at a port that is only on its loopback.

    A mounted file of Prometheus or its like names the host with a port, and all programs that
    listen there do so on 127.0.0.1: the metrics of the engine (`metrics-addr`), an exporter. A
    container calls the host by the address of a bridge. The target is DOWN, and no log shows it.
    """
    for target in host_targets:
        yield _finding(target)


def _finding(target: HostTarget) -> Finding:
    container = target.container
    listener = target.listener
    return Finding.about(
        container,
        f"{container} asks this host at {target.place}, and {listener.holder} listens on "
        f"{listener.address} only, which no container reaches",
        {target.path: target.place, "listening": f"{listener.address}:{listener.port}"},
        discriminator=str(target.port),
        recheck=(container.run,),
        variables={"port": str(target.port), **_cure(target)},
    )


def _cure(target: HostTarget) -> PageVariables:
    if target.listener.comm == _ENGINE:
        return {"metrics_json": json.dumps({"metrics-addr": f"{target.address}:{target.port}"})}
    return {"program": target.listener.comm or "the program", "address": target.address}
