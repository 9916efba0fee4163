"""What the engine says in its log alone: requests that it refuses, and what a healthy one says."""

from __future__ import annotations

from tests.lab import Box, fault, healthy, registry
from tests.lab.box import LOG
from tests.lab.provider import BOX_ADDRESS, WEB
from tests.lab.runner import BASE_CONFIG

DAEMON = "daemon:docker"


@fault("image.push-failed", subject=DAEMON, config={"insecure-registries": [f"{WEB}:5000"]})
def push_that_a_web_server_refuses(box: Box) -> None:
    """nginx comes before the registry, and takes no upload of more than 1 MB."""
    registry.start(box)
    box.docker("tag", box.image("bb:1.36"), f"{WEB}:5000/team/app:1")
    push = box.docker("push", f"{WEB}:5000/team/app:1", check=False, timeout=150)
    assert "413 Request Entity Too Large" in push.stderr + push.stdout


@fault("daemon.errors-in-log", subject=DAEMON, exit_code=0)
def container_that_asks_for_a_size(box: Box) -> None:
    """A container is to have 5 GB, and the data root is on ext4: nothing of it is kept."""
    run = ["run", "-d", "--name=sized", "--storage-opt=size=5G", box.image("bb:1.36"), "sleep", "9"]
    assert "pquota" in box.docker(*run, check=False).stderr
    assert "sized" not in box.docker("ps", "-a").stdout


@healthy()
def engine_whose_log_has_errors_of_every_day(box: Box) -> None:
    """Commands that are broken off, programs that are not there, and a network that is asked for as
    Compose asks: the engine's log has errors, and nothing is wrong."""
    run = ["-d", "--name=daily", "--restart=unless-stopped", "--memory=64m", "--pids-limit=64"]
    box.docker("run", *run, box.image("bb:1.36"), "sleep", "1000")
    assert box.docker("exec", "daily", "nope", check=False).returncode in (126, 127)
    box.run(["timeout", "-s", "KILL", "1", "docker", "exec", "daily", "sleep", "20"], check=False)
    box.docker("kill", "daily")
    box.docker("start", "daily")
    network = {"Name": "daily", "IPAM": {"Config": [{"Subnet": "172.29.0.0/24"}]}}
    box.api("/networks/create", method="POST", body=network)
    assert "level=error" in box.read(LOG)
    assert box.diagnose("check", "daemon.errors-in-log", "--format", "json").findings == []


@fault("daemon.errors-in-log", subject=DAEMON, config={**BASE_CONFIG, "live-restore": False},
       exit_code=0)  # fmt: skip
def refused_run_that_is_removed(box: Box) -> None:
    """`docker run --rm` is refused, and its container is removed with the reason."""
    run = ["run", "--rm", "--device=/dev/video7", box.image("bb:1.36"), "true"]
    assert "/dev/video7" in box.docker(*run, check=False).stderr
    assert "video7" not in box.docker("ps", "-a", "--no-trunc").stdout


_SWARM = ["swarm", "init", "--advertise-addr", BOX_ADDRESS, "--default-addr-pool", "10.200.0.0/16"]
_SERVICE = ["service", "create", "--detach", "--no-resolve-image", "--limit-memory=32m"]
IN_SWARM = {"live-restore": False}


@fault("image.pull-denied", subject="image:*", baseline=False, also=["swarm.*"],
       config={**IN_SWARM, "insecure-registries": [f"{WEB}:5000"]})  # fmt: skip
def service_that_was_given_no_login(box: Box) -> None:
    """A service of a private image is made without --with-registry-auth by a user who is logged
    in."""
    registry.start(box)
    box.docker(*_SWARM)
    login = {"auths": {f"{WEB}:5000": {"auth": "bWFkZTp1cA=="}}}
    box.write("/root/.docker/config.json", login)
    box.docker(*_SERVICE, "--name=shop", f"{WEB}:5000/private/app:1")
    box.wait_for(lambda: "No such image" in _tasks(box, "shop"), 90, "the task to be rejected")
    box.wait_for(lambda: _tasks(box, "shop").count("Rejected") >= 3, 90, "three of them")


@fault("swarm.service-underreplicated", subject=DAEMON, baseline=False, config=IN_SWARM)
def interface_that_a_killed_engine_left(box: Box) -> None:
    """The VXLAN interface of an overlay network stayed in the host's namespace."""
    box.docker(*_SWARM)
    box.docker("network", "create", "-d", "overlay", "back")
    box.sh("ip link add vx-001001-p5k2a type vxlan id 4097 dstport 4789")
    service = ["--network=back", "--name=shop", box.image("bb:1.36"), "httpd", "-f"]
    box.docker(*_SERVICE, *service)
    box.wait_for(lambda: _tasks(box, "shop").count("file exists") >= 3, 120, "the tasks to fail")


def _tasks(box: Box, service: str) -> str:
    return box.docker("service", "ps", "--no-trunc", service).stdout


@fault("container.mount-stale", subject="container:media", baseline=False, engine_started=False)
def disk_that_the_engine_does_not_see(box: Box) -> None:
    """The engine was started in a mount namespace of its own, and a disk was mounted after that."""
    box.sh("mount --make-rshared /")
    box.write("/etc/docker/daemon.json", BASE_CONFIG)
    box.spawn(["unshare", "--mount", "--propagation=private", "dockerd"], log=LOG)
    box.wait_for(box.ping, what="the engine")
    box.sh("mkdir -p /srv/media; truncate -s 32M /root/disk; mkfs.ext4 -q /root/disk")
    box.sh("mount -o loop /root/disk /srv/media; echo film >/srv/media/library")
    run = ["-d", "--name=media", "--restart=unless-stopped", "--memory=64m", "--pids-limit=64"]
    box.docker("run", *run, "-v", "/srv/media:/media", box.image("bb:1.36"), "sleep", "1000")
    box.docker("restart", "-t", "0", "media")
    assert box.docker("exec", "media", "ls", "/media").stdout == ""


@fault("resources.pids-exhausted", subject="container:worker", also=["container.*"],
       config={"default-ulimits": {"nproc": {"Name": "nproc", "Soft": 24, "Hard": 24}}})  # fmt: skip
def processes_of_one_user_in_two_containers(box: Box) -> None:
    """Each container may have 24 processes of its user, and two containers run as one user."""
    run = ["-d", "--user=1000", "--memory=64m", "--pids-limit=64", "--restart=no"]
    many = "for i in $(seq 14); do sleep 1000 & done; wait"
    box.docker("run", *run, "--name=pool", box.image("bb:1.36"), "sh", "-c", many)
    few = "for i in $(seq 14); do sleep 5 & done; wait"
    box.docker("run", *run, "--name=worker", "bb:1.36", "sh", "-c", few)
    box.wait_state("worker", "exited")
    said = box.docker("logs", "worker")
    assert "Resource temporarily unavailable" in said.stdout + said.stderr


@fault("daemon.storage-driver-failed", subject=DAEMON, also=["container.*", "daemon.*"],
       baseline=False, engine_started=False, exit_code=2)  # fmt: skip
def data_root_that_cannot_carry_overlays(box: Box) -> None:
    """The data root was moved to a place that is an overlay itself, as of an engine in a container;
    a network share is refused with the same words."""
    box.sh("mkdir -p /srv/moved/overlay2/0123")
    box.write("/etc/docker/daemon.json", {**BASE_CONFIG, "data-root": "/srv/moved"})
    pid = box.spawn(["dockerd"], log=LOG)
    box.wait_for(lambda: not box.alive(pid), what="the engine to give up")
    assert "driver not supported" in box.read(LOG)
