"""What fills a disk, as the report names it."""

from __future__ import annotations

from tests.lab import Box, fault, images
from tests.lab.images import Recipe
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.storage.helpers import ROOT, SAFE, small_disk

# -- what fills a disk ----------------------------------------


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"})
def stopped_containers_fill_the_disk(box: Box) -> None:
    """The containers of finished jobs were never removed, and each has left files in its layer."""
    work = "dd if=/dev/zero of=/work bs=1M count=22 2>/dev/null"
    for number in range(12):
        box.docker("run", f"--name=job-{number}", "--memory=64m", "bb:1.36", "sh", "-c", work)
    room = box.usage(ROOT)
    assert room.f_bavail < 0.05 * room.f_blocks
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "container prune" in first["fix"][0]["command"]


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"})
def anonymous_volumes_fill_the_disk(box: Box) -> None:
    """Databases were removed without their anonymous volumes, over and over."""
    work = "dd if=/dev/zero of=/data/x bs=1M count=43 2>/dev/null"
    for number in range(6):
        name = f"db-{number}"
        box.docker(
            "run", f"--name={name}", "--memory=64m", "-v", "/data", "bb:1.36", "sh", "-c", work
        )
        box.docker("rm", name)
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "volume rm" in first["fix"][0]["command"]


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"})
def images_of_former_releases_fill_the_disk(box: Box) -> None:
    """Each release left its image with its tag, which `docker image prune` leaves alone."""
    for number in range(1, 5):
        files = {"release": (bytes([number]) * 60_000_000, 0o644)}
        images.load(box, f"shop/web:1.{number}", Recipe(files))
    box.fill(f"{ROOT}/spare", 0.96)
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "images without a container hold" in first["summary"], first["summary"]
    assert first["fix"][0]["command"].endswith("xargs -r docker image rm")


@fault(
    "storage.disk-full",
    subject="filesystem:/var/lib/docker",
    box={"disk": "300M"},
    config={"storage-driver": "vfs"},
    baseline=False,
)
def layers_of_a_former_storage_driver_fill_the_disk(box: Box) -> None:
    """The engine got another storage driver: what the first one holds is seen by no prune."""
    for number in range(3):
        images.load(
            box, f"old:{number}", Recipe({"big": (bytes([number + 1]) * 85_000_000, 0o644)})
        )
    box.stop_engine()
    box.start_engine(config={**BASE_CONFIG, "storage-driver": "overlay2"})
    box.docker("image", "prune", "--all", "--force")
    room = box.usage(ROOT)
    assert room.f_bavail < 0.1 * room.f_blocks
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert first["fix"][0]["command"] == f"rm -rf {ROOT}/vfs {ROOT}/image/vfs"


@fault(
    "storage.disk-full",
    subject="filesystem:/var/lib/docker",
    box={"disk": "300M"},
    also=["logging.file-missing"],
    exit_code=2,
)
def renamed_log_that_fills_the_disk(box: Box) -> None:
    """The host's logrotate has renamed a container's log, and the engine writes on into that file.

    The log's own path has a new file, which is empty. The command empties the right one, and the
    engine writes to the log's own file then.
    """
    _write_into_renamed_log(box, "audit41")
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert 'the log of container "audit41" was renamed' in first["summary"], first["summary"]
    box.sh(first_command(box, "storage.disk-full", ROOT))
    room = box.usage(ROOT)
    assert room.f_bavail > 0.5 * room.f_blocks
    box.docker("rm", "-f", "audit41")
    box.sh(f"rm {ROOT}/spare")
    _write_into_renamed_log(box, "audit41")


def _write_into_renamed_log(box: Box, name: str) -> None:
    """A container whose log is renamed before it prints some 200 MB."""
    line = "x" * 9999
    loud = (
        f"while [ ! -e /tmp/go ]; do sleep 0.1; done; yes {line} | head -n 21000; exec sleep 1000"
    )
    options = ("--tmpfs=/tmp", "--log-opt=max-size=1g", f"--name={name}")
    box.docker(*SAFE, *options, "bb:1.36", "sh", "-c", f"echo up; {loud}")
    log = box.inspect(name)["LogPath"]
    box.wait_for(lambda: box.path(log).stat().st_size > 0, what="the first line")
    box.sh(f"mv {log} {log}-20261203; : >{log}")
    box.docker("exec", name, "touch", "/tmp/go")
    renamed = box.path(f"{log}-20261203")
    box.wait_for(lambda: renamed.stat().st_size > 210_000_000, 60, what="the log to grow")
    box.fill(f"{ROOT}/spare", 0.96)


@fault("storage.disk-full", subject="filesystem:/srv/journals", shareable=True, exit_code=2)
def folder_that_fills_a_disk_is_named(box: Box) -> None:
    """A program's dumps have filled the small disk of a mount: the folder is named."""
    small_disk(box, "journals")
    box.sh(
        "mkdir -p /srv/journals/app/dumps; head -c 60M /dev/zero >/srv/journals/app/dumps/1 || true"
    )
    box.docker(*SAFE, "--name=dumper", "-v", "/srv/journals:/data", "bb:1.36", "sleep", "1000")
    findings = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    summary = next(f["summary"] for f in findings if f["subject"]["name"] == "/srv/journals")
    assert "/srv/journals/app/dumps holds" in summary


@fault("storage.disk-full", subject="filesystem:/srv/wordy", exit_code=2)
def log_of_a_program_that_fills_a_disk(box: Box) -> None:
    """A program writes a log of its own into a folder of the host, and nothing rotates it.

    What it prints then is explained by the full disk, and is not an error of its own.
    """
    small_disk(box, "wordy")
    line = "x" * 999
    work = (
        f"mkdir -p /data/logs; for i in $(seq 400); do for j in $(seq 200); do echo {line}; done "
        ">>/data/logs/app.log 2>/dev/null || break; done; while :; do "
        "echo >/data/session || echo 'Error: ENOSPC: no space left on device, write' >&2; sleep 1; done"
    )
    box.docker(*SAFE, "--name=wordy61", "-v", "/srv/wordy:/data", "bb:1.36", "sh", "-c", work)

    def complains() -> bool:
        return box.docker("logs", "wordy61").stderr.count("ENOSPC") >= 6

    box.wait_for(complains, what="the program to complain")
    report = box.diagnose("all", "--format", "json").report
    full = next(f for f in report["findings"] if f["subject"]["name"] == "/srv/wordy")
    assert 'the log /srv/wordy/logs/app.log of container "wordy61" holds' in full["summary"], full
    commands = [fix["command"] for fix in full["fix"]]
    assert "truncate -s 0 /srv/wordy/logs/app.log" in commands, commands
    said = [f for f in report["findings"] if f["id"] == "container.errors-in-log"]
    assert not any(f["root"] for f in said if f["subject"]["name"] == "wordy61"), said


@fault("storage.disk-full", subject="filesystem:/srv/crashes", shareable=True, exit_code=2)
def core_dumps_fill_a_disk(box: Box) -> None:
    """A program crashes again and again, and each crash leaves a core dump."""
    small_disk(box, "crashes")
    dumps = "for i in $(seq 20); do head -c 2M /dev/zero >/srv/crashes/core.$i || break; done"
    box.sh(f"{dumps} || true")
    box.docker(*SAFE, "--name=crasher", "-v", "/srv/crashes:/data", "bb:1.36", "sleep", "1000")
    findings = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    summary = next(f["summary"] for f in findings if f["subject"]["name"] == "/srv/crashes")
    assert "core dumps in /srv/crashes hold" in summary


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"}, exit_code=1)
def unfinished_downloads_fill_the_disk(box: Box) -> None:
    """An engine that was killed during pulls has left what it had downloaded."""
    box.sh(f"for i in 1 2 3; do fallocate -l 85M {ROOT}/tmp/GetImageBlob10$i; done")
    box.sh(f"touch -d '3 hours ago' {ROOT}/tmp/GetImageBlob*")
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert f"find {ROOT}/tmp " in first["fix"][0]["command"]
