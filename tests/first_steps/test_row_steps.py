"""What a row offers for one container: diagnose/first_steps/rows/row_steps.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.runbooks import Place, commands
from tests.first_steps.rows import APP, REDIS, mounted, steps

MIB = 1 << 20


RABBIT = {"Mounts": [mounted("/srv/mq", "/var/lib/rabbitmq")]}


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
        {
            "edited": "/srv/nginx.conf",
            "edit": r"40{/[:{[|>][[:space:]]*$/!s/^[[:space:]-]*root\b/#&/;}",
        },
    ),
    "a word in a file of the image": ("setting-unknown", {}, {}),
    "a user in a line of a mounted file": (
        "nginx-user",
        {"Mounts": [mounted("/srv/nginx.conf", "/etc/nginx/nginx.conf")]},
        {"edited": "/srv/nginx.conf", "edit": r"1s/\bwww-data\b/nginx/g"},
    ),
    "a user that the image lacks": ("user-unknown", {}, {"unknown_user": "www-data"}),
    "a number that the image has no user for": (
        "user-nameless",
        {"Config": {"User": "1234:5"}},
        {"nameless": "1234:5"},
    ),
    "a number to which the program has changed itself": (
        "user-nameless",
        {"Config": {"User": "app"}},
        {},
    ),
    "a user that a mounted file lacks": (
        "php-fpm-user",
        {"Mounts": [mounted("/srv/passwd", "/etc/passwd")]},
        {},
    ),
    "a user that a root that is read-only lacks": (
        "php-fpm-user",
        {"HostConfig": {"ReadonlyRootfs": True}},
        {},
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
    "the kind of a database is not an address": (
        "postgres-no-tls",
        {"Config": {"Env": ["DB_TYPE=postgres"]}},
        {},
    ),
    "a switch beside the kind of a database": (
        "postgres-no-tls",
        {"Config": {"Env": ["DB_TYPE=postgres", "DB_SSL=true", "HTTP_SSL=true"]}},
        {"unprotected": "DB_SSL=false"},
    ),
    "an address of a database without TLS": (
        "postgres-no-tls",
        {"Config": {"Env": ["DB_URL=postgres://db/shop", "DB_SSL=true"]}},
        {"unprotected": "DB_URL=postgres://db/shop?sslmode=disable"},
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
    "a heap without a limit": ("node-heap", {}, {}),
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
    "a file of its data": ("redis-dump", REDIS, {"aside": "/srv/redis/dump.rdb"}),
    "a file of its writable layer": ("redis-dump", {}, {}),
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
    "a variable that the line names": (
        "value-too-low",
        {"Config": {"Env": ["PASSWORD_ITERATIONS=1000"]}},
        {"typed": "PASSWORD_ITERATIONS"},
    ),
    "a variable of a file": ("value-too-low", {}, {}),
    "a container without what its first start left": ("start-not-repeatable", {}, {"fresh": "web"}),
    "an empty volume": (
        "mysql-not-initialised",
        {"Mounts": [mounted("/srv/mysql", "/var/lib/mysql")]},
        {"emptied": "/var/lib/mysql", "new_volume": "web-new:/var/lib/mysql"},
    ),
    "a volume without a name": (
        "volume-required",
        {
            "Mounts": [
                mounted("/srv/web.env", "/app/.env"),
                {**mounted("", "/data"), "Type": "volume", "Name": "0f" * 32},
            ]
        },
        {"named_volume": "web-data:/data"},
    ),
    "no volume at all": ("volume-required", {"Mounts": []}, {}),
    "settings that are mounted read-only": (
        "configuration-read-only",
        {
            "Mounts": [
                mounted("/srv/cam/config.yml", "/config/config.yml", rw=False),
                mounted("/etc/localtime", "/etc/localtime", rw=False),
            ]
        },
        {"read_only": "/config/config.yml", "writable": "/srv/cam/config.yml:/config/config.yml"},
    ),
    "two mounts of settings that are read-only": (
        "configuration-read-only",
        {
            "Mounts": [
                mounted("/srv/cam/a.yml", "/config/a.yml", rw=False),
                mounted("/srv/cam/b.yml", "/config/b.yml", rw=False),
            ]
        },
        {},
    ),
    "gems of an older image": (
        "gem-missing",
        {"Mounts": [mounted("/v/_data", "/usr/local/bundle", kind="volume")]},
        {"covering": "/usr/local/bundle"},
    ),
    "gems of the image": ("gem-missing", {}, {}),
    "a mounted script with the line ends of Windows": (
        "script-line-ends",
        {"Path": "/start.sh", "Mounts": [mounted("/srv/shop/start.sh", "/start.sh")]},
        {"edit": r"s/\r$//", "edited": "/srv/shop/start.sh"},
    ),
    "a script of the image with the line ends of Windows": (
        "script-line-ends",
        {"Path": "/start.sh", "Mounts": [mounted("/srv/shop/data", "/data")]},
        {},
    ),
    "a folder over the image's libraries": (
        "shared-library",
        {"Mounts": [mounted("/srv/etc", "/etc")]},
        {"covering": "/etc"},
    ),
    "a file among the image's libraries": (
        "shared-library",
        {"Mounts": [mounted("/srv/a.conf", "/etc/a.conf")]},
        {},
    ),
    "links that lead out of their folder": (
        "nginx-certificate",
        {"Mounts": [mounted("/etc/letsencrypt/live", "/etc/letsencrypt/live")]},
        {"unmounted": "/etc/letsencrypt/live", "mounted": "/etc/letsencrypt:/etc/letsencrypt:ro"},
    ),
    "a folder that has another name": (
        "nginx-certificate",
        {"Mounts": [mounted("/srv/certs", "/etc/letsencrypt/live")]},
        {},
    ),
    "a module of the application": ("module-node", APP, {}),
    "more threads": ("threads-refused", {"HostConfig": {"PidsLimit": 50}}, {"pids": "200"}),
    "threads without a limit": ("threads-refused", {}, {}),
    "more memory": ("memory-required", {"HostConfig": {"Memory": 512 * MIB}}, {"memory": "2500m"}),
    "more memory than the program asks for": (
        "memory-required",
        {"HostConfig": {"Memory": 4096 * MIB}},
        {},
    ),
    "memory of the host": ("memory-required", {}, {}),
}


def test_a_folder_that_lies_in_a_mount_is_in_a_new_container_too() -> None:
    line = "mkdir: cannot create directory '/config/cache': File exists"
    assert steps("start-not-repeatable", {}, line=line) == {"fresh": "web"}
    assert not steps("start-not-repeatable", {"Mounts": [mounted("/srv/c", "/config")]}, line=line)


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
