"""Containers that name a GPU in a variable, and that no option gives one.

NVIDIA_VISIBLE_DEVICES is read by NVIDIA's runtime alone. Without it, or without `--gpus`, the
program works on the processor, slowly, and nothing fails.
"""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.gpu import DRIVER
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import path_status
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

VARIABLE = "NVIDIA_VISIBLE_DEVICES"
MOST = 12
"""Images that are asked about."""
_NONE = frozenset({"", "none", "void"})
_RUNTIME = "nvidia"


class UnusedGpu(msgspec.Struct, frozen=True):
    """A container without the GPU of its variable."""

    container: Container
    value: str


class UnusedGpus(Items[UnusedGpu], frozen=True):
    """By container."""


@evidence
def unused_gpus(host: Host, containers: Containers, info: Info | None) -> UnusedGpus:
    """The variables that a person has set: images of CUDA bring the same one.

    The collector gives nothing for a host without the driver, whose settings were copied from
    another one.
    """
    if info is not None and info.default_runtime == _RUNTIME:
        return UnusedGpus()
    candidates = [container for container in containers.running if _wants_one(container)]
    if not candidates or path_status(host, DRIVER).failed:
        return UnusedGpus()
    chosen = host.first(candidates, MOST, "containers with a GPU in a variable")
    return UnusedGpus(
        tuple(
            UnusedGpu(container, container.config.value_of(VARIABLE))
            for container in chosen
            if not _is_of_image(host, container)
        )
    )


def _wants_one(container: Container) -> bool:
    """Whether a variable names a GPU, and no option gives the container one."""
    config = container.host_config
    is_named = container.config.value_of(VARIABLE).lower() not in _NONE
    has_one = bool(config.device_requests) or config.runtime == _RUNTIME or config.privileged
    devices = (device.path_on_host for device in config.devices or ())
    return is_named and not has_one and not any("nvidia" in path for path in devices)


def _is_of_image(host: Host, container: Container) -> bool:
    """Whether the variable is that of the image; True where the image is not known."""
    image = host.ask(InspectImage(container.image))
    if isinstance(image, Failed) or image.config is None:
        return True
    return f"{VARIABLE}={container.config.value_of(VARIABLE)}" in (image.config.env or ())
