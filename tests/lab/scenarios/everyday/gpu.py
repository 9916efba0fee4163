"""GPUs that a reload of systemd took away, or that a program's user may not open."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import logs

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
    box.wait_for(lambda: "job done" in box.docker("logs", name).stdout, what="a job")


@fault("container.device-withdrawn", subject="container:train9", shareable=True)
def gpu_that_a_reload_took_away(box: Box) -> None:
    """systemd has written the device rules of a container again, without its GPU."""
    _with_gpu(box, "train9")
    group = f"/sys/fs/cgroup/devices/docker/{box.inspect('train9')['Id']}"
    box.sh(f"echo 'c 195:255 rwm' >{group}/devices.deny")
    box.wait_for(lambda: "NVML" in box.docker("logs", "train9").stdout, what="the loss")
    command = first_command(box, "container.device-withdrawn", "train9")
    assert command == "docker restart train9"


@healthy(shareable=True)
def gpu_that_is_there(box: Box) -> None:
    """The same program, and nobody has touched its rules."""
    _with_gpu(box, "train8")


_NO_CARD = "[AVHWDeviceContext] No VA display found for device /dev/dri/renderD128."
_TRANSCODER = (
    f"while :; do cat /dev/dri/renderD128 >/dev/null 2>&1 || echo '{_NO_CARD}' >&2; sleep 1; done"
)


def _card(box: Box, name: str) -> str:
    """A device of the group 104, as the option that gives it to a container."""
    device = f"/srv/{name}/renderD128"
    box.sh(f"mkdir /srv/{name}; mknod {device} c 1 3; chown 0:104 {device}; chmod 660 {device}")
    return f"--device={device}:/dev/dri/renderD128"


@fault("container.device-forbidden", subject="container:media61", shareable=True)
def card_that_the_user_of_a_variable_may_not_open(box: Box) -> None:
    """A media server starts as root and changes to the user of PUID, who is not in the group of the
    graphics card: it says that there is none, and goes on without."""
    limits = ["--memory=64m", "--pids-limit=64", "-e", "PUID=1000", "-e", "PGID=1000"]
    work = ["su", "-s", "/bin/sh", "app", "-c", _TRANSCODER]
    box.docker("run", "-d", "--name=media61", *limits, _card(box, "media61"), "bb:1.36", *work)
    box.wait_for(lambda: logs(box, "media61").count(_NO_CARD) >= 4, what="the complaints")
    command = first_command(box, "container.device-forbidden", "media61")
    assert command == "chmod o+rw /srv/media61/renderD128", command


@healthy(shareable=True)
def card_that_its_user_may_open(box: Box) -> None:
    """The same complaint of a user who is in the group of the card: the card itself is of no
    use."""
    options = [*SAFE, "--user=1000:1000", _card(box, "media62"), "--group-add=104"]
    words = ["sh", "-c", f"while :; do echo '{_NO_CARD}' >&2; sleep 1; done"]
    box.docker("run", "-d", "--name=media62", *options, "bb:1.36", *words)
    box.wait_for(lambda: logs(box, "media62").count(_NO_CARD) >= 4, what="the complaints")
