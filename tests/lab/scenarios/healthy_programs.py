"""Healthy twins of failed programs: containers that look like a known failure and work. Nothing
above advice may be found."""

from __future__ import annotations

import time

from tests.lab import Box, healthy
from tests.lab.images import Recipe, load
from tests.lab.runner import BASE_CONFIG, healthy_container

GOOD = [
    "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]  # fmt: skip
PROJECT = "--label=com.docker.compose.project=twins"
CHATTY = "ERROR upstream timed out, will retry; FATAL is only a word here; WARN cache miss; Traceback (most recent call last):"


def run(box: Box, name: str, *words: str) -> None:
    """A detached container that is there when this returns."""
    box.docker("run", "-d", f"--name={name}", *GOOD, *words)


@healthy(shareable=True)
def chatty_program(box: Box) -> None:
    """A program that is well writes ERROR and FATAL into its log all the time."""
    run(box, "chatty9", "bb:1.36", "sh", "-c", f"while :; do echo '{CHATTY}'; sleep 0.2; done")


_ORDERS = (
    'n=0; while :; do n=$((n + 1)); echo "ERROR validation failed for order $n"; '
    'echo "INFO order $n was placed"; echo "INFO order $n was sent"; sleep 0.2; done'
)
_LOST = (
    "while :; do echo 'ERROR order lost: the broker refused it'; echo INFO waiting; sleep 0.2; done"
)


@healthy()
def program_that_rejects_some_orders(box: Box) -> None:
    """A program logs an error for each order that it rejects, and continues with the others: the
    report is calm. It is not while another program loses its orders."""
    healthy_container(box, "picky9", 8980)
    load(box, "orders:1", Recipe(changes=("LABEL org.opencontainers.image.source=https://x.test",)))
    run(box, "orders9", "--restart=always", "--read-only", "orders:1", "sh", "-c", _ORDERS)
    run(box, "broken9", "--restart=always", "--read-only", "orders:1", "sh", "-c", _LOST)
    box.wait_for(lambda: _errors(box, "orders9") >= 20, what="rejected orders")
    box.wait_for(lambda: _errors(box, "broken9") >= 20, what="lost orders")
    assert _first_line(box).startswith('ADVICE dockerhost: container "broken9" repeats an error')
    box.docker("rm", "-f", "broken9")
    said = _first_line(box)
    assert said.startswith("OK dockerhost: nothing wrong found")
    assert said.endswith('container "orders9" logs errors while it works')


def _errors(box: Box, name: str) -> int:
    return box.docker("logs", name).stdout.count("ERROR")


def _first_line(box: Box) -> str:
    return box.diagnose("all").out.splitlines()[0]


_TESTED = (
    "while :; do echo '    client_test.go:41: got expected error: dial tcp 127.0.0.1:5432: connect: "
    "connection refused'; echo '--- PASS: TestRefused (0.01s)'; sleep 0.2; done"
)


@healthy()
def tests_that_look_for_failures(box: Box) -> None:
    """The tests of a program check that it is refused, beside a database of another network."""
    for network in ("tests9", "shop9"):
        box.docker("network", "create", network)
    serve = "while :; do nc -l -p 5432 </dev/null; done"
    run(box, "db9", "--network=shop9", "--expose=5432", "bb:1.36", "sh", "-c", serve)
    run(box, "tests9", "--network=tests9", "bb:1.36", "sh", "-c", _TESTED)
    box.wait_for(
        lambda: box.docker("logs", "tests9").stdout.count("connection refused") >= 20,
        what="expected errors",
    )


@healthy(shareable=True)
def init_container_of_compose(box: Box) -> None:
    """The init container of a compose project has ended with 0 and publishes a port of the
    project's description."""
    labels = [
        PROJECT,
        "--label=com.docker.compose.service=init",
        "--label=com.docker.compose.oneoff=False",
    ]
    run(box, "twin-init", *labels, "bb:1.36", "true")
    assert box.wait_state("twin-init", "exited")["State"]["ExitCode"] == 0


@healthy(shareable=True)
def job_in_the_foreground_with_a_port(box: Box) -> None:
    """A command that publishes a port ran in the foreground and printed its version."""
    box.docker(
        "run", "--name=version9", *GOOD, "-p", "127.0.0.1:8961:80", "bb:1.36", "echo", "httpd 2.4.1"
    )
    assert box.inspect("version9")["State"]["ExitCode"] == 0


@healthy(shareable=True)
def service_that_was_stopped_at_once(box: Box) -> None:
    """A server was stopped by hand a second after its start and ended with 0."""
    script = "trap 'exit 0' TERM; sleep 1000 & wait"
    run(box, "stopped9", "--init", "-p", "127.0.0.1:8962:8080", "bb:1.36", "sh", "-c", script)
    box.wait_for(
        lambda: "sleep" in str(box.api("/containers/stopped9/top")), what="the server to wait"
    )
    box.docker("stop", "-t", "5", "stopped9")
    assert box.inspect("stopped9")["State"]["ExitCode"] == 0


@healthy(shareable=True)
def folder_of_its_own(box: Box) -> None:
    """A container of user 1000 writes to a folder of the host that belongs to user 1000."""
    box.sh("mkdir -p /srv/own && chown 1000:1000 /srv/own")
    run(
        box, "owner", "-v", "/srv/own:/data", "bb:1.36", "sh", "-c",
        "echo x >/data/x && exec sleep 1000",
    )  # fmt: skip


@healthy(shareable=True)
def anonymous_volume_that_was_asked_for(box: Box) -> None:
    """The habit of Node projects: the source is mounted, and node_modules is kept out of it by an
    anonymous volume."""
    box.sh("mkdir -p /srv/node/node_modules && chown -R 1000:1000 /srv/node")
    run(
        box, "node-dev", "-v", "/srv/node:/app", "-v", "/app/node_modules", "bb:1.36", "sleep",
        "1000",
    )  # fmt: skip


@healthy(shareable=True)
def declared_volume_with_its_own_mount(box: Box) -> None:
    """The image declares /data/db, and the user's volume is mounted exactly there."""
    load(box, "declared:1", Recipe(changes=("VOLUME /data/db",)))
    run(box, "declared", "-v", "declared:/data/db", "declared:1", "sleep", "1000")


@healthy(shareable=True)
def two_containers_on_one_volume(box: Box) -> None:
    """A server and its backup sidecar have one volume mounted, and both work."""
    run(box, "server9", "-v", "both:/data", "bb:1.36", "sleep", "1000")
    run(box, "backup9", "-v", "both:/data", "bb:1.36", "sleep", "1000")


@healthy(shareable=True)
def heap_within_the_limit(box: Box) -> None:
    """A heap of half of the memory limit."""
    run(box, "fitting", "--env=JAVA_OPTS=-Xms16m -Xmx32m", "bb:1.36", "sleep", "1000")


@healthy(shareable=True)
def sidecar_that_shares_localhost(box: Box) -> None:
    """A sidecar in its neighbour's network says that localhost refused it once, and works."""
    run(box, "main9", "bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www")
    words = "echo 'connect ECONNREFUSED 127.0.0.1:8080, will retry'; exec sleep 1000"
    run(box, "sidecar9", "--network=container:main9", "bb:1.36", "sh", "-c", words)


@healthy(shareable=True)
def child_that_was_stopped(box: Box) -> None:
    """A child of the first process is stopped by job control at a terminal; the first one works."""
    run(
        box,
        "jobs9",
        "--tty",
        "bb:1.36",
        "sh",
        "-c",
        "sleep 1000 & sleep 0.3; kill -STOP $!; while :; do sleep 1; done",
    )


@healthy(shareable=True)
def pid_file_of_a_running_server(box: Box) -> None:
    """The pid file of a server that runs."""
    run(
        box, "pidfile9", "--tmpfs=/run:uid=1000", "bb:1.36", "sh", "-c",
        "echo $$ >/run/server.pid; exec sleep 1000",
    )  # fmt: skip


@healthy(shareable=True)
def job_with_an_accepted_code(box: Box) -> None:
    """A job in the foreground whose caller accepts exit code 2 (differences were found)."""
    done = box.docker("run", "--name=diff9", *GOOD, "bb:1.36", "sh", "-c", "exit 2", check=False)
    assert done.returncode == 2


@healthy(baseline=False)
def jobs_around_a_restart_of_the_engine(box: Box) -> None:
    """A job ended before the engine's restart, another one began after it; both ended with 0 under
    on-failure."""
    run(box, "before", "--restart=on-failure", "bb:1.36", "true")
    box.wait_state("before", "exited")
    box.stop_engine()
    box.start_engine(config=BASE_CONFIG)
    run(
        box, "after", "--restart=on-failure", "-p", "127.0.0.1:8969:80", "bb:1.36", "sh", "-c",
        "sleep 0.5; exit 0",
    )  # fmt: skip
    labels = [PROJECT, "--label=com.docker.compose.service=job"]
    run(box, "after-compose", "--restart=on-failure", *labels, "bb:1.36", "sh", "-c", "sleep 0.5")
    box.wait_state("after", "exited")
    box.wait_state("after-compose", "exited")
    time.sleep(0.5)


@healthy(shareable=True)
def busy_with_an_ordinary_limit(box: Box) -> None:
    """A program computes all the time, and may open as many files as usual."""
    options = ["--ulimit=nofile=1024:2048"]
    run(box, "busy9", *options, "bb:1.36", "sh", "-c", "while :; do :; done")
    box.wait_state("busy9", "running")
