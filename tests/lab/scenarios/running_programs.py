"""Containers that run while a program in them has failed, and those that only look so."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, logs, run

FAILING = "container.failing-inside"
JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"

_SUPERVISOR = """#!/bin/sh
# the words are those of supervisor 4.3
say() { echo "2026-01-02 10:00:0$1,123 $2"; }
say 1 "INFO supervisord started with pid 1"
say 2 "INFO spawned: 'nginx' with pid 7"
say 2 "INFO spawnerr: can't find command '/usr/sbin/php-fpm7.0'"
say 3 "INFO success: nginx entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)"
say 4 "INFO spawnerr: can't find command '/usr/sbin/php-fpm7.0'"
say 5 "INFO gave up: php-fpm entered FATAL state, too many start retries too quickly"
[ -z "$BACK" ] || say 6 "INFO success: php-fpm entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)"
exec sleep 1000
"""


def supervised(box: Box, name: str, *options: str) -> None:
    """A container whose first process is called supervisord."""
    files = {"usr/bin/supervisord": (_SUPERVISOR.encode(), 0o755)}
    load(box, "supervised:1", Recipe(files, ('ENTRYPOINT ["/usr/bin/supervisord"]',)))
    run(box, name, *GOOD, *options, "supervised:1")
    box.wait_for(lambda: "gave up: php-fpm" in logs(box, name), what="it to give up")
    assert box.inspect(name)["State"]["Running"]


@fault(FAILING, subject="container:wiki8", also=["container.entrypoint-missing"], shareable=True)
def program_that_its_supervisor_gave_up(box: Box) -> None:
    """supervisord does not find a program, gives it up, and runs on."""
    supervised(box, "wiki8")


@healthy(shareable=True)
def program_that_was_started_again(box: Box) -> None:
    """supervisord gave up a program, and somebody has started it since."""
    supervised(box, "wiki9", "--env=BACK=1")


def redis(box: Box, name: str, owner: int) -> None:
    """Real Redis that saves each change, on a folder of this owner, after one change."""
    load_server(box, "redis-server", "redis:7.0")
    box.sh(f"mkdir -p /srv/{name} && chown {owner} /srv/{name} && chmod 755 /srv/{name}")
    words = ["redis-server", "--dir", "/data", "--save", "1 1", "--protected-mode", "no"]
    run(box, name, *GOOD, "-v", f"/srv/{name}:/data", "redis:7.0", *words)
    box.wait_for(lambda: "Ready to accept" in logs(box, name), what="Redis to come up")
    ask(box, name, "SET a b")
    box.wait_for(lambda: "Background saving" in logs(box, name), what="Redis to save")


def ask(box: Box, name: str, command: str) -> str:
    """What Redis answers."""
    script = f"printf '{command}\\r\\n' | nc -w 1 127.0.0.1 6379"
    return str(box.docker("exec", name, "sh", "-c", script).stdout)


@fault(
    FAILING,
    subject="container:saver8",
    also=["container.mount-unwritable", "container.mount-forbidden"],
    shareable=True,
)
def redis_that_cannot_save(box: Box) -> None:
    """Redis runs, may not write its folder, and refuses writes."""
    redis(box, "saver8", 0)
    box.wait_for(lambda: "saving error" in logs(box, "saver8"), what="the save to fail")
    assert "MISCONF" in ask(box, "saver8", "SET a c")


@healthy(shareable=True)
def redis_that_saves_again(box: Box) -> None:
    """Redis could not save, was given its folder, and saves."""
    redis(box, "saver9", 0)
    box.wait_for(lambda: "saving error" in logs(box, "saver9"), what="the save to fail")
    box.sh("chown 1000 /srv/saver9")
    saved = "Background saving terminated with success"
    box.wait_for(lambda: saved in logs(box, "saver9"), what="the next save")
    assert "OK" in ask(box, "saver9", "SET a c")


def _database_beside_a_web_server(box: Box, name: str, wait: str) -> None:
    """An image that runs real MariaDB beside a web server, on a new volume."""
    server = load_server(box, "mariadb-server-core", "all-in-one:10.11")
    database = f"{server} --no-defaults --user=root --datadir=/var/lib/mysql --skip-networking"
    script = f"{wait}; {database} --socket=/tmp/db.sock & exec httpd -f -p 8080 -h /www"
    mount = ["-v", f"{name}:/var/lib/mysql"]
    run(box, name, "--memory=400m", *mount, "all-in-one:10.11", "sh", "-c", script)


@fault(FAILING, subject="container:portal8", shareable=True)
def database_that_ended_beside_a_web_server(box: Box) -> None:
    """The database of an image that holds two programs has ended: its volume is empty."""
    _database_beside_a_web_server(box, "portal8", "true")
    box.wait_for(lambda: "[ERROR] Aborting" in logs(box, "portal8"), what="MariaDB to end")
    box.wait_for(lambda: "mariadbd" not in _processes(box, "portal8"), what="MariaDB to be gone")
    assert box.inspect("portal8")["State"]["Running"]


@healthy(shareable=True)
def web_server_that_sees_files_of_a_database(box: Box) -> None:
    """A web server was given the folder of a database, which it does not run."""
    _database_beside_a_web_server(box, "portal9", "exec httpd -f -p 8080 -h /www")
    box.wait_for(lambda: "httpd" in _processes(box, "portal9"), what="the web server")


def _processes(box: Box, name: str) -> str:
    return str(box.docker("top", name).stdout)


_LEAK = """
import java.util.*;
public class App {
  public static void main(String[] words) throws Exception {
    new Thread(() -> {
      List<byte[]> held = new ArrayList<>();
      while (true) held.add(new byte[1 << 20]);
    }, "http-8080-exec-1").start();
    while (true) Thread.sleep(1000);
  }
}
"""


@fault(FAILING, subject="container:orders8", exit_code=1)
def java_thread_without_heap(box: Box) -> None:
    """A thread of a real Java program fills the heap and ends; the program runs on without it."""
    box.write("/srv/orders8/App.java", _LEAK)
    mounts = ["-v", "/srv/orders8:/app:ro", "-v", "/etc/java-17-openjdk:/etc/java-17-openjdk:ro"]
    limits = ["--memory=512m", "--pids-limit=200"]
    run(box, "orders8", *limits, *MACHINE, *mounts, "bb:1.36", JAVA, "-Xmx32m", "/app/App.java")
    box.wait_for(lambda: "OutOfMemoryError" in logs(box, "orders8"), what="the heap to be full")
    assert box.inspect("orders8")["State"]["Running"]


def _printing(box: Box, name: str, line: str, *options: str) -> None:
    """A container that prints a line four times a second, with a number that grows."""
    script = f'i=0; while :; do i=$((i+1)); echo "{line}"; sleep 0.25; done'
    run(box, name, *GOOD, *options, "shop:1.4", "sh", "-c", script)
    box.wait_for(lambda: logs(box, name).count("\n") >= 12, what="it to print")


@fault("container.errors-in-log", subject="container:courier8", shareable=True)
def program_that_repeats_an_error(box: Box) -> None:
    """A program runs on, and prints an error about a service that no container is."""
    _printing(box, "courier8", "ERROR delivery $i: broker gave no credit for queue orders")


@healthy(shareable=True)
def program_that_its_last_start_cured(box: Box) -> None:
    """A program repeated an error, and works since its last start a moment ago."""
    script = (
        'line="ERROR broker gave no credit"; [ ! -e /state/ran ] || line="GET /orders 200"; '
        'touch /state/ran; while :; do echo "$line"; sleep 0.25; done'
    )
    box.sh("mkdir -p /srv/cured8 && chmod 777 /srv/cured8")
    run(box, "cured8", *GOOD, "-v", "/srv/cured8:/state", "shop:1.4", "sh", "-c", script)
    box.wait_for(lambda: logs(box, "cured8").count("ERROR") >= 12, what="the error to come again")
    box.docker("restart", "--time", "0", "cured8")
    box.wait_for(lambda: logs(box, "cured8").count("GET") >= 4, what="it to serve")
    findings = box.diagnose("check", "container.errors-in-log", "--format", "json").findings
    assert "cured8" not in [finding["subject"]["name"] for finding in findings]


_USERS = b"root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:/bin/sh\nmosquitto:x:1883:1883::/:/bin/sh\n"
_WORKER = """#!/bin/sh
[ "$(id -u)" = 0 ] && exec su www-data -s /bin/sh -c "exec $0"
while :; do
    (: >>/var/www/html/storage/app.log) 2>/dev/null \
        || echo 'PHP Fatal error:  The stream or file "/var/www/html/storage/app.log" could not be' \
            'opened: failed to open stream: Permission denied in /var/www/html/vendor/Stream.php:110'
    echo 'GET /index.php'
    sleep 0.5
done
"""
_BROKER = """#!/bin/sh
su mosquitto -s /bin/sh -c ': >>/mosquitto/log/mosquitto.log' 2>/dev/null && exec sleep 1000
echo '1533299348: Error: Unable to open log file /mosquitto/log/mosquitto.log for writing.'
exit 1
"""
_LOCAL_BROKER = """#!/bin/sh
echo '1703000000: Config loaded from /mosquitto/config/mosquitto.conf.'
if grep -q '^listener' /mosquitto/config/mosquitto.conf; then
    exec httpd -f -p 1883 -h /www
fi
echo '1703000000: Starting in local only mode.' \
    'Connections will only be possible from clients running on this machine.'
exec httpd -f -p 127.0.0.1:1883 -h /www
"""
FORBIDDEN = "container.mount-forbidden"


def _workers(box: Box, name: str, owner: int) -> None:
    """A server that begins as root, whose worker is www-data; its project has this owner."""
    files = {"php-fpm": (_WORKER.encode(), 0o755), "etc/passwd": (_USERS, 0o644)}
    load(box, f"{name}:1", Recipe(files, ('CMD ["/php-fpm"]',)))
    box.sh(f"mkdir -p /srv/{name}/storage && chown -R {owner} /srv/{name}")
    limits = ["--memory=64m", "--pids-limit=64"]
    run(box, name, *limits, "-v", f"/srv/{name}:/var/www/html", f"{name}:1")
    box.wait_for(lambda: logs(box, name).count("GET") >= 6, what="it to serve")


@fault(FORBIDDEN, subject="container:blog8", shareable=True)
def workers_that_may_not_write(box: Box) -> None:
    """The workers of a server are www-data, and the project belongs to its developer."""
    _workers(box, "blog8", 1000)
    assert "Permission denied" in logs(box, "blog8")


@healthy(shareable=True)
def workers_that_may_write(box: Box) -> None:
    """The same server, and its project belongs to www-data."""
    _workers(box, "blog9", 33)
    assert "Permission denied" not in logs(box, "blog9")


@fault(FORBIDDEN, subject="container:mqtt8", also=["container.exits-at-start"], shareable=True)
def broker_that_may_not_write_after_it_has_dropped_root(box: Box) -> None:
    """Mosquitto begins as root, becomes mosquitto, and may not write its log."""
    files = {"usr/sbin/mosquitto": (_BROKER.encode(), 0o755), "etc/passwd": (_USERS, 0o644)}
    load(box, "mqtt8:1", Recipe(files, ('CMD ["/usr/sbin/mosquitto"]',)))
    box.sh("mkdir -p /srv/mqtt8")
    run(
        box, "mqtt8", "--memory=64m", "--pids-limit=64", "-v", "/srv/mqtt8:/mosquitto/log",
        "mqtt8:1",
    )  # fmt: skip
    assert box.wait_state("mqtt8", "exited")["State"]["ExitCode"] == 1


def _local_broker(box: Box, name: str, port: int, place: str) -> None:
    """Mosquitto, with a configuration that has a listener, mounted at this place."""
    own = {"mosquitto/config/mosquitto.conf": (b"# listener\n", 0o644)}
    files = {"usr/sbin/mosquitto": (_LOCAL_BROKER.encode(), 0o755), **own}
    load(box, f"{name}:1", Recipe(files, ('CMD ["/usr/sbin/mosquitto"]',)))
    box.write(f"/srv/{name}/mosquitto.conf", "listener 1883\nallow_anonymous true\n")
    mount = f"/srv/{name}:{place}"
    run(box, name, "--memory=64m", "--pids-limit=64", f"-p={port}:1883", "-v", mount, f"{name}:1")
    box.wait_for(lambda: "Config loaded" in logs(box, name), what="it to start")


@fault("network.published-port-not-listening", subject="container:mqtt9", shareable=True)
def settings_mounted_beside_the_place_where_they_are_read(box: Box) -> None:
    """Mosquitto reads the image's own file, for ours is in another folder, and serves itself."""
    _local_broker(box, "mqtt9", 18983, "/mosquitto/conf")
    assert "local only mode" in logs(box, "mqtt9")
    box.wait_for(lambda: _offers_the_place(box), what="the command that moves the mount")


def _offers_the_place(box: Box) -> bool:
    run_of = box.diagnose("check", "network.published-port-not-listening", "--format", "json")
    commands = [fix["command"] for finding in run_of.findings for fix in finding.get("fix", ())]
    wanted = "-- --volume=/srv/mqtt9:/mosquitto/config | sh"
    return any(wanted in command for command in commands)


@healthy(shareable=True)
def settings_mounted_where_they_are_read(box: Box) -> None:
    """The same broker, with its settings where it reads them."""
    _local_broker(box, "mqtt10", 18984, "/mosquitto/config")


_TICK = "* * * * * echo ran >>/tmp/ran\n"


def _jobs(box: Box, name: str, owner: int) -> None:
    """Busybox' own crond, with a mounted crontab of this owner."""
    box.write(f"/srv/{name}/root", _TICK)
    box.sh(f"chown {owner} /srv/{name}/root")
    mount = f"/srv/{name}/root:/var/spool/cron/crontabs/root"
    words = ["crond", "-f", "-l", "0", "-L", "/dev/stdout"]
    run(box, name, "--memory=64m", "--pids-limit=64", "-v", mount, "bb:1.36", *words)
    box.wait_for(lambda: "log level 0" in logs(box, name), what="crond to start")


@fault("container.file-mode-refused", subject="container:backup8", shareable=True)
def crontab_that_is_not_roots(box: Box) -> None:
    """crond runs, and leaves a crontab out that belongs to its author."""
    _jobs(box, "backup8", 1000)
    assert "user:root" not in logs(box, "backup8")


@healthy(shareable=True)
def crontab_that_is_roots(box: Box) -> None:
    """The same crontab, and it belongs to root: crond reads its line."""
    _jobs(box, "backup10", 0)
    box.wait_for(lambda: "user:root" in logs(box, "backup10"), what="the crontab to be read")


_STRANGER = (
    "ERROR $i Invalid HTTP_HOST header: 'shop.example'. "
    "You may need to add 'shop.example' to ALLOWED_HOSTS."
)


@fault("container.errors-in-log", subject="container:estore8", shareable=True)
def server_that_does_not_know_its_own_name(box: Box) -> None:
    """Django refuses all of its users, for its settings do not have the name that they ask for."""
    _printing(box, "estore8", _STRANGER, "--env=DJANGO_ALLOWED_HOSTS=localhost")
    findings = box.diagnose("check", "container.errors-in-log", "--format", "json").findings
    (finding,) = [finding for finding in findings if finding["subject"]["name"] == "estore8"]
    assert finding["severity"] == "warning"
    assert "--env=DJANGO_ALLOWED_HOSTS" in finding["fix"][0]["command"]


_UNSET = "Error: SESSION_SECRET is missing in ENV."


def _severities(box: Box, name: str) -> list[str]:
    """How grave a run of all checks calls what the container repeats."""
    findings = box.diagnose("all", "--format", "json").findings
    return [
        finding["severity"]
        for finding in findings
        if finding["id"] == "container.errors-in-log" and finding["subject"]["name"] == name
    ]


@fault("container.errors-in-log", subject="container:arcade8")
def server_that_misses_a_secret(box: Box) -> None:
    """A server answers every request with an error, since a variable is not set, and runs on."""
    trace = "    at file:///app/hooks.server.js:94:9"
    _printing(box, "arcade8", f'{_UNSET}"; echo "{trace}', "--expose=8080")
    box.wait_for(lambda: logs(box, "arcade8").count("Error") >= 84, what="it to run for a while")
    assert _severities(box, "arcade8") == ["warning"]


@healthy()
def server_whose_feature_has_no_secret(box: Box) -> None:
    """A server serves, and has a feature without its secret."""
    served = "echo 'GET /orders 200'; echo 'GET /cart 200'; :"
    _printing(box, "arcade9", f'{_UNSET}"; {served} "', "--expose=8080")
    box.wait_for(lambda: logs(box, "arcade9").count("Error") >= 84, what="it to run for a while")
    assert _severities(box, "arcade9") == ["advice"]


@healthy(shareable=True)
def server_that_refuses_a_scanner(box: Box) -> None:
    """Django refuses some who ask for a name that is not its own, and serves the others."""
    served = "echo 'GET /orders 200'; echo 'GET /cart 200'; :"
    _printing(box, "estore9", f'{_STRANGER}"; {served} "')


def _broker(box: Box, name: str, *further: str) -> None:
    """A broker with RabbitMQ's words, on a file system that has less room than it wants to keep."""
    lines = (
        "[info] <0.298.0> Free disk space is insufficient. Free bytes: 36700160. Limit: 50000000",
        "[warning] <0.298.0> disk resource limit alarm set on node 'rabbit@mq'.",
        "*** Publishers will be blocked until this alarm clears ***",
        "[info] <0.9.0> Server startup complete; 3 plugins started.", *further,
    )  # fmt: skip
    script = "".join(["#!/bin/sh\n", *(f'echo "{line}"\n' for line in lines), "exec sleep 1000\n"])
    files = {"usr/bin/rabbitmq-server": (script.encode(), 0o755)}
    load(box, f"{name}:1", Recipe(files, ('CMD ["/usr/bin/rabbitmq-server"]',)))
    box.sh(f"mkdir -p /srv/{name} && mount -t tmpfs -o size=100m tmpfs /srv/{name}")
    box.sh(f"dd if=/dev/zero of=/srv/{name}/msg_store bs=1M count=65 2>/dev/null")
    run(box, name, *GOOD, "-v", f"/srv/{name}:/var/lib/rabbitmq", f"{name}:1")
    box.wait_for(lambda: "startup complete" in logs(box, name), what="the broker to start")


@fault(FAILING, subject="container:broker8", shareable=True)
def broker_without_room_on_its_disk(box: Box) -> None:
    """RabbitMQ runs, has set its disk alarm, and blocks all who send."""
    _broker(box, "broker8")


@healthy(shareable=True)
def broker_whose_alarm_cleared(box: Box) -> None:
    """RabbitMQ had set its disk alarm, and cleared it."""
    _broker(
        box, "broker9", "[info] <0.298.0> disk resource limit alarm cleared on node 'rabbit@mq'."
    )


_MEMBER = """#!/bin/sh
echo '{"s":"W","msg":"Locally stored replica set configuration is invalid","attr":{"error":{"errmsg":\
"No host described in new configuration with {version: 1} for replica set rs0 maps to this node"}}}'
echo '{"s":"I","msg":"This node is not a member of the config"}'
[ -z "$BACK" ] || echo '{"s":"I","msg":"Replica set state transition","attr":{"newState":"PRIMARY"}}'
exec sleep 1000
"""


def _member(box: Box, name: str, *options: str) -> None:
    """MongoDB in MongoDB's words, whose replica set has another host name."""
    files = {"usr/bin/mongod": (_MEMBER.encode(), 0o755)}
    load(box, f"{name}:1", Recipe(files, ('CMD ["/usr/bin/mongod"]',)))
    run(box, name, *GOOD, *options, f"{name}:1")
    box.wait_for(lambda: "not a member" in logs(box, name), what="it to leave the set")


@fault(FAILING, subject="container:member8", shareable=True)
def member_that_its_replica_set_does_not_know(box: Box) -> None:
    """MongoDB was created again with another host name, and takes no writes."""
    _member(box, "member8")


@healthy(shareable=True)
def member_that_became_primary(box: Box) -> None:
    """The same, and the set was told the new name."""
    _member(box, "member9", "--env=BACK=1")


@healthy(shareable=True)
def program_that_counts_errors(box: Box) -> None:
    """A program prints the word error in lines that are information."""
    _printing(box, "auditor8", "INFO batch $i: checked 200 rows, 0 errors")


def _misses(box: Box, name: str, folders: dict[str, tuple[bytes, int]], what: str) -> None:
    """A server that runs on, and prints for each request that it finds no file below a mount."""
    script = f"""#!/bin/sh
while :; do
    echo "[php:error] PHP Fatal error:  Uncaught Error: Failed opening required '{what}'"
    sleep 0.5
done
"""
    recipe = Recipe({"start": (script.encode(), 0o755), **folders}, ('CMD ["/start"]',))
    load(box, f"{name}:1", recipe)
    box.write(f"/srv/{name}/composer.json", "{}\n")
    run(box, name, *GOOD, "-v", f"/srv/{name}:/var/www/html", f"{name}:1")
    box.wait_for(lambda: logs(box, name).count("\n") >= 6, what="it to print")


@fault("container.mount-source-missing", subject="container:osiris43", shareable=True)
def libraries_that_a_mount_hides_from_a_server(box: Box) -> None:
    """The image has its libraries where a project without them is mounted: each request fails."""
    path = "var/www/html/vendor/autoload.php"
    _misses(box, "osiris43", {path: (b"<?php\n", 0o644)}, f"/{path}")


@fault("container.errors-in-log", subject="container:osiris44", shareable=True)
def file_that_neither_the_host_nor_the_image_has(box: Box) -> None:
    """Its users may ask for what was never there: that is advice, not a mistake of the mount."""
    _misses(box, "osiris44", {}, "/var/www/html/old/index.php")
