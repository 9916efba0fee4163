"""The table of known failures: every row is recognised in a line as its program writes it, and
explains it in plain words."""

from __future__ import annotations

import json

import pytest

from diagnose import registry
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.programs.failures import FAILURES, recognise
from diagnose.programs.telling_line import telling_line
from tests.programs.lines import LINES

BY_NAME = {failure.name: failure for failure in FAILURES}


def test_there_are_more_than_sixty_rows_each_with_its_own_name_and_line():
    assert len(BY_NAME) == len(FAILURES) >= 60
    assert set(LINES) == set(BY_NAME)


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_recognised_as_its_row_among_all(name: str):
    telling = telling_line([LINES[name]], has_ended=False)
    recognised = recognise([LINES[name]], telling, FAILURES, has_ended=False)
    assert recognised is not None
    assert recognised.failure.name == name
    assert "{" not in recognised.cause + recognised.cure


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("FATAL:  remaining connection slots are reserved for non-replication superuser connections", "too-many-clients"),
        ("ReplyError: WRONGPASS invalid username-password pair or user is disabled.", "redis-password"),
        ("/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /app/server)", "glibc-too-old"),
        ("OSError: [Errno 30] EROFS: read-only file system, open '/data/x'", "read-only-root"),
        ("Error: error:0308010C ERR_OSSL_EVP_UNSUPPORTED", "node-openssl"),
        ("ERROR Unable to validate credentials inherited from the shell environment: Invalid credentials", "minio-credentials"),
        ("Error: tls: TLS requested but server does not support TLS", "postgres-no-tls"),
        ("ERROR: hostname is not configured; either configure hostname, or set hostname-strict to false", "keycloak-hostname"),
        ("ERROR: the database needs to be migrated to the store format aligned", "neo4j-format"),
        ("error: your database (migration version: 312) is for a newer Forgejo, you can not use the newer", "gitea-database"),
        ("Invalid command 'php_value', perhaps misspelled or defined by a module not included", "apache-module"),
        ("Invalid command 'H2Push', perhaps misspelled or defined by a module not included", "apache-module"),
        ("[03/23/24 12:31:58] ERROR    Can't connect to ('::', 3003)", "ipv6-absent"),
        ("connection to ('::', 8000) failed: [Errno 97] Address family not supported by protocol", "ipv6-absent"),
        ("app: error while loading shared libraries: libQt5Widgets.so.5: cannot open shared object file", "shared-library"),
    ],
)  # fmt: skip
def test_other_words_of_a_row_are_recognised_too(line: str, name: str) -> None:
    """The words of which one must be there belong to every way to say it."""
    recognised = recognise([line], telling_line([line]), FAILURES)
    assert recognised is not None
    assert recognised.failure.name == name


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: LDAP bind failed: Invalid credentials (49)",
        '{"level":"error","sender":"connection_failed","protocol":"SSH","error":"invalid credentials"}',
        "ERROR smtp: server does not support TLS",
        "ERROR STARTTLS required, but server does not support TLS",
        "FATAL: hostname is not configured for this node",
        "ERROR: the profile needs to be migrated before it can be stored",
        "ERROR 1049 (HY000): database not found: shop",
    ],
)
def test_words_that_many_programs_share_are_no_row_of_one(line: str) -> None:
    """Rows of MinIO, PostgreSQL, Keycloak and Neo4j have them, with more around them."""
    assert recognise([line], telling_line([line]), FAILURES) is None


QUOTING = (
    "postgres-login",
    "postgres-database",
    "postgres-lock",
    "nginx-upstream",
    "npm-script",
    "traefik-port",
)


@pytest.mark.parametrize("name", QUOTING)
def test_quotes_that_logfmt_escapes_are_quotes(name: str) -> None:
    """Go's loggers write msg="pq: database \\"shop\\" does not exist"."""
    line = f"time=2026-11-30T04:00:00Z level=ERROR msg={json.dumps(LINES[name])}"
    recognised = recognise([line], telling_line([line]), FAILURES)
    assert recognised is not None
    assert recognised.failure.name == name


def test_a_row_that_only_follows_comes_last():
    """A supervisor says that a program has ended, and the program said why."""
    ended = [
        "INFO exited: zabbix-server (exit status 1; not expected)",
        LINES["supervisor-gave-up"],
    ]
    for lines, name in (
        (ended, "supervisor-gave-up"),
        ([LINES["zabbix-proxy-base"], *ended], "zabbix-proxy-base"),
    ):
        recognised = recognise(lines, telling_line(lines), FAILURES)
        assert recognised is not None
        assert recognised.failure.name == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Could not find 'bundler' (2.1.4) required by your /app/Gemfile.lock.", "gem-missing"),
        ("Could not find concurrent-ruby-1.0.5 in any of the sources", "gem-missing"),
        (
            "rubygems.rb:263:in `find_spec_for_exe': can't find gem puma (>= 0.a) with executable puma",
            "gem-missing",
        ),
        ("[!] There was an error parsing `Gemfile`: syntax error", ""),
        ('error: service "redis" does not exist', ""),
        ('the service "shop-web@file" does not exist', "traefik-reference"),
        ("page.goto: Target crashed", "browser-page-crashed"),
        ("Error: Page crashed!", "browser-page-crashed"),
        ("ArgumentError: invalid byte sequence in US-ASCII", "encoding-ascii"),
        (
            "Could not find rake-13.0.6, puma-6.4.0 in locally installed gems (Bundler::GemNotFound)",
            "gem-missing",
        ),
        (
            "Error: Already running on PID 17 (or pid file '/opt/airflow/airflow-webserver.pid' is stale)",
            "unicorn-pid",
        ),
        ("the router shop@docker uses a non-existent resolver: letsencrypt", "traefik-resolver"),
        (
            "Asterisk already running on /var/run/asterisk/asterisk.ctl.  Use 'asterisk -r' to connect.",
            "running-already",
        ),
        ("the server is already running on http://localhost:3000/", ""),
        ("TypeError: 'type' object is not subscriptable", "python-later"),
        ("ReferenceError: File is not defined", "node-global"),
        ("ReferenceError: config is not defined", ""),
        (
            "LoadError: Could not load the 'listen' gem. Add `gem 'listen'` to the Gemfile",
            "gem-missing",
        ),
        ("rsyslogd: pidfile '/run/rsyslogd.pid' and pid 1 already exist.", "pidfile-exists"),
        ("AttributeError: module 'collections' has no attribute 'Callable'", "python-earlier"),
        ("AttributeError: module 'shop' has no attribute 'Callable'", ""),
        ("ERROR: no --join flags provided to 'cockroach start'", "option-required"),
        (
            "Error: Could not find Chrome (ver. 119.0.6045.105). This can occur if",
            "playwright-browsers",
        ),
        ("ConfigError: DB_PASSWORD must be configured", "setting-required"),
        ("fatal: no value for GATE_TOKEN", "setting-required"),
        ("No GATE_TOKEN provided", "setting-required"),
        ("Cannot start without GATE_TOKEN", "setting-required"),
        ("Either GATE_TOKEN or GATE_TOKEN_FILE has to be set", "setting-required"),
        ("** (RuntimeError) GATE_URL configuration option is required.", "setting-required"),
        ('config error: "GATE_TOKEN" is a required field', "setting-required"),
        ("Expected environment variable 'GATE_TOKEN' to be present", "setting-required"),
        ("Port 8080 is already occupied", "port-inside"),
        ("bind: Address in use (0.0.0.0:8080)", "port-inside"),
        (
            (
                "`init_connection': Authentication with RabbitMQ failed. Username: shop, vhost: /shop"
                " (Bunny::AuthenticationFailureError)"
            ),
            "amqp-refused",
        ),
        (
            "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
            "amqp-refused",
        ),
        ("ERROR store: unable to open database file: /data/shop.db", ""),
        ("pg_stat_statements must be loaded via shared_preload_libraries", "postgres-preload"),
        ("the configuration must be loaded before the first request", ""),
        ("java.awt.HeadlessException: No X11 DISPLAY variable was set", "display-missing"),
        ("W raft_server.cpp:594] Multi-node with no leader: refusing to reset peers.", "no-leader"),
        ("raft: elected a new leader at term 7", ""),
        ("bind [::1]:5432 failed: Cannot assign requested address", "loopback6-missing"),
        ("we recommend to run it without the --privileged flag", ""),
        ("foreman stdout | 12:49:47 web.1  | exited with code 137", "part-killed"),
        (
            "2016-04-18 12:48:01,000 INFO exited: web (terminated by SIGKILL; not expected)",
            "part-killed",
        ),
        ("Error: Can't open display: :0", "display-missing"),
        (
            "Failed to mount cgroup at /sys/fs/cgroup/systemd: Operation not permitted",
            "systemd-groups",
        ),
        ("error: config.yml was written, edit it and start again", "configuration-written"),
        ("the receiver is deprecated, and is used by nobody", ""),
        (
            "module java.base does not export sun.nio.ch to unnamed module @0x4b1c1ea0",
            "java-modules",
        ),
    ],
)
def test_other_lines_of_a_row(line: str, name: str):
    recognised = recognise([line], telling_line([line]), FAILURES)
    assert (recognised.failure.name if recognised is not None else "") == name


@pytest.mark.parametrize(
    ("advice", "end"),
    [
        ("note: run with --cap-add=NET_ADMIN to use the firewall", "panic: index out of range [3]"),
        ("tip: --sysctl net.core.somaxconn=1024 helps, set it if you can", "FATAL: no such table"),
        ("Warning: use --cap-add=SYS_NICE for real-time priority", "shutting down"),
    ],
)
def test_advice_by_the_way_is_no_missing_option(advice: str, end: str):
    assert recognise([advice, end], telling_line([advice, end]), FAILURES) is None


@pytest.mark.parametrize(
    "line",
    [
        "pymongo.errors.OperationFailure: Authentication failed., full error: {'ok': 0.0}",
        "MongoError: Authentication failed.",
    ],
    ids=["PyMongo", "an old driver"],
)
def test_other_clients_of_mongodb_say_it_too(line: str) -> None:
    failure = LogTail((line,)).failure
    assert failure is not None
    assert failure.name == "mongo-auth"


RESORTS = {
    "usage-printed": ["Keycloak", "Usage:", "kc.sh [OPTIONS] [COMMAND]", "  start-dev   Start it."],
    "logs-elsewhere": ["Merging configuration", "Logging errors to /var/log/app/app.err.log"],
    "postgres-data": [
        "Logging errors to /var/log/app/app.err.log",
        "initialized by PostgreSQL version 13, which is not compatible with this version 16.2",
    ],
}


@pytest.mark.parametrize("name", RESORTS)
def test_what_is_told_where_no_line_explains(name: str):
    failure = LogTail(tuple(RESORTS[name])).failure
    assert failure is not None
    assert failure.name == name


def test_a_usage_text_below_a_complaint_is_not_what_ended_the_program():
    lines = ("error: unknown option --verbos", "Usage: app [OPTIONS]")
    failure = LogTail(lines).failure
    assert failure is not None
    assert failure.name == "unknown-option"


LIMIT = "run: line 34: ulimit: max user processes: cannot modify limit: Operation not permitted"


def test_a_limit_that_a_script_could_not_raise_explains_nothing_beside_the_line_that_does():
    """GitLab's start script prints it at each start, and goes on."""
    fatal = "FATAL: Failed to create log file at /var/log/x.log: Errno::ENOENT (No such file)"
    assert recognise([LIMIT, fatal], telling_line([LIMIT, fatal]), FAILURES) is None
    alone = recognise([LIMIT], telling_line([LIMIT]), FAILURES)
    assert alone is not None
    assert alone.name == "processes-refused"


@pytest.mark.parametrize(
    "line",
    [
        "runsvdir-start: line 37: /proc/sys/fs/file-max: Read-only file system",
        "sysctl: /sys/kernel/mm/transparent_hugepage/enabled: Read-only file system",
    ],
)
def test_a_kernel_setting_that_cannot_be_written_is_no_read_only_root(line: str):
    assert recognise([line], telling_line([line]), FAILURES) is None


@pytest.mark.parametrize(
    "line",
    [
        "ERROR no ORDER_ID found in message 17",
        "ERROR: no value for ROW_ID in result of query",
        "ERROR validation of request: CUSTOMER_NO field is missing",
        "ERROR expected ITEM_ID to be set in body of POST /order",
    ],
)
def test_a_field_of_a_request_or_record_is_no_setting(line: str):
    assert recognise([line], telling_line([line]), FAILURES) is None


COMMANDS = ("chmod", "chown", "docker", "lsattr", "openssl", "sysctl", "usermod")
"""A cure begins with a verb: a command as the first word of a sentence would get a capital."""


def test_rows_are_written_in_plain_words_and_name_checks_that_exist():
    for failure in FAILURES:
        assert failure.marks == tuple(map(str.lower, failure.marks)), failure.name
        assert failure.cause[0].isalpha() or failure.cause[0] in ".{", failure.name
        assert not failure.cause.endswith("."), failure.name
        assert failure.cure.partition(" ")[0] not in {"", *COMMANDS}, failure.name
        assert failure.source, failure.name
        assert failure.confirmed_by in {"", *registry.load()}, failure.name


@pytest.mark.parametrize(
    "line",
    [
        "GET /api/error 200 in 3 ms",
        "INFO  0 errors, all checks passed",
        "listening on 0.0.0.0:8080",
        "connected to postgres at db:5432",
        "WARN retrying request, attempt 2 of 5",
        "client 10.1.2.3 could not connect: origin http://localhost:3000 is not allowed",
        "If you can't connect to the app, open http://localhost:8080 in your browser",
        "failed to connect to mirror.example.com, serving the cache on 127.0.0.1:5000",
        "unable to connect to db:5432, the pool of localhost:6432 is kept",
        'Data proxy error referer="http://localhost:3000/" error="dial tcp: connection refused"',
        (
            'level=warning msg="No HTTP secret provided - generated random secret. To provide a shared secret, '
            'set the REGISTRY_HTTP_SECRET environment variable."'
        ),
        "[WARNING] NAME_SERVERS not defined (via -e NAME_SERVERS), defaulting to public ones",
        "No USER_UID specified, leaving 1000",
        "WARN  ==> You set the environment variable ALLOW_EMPTY_PASSWORD=yes. For safety reasons, do not use it",
        "the page is served without a prefix if APP_PREFIX is not set",
        "Error starting Chrome: cannot connect to chrome at 127.0.0.1:59529",
        '{"error":"503 Service Unavailable","event":"Failed to fetch outpost configuration, retrying in 3 seconds"}',
        "replica: Got fatal error 1236 from source when reading data from binary log: 'Log event entry exceeded'",
        "Couldn't resolve hostname after 3 attempts",
        'GET "/login?error=invalid_api_key" 401',
        "GET /api?error=TOKEN_INVALID 401",
    ],
)
def test_an_ordinary_line_is_no_known_failure(line: str):
    assert recognise([line], telling_line([line]), FAILURES) is None


TAILS = {
    "advice below the line that explains": (
        (
            "[ERROR   ] Invalid sysctl, net.ipv4.conf.all.rp_filter!=2",
            "[ERROR   ] If using docker add --sysctl net.ipv4.conf.all.rp_filter=2 to your command",
        ),
        "kernel-setting-advised",
    ),
    "the features above the shell's own words": (
        (
            "TensorFlow was compiled to use AVX512F instructions, but these aren't available on it",
            "Illegal instruction (core dumped)",
        ),
        "tensorflow-avx",
    ),
    "a detail of PostgreSQL's and its kind": (
        (
            '2019-09-18 10:12:44: pid 1: FATAL:  failed to bind a socket: "/run/pg/.s.PGSQL.5432"',
            '2019-09-18 10:12:44: pid 1: DETAIL:  bind socket failed with error: "Address already in use"',
        ),
        "socket-taken",
    ),
    "a limit that the program goes on without": (
        ("open files: cannot modify limit: Operation not permitted", "FATAL: data is corrupt"),
        "data-damaged",
    ),
}


@pytest.mark.parametrize(("lines", "name"), TAILS.values(), ids=TAILS)
def test_which_line_of_several_decides(lines: tuple[str, ...], name: str) -> None:
    failure = LogTail(lines).failure
    assert failure is not None
    assert failure.failure.name == name
