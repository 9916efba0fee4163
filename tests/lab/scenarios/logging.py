"""Logs that grow, vanish, or hold their writers up."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command

SAFE = ("run", "-d", "--memory=64m", "--pids-limit=64")
_BIG = 300_000_000
_LINE = '{"log":"GET /cart 200 12ms\\n","stream":"stdout","time":"2026-01-01T00:00:00.000000000Z"}'
_DEAF = """
import socket, time
server = socket.create_server(("127.0.0.1", 5514))
taken = []
while True:
    taken.append(server.accept())
"""


def grow_log(box: Box, container: str, count: int) -> None:
    log = box.inspect(container)["LogPath"]
    box.run(["sh", "-c", 'yes "$1" | head -c "$2" >>"$3"', "sh", _LINE, str(count), log])
    assert int(box.run(["stat", "-c", "%s", log]).stdout) >= count


@fault(
    "logging.unbounded",
    subject="container:audit",
    config={"log-opts": None},
    also=["logging.unbounded"],
)
def unbounded_and_big(box: Box) -> None:
    """A container without max-size has written 300 MB of log."""
    box.docker(*SAFE, "--name=audit", "bb:1.36", "sleep", "1000")
    grow_log(box, "audit", _BIG)


@fault(
    "logging.unbounded",
    subject="container:audit",
    expect=[("storage.disk-full", "filesystem:/var/lib/docker")],
    config={"log-opts": None},
    box={"disk": "340M"},
)
def unbounded_fills_the_disk(box: Box) -> None:
    """A container's log is what fills the disk."""
    box.docker(*SAFE, "--name=audit", "bb:1.36", "sleep", "1000")
    said = box.run(["df", "--output=used,avail", "-B1", "/var/lib/docker"]).stdout.split()
    used, free = int(said[2]), int(said[3])
    grow_log(box, "audit", int((used + free) * 0.975) - used)
    assert box.run(["df", "--output=pcent", "/var/lib/docker"]).stdout.split()[1] in (
        "97%",
        "98%",
        "99%",
    )


@fault(
    "logging.unbounded",
    subject="container:audit",
    expect=[("storage.disk-full", "filesystem:/var/lib/docker/containers")],
    engine_started=False,
    baseline=False,
)
def unbounded_fills_a_disk_of_its_own(box: Box) -> None:
    """The folder of containers has a small disk of its own, and a log has filled it; the data root
    has room."""
    disk, point = "/root/containers", "/var/lib/docker/containers"
    box.sh(
        f"truncate -s 40M {disk}; mkfs.ext4 -q {disk}; mkdir -p {point}; mount -o loop {disk} {point}; rmdir {point}/lost+found"
    )
    box.start_engine(config={"log-driver": "json-file"})
    box.docker(*SAFE, "--name=audit", "bb:1.36", "sleep", "1000")
    grow_log(box, "audit", 31_500_000)
    assert int(box.run(["df", "--output=pcent", point]).stdout.split()[1].rstrip("%")) >= 96


@healthy(baseline=False, config={"log-opts": None})
def unbounded_and_small(box: Box) -> None:
    """Containers without max-size and with small logs: advice, no more."""
    box.docker(*SAFE, "--name=quiet", "bb:1.36", "sh", "-c", "echo hello; sleep 1000")
    box.docker(*SAFE, "--name=local", "--log-driver=local", "bb:1.36", "sleep", "1000")


@fault("logging.opts-not-applied", subject="container:old", engine_started=False, baseline=False)
def opts_not_applied(box: Box) -> None:
    """log-opts came into daemon.json after the container."""
    box.start_engine(config={"log-driver": "json-file"})
    box.docker(*SAFE, "--name=old", "bb:1.36", "sleep", "1000")
    box.stop_engine()
    box.start_engine(
        config={"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}
    )
    box.docker("start", "old")
    box.docker(*SAFE, "--name=new", "--log-opt=max-size=50m", "bb:1.36", "sleep", "1000")
    assert not box.inspect("old")["HostConfig"]["LogConfig"]["Config"]
    assert box.inspect("new")["HostConfig"]["LogConfig"]["Config"] == {
        "max-size": "50m",
        "max-file": "3",
    }


@fault(
    "logging.driver-blocks-start", subject="container:billing", shareable=True, also=["container.*"]
)
def driver_blocks_start(box: Box) -> None:
    """Nobody listens where the container's log is to go."""
    _refused_start(box, "billing")


_TAKES = ("sh", "-c", "while :; do nc -l -p 24224 >/dev/null; done")


@fault("logging.driver-blocks-start", subject="container:billing24", also=["container.stopped"])
def container_that_takes_the_logs_is_stopped(box: Box) -> None:
    """The container that takes the logs was stopped before another one was to start."""
    box.docker(*SAFE, "--name=taker24", "-p", "24224:24224", "bb:1.36", *_TAKES)
    box.docker("stop", "--time=0", "taker24")
    _refused_start(box, "billing24")


@fault("logging.driver-blocks-start", subject="container:billing25")
def container_that_takes_the_logs_runs_now(box: Box) -> None:
    """The container that takes the logs was started after the start that needed it."""
    _refused_start(box, "billing25")
    box.docker(*SAFE, "--name=taker25", "-p", "24224:24224", "bb:1.36", *_TAKES)


def _refused_start(box: Box, name: str) -> None:
    options = ("--log-driver=fluentd", "--log-opt=fluentd-address=127.0.0.1:24224")
    said = box.docker(*SAFE, f"--name={name}", *options, "bb:1.36", "sleep", "1000", check=False)
    assert "failed to initialize logging driver" in said.stderr


@fault("container.start-refused", subject="container:unjournaled", shareable=True)
def driver_that_the_host_does_not_have(box: Box) -> None:
    """A container's log is to go to a journal that this host does not run: nobody is reached in
    vain."""
    box.docker(
        *SAFE, "--name=unjournaled", "--log-driver=journald", "bb:1.36", "sleep", "1000",
        check=False,
    )  # fmt: skip
    assert "journald is not enabled" in box.inspect("unjournaled")["State"]["Error"]


@fault("logging.driver-unreadable", subject="container:remote", shareable=True)
def driver_unreadable(box: Box) -> None:
    """The log goes away over UDP and the engine keeps no copy."""
    options = (
        "--log-driver=syslog",
        "--log-opt=syslog-address=udp://127.0.0.1:5140",
        "--log-opt=cache-disabled=true",
    )
    box.docker(*SAFE, "--name=remote", *options, "bb:1.36", "sleep", "1000")
    said = box.docker("logs", "remote", check=False)
    assert "does not support reading" in said.stderr


@fault("logging.backpressure", subject="container:chatty", baseline=False)
def backpressure(box: Box) -> None:
    """The log's receiver takes the connection and reads nothing."""
    box.spawn([sys.executable, "-c", _DEAF])
    box.wait_for(lambda: ":158A" in box.sh("cat /proc/net/tcp"), what="the receiver to listen")
    options = ("--log-driver=syslog", "--log-opt=syslog-address=tcp://127.0.0.1:5514")
    box.docker(
        *SAFE, "--name=chatty", *options, "bb:1.36", "yes", "a long line of a log that nobody takes"
    )
    pid = box.inspect("chatty")["State"]["Pid"]
    box.wait_for(
        lambda: "pipe_write" in box.sh(f"cat /proc/{pid}/wchan"), what="yes to stand still"
    )


@fault("logging.backpressure", subject="container:watched71")
def attached_client_that_does_not_read(box: Box) -> None:
    """Somebody looks at a service with `docker attach` through a pipe that nobody reads; the
    command of the report ends that client."""
    box.docker(*SAFE, "--name=watched71", "bb:1.36", "yes", "a long line of a log that goes on")
    box.spawn(["sh", "-c", "docker attach --no-stdin watched71 | sleep 1000"])
    pid = box.inspect("watched71")["State"]["Pid"]

    def waits() -> bool:
        looks = [box.sh(f"cat /proc/{pid}/wchan; grep ctxt /proc/{pid}/status") for _ in range(2)]
        return "pipe_write" in looks[0] and looks[0] == looks[1]

    box.wait_for(waits, what="the service to stand still")
    box.sh(first_command(box, "logging.backpressure", "watched71"))
    box.wait_for(lambda: not waits(), what="the service to go on")
    box.spawn(["sh", "-c", "docker attach --no-stdin watched71 | sleep 1000"])
    box.wait_for(waits, what="the service to stand still again")


@healthy(advice=None)
def attached_client_that_reads(box: Box) -> None:
    """The same service, and its client reads what comes."""
    script = "while :; do echo hello; sleep 0.1; done"
    box.docker(*SAFE, "--name=watched72", "bb:1.36", "sh", "-c", script)
    box.spawn(["sh", "-c", "docker attach --no-stdin watched72 >/dev/null"])
    box.wait_for(lambda: "attach" in box.sh("ps aux"), what="the client")


@fault("logging.file-missing", subject="container:cleaned", shareable=True)
def file_missing(box: Box) -> None:
    """Somebody deleted the log file to win space.

    An engine that cannot read it drops its own error now and then: the error and the end of the log
    are ready at once, and it takes either.
    """
    box.docker(*SAFE, "--name=cleaned", "bb:1.36", "sh", "-c", "echo hello; exec sleep 1000")
    box.run(["rm", box.inspect("cleaned")["LogPath"]])
    box.wait_for(
        lambda: "no such file" in box.docker("logs", "cleaned", check=False).stderr,
        what="the engine's error",
    )


@fault("logging.file-missing", subject="container:turned", shareable=True)
def file_renamed(box: Box) -> None:
    """The host's logrotate has renamed the log file and made a new one."""
    box.docker(
        *SAFE, "--name=turned", "bb:1.36", "sh", "-c", "while :; do echo hello; sleep 0.5; done"
    )
    log = box.inspect("turned")["LogPath"]
    box.wait_for(lambda: box.path(log).stat().st_size > 0, what="the first line")
    box.sh(f"mv {log} {log}.1; : >{log}")
    before = box.path(f"{log}.1").stat().st_size
    box.wait_for(
        lambda: box.path(f"{log}.1").stat().st_size > before, what="lines in the renamed file"
    )
    assert box.path(log).stat().st_size == 0
