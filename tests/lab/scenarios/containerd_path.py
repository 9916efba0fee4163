"""A containerd that is a service of its own, and the PATH that its unit gives it."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import BASE_CONFIG

GOOD = [
    "--user=1000:1000", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    "--memory=64m", "--pids-limit=64",
]  # fmt: skip
FOLDER = "/opt/containerd/bin"
SOCKET = "/run/containerd/containerd.sock"


def _with_path(box: Box, search: str) -> None:
    """An engine whose containerd lies in a folder of its own, its shim where packages put it."""
    box.sh(
        f"mkdir -p {FOLDER}; cp $(command -v containerd) {FOLDER}/; "
        "shim=$(command -v containerd-shim-runc-v2); cp $shim /root/shim; rm -f /usr/bin/${shim##*/}; "
        "mv /root/shim /usr/bin/${shim##*/}"
    )
    program = [f"{FOLDER}/containerd"]
    box.spawn(["env", f"PATH={search}", *program], log="/var/log/containerd.log")
    box.wait_for(box.path(SOCKET).exists, what="containerd's socket")
    box.start_engine(f"--containerd={SOCKET}", config=dict(BASE_CONFIG))
    box.docker("run", "-d", "--name=batch", *GOOD, "bb:1.36", "sleep", "1000", check=False)


@fault("container.start-refused", subject="container:batch", engine_started=False, baseline=False)
def shim_outside_the_path(box: Box) -> None:
    """PATH of containerd's unit leaves out the folder of its shim."""
    _with_path(box, FOLDER)
    assert "containerd-shim-runc-v2" in box.inspect("batch")["State"]["Error"]


@healthy(engine_started=False, baseline=False)
def shim_in_the_path(box: Box) -> None:
    """The same containerd with a PATH that has it."""
    _with_path(box, f"{FOLDER}:/usr/sbin:/usr/bin:/sbin:/bin")
    assert box.inspect("batch")["State"]["Running"]
