"""Families of complaints: each in the words of several programs, and in no line of a program that
is well."""

from __future__ import annotations

import re
import time

import pytest

from diagnose import registry
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.programs.failures import FAILURES, Failure, family_of_running, recognise_family
from diagnose.programs.families import FAMILIES
from diagnose.programs.log_message import LONGEST
from diagnose.programs.telling_line import TellingLine
from tests.programs.family_lines import LINES
from tests.programs.test_telling_line import LOGS, MARK


def test_every_family_has_lines_of_its_own():
    assert {family.name for family in FAMILIES} == LINES.keys()
    assert len(FAMILIES) == len(LINES)


@pytest.mark.parametrize("name", LINES)
def test_a_line_belongs_to_its_family(name: str):
    for line in LINES[name]:
        found = recognise_family(TellingLine(line), FAMILIES)
        assert found is not None, line
        assert found.failure.name == name, line
        assert "{" not in found.cause + found.cure


@pytest.mark.parametrize(
    "line",
    ["No pending migrations to apply.", "INFO  0 pending migrations", "no pending migration"],
)
def test_a_database_of_the_right_version_is_no_complaint(line: str):
    found = recognise_family(TellingLine(line), FAMILIES)
    assert found is None or found.failure.name != "data-older"


def alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern that stand outside of all brackets."""
    found, depth, in_set = [""], 0, False
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        if in_set or part == "[":
            in_set = part != "]"
        elif part == "|" and not depth:
            found.append("")
            continue
        else:
            depth += (part == "(") - (part == ")")
        found[-1] += part
    return found


def test_every_alternative_of_a_row_fills_its_words():
    """No cause and no cure is filled with nothing: "the program calls , which does not run"."""
    for row in (*FAILURES, *FAMILIES):
        words = set(re.findall(r"\{(\w+)\}", " ".join((row.cause, row.cure, *row.needs))))
        for alternative in alternatives(row.pattern):
            groups = re.findall(r"\(\?P<(\w+)>", alternative)
            named = {group.partition("_")[0] for group in groups}
            assert words <= named, f"{row.name}: {alternative}"


def test_families_are_written_in_plain_words():
    for family in FAMILIES:
        assert family.marks == tuple(map(str.lower, family.marks)), family.name
        assert family.cause[0].islower() or family.cause[0] == "{", family.name
        assert not family.cause.endswith("."), family.name
        assert family.cure, family.name
        assert family.source, family.name
        assert family.confirmed_by in {"", *registry.load()}, family.name


@pytest.mark.parametrize(
    "line",
    [
        "GET /api/error 200 in 3 ms",
        "INFO  0 errors, all checks passed, no migrations pending",
        "listening on 0.0.0.0:8080, certificate valid until 2027-01-01",
        "connected to postgres at db:5432 as user shop",
        "WARN retrying request, attempt 2 of 5",
        "loaded configuration from /etc/app/config.yml",
        "License accepted. Node.js version 22.1.0, Java 21, PHP 8.3",
        "database schema is up to date (version 41)",
        "Password policy loaded; secret rotated; lock acquired",
        "extension vector 0.7.0 loaded, memory limit 2 GB",
        "user admin logged in from 10.0.0.3:53122",
        'level=error err.code="manifest unknown" http.request.remoteaddr="172.25.0.1:39122" http.response.status=404',
        '{"level":"error","remoteAddr":"10.0.0.3:4711","path":"/v1/x","status":404}',
        '10.0.0.3 - - [01/Jan/2026] "POST /login HTTP/1.1" 401 Unauthorized',
        "Authentication failed for user admin from 203.0.113.5",
        "Login failed: 'admin' (Remote IP: '203.0.113.4')",
        "Failed password for invalid user admin from 203.0.113.9 port 52222 ssh2",
        "mysqld: unknown option '--skip-a-very-long-option' ignored",
        "Keys must be loaded before the first request",
        "curl: (0) done",
        "mkdir: created directory '/data/cache'",
        "LOG_LEVEL is at least 3, which prints each request",
        "the file system is read-only, as it should be",
        "migrations: the lock was acquired and released in 3 ms",
        "topic orders already has 3 partitions; bucket 'shop' found, nothing to make",
        "option 'debug' is set; field 'name' has 3 characters",
        "build task 'assets:precompile' finished in 3 s",
        "access log goes to /dev/stdout, error log goes to /dev/stderr",
        "private key and certificate match, password of the keystore accepted",
        "the data directory /var/lib/app is the cluster's own",
        "header x-trace: Present",
        "npm notice To update run: npm install -g npm@10.9.0",
        "start.sh: 3: the syntax of orders.csv is in order",
        "middleware auth@docker is in use",
        "open: No such file or directory",
        "your license needs an upgrade for more than 5 users",
        "kernel version 3.10 is lower than the expected 4.18",
        "app.js: the host must be provided",
        "server.go: the address must be set",
        "www.shop.example.com must be set in the hosts file",
        "the packages are old: run npm install to install them again",
        "started 4 threads, so 4 requests are served at once",
        "the schema of the database is the one of release 3",
        "journal files: 3, none of them is open",
        "npm ERR! notarget No matching version found for left-pad@99.0.0.",
        "error: GET /missing.png status=404 10.0.0.7",
        "ERROR request failed: POST /login status 403 client 203.0.113.4",
        "ERROR 203.0.113.9 Too many requests, try later",
        "ERROR: rate limit reached for ip 203.0.113.9, answered 429",
        "ERROR status 502 sent to client 203.0.113.4",
        "License key not found, running community edition",
        "ERROR: sendto: Message too long",
        "ERROR inotify_add_watch /app: no space left on device",
        "unable to create session key: disk quota exceeded",
    ],
)
def test_an_ordinary_line_belongs_to_no_family(line: str):
    assert recognise_family(TellingLine(line), FAMILIES) is None


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("Failed to create directory /cache: No space left on device", "folder-not-made"),
        (
            "SqlException: Cannot open database 'shop' requested by the login",
            "database-unreachable",
        ),
        ("[ERR] failed to open stream 'ORDERS'", "file-unopened"),
        ("ConfigError: DB_PASSWORD must be configured", "password-weak"),
        ("Access is denied, path=/api/admin/users", "path-denied"),
        (
            "TypeError: Cannot read properties of undefined (reading 'DATABASE_URL')",
            "program-fault",
        ),
        ("failed to create data directory: Disk quota exceeded", "folder-not-made"),
        ("failed to allocate device memory (4096 MB)", "memory-refused"),
        ("Unsupported config file version 1, expected version 2", "data-version"),
        ("engine API version 1.24 is not supported, the minimum version is 1.44", "data-version"),
        ("PostgreSQL database version 9 is not supported; minimum version is 12", "data-version"),
        ("could not read request header from client", "data-damaged"),
        ("cannot decompress: gzip: invalid magic number", "data-damaged"),
        ("curl: (22) The requested URL returned error: 401", "download-failed"),
        ("failed to download from https://a.test/b: no space left on device", "download-failed"),
        ("error: write /dev/stdout: no space left on device", "own-output-denied"),
        ("/app/run.sh: line 3: /srv/dev/stdout/log: Permission denied", "own-output-denied"),
        ("failed to read /mnt/backup: input/output error of device sdb", "database-io"),
        ("ERROR user 3: an account with this address already exists", "made-before"),
        ("/app/start.sh: line 4: unexpected \\n in the answer", "script-line-ends"),
        (
            "pgcrypto extension is required, but the current user doesn't have permission to create it",
            "database-extension",
        ),
        ("Error: Connection refused: Not authorized", "some-peer-refused"),
        ("getaddrinfo ENOTFOUND db.shop.svc.cluster.local", "multicast-name-unresolved"),
    ],
)
def test_a_line_of_another_cause_is_not_of_the_family(line: str, wrong: str):
    found = recognise_family(TellingLine(line), FAMILIES)
    assert found is None or found.name != wrong


@pytest.mark.parametrize(
    "line",
    [
        "postfix/smtpd[71]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 450 4.7.1 <a.example>: Helo command rejected: Host not found; from=<a@a.example>",
        "ERROR order 12: not enough space in warehouse 3",
        "ERROR upload rejected: insufficient space in mailbox of user 12",
        "ERROR upload of report: unsupported file format version 3, expected version 2",
        'ERROR Failed to create folder "Invoices" for user 3: name is taken',
        "WARNING Not Found: /static/css/app.css",
        "WARN settings are read-only for demo users",
        "production.ERROR: The MAC is invalid.",
        "ERROR could not decrypt event $b7 in room !x",
        '[error] 29#29: *1 open() "/srv/www/favicon.ico" failed (2: No such file or directory)',
        "ERROR ENOENT: no such file or directory, open '/data/uploads/1712.jpg'",
    ],
)
def test_an_error_of_one_request_is_no_fault_of_a_program_that_runs_on(line: str):
    assert family_of_running(TellingLine(line), FAMILIES) is None


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (["child 44 did not stop in 10 s, killed by signal 9", "bye"], "part-killed"),
        (
            [
                "[45] FATAL:  the database system is starting up",
                "PANIC:  replication slot file corrupt",
            ],
            "postgres-recovers",
        ),
        (["Cannot create RT messagebuffer thread: Operation not permitted (1)"], "thread-refused"),
        (["usage: 35% cpu, 120 MB", "received SIGTERM"], "usage-printed"),
    ],
)
def test_a_line_that_the_program_got_over_is_not_its_cause(lines: list[str], wrong: str):
    failure = LogTail(tuple(lines)).failure
    assert failure is None or failure.name != wrong


def starts() -> dict[str, tuple[str, list[str], set[int]]]:
    """Name of a log -> the row that it shows, its lines, and the places of those that explain."""
    found = {}
    for section in re.split(r"(?m)^=== ", (LOGS / "starts.txt").read_text())[1:]:
        head, _, body = section.partition("\n")
        name, _, row = (part.strip() for part in head.split("|"))
        lines = [line for line in body.split("\n") if line.strip()]
        right = {place for place, line in enumerate(lines) if line.startswith(MARK)}
        found[name] = row, [line.removeprefix(MARK) for line in lines], right
    return found


STARTS = starts()


@pytest.mark.parametrize("name", STARTS)
def test_the_end_of_a_start_shows_its_row(name: str):
    row, lines, right = STARTS[name]
    tail = LogTail(tuple(lines))
    assert tail.telling is not None
    assert tail.telling.index in right
    assert (tail.failure.failure.name if tail.failure else "-") == row


def test_nine_of_ten_starts_are_recognised():
    rows = [row for row, _, _ in STARTS.values()]
    assert len(rows) > 150
    assert rows.count("-") <= 0.1 * len(rows)


def test_what_node_copies_it_may_read() -> None:
    line = "Error: EACCES: permission denied, copyfile '/usr/src/app/settings.js' -> '/data/settings.js'"
    found = recognise_family(TellingLine(line), FAMILIES)
    assert found is not None
    assert (found.name, found.values["path"]) == ("path-denied", "/data/settings.js")


def took(row: Failure, line: str) -> float:
    """Seconds of the processor for one search."""
    began = time.process_time()
    row.compiled.search(line)
    return time.process_time() - began


HOSTILE = ('"', "'", "A_", "a-", "/", "[(", ": ")


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_line_keeps_a_row_busy(unit: str) -> None:
    """What a container logs is cut to LONGEST characters, and is its own choice."""
    for row in (*FAMILIES, *FAILURES):
        line = f"{row.marks[0]} _{unit * LONGEST}"[:LONGEST]
        assert took(row, line) < 0.5, row.name


def test_a_long_line_costs_each_row_little() -> None:
    """A failed container has sixty lines, and a host many of them: a row gets 15 ms a line."""
    words = "error: cannot do the thing with id 4711 and name shop at /srv/data/a "
    for row in (*FAMILIES, *FAILURES):
        line = (words * LONGEST)[:LONGEST]
        assert min(took(row, line) for _ in range(3)) < 0.015, row.name


@pytest.mark.parametrize(
    ("line", "peer"),
    [
        ("2026-11-28T05:41:29 ERROR 10.0.0.9:443 connection refused", "10.0.0.9:443"),
        ("2026-11-28T05:41:29 ERROR db:5432: connection refused", "db:5432"),
        ("connection refused: db:5432", "db:5432"),
        ("dial tcp 10.0.0.9:443: connect: connection refused", "10.0.0.9:443"),
        ("connection refused at 2026-11-28T05:41:29", None),
    ],
)
def test_a_time_is_no_peer(line: str, peer: str | None) -> None:
    found = recognise_family(TellingLine(line), FAMILIES)
    assert found is not None
    assert found.values.get("peer") == peer


def test_a_time_is_no_port() -> None:
    line = "2026/11/28 23:36:21 [emerg] 1#1: bind() to 0.0.0.0:80 failed (13: Permission denied)"
    found = recognise_family(TellingLine(line), FAMILIES)
    assert found is not None
    assert (found.name, found.values["port"]) == ("port-low", "80")
