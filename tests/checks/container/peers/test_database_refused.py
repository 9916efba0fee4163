"""The checks in checks/container/peers/database_refused.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.compose.compose_files import ChangedFile, ComposeFiles
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors, repeated_errors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.settings.secret_files import secret_files
from diagnose.evidence.network.calls.callers import Callers
from diagnose.runbooks import Place, cure
from tests.checks.container.evidence import CLOCK, FOUND, ON_SHOP, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

NO_DATABASE = 'psql: error: connection to server at "db" (172.18.0.2), port 5432 failed: FATAL:  database "shop" does not exist'


WRONG = 'error: password authentication failed for user "shop"'


@pytest.mark.parametrize(
    ("line", "server", "env", "expected", "variables"),
    [
        (
            NO_DATABASE,
            {"status": "running"},
            None,
            FOUND,
            {"server": "db", "owner": "postgres", "database": "shop"},
        ),
        (NO_DATABASE, {"status": "exited"}, None, [], {}),
        (
            WRONG,
            {"status": "running"},
            ["DATABASE_URL=postgres://shop@db/shop"],
            FOUND,
            {"server": "db", "user": "shop"},
        ),
        (WRONG, {"status": "running"}, None, [], {}),
    ],
    ids=["named in the line", "the server is down", "named in the configuration", "named nowhere"],
)
def test_a_database_that_refuses(
    line: str,
    server: dict[str, str],
    env: list[str] | None,
    expected: list[tuple[str, str]],
    variables: dict[str, str],
):
    container, log_tails = failed_with_log(line, Config={"Env": env}, **ON_SHOP)
    image = {"Config": {"Image": "postgres:16", "ExposedPorts": {"5432/tcp": {}}}}
    database = container_in(server["status"], name="db", **image, **ON_SHOP)
    result = judge(
        "container.database-refused",
        containers=of(container, database),
        clock=CLOCK,
        log_tails=log_tails,
    )
    assert rows(result) == expected
    assert [finding.variables for finding in result.findings] == [
        {"container": "web", **variables}
    ] * len(expected)


CROWDED = {
    "one container holds most": ({"report": 40, "web": 3}, {"holder": "report"}),
    "the caller holds most": ({"web": 40, "report": 3}, {"leaking": "web"}),
    "nobody holds most": ({"report": 4, "web": 4}, {}),
    "somebody beside the containers": ({"192.0.2.7": 40}, {}),
    "not seen": ({}, {}),
}


@pytest.mark.parametrize(("held", "expected"), CROWDED.values(), ids=CROWDED)
def test_who_holds_the_connections(held: dict[str, int], expected: dict[str, str]) -> None:
    line = 'connection to server at "db", port 5432 failed: FATAL:  sorry, too many clients already'
    container, log_tails = failed_with_log(line, **ON_SHOP)
    image = {"Config": {"Image": "postgres:16", "ExposedPorts": {"5432/tcp": {}}}}
    database = container_in("running", name="db", **image, **ON_SHOP)
    (finding,) = judge(
        "container.database-refused",
        containers=of(container, database, container_in("running", name="report", **ON_SHOP)),
        clock=CLOCK,
        log_tails=log_tails,
        callers=Callers({database.id: held}),
    ).findings
    assert {name: finding.variables[name] for name in expected} == expected
    assert {"holder", "leaking"} & finding.variables.keys() == expected.keys()


POSTGRES = {"Image": "postgres:16", "ExposedPorts": {"5432/tcp": {}}}
MARIA = {"Image": "mariadb:11", "ExposedPorts": {"3306/tcp": {}}}
CURES: dict[str, tuple[str, dict[str, Any], dict[str, str], str]] = {
    "the database's own user": (
        WRONG,
        {**POSTGRES, "Env": ["POSTGRES_USER=shop", "POSTGRES_PASSWORD=<redacted 1>"]},
        {"user": "shop", "own_login": "db"},
        "ALTER USER",
    ),
    "another user": (
        WRONG,
        {**POSTGRES, "Env": ["POSTGRES_PASSWORD=<redacted 1>"]},
        {"user": "shop"},
        "\\password",
    ),
    "the superuser that was renamed": (
        'FATAL:  role "shop" does not exist',
        {**POSTGRES, "Env": ["POSTGRES_USER=shop"]},
        {"owner": "postgres", "role": "shop"},
        "createuser --username postgres shop",
    ),
    "a network without a line": (
        'FATAL:  no pg_hba.conf entry for host "172.18.0.3", user "shop"',
        POSTGRES,
        {"closed": "db"},
        "samenet",
    ),
    "MariaDB's own user": (
        "Access denied for user 'shop'@'172.18.0.3' (using password: YES)",
        {**MARIA, "Env": ["MARIADB_USER=shop", "MARIADB_PASSWORD=<redacted 1>"]},
        {"mysql_server": "db", "mysql_login": "db"},
        "IDENTIFIED BY",
    ),
    "another user of MySQL": (
        "Access denied for user 'other'@'172.18.0.3' (using password: YES)",
        {**MARIA, "Env": ["MYSQL_USER=shop", "MYSQL_PASSWORD=<redacted 1>"]},
        {"mysql_server": "db"},
        "",
    ),
    "a database of MySQL": (
        "ERROR 1049 (42000): Unknown database 'orders'",
        MARIA,
        {"mysql_server": "db", "lacking": "orders"},
        "CREATE DATABASE",
    ),
    "a database whose name is a statement": (
        "ERROR 1049 (42000): Unknown database 'x`; DROP DATABASE `shop'",
        MARIA,
        {"mysql_server": "db"},
        "",
    ),
}


@pytest.mark.parametrize(("line", "config", "variables", "says"), CURES.values(), ids=CURES)
def test_what_the_database_is_told(
    line: str, config: dict[str, Any], variables: dict[str, str], says: str
) -> None:
    container, log_tails = failed_with_log(line, Config={"Env": ["DB_HOST=db"]}, **ON_SHOP)
    (finding,) = judge(
        "container.database-refused",
        containers=of(container, container_in("running", name="db", Config=config, **ON_SHOP)),
        clock=CLOCK,
        log_tails=log_tails,
    ).findings
    assert finding.variables == {"container": "web", "server": "db", **variables}
    offered = cure("container.database-refused", finding.variables, Place())
    assert says in (offered.text if offered is not None else "")
    assert (offered is None) is (says == "")


FOREIGN: dict[str, tuple[list[str], list[str], str, dict[str, str]]] = {
    "another user than the server's": (
        ["WORDPRESS_DB_USER=other", "WORDPRESS_DB_PASSWORD=<redacted 1>"],
        ["MYSQL_USER=root", "MYSQL_ROOT_PASSWORD=<redacted 2>"],
        "user other, from its WORDPRESS_DB_USER, is not the one that the environment of",
        {"new_user": "other", "word_variable": "WORDPRESS_DB_PASSWORD"},
    ),
    "a server with root alone": (
        ["DB_USER=other"],
        ["MARIADB_ROOT_PASSWORD=<redacted 2>"],
        "sets up, which is root alone",
        {},
    ),
    "a server that nothing sets up": (["DB_USER=other"], [], "refuses user other", {}),
    "the server's own user": (
        ["DB_USER=other"],
        ["MYSQL_USER=other", "MYSQL_ROOT_PASSWORD=<redacted 2>"],
        "refuses user other",
        {},
    ),
}


@pytest.mark.parametrize(("own", "servers", "says", "steps"), FOREIGN.values(), ids=FOREIGN)
def test_a_user_for_whom_the_server_was_not_set_up(
    own: list[str], servers: list[str], says: str, steps: dict[str, str]
) -> None:
    line = "Access denied for user 'other'@'172.18.0.3' (using password: YES)"
    container, log_tails = failed_with_log(line, Config={"Env": ["DB_HOST=db", *own]}, **ON_SHOP)
    database = container_in("running", name="db", Config={**MARIA, "Env": servers}, **ON_SHOP)
    (finding,) = judge(
        "container.database-refused",
        containers=of(container, database),
        clock=CLOCK,
        log_tails=log_tails,
    ).findings
    assert says in finding.summary
    given = {name: finding.variables.get(name) for name in ("new_user", "word_variable")}
    assert {name: value for name, value in given.items() if value} == steps


@pytest.mark.parametrize(
    ("line", "is_told"), [(WRONG, True), (NO_DATABASE, False)], ids=["a login", "no database"]
)
def test_a_file_of_compose_that_was_changed_since(line: str, is_told: bool):
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "app"}
    config = {"Env": ["DATABASE_URL=postgres://shop@db/shop"], "Labels": labels}
    container, log_tails = failed_with_log(line, Config=config, **ON_SHOP)
    image = {"Config": {"Image": "postgres:16", "ExposedPorts": {"5432/tcp": {}}}}
    changed = ChangedFile("/srv/shop/.env", 3600.0, "/srv/shop/compose.yaml")
    result = judge(
        "container.database-refused",
        containers=of(container, container_in("running", name="db", **image, **ON_SHOP)),
        clock=CLOCK,
        log_tails=log_tails,
        compose_files=ComposeFiles({container.id: changed}),
    )
    (finding,) = result.findings
    assert ("/srv/shop/.env was changed" in finding.summary) is is_told
    assert ("compose_file" in finding.variables) is is_told


CLICKHOUSE = (
    "E0414 12:16:05 1 migration.go:34] failed to create tables: DB::Exception: default: Authentication "
    "failed: password is incorrect, or there is no user with such name."
)
WAITING: dict[str, tuple[str, str, list[str], str, list[tuple[str, str]]]] = {
    "ClickHouse without a password": (CLICKHOUSE, "clickhouse:24.3", [], "db", [("warning", "web")]),
    "ClickHouse with a password": (
        CLICKHOUSE, "clickhouse:24.3", ["CLICKHOUSE_PASSWORD=made-up"], "", [("warning", "web")],
    ),
    "PostgreSQL": (WRONG, "postgres:16", [], "", [("warning", "web")]),
    "another error": ("error: no such table", "postgres:16", [], "", []),
}  # fmt: skip


def repeated(container: Container, line: str, *others: str) -> RepeatedErrors:
    started = container.started_at or 0.0
    texts = [text for _ in range(4) for text in (line, *others)]
    lines = tuple(RecentLine(started + at, text) for at, text in enumerate(texts))
    return repeated_errors(of(container), RecentLogs({container.id: lines}))


@pytest.mark.parametrize(
    ("line", "image", "env", "cut_off", "expected"), WAITING.values(), ids=WAITING
)
def test_a_program_that_runs_on_and_is_refused(
    line: str, image: str, env: list[str], cut_off: str, expected: list[tuple[str, str]]
) -> None:
    client = container_in("running", Config={"Env": ["DB_HOST=db"]}, **ON_SHOP)
    server = container_in("running", name="db", Config={"Image": image, "Env": env}, **ON_SHOP)
    result = judge(
        "container.database-refused",
        containers=of(client, server),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        repeated_errors=repeated(client, line),
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables.get("cut_off", "") == cut_off


def test_refusals_of_programs_that_work_and_of_the_database_itself() -> None:
    client = container_in("running", Config={"Env": ["DB_HOST=db"]}, **ON_SHOP)
    server = container_in("running", name="db", Config={"Image": "postgres:16"}, **ON_SHOP)
    served = '172.18.0.9 - - "GET /orders HTTP/1.1" 200 512'
    for errors in (repeated(client, WRONG, served), repeated(server, WRONG)):
        found = judge(
            "container.database-refused",
            containers=of(client, server),
            clock=CLOCK,
            log_tails=LogTails({}, {}),
            repeated_errors=errors,
        )
        assert not found.findings


REFUSED = 'FATAL:  password authentication failed for user "app"'
ESCAPED = "<redacted:url-password-escaped:000003>"
OWN = ["POSTGRES_USER=app", "POSTGRES_PASSWORD=<redacted:password:000001>"]
OTHER = "<redacted:password:000002>"
SAME = "<redacted:password:000001>"
COMPARED = {
    "another one in the address": (
        [f"DATABASE_URL=postgres://app:{OTHER}@db/app"],
        OWN,
        "DATABASE_URL",
    ),
    "another one in a variable": (["DB_HOST=db", f"DB_PASSWORD={OTHER}"], OWN, "DB_PASSWORD"),
    "the same": (["DB_HOST=db", f"DB_PASSWORD={SAME}"], OWN, None),
    "the same in one of two": (
        [f"DATABASE_URL=postgres://app:{SAME}@db/app", f"DB_PASSWORD={OTHER}"],
        OWN,
        None,
    ),
    "escaped in an address": ([f"DATABASE_URL=postgres://app:{ESCAPED}@db/app"], OWN, None),
    "of a database of another kind": (["DB_HOST=db", f"MYSQL_PASSWORD={OTHER}"], OWN, None),
    "of another service": (["DB_HOST=db", f"REDIS_PASSWORD={OTHER}"], OWN, None),
    "of another user": (
        ["DB_HOST=db", f"DB_PASSWORD={OTHER}"],
        [f"POSTGRES_PASSWORD={SAME}"],
        None,
    ),
    "in a file": (["DB_HOST=db", "DB_PASSWORD_FILE=/run/secrets/db"], OWN, None),
}


@pytest.mark.parametrize(("given", "own", "expected"), COMPARED.values(), ids=COMPARED)
def test_the_passwords_of_both_environments(
    given: list[str], own: list[str], expected: str | None
) -> None:
    """Where they differ, nobody is told that the data directory has an older one."""
    client, log_tails = failed_with_log(REFUSED, Config={"Env": given}, **ON_SHOP)
    server = container_in(
        "running", name="db", Config={"Image": "postgres:16", "Env": own}, **ON_SHOP
    )
    (finding,) = judge(
        "container.database-refused",
        containers=of(client, server),
        clock=CLOCK,
        log_tails=log_tails,
    ).findings
    assert finding.variables.get("own_variable") == expected
    assert ("later change" in finding.summary) == (expected is None)
    assert ("own_login" in finding.variables or "user" in finding.variables) == (expected is None)


ACCESS = "SQLSTATE[HY000] [1045] Access denied for user 'database_username'@'app.shop_default'"
NO_ROLE = 'psql: FATAL:  role "docker" does not exist'
NO_BASE = 'FATAL:  database "app" does not exist'
MYSQL = ["MYSQL_USER=shop", "MYSQL_DATABASE=shopdb"]
UNUSED: dict[str, tuple[str, list[str], list[str], str | None]] = {
    "a variable of an earlier version": (
        ACCESS,
        ["DB_HOST=db", "DB_USER=shop", "DB_DATABASE=shopdb"],
        MYSQL,
        "DB_USER",
    ),
    "a variable has what it asks for": (
        ACCESS,
        ["DB_HOST=db", "DB_USER=shop", "DATABASE_URL=mysql://database_username:x@db/shopdb"],
        MYSQL,
        None,
    ),
    "the server knows nothing of that name": (
        ACCESS,
        ["DB_HOST=db", "DB_USER=shop"],
        ["MYSQL_USER=other"],
        None,
    ),
    "the server's own user": (
        ACCESS.replace("database_username", "shop"),
        ["DB_HOST=db", "DB_USER=shop"],
        MYSQL,
        None,
    ),
    "two variables": (ACCESS, ["DB_HOST=db", "DB_USER=shop", "MQ_USER=shop"], MYSQL, None),
    "an address that is a secret as a whole": (
        ACCESS,
        ["DB_HOST=db", "DB_USER=shop", "DATABASE_URL=<redacted:url:000004>"],
        MYSQL,
        None,
    ),
    "the superuser that the image makes": (
        NO_ROLE,
        ["POSTGRES_HOST=db", "POSTGRES_USER=postgres"],
        ["POSTGRES_PASSWORD=<redacted:password:000005>"],
        "POSTGRES_USER",
    ),
    "a database": (
        NO_BASE,
        ["DB_HOST=db", "DB_DATABASE_NAME=shopdb"],
        ["POSTGRES_DB=shopdb"],
        "DB_DATABASE_NAME",
    ),
}


@pytest.mark.parametrize(("line", "given", "own", "expected"), UNUSED.values(), ids=UNUSED)
def test_a_variable_with_the_servers_own_name_that_is_not_used(
    line: str, given: list[str], own: list[str], expected: str | None
) -> None:
    client, log_tails = failed_with_log(line, Config={"Env": given}, **ON_SHOP)
    image = "mariadb:11" if line.endswith("'app.shop_default'") else "postgres:16"
    server = container_in("running", name="db", Config={"Image": image, "Env": own}, **ON_SHOP)
    (finding,) = judge(
        "container.database-refused",
        containers=of(client, server),
        clock=CLOCK,
        log_tails=log_tails,
    ).findings
    assert finding.variables.get("unused") == expected
    assert ("does not read that variable" in finding.summary) == (expected is not None)


NO_TEST_BASE = 'pq: database "test" does not exist'
UNNAMED: dict[str, tuple[list[str], list[str], dict[str, str]]] = {
    "libpq": (
        ["PGHOST=db", "PGUSER=test"],
        ["POSTGRES_USER=test", "POSTGRES_DB=shopdb"],
        {"lib_database": "PGDATABASE=shopdb"},
    ),
    "variables of its own": (
        ["DB_HOST=db", "DB_USER=test"],
        ["POSTGRES_DB=shopdb"],
        {"made_with": "shopdb"},
    ),
    "the database is given": (
        ["DB_HOST=db", "DB_USER=test", "DB_NAME=test"],
        ["POSTGRES_DB=shopdb"],
        {},
    ),
    "an address names it": (["DB_USER=test", "URL=pg://db/test"], ["POSTGRES_DB=shopdb"], {}),
    "nobody is called so": (["DB_HOST=db"], ["POSTGRES_DB=shopdb"], {}),
    "the server was made with it": (["DB_HOST=db", "DB_USER=test"], ["POSTGRES_DB=test"], {}),
}


@pytest.mark.parametrize(("given", "own", "expected"), UNNAMED.values(), ids=UNNAMED)
def test_a_client_that_names_no_database(
    given: list[str], own: list[str], expected: dict[str, str]
) -> None:
    client, log_tails = failed_with_log(NO_TEST_BASE, Config={"Env": given}, **ON_SHOP)
    config = {"Image": "postgres:16", "Env": own}
    server = container_in("running", name="db", Config=config, **ON_SHOP)
    (finding,) = judge(
        "container.database-refused",
        containers=of(client, server),
        clock=CLOCK,
        log_tails=log_tails,
    ).findings
    steps = {
        name: finding.variables[name]
        for name in ("lib_database", "made_with")
        if name in finding.variables
    }
    assert steps == expected


ROLES = {
    "no such role": ('DETAIL:  Role "app" does not exist.', "app"),
    "a wrong password": ('DETAIL:  Connection matched file "pg_hba.conf" line 128', None),
    "another role": ('DETAIL:  Role "ann" does not exist.', None),
}


@pytest.mark.parametrize(("detail", "expected"), ROLES.values(), ids=ROLES)
def test_a_role_of_which_only_the_server_says_that_it_is_missing(
    detail: str, expected: str | None
) -> None:
    env = {"Env": ["DB_HOST=db", f"DB_PASSWORD={OTHER}"]}
    client, log_tails = failed_with_log(REFUSED, Config=env, **ON_SHOP)
    server = container_in("running", name="db", Config={"Image": "postgres:16"}, **ON_SHOP)
    (finding,) = judge(
        "container.database-refused",
        containers=of(client, server),
        clock=CLOCK,
        log_tails=log_tails,
        recent_logs=RecentLogs({server.id: (RecentLine(CLOCK.wall - 5, detail),)}),
    ).findings
    assert finding.variables.get("role") == expected


NO_ROLE = 'DETAIL:  Role "app" does not exist.'
NO_USER = '"error":"UserNotFound: Could not find user \\"app\\" for db \\"{}\\""'
MONGO = "MongoServerError: Authentication failed."
SAID: dict[str, tuple[str, str, list[str], str, dict[str, str]]] = {
    "a role of the environment": (REFUSED, NO_ROLE, OWN, "no role app", {"own_role": "db"}),
    "a user of another database": (
        MONGO,
        NO_USER.format("films"),
        ["MONGO_INITDB_ROOT_USERNAME=app"],
        "user app, which is one of database admin, in database films",
        {"mongo_url": "MONGO_URL"},
    ),
    "no such user": (MONGO, NO_USER.format("admin"), [], "the password", {}),
    "another word": (MONGO, "Connection ended", [], "the password", {}),
}


@pytest.mark.parametrize(("line", "said", "env", "words", "variables"), SAID.values(), ids=SAID)
def test_what_the_database_says_in_its_own_log(
    line: str, said: str, env: list[str], words: str, variables: dict[str, str]
) -> None:
    kind = "mongo:7" if line == MONGO else "postgres:16"
    own = ["DB_HOST=db", "MONGO_URL=mongodb://app:x@db:27017/films"]
    caller, log_tails = failed_with_log(line, Config={"Env": own}, **ON_SHOP)
    server = container_in("running", name="db", Config={"Image": kind, "Env": env}, **ON_SHOP)
    (finding,) = judge(
        "container.database-refused",
        containers=of(caller, server),
        clock=CLOCK,
        log_tails=log_tails,
        recent_logs=RecentLogs({server.id: (RecentLine(CLOCK.wall - 1, said),)}),
    ).findings
    assert words in finding.summary
    shown = ("own_role", "mongo_url")
    assert {
        name: finding.variables[name] for name in shown if name in finding.variables
    } == variables


CROWDED = "FATAL:  sorry, too many clients already"


@pytest.mark.parametrize(
    ("written", "project", "is_restarted"),
    [
        ([], "", True),
        (["LOG:  checkpoint starting: time"], "", False),
        (["LOG:  checkpoint starting: time", CROWDED], "", True),
        ([CROWDED], "shop", False),
    ],
    ids=["a log without a word", "nothing of it", "the same words", "another project"],
)
def test_a_database_is_restarted_by_more_than_the_words_of_a_stranger(
    written: list[str], project: str, is_restarted: bool
) -> None:
    container, log_tails = failed_with_log(CROWDED, Config={"Env": ["DB_HOST=db"]}, **ON_SHOP)
    labels = {"com.docker.compose.project": project} if project else {}
    config = {"Image": "postgres:16", "Labels": labels}
    server = container_in("running", name="db", Config=config, **ON_SHOP)
    logs = {server.id: tuple(RecentLine(CLOCK.wall - 9, line) for line in written)}
    (finding,) = judge(
        "container.database-refused",
        containers=of(container, server),
        clock=CLOCK,
        log_tails=log_tails,
        recent_logs=RecentLogs(logs),
    ).findings
    assert ("crowded" in finding.variables) is is_restarted
    assert ("filled" in finding.variables) is not is_restarted


FILES = {
    "a newline": ("made", {"path": "/run/secrets/word"}, "a newline at its end"),
    "carriage returns": ("dos 0", {"path": "/run/secrets/word"}, "carriage returns"),
    "nothing at its end": ("open 1", {}, ""),
    "an empty file": ("empty 0", {}, ""),
}


@pytest.mark.parametrize(("text", "found", "words"), FILES.values(), ids=FILES)
def test_end_of_the_file_of_a_password(text: str, found: dict[str, str], words: str) -> None:
    mount = {"Type": "bind", "Source": "/srv/word", "Destination": "/run/secrets/word"}
    env = {"Env": ["DB_PASSWORD_FILE=/run/secrets/word"]}
    line = 'connection to server at "db", port 5432 failed: FATAL:  password authentication failed for user "x"'
    container, log_tails = failed_with_log(line, Config=env, Mounts=[mount], **ON_SHOP)
    database = container_in("running", name="db", Config=POSTGRES, **ON_SHOP)
    host = Made({"file.read": {"text": f"{text}\n" if text != "made" else "", "size": 9}})
    files = secret_files(host, of(container, database), log_tails, None)
    assert [file.path for file in files] == list(found.values())
    (finding,) = judge(
        "container.database-refused", containers=of(container, database), clock=CLOCK,
        log_tails=log_tails, secret_files=files,
    ).findings  # fmt: skip
    assert words in finding.summary
    assert (finding.variables.get("secret_file") == "/srv/word") == bool(words)


ABSENT = {
    "not there": ("missing", 7, True),
    "there": ("", 7, False),
    "of a container that has ended": ("missing", 0, False),
}


@pytest.mark.parametrize(("failed", "pid", "is_found"), ABSENT.values(), ids=ABSENT)
def test_secret_that_the_container_was_made_without(failed: str, pid: int, is_found: bool) -> None:
    line = "Error 1045 (28000): Access denied for user 'shop'@'172.18.0.3' (using password: NO)"
    container, log_tails = failed_with_log(
        line, Config={"Env": ["DB_PASSWORD_FILE=/run/secrets/word"]}, **ON_SHOP
    )
    state = msgspec.structs.replace(container.state, pid=pid)
    container = msgspec.structs.replace(container, state=state)
    path = f"/proc/{pid}/root/run/secrets/word"
    host = Made({"file.stats": {path: {"failed": failed, "type": "" if failed else "file"}}})
    files = secret_files(host, of(container), log_tails, None)
    assert [file.lacking_for for file in files] == ["DB_PASSWORD_FILE"] * is_found
