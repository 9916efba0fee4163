"""GPU support for containers on this host."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

DRIVER = "/proc/driver/nvidia/version"
TOOLKIT = "/usr/bin/nvidia-container-runtime-hook"
"""The program that the engine looks for at its start (daemon/nvidia_linux.go, 20.10 to 28)."""


class GpuSupport(msgspec.Struct, frozen=True):
    """Whether the driver of NVIDIA is loaded, and whether its container toolkit is installed."""

    driver: bool = False
    toolkit: bool = False


@evidence
def gpu_support(host: Host, containers: Containers) -> GpuSupport | Unavailable:
    """The GPU support of the host, by two paths, where the engine refused a container for a GPU."""
    if not any("gpu" in container.state.error.lower() for container in containers):
        return GpuSupport()
    answer = host.require(StatPaths([DRIVER, TOOLKIT]))
    existing = {path for path, status in answer.items() if not status.failed}
    return GpuSupport(DRIVER in existing, TOOLKIT in existing)
