"""The host path of a container's program, and the mount that hides the image's own. Pure."""

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.file_paths import innermost


def hiding_mount(container: Container, program: str) -> str:
    """The innermost mount that hides the program's folder of the image; "" if there is none."""
    points = [mount.destination for mount in container.mounts]
    points += container.host_config.tmpfs or ()
    return innermost(points, program)


class ProgramPlace(msgspec.Struct, frozen=True):
    """The host path of a program, with its mount."""

    path: str
    mount: Mount
    mounted: Mounted | None
    """The host's mount that holds it, None where the mounts are not known."""

    @property
    def is_noexec(self) -> bool:
        return self.mounted is not None and "noexec" in self.mounted.options.split(",")


def place_of_program(
    container: Container, program: str, mounts: Mounts | None
) -> ProgramPlace | None:
    """The place of a program that is mounted from the host into its container."""
    points = {mount.destination: mount for mount in container.mounts if mount.has_host_path}
    mount = points.get(program) or points.get(hiding_mount(container, program))
    if mount is None:
        return None
    path = mount.on_host(program)
    return ProgramPlace(path, mount, mounts.of(path) if mounts is not None else None)
