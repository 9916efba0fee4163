"""Hosts that are not a Debian server with systemd, as far as a box can be one."""

from __future__ import annotations

import json

from tests.lab import Box, fault, healthy, registry
from tests.lab.runner import BASE_CONFIG, healthy_container

DAEMON = "daemon:docker"
WITHOUT_SYSTEMD = "rm -f /usr/bin/systemctl /bin/systemctl /usr/bin/journalctl /bin/journalctl"
REVISION = "/snap/docker/3064"
SETTINGS = "/var/snap/docker/3064/config/daemon.json"
BROKEN = json.dumps(dict(BASE_CONFIG))[:-1] + ",}"


def _refuses(box: Box, words: str) -> None:
    box.wait_for(lambda: words in box.log_tail(), what="the engine to refuse")


@fault(
    "daemon.config-invalid",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    engine_started=False,
    baseline=False,
)
def file_of_the_snap(box: Box) -> None:
    """A comma too many in the file of an engine that is a snap: nothing of it lies where packages
    put it."""
    box.sh(f"mkdir -p {REVISION}/bin /var/snap/docker/common; ln -s 3064 /var/snap/docker/current")
    box.sh("ln -s 3064 /snap/docker/current; rm -rf /etc/docker")
    box.sh(f"cp $(command -v dockerd) {REVISION}/bin/; rm -f /usr/sbin/dockerd /usr/bin/dockerd")
    box.write(SETTINGS, BROKEN)
    box.spawn([f"{REVISION}/bin/dockerd", f"--config-file={SETTINGS}"], log="/var/log/docker.log")
    _refuses(box, "unable to configure the Docker daemon")
    out = box.diagnose("all").out
    assert f"{SETTINGS} line 1" in out.replace("\n  ", " "), out
    assert "apt-get install" not in out, out


@fault("daemon.not-running", subject=DAEMON, also=["container.*"])
def killed_engine_of_unraid(box: Box) -> None:
    """An engine that Slackware's script starts, and that was killed."""
    box.sh(WITHOUT_SYSTEMD)
    box.write("/etc/rc.d/rc.docker", "#!/bin/bash\n", 0o755)
    box.kill(box.engine_pid)
    box.wait_for(lambda: not box.pids_of("dockerd"), what="the engine to end")
    assert "/etc/rc.d/rc.docker restart" in box.diagnose("all").out


@fault("image.pull-no-space", subject=DAEMON, engine_started=False, exit_code=1, baseline=False)
def image_file_that_is_too_small(box: Box) -> None:
    """The data root lies in an image file of 200 MB on a disk with room, and an image does not
    fit."""
    folder = "/mnt/user/system/docker"
    box.sh("mkdir -p /mnt/user; mount --bind /var/lib/docker /mnt/user")
    box.sh(f"mkdir -p {folder}; truncate -s 200M {folder}/docker.img")
    box.sh(
        f"mkfs.ext4 -q -m 0 {folder}/docker.img; mount -o loop {folder}/docker.img /var/lib/docker"
    )
    box.sh("chmod 711 /var/lib/docker; rmdir /var/lib/docker/lost+found")
    host = registry.start(box)
    box.start_engine(config={**BASE_CONFIG, "insecure-registries": [host]})
    assert "no space left on device" in registry.pull(box, f"{host}/big/app:1")
    (finding,) = box.diagnose("check", "image.pull-no-space", "--format", "json").findings
    assert f"the image file {folder}/docker.img" in finding["summary"]


@fault("container.exits-at-start", subject="container:job20", shareable=True)
def one_call_of_an_engine_with_tls(box: Box) -> None:
    """A build job calls docker:dind once, without TLS, and ends."""
    box.docker("network", "create", "--subnet=10.232.20.0/24", "jobnet20")
    quiet = ("--network=jobnet20", "--memory=32m", "--pids-limit=64")
    engine = ("--name=dind20", "--network-alias=docker", "--env=DOCKER_TLS_CERTDIR=/certs")
    box.docker("run", "-d", *engine, *quiet, "bb:1.36", "nc", "-ll", "-p", "2376", "-e", "cat")
    line = "Cannot connect to the Docker daemon at tcp://docker:2375. Is the docker daemon running?"
    call = f"sleep 1; nc -w 2 docker 2375 </dev/null || echo '{line}' >&2; exit 1"
    job = ("--name=job20", "--env=DOCKER_HOST=tcp://docker:2375")
    box.docker("run", "-d", *job, *quiet, "bb:1.36", "sh", "-c", call)
    box.wait_state("job20", "exited")
    assert line in box.docker("logs", "job20").stderr


@healthy(engine_started=False, baseline=False)
def alpine(box: Box) -> None:
    """An engine below OpenRC: no systemctl, no journalctl, its log is a file."""
    box.sh(f"{WITHOUT_SYSTEMD}; mkdir -p /run/openrc; rm -f /etc/os-release")
    box.write("/etc/os-release", "ID=alpine\nVERSION_ID=3.19.0\n")
    box.write("/etc/init.d/docker", "#!/sbin/openrc-run\n", 0o755)
    box.start_engine(config=BASE_CONFIG)
    healthy_container(box, "web", 8080)


@healthy(engine_started=False, baseline=False)
def synology(box: Box) -> None:
    """An engine with another file and data root, as DSM's package has it."""
    package, root = "/var/packages/ContainerManager", "/volume1/@docker"
    box.sh(f"{WITHOUT_SYSTEMD}; mkdir -p {package}/etc {root}; mount --bind /var/lib/docker {root}")
    box.write(f"{package}/etc/dockerd.json", {**BASE_CONFIG, "data-root": root})
    box.start_engine(f"--config-file={package}/etc/dockerd.json")
    healthy_container(box, "web", 8080)
