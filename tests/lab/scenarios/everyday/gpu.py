"""A GPU that a reload of systemd took away."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command

# -- what a device, a name server or a proxy no longer takes ---------------------------------------

_GPU = """
while :; do
    case $(cat /dev/nvidiactl 2>&1 >/dev/null) in
    *"not permitted"*) echo "Failed to initialize NVML: Unknown Error" ;;
    *) echo "job done on cuda:0" ;;
    esac
    sleep 1
done
"""


def _with_gpu(box: Box, name: str) -> None:
    """A program with a device of NVIDIA's numbers, which no driver of this kernel serves."""
    folder = f"/srv/{name}"
    box.sh(f"mkdir {folder}; mknod {folder}/nvidiactl c 195 255; chmod 666 {folder}/nvidiactl")
    device = f"--device={folder}/nvidiactl:/dev/nvidiactl"
    box.docker("run", "-d", f"--name={name}", *SAFE, device, "bb:1.36", "sh", "-c", _GPU)
    box.wait_for(lambda: "job done" in box.docker("logs", name).stdout, 20, "a job")


@fault("container.device-withdrawn", subject="container:train9", shareable=True)
def gpu_that_a_reload_took_away(box: Box) -> None:
    """systemd has written the device rules of a container again, without its GPU."""
    _with_gpu(box, "train9")
    group = f"/sys/fs/cgroup/devices/docker/{box.inspect('train9')['Id']}"
    box.sh(f"echo 'c 195:255 rwm' >{group}/devices.deny")
    box.wait_for(lambda: "NVML" in box.docker("logs", "train9").stdout, 20, "the loss")
    command = first_command(box, "container.device-withdrawn", "train9")
    assert command == "docker restart train9"


@healthy(shareable=True)
def gpu_that_is_there(box: Box) -> None:
    """The same program, and nobody has touched its rules."""
    _with_gpu(box, "train8")
