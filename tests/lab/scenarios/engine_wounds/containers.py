"""Runtimes, limits and cgroups that containers need and the engine or the host does not have."""

from tests.lab import Box, fault, healthy
from tests.lab.runner import BASE_CONFIG, healthy_container
from tests.lab.scenarios.engine_wounds.helpers import CONFIG, DAEMON, SMALL
from tests.lab.scenarios.everyday.helpers import first_command


@fault("daemon.runtime-missing", subject=DAEMON, also=["container.start-refused"], exit_code=2)
def runtime_no_longer_registered(box: Box) -> None:
    """The entry of a runtime was lost with an edit of daemon.json: its container does not come back
    with the engine."""
    box.sh("cp $(command -v runc) /usr/local/bin/lab-runtime")
    box.stop_engine()
    runtimes = {"lab-runtime": {"path": "/usr/local/bin/lab-runtime"}}
    box.start_engine(config={**BASE_CONFIG, "runtimes": runtimes})
    box.docker(
        "run", "-d", "--name=isolated", "--runtime=lab-runtime", *SMALL[:2], "--restart=always",
        "shop:1.4",
    )  # fmt: skip
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


_MOUNTS = "/srv/mounted"


@fault("kernel.mounts-exhausted", subject="host:host", exit_code=1)
def mounts_that_pile_up(box: Box) -> None:
    """A folder is bound into itself with all that is mounted below, which doubles each time."""
    least = 100 * 10_000 // int(box.read("/proc/sys/fs/mount-max"))
    limits = f"warn_pct = {least}\n"
    box.write("/etc/diagnose/lab.toml", f'[thresholds."kernel.mounts-exhausted"]\n{limits}')
    box.sh(f"""
        mkdir -p {_MOUNTS}
        mount -t tmpfs made-up {_MOUNTS} && mkdir {_MOUNTS}/again && mount --make-private {_MOUNTS}
        for n in $(seq 14); do mount --rbind {_MOUNTS} {_MOUNTS}/again; done
    """)
    assert int(box.sh("wc -l </proc/self/mountinfo")) > 10_000


@healthy()
def socket_for_a_proxy(box: Box) -> None:
    """A socket proxy has the engine's socket, read-only, and publishes nothing: advice."""
    box.docker("tag", "shop:1.4", "socket-proxy:1.0")
    socket = "/var/run/docker.sock:/var/run/docker.sock:ro"
    box.docker(
        "run", "-d", "--name=proxy", *SMALL, "--read-only", "--user=0", "-v", socket,
        "socket-proxy:1.0",
    )  # fmt: skip


@fault("container.start-refused", subject="container:linked", shareable=True)
def mount_of_a_dangling_link(box: Box) -> None:
    """The folder to be mounted is a link whose target is not there: the engine says `file
    exists`."""
    box.sh("ln -s /mnt/usb7/films /srv/linked7")
    box.docker(
        "run", "-d", "--name=linked", *SMALL, "-v", "/srv/linked7:/films", "bb:1.36", "sleep",
        "1000",
        check=False,
    )  # fmt: skip
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


@fault("container.start-refused", subject="container:torrent47", shareable=True)
def partner_that_was_recreated(box: Box) -> None:
    """A VPN's container was recreated, and the program in its network asks for the former one; the
    first command joins it to the new one."""
    box.docker("run", "-d", "--name=vpn47", *SMALL, "shop:1.4")
    joined = "--network=container:vpn47"
    box.docker("run", "-d", "--name=torrent47", *SMALL, joined, "shop:1.4", "sleep", "1000")
    box.docker("rm", "-f", "vpn47")
    box.docker("run", "-d", "--name=vpn47", *SMALL, "shop:1.4")
    failed = box.docker("restart", "--time=1", "torrent47", check=False)
    assert "No such container" in failed.stderr
    command = first_command(box, "container.start-refused", "torrent47")
    assert command.startswith(f"diagnose recreate torrent47 -- {joined} | sh")


@fault("container.start-refused", subject="container:sync48", shareable=True)
def share_that_was_mounted_late(box: Box) -> None:
    """The folder behind a volume was not there at the start, and is there now; the first command
    starts the container."""
    options = ("type=none", "o=bind", "device=/srv/nas48/films")
    box.docker("volume", "create", *(f"--opt={option}" for option in options), "films48")
    words = ("--name=sync48", *SMALL, "-v", "films48:/films", "shop:1.4", "sleep", "1000")
    assert "no such file" in box.docker("run", "-d", *words, check=False).stderr
    box.sh("mkdir -p /srv/nas48/films")
    command = first_command(box, "container.start-refused", "sync48")
    assert command == "docker start sync48"
    assert "not there then" in box.diagnose("check", "container.start-refused").out
    box.sh(command)
    box.docker("rm", "-f", "sync48")
    box.sh("rm -r /srv/nas48")
    box.docker("run", "-d", *words, check=False)
    box.sh("mkdir -p /srv/nas48/films")
