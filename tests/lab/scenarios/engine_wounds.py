"""What is wrong with the engine itself: its data root, its records, its layers, its pulls."""

from __future__ import annotations

import json
import sys
import time

from tests.lab import Box, Engines, fault, healthy, registry
from tests.lab.box import LOG
from tests.lab.runner import BASE_CONFIG, healthy_container

ROOT = "/var/lib/docker"
DAEMON = "daemon:docker"
CONFIG = "/etc/docker/daemon.json"
SUBORDINATE = "echo dockremap:100000:65536 >/etc/subuid; echo dockremap:100000:65536 >/etc/subgid; useradd -r dockremap || true"
SMALL = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")


# -- daemon.json ----------------------------------------


@fault("daemon.config-invalid", subject=DAEMON, exit_code=1)
def texts_for_other_types(box: Box) -> None:
    """Three settings of a running engine stand in quotes: one finding, whose edits the engine
    takes."""
    box.write(CONFIG, {**BASE_CONFIG, "icc": "false", "debug": "true", "mtu": "1500"})
    (finding,) = box.diagnose("check", "daemon.config-invalid", "--format", "json").findings
    assert sum(" line " in key for key in finding["evidence"]) == 3
    assert box.engine.major >= 23 or finding["evidence"]["judged for engine"].startswith("20.10")
    box.sh(f"cp {CONFIG} /root/kept")
    box.sh(finding["fix"][0]["command"])
    assert (json.loads(box.read(CONFIG))["icc"], json.loads(box.read(CONFIG))["mtu"]) == (
        False,
        1500,
    )
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


@fault("daemon.wrong-data-root", subject=DAEMON, exit_code=1)
def user_namespaces_switched_on(box: Box) -> None:
    """userns-remap was switched on: the engine has a new data root below the old one, and sees
    nothing of it."""
    box.sh(SUBORDINATE)
    box.stop_engine()
    box.start_engine(config={**BASE_CONFIG, "userns-remap": "default"})
    assert box.api("/containers/json?all=1") == []


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


@fault("daemon.runtime-missing", subject=DAEMON, also=["container.start-refused"], exit_code=2)
def runtime_no_longer_registered(box: Box) -> None:
    """The entry of a runtime was lost with an edit of daemon.json: its container does not come back
    with the engine."""
    box.sh("cp $(command -v runc) /usr/local/bin/lab-runtime")
    box.stop_engine()
    runtimes = {"lab-runtime": {"path": "/usr/local/bin/lab-runtime"}}
    box.start_engine(config={**BASE_CONFIG, "runtimes": runtimes})
    box.docker(
        "run",
        "-d",
        "--name=isolated",
        "--runtime=lab-runtime",
        *SMALL[:2],
        "--restart=always",
        "shop:1.4",
    )
    box.stop_engine()
    box.start_engine(config=dict(BASE_CONFIG))
    box.docker("start", "web")
    assert box.docker("start", "isolated", check=False).returncode != 0
    (finding,) = box.diagnose("check", "daemon.runtime-missing", "--format", "json").findings
    assert "isolated" in finding["summary"]


@healthy(engine_started=False)
def runtimes_without_an_entry(box: Box) -> None:
    """A container with a registered runtime, and one that names the shim of the default one."""
    box.sh("cp $(command -v runc) /usr/local/bin/lab-runtime")
    box.start_engine(
        config={**BASE_CONFIG, "runtimes": {"lab-runtime": {"path": "/usr/local/bin/lab-runtime"}}}
    )
    healthy_container(box, "web", 8080, "--runtime=lab-runtime")
    healthy_container(box, "other", 8081, "--runtime=io.containerd.runc.v2")


NAMELESS = {"nofile": {"Hard": 1000, "Soft": 1000}}


@fault("daemon.ulimits-unnamed", subject=DAEMON, also=["container.start-refused"], exit_code=2)
def limits_without_a_name(box: Box) -> None:
    """The default limits of daemon.json lack their names: the engine takes them, and no container
    starts."""
    box.stop_engine()
    box.start_engine(config={**BASE_CONFIG, "default-ulimits": NAMELESS})
    refused = box.docker("run", "-d", "--name=late", *SMALL, "shop:1.4", check=False)
    assert "wrong rlimit value: RLIMIT_" in refused.stderr


@fault("daemon.ulimits-unnamed", subject=DAEMON, exit_code=1)
def limits_without_a_name_ahead(box: Box) -> None:
    """The same was written into the file of a running engine: nothing has failed yet."""
    box.write(CONFIG, {**BASE_CONFIG, "default-ulimits": NAMELESS})


@healthy(engine_started=False)
def limits_with_their_names(box: Box) -> None:
    """Default limits as the engine wants them."""
    box.start_engine(
        config={
            **BASE_CONFIG,
            "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 1000, "Soft": 1000}},
        }
    )
    healthy_container(box, "web", 8080)


# -- volumes and logs ----------------------------------------


@fault("storage.filesystem-unsupported", subject="volume:exports")
def volume_of_an_unknown_file_system(box: Box) -> None:
    """A volume is on NFS, and this kernel has no NFS."""
    assert "nfs" not in box.read("/proc/filesystems")
    options = (
        "--driver=local",
        "--opt=type=nfs",
        "--opt=o=addr=192.0.2.9,rw",
        "--opt=device=:/exports",
    )
    box.docker("volume", "create", *options, "exports")
    refused = box.docker(
        "run", "-d", "--name=media", *SMALL, "-v", "exports:/data", "shop:1.4", check=False
    )
    assert "no such device" in refused.stderr


@healthy(shareable=True)
def volume_with_options(box: Box) -> None:
    """A volume in memory, and one on NFS that nobody has mounted yet."""
    options = (
        "--driver=local",
        "--opt=type=nfs",
        "--opt=o=addr=192.0.2.9,rw",
        "--opt=device=:/exports",
    )
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


# -- its own records ----------------------------------------

BOOK = f"{ROOT}/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db"
DEAD = ["container.*", "daemon.*", "network.*", "firewall.*", "dns.*"]
LOCK = "import fcntl, sys, time; file = open(sys.argv[1], 'r+b'); fcntl.flock(file, fcntl.LOCK_EX); time.sleep(1000)"


def _start_and_fail(box: Box, words: str) -> None:
    """Start dockerd, and see it end; these words stand in its log.

    It waits 15 s for a containerd that does not start, and up to 15 s more for it to stop.
    """
    pid = box.spawn(["dockerd"], log=LOG)
    box.wait_for(lambda: not box.alive(pid), 90, "dockerd to give up")
    assert words in box.read(LOG), box.log_tail()


def _zero(path: str) -> str:
    """A shell line that overwrites the pages behind a database's first two, as a disk that lost
    writes leaves it."""
    return f"dd if=/dev/zero of={path} bs=4096 seek=2 count=6 conv=notrunc 2>/dev/null"


def _damaged(box: Box, path: str) -> None:
    """The damage is the root, and names the file."""
    report = box.diagnose("all", "--format", "json").report
    (finding,) = [
        finding for finding in report["findings"] if finding["id"] == "daemon.database-damaged"
    ]
    assert path in finding["summary"], finding
    assert finding["fix"][0]["command"].startswith(f"mv {path} "), finding["fix"]
    assert [
        found["id"]
        for found in report["findings"]
        if found["root"] and found["severity"] == "critical"
    ] == ["daemon.database-damaged"]


@fault(
    "daemon.database-damaged",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def record_of_volumes_damaged(box: Box) -> None:
    """A power cut left the record of volumes with a torn page: dockerd panics."""
    box.stop_engine()
    box.sh(_zero(f"{ROOT}/volumes/metadata.db"))
    _start_and_fail(box, "panic: invalid freelist page")
    _damaged(box, f"{ROOT}/volumes/metadata.db")


@fault(
    "daemon.database-damaged",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def record_of_the_build_cache_cut(box: Box) -> None:
    """A full disk cut the record of the build cache: dockerd refuses it."""
    box.stop_engine()
    box.sh(f"truncate -s 100 {ROOT}/buildkit/metadata_v2.db")
    _start_and_fail(box, "invalid database")
    _damaged(box, f"{ROOT}/buildkit/metadata_v2.db")


@fault(
    "daemon.database-damaged",
    subject=DAEMON,
    expect=[("daemon.containerd-down", DAEMON), ("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def record_of_containerd_damaged(box: Box) -> None:
    """containerd panics on its own record; all that dockerd says is that it waited in vain."""
    box.stop_engine()
    box.sh(_zero(BOOK))
    _start_and_fail(box, "timeout waiting for containerd to start")
    _damaged(box, BOOK)


@fault("daemon.database-damaged", subject=DAEMON, engines=Engines(since=28), also=DEAD, exit_code=2)
def record_of_containerd_cut(box: Box) -> None:
    """containerd works without its record, which was cut: the engine answers, and can start
    nothing."""
    box.stop_engine()
    box.sh(f"truncate -s 100 {BOOK}")
    box.start_engine()
    assert "unknown service" in box.docker("start", "web", check=False).stderr


@healthy(engines=Engines(since=28))
def build_cache_that_was_reset(box: Box) -> None:
    """The record of the build cache was damaged, and the engine has set it up again by itself."""
    box.stop_engine()
    box.sh(_zero(f"{ROOT}/buildkit/cache.db"))
    box.start_engine()
    assert "resetting to empty" in box.read(LOG)
    box.docker("start", "web")
    box.wait_health("web", "healthy")


@fault(
    "daemon.database-locked",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def record_of_volumes_locked(box: Box) -> None:
    """A program has the record of volumes open: dockerd waits a second and gives up."""
    box.stop_engine()
    holder = box.spawn([sys.executable, "-Ic", LOCK, f"{ROOT}/volumes/metadata.db"])
    _start_and_fail(box, ": timeout")
    (finding,) = box.diagnose("check", "daemon.database-locked", "--format", "json").findings
    assert finding["fix"][0]["command"].startswith(f"kill {holder};")


@fault("daemon.database-locked", subject=DAEMON, also=DEAD, exit_code=2)
def record_of_networks_locked(box: Box) -> None:
    """A program has the record of networks open: dockerd hangs in its start without a word."""
    box.stop_engine()
    box.spawn([sys.executable, "-Ic", LOCK, f"{ROOT}/network/files/local-kv.db"])
    box.start_engine(wait=False)
    box.wait_for(
        lambda: "/docker/containerd/containerd.sock" in box.sh("cat /proc/net/unix"),
        10,
        "containerd to listen",
    )
    time.sleep(2)
    assert not box.ping()


@healthy()
def second_lock_elsewhere(box: Box) -> None:
    """Programs hold locks on files of their own, and the engine on its own: nothing is wrong."""
    box.write("/root/own.db", "x")
    box.spawn([sys.executable, "-Ic", LOCK, "/root/own.db"])


@fault("daemon.not-running", subject=DAEMON, also=[*DEAD, "security.*"], exit_code=2)
def folder_in_place_of_the_socket(box: Box) -> None:
    """A folder lies where the socket belongs, and a container that mounts the socket has most
    likely made it."""
    box.docker(
        "run",
        "-d",
        "--name=agent",
        *SMALL,
        "-v",
        "/var/run/docker.sock:/var/run/docker.sock",
        "shop:1.4",
    )
    box.stop_engine()
    box.sh("rm -rf /run/docker.sock; mkdir /run/docker.sock")
    _start_and_fail(box, "can't create unix socket /var/run/docker.sock: is a directory")
    (finding,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert finding["evidence"]["containers that mount /var/run/docker.sock"] == ["agent"]
    assert "rmdir /var/run/docker.sock" in finding["fix"][0]["command"]


# -- pulls and layers ----------------------------------------


def _refused(box: Box, reference: str, words: str) -> None:
    reply = registry.pull(box, reference)
    assert words in reply, reply


def _start_with_registry(box: Box, **config: object) -> str:
    host = registry.start(box)
    box.start_engine(config={**BASE_CONFIG, "insecure-registries": [host], **config})
    return host


@fault(
    "image.pull-no-space",
    subject=DAEMON,
    engine_started=False,
    baseline=False,
    box={"disk": "160M"},
    exit_code=1,
)
def image_larger_than_the_disk(box: Box) -> None:
    """An image does not fit on the disk; a moment later the room is back."""
    host = _start_with_registry(box)
    _refused(box, f"{host}/big/app:1", "no space left on device")
    box.wait_for(
        lambda: box.usage(ROOT).f_bavail > 0.8 * box.usage(ROOT).f_blocks, 10, "the room to be back"
    )


@fault("image.ids-out-of-range", subject=DAEMON, engine_started=False, baseline=False, exit_code=1)
def image_with_a_directory_users_files(box: Box) -> None:
    """An image has a file whose owner's number is beyond the ids that the engine's user namespace
    has."""
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
    effects = [
        finding for finding in report["findings"] if finding["id"] == "container.start-refused"
    ]
    assert root["root"]
    assert effects
    assert all(root["key"] in str(effect["caused_by"]) for effect in effects), effects


@healthy(engines=Engines(since=26), config={"features": {"containerd-snapshotter": True}})
def records_of_another_store(box: Box) -> None:
    """containerd's store keeps the layers: there are no records of overlay2, and none is missed."""
    box.image("bb:1.36")
    assert box.api("/info")["Driver"] == "overlayfs"


# -- the kernel ----------------------------------------


def _removed_cgroups(box: Box) -> int:
    """Memory cgroups beyond those of any other controller, as /proc/cgroups counts them."""
    rows = [
        line.split() for line in box.read("/proc/cgroups").splitlines() if not line.startswith("#")
    ]
    counts = {name: int(number) for name, hierarchy, number, _ in rows if hierarchy != "0"}
    return counts.pop("memory") - max(counts.values())


@fault("kernel.cgroups-leaked", subject="host:host", exit_code=1)
def cgroups_that_stay(box: Box) -> None:
    """Short jobs left pages in the cache, which keep their removed memory cgroups alive."""
    least = _removed_cgroups(box) + 30
    box.write("/etc/diagnose/lab.toml", f'[thresholds."kernel.cgroups-leaked"]\nmany = {least}\n')
    box.sh("""
        mkdir -p /srv/cache
        for n in $(seq 60); do
            mkdir /sys/fs/cgroup/memory/job$n
            sh -c "echo \\$\\$ >/sys/fs/cgroup/memory/job$n/cgroup.procs; head -c 8192 /dev/zero >/srv/cache/file$n"
            rmdir /sys/fs/cgroup/memory/job$n
        done
    """)
    assert _removed_cgroups(box) > least


# -- healthy engines that look unusual ----------------------------------------


@healthy(config={"live-restore": True})
def live_restore_over_a_restart(box: Box) -> None:
    """The engine was killed and started again; its container lived on meanwhile."""
    pid = box.inspect("web")["State"]["Pid"]
    box.kill(box.engine_pid)
    box.wait_for(lambda: not box.pids_of("dockerd"), what="dockerd to end")
    box.start_engine()
    assert box.inspect("web")["State"]["Pid"] == pid


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


UNUSUAL = {
    "default-shm-size": "128M",
    "default-address-pools": [{"base": "10.200.0.0/16", "size": 24}],
    "features": {"buildkit": True},
    "labels": ["site=lab", "rack=4"],
    "max-concurrent-downloads": 2,
    "max-download-attempts": 3,
    "node-generic-resources": ["gpu=1"],
    "registry-mirrors": ["https://mirror.lab.test"],
    "shutdown-timeout": 5,
    "userland-proxy": False,
}


@healthy(engine_started=False, baseline=False)
def unusual_settings(box: Box) -> None:
    """A long daemon.json of settings that few hosts have."""
    box.start_engine(config={**BASE_CONFIG, **UNUSUAL})
    healthy_container(box, "web", 8080)


@healthy(engine_started=False, baseline=False)
def log_that_says_little(box: Box) -> None:
    """The engine logs errors only: its log has no word of any start."""
    box.start_engine(config={**BASE_CONFIG, "log-level": "error"})
    healthy_container(box, "web", 8080)
    box.stop_engine()
    box.start_engine()
    box.docker("start", "web")
    assert "Starting up" not in box.read(LOG)


@healthy()
def socket_for_a_proxy(box: Box) -> None:
    """A socket proxy has the engine's socket, read-only, and publishes nothing: advice."""
    box.docker("tag", "shop:1.4", "socket-proxy:1.0")
    socket = "/var/run/docker.sock:/var/run/docker.sock:ro"
    box.docker(
        "run",
        "-d",
        "--name=proxy",
        *SMALL,
        "--read-only",
        "--user=0",
        "-v",
        socket,
        "socket-proxy:1.0",
    )


@healthy(shareable=True)
def many_anonymous_volumes_in_use(box: Box) -> None:
    """Containers with anonymous volumes that hold files, all in use."""
    for number in range(3):
        command = "seq -f /cache/f%g 200 | xargs touch; exec sleep 1000"
        box.docker(
            "run",
            "-d",
            f"--name=cache{number}",
            *SMALL,
            "-v",
            "/cache",
            "bb:1.36",
            "sh",
            "-c",
            command,
        )


@fault("daemon.temp-folder-missing", subject=DAEMON, exit_code=1)
def temporary_folder_removed(box: Box) -> None:
    """Somebody has cleaned the data root by hand: the engine's folder for what it loads is gone."""
    box.sh("docker save shop:1.4 -o /root/images.tar; rm -rf /var/lib/docker/tmp")
    done = box.docker("load", "-i", "/root/images.tar", check=False)
    assert "no such file" in done.stderr, done.stderr


@fault("container.start-refused", subject="container:linked", shareable=True)
def mount_of_a_dangling_link(box: Box) -> None:
    """The folder to be mounted is a link whose target is not there: the engine says `file
    exists`."""
    box.sh("ln -s /mnt/usb7/films /srv/linked7")
    box.docker(
        "run",
        "-d",
        "--name=linked",
        *SMALL,
        "-v",
        "/srv/linked7:/films",
        "bb:1.36",
        "sleep",
        "1000",
        check=False,
    )
    assert "file exists" in box.inspect("linked")["State"]["Error"]
    (finding,) = box.diagnose(
        "check", "container.start-refused", "--container", "linked", "--format", "json"
    ).findings
    assert "link to nothing" in finding["summary"]
    assert "readlink -m /srv/linked7" in finding["fix"][0]["command"]


@fault("container.start-refused", subject="container:ungrouped", baseline=False)
def cgroup_hierarchy_not_mounted(box: Box) -> None:
    """A cgroup hierarchy was unmounted: no container starts. The command mounts that one, and the
    container starts; then the hierarchy is unmounted again."""
    box.image("bb:1.36")
    box.sh("umount -l /sys/fs/cgroup/devices")
    box.docker("run", "-d", "--name=ungrouped", *SMALL, "bb:1.36", "sleep", "1000", check=False)
    (finding,) = box.diagnose("check", "container.start-refused", "--format", "json").findings
    box.sh(finding["fix"][0]["command"])
    box.wait_state("ungrouped", "running")
    box.docker("kill", "ungrouped")
    box.sh("umount -l /sys/fs/cgroup/devices")
    assert box.docker("start", "ungrouped", check=False).returncode
