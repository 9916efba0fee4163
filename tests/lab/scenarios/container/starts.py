"""Starts that the engine or the runtime refuses."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.images import Recipe, load
from tests.lab.scenarios.container.helpers import GOOD, run


@fault("container.device-missing", subject="container:blind", shareable=True)
def device_that_is_not_there(box: Box) -> None:
    """A container asks for a device that the host does not have."""
    run(box, "blind", *GOOD, "--device=/dev/video9", "bb:1.36", "sleep", "1000", check=False)
    assert box.inspect("blind")["State"]["ExitCode"] == 128


@fault("container.device-missing", subject="container:trainer", shareable=True)
def gpu_without_driver(box: Box) -> None:
    """A container asks for GPUs on a host without their driver."""
    run(box, "trainer", *GOOD, "--gpus=all", "bb:1.36", "sleep", "1000", check=False)
    assert box.inspect("trainer")["State"]["ExitCode"] == 128


@fault("container.runtime-limit-hit", subject="container:narrow", shareable=True)
def too_few_files_to_start(box: Box) -> None:
    """A ulimit so low that the runtime itself cannot work under it."""
    run(box, "narrow", *GOOD, "--ulimit=nofile=6:6", "bb:1.36", "sleep", "1000", check=False)
    assert "too many open files" in box.inspect("narrow")["State"]["Error"]


@fault(
    "container.runtime-limit-hit",
    subject="container:crowded",
    also=["container.exits-at-start"],
    shareable=True,
)
def too_few_processes_for_its_user(box: Box) -> None:
    """A ulimit on processes, which counts what its user runs in other containers."""
    options = [*(option for option in GOOD if "user" not in option), "--user=1777:1777"]
    run(box, "many", *options, "bb:1.36", "sh", "-c", "sleep 1000 & sleep 1000 & wait")
    box.wait_for(
        lambda: "sleep" in str(box.api("/containers/many/top")), what="two processes of that user"
    )
    run(box, "crowded", *options, "--ulimit=nproc=2:2", "bb:1.36", "sleep", "1000", check=False)
    box.wait_for(
        lambda: "temporarily" in box.docker("logs", "crowded").stderr, what="the kernel's refusal"
    )


@fault("container.start-refused", subject="container:sidecar", shareable=True)
def joined_container_does_not_run(box: Box) -> None:
    """A container shares the network of another one that has ended."""
    run(box, "front", *GOOD, "bb:1.36", "sleep", "1000")
    run(box, "sidecar", *GOOD, "--network=container:front", "bb:1.36", "sleep", "1000")
    box.docker("kill", "front", "sidecar")
    assert "non running container" in box.docker("start", "sidecar", check=False).stderr


@fault("container.start-refused", subject="container:nobodys", shareable=True)
def user_that_the_image_does_not_have(box: Box) -> None:
    """A container is to run as a user whose name its image does not know."""
    run(box, "nobodys", *GOOD, "--user=postgres", "bb:1.36", "sleep", "1000", check=False)
    assert "unable to find user postgres" in box.inspect("nobodys")["State"]["Error"]


@fault("container.start-refused", subject="container:cloud7", shareable=True)
def user_of_the_image_that_the_image_does_not_have(box: Box) -> None:
    """The Dockerfile names a user, and no step of the build has made it."""
    load(box, "cloud:7", Recipe(changes=("USER bewcloud",)))
    run(box, "cloud7", *GOOD, "--user=", "cloud:7", "sleep", "1000", check=False)
    assert "unable to find user bewcloud" in box.inspect("cloud7")["State"]["Error"]


@fault("container.start-refused", subject="container:initless", shareable=True)
def init_that_the_host_does_not_have(box: Box) -> None:
    """The host lost its docker-init for a while, and a container asked for it."""
    box.sh("path=$(command -v docker-init); mv $path $path.away")
    run(box, "initless", *GOOD, "--init", "bb:1.36", "sleep", "1000", check=False)
    box.sh("path=$(command -v docker-init.away); mv $path ${path%.away}")
    assert '"docker-init": executable file not found' in box.inspect("initless")["State"]["Error"]


@fault("container.start-refused", subject="container:overlaid", shareable=True)
def file_over_a_folder(box: Box) -> None:
    """A file of the host is to be mounted over a folder of the image."""
    box.write("/srv/overlaid.conf", "x")
    run(
        box, "overlaid", *GOOD, "-v=/srv/overlaid.conf:/data", "bb:1.36", "sleep", "1000",
        check=False,
    )  # fmt: skip
    assert "not a directory" in box.inspect("overlaid")["State"]["Error"]


@fault("container.network-gone", subject="container:stranded", shareable=True)
def network_removed(box: Box) -> None:
    """The network of a stopped container was removed."""
    box.docker("network", "create", "strandednet")
    run(box, "stranded", *GOOD, "--network=strandednet", "bb:1.36", "sleep", "1000")
    box.docker("kill", "stranded")
    box.docker("network", "rm", "strandednet")
    assert "not found" in box.docker("start", "stranded", check=False).stderr


@fault("container.record-damaged", subject="container:*", shareable=True)
def record_emptied_by_a_power_cut(box: Box) -> None:
    """A record of a container lies empty in the data root, as after a power cut and a start."""
    made = box.docker("create", "--name=emptied9", "--volume=emptied9:/data", "bb:1.36", "true")
    folder, lost = "/var/lib/docker/containers", "5eed" * 16
    box.sh(
        f"cp -a {folder}/{made.stdout.strip()} {folder}/{lost}; : >{folder}/{lost}/config.v2.json"
    )
    finding = next(
        listed
        for listed in box.diagnose("check", "container.record-damaged", "--format", "json").findings
        if listed["subject"]["name"] == lost[:12]
    )
    assert "mounted in it: emptied9" in finding["summary"], finding
