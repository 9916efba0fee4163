"""Health checks that fail, end late, or cannot run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.container.helpers import GOOD, run
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import logs


def _unhealthy(
    box: Box,
    name: str,
    probe: str,
    *options: str,
    runs: Sequence[str] = ("bb:1.36", "sleep", "1000"),
) -> None:
    health = [f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=2", *options]
    run(box, name, *GOOD, *health, *runs)
    box.wait_for(
        lambda: box.inspect(name)["State"]["Health"]["Status"] == "unhealthy",
        what=f"{name} to be unhealthy",
    )


@fault("container.unhealthy", subject="container:proxied", shareable=True)
def probe_that_goes_to_a_proxy(box: Box) -> None:
    """The docker command gave the container a proxy, and its probe asks that for 127.0.0.1."""
    options = (f"--env=http_proxy=http://{BOX_ADDRESS}:3128", "--env=no_proxy=127.0.0.1")
    served = ("bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www")
    probe = "wget -qO- http://127.0.0.1:8080/"
    _unhealthy(box, "proxied", probe, *options, runs=served)
    assert "unset http_proxy; " in first_command(box, "container.unhealthy", "proxied")


@fault("container.unhealthy", subject="container:worker6", shareable=True)
def probe_of_the_server_in_a_worker(box: Box) -> None:
    """A worker has the health check of the server of its image, which listens in another one."""
    probe = "wget -q -O /dev/null http://127.0.0.1:8000/index.html"
    health = [f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=1"]
    server = ["httpd", "-f", "-p", "8000", "-h", "/www"]
    run(box, "server6", *GOOD, *health, "bb:1.36", *server)
    box.wait_for(
        lambda: box.inspect("server6")["State"]["Health"]["Status"] == "healthy",
        what="the server to be healthy",
    )
    _unhealthy(box, "worker6", probe)
    assert first_command(box, "container.unhealthy", "worker6") == (
        "diagnose recreate worker6 -- --no-healthcheck | sh"
    )


@fault("container.unhealthy", subject="container:sick", shareable=True)
def probe_fails(box: Box) -> None:
    """The application does not answer its health check; a restart would help it."""
    probe = (
        "test -e /tmp/alive || { echo 'connect to 127.0.0.1:9: Connection refused' >&2; exit 1; }"
    )
    health = [f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=2"]
    run(
        box, "sick", *GOOD, "--tmpfs=/tmp", *health, "bb:1.36", "sh", "-c",
        "touch /tmp/alive; exec sleep 1000",
    )  # fmt: skip
    box.wait_for(
        lambda: box.inspect("sick")["State"]["Health"]["Status"] == "healthy",
        what="sick to be healthy",
    )
    box.docker("exec", "sick", "rm", "/tmp/alive")
    box.wait_for(
        lambda: box.inspect("sick")["State"]["Health"]["Status"] == "unhealthy",
        what="sick to be unhealthy",
    )


@fault("container.unhealthy", subject="container:kms6", shareable=True)
def probe_whose_address_is_in_a_variable(box: Box) -> None:
    """The probe of the image asks an address of IPv6 in a variable, throws its output away, and the
    program listens on IPv4 alone."""
    served = ("bb:1.36", "httpd", "-f", "-p", "0.0.0.0:1688", "-h", "/www")
    probe = "nc -w 2 $IP $PORT </dev/null >/dev/null 2>&1"
    _unhealthy(box, "kms6", probe, "--env=IP=::", "--env=PORT=1688", runs=served)
    command = first_command(box, "container.unhealthy", "kms6")
    assert "nc -w 2 127.0.0.1 1688" in command, command


@fault("container.unhealthy", subject="container:unready", shareable=True)
def probe_that_throws_its_words_away(box: Box) -> None:
    """The probe has never passed, and nobody sees why: another start would change nothing."""
    _unhealthy(box, "unready", "ls /run/app.ready >/dev/null 2>&1 && cat /run/app.ready")
    out = box.diagnose("check", "container.unhealthy").out
    assert "sh -xc" in out, out


@fault("container.unhealthy", subject="container:drowsy", shareable=True)
def probe_takes_too_long(box: Box) -> None:
    """The health check does not end within its timeout."""
    _unhealthy(box, "drowsy", "sleep 9", "--health-timeout=1s")
    assert box.inspect("drowsy")["State"]["Health"]["Log"][-1]["ExitCode"] == -1
    command = first_command(box, "container.unhealthy", "drowsy")
    assert command == "diagnose recreate drowsy -- --health-timeout=30s | sh", command


@fault(
    "container.unhealthy",
    subject="container:forgotten",
    also=["container.runtime-state-lost"],
    exit_code=2,
)
def record_of_the_runtime_removed(box: Box) -> None:
    """A program that cleans /run has removed the runtime's record of a container that runs."""
    health = ["--health-cmd=true", "--health-interval=1s", "--health-retries=2"]
    run(box, "forgotten", *GOOD, *health, "bb:1.36", "sleep", "1000")
    box.wait_health("forgotten", "healthy")
    box.sh(f"rm -r /run/docker/runtime-*/moby/{box.inspect('forgotten')['Id']}")
    box.wait_health("forgotten", "unhealthy")
    assert "does not exist" in box.inspect("forgotten")["State"]["Health"]["Log"][-1]["Output"]


@fault(
    "container.unhealthy",
    subject="container:unprobed",
    shareable=True,
    first_command=("heals", "typed by hand on 20.10 and 28.5"),
)
def probe_cannot_run(box: Box) -> None:
    """The image does not have the tool that the health check calls; the server is well."""
    _unhealthy(box, "unprobed", "curl -f http://localhost:8080/", runs=["shop:1.4"])
    assert box.inspect("unprobed")["State"]["Health"]["Log"][-1]["ExitCode"] == 127


@fault("container.unhealthy", subject="container:misprobed", shareable=True)
def probe_of_another_port(box: Box) -> None:
    """The probe calls port 3000, and the server listens on 8080: the report says that nothing
    listens there."""
    options = [
        "--health-interval=1s",
        "--health-retries=2",
        "--health-cmd=wget -qO- http://127.0.0.1:3000/ || exit 1",
    ]
    server = ["bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www"]
    box.docker(
        "run", "-d", "--name=misprobed", "--memory=64m", "--pids-limit=64", *options, *server
    )
    box.wait_health("misprobed", "unhealthy")
    words = ["check", "container.unhealthy", "--container", "misprobed", "--format", "json"]
    (finding,) = box.diagnose(*words).findings
    assert any(socket.endswith(":8080") for socket in finding["evidence"]["TCP sockets inside"])


@fault("container.unhealthy", subject="container:mispaged", shareable=True)
def probe_of_another_page(box: Box) -> None:
    """The probe asks for a page that the server does not have: it answers 404, and a restart would
    change nothing."""
    start_page = "wget -q -O /dev/null http://127.0.0.1:8080/"
    _unhealthy(box, "mispaged", f"{start_page}healthz", runs=["shop:1.4"])
    assert "404" in box.inspect("mispaged")["State"]["Health"]["Log"][-1]["Output"]
    asked = f"docker exec mispaged sh -c '{start_page}'"
    recreated = f"diagnose recreate mispaged -- --health-cmd='{start_page}' | sh"
    command = first_command(box, "container.unhealthy", "mispaged")
    assert command == f"{asked} && {recreated}", command


_ASKER = r"""#!/bin/sh
case "$*" in
*-d\ pods*) ;;
*) echo "2026-01-02 10:00:00.123 UTC [29] FATAL:  database \"postuser\" does not exist" >/proc/1/fd/1 ;;
esac
"""


def _asked_by_its_probe(box: Box, name: str, probe: str) -> None:
    """A server of the database pods, whose log says what its probe asks in vain."""
    box.write(f"/srv/{name}/pg_isready", _ASKER)
    box.sh(f"chmod +x /srv/{name}/pg_isready")
    server = (
        "--env=POSTGRES_USER=postuser",
        "--env=POSTGRES_DB=pods",
        f"--volume=/srv/{name}/pg_isready:/bin/pg_isready:ro",
        f"--health-cmd={probe}",
        "--health-interval=1s",
    )
    run(box, name, *GOOD, *server, "bb:1.36", "sleep", "1000")
    box.wait_health(name, "healthy")


@fault("container.errors-in-log", subject="container:pods9", shareable=True)
def probe_that_names_no_database(box: Box) -> None:
    """pg_isready without -d asks for a database that is called like the user."""
    _asked_by_its_probe(box, "pods9", "pg_isready -U postuser")
    box.wait_for(lambda: logs(box, "pods9").count("FATAL") >= 12, what="the refusal to come again")
    assert "pg_isready -d pods -U postuser" in first_command(
        box, "container.errors-in-log", "pods9"
    )


@healthy(shareable=True)
def probe_that_names_its_database(box: Box) -> None:
    """The same probe with -d is let in."""
    _asked_by_its_probe(box, "pods10", "pg_isready -U postuser -d pods")
