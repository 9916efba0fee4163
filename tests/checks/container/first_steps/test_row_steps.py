"""What the rows of known failures offer for a container: each remedy where it has something to
change, and nothing elsewhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from checks.container.first_steps.row_steps import row_steps
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTail
from diagnose.evidence.containers.settings.changed_words import line_commented_out
from diagnose.evidence.engine.info import Info
from diagnose.programs.failures import FAILURES, recognise, recognise_family, remedies
from diagnose.programs.families import FAMILIES
from diagnose.programs.telling_line import TellingLine
from diagnose.runbooks import Place, commands, cure
from tests.checks.container.evidence import container_in
from tests.inspected import of
from tests.programs import test_failures, test_families

MIB = 1 << 20
NODE_LOCKED = "Error: Migration lock was never released or currently a migration is running."


def mounted(
    source: str, destination: str, *, kind: str = "bind", rw: bool = True
) -> dict[str, Any]:
    return {"Type": kind, "Source": source, "Destination": destination, "RW": rw, "Name": "data"}


def line_of(name: str) -> str:
    lines = test_failures.LINES.get(name) or test_families.LINES[name]
    return lines if isinstance(lines, str) else lines[-1]


REDIS = {"Mounts": [mounted("/srv/redis", "/data")]}
RABBIT = {"Mounts": [mounted("/srv/mq", "/var/lib/rabbitmq")]}
APP = {
    "Config": {"WorkingDir": "/app", "Image": "shop:1", "User": "node"},
    "Mounts": [mounted("/srv/app", "/app")],
}
STEPS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "an option of the command": (
        "mysql-unknown-option",
        {"Config": {"Cmd": ["mariadbd", "--default-authentication-plugin=x", "--skip-name"]}},
        {"new_command": "mariadbd --skip-name"},
    ),
    "an option in a mounted file": (
        "mysql-unknown-option",
        {"Config": {"Cmd": ["mariadbd"]}, "Mounts": [mounted("/srv/my.cnf", "/etc/my.cnf")]},
        {
            "edited": "/srv/my.cnf",
            "edit": r"s/^[[:space:]]*default[-_]authentication[-_]plugin\b/#&/",
        },
    ),
    "a word in a line of a mounted file": (
        "setting-unknown",
        {"Mounts": [mounted("/srv/nginx.conf", "/etc/nginx/nginx.conf")]},
        {"edited": "/srv/nginx.conf", "edit": r"40s/^[[:space:]-]*root\b/#&/"},
    ),
    "a word in a file of the image": ("setting-unknown", {}, {}),
    "a user in a line of a mounted file": (
        "nginx-user",
        {"Mounts": [mounted("/srv/nginx.conf", "/etc/nginx/nginx.conf")]},
        {"edited": "/srv/nginx.conf", "edit": r"1s/\bwww-data\b/nginx/g"},
    ),
    "a user in a file of the image": (
        "nginx-user",
        {"Config": {"Env": ["OWNER=www-data"]}, "Mounts": [mounted("/srv/x.yml", "/x.yml")]},
        {},
    ),
    "a command of the program with the option's name": (
        "unknown-option",
        {"Config": {"Cmd": ["config", "--config=/data/shop.conf"]}},
        {"new_command": "config"},
    ),
    "an option of a shell's script": (
        "mysql-table-names",
        {"Config": {"Cmd": ["sh", "-c", "exec mysqld"]}},
        {},
    ),
    "an option that is nowhere": ("mysql-unknown-option", {"Config": {"Cmd": ["mariadbd"]}}, {}),
    "an option whose value may stand behind it": (
        "unknown-option",
        {"Config": {"Cmd": ["serve", "-config", "/data/shop.conf"]}},
        {},
    ),
    "an option of Java in a variable": (
        "java-option",
        {"Config": {"Env": ["JAVA_OPTS=-Xmx1g -XX:+UseConcMarkSweepGC"]}},
        {"assignment": "JAVA_OPTS=-Xmx1g"},
    ),
    "the only option of a variable": (
        "java-option",
        {"Config": {"Env": ["JAVA_OPTS=-XX:+UseConcMarkSweepGC"]}},
        {"unset": "JAVA_OPTS"},
    ),
    "a setting that a variable is named after": (
        "elasticsearch-setting",
        {"Config": {"Env": ["xpack.security.enrolment.enabled=true"]}},
        {"unset": "xpack.security.enrolment.enabled"},
    ),
    "an option with the value of the data": (
        "mysql-table-names",
        {"Config": {"Cmd": ["mysqld", "--lower_case_table_names=1"]}},
        {"new_command": "mysqld --lower-case-table-names=0"},
    ),
    "a command before the program": (
        "apache-mpm",
        {"Config": {"Cmd": ["apache2-foreground"]}},
        {
            "new_command": "sh -c 'a2dismod -f mpm_event mpm_worker; a2enmod mpm_prefork; "
            "exec apache2-foreground'"
        },
    ),
    "a command before the program of an entrypoint that prepares it": (
        "apache-mpm",
        {"Config": {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["apache2-foreground"]}},
        {},
    ),
    "a text in a variable": (
        "postgres-locale",
        {"Config": {"Env": ["LANG=de_DE.utf8"]}},
        {"assignment": "LANG=en_US.utf8"},
    ),
    "a text in the command": (
        "postgres-locale",
        {"Config": {"Cmd": ["initdb", "--locale=de_DE.utf8"]}},
        {"new_command": "initdb --locale=en_US.utf8"},
    ),
    "a text in a mounted file": (
        "postgres-locale",
        {"Mounts": [mounted("/srv/pg.conf", "/etc/pg.conf")]},
        {"edited": "/srv/pg.conf", "edit": r"s/\bde_DE\.utf8\b/en_US.utf8/g"},
    ),
    "a text that is nowhere": ("postgres-locale", REDIS, {}),
    "a number that the data has": (
        "kafka-node",
        {"Config": {"Env": ["KAFKA_BROKER_ID=2"]}},
        {"assignment": "KAFKA_BROKER_ID=1389"},
    ),
    "a number that no variable gives": ("kafka-node", {}, {}),
    "a parameter of an address": (
        "mysql-public-key",
        {"Config": {"Env": ["DB_URL=jdbc:mysql://db:3306/shop?useSSL=false"]}},
        {
            "unprotected": "DB_URL=jdbc:mysql://db:3306/shop?useSSL=false"
            "&allowPublicKeyRetrieval=true"
        },
    ),
    "an address with a secret": (
        "mysql-public-key",
        {"Config": {"Env": ["DB_URL=jdbc:mysql://app:<redacted:password:1a2b3c4d>@db/shop"]}},
        {},
    ),
    "a part without a certificate": (
        "kestrel-https",
        {"Config": {"Env": ["ASPNETCORE_URLS=https://+:443;http://+:80"]}},
        {"unprotected": "ASPNETCORE_URLS=http://+:80"},
    ),
    "no part without a certificate": (
        "kestrel-https",
        {"Config": {"Env": ["ASPNETCORE_URLS=https://+:443"]}},
        {},
    ),
    "a key that its reader has": ("rails-master-key", {}, {"typed": "RAILS_MASTER_KEY"}),
    "a password that its reader has": (
        "redis-password",
        {"Config": {"Env": ["REDIS_PASSWORD=", "REDIS_HOST=cache"]}},
        {"typed": "REDIS_PASSWORD"},
    ),
    "a file with a password": (
        "login-refused",
        {"Config": {"Env": ["DB_PASSWORD_FILE=/run/secrets/db"]}},
        {},
    ),
    "a name that only ends like a password": (
        "login-refused",
        {"Config": {"Env": ["BYPASS=1"]}},
        {},
    ),
    "the password with which the data was made": (
        "mongo-auth",
        {"Config": {"Env": ["MONGO_INITDB_ROOT_PASSWORD="]}},
        {},
    ),
    "an address that one variable gives": (
        "dotnet-connection",
        {"Config": {"Env": ["ConnectionStrings__Shop="]}},
        {"typed": "ConnectionStrings__Shop"},
    ),
    "an address of a name that nobody knows": ("dotnet-connection", {}, {}),
    "two passwords": (
        "redis-password",
        {"Config": {"Env": ["REDIS_PASSWORD=", "REDIS_URL=redis://cache"]}},
        {},
    ),
    "a name that its reader has": ("hostname-incomplete", {}, {"typed_option": "--hostname"}),
    "the name of its data": (
        "rabbit-node",
        {"Config": {"Hostname": "mq2"}, **RABBIT},
        {"nodes": "/srv/mq/mnesia", "own_name": "mq2"},
    ),
    "a secret of its own": ("superset-secret", {}, {"generated": "SUPERSET_SECRET_KEY"}),
    "a heap of the container's memory": (
        "node-heap",
        {"HostConfig": {"Memory": 2048 * MIB}, "Config": {"Env": ["NODE_OPTIONS=--inspect"]}},
        {"assignment": "NODE_OPTIONS=--inspect --max-old-space-size=1536"},
    ),
    "a heap without a limit": (
        "node-heap",
        {},
        {},
    ),
    "a heap whose size is set": (
        "node-heap",
        {"Config": {"Cmd": ["node", "--max-old-space-size=512", "main.js"]}},
        {},
    ),
    "a heap of Java": (
        "jvm-heap",
        {"HostConfig": {"Memory": 2048 * MIB}},
        {"assignment": "JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75"},
    ),
    "a heap of Java without a limit": ("jvm-heap", {}, {}),
    "a file of its data": (
        "redis-dump",
        REDIS,
        {"aside": "/srv/redis/dump.rdb"},
    ),
    "a file of its own layer": ("redis-dump", {}, {}),
    "a command over its volumes": (
        "node-version",
        APP,
        {
            "job_command": "npm rebuild",
            "job_folder": "/app",
            "job_image": "shop:1",
            "job_user": "node",
        },
    ),
    "a command of another image": (
        "php-vendor",
        APP,
        {
            "job_command": "composer install --no-interaction --no-progress",
            "job_folder": "/app",
            "job_image": "composer:2",
            "job_user": "0",
        },
    ),
    "a command over files of the image": ("node-version", {"Config": {"WorkingDir": "/app"}}, {}),
    "a command over what may not be written": (
        "node-version",
        {**APP, "Mounts": [mounted("/srv/app", "/app", rw=False)]},
        {},
    ),
    "an empty volume": (
        "mysql-not-initialised",
        {"Mounts": [mounted("/srv/mysql", "/var/lib/mysql")]},
        {"emptied": "/var/lib/mysql", "new_volume": "web-new:/var/lib/mysql"},
    ),
    "gems of an older image": (
        "gem-missing",
        {"Mounts": [mounted("/v/_data", "/usr/local/bundle", kind="volume")]},
        {"covering": "/usr/local/bundle"},
    ),
    "gems of the image": ("gem-missing", {}, {}),
    "links that lead out of their folder": (
        "nginx-certificate",
        {"Mounts": [mounted("/etc/letsencrypt/live", "/etc/letsencrypt/live")]},
        {
            "unmounted": "/etc/letsencrypt/live",
            "mounted": "/etc/letsencrypt:/etc/letsencrypt:ro",
        },
    ),
    "a folder that has another name": (
        "nginx-certificate",
        {"Mounts": [mounted("/srv/certs", "/etc/letsencrypt/live")]},
        {},
    ),
    "a module of the application": ("module-node", APP, {}),
    "more threads": (
        "threads-refused",
        {"HostConfig": {"PidsLimit": 50}},
        {"pids": "200"},
    ),
    "threads without a limit": ("threads-refused", {}, {}),
    "more memory": (
        "memory-required",
        {"HostConfig": {"Memory": 512 * MIB}},
        {"memory": "2500m"},
    ),
    "more memory than the program asks for": (
        "memory-required",
        {"HostConfig": {"Memory": 4096 * MIB}},
        {},
    ),
    "memory of the host": ("memory-required", {}, {}),
}


def steps(name: str, parts: dict[str, Any], *, line: str = "", is_running: bool = False) -> Any:
    text = line or line_of(name)
    failure = LogTail((text,)).failure or recognise_family(TellingLine(text), FAMILIES)
    assert failure is not None
    assert failure.failure.name == name
    return row_steps(container_in("exited", code=1, **parts), failure, None, is_running=is_running)


@pytest.mark.parametrize("case", STEPS)
def test_a_row_offers_what_the_container_has_to_change(case: str) -> None:
    name, parts, expected = STEPS[case]
    assert steps(name, parts) == expected


PAGES = ("exits-at-start", "restart-loop", "restarts-exhausted")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("case", [case for case, (_, _, expected) in STEPS.items() if expected])
def test_each_page_of_a_failed_start_has_the_command(case: str, page: str) -> None:
    """And no other block of the page means something else by the same variable."""
    variables = STEPS[case][2]
    (offered,) = commands(f"container.{page}", {"container": "web", **variables}, Place())
    for value in variables.values():
        assert value.split("'")[0] in offered.text


def test_a_value_stays_behind_the_option_that_takes_it() -> None:
    line = "[ERROR] mysqld: unknown variable 'query_cache_size=1'"
    parts = {"Config": {"Cmd": ["mysqld", "-O", "query_cache_size=1"]}}
    assert steps("mysql-unknown-option", parts, line=line) == {}


@pytest.mark.parametrize("word", ["a+b", "a.b", "a*b", "a|b", "a(b", "[ab", "a/b", "a{2}b"])
def test_sed_finds_a_word_as_it_is_written(word: str, tmp_path: Path) -> None:
    file = tmp_path / "app.conf"
    file.write_text(f"aab\n  {word} 1\nacb\n")
    edit = line_commented_out(str(file), 0, word)["edit"]
    subprocess.run(["sed", "-i", edit, str(file)], check=True)
    assert file.read_text() == f"aab\n#  {word} 1\nacb\n"


def test_a_certificate_elsewhere_is_not_in_the_folder_of_links() -> None:
    line = 'nginx: [emerg] cannot load certificate "/tls/a.pem": (No such file or directory)'
    parts = {"Mounts": [mounted("/etc/letsencrypt/live", "/etc/letsencrypt/live")]}
    assert steps("nginx-certificate", parts, line=line) == {}


DJANGO = "Invalid HTTP_HOST header: 'shop.example:8000'. You may need to add 'shop.example'."
ORIGIN = "Origin checking failed - https://shop.example does not match any trusted origins."


@pytest.mark.parametrize(
    ("name", "line", "variable", "after"),
    [
        ("host-refused", DJANGO, "ALLOWED_HOSTS=a.example", "ALLOWED_HOSTS=a.example,shop.example"),
        ("host-refused", DJANGO, "ALLOWED_HOSTS=a.example b.example",
         "ALLOWED_HOSTS=a.example b.example shop.example"),
        ("host-refused", DJANGO, 'ALLOWED_HOSTS=["a.example"]', ""),
        ("origin-refused", ORIGIN, "ALLOWED_HOSTS=a.example", ""),
        ("origin-refused", ORIGIN, "CSRF_TRUSTED_ORIGINS=https://a.example",
         "CSRF_TRUSTED_ORIGINS=https://a.example,https://shop.example"),
    ],
)  # fmt: skip
def test_a_list_gets_the_entry_that_its_reader_compares(
    name: str, line: str, variable: str, after: str
) -> None:
    found = steps(name, {"Config": {"Env": [variable]}}, line=line)
    assert found == ({"assignment": after} if after else {})


@pytest.mark.parametrize(
    "line",
    [
        "INFO liquibase.lockservice: Successfully acquired change log lock",
        "INFO liquibase.lockservice: Successfully released change log lock",
        "info: released migration lock",
        "Do not run Composer as root/super user! See https://getcomposer.org/root for details",
        "WARNING: this program should not be run as root",
        "[Warning] Failed to load slave replication state: Table 'mysql.gtid_slave_pos' doesn't exist",
        "Invalid HTTP_HOST header: 'my_app'. The domain name provided is not valid (RFC 1034).",
    ],
)
def test_a_line_of_a_healthy_program_has_no_remedy(line: str) -> None:
    for table in (FAILURES, FAMILIES):
        found = recognise((line,), TellingLine(line), table)
        assert found is None or (found.failure.remedy is None and not found.failure.confirmed_by)


def test_a_module_of_a_library_stays_visible_below_the_mounted_application() -> None:
    found = steps("module-node", APP, line="Error: Cannot find module 'express'")
    assert found == {"added": "--volume=/app/node_modules"}


@pytest.mark.parametrize(
    ("name", "parts", "offered"),
    [
        ("nginx-upload", {}, "client_max_body_size 100m;"),
        ("php-fpm-children", {}, "pm.max_children = 10"),
        ("host-refused", {"Config": {"Env": ["ALLOWED_HOSTS=a.example,b.example"]}},
         "ALLOWED_HOSTS=a.example,b.example,shop.example.com"),
        ("redis-dump", REDIS, ""),
    ],
)  # fmt: skip
def test_a_running_program_is_changed_inside_or_made_again(
    name: str, parts: dict[str, Any], offered: str
) -> None:
    found = steps(name, parts, is_running=True)
    command = cure("container.errors-in-log", {"container": "web", **found}, Place())
    assert offered in (command.text if command is not None and found else "")
    assert bool(found) == bool(offered)


@pytest.mark.parametrize(
    ("name", "line", "more"),
    [
        (
            "nginx-connections",
            "16384 worker_connections are not enough",
            "worker_connections 32768;",
        ),
        ("script-memory", "Allowed memory size of 134217728 bytes exhausted", "= 536870912"),
        ("script-memory", "Allowed memory size of 1073741824 bytes exhausted", "= 2147483648"),
    ],
)
def test_a_limit_of_a_server_never_falls(name: str, line: str, more: str) -> None:
    assert more in steps(name, {}, line=line, is_running=True)["inside_change"]


@pytest.mark.parametrize("name", ["script-memory", "php-fpm-children"])
def test_an_init_gets_no_signal_that_is_meant_for_a_server(name: str, tmp_path: Path) -> None:
    """The first process of this machine is no server of PHP."""
    command = steps(name, {}, is_running=True)["inside_change"]
    (tmp_path / "conf.d").mkdir()
    environment = {"PATH": os.environ["PATH"], "PHP_INI_DIR": str(tmp_path)}
    script = command.replace("kill", "echo killed")
    done = subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "restart it by hand" in done.stderr
    assert "killed" not in done.stdout
    assert not list((tmp_path / "conf.d").iterdir())


def test_what_a_log_says_is_one_word_of_a_command() -> None:
    line = "# Bad file format reading the append only file x;reboot: make a backup"
    found = steps("redis-aof", REDIS, line=line)
    assert "-name 'x;reboot' " in found["job_command"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [("postgres:16", "psql"), ("mariadb:11", "mariadb"), ("redis:7", "")],
)
def test_a_lock_is_freed_in_the_database_that_the_program_calls(image: str, expected: str) -> None:
    networks = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.18.0.2"}}}}
    server = container_in("running", name="db", Config={"Image": image}, **networks)
    caller = container_in("exited", code=1, Config={"Env": ["DB_HOST=db"]}, **networks)
    failure = LogTail((NODE_LOCKED,)).failure
    found = row_steps(caller, failure, of(caller, server), is_running=False)
    assert found.get("locked", "") == ("db" if expected else "")
    assert expected in found.get("unlock", "")
    assert "UPDATE migrations_lock SET locked=0" in found.get("unlock", "") or not expected


@pytest.mark.parametrize(
    ("addresses", "base"),
    [
        (["DB_URL=jdbc:postgresql://db:5432/keycloak?ssl=off"], "-d keycloak -c"),
        (["DB_HOST=db"], '-d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}" -c'),
        (["A=postgres://u@db/a", "B=postgres://u@db/b"], ""),
    ],
)
def test_a_lock_is_freed_in_the_callers_own_database(addresses: list[str], base: str) -> None:
    networks = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.18.0.2"}}}}
    server = container_in("running", name="db", Config={"Image": "postgres:16"}, **networks)
    caller = container_in("exited", code=1, Config={"Env": addresses}, **networks)
    failure = LogTail((NODE_LOCKED,)).failure
    found = row_steps(caller, failure, of(caller, server), is_running=False)
    assert base in found.get("unlock", "")
    assert bool(base) == bool(found)


@pytest.mark.parametrize(
    ("gib", "mib"), [(2, 1536), (4, 3072), (8, 4096), (16, 8192), (256, 8192), (0, None)]
)
def test_a_heap_without_a_limit_is_one_that_the_host_has(gib: int, mib: int | None) -> None:
    """Node.js 20 takes 4144 MiB by itself on a host with 23 GiB: less would be no cure."""
    failure = LogTail((line_of("node-heap"),)).failure
    info = Info(mem_total=gib << 30)
    found = row_steps(container_in("exited", code=134), failure, None, is_running=False, info=info)
    value = f"NODE_OPTIONS=--max-old-space-size={mib}"
    assert found == ({"assignment": value} if mib else {})


@pytest.mark.parametrize(("network", "offered"), [("shop", False), ("other", True)])
def test_a_node_does_not_take_the_number_of_a_neighbour(network: str, offered: bool) -> None:
    def broker(name: str, node: int, network: str) -> Container:
        networks = {"Networks": {network: {"IPAddress": "172.18.0.2"}}}
        env = [f"KAFKA_BROKER_ID={node}"]
        return container_in("exited", name=name, Config={"Env": env}, NetworkSettings=networks)

    one, other = broker("one", 2, "shop"), broker("other", 1389, network)
    failure = LogTail((line_of("kafka-node"),)).failure
    assert bool(row_steps(one, failure, of(one, other), is_running=False)) is offered


def test_each_kind_of_remedy_has_a_row() -> None:
    used = {type(row.remedy) for row in (*FAILURES, *FAMILIES)}
    assert used - {type(None)} == set(get_args(remedies.Remedy))
