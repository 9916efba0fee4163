"""The smallest repair of what the kernel does not forward or filter."""

from collections.abc import Sequence

from diagnose.evidence.network.sysctl_files import SysctlFiles
from diagnose.model import Finding
from diagnose.questions import Host
from diagnose.registry import repairs
from diagnose.repair.differences import Difference, setting


@repairs("firewall.forwarding-off")
def forward(finding: Finding, host: Host, files: SysctlFiles | None) -> Sequence[Difference]:
    """Turns forwarding on, also in the file that turns it off at boot."""
    assignment = finding.variables["assignment"]
    name = assignment.partition("=")[0]
    line = files.of(name, "0") if files is not None else None
    return setting(assignment, "0", line, host)


@repairs("firewall.bridge-filter-off")
def filter_bridged(host: Host, files: SysctlFiles | None) -> Sequence[Difference]:
    """Makes frames between containers pass the rules again, also after the next boot."""
    name = "net.bridge.bridge-nf-call-iptables"
    line = files.of(name, "0") if files is not None else None
    return setting(f"{name}=1", "0", line, host)
