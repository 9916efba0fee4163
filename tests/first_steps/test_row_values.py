"""The values that a row puts into a command: words, lists, limits, locks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.settings.changed_words import commented_out, line_commented_out
from diagnose.evidence.engine.info import Info
from diagnose.first_steps.rows.row_steps import row_steps
from diagnose.programs.failures import FAILURES, recognise, remedies
from diagnose.programs.families import FAMILIES
from diagnose.programs.telling_line import TellingLine
from diagnose.runbooks import Place, cure
from tests.checks.container.evidence import container_in
from tests.first_steps.rows import APP, NODE_LOCKED, REDIS, line_of, mounted, steps
from tests.inspected import container as inspected
from tests.inspected import of


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


@pytest.mark.parametrize("line", ["shop:", "  shop: ", "shop {", "shop: |", "- shop: ["])
def test_a_line_that_opens_a_block_stays(line: str, tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    text = f"{line}\n    port: 1\n"
    file.write_text(text)
    for number in (0, 1):
        edit = line_commented_out(str(file), number, "shop")["edit"]
        subprocess.run(["sed", "-i", edit, str(file)], check=True)
    assert file.read_text() == text


@pytest.mark.parametrize("option", ["--", "-u", "u"])
def test_an_option_of_one_letter_is_in_no_file(option: str) -> None:
    mounts = [mounted("/srv/app.conf", "/etc/app.conf")]
    assert commented_out(inspected("web", Mounts=mounts), option) == {}


def test_a_certificate_elsewhere_is_not_in_the_folder_of_links() -> None:
    line = 'nginx: [emerg] cannot load certificate "/tls/a.pem": (No such file or directory)'
    parts = {"Mounts": [mounted("/etc/letsencrypt/live", "/etc/letsencrypt/live")]}
    assert steps("nginx-certificate", parts, line=line) == {}


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["/bin/sh", "-c", "n8n start --tunnel"], "start --tunnel"),
        (["n8n", "worker"], "worker"),
        (["/bin/sh", "-c", "sleep 5; n8n start"], None),
        (["start"], None),
    ],
)
def test_the_image_starts_the_program_itself(words: list[str], left: str | None) -> None:
    line = "Error: command /bin/sh not found"
    changed = steps("n8n-command", {"Config": {"Cmd": words}}, line=line)
    assert changed == ({"new_command": left} if left else {})


@pytest.mark.parametrize(
    ("entrypoint", "words", "left"),
    [
        (["/ko-app/headscale"], ["headscale", "serve"], "serve"),
        (["/entrypoint.sh"], ["headscale", "serve"], None),
        (["/ko-app/headscale"], ["serve", "headscale"], None),
        ([], ["headscale", "serve"], None),
    ],
)
def test_the_entrypoint_is_the_program_itself(
    entrypoint: list[str], words: list[str], left: str | None
) -> None:
    line = 'Error: unknown command "headscale" for "headscale"'
    config = {"Config": {"Entrypoint": entrypoint, "Cmd": words}}
    changed = steps("unknown-command", config, line=line)
    assert changed == ({"new_command": left} if left else {})


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
    """The first process of this machine is not a server of PHP."""
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
    ("image", "expected"), [("postgres:16", "psql"), ("mariadb:11", "mariadb"), ("redis:7", "")]
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
    """Node.js 20 takes 4144 MiB by itself on a host with 23 GiB: less would not be a cure."""
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
