"""Data roots that are not mounted, moved, cleaned by hand, or reached in an unusual way."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import load
from tests.lab.runner import BASE_CONFIG, healthy_container
from tests.lab.scenarios.engine_wounds.helpers import (
    DAEMON,
    DEAD,
    ROOT,
    SMALL,
    SUBORDINATE,
    start_and_fail,
)

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
    """The data root's disk was not mounted at boot: the engine made an empty folder in its
    place."""
    _unmount_after_use(box)
    box.start_engine()
    assert box.api("/containers/json?all=1") == []
    (finding,) = box.diagnose("check", "daemon.wrong-data-root", "--format", "json").findings
    assert finding["fix"][0]["command"].splitlines()[1] == "mount /data"


@fault("daemon.wrong-data-root", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def work_went_on_without_the_disk(box: Box) -> None:
    """The data root's disk is not mounted, and somebody has created a container on the root disk
    since."""
    _unmount_after_use(box)
    box.start_engine()
    healthy_container(box, "again", 8080)


@fault("daemon.wrong-data-root", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def setting_of_the_data_root_lost(box: Box) -> None:
    """A new daemon.json lacks `data-root`: the engine is empty, and the old root still has its
    container."""
    box.start_engine(config={**BASE_CONFIG, "data-root": "/srv/docker"})
    healthy_container(box, "web", 8080)
    box.stop_engine()
    box.start_engine(config=dict(BASE_CONFIG))
    assert box.api("/containers/json?all=1") == []


_SNAP = "/var/snap/docker/common/var-lib-docker"


def _start_engine_of_the_snap(box: Box, *options: str) -> None:
    """A second engine with folders of its own, as the snap docker runs one."""
    box.write("/var/snap/docker/current/daemon.json", dict(BASE_CONFIG))
    own = ("--exec-root=/run/snap.docker", "--pidfile=/run/snap.docker/docker.pid")
    file = "--config-file=/var/snap/docker/current/daemon.json"
    box.sh("mkdir -p /run/snap.docker")
    box.spawn(["dockerd", *own, file, f"--data-root={_SNAP}", *options], log="/var/log/snap.log")


@fault("daemon.wrong-data-root", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def two_engines_that_want_one_socket(box: Box) -> None:
    """The engine of the snap runs a container; that of the package has taken the socket since."""
    _start_engine_of_the_snap(box)
    box.wait_for(box.ping, 60, "the engine of the snap")
    healthy_container(box, "web", 8090)
    box.start_engine(config=dict(BASE_CONFIG))
    box.wait_for(lambda: box.api("/containers/json?all=1") == [], 60, "the empty engine")
    (finding,) = box.diagnose("check", "daemon.wrong-data-root", "--format", "json").findings
    assert f"the snap docker is running too, with 1 container in {_SNAP}" in finding["summary"]


@healthy()
def two_engines_with_a_socket_each(box: Box) -> None:
    """A second engine has a socket of its own and a container, and nobody misses it."""
    socket = "/run/second.sock"
    box.sh("ip link add second0 type bridge; ip addr add 172.30.0.1/24 dev second0")
    own_network = ("--bridge=second0", "--iptables=false", "--ip6tables=false")
    _start_engine_of_the_snap(box, f"--host=unix://{socket}", *own_network)
    box.wait_for(lambda: box.run(["test", "-S", socket], check=False).returncode == 0, 60, socket)
    load(box, "bb:1.36")
    box.sh(f"docker save bb:1.36 | docker -H unix://{socket} load", timeout=60)
    box.sh(f"docker -H unix://{socket} run -d --net=none --name=other bb:1.36 sleep 1000")


@fault("daemon.wrong-data-root", subject=DAEMON, exit_code=1)
def user_namespaces_switched_on(box: Box) -> None:
    """userns-remap was switched on: the engine has a new data root below the old one, and sees
    nothing of it."""
    box.sh(SUBORDINATE)
    box.stop_engine()
    box.start_engine(config={**BASE_CONFIG, "userns-remap": "default"})
    assert box.api("/containers/json?all=1") == []


@fault("daemon.data-root-covered", subject=DAEMON)
def disk_over_the_folder_of_images(box: Box) -> None:
    """A disk came to lie over the folder of images: the engine starts without a container."""
    box.stop_engine()
    box.sh(f"mount -t tmpfs scratch {ROOT}/image")
    box.start_engine(config=dict(BASE_CONFIG))
    assert box.api("/containers/json?all=1") == []
    (finding,) = box.diagnose("check", "daemon.data-root-covered", "--format", "json").findings
    assert finding["fix"][0]["command"].startswith(f"umount {ROOT}/image")


@fault("daemon.data-root-covered", subject=DAEMON, also=["logging.file-missing"])
def disk_over_the_folder_of_containers(box: Box) -> None:
    """Somebody mounts a disk over the logs and records of a running engine's containers."""
    box.docker("run", "-d", "--name=logged7", *SMALL, "shop:1.4")
    box.sh(f"mount -t tmpfs scratch {ROOT}/containers")
    assert "no such file" in box.docker("logs", "logged7", check=False).stderr
    (finding,) = box.diagnose("check", "daemon.data-root-covered", "--format", "json").findings
    assert finding["fix"][0]["command"] == f"umount {ROOT}/containers"


@fault("container.record-damaged", subject="container:lost7")
def layer_without_a_record(box: Box) -> None:
    """The engine's record of one container's layer is gone, and the engine skips the container."""
    box.docker("create", "--name=lost7", *SMALL, "shop:1.4")
    id = box.inspect("lost7")["Id"]
    box.stop_engine()
    box.sh(f"rm -r {ROOT}/image/overlay2/layerdb/mounts/{id}")
    box.start_engine(config=dict(BASE_CONFIG))
    assert id not in {container["Id"] for container in box.api("/containers/json?all=1")}


@healthy(engine_started=False, baseline=False)
def data_root_moved_on_purpose(box: Box) -> None:
    """The data root was moved to a disk of its own; the old one still lies there, and fstab names
    the new one."""
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
    """A host that was set up a moment ago: no container, and none anywhere else; fstab has a disk
    for other things."""
    box.sh("echo UUID=1234 /backup ext4 nofail 0 2 >/etc/fstab")
    assert box.api("/containers/json?all=1") == []


@healthy(baseline=False)
def build_host_between_jobs(box: Box) -> None:
    """A build host without a container at this moment; an old data root was kept: advice at
    most."""
    box.image("bb:1.36")
    box.sh(f"mkdir -p /srv/docker/containers/{'ab' * 32} /srv/docker/volumes")


@fault("daemon.not-running", subject=DAEMON, also=[*DEAD, "security.*"], exit_code=2)
def folder_in_place_of_the_socket(box: Box) -> None:
    """A folder lies where the socket belongs, and a container that mounts the socket has most
    likely made it."""
    box.docker(
        "run", "-d", "--name=agent", *SMALL, "-v", "/var/run/docker.sock:/var/run/docker.sock",
        "shop:1.4",
    )  # fmt: skip
    box.stop_engine()
    box.sh("rm -rf /run/docker.sock; mkdir /run/docker.sock")
    start_and_fail(box, "can't create unix socket /var/run/docker.sock: is a directory")
    (finding,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert finding["evidence"]["containers that mount /var/run/docker.sock"] == ["agent"]
    assert "rmdir /var/run/docker.sock" in finding["fix"][0]["command"]


@fault("daemon.not-running", subject=DAEMON, also=[*DEAD, "security.*"], exit_code=2)
def folder_in_place_of_a_file(box: Box) -> None:
    """A restore left a folder where the engine keeps the record of its volumes."""
    box.stop_engine()
    record = f"{ROOT}/volumes/metadata.db"
    box.sh(f"rm {record}; mkdir {record}")
    start_and_fail(box, f"open {record}: is a directory")
    (finding,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert finding["fix"][0]["command"].startswith(f"mv {record} {record}.")


@fault("daemon.not-running", subject=DAEMON, also=[*DEAD, "security.*"], exit_code=2)
def data_root_that_nobody_may_change(box: Box) -> None:
    """The data root was made immutable, and the engine cannot make a folder in it."""
    box.stop_engine()
    box.sh(f"rm -r {ROOT}/runtimes; chattr +i {ROOT}")
    start_and_fail(box, "operation not permitted")
    (finding,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert finding["fix"][0]["command"].startswith(f"path={ROOT}; chattr -f -i ")


@healthy(engine_started=False, baseline=False)
def volumes_on_a_disk_of_their_own(box: Box) -> None:
    """The folder of volumes is a disk of its own, as fstab says, and so is that of containers."""
    _second_disk(box, f"{ROOT}/volumes")
    box.sh(
        f"mkdir -p /srv/containers {ROOT}/containers; mount --bind /srv/containers {ROOT}/containers"
    )
    box.sh(f"echo /root/disk.img {ROOT}/volumes ext4 loop 0 2 >/etc/fstab")
    box.sh(f"echo /srv/containers {ROOT}/containers none bind 0 0 >>/etc/fstab")
    box.start_engine(config=dict(BASE_CONFIG))
    healthy_container(box, "web", 8080, "--volume=data:/data")


@healthy(engine_started=False, baseline=False)
def data_root_behind_a_link(box: Box) -> None:
    """The data root is reached through a symbolic link that daemon.json names."""
    box.sh("mkdir -p /srv/real; ln -s /srv/real /srv/docker")
    box.start_engine(config={**BASE_CONFIG, "data-root": "/srv/docker"})
    healthy_container(box, "web", 8080)


@fault("daemon.temp-folder-missing", subject=DAEMON, exit_code=1)
def temporary_folder_removed(box: Box) -> None:
    """Somebody has cleaned the data root by hand: the engine's folder for what it loads is gone."""
    box.sh("docker save shop:1.4 -o /root/images.tar; rm -rf /var/lib/docker/tmp")
    done = box.docker("load", "-i", "/root/images.tar", check=False)
    assert "no such file" in done.stderr, done.stderr


_COLLECTOR = ("run", "-d", "--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
_LOGS = "/var/lib/docker/containers"


@fault(
    "container.engine-data-elsewhere",
    subject="container:collector",
    engine_started=False,
    baseline=False,
)
def collector_of_the_usual_data_root(box: Box) -> None:
    """The data root was moved, and a collector of logs mounts what its documentation names."""
    box.start_engine(config={**BASE_CONFIG, "data-root": "/srv/docker"})
    mount = f"--volume={_LOGS}:{_LOGS}:ro"
    box.docker(*_COLLECTOR, "--name=collector", mount, "bb:1.36", "sleep", "1000")
    assert not box.docker("exec", "collector", "ls", _LOGS).stdout


@healthy(engine_started=False, baseline=False, advice=None)
def collectors_of_the_data_root_in_force(box: Box) -> None:
    """One mounts the usual place, over which the data root is mounted, and one the data root."""
    box.sh("mkdir -p /srv/docker/containers; mount --bind /srv/docker /var/lib/docker")
    box.start_engine(config={**BASE_CONFIG, "data-root": "/srv/docker"})
    for name, source in (("covered", _LOGS), ("led", "/srv/docker/containers")):
        mount = f"--volume={source}:{_LOGS}:ro"
        box.docker(*_COLLECTOR, f"--name={name}", mount, "bb:1.36", "sleep", "1000")
        assert box.docker("exec", name, "ls", _LOGS).stdout
