"""What self-hosted applications say when they end: by real programs of the machine where it has
them, by the lines of the application elsewhere; most heal by the first command."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.named_settings import AT_START, PYTHON, ended
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, POSTGRES, logs, run

_OPTION = "container.option-missing"
_AS_ROOT = ["--memory=64m", "--pids-limit=64"]
_NODE = "/usr/bin/node"


def _meaning(box: Box, check: str, name: str) -> str:
    """What the report says that the line means."""
    findings = box.diagnose("check", check, "--format", "json").findings
    (finding,) = [
        finding
        for finding in findings
        if (finding["id"], finding["subject"]["name"]) == (check, name)
    ]
    return str(finding["evidence"].get("this means", finding["summary"]))


_WANTS_ROOT = """
[ "$(id -u)" = 0 ] && exec sleep 1000
echo '2024/09/24 11:38:23.512418 [info] Checking if AdGuard Home has necessary permissions'
echo '2024/09/24 11:38:23.512427 [fatal] This is the first launch of AdGuard Home. You must run it as Administrator.'
exit 1
"""


@fault(_OPTION, subject="container:filter30", also=[AT_START], shareable=True)
def program_that_has_to_be_root(box: Box) -> None:
    """The image's user is not the one as which the program's first start has to run."""
    run(box, "filter30", *GOOD, "bb:1.36", "sh", "-c", _WANTS_ROOT)
    assert "You must run it as Administrator" in ended(box, "filter30")
    command = "diagnose recreate filter30 -- --user=0 | sh"
    assert first_command(box, _OPTION, "filter30") == command


_FRAMES = """
import mmap, os, time
with open("/dev/shm/frames", "wb+") as frames:
    os.ftruncate(frames.fileno(), 100 << 20)
    held = mmap.mmap(frames.fileno(), 100 << 20)
    for place in range(0, 100 << 20, 4096):
        held[place] = 1
time.sleep(1000)
"""


@fault(_OPTION, subject="container:cameras30", also=[AT_START], shareable=True)
def frames_that_do_not_fit_into_shared_memory(box: Box) -> None:
    """Python's faulthandler names the bus error of a program whose /dev/shm is full."""
    limits = ["--memory=400m", "--pids-limit=64", "--user=1000:1000", *MACHINE]
    run(box, "cameras30", *limits, "bb:1.36", PYTHON, "-X", "faulthandler", "-c", _FRAMES)
    assert "Fatal Python error: Bus error" in ended(box, "cameras30")
    command = "diagnose recreate cameras30 -- --shm-size=1g | sh"
    assert first_command(box, _OPTION, "cameras30") == command


_AIO = """
[ -e /var/run/docker.sock ] && exec sleep 1000
echo 'Trying to fix docker.sock permissions internally...'
echo 'Docker socket is not available. Cannot continue.'
echo 'Please make sure to mount the docker socket into /var/run/docker.sock inside the container!'
exit 1
"""


@fault(_OPTION, subject="container:master30", also=[AT_START], shareable=True)
def program_without_the_socket_that_it_commands(box: Box) -> None:
    """A program that makes its own containers was not given the engine's socket."""
    run(box, "master30", *_AS_ROOT, "bb:1.36", "sh", "-c", _AIO)
    assert "Docker socket is not available" in ended(box, "master30")
    socket = "/var/run/docker.sock"
    command = f"diagnose recreate master30 -- --volume={socket}:{socket} | sh"
    assert first_command(box, _OPTION, "master30") == command


_UNBUILT = """#!/bin/sh
case "$*" in *--optimized*)
    echo "The '--optimized' flag was used for first ever server start. Please don't use this flag for the \
first startup or use 'kc.sh build' to build the server first."
    exit 1 ;;
esac
exec sleep 1000
"""


@fault(AT_START, subject="container:login30", shareable=True)
def option_that_only_a_built_image_takes(box: Box) -> None:
    """Keycloak is told to leave out a build that the stock image never had."""
    files = {"kc.sh": (_UNBUILT.encode(), 0o755)}
    load(box, "login:30", Recipe(files=files, changes=('ENTRYPOINT ["/kc.sh"]',)))
    run(box, "login30", *GOOD, "login:30", "start", "--optimized")
    assert "--optimized" in ended(box, "login30")
    command = "diagnose recreate login30 --command start | sh"
    assert first_command(box, AT_START, "login30") == command


_WEB = """
[ -e /jellyfin/jellyfin-web/index.html ] && exec sleep 1000
echo '[10:00:01] [FTL] [1] Main: Error while starting server'
echo 'System.InvalidOperationException: The server is expected to host the web client, but the provided \
content directory is either invalid or empty: /jellyfin/jellyfin-web. If you do not want to host it, say so'
exit 1
"""


@fault(AT_START, subject="container:films30", shareable=True)
def mount_that_hides_the_web_client(box: Box) -> None:
    """An empty folder of the host is mounted over the files that the image has."""
    files = {"jellyfin/jellyfin-web/index.html": (b"films\n", 0o644)}
    load(box, "films:30", Recipe(files=files))
    box.sh("mkdir -p /srv/films30")
    mount = ["-v", "/srv/films30:/jellyfin/jellyfin-web"]
    run(box, "films30", *GOOD, *mount, "films:30", "sh", "-c", _WEB)
    assert "content directory" in ended(box, "films30")
    command = first_command(box, AT_START, "films30")
    assert command == "diagnose recreate films30 --unmount /jellyfin/jellyfin-web | sh", command


_SAVED = "openssl enc -aes-256-cbc -pbkdf2 -pass env:APP_KEY"


@fault(AT_START, subject="container:vault30", shareable=True)
def key_that_is_not_the_one_of_before(box: Box) -> None:
    """OpenSSL cannot read what was saved with another key."""
    box.sh(
        f"mkdir -p /srv/vault30 && echo notes | APP_KEY=made-up-blue {_SAVED} >/srv/vault30/saved"
    )
    limits = [*GOOD, *MACHINE, "-v", "/srv/vault30:/data:ro", "--env=APP_KEY=made-up-red"]
    opens = f"{_SAVED} -d -in /data/saved && exec sleep 1000; exit 1"
    run(box, "vault30", *limits, "bb:1.36", "/usr/bin/env", "sh", "-c", opens)
    assert "bad decrypt" in ended(box, "vault30")
    assert "with another key" in _meaning(box, AT_START, "vault30")


_READS = "require('fs').readFileSync('/data/upload/.immich'); setInterval(() => {}, 1000)"


@fault(
    AT_START, subject="container:photos30", also=["container.mount-source-missing"], shareable=True
)
def folder_without_the_mark_of_its_program(box: Box) -> None:
    """Node.js does not find the file by which an application knows its own folder."""
    box.sh("mkdir -p /srv/photos30/upload && chown -R 1000:1000 /srv/photos30")
    limits = ["--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL", "--memory=128m"]
    mount = [*MACHINE, "-v", "/srv/photos30:/data"]
    run(box, "photos30", *limits, *mount, "bb:1.36", _NODE, "-e", _READS)
    assert "ENOENT" in ended(box, "photos30")
    assert "not the one that the program has written" in _meaning(box, AT_START, "photos30")


@fault(AT_START, subject="container:query30", shareable=True)
def database_that_was_to_run_in_the_same_container(box: Box) -> None:
    """psql looks for the socket of a server beside it, and there is none."""
    client = ("/usr/bin/env", f"{POSTGRES}/psql", "--username=shop", "--command=select 1")
    run(box, "query30", *GOOD, *MACHINE, "bb:1.36", *client)
    assert ".s.PGSQL.5432" in ended(box, "query30")
    assert "none runs in its own container" in _meaning(box, AT_START, "query30")


_CUT = """
if grep -q "$(printf '\\r')" /mosquitto/config/mosquitto.conf; then
    printf '1631261934: Error: Invalid protocol value (websockets\\r).\\n'
    echo '1631261934: Error found at /mosquitto/config/mosquitto.conf:2.'
    exit 3
fi
exec sleep 1000
"""


@fault(AT_START, subject="container:broker30", shareable=True)
def configuration_with_the_line_ends_of_windows(box: Box) -> None:
    """A broker takes the carriage return at the end of a line for a part of its value."""
    box.write("/srv/broker30.conf", "listener 9001\r\nprotocol websockets\r\n")
    mount = ["-v", "/srv/broker30.conf:/mosquitto/config/mosquitto.conf"]
    run(box, "broker30", *GOOD, *mount, "bb:1.36", "sh", "-c", _CUT)
    assert "Invalid protocol value" in ended(box, "broker30")
    assert "carriage return" in _meaning(box, AT_START, "broker30")
    command = first_command(box, AT_START, "broker30")
    assert "s/\\r$//" in command, command
    assert "/srv/broker30.conf" in command, command


_TOLD = """
[ -n "$APP_KEY" ] && exec sleep 1000
echo 'Please re-run this container with an environment variable $APP_KEY'
echo 'An example APP_KEY you could use is: '
echo 'base64:6M3RwWh4re1FQGMTent3hON9D7ZJJgHxW123456789A='
exit 1
"""


@fault("container.variable-missing", subject="container:assets30", also=[AT_START], shareable=True)
def variable_that_a_start_script_asks_for(box: Box) -> None:
    """The last line is an example of the value, and the first one says what is missing."""
    run(box, "assets30", *GOOD, "bb:1.36", "sh", "-c", _TOLD)
    assert "re-run this container" in ended(box, "assets30")
    command = first_command(box, "container.variable-missing", "assets30")
    assert command.startswith("read -r APP_KEY && export APP_KEY && diagnose recreate assets30")


_TOO_OLD = """
echo 'ERROR web[][o.s.s.p.Platform] Web server startup failed: Unsupported postgresql version: 9.6. Minimal \
supported version is 11.0.'
echo 'INFO  app[][o.s.a.SchedulerImpl] SonarQube is stopped'
exit 1
"""


@fault(AT_START, subject="container:quality30", shareable=True)
def database_server_that_is_too_old(box: Box) -> None:
    """The program was upgraded, and the image of its database was not."""
    run(box, "quality30", *GOOD, "bb:1.36", "sh", "-c", _TOO_OLD)
    assert "Minimal supported version" in ended(box, "quality30")
    assert "needs postgresql 11.0 or newer" in _meaning(box, AT_START, "quality30")


_NO_ADDRESS = """
while :; do
    echo 'time="2024-05-01T10:00:00Z" level=error msg="service \\"app-shop\\" error: unable to find the IP \
address for the container \\"/app30\\": the server is ignored" container=app-shop-0123 providerName=docker'
    sleep 1
done
"""


@fault("container.errors-in-log", subject="container:edge30", exit_code=1, shareable=True)
def proxy_without_a_network_of_its_program(box: Box) -> None:
    """A proxy that reads labels is in no network of the container that has them."""
    run(box, "edge30", *GOOD, "bb:1.36", "sh", "-c", _NO_ADDRESS)
    box.wait_for(lambda: logs(box, "edge30").count("is ignored") > 3, what="its complaints")
    assert "finds no address of container app30" in _meaning(
        box, "container.errors-in-log", "edge30"
    )


_LATE = """
for attempt in 1 2 3 4; do
    echo '{"event": "PostgreSQL connection failed, retrying... (connection refused)", "level": "info"}'
    sleep 1
done
while :; do echo '{"event": "task finished, 3 rows saved", "level": "info"}'; sleep 1; done
"""


@healthy(shareable=True)
def program_that_has_reached_its_database(box: Box) -> None:
    """It has called its database in vain at its start, and works since."""
    run(box, "late30", *GOOD, "bb:1.36", "sh", "-c", _LATE)
    box.wait_for(lambda: logs(box, "late30").count("saved") > 4, what="its work")
    findings = box.diagnose("check", "container.errors-in-log", "--format", "json").findings
    assert [finding for finding in findings if finding["subject"]["name"] == "late30"] == []


_LISTS = """
while :; do
    echo ' ✓ 212 rules loaded, certificate of the web page is valid'
    echo ' [✓] a new certificate was obtained, 3 challenges passed'
    sleep 1
done
"""


@healthy(shareable=True)
def program_that_ticks_what_it_has_done(box: Box) -> None:
    """Marks at the beginning of its lines, and the words of the complaints."""
    run(box, "ticks30", *GOOD, "bb:1.36", "sh", "-c", _LISTS)
    box.wait_for(lambda: logs(box, "ticks30").count("passed") > 4, what="its lines")
    findings = box.diagnose("check", "container.errors-in-log", "--format", "json").findings
    assert [finding for finding in findings if finding["subject"]["name"] == "ticks30"] == []
