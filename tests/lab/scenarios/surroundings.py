"""What a program in a container does not get: a shell, a time zone database, its variables."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday import first_command
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs import GOOD, logs, run

_SERVE = b"""#!/bin/sh
case $2 in *'$'*)
    port=${2##*:}
    [ -n "$EXPANDS" ] || { echo "Error: '$port' is not a valid port number."; exit 1; }
    echo "listening at $2" ;;
esac
exec httpd -f -p 8000 -h /www
"""


def _front(box: Box, name: str, *options: str) -> None:
    """A stand-in for gunicorn, started by a command in the exec form."""
    command = 'CMD ["gunicorn","--bind","0.0.0.0:$PORT","app:app"]'
    load(box, "team/front:5.0", Recipe({"bin/gunicorn": (_SERVE, 0o755)}, (command,)))
    run(box, name, *GOOD, "--env=PORT=8000", *options, "team/front:5.0")


@fault("container.variable-malformed", subject="container:front21", also=[AT_START], shareable=True)
def variable_in_a_command_without_a_shell(box: Box) -> None:
    """The command has $PORT in its exec form: no shell replaces it. The command writes it out."""
    _front(box, "front21")
    assert "'$PORT' is not a valid port number" in ended(box, "front21")
    command = first_command(box, "container.variable-malformed", "front21")
    wanted = "diagnose recreate front21 --command 'gunicorn --bind 0.0.0.0:8000 app:app' | sh"
    assert command == wanted, command


@fault("container.variable-malformed", subject="container:lost21", also=[AT_START], shareable=True)
def variable_in_a_value_that_nothing_replaces(box: Box) -> None:
    """`--env-file` has a value that names another variable: the program gets the name."""
    box.write("/srv/lost21.env", "DB_HOST=db\nTARGET=http://${DB_HOST}/status\n")
    script = 'case $TARGET in *{*) echo "error: invalid url: $TARGET"; exit 1;; esac; sleep 1000'
    run(box, "lost21", *GOOD, "--env-file=/srv/lost21.env", "bb:1.36", "sh", "-c", script)
    assert "${DB_HOST}" in ended(box, "lost21")
    command = first_command(box, "container.variable-malformed", "lost21")
    assert command == "diagnose recreate lost21 -- --env=TARGET=http://db/status | sh", command


@healthy(shareable=True)
def program_that_replaces_variables_itself(box: Box) -> None:
    """The same command, and the program knows what $PORT is."""
    _front(box, "front22", "--env=EXPANDS=1")
    box.wait_for(lambda: "listening" in logs(box, "front22"), what="the server to listen")


_BILLING = b"""#!/bin/sh
[ -e "/usr/share/zoneinfo/$ZONE" ] && exec sleep 1000
echo "panic: unknown time zone $ZONE" >&2
exit 2
"""


def _billing(box: Box, name: str, *options: str) -> None:
    """A stand-in for a program in Go, which looks for a time zone where Go does."""
    recipe = Recipe({"billing": (_BILLING, 0o755)}, ('ENTRYPOINT ["/billing"]',))
    load(box, "team/billing:3.2", recipe)
    run(box, name, *GOOD, "--env=ZONE=Europe/Berlin", *options, "team/billing:3.2")


@fault("container.option-missing", subject="container:billing21", also=[AT_START], shareable=True)
def image_without_time_zones(box: Box) -> None:
    """The image has no time zone database: the host's own, mounted, is what the program needs."""
    _billing(box, "billing21")
    assert "unknown time zone Europe/Berlin" in ended(box, "billing21")
    command = first_command(box, "container.option-missing", "billing21")
    wanted = (
        "diagnose recreate billing21 -- --volume=/usr/share/zoneinfo:/usr/share/zoneinfo:ro | sh"
    )
    assert command == wanted, command


@healthy(shareable=True)
def image_with_the_hosts_time_zones(box: Box) -> None:
    """The same program with the mount."""
    _billing(box, "billing22", "--volume=/usr/share/zoneinfo:/usr/share/zoneinfo:ro")
    box.wait_state("billing22", "running")
