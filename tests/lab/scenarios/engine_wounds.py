"""What is wrong with the engine itself: its data root, its records, its layers, its pulls."""

from __future__ import annotations

import json

from tests.lab import Box, Engines, fault, healthy, registry
from tests.lab.runner import BASE_CONFIG, healthy_container

ROOT = "/var/lib/docker"
DAEMON = "daemon:docker"
CONFIG = "/etc/docker/daemon.json"
SUBORDINATE = (
    "echo dockremap:100000:65536 >/etc/subuid; echo dockremap:100000:65536 >/etc/subgid; useradd -r dockremap || true"
)
SMALL = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")


# -- daemon.json ----------------------------------------


@fault("daemon.config-invalid", subject=DAEMON, exit_code=1)
def texts_for_other_types(box: Box) -> None:
    """Three settings of a running engine stand in quotes: one finding, whose edits the engine takes."""
    box.write(CONFIG, {**BASE_CONFIG, "icc": "false", "debug": "true", "mtu": "1500"})
    (finding,) = box.diagnose("check", "daemon.config-invalid", "--format", "json").findings
    assert sum(" line " in key for key in finding["evidence"]) == 3
    assert box.engine.major >= 23 or finding["evidence"]["judged for engine"].startswith("20.10")
    box.sh(f"cp {CONFIG} /root/kept")
    box.sh(finding["fix"][0]["command"])
    assert (json.loads(box.read(CONFIG))["icc"], json.loads(box.read(CONFIG))["mtu"]) == (False, 1500)
    assert box.diagnose("check", "daemon.config-invalid", "--format", "json").findings == []
    box.sh(f"cp /root/kept {CONFIG}")


# -- the data root ----------------------------------------


def _second_disk(box: Box, point: str) -> None:
    """A disk of its own at this path."""
    box.sh(
        f"truncate -s 300M /root/disk.img; mkfs.ext4 -q /root/disk.img; mkdir -p {point}; mount -o loop /root/disk.img {point}"
    )


def _unmount_after_use(box: Box, options: str = "defaults,nofail") -> None:
    """The engine worked on a disk of its own; after a reboot nothing has mounted that disk."""
    _second_disk(box, "/data")
    box.sh(f"echo /root/disk.img /data ext4 loop,{options} 0 2 >/etc/fstab")
    box.start_engine(config={**BASE_CONFIG, "data-root": "/data/docker"})
    healthy_container(box, "web", 8080)
    box.stop_engine()
    box.sh("umount /data")


@fault("daemon.wrong-data-root", subject=DAEMON, engine_started=False, baseline=False, exit_code=2)
def disk_of_the_data_root_not_mounted(box: Box) -> None:
    """The data root's disk was not mounted at boot: the engine made an empty folder in its place."""
    _unmount_after_use(box)
    box.start_engine()
    assert box.api("/containers/json?all=1") == []
    (finding,) = box.diagnose("check", "daemon.wrong-data-root", "--format", "json").findings
    assert finding["fix"][0]["command"].splitlines()[1] == "mount /data"


@fault("daemon.wrong-data-root", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def work_went_on_without_the_disk(box: Box) -> None:
    """The data root's disk is not mounted, and somebody has created a container on the root disk since."""
    _unmount_after_use(box)
    box.start_engine()
    healthy_container(box, "again", 8080)


@fault("daemon.wrong-data-root", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def setting_of_the_data_root_lost(box: Box) -> None:
    """A new daemon.json lacks `data-root`: the engine is empty, and the old root still has its container."""
    box.start_engine(config={**BASE_CONFIG, "data-root": "/srv/docker"})
    healthy_container(box, "web", 8080)
    box.stop_engine()
    box.start_engine(config=dict(BASE_CONFIG))
    assert box.api("/containers/json?all=1") == []


@fault("daemon.wrong-data-root", subject=DAEMON, exit_code=1)
def user_namespaces_switched_on(box: Box) -> None:
    """userns-remap was switched on: the engine has a new data root below the old one, and sees nothing of it."""
    box.sh(SUBORDINATE)
    box.stop_engine()
    box.start_engine(config={**BASE_CONFIG, "userns-remap": "default"})
    assert box.api("/containers/json?all=1") == []


@healthy(engine_started=False, baseline=False)
def data_root_moved_on_purpose(box: Box) -> None:
    """The data root was moved to a disk of its own; the old one still lies there, and fstab names the new one."""
    box.start_engine(config=dict(BASE_CONFIG))
    healthy_container(box, "old", 8080)
    box.stop_engine()
    _second_disk(box, "/data")
    box.sh(
        "echo /root/disk.img /data ext4 loop,nofail 0 2 >/etc/fstab; echo /dev/sdz1 /backup ext4 noauto 0 2 >>/etc/fstab"
    )
    box.start_engine(config={**BASE_CONFIG, "data-root": "/data/docker"})
    healthy_container(box, "web", 8080)


@healthy(baseline=False)
def new_and_empty(box: Box) -> None:
    """A host that was set up a moment ago: no container, and none anywhere else; fstab has a disk for other things."""
    box.sh("echo UUID=1234 /backup ext4 nofail 0 2 >/etc/fstab")
    assert box.api("/containers/json?all=1") == []


@healthy(baseline=False)
def build_host_between_jobs(box: Box) -> None:
    """A build host without a container at this moment; an old data root was kept: advice at most."""
    box.image("bb:1.36")
    box.sh(f"mkdir -p /srv/docker/containers/{'ab' * 32} /srv/docker/volumes")


# -- pulls and layers ----------------------------------------


def _refused(box: Box, reference: str, words: str) -> None:
    reply = registry.pull(box, reference)
    assert words in reply, reply


def _start_with_registry(box: Box, **config: object) -> str:
    host = registry.start(box)
    box.start_engine(config={**BASE_CONFIG, "insecure-registries": [host], **config})
    return host


@fault("image.pull-no-space", subject=DAEMON, engine_started=False, baseline=False, box={"disk": "160M"}, exit_code=1)
def image_larger_than_the_disk(box: Box) -> None:
    """An image does not fit on the disk; a moment later the room is back."""
    host = _start_with_registry(box)
    _refused(box, f"{host}/big/app:1", "no space left on device")
    box.wait_for(lambda: box.usage(ROOT).f_bavail > 0.8 * box.usage(ROOT).f_blocks, 10, "the room to be back")


@fault("image.ids-out-of-range", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def image_with_a_directory_users_files(box: Box) -> None:
    """An image has a file whose owner's number is beyond the ids that the engine's user namespace has."""
    box.sh(SUBORDINATE)
    host = _start_with_registry(box, **{"userns-remap": "default"})
    _refused(box, f"{host}/ids/app:1", "cannot be mapped to a host ID")
    assert f"{host}/ids" not in str(box.api("/images/json"))


@fault("image.too-many-layers", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def image_of_many_layers(box: Box) -> None:
    """An image has 130 layers; overlay2 stacks 125."""
    host = _start_with_registry(box)
    _refused(box, f"{host}/deep/app:1", "max depth exceeded")


@healthy(engine_started=False, baseline=False)
def pull_that_found_room_later(box: Box) -> None:
    """A pull failed for lack of room; the disk was tidied, and the pull was repeated."""
    host = _start_with_registry(box)
    box.fill(f"{ROOT}/volumes/filler", 0.985)
    _refused(box, f"{host}/big/app:1", "no space left on device")
    box.sh(f"rm {ROOT}/volumes/filler")
    box.docker("pull", "-q", f"{host}/big/app:1", timeout=60)


@healthy(engine_started=False, baseline=False)
def remapped_users(box: Box) -> None:
    """An engine with userns-remap: another data root, other owners, and a healthy container."""
    box.sh(SUBORDINATE)
    host = _start_with_registry(box, **{"userns-remap": "default"})
    box.docker("pull", "-q", f"{host}/old/app:1")
    healthy_container(box, "web", 8080)
    assert box.api("/info")["DockerRootDir"] == f"{ROOT}/100000.100000"


@fault(
    "image.corrupt",
    subject=DAEMON,
    also=["container.start-refused"],
    exit_code=2,
)
def layers_deleted(box: Box) -> None:
    """Somebody freed room by hand: all layers are gone, and nothing can be started."""
    box.docker("run", "-d", "--name=second", *SMALL, "shop:1.4")
    box.docker("kill", "second")
    box.sh(f"cd {ROOT}/overlay2; rm -rf * 2>/dev/null || true")
    assert box.docker("restart", "-t", "0", "web", check=False).returncode != 0
    report = box.diagnose("all", "--format", "json").report
    root = next(finding for finding in report["findings"] if finding["id"] == "image.corrupt")
    effects = [finding for finding in report["findings"] if finding["id"] == "container.start-refused"]
    assert root["root"]
    assert effects
    assert all(root["key"] in str(effect["caused_by"]) for effect in effects), effects


@healthy(engines=Engines(since=26), config={"features": {"containerd-snapshotter": True}})
def records_of_another_store(box: Box) -> None:
    """containerd's store keeps the layers: there are no records of overlay2, and none is missed."""
    box.image("bb:1.36")
    assert box.api("/info")["Driver"] == "overlayfs"
