"""container.device-withdrawn: a container has lost access to a GPU that it was given."""

from diagnose.evidence.containers.devices.withdrawn import WithdrawnDevices
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check("container.device-withdrawn", severity=Severity.critical)
def device_withdrawn(withdrawn: WithdrawnDevices) -> CheckResult:
    """A container has lost access to a GPU that it was given.

    Updates of packages run `systemctl daemon-reload`, and systemd then writes the device rules of
    each container's control group again. It does not know the GPUs that NVIDIA's toolkit has added
    there, and removes them: the next program in the container that opens one is refused. The log
    shows it; in cgroup v1 the rules are read too. Programs that have the GPU open keep it.
    """
    for device in withdrawn:
        container = device.container
        allowed = ", ".join(line for line in device.rules.splitlines() if line.startswith("c "))
        proof = {"devices.list": allowed or "no device"} if device.rules else {}
        yield Finding.about(
            container,
            f"{container} has lost access to its GPU: the device rules of its control group were "
            "rewritten after its start, as systemctl daemon-reload does",
            {LINE: quoted(device.line), "such lines": device.times, **proof},
            recheck=(container.run,),
        )
    yield from withdrawn.unread
