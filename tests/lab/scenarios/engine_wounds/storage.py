"""Volumes and logs that something else than the engine has changed."""

from __future__ import annotations

import json

from tests.lab import Box, fault, healthy
from tests.lab.faults import Engines
from tests.lab.scenarios.engine_wounds.helpers import DAEMON, ROOT, SMALL

# -- volumes and logs ----------------------------------------


@fault(
    "storage.filesystem-unsupported",
    subject="volume:exports",
    first_command=("heals", "where the kernel has the module; the lab's has not"),
)
def volume_of_an_unknown_file_system(box: Box) -> None:
    """A volume is on NFS, and this kernel has no NFS."""
    assert "nfs" not in box.read("/proc/filesystems")
    options = (
        "--driver=local", "--opt=type=nfs", "--opt=o=addr=192.0.2.9,rw", "--opt=device=:/exports",
    )  # fmt: skip
    box.docker("volume", "create", *options, "exports")
    refused = box.docker(
        "run", "-d", "--name=media", *SMALL, "-v", "exports:/data", "shop:1.4", check=False
    )
    assert "no such device" in refused.stderr


@healthy(shareable=True)
def volume_with_options(box: Box) -> None:
    """A volume in memory, and one on NFS that nobody has mounted yet."""
    options = (
        "--driver=local", "--opt=type=nfs", "--opt=o=addr=192.0.2.9,rw", "--opt=device=:/exports",
    )  # fmt: skip
    box.docker("volume", "create", *options, "unused-exports")
    box.docker(
        "volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs", "--opt=o=size=1m", "quick"
    )
    box.docker("run", "-d", "--name=quick", *SMALL, "-v", "quick:/data", "bb:1.36", "sleep", "1000")


@fault("logging.rotated-by-host", subject=DAEMON, exit_code=1)
def logrotate_on_the_engines_files(box: Box) -> None:
    """The host's logrotate renames the logs of containers: the engine writes on into the renamed
    file."""
    text = "/var/lib/docker/containers/*/*.log {\n  daily\n  rotate 7\n  missingok\n}\n"
    box.write("/etc/logrotate.d/docker-containers", text)


@fault("logging.rotated-by-host", subject=DAEMON)
def logrotate_that_copies(box: Box) -> None:
    """The same with copytruncate: lines are lost at times, and nothing is broken. Advice."""
    text = "/var/lib/docker/containers/*/*.log {\n  daily\n  rotate 7\n  copytruncate\n}\n"
    box.write("/etc/logrotate.d/docker-containers", text)


@healthy()
def logrotate_on_other_files(box: Box) -> None:
    """logrotate has a file for the engine's own log, and one for containers that is switched
    off."""
    box.write("/etc/logrotate.d/docker", "/var/log/docker.log {\n  weekly\n}\n")
    box.write("/etc/logrotate.d/old.disabled", "/var/lib/docker/containers/*/*.log {\n  daily\n}\n")
    box.write("/etc/logrotate.d/app", "/srv/app/*.log {\n  daily\n}\n")


@fault("logging.file-damaged", subject="container:noted", shareable=True)
def log_with_nul_bytes(box: Box) -> None:
    """A power cut left NUL bytes in a container's log."""
    box.docker(
        "run", "-d", "--name=noted", *SMALL, "bb:1.36", "sh", "-c", "echo ready; exec sleep 1000"
    )
    path = box.inspect("noted")["LogPath"]
    box.wait_for(lambda: "ready" in box.read(path), what="the first line")
    later = json.dumps({"log": "later\n", "stream": "stdout", "time": "2026-01-02T03:04:05Z"})
    box.path(path).write_text(box.read(path) + "\0" * 600 + later + "\n")
    read = box.docker("logs", "noted", check=False)
    assert "later" not in read.stdout


@fault("logging.file-damaged", subject="container:chatter", engines=Engines(since=28))
def log_that_was_emptied(box: Box) -> None:
    """Somebody has emptied the log of a running container, and `docker logs --tail` hangs."""
    script = "while :; do echo order stored; sleep 0.2; done"
    box.docker("run", "-d", "--name=chatter", *SMALL, "bb:1.36", "sh", "-c", script)
    path = box.inspect("chatter")["LogPath"]
    age = f"$(($(date +%s) - $(date +%s -d {box.inspect('chatter')['State']['StartedAt']})))"
    box.wait_for(lambda: int(box.sh(f"echo {age}")) > 31, what="lines from long after the start")
    box.sh(f"truncate -s 0 {path}")
    tail = ("docker", "logs", "--tail", "3", "chatter")
    box.wait_for(
        lambda: box.run(["timeout", "-s", "KILL", "3", *tail], check=False).returncode != 0,
        what="a hung reader",
    )
    since = box.docker("logs", "--since", "20s", "chatter").stdout
    assert "order stored" in since


@fault(
    "storage.inodes-exhausted",
    subject="filesystem:/var/lib/docker",
    box={"disk": "300M", "inodes": 4000},
    also=["container.*"],
)
def anonymous_volumes_full_of_files(box: Box) -> None:
    """Jobs without `--rm` left anonymous volumes, which have eaten the inodes."""
    folders = []
    for number in range(3):
        box.docker("run", "--name", f"job{number}", *SMALL[:2], "-v", "/cache", "bb:1.36", "true")
        folders.append(box.inspect(f"job{number}")["Mounts"][0]["Source"])
        box.docker("rm", f"job{number}")
    free = box.usage(ROOT).f_ffree
    for folder, share in zip(folders, (0.30, 0.33, 0.36), strict=True):
        box.sh(f"cd {folder}; seq -f f%g {int(free * share)} | xargs touch")
    (finding,) = box.diagnose("check", "storage.inodes-exhausted", "--format", "json").findings
    listed = finding["evidence"]["anonymous volumes without a container"]
    assert len(listed) == 3
    assert folders[2].split("/")[-2] in listed[0]
    assert "docker volume rm" in finding["fix"][0]["command"]


@healthy(shareable=True)
def many_anonymous_volumes_in_use(box: Box) -> None:
    """Containers with anonymous volumes that hold files, all in use."""
    for number in range(3):
        command = "seq -f /cache/f%g 200 | xargs touch; exec sleep 1000"
        box.docker(
            "run", "-d", f"--name=cache{number}", *SMALL, "-v", "/cache", "bb:1.36", "sh", "-c",
            command,
        )  # fmt: skip
