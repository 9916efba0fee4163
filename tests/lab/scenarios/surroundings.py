"""What a program in a container does not get: a shell, a time zone database, its variables."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from tests.lab import Box, fault, healthy, images
from tests.lab.images import Recipe, load
from tests.lab.programs import install_compose
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, logs, run

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


_REFUSES = """[ "$NODE_PASSWORD" = 'open$sesame' ] && exec sleep 1000
echo "$(date +%T) could not decrypt key with given password"; exit 1"""


def _of_project(box: Box, name: str, env_file: str) -> str:
    """A container that compose has made with one part of a password; what it says in the end."""
    box.write(f"/srv/{name}/.env", env_file)
    box.write(f"/srv/{name}/compose.yaml", "services:\n  node:\n    env_file: .env\n")
    marks = {
        "project": name,
        "service": "node",
        "project.working_dir": f"/srv/{name}",
        "project.config_files": f"/srv/{name}/compose.yaml",
    }
    labels = [f"--label=com.docker.compose.{key}={value}" for key, value in marks.items()]
    run(box, name, *GOOD, *labels, "--env=NODE_PASSWORD=open", "bb:1.36", "sh", "-c", _REFUSES)
    return ended(box, name)


@fault("container.variable-malformed", subject="container:node21", also=[AT_START], shareable=True)
def password_with_a_dollar_sign(box: Box) -> None:
    """`.env` has a password with a bare $: compose has left out what follows it."""
    assert "could not decrypt" in _of_project(box, "node21", 'A=1\nNODE_PASSWORD="open$sesame"\n')
    assert box.inspect("node21")["Config"]["Env"][0] == "NODE_PASSWORD=open"
    command = first_command(box, "container.variable-malformed", "node21")
    box.sh(command.splitlines()[0])
    assert box.read("/srv/node21/.env") == "A=1\nNODE_PASSWORD='open$sesame'\n"
    box.write("/srv/node21/.env", 'A=1\nNODE_PASSWORD="open$sesame"\n')


@fault(AT_START, subject="container:node22", shareable=True)
def password_that_is_simply_wrong(box: Box) -> None:
    """The same with a password whose $ is meant as one, beside a folder of the user's."""
    assert "could not decrypt" in _of_project(
        box, "node22", "NODE_PASSWORD='open$sesame'\nNODE_TOKEN_FILE=$HOME/token\n"
    )


_REFUSED_AGAIN = (
    "while :; do echo 'FATAL: password authentication failed for user shop' >&2; sleep 1; done"
)


@fault("container.variable-malformed", subject="container:till52-api-1", exit_code=1)
def password_with_a_dollar_sign_of_a_program_that_tries_again(box: Box) -> None:
    """The compose file itself has the password, and its program is refused again and again."""
    images.load(box, "bb:1.36")
    install_compose(box)
    text = (
        "services:\n  api:\n    image: bb:1.36\n    init: true\n    mem_limit: 64m\n"
        f'    pids_limit: 64\n    command: ["sh", "-c", "{_REFUSED_AGAIN}"]\n'
        "    environment:\n      DB_PASSWORD: pa$word9\n"
    )
    box.write("/srv/till52/compose.yaml", text)
    box.sh("cd /srv/till52 && docker compose up --detach 2>&1", timeout=60)
    assert "DB_PASSWORD=pa" in box.inspect("till52-api-1")["Config"]["Env"]
    box.sh("sleep 8")


def _silent_program(box: Box, number: int, code: str) -> str:
    """A program whose env file has a secret with a dollar sign; the variable in the container."""
    images.load(box, "bb:1.36")
    install_compose(box)
    folder = f"/srv/desk{number}"
    text = (
        "services:\n  desk:\n    image: bb:1.36\n    init: true\n    mem_limit: 64m\n"
        '    pids_limit: 64\n    env_file: desk.env\n    command: ["sleep", "1000"]\n'
    )
    box.write(f"{folder}/compose.yaml", text)
    box.write(f"{folder}/desk.env", f"DESK_ADMIN_PASSWORD={code}\n")
    box.sh(f"cd {folder} && docker compose up --detach 2>&1", timeout=60)
    return str(box.inspect(f"desk{number}-desk-1")["Config"]["Env"][0])


@fault("container.variable-malformed", subject="container:desk53-desk-1", shareable=True)
def password_with_a_dollar_sign_that_nobody_refuses(box: Box) -> None:
    """Nothing is logged: the program runs with what compose has left of the password; the first
    line of the command quotes it in its file."""
    assert _silent_program(box, 53, "open$sesame-7") == "DESK_ADMIN_PASSWORD=open-7"
    command = first_command(box, "container.variable-malformed", "desk53-desk-1")
    box.sh(command.splitlines()[0])
    assert box.read("/srv/desk53/desk.env") == "DESK_ADMIN_PASSWORD='open$sesame-7'\n"
    box.write("/srv/desk53/desk.env", "DESK_ADMIN_PASSWORD=open$sesame-7\n")


@healthy(shareable=True)
def password_with_a_dollar_sign_in_quotes(box: Box) -> None:
    """The same password in quotes, and a reference that is meant."""
    assert _silent_program(box, 54, "'open$sesame-7'") == "DESK_ADMIN_PASSWORD=open$sesame-7"


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


_CLOCK = "while :; do date '+%Y-%m-%d %H:%M:%S INFO tick'; sleep 1; done"
ZONES = "/usr/share/zoneinfo:/usr/share/zoneinfo:ro"


def _clock(box: Box, name: str, zone: str, *options: str) -> None:
    """A program that writes the local time each second."""
    own = ("--restart=unless-stopped", f"--env=TZ={zone}", *options)
    run(box, name, *GOOD, *own, "bb:1.36", "sh", "-c", _CLOCK)
    box.wait_for(lambda: logs(box, name).count("tick") >= 4, what="the times")


def _ahead_of_utc(box: Box, name: str) -> float:
    """How many seconds the time of its last line is ahead of UTC."""
    stated = datetime.fromisoformat(logs(box, name).splitlines()[-1][:19])
    return stated.replace(tzinfo=UTC).timestamp() - time.time()


@fault("container.zone-unknown", subject="container:clock21", shareable=True)
def clock_without_its_zone(box: Box) -> None:
    """The image does not know the zone that TZ names, and the C library takes UTC."""
    _clock(box, "clock21", "Asia/Tokyo")
    assert abs(_ahead_of_utc(box, "clock21")) < 300
    command = first_command(box, "container.zone-unknown", "clock21")
    assert command == f"diagnose recreate clock21 -- --volume={ZONES} | sh", command


@fault("container.zone-unknown", subject="container:jobs21", shareable=True)
def cron_without_its_zone(box: Box) -> None:
    """Cron runs its jobs by UTC: the image does not know the zone, and no log shows it."""
    own = ("--env=TZ=Asia/Tokyo", "--memory=64m", "--pids-limit=64")
    run(box, "jobs21", *own, "bb:1.36", "sh", "-c", "mkdir -p /tabs; exec crond -f -c /tabs")
    box.wait_state("jobs21", "running", 60)


@healthy(shareable=True)
def clock_with_its_zone(box: Box) -> None:
    """The same program with the mount that the command gives, and one that is to use UTC."""
    _clock(box, "clock22", "Asia/Tokyo", f"--volume={ZONES}")
    _clock(box, "clock23", "UTC")
    assert _ahead_of_utc(box, "clock22") > 8 * 3600


@fault("container.zone-unknown", subject="container:clock31", shareable=True)
def clock_with_a_misspelt_zone(box: Box) -> None:
    """The parts of the zone are the wrong way round, and the program writes UTC."""
    mounted = f"--volume={ZONES}"
    _clock(box, "clock31", "Tokyo/Asia", mounted)
    assert abs(_ahead_of_utc(box, "clock31")) < 300
    command = first_command(box, "container.zone-unknown", "clock31")
    assert command == "diagnose recreate clock31 -- --env=TZ=Asia/Tokyo | sh", command


@fault("container.zone-unknown", subject="container:jobs33", exit_code=0)
def schedule_without_a_zone(box: Box) -> None:
    """The host is on the time of Tokyo, and the container has a schedule and no zone."""
    box.sh("ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime")
    own = ("--restart=unless-stopped", "--env=BACKUP_CRON=0 3 * * *", "--init")
    run(box, "jobs33", *GOOD, *own, "bb:1.36", "sleep", "1000")
    box.wait_state("jobs33", "running", 60)
    command = first_command(box, "container.zone-unknown", "jobs33")
    assert command == "diagnose recreate jobs33 -- --env=TZ=Asia/Tokyo | sh", command


@healthy(shareable=True)
def clock_with_a_rule_of_hours(box: Box) -> None:
    """A rule needs no database of zones."""
    _clock(box, "clock32", "JST-9")
    assert _ahead_of_utc(box, "clock32") > 8 * 3600


_CRON = b"""#!/bin/sh
# an environment of its own for each job, with what PAM reads
while :; do
    env -i sh -c 'set -a; . /etc/environment; exec /job' ; sleep 1
done
"""
_JOB = b"""#!/bin/sh
[ -n "$TARGET_URL" ] && { echo "sent to $TARGET_URL"; exit; }
echo "KeyError: 'TARGET_URL'"
"""


def _cron(box: Box, name: str, *options: str) -> None:
    """A stand-in for Debian's cron, and a job that misses a variable."""
    files = {"sbin/cron": (_CRON, 0o755), "job": (_JOB, 0o755), "etc/environment": (b"", 0o644)}
    load(box, "team/jobs:1", Recipe(files))
    own = ("--memory=64m", "--pids-limit=64", "--env=TARGET_URL=http://db/", *options)
    run(box, name, *own, "team/jobs:1", "/sbin/cron", "-f")


@fault("container.errors-in-log", subject="container:jobs21", exit_code=1, shareable=True)
def variable_that_cron_does_not_pass_on(box: Box) -> None:
    """The container has the variable, and cron's jobs do not; the command hands it over."""
    _cron(box, "jobs21")
    box.wait_for(lambda: logs(box, "jobs21").count("KeyError") >= 6, what="the errors")
    command = first_command(box, "container.errors-in-log", "jobs21")
    box.sh(command)
    box.wait_for(lambda: "sent to" in logs(box, "jobs21"), what="the job to work")
    box.docker("exec", "jobs21", "sh", "-c", ": >/etc/environment")
    before = logs(box, "jobs21").count("KeyError")
    enough = before + 12
    box.wait_for(lambda: logs(box, "jobs21").count("KeyError") >= enough, what="the errors")


@healthy(shareable=True)
def variable_that_cron_is_handed(box: Box) -> None:
    """The same, and a start script has written the variables down for cron."""
    _cron(box, "jobs22")
    box.docker("exec", "jobs22", "sh", "-c", "env >>/etc/environment")
    box.wait_for(lambda: "sent to" in logs(box, "jobs22"), what="the job to work")


_BUILD = """
[ -e package.json ] && exec sleep 1000
echo "npm error enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/src/package.json'"
exit 254
"""


def _runner(box: Box, name: str) -> str:
    """A program with the engine's socket, whose workspace lies in a volume; returns its path."""
    home = f"/home/{name}"
    mounts = ("-v", f"{name}:{home}", "-v", "/run/docker.sock:/var/run/docker.sock")
    run(box, name, "--memory=64m", "--pids-limit=64", *mounts, "bb:1.36", "sleep", "1000")
    make = f"mkdir -p {home}/app && echo '{{}}' >{home}/app/package.json"
    box.docker("exec", name, "sh", "-c", make)
    return f"{home}/app"


@fault(
    "container.mount-source-missing", subject="container:build21", also=[AT_START], shareable=True
)
def path_of_the_container_that_asked(box: Box) -> None:
    """A runner in a container mounts its workspace into a sibling: the host has nothing there."""
    path = _runner(box, "runner21")
    run(box, "build21", *GOOD, "-w", "/src", "-v", f"{path}:/src", "bb:1.36", "sh", "-c", _BUILD)
    assert "ENOENT" in ended(box, "build21")
    command = first_command(box, "container.mount-source-missing", "build21")
    owned = "/var/lib/docker/volumes/runner21/_data/app"
    wanted = (
        f"ls -ld {owned} && diagnose recreate build21 --unmount /src -- --volume={owned}:/src | sh"
    )
    assert command == wanted, command


_HEALER = """
n=0
while [ $n -lt 4 ]; do
  for id in $(curl -sS --unix-socket /var/run/docker.sock \\
      'http://d/containers/json?filters=%7B%22health%22%3A%5B%22unhealthy%22%5D%7D' |
      tr , '\\n' | sed -n 's/.*"Id":"\\([0-9a-f]*\\)".*/\\1/p'); do
    echo "Container $id found to be unhealthy - Restarting container now"
    curl -sS -X POST --unix-socket /var/run/docker.sock "http://d/containers/$id/restart?t=1"
    n=$((n + 1))
  done
  sleep 1
done
echo "Gives up"
exec sleep 1000
"""
"""It gives up after four restarts: a report must not meet the moment of one."""
_PROBED = ("--health-interval=1s", "--health-retries=2")
_SERVES = "trap exit TERM; httpd -f -p 8080 -h /www & wait"


def _healed(box: Box, name: str, probe: str, *options: str) -> None:
    """A server that works, and a container that restarts what is unhealthy."""
    mounts = (*MACHINE, "-v", "/run/docker.sock:/var/run/docker.sock")
    path = ("-e", "PATH=/bin:/usr/bin")
    healer = ("bb:1.36", "sh", "-c", _HEALER)
    run(box, f"healer-{name}", "--memory=64m", "--pids-limit=64", *path, *mounts, *healer)
    checked = (*_PROBED, *options, f"--health-cmd={probe}", "--restart=unless-stopped")
    run(box, name, *GOOD, *checked, "bb:1.36", "sh", "-c", _SERVES)


@fault("container.unhealthy", subject="container:healed21")
def server_that_is_restarted_for_its_probe(box: Box) -> None:
    """The probe asks for a page that is not there, and something restarts the server each time."""
    _healed(box, "healed21", "wget -qO- http://127.0.0.1:8080/healthz")
    box.wait_for(lambda: "Gives up" in logs(box, "healer-healed21"), 90, "the restarts")
    box.wait_health("healed21", "unhealthy")


@fault("container.unhealthy", subject="container:healed23")
def server_that_is_restarted_for_the_port_of_its_probe(box: Box) -> None:
    """An update moved the server from port 80 to 8080, and its probe still asks port 80."""
    _healed(box, "healed23", "wget -qO- http://localhost/up")
    box.wait_for(lambda: "Gives up" in logs(box, "healer-healed23"), 90, "the restarts")
    box.wait_health("healed23", "unhealthy")
    command = first_command(box, "container.unhealthy", "healed23")
    wanted = "diagnose recreate healed23 -- --health-cmd='wget -qO- http://localhost:8080/up' | sh"
    assert command == wanted, command


@healthy(shareable=True)
def server_that_nothing_restarts(box: Box) -> None:
    """The same two, and the probe asks for a page that is there."""
    _healed(box, "healed22", "wget -qO- http://127.0.0.1:8080/", "--health-retries=30")
    box.wait_health("healed22", "healthy")
