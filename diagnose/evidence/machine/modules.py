"""Whether the running kernel can still load its modules."""

import re

import msgspec

from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.confinement import container_system
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.phrases import and_more
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.questions.run import IdentifyKernel
from diagnose.registry import evidence

_LACKS_MODULE = LazyPattern(
    r"table does not exist|do you need to insmod|(?:operation|protocol) not supported"
    r"|not found in directory|missing kernel module|rule_append failed \(no such file"
    r"|no such device|driver not supported|unknown filesystem type",
    re.IGNORECASE,
)
"""Errors of programs where the kernel would load a module for them."""
FOLDERS = ("/lib/modules", "/usr/lib/modules")


class Modules(msgspec.Struct, frozen=True):
    """The modules of the running kernel."""

    release: str
    """The running kernel's."""
    loaded: int
    """How many modules it holds; 0 for a kernel built in one piece."""
    folder: str
    """The folder with the modules of this kernel release; empty if there is none."""
    names: frozenset[str] = frozenset()
    """The names of the loaded modules."""
    others: tuple[str, ...] = ()
    """Other releases with a folder there, looked up where this one has none."""
    around: str = ""
    """The container system whose host has the kernel and its modules, "lxc" for one."""

    @property
    def are_gone(self) -> bool:
        """Whether the running kernel has modules, and can load no other one.

        An upgrade leaves the folder of another release. NAS systems keep their modules elsewhere.
        """
        is_lost = bool(self.release and self.loaded and not self.folder)
        return is_lost and bool(self.others) and not self.around

    def explain(self, error: str) -> bool:
        """Whether an error says that something is not there which a module would bring."""
        return self.are_gone and _LACKS_MODULE.search(error) is not None

    @property
    def loss(self) -> str:
        """The missing modules of the running kernel, in words."""
        return (
            f"the modules of the running kernel {self.release} are no longer on disk, as after an "
            "upgrade of the kernel without a reboot"
        )

    @property
    def evidence(self) -> dict[str, str]:
        return {
            "uname -r": self.release,
            "/proc/modules": f"{self.loaded} loaded",
            "/lib/modules": f"no folder of this release, only of {and_more(self.others)}",
        }


@evidence
def modules(host: Host) -> Modules | Unavailable:
    """The modules of the running kernel, by /proc/modules and the release's folder."""
    kernel = host.require(IdentifyKernel())
    release = kernel.release
    answer = host.ask(ReadFile("/proc/modules"))
    if isinstance(answer, Failed) and answer.reason != "missing":
        return Unavailable.of(answer)
    lines = [] if isinstance(answer, Failed) else answer.text.splitlines()
    names = frozenset(line.partition(" ")[0] for line in lines)
    paths = [f"{folder}/{release}" for folder in FOLDERS]
    statuses = host.require(StatPaths(paths))
    folder = next((path for path in paths if path in statuses and statuses[path].type), "")
    if not lines or folder:
        return Modules(release, len(lines), folder, names)
    return Modules(
        release,
        len(lines),
        folder="",
        names=names,
        others=_releases(host),
        around=container_system(host),
    )


def _releases(host: Host) -> tuple[str, ...]:
    """The releases of kernels whose modules are on disk; none where nobody could look."""
    listing = folder_listing(host, FOLDERS[0])
    return tuple(name for name in listing.names if name[:1].isdigit())


IPVS = "/proc/net/ip_vs"


class Ipvs(msgspec.Struct, frozen=True):
    """Whether the running kernel has the balancer of swarm services in memory."""

    is_there: bool


@evidence
def ipvs(host: Host, info: Info) -> Ipvs | Unavailable:
    """The IPVS file of the module in each network namespace; not read without a swarm."""
    if info.swarm is None or info.swarm.local_node_state in ("", "inactive"):
        return Ipvs(is_there=False)
    status = host.require(StatPaths([IPVS]))
    return Ipvs(IPVS in status and bool(status[IPVS].type))
