"""Programs that read another setting than the one that somebody has changed; with look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, logs, run

_NOTIFIES = """#!/bin/sh
url=$(sed -n 's/^url: //p' "${1#--config.file=}")
while :; do
  if wget -q -O /dev/null "$url"; then echo "level=info msg=\\"notified $url\\""
  else echo "level=error msg=\\"Notify for alerts failed\\" err=\\"Post $url: dial tcp 127.0.0.1:15001: \
connect: connection refused\\""; fi
  sleep 1
done
"""
_HOOK = ("bb:1.36", "httpd", "-f", "-p", "15002", "-h", "/bin")


def _notifier(box: Box, number: str, folder: str) -> None:
    """A notifier whose image has settings of its own, which call localhost, and the person's."""
    own = b"url: http://127.0.0.1:15001/busybox\n"
    files = {"notify": (_NOTIFIES.encode(), 0o755), "etc/notify/notify.yml": (own, 0o644)}
    load(box, "notify:2.1", Recipe(files))
    box.docker("network", "create", f"notes{number}")
    run(box, f"hook{number}", *GOOD, f"--network=notes{number}", *_HOOK)
    box.write(f"/srv/note{number}/notify.yml", f"url: http://hook{number}:15002/busybox\n")
    words = ("notify:2.1", "/notify", "--config.file=/etc/notify/notify.yml")
    mounted = ("-v", f"/srv/note{number}:{folder}:ro")
    run(box, f"note{number}", *GOOD, f"--network=notes{number}", *mounted, *words)


@fault("container.errors-in-log", subject="container:note1", exit_code=1, shareable=True)
def settings_that_are_mounted_beside_the_ones_that_are_read(box: Box) -> None:
    """The folder with the settings is mounted at another place than the command names."""
    _notifier(box, "1", "/etc/prometheus")
    box.wait_for(lambda: logs(box, "note1").count("Notify for alerts failed") > 5, what="errors")
    command = first_command(box, "container.errors-in-log", "note1")
    assert command == "diagnose recreate note1 -- --volume=/srv/note1:/etc/notify:ro | sh", command


@healthy(shareable=True)
def settings_that_are_mounted_where_they_are_read(box: Box) -> None:
    """The same, mounted where the program looks."""
    _notifier(box, "2", "/etc/notify")
    box.wait_for(lambda: logs(box, "note2").count("notified") > 3, what="the calls")


_LOGS_IN = """
user=${DB_USERNAME:-database_username}
while ! nc -w 1 $DB_HOST 13306 </dev/null; do sleep 1; done
if [ $user = shop ]; then echo "migrated as $user"; exec sleep 3600; fi
echo "SQLSTATE[HY000] [1045] Access denied for user '$user'@'172.18.0.3' (using password: YES)"
exit 1
"""


def _book(box: Box, number: str, variable: str) -> None:
    """A program whose image calls the variable of the user DB_USERNAME, and its database."""
    box.docker("network", "create", f"books{number}")
    load(box, "mariadb:11.4", Recipe())
    on = (f"--network=books{number}", "--restart=always")
    own = ("--env=MARIADB_USER=shop", "--env=MARIADB_PASSWORD=made-up")
    serves = ("mariadb:11.4", "nc", "-ll", "-p", "13306", "-e", "cat")
    run(box, f"bookdb{number}", *GOOD, *on, *own, *serves)
    given = (f"--env=DB_HOST=bookdb{number}", f"--env={variable}=shop")
    run(box, f"book{number}", *GOOD, *on, *given, "bb:1.36", "sh", "-c", _LOGS_IN)


@fault(
    "container.database-refused",
    subject="container:book1",
    also=["container.restart-loop"],
    shareable=True,
)
def variable_that_the_program_does_not_read(box: Box) -> None:
    """A new version of the image reads DB_USERNAME, and the container has DB_USER."""
    _book(box, "1", "DB_USER")
    box.wait_for(lambda: box.inspect("book1")["RestartCount"] >= 4, what="the restarts")
    run_ = box.diagnose("check", "container.database-refused", "--format", "json")
    (finding,) = [finding for finding in run_.findings if finding["subject"]["name"] == "book1"]
    assert 'not for "shop" of its DB_USER' in finding["summary"], finding["summary"]


@healthy(shareable=True)
def variable_that_the_program_reads(box: Box) -> None:
    """The same under its new name."""
    _book(box, "2", "DB_USERNAME")
    box.wait_for(lambda: "migrated" in logs(box, "book2"), what="the login")


_CONNECTS = """
host=$(sed -n 's/^  host: //p' /etc/wiki/config.yml)
if nc -w 2 $host 15432 </dev/null; then echo connected; exec sleep 3600; fi
echo "[MASTER] error: Database Initialization Error: connect ECONNREFUSED 127.0.0.1:15432"
exit 1
"""


@fault(
    "container.loopback-peer",
    subject="container:wiki1",
    also=["container.restart-loop"],
    shareable=True,
)
def mounted_file_that_comes_before_the_variables(box: Box) -> None:
    """DB_HOST names the database, and the mounted file of settings says localhost."""
    box.docker("network", "create", "wiki1")
    serves = ("bb:1.36", "nc", "-ll", "-p", "15432", "-e", "cat")
    run(box, "wikidb1", *GOOD, "--network=wiki1", *serves)
    box.write("/srv/wiki1/config.yml", "db:\n  host: localhost\n  port: 15432\n  user: wiki\n")
    mounted = ("-v", "/srv/wiki1/config.yml:/etc/wiki/config.yml", "--env=DB_HOST=wikidb1")
    on = ("--network=wiki1", "--restart=always")
    run(box, "wiki1", *GOOD, *on, *mounted, "bb:1.36", "sh", "-c", _CONNECTS)
    box.wait_for(lambda: box.inspect("wiki1")["RestartCount"] >= 4, what="the restarts")
    command = first_command(box, "container.loopback-peer", "wiki1")
    changed = r"'s|\bhost: localhost|host: wikidb1|g' /srv/wiki1/config.yml"
    assert command == f"sed -i.$(date +%F-%H%M%S) {changed}\ndocker restart wiki1", command


_GATE = """
echo 'ERROR: error while discovery OIDC configuration: oidc: issuer did not match the issuer returned \
by provider, expected "http://sso1:18080/realms/shop" got "http://localhost:18080/realms/shop"'
exit 1
"""


@fault("container.restart-loop", subject="container:gate1", shareable=True)
def provider_that_calls_itself_otherwise(box: Box) -> None:
    """The program expects the provider's name on the network, and its option says localhost."""
    box.docker("network", "create", "gate1")
    serves = ("sh", "-c", "exec nc -ll -p 18080 -e cat", "start", "--hostname=localhost")
    run(box, "sso1", *GOOD, "--network=gate1", "bb:1.36", *serves)
    on = ("--network=gate1", "--restart=always")
    run(box, "gate1", *GOOD, *on, "bb:1.36", "sh", "-c", _GATE)
    box.wait_for(lambda: box.inspect("gate1")["RestartCount"] >= 4, what="the restarts")
    run_ = box.diagnose("check", "container.restart-loop", "--format", "json")
    (finding,) = [finding for finding in run_.findings if finding["subject"]["name"] == "gate1"]
    words = 'container "sso1" calls itself so by its option --hostname=localhost'
    assert words in finding["summary"], finding["summary"]


_SERVER = """#!/bin/sh
if [ -z "$REDISPASS" ]; then
  printf "Reading the configuration file, at line 1\\n>>> 'requirepass '\\nwrong number of arguments\\n"
  exit 1
fi
exec nc -ll -p 16379 -e cat
"""


def _mail_cache(box: Box, number: str, password: str) -> None:
    """A start script writes its settings from a variable, as compose gave it."""
    box.write(f"/srv/mail{number}/redis-conf.sh", _SERVER, 0o755)
    mounted = ("-v", f"/srv/mail{number}/redis-conf.sh:/redis-conf.sh:ro")
    given = ("--restart=always", f"--env=REDISPASS={password}", "--env=TZ=UTC")
    run(box, f"mail{number}", *GOOD, *given, *mounted, "bb:1.36", "sh", "/redis-conf.sh")


@fault("container.restart-loop", subject="container:mail1", shareable=True)
def variable_that_compose_left_empty(box: Box) -> None:
    """A setting has no value, because the variable that its script takes it from is empty."""
    _mail_cache(box, "1", "")
    box.wait_for(lambda: box.inspect("mail1")["RestartCount"] >= 4, what="the restarts")
    run_ = box.diagnose("check", "container.restart-loop", "--format", "json")
    (finding,) = [finding for finding in run_.findings if finding["subject"]["name"] == "mail1"]
    assert "its environment variable REDISPASS is empty" in finding["summary"], finding["summary"]


@healthy(shareable=True)
def variable_that_has_its_value(box: Box) -> None:
    """The same with a password."""
    _mail_cache(box, "2", "made-up")
    box.wait_for(lambda: box.inspect("mail2")["State"]["Running"], what="the server")


_CAMERA = """
while :; do
  nc -w 1 broker{number} 11883 </dev/null 2>/dev/null && exec nc -ll -p 15000 -e cat
  echo "[2026-01-02 10:00:00] camera.comms.mqtt  ERROR  : Unable to connect to MQTT server: [Errno 111]\
 Connection refused"
  sleep 1
done
"""
_LISTENS = """
import socket, time
server = socket.create_server(("{address}", 11883))
while True:
    server.accept()[0].close()
"""


def _camera(box: Box, number: str, address: str) -> None:
    """A program that says that its broker refuses it, and not who that is; and the broker."""
    box.docker("network", "create", f"cams{number}")
    on = (f"--network=cams{number}",)
    serves = ("bb:1.36", "/usr/bin/python3", "-c", _LISTENS.format(address=address))
    run(box, f"broker{number}", *GOOD, *on, *MACHINE, "-p", "11883", *serves)
    calls = ("bb:1.36", "sh", "-c", _CAMERA.format(number=number))
    named = f"--label=com.docker.compose.depends_on=broker{number}:service_started:false"
    run(box, f"cam{number}", *GOOD, *on, named, "-p", "15000", *calls)


PORT = "network.published-port-not-listening"


@fault(PORT, subject="container:broker1", exit_code=1, also=[(PORT, "container:cam1")])
def broker_that_listens_for_itself_alone(box: Box) -> None:
    """The caller serves nothing, because its broker listens on loopback: one cause."""
    _camera(box, "1", "127.0.0.1")
    box.wait_for(lambda: logs(box, "cam1").count("refused") > 24, what="the refusals")
    findings = box.diagnose("check", PORT, "--format", "json").findings
    (effect,) = [finding for finding in findings if finding["subject"]["name"] == "cam1"]
    assert [cause["subject"]["name"] for cause in effect["caused_by"]] == ["broker1"]


@healthy()
def broker_that_listens_for_others(box: Box) -> None:
    """The same on all addresses."""
    _camera(box, "2", "0.0.0.0")
    box.wait_for(lambda: ":15000" in box.sh("docker exec cam2 netstat -lnt"), what="the camera")
