"""Page variables that give a container another device, or create the device."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.gpu import GpuSupport
from diagnose.model import PageVariables

MODULES = {
    "/dev/nvidia": "nvidia",
    "/dev/net/tun": "tun",
    "/dev/fuse": "fuse",
    "/dev/kvm": "kvm",
    "/dev/loop": "loop",
    "/dev/vhost-net": "vhost_net",
    "/dev/ppp": "ppp_generic",
}
"""Device files, by the beginnings of their paths, and the kernel modules that make them."""


def other_device(
    container: Container, path: str, present_devices: Sequence[str] | None
) -> PageVariables:
    """The page variables of the only device of that kind under another name, as the program should
    see it.

    Empty where the container has further devices, which would be lost.
    """
    devices = container.host_config.devices or ()
    if present_devices is None or len(present_devices) != 1 or len(devices) != 1:
        return {}
    inside = devices[0].path_in_container or path
    return {"device": path, "option": "device", "instead": f"{present_devices[0]}:{inside}"}


_OF_DRIVERS = {
    "nvidia-mismatch": {"stale_driver": "nvidia"},
    "nvidia-driver": {"module": "nvidia"},
    "nvidia-cuda": {},
}
"""Known start errors of a GPU that is there: its driver is at fault, and to leave the GPU out would
heal nothing."""
NO_TOOLKIT = "gpu-no-toolkit"
"""The known start error of an engine that cannot give GPUs."""


def device_steps(path: str, failure: str, gpu: GpuSupport | None) -> PageVariables:
    """The page variables of the device, and of the kernel module that makes it where one is known;
    or of the part that a GPU lacks."""
    if failure in _OF_DRIVERS:
        return {"device": "gpu", **_OF_DRIVERS[failure]}
    if failure == NO_TOOLKIT and gpu is not None and gpu.toolkit:
        return {"device": "gpu", "unread": "docker"}
    if failure == NO_TOOLKIT and gpu is not None and gpu.driver:
        return {"device": "gpu", "option": "gpus", "toolkit": "nvidia-container-toolkit"}
    if not path:
        return {"device": "gpu", "option": "gpus"}
    for prefix, module in MODULES.items():
        if path.startswith(prefix):
            return {"device": path, "module": module}
    return {"device": path, "option": "device"}
