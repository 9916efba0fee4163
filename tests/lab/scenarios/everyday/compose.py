"""Deployments by compose that stopped half way or began anew."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.everyday.helpers import LEFT, first_command

# -- what compose does ----------------------------------------

_AT_ONCE = '[thresholds."container.never-started"]\ngrace = 0\n'
_PROBED = ("--health-cmd=test -e /tmp/ready", "--health-interval=1s", "--health-retries=1")
_WAITS = "db:service_healthy:false"


@fault("container.never-started", subject="container:till-app-1")
def app_that_compose_gave_up(box: Box) -> None:
    """A database was called unhealthy while it made its data, so that compose gave its app up; it
    is healthy now."""
    box.write("/etc/diagnose/lab.toml", _AT_ONCE)
    words = ("sh", "-c", "sleep 5; touch /tmp/ready; exec sleep 1000")
    database = (*SAFE, *labels("till", "db"), "--name=till-db-1", *_PROBED)
    box.docker("run", "-d", *database, "bb:1.36", *words)
    app = (*SAFE, *labels("till", "app", depends_on=_WAITS), "--name=till-app-1")
    box.docker("create", *app, "bb:1.36", "sleep", "1000")
    box.wait_health("till-db-1", "unhealthy")
    box.wait_health("till-db-1", "healthy")
    box.wait_for(
        lambda: len(box.inspect("till-db-1")["State"]["Health"]["Log"]) >= 5
        and not any(probe["ExitCode"] for probe in box.inspect("till-db-1")["State"]["Health"]["Log"]),
        what="five good probes",
    )  # fmt: skip
    command = first_command(box, "container.never-started", "till-app-1")
    assert command == "docker start till-app-1"
    box.sh(command)
    run = box.diagnose("check", "container.never-started", "--format", "json")
    assert not run.findings
    box.docker("rm", "-f", "till-app-1")
    box.docker("create", *app, "bb:1.36", "sleep", "1000")


@fault("container.never-started", subject="container:till-app-1")
def app_that_compose_gave_up_beside_frequent_probes(box: Box) -> None:
    """The same, where the probes that the engine keeps reach less far back than the time that
    compose is given."""
    words = ("sh", "-c", "sleep 4; touch /tmp/ready; exec sleep 1000")
    database = (*SAFE, *labels("till", "db"), "--name=till-db-1", *_PROBED)
    box.docker("run", "-d", *database, "bb:1.36", *words)
    app = (*SAFE, *labels("till", "app", depends_on=_WAITS), "--name=till-app-1")
    box.docker("create", *app, "bb:1.36", "sleep", "1000")
    box.wait_health("till-db-1", "unhealthy")
    box.wait_health("till-db-1", "healthy")
    box.sh("sleep 31", timeout=40)


@fault("container.never-started", subject="container:till-app-1")
def app_that_compose_gave_up_a_moment_ago(box: Box) -> None:
    """The same, where the database has recovered just now: compose does not wait for that."""
    words = ("sh", "-c", "sleep 4; touch /tmp/ready; exec sleep 1000")
    database = (*SAFE, *labels("till", "db"), "--name=till-db-1", *_PROBED)
    box.docker("run", "-d", *database, "bb:1.36", *words)
    app = (*SAFE, *labels("till", "app", depends_on=_WAITS), "--name=till-app-1")
    box.docker("create", *app, "bb:1.36", "sleep", "1000")
    box.wait_health("till-db-1", "unhealthy")
    box.wait_health("till-db-1", "healthy")
    (finding,) = box.diagnose("check", "container.never-started", "--format", "json").report[
        "findings"
    ]
    assert "called unhealthy" in str(finding["evidence"]), finding["evidence"]


@healthy()
def app_that_compose_starts_later(box: Box) -> None:
    """An app waits for a database that is still starting, and another one was only created."""
    box.write("/etc/diagnose/lab.toml", _AT_ONCE)
    probed = ("--health-cmd=false", "--health-interval=1s", "--health-start-period=300s")
    database = (*SAFE, *labels("till", "db"), "--name=till-db-1", *probed)
    box.docker("run", "-d", *database, "bb:1.36", "sleep", "1000")
    for service, waits in (("app", _WAITS), ("job", "db:service_started:false"), ("spare", "")):
        options = (*SAFE, *labels("till", service, depends_on=waits), f"--name=till-{service}-1")
        box.docker("create", *options, "bb:1.36", "sleep", "1000")
    box.wait_health("till-db-1", "starting")


_LIBPQ = """nc -w 2 db 5432 </dev/null && exec sleep 1000
echo 'psycopg2.OperationalError: could not connect to server: Connection refused' >&2
echo '	Is the server running on host "db" (172.18.0.2) and accepting' >&2
echo '	TCP/IP connections on port 5432?' >&2
exit 1"""


@fault("container.exits-at-start", subject="container:till-app-1", exit_code=1)
def app_that_called_its_database_too_early(box: Box) -> None:
    """Compose started an app with its database, which took calls only seconds later."""
    box.docker("network", "create", "till")
    joined = ("--network=till", *SAFE)
    database = (*joined, *labels("till", "db"), "--name=till-db-1", "--network-alias=db")
    serves = ("sh", "-c", "until [ -e /tmp/made ]; do sleep 0.1; done; exec httpd -f -p 5432")
    box.docker("run", "-d", *database, "bb:1.36", *serves)
    marks = labels("till", "app", depends_on="db:service_started:false")
    app = (*joined, *marks, "--restart=no", "--name=till-app-1", "bb:1.36", "sh", "-c")
    box.docker("run", "-d", *app, _LIBPQ)
    box.wait_state("till-app-1", "exited")
    ready = "touch /tmp/made; until nc -w 1 127.0.0.1 5432 </dev/null; do sleep 0.1; done"
    box.docker("exec", "till-db-1", "sh", "-c", ready)
    run = box.diagnose("check", "container.exits-at-start", "--format", "json")
    (finding,) = run.findings
    assert 'it called container "till-db-1" too early: it serves now' in finding["summary"]
    box.sh(first_command(box, "container.exits-at-start", "till-app-1"))
    assert box.inspect("till-app-1")["State"]["Status"] == "running"
    box.docker("rm", "-f", "till-app-1")
    box.docker("run", "-d", *app, f"nc() {{ false; }}; {_LIBPQ}")
    box.wait_state("till-app-1", "exited")


_ANY_AGE = f'[thresholds."{LEFT}"]\nlived = 0\n'
_DATABASE = "cd /data; [ -e base ] || mkdir base global pg_wal pg_xact; exec sleep 1000"


def _renamed_project(box: Box) -> None:
    """A project was called blog, and is called weblog: its database begins anew."""
    box.write("/etc/diagnose/lab.toml", _ANY_AGE)
    box.sh("mkdir -p /srv/weblog")
    for project in ("blog", "weblog"):
        marks = {f"com.docker.compose.{key}": value for key, value in
                 {"project": project, "volume": "db"}.items()}  # fmt: skip
        name = f"{project}_db"
        box.api("/volumes/create", method="POST", body={"Name": name, "Labels": marks})
        options = (*SAFE, *labels(project, "db"), f"--name={project}-db-1")
        mount = f"--volume={name}:/data"
        box.docker("run", "-d", *options, mount, "bb:1.36", "sh", "-c", _DATABASE)
        box.docker("exec", f"{project}-db-1", "ls", "/data/pg_xact")
        if project == "blog":
            box.docker("rm", "-f", "blog-db-1")


@fault(LEFT, subject="container:weblog-db-1", exit_code=1)
def project_that_was_renamed(box: Box) -> None:
    """The folder of a compose project was renamed, so that its volumes are empty ones."""
    _renamed_project(box)
    command = first_command(box, LEFT, "weblog-db-1")
    assert "--unmount /data -- --volume=blog_db:/data" in command


@healthy()
def project_beside_another_one(box: Box) -> None:
    """The same volumes, and the other project still has its folder."""
    _renamed_project(box)
    box.sh("mkdir -p /srv/blog")
