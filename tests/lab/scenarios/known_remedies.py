"""Failures that the table of known failures heals by a command of its own, where a script says what
the real program says: what it needs is there, or is not."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.known_rows import ROOMY, folder
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs.helpers import GOOD, run

PIPED = "--memory=64m"


def _program(box: Box, image: str, script: str, *changes: str, **files: str) -> None:
    """An image whose program is a script; files by their path, with `__` for a slash."""
    held = {path.replace("__", "/"): (text.encode(), 0o644) for path, text in files.items()}
    held["app/run"] = (f"#!/bin/sh\n{script}\nexec sleep 1000\n".encode(), 0o755)
    load(box, image, Recipe(files=held, changes=('CMD ["/app/run"]', *changes)))


@fault(AT_START, subject="container:orders17", shareable=True)
def database_whose_first_start_was_broken_off(box: Box) -> None:
    """The folder of MySQL has files in it, and no database of its own."""
    _program(
        box,
        "mysql:8.0",
        """
        cd /var/lib/mysql
        if [ -n "$(ls -A)" ] && [ ! -e mysql.ibd ]; then
            echo "[ERROR] Fatal error: Can't open and lock privilege tables: Table 'mysql.db' doesn't exist" >&2
            exit 1
        fi
        touch mysql.ibd""",
    )
    box.sh("mkdir -p /srv/orders17 && touch /srv/orders17/ibdata1")
    run(box, "orders17", PIPED, "-v", "/srv/orders17:/var/lib/mysql", "mysql:8.0")
    assert "privilege tables" in ended(box, "orders17")


@fault(AT_START, subject="container:rails17", shareable=True)
def gems_of_an_older_image_in_a_volume(box: Box) -> None:
    """The volume was filled by an older image, and covers what this one has."""
    _program(
        box,
        "rails:17",
        """
        [ -e /usr/local/bundle/rack-2.2.8 ] && exec sleep 1000
        echo 'Could not find rack-2.2.8 in locally installed gems (Bundler::GemNotFound)' >&2
        exit 7""",
        usr__local__bundle__rack="",
        **{"usr__local__bundle__rack-2.2.8": ""},
    )
    box.sh("mkdir -p /srv/rails17 && echo gem >/srv/rails17/rack-2.1.0")
    run(box, "rails17", *GOOD, "-v", "/srv/rails17:/usr/local/bundle", "rails:17")
    assert "Could not find rack" in ended(box, "rails17")


@fault(AT_START, subject="container:ledger17", shareable=True)
def memory_that_a_database_asks_for(box: Box) -> None:
    """SQL Server refuses to start below 96 MiB here, as the real one does below 2000."""
    _program(
        box,
        "mssql:17",
        """
        [ "$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes)" -ge 100663296 ] && exec sleep 1000
        echo 'sqlservr: This program requires a machine with at least 96 megabytes of memory.' >&2
        exit 1""",
    )
    run(box, "ledger17", *GOOD, "mssql:17")
    assert "at least 96 megabytes" in ended(box, "ledger17")


@fault(AT_START, subject="container:broker17", shareable=True)
def broker_under_another_host_name(box: Box) -> None:
    """The data of RabbitMQ belongs to the node of the container before."""
    _program(
        box,
        "rabbitmq:3",
        """
        [ -d "/var/lib/rabbitmq/mnesia/rabbit@$(hostname)" ] && exec sleep 1000
        printf '%s\\n' 'BOOT FAILED' '       {{failed_to_cluster_with,' >&2
        exit 1""",
    )
    data = folder(box, "broker17")
    box.sh(f"mkdir -p {data}/mnesia/rabbit@mq1 {data}/mnesia/rabbit@mq1-plugins-expand")
    run(box, "broker17", *GOOD, "-v", f"{data}:/var/lib/rabbitmq", "rabbitmq:3")
    assert "failed_to_cluster_with" in ended(box, "broker17")


_COMPOSER = """#!/bin/sh
[ "$1" = install ] && [ -e composer.json ] && mkdir -p vendor && touch vendor/autoload.php
"""


@fault(
    "container.mount-source-missing", subject="container:site17", also=[AT_START], shareable=True
)
def sources_without_their_packages(box: Box) -> None:
    """The sources of a site were cloned, and nobody has run composer."""
    tool = Recipe(files={"bin/composer": (_COMPOSER.encode(), 0o755)})
    load(box, "composer:2", tool)
    _program(
        box,
        "php:17",
        """
        [ -e vendor/autoload.php ] && exec sleep 1000
        echo "PHP Fatal error:  Failed opening required '/var/www/html/vendor/autoload.php'" >&2
        exit 255""",
        "WORKDIR /var/www/html",
    )
    sources = folder(box, "site17")
    box.write(f"{sources}/composer.json", "{}\n")
    run(box, "site17", *ROOMY, "--memory=64m", "-v", f"{sources}:/var/www/html", "php:17")
    assert "vendor/autoload.php" in ended(box, "site17")


@fault(AT_START, subject="container:ledger18", shareable=True)
def program_of_a_newer_java(box: Box) -> None:
    """An archive that was compiled for Java 21, on an image of Java 17 alone."""
    line = (
        "java.lang.UnsupportedClassVersionError: Main has been compiled by a more recent version "
        "of the Java Runtime (class file version 65.0)"
    )
    _program(box, "openjdk:17", f"echo '{line}' >&2\nexit 1")
    _program(box, "openjdk:21", "exec sleep 1000")
    run(box, "ledger18", *GOOD, "openjdk:17", "/app/run")
    assert "class file version" in ended(box, "ledger18")


@fault(AT_START, subject="container:mesh17", shareable=True)
def command_that_repeats_the_entrypoint(box: Box) -> None:
    """The image starts the program itself, and the command names it once more."""
    script = """#!/bin/sh
[ "$1" = serve ] && exec sleep 1000
echo "Error: unknown command \\"$1\\" for \\"mesh\\"" >&2
exit 1
"""
    files = {"usr/bin/mesh": (script.encode(), 0o755)}
    load(box, "mesh:17", Recipe(files, ('ENTRYPOINT ["/usr/bin/mesh"]',)))
    run(box, "mesh17", *GOOD, "mesh:17", "mesh", "serve")
    assert "unknown command" in ended(box, "mesh17")
    command = first_command(box, AT_START, "mesh17")
    assert command.endswith("recreate mesh17 --command serve | sh"), command


@healthy(shareable=True)
def command_of_the_entrypoint_alone(box: Box) -> None:
    """The same image with its command alone."""
    files = {"usr/bin/mesh": (b"#!/bin/sh\n[ $1 = serve ] && exec sleep 1000\n", 0o755)}
    load(box, "mesh:18", Recipe(files, ('ENTRYPOINT ["/usr/bin/mesh"]',)))
    run(box, "mesh18", *GOOD, "mesh:18", "serve")
