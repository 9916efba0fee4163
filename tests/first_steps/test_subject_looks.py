"""What is looked at where no command heals: diagnose/first_steps/looks/subject_looks.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.looks.looks_by_kind import LOOKS as BY_KIND
from diagnose.first_steps.looks.looks_by_kind import LookCase
from diagnose.first_steps.looks.subject_looks import running_look, subject_look
from diagnose.first_steps.setting_steps import setting_of, setting_variables
from diagnose.model import PageVariables
from diagnose.render.shell import is_wall
from diagnose.runbooks import Place, looks
from tests.checks.container.evidence import container_in
from tests.first_steps.rows import line_of, mounted
from tests.inspected import container, of

PROJECT = "com.docker.compose.project"
COMPOSE = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.project.working_dir": "/srv/shop",
    "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
}
ON_SHOP: dict[str, Any] = {
    "HostConfig": {"NetworkMode": "shop_default"},
    "NetworkSettings": {"Networks": {"shop_default": {"NetworkID": "n1"}}},
}
POSTGRES = container(
    "db",
    Config={"Image": "postgres:16", "Env": ["POSTGRES_USER=shop", "POSTGRES_DB=orders"]},
    **ON_SHOP,
)
CACHE = container("cache", Config={"Image": "redis:7"}, **ON_SHOP)
NODE = {"Config": {"Image": "shop/web:1.4.2", "WorkingDir": "/app"}}
OF_COMPOSE = {"Config": {"Image": "shop/web:1.4.2", "Labels": COMPOSE}}
FRENCH = "Fatal: le monde est plein"

LOOKS: dict[str, tuple[str, dict[str, Any], PageVariables]] = {
    "a refused place": (
        "dial tcp 192.168.160.4:6432: connect: connection refused",
        {},
        {"asked_host": "192.168.160.4", "asked_port": "6432"},
    ),
    "its own localhost": (
        "panic: dial tcp 127.0.0.1:3306: connect: connection refused",
        {},
        {"self_caller": "web"},
    ),
    "a localhost that it shares": (
        "panic: dial tcp 127.0.0.1:3306: connect: connection refused",
        {"HostConfig": {"NetworkMode": "container:0123456789ab"}},
        {},
    ),
    "what it has called is not said": (
        "kombu.exceptions.OperationalError: [Errno 111] Connection refused",
        {"Config": {"Image": "shop/web:1.4.2", "Env": ["BROKER=amqp://guest:guest@localhost//"]}},
        {"calls_of": "web"},
    ),
    "nothing that it may call is given": (
        "kombu.exceptions.OperationalError: [Errno 111] Connection refused",
        {"Config": {"Image": "shop/web:1.4.2", "Env": ["LANG=C"]}},
        {},
    ),
    "a mount over the program": (
        'ERROR:    Error loading ASGI app. Could not import module "api.src.main".',
        {**NODE, "Mounts": [mounted("/srv/voices", "/app/api")]},
        {"hiding_folder": "/srv/voices", "hidden_in": "web", "hidden_place": "app/api"},
    ),
    "a mount beside the program": (
        'ERROR:    Error loading ASGI app. Could not import module "api.src.main".',
        {**NODE, "Mounts": [mounted("/srv/voices", "/voices")]},
        {"inside": "web:/app"},
    ),
    "the version of its data": (
        line_of("innodb-checkpoint"),
        {"Mounts": [mounted("/srv/shop/mysql", "/var/lib/mysql")]},
        {"versions_in": "/srv/shop/mysql", "opened_by": "web"},
    ),
    "builds of its image": (
        "TypeError: Cannot read properties of undefined (reading 'post')",
        NODE,
        {"builds_of": "shop/web", "built": "web"},
    ),
    "an image without a name": (
        "TypeError: Cannot read properties of undefined (reading 'post')",
        {"Config": {"Image": "sha256:0123456789ab"}},
        {},
    ),
    "the word in the files of its project": (
        "failed to decode config file: yaml: unmarshal errors: line 6: field syncer not found in type config.Config",
        OF_COMPOSE,
        {"named_word": "syncer", "word_folder": "/srv/shop"},
    ),
    "the word in the mounted file, which compose does not hold": (
        "failed to decode config file: yaml: unmarshal errors: line 6: field syncer not found in type config.Config",
        {**OF_COMPOSE, "Mounts": [mounted("/etc/hostd/hostd.yml", "/data/hostd.yml")]},
        {"named_word": "syncer", "word_folder": "/etc/hostd/hostd.yml"},
    ),
    "the word in what is mounted": (
        "failed to decode config file: yaml: unmarshal errors: line 6: field syncer not found in type config.Config",
        {"Mounts": [mounted("/srv/hostd/conf", "/data")]},
        {"named_word": "syncer", "word_folder": "/srv/hostd/conf"},
    ),
    "no word in the whole host, which a label may ask for": (
        "failed to decode config file: yaml: unmarshal errors: line 6: field syncer not found in type config.Config",
        {
            "Config": {
                "Image": "shop/web:1.4.2",
                "Labels": {
                    key: value.replace("/srv/shop", "/srv/../..") if "dir" in key else value
                    for key, value in COMPOSE.items()
                },
            }
        },
        {"defined_service": "web:"},
    ),
    "the service in its compose file": (
        line_of("number-unnamed"),
        OF_COMPOSE,
        {"defined_service": "web:"},
    ),
    "the value that the line quotes": (
        'FATAL Error: value of "elastic" is forbidden, use a service account',
        OF_COMPOSE,
        {"named_word": "elastic", "word_folder": "/srv/shop"},
    ),
    "the port in a network of its own": (
        "Error: listen tcp 0.0.0.0:4222: bind: address already in use",
        OF_COMPOSE,
        {"port_of": "web", "own_port": "4222"},
    ),
    "the port of the host": (
        "Error: listen tcp 0.0.0.0:4222: bind: address already in use",
        {"HostConfig": {"NetworkMode": "host"}},
        {},
    ),
    "a line that nobody knows": (FRENCH, OF_COMPOSE, {}),
    "scripts of the image": (
        line_of("npm-script"),
        NODE,
        {"file_inside": "web:/app/package.json", "line_inside": "0"},
    ),
    "scripts of a mount": (
        line_of("npm-script"),
        {**NODE, "Mounts": [mounted("/srv/web", "/app")]},
        {"setting_file": "/srv/web/package.json", "setting_line": "0"},
    ),
    "files of data": (
        line_of("innodb-damaged"),
        {"Mounts": [mounted("/srv/db", "/var/lib/mysql")]},
        {"named_folder": "/srv/db"},
    ),
    "two folders that may be it": (
        line_of("innodb-damaged"),
        {"Mounts": [mounted("/srv/a", "/data/a"), mounted("/srv/b", "/data/b")]},
        {},
    ),
    "the certificate of a server": (
        "x509: certificate signed by unknown authority: https://sso.example.com:8443/auth",
        {},
        {"tls_server": "sso.example.com:8443"},
    ),
    "certificates that are mounted": (
        "tls: private key does not match public key",
        {"Mounts": [mounted("/srv/tls", "/etc/nginx/certs"), mounted("/srv/data", "/data")]},
        {"certificates_in": "/srv/tls"},
    ),
    "the whole host in a mount": (
        "tls: private key does not match public key",
        {"Mounts": [mounted("/", "/rootfs"), mounted("/srv/tls", "/etc/nginx/certs")]},
        {"certificates_in": "/srv/tls"},
    ),
    "a project in the root": (
        "failed to decode config file: yaml: unmarshal errors: line 6: field syncer not found in type config.Config",
        {"Config": {"Image": "shop/web:1", "Labels": {f"{PROJECT}.working_dir": "/"}}},
        {},
    ),
    "words of a certificate that nobody knows": (
        "the PEM block of the server is a puzzle",
        {"Mounts": [mounted("/srv/tls", "/etc/nginx/certs")]},
        {"certificates_in": "/srv/tls"},
    ),
    "the host": (line_of("kernel-old"), {}, {"machine_of": "web"}),
    "the devices of the host": (line_of("zigbee-adapter"), {}, {"devices_of": "web"}),
    "the graphics card": (line_of("gpu-driver-old"), {}, {"graphics_of": "web"}),
    "the folders of its neighbours": (line_of("download-elsewhere"), {}, {"mounts_of": "web"}),
    "who else has its data": (
        line_of("sqlite-locked"),
        {"Mounts": [mounted("/srv/web", "/data") | {"Type": "bind", "Name": ""}]},
        {"shared_data": "/srv/web", "shared_mount": "/srv/web"},
    ),
    "who else has its volume": (
        line_of("sqlite-locked"),
        {"Mounts": [mounted("/var/lib/docker/volumes/web/_data", "/data") | {"Name": "web"}]},
        {"shared_data": "/var/lib/docker/volumes/web/_data", "shared_mount": "web"},
    ),
    "the length of its keys": (
        line_of("key-malformed"),
        {"Config": {"Image": "shop/web:1.4.2", "Env": ["APP_KEY=short"]}},
        {"secrets_of": "web"},
    ),
    "keys in a file": (
        line_of("key-malformed"),
        {"Mounts": [mounted("/srv/web/config", "/etc/web")]},
        {"setting_folder": "/srv/web/config"},
    ),
    "its networks": (line_of("no-way-to-ipv6"), {}, {"networks_of": "web"}),
    "what a child printed": (
        line_of("supervisor-gave-up"),
        {},
        {"supervising": "web", "child_logs": "web:/var/log/supervisor"},
    ),
}


def look(line: str, parts: dict[str, Any], *neighbours: Any) -> PageVariables:
    failed = container_in("exited", code=1, **parts)
    failure = LogTail((line,)).failure
    return subject_look(failed, failure, line, of(failed, *neighbours))


@pytest.mark.parametrize(("line", "parts", "expected"), LOOKS.values(), ids=LOOKS)
def test_what_the_line_is_about(line: str, parts: dict[str, Any], expected: PageVariables) -> None:
    assert look(line, parts) == expected


ASKED: dict[str, tuple[str, tuple[Any, ...], PageVariables]] = {
    "the server of which the line speaks": (
        line_of("postgres-role"),
        (POSTGRES, CACHE),
        {
            "asked_server": "db",
            "server_question": r'psql -U shop -d postgres -c "\l" -c "\du"; psql -U shop -d orders -c "\dt"',
        },
    ),
    "its migrations": (
        "Error: P3009; migrate found failed migrations in the target database",
        (POSTGRES,),
        {
            "asked_server": "db",
            "server_question": 'psql -U shop -d orders -xc "TABLE _prisma_migrations ORDER BY started_at DESC LIMIT 3"',
        },
    ),
    "no server": (line_of("postgres-role"), (), {}),
    "a neighbour of another kind": (line_of("postgres-role"), (CACHE,), {}),
    "two that may be it": (
        line_of("postgres-role"),
        (POSTGRES, container("old", Config={"Image": "postgres:12"}, **ON_SHOP)),
        {},
    ),
}


@pytest.mark.parametrize(("line", "neighbours", "expected"), ASKED.values(), ids=ASKED)
def test_a_server_is_asked_what_it_has(
    line: str, neighbours: tuple[Any, ...], expected: PageVariables
) -> None:
    assert look(line, dict(ON_SHOP), *neighbours) == expected


def test_a_server_that_runs_is_asked_itself() -> None:
    line = line_of("postgres-role")
    failure = LogTail((line,)).failure
    assert running_look(POSTGRES, failure, line, of(POSTGRES))["asked_server"] == "db"
    assert running_look(POSTGRES, None, FRENCH, of(POSTGRES)) == {}


@pytest.mark.parametrize("name", LOOKS)
def test_the_command_can_be_read(name: str) -> None:
    """A long one is hidden behind `diagnose follow`."""
    line, parts, _ = LOOKS[name]
    place = {"container": "web", "project_file": "/srv/shop/compose.yaml"}
    variables = {**look(line, parts), **place}
    shown = looks("container.exits-at-start", "confirm", variables, Place())
    assert not is_wall(shown[0].text, 74)


def test_a_mount_that_is_called_like_an_option_is_none() -> None:
    """tar would run it: whoever makes a container chooses the place of a mount."""
    variables = {
        "container": "web",
        "hiding_folder": "/srv/web",
        "hidden_in": "web",
        "hidden_place": "--checkpoint-action=exec=id",
    }
    shown = looks("container.exits-at-start", "confirm", variables, Place())
    assert "tar -t -- --checkpoint-action=exec=id" in shown[0].text


def test_a_key_is_not_shown_line_by_line() -> None:
    """Its folder is: whose certificates lie there, and until when."""
    line = (
        'nginx: [emerg] SSL_CTX_use_PrivateKey("/etc/nginx/certs/site.key") failed '
        "(SSL: error:0B080074:x509 certificate routines:X509_check_private_key:key values mismatch)"
    )
    mount = {"Type": "bind", "Source": "/srv/certs", "Destination": "/etc/nginx/certs"}
    container = container_in("exited", code=1, Mounts=[mount])
    tail = LogTail((line,))
    variables = setting_variables(container, tail, setting_of(container, tail), may_pass=False)
    assert variables["certificates_in"] == "/srv/certs"
    assert "setting_file" not in variables


def test_a_server_on_the_default_network_is_no_neighbour() -> None:
    """Nobody has a name there by which another container could call it."""
    words = "Error 1045: Access denied for user 'shop' (using password: YES)"
    for network, expected in (("bridge", None), ("shop_default", "db")):
        networks = {"NetworkSettings": {"Networks": {network: {"NetworkID": "n1"}}}}
        caller = container_in("exited", code=1, **networks)
        database = container("db", Config={"Image": "mariadb:11"}, **networks)
        case = LookCase(caller, None, words, of(caller, database))
        assert BY_KIND["database"](case).get("asked_server") == expected
