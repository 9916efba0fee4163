"""What a report offers first for a container that fails: the setting that its log names, or a start
where that may help."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.settings.named.named_settings import NamedSetting, named_setting
from diagnose.evidence.run.options import Options
from diagnose.programs.telling_line import telling_line
from diagnose.runbooks import Place, cure, looks
from tests.checks.container.evidence import CLOCK, container_in
from tests.first_steps.rows import mounted
from tests.inspected import of
from tests.judging import judge, rows

CONF = {
    "Type": "bind",
    "Source": "/srv/web/nginx.conf",
    "Destination": "/etc/nginx/nginx.conf",
    "RW": False,
}
FOLDER = {**CONF, "Source": "/srv/redis", "Destination": "/usr/local/etc/redis"}
SOURCES = {**CONF, "Source": "/srv/sources", "Destination": "/etc/grafana/provisioning/datasources"}
CODE = {**CONF, "Source": "/srv/app", "Destination": "/app"}
KAFKA = (
    "java.lang.IllegalArgumentException: requirement failed: advertised.listeners cannot use the "
    "nonroutable meta-address 0.0.0.0. Use a routable IP address."
)


def env(*entries: str) -> dict[str, Any]:
    return {"Config": {"Env": list(entries)}}


@pytest.mark.parametrize(
    ("parts", "line", "expected"),
    [
        (
            {"Mounts": [CONF]},
            '[emerg] invalid port in "808081" of the "listen" directive in /etc/nginx/nginx.conf:7',
            NamedSetting(path="/srv/web/nginx.conf", path_inside="/etc/nginx/nginx.conf", line=7),
        ),
        (
            {"Mounts": [FOLDER]},
            "# Fatal error, can't open config file '/usr/local/etc/redis/redis.conf': No such file",
            NamedSetting(
                path="/srv/redis/redis.conf", path_inside="/usr/local/etc/redis/redis.conf"
            ),
        ),
        (
            {"Mounts": [CONF], **env("REDISPASS=", "TZ=UTC")},
            "wrong number of arguments; Reading the configuration file, at line 1; >>> 'requirepass'",
            NamedSetting(variable="REDISPASS", fault="value", is_missed=True),
        ),
        (
            env("MEILI_MASTER_KEY=", "MEILI_ENV=production"),
            "error: a value is required for '--master-key <MASTER_KEY>' but none was supplied",
            NamedSetting(variable="MEILI_MASTER_KEY", is_missed=True),
        ),
        (
            env("MAIL_HOST=", "TZ=UTC"),
            "host not found",
            NamedSetting(variable="MAIL_HOST", fault="value"),
        ),
        ({"Mounts": [FOLDER]}, "cannot open /usr/local/etc/redis", None),
        (
            {"Mounts": [CODE], "Config": {"WorkingDir": "/app"}},
            "Error: ENOENT: no such file or directory, open 'upload/thumbs/.immich'",
            NamedSetting(
                folder="/srv/app/upload/thumbs", path_inside="/app/upload/thumbs", is_data=True
            ),
        ),
        (
            {"Mounts": [CODE], "Config": {"WorkingDir": "/srv"}},
            "Error: ENOENT: no such file or directory, open 'upload/thumbs/.immich'",
            None,
        ),
        (env("PORT=4000/tcp"), "bad port '4000/tcp'", NamedSetting(variable="PORT", fault="value")),
        (env("PORT=4000"), "listening on 14000", None),
        (
            env("KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://0.0.0.0:9092"),
            KAFKA,
            NamedSetting(variable="KAFKA_ADVERTISED_LISTENERS", fault="value"),
        ),
        (
            env("ADMIN_EMAIL=admin@localhost"),
            "'admin@localhost' does not appear to be a valid email address",
            NamedSetting(variable="ADMIN_EMAIL", fault="value"),
        ),
        (
            env("LOG_LEVEL=inf"),
            "unknown LOG_LEVEL",
            NamedSetting(variable="LOG_LEVEL", fault="value"),
        ),
        (
            env("RABBITMQ_VM_MEMORY_HIGH_WATERMARK=0.4"),
            "error: RABBITMQ_VM_MEMORY_HIGH_WATERMARK is set but deprecated",
            NamedSetting(variable="RABBITMQ_VM_MEMORY_HIGH_WATERMARK", fault="presence"),
        ),
        (
            env("DATABASE_URL=postgres://app:x@db/shop", "SITE=https://shop.example"),
            "NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:postgres",
            NamedSetting(variable="DATABASE_URL", fault="value"),
        ),
        (
            env("DB=postgresql://app:x@db/shop", "SITE=https://shop.example"),
            "ValueError: Port could not be cast to integer value as 'made'",
            NamedSetting(variable="DB", fault="value"),
        ),
        (
            env("DB=postgresql://app:x@db/shop", "MQ=amqp://app:x@mq"),
            "ValueError: Port could not be cast to integer value as 'made'",
            None,
        ),
        (
            env("AIRFLOW__CORE__FERNET_KEY=made-up", "AIRFLOW__CORE__EXECUTOR=LocalExecutor"),
            "ValueError: Fernet key must be 32 url-safe base64-encoded bytes.",
            NamedSetting(variable="AIRFLOW__CORE__FERNET_KEY", fault="value"),
        ),
        (
            env("CASSANDRA_DC=dc1", "CASSANDRA_RACK=rack1"),
            "ERROR Cannot start node if snitch's data center (dc1) differs from previous data center (old).",
            NamedSetting(variable="CASSANDRA_DC", fault="value"),
        ),
        (
            env("SPRING_DATASOURCE_URL=jdbc:mysql://mysql:3306/bank", "PROFILE=prod"),
            "UnableToConnectException: Public Key Retrieval is not allowed",
            NamedSetting(variable="SPRING_DATASOURCE_URL", fault="value"),
        ),
        (
            env("DATABASE=postgresql", "SPRING_DATASOURCE_URL=jdbc:postgresql://pg:5432/shop"),
            "Driver org.h2.Driver claims to not accept jdbcUrl, jdbc:postgresql://pg:5432/shop",
            NamedSetting(variable="SPRING_DATASOURCE_URL"),
        ),
        (
            env("DATABASE=postgresql"),
            "Driver org.h2.Driver claims to not accept jdbcUrl, jdbc:postgresql://pg:5432/shop",
            None,
        ),
        (env("MODE=dc1"), "ERROR cannot start dc1: it is in use", None),
        (env("LIMIT=215"), "ERROR worker [215] cannot start", None),
        (
            env("ORDERER_GENESIS_METHOD=file"),
            "panic: Error reading genesis block file: open orderer.block: no such file or directory",
            None,
        ),
        (
            env("STORAGE=file"),
            "error: unsupported storage 'file'",
            NamedSetting(variable="STORAGE", fault="value"),
        ),
        (
            env("DATABASE_HOST=database"),
            'could not translate host name "database" to address',
            NamedSetting(variable="DATABASE_HOST"),
        ),
        (
            {
                "Mounts": [FOLDER],
                "Config": {"Cmd": ["redis-server", "/usr/local/etc/redis/redis.conf"]},
            },
            "*** FATAL CONFIG FILE ERROR *** at line 4: wrong number of arguments",
            NamedSetting(
                path="/srv/redis/redis.conf", path_inside="/usr/local/etc/redis/redis.conf", line=4
            ),
        ),
        (
            {"Mounts": [SOURCES]},
            "Datasource provisioning error: only one can be marked as default",
            NamedSetting(
                folder="/srv/sources", path_inside="/etc/grafana/provisioning/datasources"
            ),
        ),
        (
            {"Mounts": [{**CONF, "Source": "/opt/python3", "Destination": "/usr/bin/python3"}]},
            "python3: can't open file '/app/app.py': [Errno 2] No such file or directory",
            None,
        ),
        ({"Mounts": [SOURCES]}, "failed to open a window: permission denied", None),
        (
            {"Mounts": [FOLDER]},
            "--initialize specified but the data directory /usr/local/etc/redis has files in it",
            NamedSetting(folder="/srv/redis", path_inside="/usr/local/etc/redis", is_data=True),
        ),
        (
            {"Mounts": [FOLDER]},
            'Error: Unable to open pwfile "/usr/local/etc/redis/passwd".',
            NamedSetting(path="/srv/redis/passwd", path_inside="/usr/local/etc/redis/passwd"),
        ),
        (
            {
                "Mounts": [CONF],
                "Config": {"Cmd": ["caddy", "run", "--config", "/etc/nginx/nginx.conf"]},
            },
            "Error: adapting config: ambiguous site definition: shop.example.com",
            NamedSetting(path="/srv/web/nginx.conf", path_inside="/etc/nginx/nginx.conf"),
        ),
        (
            env("APP_ENV=production", "APP_KEY="),
            "production.ERROR: No application encryption key has been specified.",
            NamedSetting(variable="APP_KEY", fault="value"),
        ),
        (env("APP_KEY="), "No route matches the request", None),
        (
            {"Mounts": [CODE]},
            "/app/lib/definition.rb:427:in `validate': Your Ruby version is 3.1 (Mismatch)",
            None,
        ),
        (
            {"Mounts": [CODE]},
            "Error: Cannot find package 'express' imported from /app/lib/index.js",
            None,
        ),
        (env("PYTHON_VERSION=3.12"), "python.version 3.12 is required", None),
        (env("DB_URL=<redacted 1>"), "invalid value <redacted 1>", None),
        (
            {"Config": {"Cmd": ["mysqld", "--innodb-log-size=1"]}},
            "[ERROR] unknown variable 'innodb-log-size=1'",
            NamedSetting(option="--innodb-log-size"),
        ),
        ({"Config": {"Cmd": ["app", "-v"]}}, "v is unknown", None),
        (
            env("SMTP_SECURITY=true"),
            "`SMTP_SECURITY` is invalid. It needs to be one of the following: starttls, off",
            NamedSetting(variable="SMTP_SECURITY", fault="value"),
        ),
        (
            env("SMTP_SECURITY=starttls"),
            "`SMTP_SECURITY` is invalid. It needs to be one of the following: starttls, off",
            None,
        ),
    ],
)
def test_the_setting_that_a_line_names(
    parts: dict[str, Any], line: str, expected: NamedSetting | None
):
    assert named_setting(container_in("exited", code=1, **parts), telling_line([line])) == expected


def first(container: Container, *lines: str, peers: tuple[Container, ...] = ()) -> tuple[str, str]:
    """The first fix and the first look that the report of a failed start offers."""
    (finding,) = judge(
        "container.exits-at-start",
        containers=of(container, *peers),
        clock=CLOCK,
        options=Options(),
        log_tails=LogTails({container.id: LogTail(lines)}, {}),
    ).findings
    fix = cure("container.exits-at-start", finding.variables, Place())
    look = looks("container.exits-at-start", "confirm", finding.variables, Place())[0]
    return (fix.text if fix else ""), look.text


def test_a_start_is_offered_where_it_may_help():
    silent = container_in("exited", code=1)
    assert first(silent)[0] == "docker start web"
    assert first(silent, "panic: index out of range")[0] == "docker start web"


def test_no_start_is_offered_for_a_cause_that_stays():
    line = "Cannot find module 'express'"
    assert first(container_in("exited", code=1), line)[0] != "docker start web"


def test_a_folder_over_the_libraries_of_the_image_is_named_and_uncovered():
    line = "app: error while loading shared libraries: libpython3.10.so.1.0: cannot open shared object file"
    covered = container_in("exited", code=127, Mounts=[mounted("/srv/etc", "/etc")])
    (finding,) = judge(
        "container.exits-at-start",
        containers=of(covered),
        clock=CLOCK,
        options=Options(),
        log_tails=LogTails({covered.id: LogTail((line,))}, {}),
    ).findings
    assert "/srv/etc, which is mounted at /etc, hides what its image has there" in finding.summary
    assert finding.variables["covering"] == "/etc"


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("[ALERT] parsing [/usr/local/etc/haproxy/haproxy.cfg:26]: Missing LF on last line", 26),
        ("AH00526: Syntax error on line 6 of /usr/local/etc/haproxy/haproxy.cfg:", 6),
        ("failed to parse /usr/local/etc/haproxy/haproxy.cfg", 0),
    ],
)
def test_a_file_of_settings_that_the_image_has_is_shown(line: str, number: int):
    _, look = first(container_in("exited", code=1), line)
    assert look.startswith("docker cp --follow-link web:/usr/local/etc/haproxy/haproxy.cfg - |")
    assert f"-v at={number} " in look


def test_the_disk_is_looked_at_where_the_log_finds_no_room():
    line = "Service init failed: Migration failed err: disk I/O error"
    data = container_in("exited", code=1, Mounts=[mounted("/srv/grafana", "/var/lib/grafana")])
    assert first(data, line)[1] == "df -hT /srv/grafana && df -i /srv/grafana"


def test_no_start_is_offered_where_it_ends_in_the_same_way():
    fix, look = first(
        container_in("exited", code=1, Mounts=[CONF]), "bad word in /etc/nginx/nginx.conf:7"
    )
    assert fix == ""
    assert look.startswith("awk -v at=7 ")
    fix, look = first(container_in("exited", code=1, **env("KAFKA_ADVERTISED_LISTENERS=x")), KAFKA)
    assert fix.startswith("read -r KAFKA_ADVERTISED_LISTENERS && ")
    assert look.endswith("awk -F= -v name=KAFKA_ADVERTISED_LISTENERS '$1 == name'")


SCHEMES = {
    "SQLAlchemy": ("Can't load plugin: sqlalchemy.dialects:postgres", True),
    "Go": ('panic: sql: unknown driver "postgres" (forgotten import?)', False),
}


@pytest.mark.parametrize(("line", "is_given_up"), SCHEMES.values(), ids=SCHEMES)
def test_a_scheme_that_sqlalchemy_has_given_up(line: str, is_given_up: bool) -> None:
    container = container_in("exited", code=1, **env("DB_URL=postgres://shop@db/shop"))
    fix, _ = first(container, line)
    assert ("postgresql:" in fix) is is_given_up
    assert "read -r DB_URL && export DB_URL" in fix, "an empty value is never set"


ON_SHOP = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "10.1.0.2"}}}}
REFUSED = 'connection to server at "db" (10.1.0.3), port 5432 failed: Connection refused'


def test_a_start_is_offered_once_its_peer_runs():
    named = env("PGHOST_NAME=connection to server")
    caller = container_in("exited", code=2, **ON_SHOP, **named)
    up = container_in("running", name="db", **ON_SHOP)
    assert first(caller, REFUSED, peers=(up,))[0] == "docker start web"
    assert first(caller, REFUSED)[0] == ""


def test_no_start_is_offered_while_no_container_has_the_name_that_it_calls():
    caller = container_in("exited", code=1, **ON_SHOP)
    line = 'nginx: [emerg] host not found in upstream "db" in /etc/nginx/nginx.conf:7'
    assert first(caller, line)[0] == ""
    up = container_in("running", name="db", **ON_SHOP)
    assert first(caller, line, peers=(up,))[0] == "docker start web"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sleep: invalid number '5   # check every 5 seconds'", [("critical", "web")]),
        ("sleep: invalid number '5'", []),
    ],
)
def test_a_comment_that_became_part_of_a_value(line: str, expected: list[tuple[str, str]]):
    container = container_in("exited", code=1, **env("INTERVAL=5   # check every 5 seconds"))
    result = judge(
        "container.variable-malformed",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({container.id: LogTail((line,))}, {}),
    )
    assert rows(result) == expected
    assert [finding.variables["assignment"] for finding in result.findings] == ["INTERVAL=5"] * len(
        expected
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", 1), ("PGDATA=/var/lib/pg", 1), ("PGDATA=/var/lib/pg/pgdata", 0), ("PGDATA=/x", 0)],
)
def test_a_data_folder_that_holds_the_lost_and_found(value: str, expected: int):
    container = container_in("exited", code=1, **env(*([value] if value else [])))
    line = 'initdb: error: directory "/var/lib/pg" exists but is not empty'
    result = judge(
        "container.option-missing",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({container.id: LogTail((line,))}, {}),
    )
    assert rows(result) == [("critical", "web")] * expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"Config": {"Cmd": ["node", "--max-old-space-size=64"]}}, "option --max-old-space-size of its command"),
        (env("NODE_OPTIONS=--max-old-space-size=64"), "environment variable NODE_OPTIONS"),
        ({"Config": {"Cmd": ["node", "app.js"]}}, ""),
    ],
)  # fmt: skip
def test_the_option_that_heals_a_known_failure(parts: dict[str, Any], expected: str):
    container = container_in("exited", code=134, **parts)
    line = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"
    (finding,) = judge(
        "container.exits-at-start",
        containers=of(container),
        clock=CLOCK,
        options=Options(),
        log_tails=LogTails({container.id: LogTail((line,))}, {}),
    ).findings
    assert finding.evidence.get("where that is set", "") == expected


def test_a_file_that_no_terminal_can_show_is_listed():
    binary = NamedSetting(path="/srv/app/sharp/sharp.node", path_inside="/app/sharp/sharp.node")
    assert binary.variables == {"named_folder": "/srv/app/sharp"}


@pytest.mark.parametrize("name", ["mastlog.ldf", "_nodes.couch", "dump.rdb"])
def test_a_file_of_data_is_not_shown_as_text(name: str):
    assert NamedSetting(path=f"/srv/data/{name}").variables == {"named_folder": "/srv/data"}
