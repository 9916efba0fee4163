"""container.kernel-setting-low: a kernel setting of the host is below what a program needs."""

from collections.abc import Iterable, Iterator

from checks.container.claims import Claim, claims
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.limits.kernel_settings import KernelSettings, setting_of_running
from diagnose.evidence.network.sockets.unopened_ports import UnopenedPort, UnopenedPorts
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, Severity
from diagnose.programs.failures.host.kernel_settings import PORT_START
from diagnose.registry import check

_WHERE_TO_LISTEN = LazyPattern(r"PORT|URLS?$|LISTEN|BIND|ADDR")
_PORT = LazyPattern(r"(?:^|[:;,])(\d{1,4})(?![\d.])")

ID = "container.kernel-setting-low"


@check(ID, severity=Severity.critical)
def kernel_setting_low(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    kernel_settings: KernelSettings,
    repeated: RepeatedErrors | None,
    unopened_ports: UnopenedPorts | None,
) -> CheckResult:
    """A kernel setting of the host is below what a container's program needs.

    The program's log names the setting, and the kernel's own value is compared with what the log or
    the program's documentation asks for. These settings belong to the whole host; a container
    cannot change them. On the host's own network that is also the first port that a user other than
    root may open. A program that still runs and repeats an error of this kind no longer does a part
    of its work: that is a warning. The same holds for a program that prints once that it could not
    open a port of this kind, at which nothing listens: the rights of its process show why.
    """
    claimed = set()
    for claim in claims(ID, containers, log_tails, clock):
        claimed.add(claim.container.id)
        setting, usual = claim.failure.needs
        value = kernel_settings.by_name.get(setting)
        if setting == PORT_START:
            yield from _low_port_findings(claim, value)
            continue
        least = int(claim.value("least") or usual)
        if value is not None and value < least:
            yield claim.finding(
                f"needs {setting} of at least {least}, but the host has {value}",
                {f"/proc/sys {setting}": value, "needed": least},
                variables={
                    "assignment": f"{setting}={least}",
                    "setting": setting,
                    "least": str(least),
                },
            )
    others = [error for error in repeated or () if error.container.id not in claimed]
    yield from _running_findings(others, kernel_settings)
    yield from _unopened_findings(() if unopened_ports is None else unopened_ports)


def _unopened_findings(ports: Iterable[UnopenedPort]) -> Iterator[Finding]:
    """Findings about programs on the host's network that run without their own port."""
    for port in ports:
        assignment = f"{PORT_START}={port.port}"
        yield Finding.about(
            port.container,
            f"{port.container} runs without port {port.port}: on the host's network a port below "
            f"{port.first} needs the capability NET_BIND_SERVICE, which its process (user "
            f"{port.uid}) does not have",
            {LINE: port.line, f"/proc/sys {PORT_START}": port.first, "effective user": port.uid},
            severity=Severity.warning,
            recheck=(port.container.run,),
            variables={"unopened": assignment, "port": str(port.port)},
        )


def _running_findings(
    errors: Iterable[RepeatedError], kernel_settings: KernelSettings
) -> Iterator[Finding]:
    """Findings about programs that run, and repeat an error that the kernel's own value causes."""
    for error in errors:
        failure = error.failure
        if failure is None or not setting_of_running(failure):
            continue
        setting, usual = failure.needs
        value = kernel_settings.by_name.get(setting)
        least = int(failure.values.get("least", usual))
        if value is None or value >= least:
            continue
        yield Finding.about(
            error.container,
            f"{error.container} runs, but needs {setting} of at least {least}, "
            f"and the host has {value}: {failure.cause}",
            {LINE: failure.line, f"/proc/sys {setting}": value, "needed": least},
            severity=Severity.warning,
            variables={
                "live_assignment": f"{setting}={least}",
                "setting": setting,
                "least": str(least),
            },
        )


def _low_port_findings(claim: Claim, first: int | None) -> Iterator[Finding]:
    """Findings about a port of the host's own network that only root may open; first: the first
    port for others."""
    container = claim.container
    if not container.shares_host_network or container.config.starts_as_root:
        return
    ports = [port for port in _ports(claim) if first is not None and 0 < port < first]
    if ports:
        yield claim.finding(
            f"may not open port {min(ports)} on the host's network: "
            f"its user is {container.config.user}, and ports below {first} are for root",
            {f"/proc/sys {PORT_START}": first, "HostConfig.NetworkMode": "host"},
            variables={"port_start": f"{PORT_START}={min(ports)}", "port": str(min(ports))},
        )


def _ports(claim: Claim) -> list[int]:
    """The port in the line, or the ports in variables of listen addresses."""
    named_port = claim.value("port")
    if named_port:
        return [int(named_port)]
    return [
        int(port)
        for name, value in claim.container.config.environment
        if _WHERE_TO_LISTEN.search(name)
        for port in _PORT.findall(value)
    ]
