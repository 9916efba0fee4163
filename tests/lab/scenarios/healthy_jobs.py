"""Hosts that are well: jobs, workers, sidecars and loud programs that a careless look calls broken.
Nothing above advice may be found."""

from __future__ import annotations

import json
import time

from tests.lab import Box, healthy
from tests.lab.runner import BASE_CONFIG

GOOD = [
    "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]  # fmt: skip
PROJECT = "--label=com.docker.compose.project=jobs"
BRUTE_FORCE = 'FATAL:  password authentication failed for user "admin"'
CAUGHT = "java.lang.OutOfMemoryError: Java heap space (caught, request 17 was refused)"

_TURNED_AWAY = {
    "guessed9": "[Warning] Access denied for user 'root'@'1.2.3.4' (using password: YES)",
    "knocked9": "[error] SSL_do_handshake() failed (bad key share), client: 1.2.3.4",
    "tidied9": "NOTICE job tidy finished, failed: false, error: none",
}


def run(box: Box, name: str, *words: str) -> None:
    """A detached container that is there when this returns."""
    box.docker("run", "-d", f"--name={name}", *GOOD, *words)


def foreground(box: Box, name: str, *words: str) -> int:
    """A container whose end the caller waits for; returns its exit code."""
    return box.docker("run", f"--name={name}", *GOOD, *words, check=False).returncode


@healthy(shareable=True)
def app_that_waited_for_its_database(box: Box) -> None:
    """An app failed twice because its database was not up yet, was restarted by its policy, and
    works since."""
    box.sh("mkdir -p /srv/waited && chown 1000:1000 /srv/waited")
    script = (
        "echo x >>/data/runs; [ $(wc -l </data/runs) -gt 2 ] && { echo ready; exec sleep 1000; }; "
        "echo 'could not connect to server: Connection refused, is db:5432 up?'; exit 1"
    )
    run(
        box, "waited", "--restart=unless-stopped", "-v", "/srv/waited:/data", "bb:1.36", "sh",
        "-c", script,
    )  # fmt: skip
    box.wait_for(lambda: "ready" in box.docker("logs", "waited").stdout, what="the app to work")


@healthy(shareable=True)
def worker_that_recycled_once(box: Box) -> None:
    """A worker ends with 0 after its share of work, and its policy starts the next one."""
    box.sh("mkdir -p /srv/recycled && chown 1000:1000 /srv/recycled")
    script = "[ -e /data/done ] && exec sleep 1000; touch /data/done; echo 'max requests reached, recycling'; exit 0"
    run(
        box, "recycled", "--restart=always", "-v", "/srv/recycled:/data", "bb:1.36", "sh", "-c",
        script,
    )  # fmt: skip
    box.wait_for(lambda: box.inspect("recycled")["RestartCount"] == 1, what="the next worker")
    box.wait_state("recycled", "running")


@healthy(shareable=True)
def job_that_succeeded_at_the_second_try(box: Box) -> None:
    """A job under on-failure failed once and then ended with 0."""
    box.sh("mkdir -p /srv/second && chown 1000:1000 /srv/second")
    script = "[ -e /data/tried ] && exit 0; touch /data/tried; echo 'ERROR: lock wait timeout, try again'; exit 1"
    run(
        box, "second", "--restart=on-failure:3", "-v", "/srv/second:/data", "bb:1.36", "sh", "-c",
        script,
    )  # fmt: skip
    box.wait_for(lambda: box.inspect("second")["State"]["ExitCode"] == 0, what="the second try")
    box.wait_state("second", "exited")


@healthy(shareable=True)
def init_container_that_others_waited_for(box: Box) -> None:
    """Migrations ran to their end, and the app that depends on them works."""
    labels = [
        PROJECT,
        "--label=com.docker.compose.service=migrate",
        "--label=com.docker.compose.oneoff=False",
    ]
    run(
        box, "migrate", *labels, "bb:1.36", "sh", "-c", "echo 'WARN: table exists, skipped'; exit 0"
    )
    depends = "--label=com.docker.compose.depends_on=migrate:service_completed_successfully:false"
    app = [PROJECT, "--label=com.docker.compose.service=app", depends]
    run(box, "migrated", *app, "bb:1.36", "sleep", "1000")
    assert box.wait_state("migrate", "exited")["State"]["ExitCode"] == 0


@healthy(shareable=True)
def database_under_attack(box: Box) -> None:
    """A database writes FATAL for every stranger that guesses a password, and works."""
    script = f"while :; do echo '{BRUTE_FORCE}'; sleep 0.3; done"
    run(box, "guessed", "--expose=5432", "bb:1.36", "sh", "-c", script)


@healthy(advice={"daemon.live-restore-off", "image.labels-missing"})
def servers_that_turn_strangers_away(box: Box) -> None:
    """A database of the internet refuses who guesses passwords, a page has a mistake, and a job
    reports that nothing failed."""
    for name, line in _TURNED_AWAY.items():
        own = ["--read-only", "--restart=unless-stopped"]
        script = 'while :; do echo "$0"; sleep 0.3; done'
        run(box, name, *own, "bb:1.36", "sh", "-c", script, line)
    box.wait_for(
        lambda: all(
            box.docker("logs", name).stdout.count(line) >= 4 for name, line in _TURNED_AWAY.items()
        ),
        what="each line to come again",
    )


@healthy(shareable=True)
def server_that_caught_its_error(box: Box) -> None:
    """A server logs an OutOfMemoryError with its stack, refuses that request, and continues."""
    run(
        box, "caught", "bb:1.36", "sh", "-c",
        f"echo '{CAUGHT}'; echo '\tat com.shop.Export.run(Export.java:7)'; exec sleep 1000",
    )  # fmt: skip


@healthy(shareable=True)
def accepted_codes_of_foreground_jobs(box: Box) -> None:
    """Tests that failed, a check that found differences, and a linter with warnings: somebody read
    each code."""
    assert (
        foreground(
            box,
            "tests",
            "bb:1.36",
            "sh",
            "-c",
            "echo 'FAILED tests/test_x.py: AssertionError'; exit 1",
        )
        == 1
    )
    assert (
        foreground(
            box,
            "differs",
            "bb:1.36",
            "sh",
            "-c",
            "echo 'Permission denied is expected here'; exit 3",
        )
        == 3
    )
    assert (
        foreground(
            box,
            "lint",
            '--env=RULES="all"',
            "bb:1.36",
            "sh",
            "-c",
            'echo "unknown rule: "$RULES; exit 2',
        )
        == 2
    )


@healthy(shareable=True)
def configuration_that_is_only_read(box: Box) -> None:
    """Root's configuration is mounted read-only into a container of an ordinary user, which reads
    it."""
    box.sh(
        "mkdir -p /srv/settings && echo level=info >/srv/settings/app.conf && chmod 644 /srv/settings/app.conf"
    )
    run(
        box, "reader", "-v", "/srv/settings:/etc/app:ro", "bb:1.36", "sh", "-c",
        "cat /etc/app/app.conf; exec sleep 1000",
    )  # fmt: skip


@healthy(shareable=True)
def sidecar_that_reads_logs(box: Box) -> None:
    """A sidecar reads the volume of its neighbour, and repeats the neighbour's errors in its own
    log."""
    run(
        box, "appender", "-v", "lines:/logs:rw", "--user=0", "bb:1.36", "sh", "-c",
        "echo 'panic: no space left' >/logs/x; exec sleep 1000",
    )  # fmt: skip
    run(
        box, "shipper", "-v", "lines:/logs:ro", "bb:1.36", "sh", "-c",
        "while :; do cat /logs/* 2>/dev/null; sleep 1; done",
    )  # fmt: skip


@healthy(shareable=True)
def stopped_after_its_grace_period(box: Box) -> None:
    """A container that ignores SIGTERM was stopped by hand and got SIGKILL."""
    run(
        box,
        "ignored",
        "bb:1.36",
        "sh",
        "-c",
        "trap '' TERM; echo ignoring; while :; do sleep 1; done",
    )
    box.wait_for(lambda: "ignoring" in box.docker("logs", "ignored").stdout, what="the trap")
    box.docker("stop", "-t", "1", "ignored")
    assert box.inspect("ignored")["State"]["ExitCode"] == 137


@healthy()
def paused_for_a_moment(box: Box) -> None:
    """A container is paused for a backup of its volume."""
    run(box, "backup", "bb:1.36", "sleep", "1000")
    box.docker("pause", "backup")


@healthy(baseline=False)
def accepted_codes_around_a_restart_of_the_engine(box: Box) -> None:
    """Jobs with 0 and with accepted codes, one before the restart of the engine and one after it; a
    service came back by its policy."""
    assert foreground(box, "nightly", "bb:1.36", "sh", "-c", "exit 4") == 4
    run(box, "cleanup", "bb:1.36", "true")
    run(box, "service", "--restart=always", "bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www")
    box.wait_state("cleanup", "exited")
    box.stop_engine()
    box.start_engine(config=BASE_CONFIG)
    box.wait_state("service", "running")
    assert foreground(box, "morning", "bb:1.36", "sh", "-c", "exit 5") == 5
    run(
        box, "report", "--restart=on-failure", "bb:1.36", "sh", "-c",
        "echo 'ERROR 0 of 12 rows failed'; exit 0",
    )  # fmt: skip
    box.wait_state("report", "exited")


@healthy(baseline=False)
def starts_that_failed_long_ago(box: Box) -> None:
    """Commands of weeks ago that were mistyped, or found a port taken, and whose containers nobody
    removed."""
    run(box, "web9", "-p", "18960:8080", "bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www")
    mistyped = ["bb:1.36", "nosuchprogram"]
    box.docker("run", "--name=typed9", *GOOD, *mistyped, check=False)
    box.docker("run", "-d", "--name=sent9", *GOOD, *mistyped, check=False)
    taken = ["-p", "18960:8080", "bb:1.36", "sleep", "1000"]
    box.docker("run", "-d", "--name=second9", *GOOD, *taken, check=False)
    records = {name: box.inspect(name)["Id"] for name in ("typed9", "sent9", "second9")}
    box.stop_engine()
    created = time.strftime("%Y-%m-%dT%H:%M:%S.5Z", time.gmtime(time.time() - 20 * 86_400))
    for id in records.values():
        path = f"/var/lib/docker/containers/{id}/config.v2.json"
        box.write(path, {**json.loads(box.read(path)), "Created": created}, mode=0o600)
    box.start_engine(config=BASE_CONFIG)
    assert {box.inspect(name)["State"]["Status"] for name in records} == {"created"}
    assert all(box.inspect(name)["State"]["Error"] for name in records)


@healthy(shareable=True)
def former_attempt_of_a_pod(box: Box) -> None:
    """kubelet started a container of a pod again, and cri-dockerd keeps the one that failed."""
    labels = [
        f"--label=io.kubernetes.{name}={value}"
        for name, value in (
            ("pod.namespace", "shop"),
            ("pod.name", "web-7d9"),
            ("container.name", "web"),
        )
    ]
    failing = "echo 'panic: dial tcp 10.96.0.10:5432: connect: connection refused'; exit 1"
    run(box, "k8s_web_web-7d9_shop_0", *labels, "bb:1.36", "sh", "-c", failing)
    box.wait_state("k8s_web_web-7d9_shop_0", "exited")
    run(box, "k8s_web_web-7d9_shop_1", *labels, "bb:1.36", "sleep", "1000")


@healthy(shareable=True)
def worker_of_one_job(box: Box) -> None:
    """A runner ends with 0 after each job, says so, and its policy starts the next one."""
    script = "echo 'Listening for jobs'; sleep 2; echo 'Job build completed with result: Succeeded'"
    run(box, "runner9", "--restart=always", "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: box.inspect("runner9")["RestartCount"] >= 3, what="three jobs")


@healthy(shareable=True)
def ports_for_transfers_that_come(box: Box) -> None:
    """A server publishes a range of ports, and opens each one when a transfer needs it."""
    published = ("--publish=9121:2121", "--publish=9130-9139:21100-21109")
    run(box, "transfers9", *published, "bb:1.36", "httpd", "-f", "-p", "2121", "-h", "/www")
