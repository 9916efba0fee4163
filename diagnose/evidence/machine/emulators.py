"""The emulators that the kernel starts for programs of other processors (binfmt_misc)."""

from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

FOLDER = "/proc/sys/fs/binfmt_misc"
_OF_ANY = ("fex-", "box64", "rosetta", "ubt_")
"""Prefixes of emulators that are not named after the processor."""
_CONTROLS = ("register", "status")
"""Files of the kernel in that folder, which are not emulators."""
_NAMES = {
    "386": "i386",
    "amd64": "x86_64",
    "arm64": "aarch64",
    "loong64": "loongarch64",
    "mips64le": "mips64el",
    "mipsle": "mipsel",
}
"""QEMU's names for the architectures of images, where they differ."""


class Emulators(Items[str], frozen=True):
    """The emulators that are registered, such as qemu-aarch64; a kernel starts with none."""

    def can_run(self, architecture: str) -> bool:
        """Whether one of them is for this architecture, as images call it."""
        name = f"qemu-{_NAMES.get(architecture, architecture)}"
        return any(platform == name or platform.lower().startswith(_OF_ANY) for platform in self)


@evidence
def emulators(host: Host, programs: Programs) -> Emulators | Unavailable:
    """The registered emulators.

    The collector reads only where the kernel has refused a container's program for its format. The
    kernel keeps this list until the next boot; where it is not mounted, nothing was registered.
    """
    if all(program.why != "exec format error" for program in programs.by_id.values()):
        return Unavailable("missing", "no program was refused for its format")
    listing = host.require(ListFolder(FOLDER))
    return Emulators(tuple(entry.name for entry in listing.entries if entry.name not in _CONTROLS))
