"""Programs that failed inside running containers, as the lines of their logs tell."""

from __future__ import annotations

import msgspec
import pytest

from checks.container.running.failing_inside import PARTLY
from diagnose.evidence.containers.logs.inner_failures import InnerFailures, in_lines
from diagnose.evidence.containers.logs.inner_patterns import PATTERNS
from diagnose.evidence.engine.info import Info
from diagnose.programs.failures import FAILURES, recognise
from tests.checks.container.evidence import CLOCK, container_in
from tests.judging import judge, rows

GAVE_UP = "2026-01-02 10:00:05,1 INFO gave up: php-fpm entered FATAL state, too many start retries"
BACK = "2026-01-02 10:00:06,1 INFO success: php-fpm entered RUNNING state, process has stayed up"
MISSING = "2026-01-02 10:00:04,1 INFO spawnerr: can't find command '/usr/sbin/php-fpm7.0'"
EXITED = "2026-01-02 10:00:04,1 INFO exited: php-fpm (exit status 78; not expected)"
WORDS = "[02-Jan-2026 10:00:04] ERROR: [pool www] cannot get uid for user 'web'"
UNREADY = "[02-Jan-2026 10:00:04] ERROR: the queue of jobs is gone"
NO_RDB = "19:C # Failed opening the temp RDB file temp-19.rdb (in server root dir /data) for saving: Permission denied"
NO_SAVE = "1:M # Background saving error"
SAVED = "1:M * Background saving terminated with success"
NO_HEAP = 'Exception in thread "http-1" java.lang.OutOfMemoryError: Java heap space'
SHUT = (
    "admin_monitor.go:62 > the Portainer instance timed out for security purposes, to re-enable your "
    "Portainer instance, you will need to restart Portainer |"
)
EPIC = "[Fatal] ConsoleApp: EPIC FAIL! SQLiteException: database is locked"
WAITS = "[Info] ConsoleApp: Non-recoverable failure, waiting for user intervention..."
NO_ROOM = "[info] <0.298.0> Free disk space is insufficient. Free bytes: 36700160. Limit: 50000000"
ALARM = "[warning] <0.298.0> disk resource limit alarm set on node 'rabbit@mq'."
NO_SPACE = '{"level":"warn","msg":"alarm raised","alarm":"NOSPACE","from":"8e9e05c52164694d"}'
FLOODED = "[WARN ][o.e.c.r.a.DiskThresholdMonitor] flood stage disk watermark [95%] exceeded on [a][es][/data] free: 1gb[3%], all indices on this node will be marked read-only"
NO_HOST = '{"s":"W","attr":{"errmsg":"No host described in new configuration with {version: 1}"}}'
NO_MEMBER = '{"msg":"This node is not a member of the config"}'
UNAPPLIED = (
    "2026-01-02T10:00:04Z 6 [ERROR] [MY-010584] [Repl] Slave SQL for channel '': Error 'Unknown database "
    "'shop'' on query. Default database: 'shop'. Query: 'CREATE TABLE t', Error_code: MY-001049"
)
STOPPED = (
    "2026-01-02T10:00:05Z 6 [ERROR] [MY-010586] [Repl] Error running query, slave SQL thread aborted. "
    "Fix the problem"
)
APPLIES = (
    "2026-01-02T10:00:09Z 7 [System] [MY-010597] [Repl] Slave SQL thread for channel '' initialized"
)
UNAPPLIED_11 = (
    "2026-01-02 10:00:04 6 [ERROR] Slave SQL: Error 'Duplicate entry '7' for key 'PRIMARY'' on query. "
    "Default database: 'shop'. Query: 'INSERT INTO t', Gtid 0-1-9, Internal MariaDB error code: 1062"
)
IGNORED = "dnsmasq: ignoring query from non-local network {} (logged only once)"
NEAR, TUNNEL, FAR = (
    IGNORED.format("192.168.1.20"),
    IGNORED.format("fd00::7"),
    IGNORED.format("8.8.8.8"),
)
CHECKED = (
    '[WARNING]  (7) : Server shop/app1 is DOWN, reason: Layer7 wrong status, code: 404, info: "Not '
    'Found", check duration: 90ms. {} active and 0 backup servers left. 0 sessions active, 0 requeued.'
)
REFUSED = CHECKED.replace(
    'Layer7 wrong status, code: 404, info: "Not Found"', "Layer4 connection problem"
)
RELOADED = "[NOTICE]   (1) : Loading success."
CHECKED_WELL = "[WARNING]  (7) : Server shop/app2 is UP, reason: Layer7 check passed, code: 200."
NO_NFT = "iptables v1.8.11 (nf_tables): Could not fetch rule set generation id: Invalid argument"
ACTIVATES = "**** Activating tunnel /config/wg_confs/wg0.conf ****"
NO_TUNNEL = "**** Tunnel /config/wg_confs/wg0.conf failed, will stop all others! ****"
DELETES = "[#] ip link delete dev wg0"
S6 = "s6-rc: warning: unable to start service svc-app: command exited 1"
S6_RUN = "s6-supervise radarr: warning: unable to spawn ./run - waiting 10 seconds"
NO_UPGRADE = "2026-01-02 10:00:04 0 [ERROR] InnoDB: Upgrade after a crash is not supported. The redo log was created with MariaDB 10.6.18."
ABORTS = "2026-01-02 10:00:05 0 [ERROR] Aborting"
ABORTS_8 = "2026-01-02T10:00:05.1Z 0 [ERROR] [MY-010119] [Server] Aborting"
READY = "2026-01-02 10:00:09 0 [Note] mariadbd: ready for connections."
NO_SETTINGS = (
    'postgres: could not access the server configuration file "/x": No such file or directory'
)
OTHER_MAJOR = "FATAL:  database files are incompatible with server"
PM2 = "2026-01-02T10:00:00: PM2 error: PM2        | Script /app/index.js had too many unstable restarts (16). Stopped."


MEMBERS = '"members":[{{"_id":0,"host":"{}:27017","arbiterOnly":false}}]'
FORMER_HOSTS = {
    "its only member": ([MEMBERS.format("43fdd1a0cb90")], {"former_host": "43fdd1a0cb90"}),
    "an older release": (
        ["members: [ { _id: 0, host: \"old:27017\", votes: 1 } ]"], {"former_host": "old"},
    ),
    "said twice": ([MEMBERS.format("old"), MEMBERS.format("old")], {"former_host": "old"}),
    "two members": (
        ['"members":[{"_id":0,"host":"a:27017"},{"_id":1,"host":"b:27017"}]'], {"renamed": "web"},
    ),
    "its own name": ([MEMBERS.format("web")], {"renamed": "web"}),
    "an address": ([MEMBERS.format("10.0.0.7")], {"renamed": "web"}),
    "no name of a host": ([MEMBERS.format("-rf")], {"renamed": "web"}),
    "no members": ([], {"renamed": "web"}),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), FORMER_HOSTS.values(), ids=FORMER_HOSTS)
def test_former_host_names(lines: list[str], expected: dict[str, str]) -> None:
    log = [(None, line) for line in (NO_HOST, *lines, NO_MEMBER)]
    failures = in_lines(container_in("running"), {"mongod"}, log)
    result = judge(
        "container.failing-inside", inner_failures=InnerFailures(tuple(failures)), clock=CLOCK
    )
    (finding,) = result.findings
    assert finding.variables == {"container": "web"} | expected


@pytest.mark.parametrize(
    ("command", "lines", "expected"),
    [
        ("supervisord", [MISSING, GAVE_UP], [("php-fpm", MISSING)]),
        ("supervisord", [WORDS, EXITED, GAVE_UP], [("php-fpm", WORDS)]),
        ("supervisord", [EXITED, GAVE_UP, "GET /index.php 502"], [("php-fpm", EXITED)]),
        ("supervisord", [GAVE_UP, BACK], []),
        ("supervisord", [GAVE_UP, BACK, GAVE_UP], [("php-fpm", "")]),
        ("supervisord", [GAVE_UP, GAVE_UP.replace("php-fpm", "cron")], [("php-fpm", ""), ("cron", "")]),
        ("nginx", [GAVE_UP], []),
        ("redis-server", [NO_RDB, NO_SAVE], [("Failed opening the temp RDB file", NO_RDB)]),
        ("redis-server", [NO_RDB, NO_SAVE, SAVED], []),
        ("redis-server", [SAVED, NO_SAVE], [("Background saving error", "")]),
        ("java", [NO_HEAP], [("http-1", NO_HEAP)]),
        ("java", ["java.lang.OutOfMemoryError: Java heap space"], []),
        ("s6-svscan", [S6], [("svc-app", "")]),
        ("s6-svscan", [S6, "s6-rc: info: service svc-app successfully started"], []),
        ("s6-svscan", [S6_RUN], [("radarr", "")]),
        ("s6-svscan", [S6_RUN, "s6-rc: info: service radarr successfully started"], []),
        ("s6-svscan", [S6_RUN.replace("radarr", "s6-linux-init-shutdownd")], []),
        ("s6-svscan", [ACTIVATES, NO_NFT, DELETES, NO_TUNNEL], [("/config/wg_confs/wg0.conf", NO_NFT)]),
        ("s6-svscan", [NO_TUNNEL, ACTIVATES], []),
        ("PM2", [PM2], [("/app/index.js", "")]),
        ("portainer", [SHUT], [("instance timed out for security purposes", "")]),
        ("portainer", [SHUT, "server.go:337 > starting HTTPS server | bind_address=:9443"], []),
        ("Radarr", [EPIC, WAITS], [("Non-recoverable failure, waiting for user intervention", EPIC)]),
        ("beam.smp", [NO_ROOM, ALARM], [("disk", NO_ROOM)]),
        ("beam.smp", [NO_ROOM, ALARM, ALARM.replace("set on", "cleared on")], []),
        ("beam.smp", [ALARM, ALARM.replace("disk", "memory").replace("set on", "cleared on")], [("disk", "")]),
        ("etcd", [NO_SPACE], [("", "")]),
        ("etcd", [NO_SPACE, NO_SPACE.replace("raised", "disarmed")], []),
        ("java", [FLOODED], [("", "")]),
        ("java", [FLOODED, "releasing read-only-allow-delete block on indices: [[logs]]"], []),
        ("haproxy", [CHECKED.format(0)], [("shop", "")]),
        ("haproxy", [CHECKED.format(1)], []),
        ("haproxy", [REFUSED.format(0)], [("shop", "")]),
        ("haproxy", [CHECKED.format(0), CHECKED_WELL], []),
        ("haproxy", [CHECKED.format(0).replace("404", "503")], []),
        ("haproxy", [CHECKED.format(0), "[NOTICE]   (1) : New worker (24) forked"], []),
        ("haproxy", [RELOADED, CHECKED.format(0)], [("shop", "")]),
        ("mysqld", [UNAPPLIED, STOPPED], [("", UNAPPLIED)]),
        ("mysqld", [UNAPPLIED, STOPPED, APPLIES], []),
        ("mariadbd", [UNAPPLIED_11], [("", UNAPPLIED_11)]),
        ("mysqld", ["[Warning] [Repl] Slave I/O for channel '': reconnecting"], []),
        ("mongod", [NO_HOST, NO_MEMBER], [(NO_MEMBER[8:-2], NO_HOST)]),
        ("mongod", [NO_MEMBER, '{"msg":"x","attr":{"newState":"PRIMARY"}}'], []),
        ("sh", [SHUT, WAITS], []),
        ("dnsmasq", [FAR, NEAR, TUNNEL], [("", "")]),
        ("pihole-FTL", [TUNNEL], [("", "")]),
        ("dnsmasq", [FAR, "dnsmasq: started, version 2.90"], []),
        ("sh", [NEAR], []),
    ],
)  # fmt: skip
def test_what_lines_show(command: str, lines: list[str], expected: list[tuple[str, str]]):
    found = in_lines(container_in("running"), {command}, [(None, line) for line in lines])
    assert [(failure.program, failure.reason) for failure in found] == expected


@pytest.mark.parametrize(
    ("data", "commands", "lines", "expected"),
    [
        ("/var/lib/mysql", {"httpd"}, [NO_UPGRADE, ABORTS], [("mysql", NO_UPGRADE)]),
        ("/var/lib/mysql", {"httpd"}, [NO_UPGRADE, ABORTS_8], [("mysql", NO_UPGRADE)]),
        ("/var/lib/mysql", {"httpd"}, [NO_UPGRADE, ABORTS, READY], []),
        ("/var/lib/mysql", {"httpd", "mariadbd"}, [NO_UPGRADE, ABORTS], []),
        ("/backup", {"httpd"}, [NO_UPGRADE, ABORTS], []),
        ("/var/lib/postgresql/data", {"sh"}, [OTHER_MAJOR], [("postgres", OTHER_MAJOR)]),
        ("/var/lib/postgresql/data", {"sh"}, [NO_SETTINGS], [("postgres", NO_SETTINGS)]),
        ("/var/lib/postgresql", {"postgres", "sh"}, [OTHER_MAJOR], []),
    ],
)  # fmt: skip
def test_a_server_that_has_ended_beside_others(data, commands, lines, expected):
    mounts = [{"Type": "volume", "Name": "db", "Source": "/v", "Destination": data}]
    container = container_in("running", Mounts=mounts)
    found = in_lines(container, commands, [(None, line) for line in lines])
    assert [(failure.name, failure.reason) for failure in found] == expected


def test_a_finding_per_program_and_what_is_offered():
    container = container_in("running")
    failures = (
        *in_lines(container, {"supervisord"}, [(None, UNREADY), (None, GAVE_UP)]),
        *in_lines(container, {"java"}, [(None, NO_HEAP)]),
    )
    result = judge("container.failing-inside", inner_failures=InnerFailures(failures), clock=CLOCK)
    assert rows(result) == [("critical", "web"), ("warning", "web")]
    by_program = {finding.discriminator: finding.variables for finding in result.findings}
    assert by_program["php-fpm"]["again"] == "web"
    assert by_program["http-1"]["leaking"] == "web"


def test_a_balancer_says_how_its_check_failed() -> None:
    (failure,) = in_lines(container_in("running"), {"haproxy"}, [(None, CHECKED.format(0))])
    assert failure.explanation.endswith("(Layer7 wrong status, code: 404)")
    result = judge(
        "container.failing-inside", inner_failures=InnerFailures((failure,)), clock=CLOCK
    )
    assert rows(result) == [("warning", "web")]
    assert result.findings[0].variables["backend"] == "shop"


ENDS = "2026-01-02 10:00:00,000 WARN exited: web (exit status 1; not expected)"
WORKER = "[2026-01-02 10:00:00 +0000] [7] [ERROR] Worker (pid:704) exited with code 1."
INSECURE = "Refusing to start due to insecure SECRET_KEY"
APP = "2026-01-02T10:00:00: PM2 log: App [api:0] exited with code [1] via signal [SIGINT]"
AT = 1_000_000.0


@pytest.mark.parametrize(
    ("command", "line", "seconds_ago", "program"),
    [
        ("supervisord", ENDS, (30, 20, 10), "web"),
        ("supervisord", ENDS, (20, 10), None),
        ("supervisord", ENDS, (200, 190, 180), None),
        ("supervisord", ENDS, (7000, 4000, 10), None),
        ("supervisord", ENDS.replace("1; not", "0; not"), (30, 20, 10), None),
        ("gunicorn", WORKER, (30, 20, 10), ""),
        ("gunicorn", WORKER.replace("code 1", "code 0"), (30, 20, 10), None),
        ("PM2", APP, (3, 2, 1), "api"),
        ("sh", APP, (3, 2, 1), None),
    ],
    ids=[
        "supervisord", "twice", "it is over", "it works in between", "a good end", "gunicorn",
        "a worker that was replaced", "PM2", "no keeper",
    ],
)  # fmt: skip
def test_a_program_that_ends_again_and_again(
    command: str, line: str, seconds_ago: tuple[int, ...], program: str | None
) -> None:
    lines = [(AT - ago, text) for ago in seconds_ago for text in (INSECURE, line)]
    found = in_lines(container_in("running"), {command}, lines, AT)
    wanted = [] if program is None else [(program, INSECURE, AT - seconds_ago[-1])]
    assert [(failure.program, failure.reason, failure.at) for failure in found] == wanted


def test_the_last_words_may_come_behind_the_note_of_their_keeper() -> None:
    lines = [(AT - ago, text) for ago in (30, 20, 10) for text in (ENDS, INSECURE)]
    (failure,) = in_lines(container_in("running"), {"supervisord"}, lines, AT)
    assert failure.reason == INSECURE
    (finding,) = judge(
        "container.failing-inside", inner_failures=InnerFailures((failure,)), clock=CLOCK
    ).findings
    assert "again" not in finding.variables


def test_a_note_that_is_written_twice_is_one_end() -> None:
    """The last words stand before the first of both."""
    end = ((0.2, INSECURE), (0.001, ENDS), (0.0, ENDS))
    lines = [(AT - ago - before, text) for ago in (30, 20, 10) for before, text in end]
    (failure,) = in_lines(container_in("running"), {"supervisord"}, lines, AT)
    assert failure.reason == INSECURE
    assert in_lines(container_in("running"), {"supervisord"}, lines[3:], AT) == []


def test_what_a_keeper_says_of_itself_is_no_reason() -> None:
    """On a read-only root it cannot write its pid file either, and goes on without."""
    own = "2026-01-02 10:00:00,000 CRIT could not write pidfile /supervisord.pid"
    gave_up = "2026-01-02 10:00:03,000 INFO gave up: web entered FATAL state, too many retries"
    lines = [(AT - 4, own), (AT - 2, INSECURE), (AT - 1, ENDS), (AT, gave_up)]
    (failure,) = in_lines(container_in("running"), {"supervisord"}, lines, AT)
    assert failure.reason == INSECURE


def test_a_program_that_its_keeper_has_given_up_does_not_end_again() -> None:
    gave_up = "2026-01-02 10:00:03,000 INFO gave up: web entered FATAL state, too many retries"
    lines = [*((AT - ago, ENDS) for ago in (3, 2, 1)), (AT, gave_up)]
    found = in_lines(container_in("running"), {"supervisord"}, lines, AT)
    assert [failure.name for failure in found] == ["supervisord"]


def test_workers_that_lack_a_secret_get_one() -> None:
    lines = [(AT - ago, text) for ago in (30, 20, 10) for text in (INSECURE, WORKER)]
    failures = in_lines(container_in("running"), {"gunicorn"}, lines, AT)
    (finding,) = judge(
        "container.failing-inside", inner_failures=InnerFailures(tuple(failures)), clock=CLOCK
    ).findings
    assert finding.variables["generated"] == "SUPERSET_SECRET_KEY"
    assert "again" not in finding.variables


@pytest.mark.parametrize("reason", [MISSING, WORDS])
def test_a_reason_that_no_restart_changes_has_its_own_words(reason: str) -> None:
    lines = [(None, reason), (None, GAVE_UP)]
    (lasting,) = in_lines(container_in("running"), {"supervisord"}, lines)
    (finding,) = judge(
        "container.failing-inside", inner_failures=InnerFailures((lasting,)), clock=CLOCK
    ).findings
    assert "again" not in finding.variables
    assert finding.evidence["what fixes it"]


def test_a_heap_that_is_too_small_gets_more() -> None:
    lines = [(None, "FATAL ERROR: JavaScript heap out of memory"), (None, GAVE_UP)]
    (full,) = in_lines(container_in("running"), {"supervisord"}, lines)
    (finding,) = judge(
        "container.failing-inside",
        inner_failures=InnerFailures((full,)),
        info=Info(mem_total=8 << 30),
        clock=CLOCK,
    ).findings
    assert finding.variables["assignment"] == "NODE_OPTIONS=--max-old-space-size=4096"


@pytest.mark.parametrize(
    ("image", "variables"),
    [
        ("pihole/pihole:2025.02.0", {"listening": "--env=FTLCONF_dns_listeningMode=all"}),
        ("pihole/pihole:latest", {"listening": "--env=FTLCONF_dns_listeningMode=all"}),
        ("pihole/pihole:2024.07.0", {"listening": "--env=DNSMASQ_LISTENING=all"}),
        ("4km3/dnsmasq:2.90", {"aloof": "web"}),
    ],
)
def test_a_dns_server_that_ignores_its_clients(image: str, variables: dict[str, str]):
    failures = in_lines(
        container_in("running", Config={"Image": image}), {"dnsmasq"}, [(None, NEAR)]
    )
    failed = InnerFailures(tuple(failures))
    (finding,) = judge("container.failing-inside", inner_failures=failed, clock=CLOCK).findings
    assert "192.168.1.20" in finding.summary
    assert {
        name: value for name, value in finding.variables.items() if name != "container"
    } == variables


@pytest.mark.parametrize(
    ("path", "is_removed"), [("/srv/shop/tmp/unicorn.pid", True), ("/srv/shop/orders.db", False)]
)
def test_a_pid_file_of_a_former_run_is_removed_inside(path: str, is_removed: bool) -> None:
    stale = f"unicorn.rb:9:in 'pid=': Already running on PID:601 (or pid={path} is stale)"
    (failure,) = in_lines(container_in("running"), {"supervisord"}, [(None, GAVE_UP)])
    failed = InnerFailures((msgspec.structs.replace(failure, reason=stale, path="/srv/u.log"),))
    (finding,) = judge("container.failing-inside", inner_failures=failed, clock=CLOCK).findings
    assert path in finding.summary
    steps = ("web", path) if is_removed else (None, None)
    assert (finding.variables.get("left_in"), finding.variables.get("left_file")) == steps


def test_each_pattern_has_its_own_name():
    assert len({pattern.name for pattern in PATTERNS}) == len(PATTERNS)
    assert {pattern.name for pattern in PATTERNS} >= PARTLY


def test_a_replica_is_refused_by_nobody():
    """Its source has made a table in a database that the replica lacks."""
    assert recognise([UNAPPLIED], None, FAILURES) is None
    assert recognise(["ERROR 1049 (42000): Unknown database 'shop'"], None, FAILURES) is not None
