"""Programs that keep what is wrong to a file of their own, or read it from one."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.named_settings import AT_START
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, logs, run

CHECK = "container.answers-with-errors"
_SHOP = r"""
import http.server, os, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = 500 if self.path in os.environ["FAILS"].split() else 200
        if status == 500 and os.path.isdir("/app/storage/logs"):
            with open("/app/storage/logs/shop-2026-11-28.log", "a") as log:
                log.write(time.strftime("[%Y-%m-%d %H:%M:%S] ") + "production.ERROR: "
                          "No application encryption key has been specified.\n")
        self.send_response(status)
        self.end_headers()
        now = time.strftime("%d/%b/%Y %H:%M:%S")
        print('%s - - [%s] "GET %s HTTP/1.1" %d -' % (self.client_address[0], now, self.path, status),
              file=sys.stderr, flush=True)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""


def _shop(box: Box, name: str, fails: str, *options: str) -> None:
    """A program in Python that logs as Flask does; it fails at some paths."""
    words = ("bb:1.36", "/usr/bin/python3", "-c", _SHOP)
    run(box, name, *GOOD, *MACHINE, f"--env=FAILS={fails}", *options, *words)


def _clients(box: Box, name: str, *paths: str) -> None:
    """Clients on the host ask for these pages, one after the other, for as long as the box is."""
    networks = box.inspect(name)["NetworkSettings"]["Networks"].values()
    address = next(iter(networks))["IPAddress"]
    asked = " ".join(f"http://{address}:8000{path}" for path in paths)
    curl = f"for url in {asked}; do curl -s -o /dev/null --noproxy '*' -m 3 $url; sleep 0.4; done"
    box.spawn(["sh", "-c", f"while :; do {curl}; done"])


def _answers(box: Box, name: str, status: int, least: int) -> None:
    answer = f'HTTP/1.1" {status} '
    box.wait_for(lambda: logs(box, name).count(answer) >= least, what=f"{least} answers {status}")


@fault(CHECK, subject="container:shop41", shareable=True)
def program_that_fails_at_every_page(box: Box) -> None:
    """Every page is an error 500, and only a file below the program's code says why."""
    box.sh("mkdir -p /srv/shop41/storage/logs && chown -R 1000 /srv/shop41")
    _shop(box, "shop41", "/ /cart", "-v", "/srv/shop41:/app", "--workdir=/app")
    _clients(box, "shop41", "/", "/cart", "/health", "/logo.png")
    _answers(box, "shop41", 500, 16)
    run_ = box.diagnose("check", CHECK, "--format", "json")
    (finding,) = [finding for finding in run_.findings if finding["subject"]["name"] == "shop41"]
    assert finding["evidence"]["written to"] == "/app/storage/logs/shop-2026-11-28.log"
    assert "No application encryption key" in finding["evidence"]["log"]


_SILENT = r"""
import socket, time

pairs = dict(line.strip().split("=") for line in open("/app/.env"))
while True:
    try:
        socket.create_connection((pairs["DB_HOST"], int(pairs["DB_PORT"])), 2).close()
    except OSError:
        pass
    time.sleep(0.5)
"""


@fault("container.loopback-peer", subject="container:app44", shareable=True)
def file_of_variables_that_names_localhost(box: Box) -> None:
    """A program reads DB_HOST=127.0.0.1 from a file beside its code, and logs nothing."""
    box.write("/srv/app44/.env", "APP_NAME=shop\nDB_HOST=127.0.0.1\nDB_PORT=13344\n")
    box.docker("network", "create", "app44")
    serves = ("bb:1.36", "nc", "-ll", "-p", "13344", "-e", "cat")
    run(box, "db44", *GOOD, "--network=app44", *serves)
    code = ("bb:1.36", "/usr/bin/python3", "-c", _SILENT)
    run(box, "app44", *GOOD, *MACHINE, "--network=app44", "-v", "/srv/app44:/app", *code)
    box.sh("sleep 5")
    command = first_command(box, "container.loopback-peer", "app44")
    changed = (
        r"sed -i.$(date +%F-%H%M%S) 's|\bDB_HOST=127[.]0[.]0[.]1|DB_HOST=db44|g' /srv/app44/.env"
    )
    assert command == f"{changed}\ndocker restart app44"
    box.sh(command)
    box.sh("sleep 2")
    assert box.read("/srv/app44/.env").count("DB_HOST=db44") == 1
    box.write("/srv/app44/.env", "APP_NAME=shop\nDB_HOST=127.0.0.1\nDB_PORT=13344\n")
    box.docker("restart", "app44")
    box.sh("sleep 5")


_SILENT_SHOP = r"""
import http.server, socket, sys, time

pairs = dict(line.strip().split("=") for line in open("/app/.env"))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            socket.create_connection((pairs["DB_HOST"], int(pairs["DB_PORT"])), 2).close()
            status = 200
        except OSError:
            status = 500
        self.send_response(status)
        self.end_headers()

http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""


@fault(
    "container.loopback-peer",
    subject="container:shop47",
    also=[(CHECK, "container:shop47")],
    shareable=True,
)
def server_that_fails_for_its_database_says_nothing(box: Box) -> None:
    """All pages are errors 500, because a file of variables names localhost: one cause."""
    box.write("/srv/app47/.env", "DB_HOST=127.0.0.1\nDB_PORT=13347\n")
    box.docker("network", "create", "app47")
    serves = ("bb:1.36", "nc", "-ll", "-p", "13347", "-e", "cat")
    run(box, "db47", *GOOD, "--network=app47", *serves)
    code = ("bb:1.36", "/usr/bin/python3", "-c", _SILENT_SHOP)
    run(box, "shop47", *GOOD, *MACHINE, "--network=app47", "-v", "/srv/app47:/app", *code)
    _clients(box, "shop47", "/", "/cart")
    _answers(box, "shop47", 500, 12)
    run_ = box.diagnose("check", CHECK, "--format", "json")
    (symptom,) = [
        finding
        for finding in run_.findings
        if finding["id"] == CHECK and finding["subject"]["name"] == "shop47"
    ]
    assert [cause["id"] for cause in symptom["caused_by"]] == ["container.loopback-peer"]


_WAITS = """
while :; do
    echo 'INF | event=PostgreSQL connection failed, retrying... (connection failed: FATAL:  password \
authentication failed for user "shop")'
    sleep 1
done
"""


@fault("container.database-refused", subject="container:worker45", shareable=True)
def worker_that_waits_for_a_database_that_refuses_it(box: Box) -> None:
    """A worker that tries again for ever: its container runs, and no job is done."""
    load(box, "postgres:16", Recipe())
    box.docker("network", "create", "worker45")
    serves = ("postgres:16", "nc", "-ll", "-p", "5432", "-e", "cat")
    run(box, "db45", *GOOD, "--network=worker45", *serves)
    told = ("--network=worker45", "--env=DB_HOST=db45")
    run(box, "worker45", *GOOD, *told, "bb:1.36", "sh", "-c", _WAITS)
    box.wait_for(lambda: logs(box, "worker45").count("FATAL") > 5, what="the refusals")


_OPENS = """
import sqlite3, sys

try:
    sqlite3.connect("/data/db.sqlite3").execute("create table if not exists a (b)")
except sqlite3.OperationalError:
    sys.exit("thread 'main' panicked: BadConnection(\\"Unable to open the database file\\")")
"""


@fault("container.mount-forbidden", subject="container:vault46", also=[AT_START], shareable=True)
def vault_that_may_not_make_its_database(box: Box) -> None:
    """A program as user 1000 cannot make its SQLite file in a folder of root, and names none."""
    box.sh("mkdir -p /srv/vault46 && chmod 755 /srv/vault46")
    words = ("bb:1.36", "/usr/bin/python3", "-c", _OPENS)
    run(box, "vault46", *GOOD, *MACHINE, "-v", "/srv/vault46:/data", *words)
    assert box.wait_state("vault46", "exited")["State"]["ExitCode"] == 1
    command = first_command(box, "container.mount-forbidden", "vault46")
    assert command == "chown 1000:1000 /srv/vault46\ndocker start vault46"


@fault("container.mount-source-missing", subject="container:orders47", also=[AT_START])
def log_of_a_database_in_a_container_that_is_gone(box: Box) -> None:
    """PostgreSQL's log is a link to what lay in the layer of the container before."""
    data = "/srv/orders47/13/main"
    box.sh(
        f"mkdir -p {data} && echo 13 >{data}/PG_VERSION && ln -s /opt/waldir/13/main/pg_wal {data}/pg_wal"
    )
    said = "echo 'FATAL:  required WAL directory \"pg_wal\" does not exist' >&2; exit 1"
    mount = ("-v", "/srv/orders47:/var/lib/postgresql")
    run(box, "orders47", *GOOD, *MACHINE, *mount, "bb:1.36", "sh", "-c", said)
    assert box.wait_state("orders47", "exited")["State"]["ExitCode"] == 1
    found = " ".join(box.diagnose("check", "container.mount-source-missing").out.split())
    assert "leads to /opt/waldir/13/main/pg_wal" in found
