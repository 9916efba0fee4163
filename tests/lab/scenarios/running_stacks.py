"""Stacks of compose in which every container runs, and something is not done; and look-alikes."""

from __future__ import annotations

import shlex

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import install_compose
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE

# -- a command that the image's start script ignores ----------------------------------

_IGNORED = "container.command-ignored"
_SERVES = "exec httpd -f -p 8080 -h /www"
_IGNORES = f"#!/bin/sh\nset -e\necho migrating\n# the web server\n{_SERVES}\n"
_HANDS_ON = f'#!/bin/sh\nset -e\n[ "$#" -gt 0 ] || {_SERVES}\nexec "$@"\n'
_CHOOSES = f'#!/bin/sh\ncase "$1" in worker) export ROLE=worker ;; esac\n{_SERVES}\n'
_WORKER = b"#!/bin/sh\necho taking jobs from $3\nexec sleep 1000\n"


def _leave(box: Box, number: int, entry: str, *command: str, change: str = "") -> str:
    """The worker of a project whose image is that of its web server; its name."""
    image, name = f"leave-api:{number}", f"leave{number}-worker-1"
    files = {"entry": (entry.encode(), 0o755), "bin/php": (_WORKER, 0o755)}
    load(box, image, Recipe(files, (change or 'ENTRYPOINT ["/entry"]', "EXPOSE 8080")))
    options = (*SAFE, *labels(f"leave{number}", "worker"))
    box.docker("run", "-d", f"--name={name}", *options, image, *command)
    box.sh("sleep 2")
    return name


@fault(_IGNORED, subject="container:leave41-worker-1")
def worker_that_starts_the_web_server_again(box: Box) -> None:
    """The image's start script never mentions its arguments; the command of the report heals."""
    name = _leave(box, 41, _IGNORES, "php", "artisan", "queue:work", "redis")
    assert "httpd" in box.docker("top", name).stdout
    command = first_command(box, _IGNORED, name)
    wanted = "--command 'php artisan queue:work redis' -- --entrypoint= | sh"
    assert command.endswith(wanted), command
    box.sh(box.diagnose(*shlex.split(command.removesuffix(" | sh"))[1:]).out, timeout=60)
    box.wait_for(lambda: "taking jobs" in box.docker("logs", name).stdout, what="the worker")
    box.docker("rm", "-f", name)
    _leave(box, 41, _IGNORES, "php", "artisan", "queue:work", "redis")


@fault(_IGNORED, subject="container:leave42-worker-1", shareable=True)
def worker_behind_a_line_of_a_shell(box: Box) -> None:
    """ENTRYPOINT is in its shell form, which drops the command."""
    change = "ENTRYPOINT httpd -f -p 8080 -h /www"
    name = _leave(box, 42, "", "php", "artisan", "schedule:work", change=change)
    assert "httpd" in box.docker("top", name).stdout


@healthy(shareable=True)
def worker_whose_start_script_hands_on(box: Box) -> None:
    """The script runs its command; another one chooses by it; a third ignores the image's own."""
    name = _leave(box, 43, _HANDS_ON, "php", "artisan", "queue:work")
    assert "taking jobs" in box.docker("logs", name).stdout
    _leave(box, 44, _CHOOSES, "worker")
    _leave(box, 45, _IGNORES)


# -- settings that a restart does not apply -------------------------------------------

_OUTDATED = "container.settings-outdated"
_MAILER = """services:
  web:
    image: shop:1.4
    command: ["sleep", "1000"]
    env_file: [mail.env]
    environment: {{SITE: "${{SITE_NAME}}", STAGE: live}}
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
"""


def _mailer(box: Box, number: int, *words: str) -> str:
    """A project whose env file and `.env` are changed, and what is done then; the container."""
    load(box, "shop:1.4")
    install_compose(box)
    folder, name = f"/srv/mailer{number}", f"mailer{number}-web-1"
    box.write(f"{folder}/compose.yaml", _MAILER.format())
    box.write(f"{folder}/mail.env", "MAIL_HOST=mail.old.example\nMAIL_PORT=587\n")
    box.write(f"{folder}/.env", "SITE_NAME=old.example\n")
    box.sh(f"cd {folder} && docker compose up --detach 2>&1")
    box.sh("sleep 7")
    box.write(f"{folder}/mail.env", "# moved\nMAIL_HOST='smtp.new.example'\nMAIL_PORT=25\n")
    box.write(f"{folder}/.env", "SITE_NAME=new.example # since May\n")
    box.sh(f"cd {folder} && docker compose {' '.join(words)} 2>&1", timeout=40)
    return name


def _variables(box: Box, name: str) -> str:
    return str(box.inspect(name)["Config"]["Env"])


@fault(_OUTDATED, subject="container:mailer51-web-1")
def restart_after_a_change_of_the_env_file(box: Box) -> None:
    """An env file was changed and the service restarted; the command of the report applies it."""
    name = _mailer(box, 51, "restart", "--timeout=1")
    assert "mail.old.example" in _variables(box, name)
    (finding,) = box.diagnose("check", _OUTDATED, "--format", "json").findings
    summary = finding["summary"]
    assert "old value of MAIL_HOST, MAIL_PORT, SITE, which have" in summary, summary
    box.sh(f"{finding['fix'][0]['command']} 2>&1", timeout=60)
    assert "smtp.new.example" in _variables(box, name)
    box.docker("rm", "-f", name)
    _mailer(box, 51, "restart", "--timeout=1")


@healthy()
def change_of_an_env_file_that_was_applied(box: Box) -> None:
    """The same change, applied by compose; then restarted."""
    name = _mailer(box, 52, "up", "--detach", "--timeout=1")
    assert "smtp.new.example" in _variables(box, name)
    box.docker("restart", "--time=1", name)


# -- another folder or volume in the compose file -------------------------------------

_LEFT = "container.data-left-behind"
_FIRST_RUN = b"""#!/bin/sh
cd /app/data
[ -e .encryption_key ] || { echo first run; mkdir -p db plugins; echo x >.encryption_key; echo x >db/hand.db; }
exec sleep 1000
"""
_HAND = """services:
  hand:
    image: hand:1.0
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
    stop_grace_period: 1s
    volumes: ["{0}:/app/data"]
volumes: {{hand_data: {{}}, hand_new: {{}}}}
"""


def _hand(box: Box, number: int, before: str, after: str) -> str:
    """A project whose compose file gets another place for its data; the container."""
    install_compose(box)
    load(box, "hand:1.0", Recipe({"start": (_FIRST_RUN, 0o755)}, ('CMD ["/start"]',)))
    folder, name = f"/srv/hand{number}", f"hand{number}-hand-1"
    for place in (before, after):
        box.write(f"{folder}/compose.yaml", _HAND.format(place))
        box.sh(f"cd {folder} && docker compose up --detach 2>&1", timeout=40)
        box.sh("sleep 3")
    return name


@fault(_LEFT, subject="container:hand61-hand-1")
def folder_of_the_host_that_was_exchanged(box: Box) -> None:
    """Somebody wrote another folder into the compose file; the command brings the data back."""
    name = _hand(box, 61, "./data", "/var/lib/hand61/data")
    assert "first run" in box.docker("logs", name).stdout
    command = first_command(box, _LEFT, name)
    assert "--unmount /app/data -- --volume=/srv/hand61/data:/app/data" in command, command


@fault(_LEFT, subject="container:hand62-hand-1")
def volume_that_became_a_folder(box: Box) -> None:
    """A volume of compose was exchanged for a folder of the host."""
    name = _hand(box, 62, "hand_data", "./data")
    command = first_command(box, _LEFT, name)
    assert "--volume=hand62_hand_data:/app/data" in command, command


@healthy(advice=None)
def data_that_was_taken_along(box: Box) -> None:
    """The data was copied to the new place; and a folder beside it is a backup."""
    name = _hand(box, 63, "./data", "./data")
    box.sh("cp -a /srv/hand63/data /srv/hand63/new")
    box.write("/srv/hand63/compose.yaml", _HAND.format("./new"))
    box.sh("cd /srv/hand63 && docker compose up --detach 2>&1", timeout=40)
    assert "first run" not in box.docker("logs", name).stdout
    _hand(box, 64, "./data", "./data")
    box.sh("cp -r /srv/hand64/data /srv/hand64/backup")


# -- an updater and a backup whose last run failed ------------------------------------

_INSIDE = "container.failing-inside"
_REGISTRY = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="Registry Realm"')
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_HEAD = do_GET
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 5071), Handler).serve_forever()
"""
_UPDATER = """#!/usr/bin/python3
# asks the engine as watchtower does, and says what it says
import http.client, json, socket, sys, time

class Engine(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/var/run/docker.sock")

def say(text, more):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    quoted = text.replace(chr(34), chr(92) + chr(34))
    print(f'time="{now}" level=info msg="{quoted}"', more, flush=True)

engine = Engine("docker")
engine.request("POST", sys.argv[1])
answer = json.loads(engine.getresponse().read().splitlines()[0])
why = answer.get("message") or answer.get("error")
if why:
    say(f'Unable to update container "/crm71": Error response from daemon: {why}. Proceeding to next.', "")
say("Session done", "Failed=0 Scanned=1 Updated=0 notify=no")
time.sleep(1000)
"""
_READS_ENGINE = ("security.docker-socket-mounted", "container:*")


def _updater(box: Box, name: str, *, registry: bool) -> None:
    """An updater that looks once for a newer image, and a registry that wants a login."""
    if registry:
        box.write("/srv/registry71.py", _REGISTRY)
        box.spawn(["/usr/bin/python3", "/srv/registry71.py"])
    load(box, "watchtower:1.7", Recipe({"watchtower": (_UPDATER.encode(), 0o755)}))
    socket = "--volume=/var/run/docker.sock:/var/run/docker.sock"
    asks = "/images/create?fromImage=localhost:5071/acme/crm&tag=latest"
    path = asks if registry else "/images/prune"
    options = (f"--name={name}", *SAFE, *MACHINE, socket)
    box.docker("run", "-d", *options, "watchtower:1.7", "/watchtower", path)
    box.wait_for(lambda: "Session done" in box.docker("logs", name).stdout, what="a round")


@fault(_INSIDE, subject="container:updater71", also=[_READS_ENGINE, "image.pull-denied"])
def updater_whose_login_is_refused(box: Box) -> None:
    """watchtower has no login for a private registry: a container keeps its old image."""
    _updater(box, "updater71", registry=True)
    said = box.docker("logs", "updater71").stdout
    assert 'Unable to update container \\"/crm71\\"' in said, said
    findings = box.diagnose("check", _INSIDE, "--format", "json").findings
    assert 'could not update container "crm71"' in findings[0]["summary"]


@healthy(also=[_READS_ENGINE])
def updater_that_finds_nothing_new(box: Box) -> None:
    """The same updater, and nothing fails."""
    _updater(box, "updater72", registry=False)
