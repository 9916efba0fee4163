"""Workers and schedulers that run, and do no job of the program of their image; look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import logs

_DIFFERS = "container.worker-settings-differ"
_CALLS = '#!/bin/sh\n[ -z "$CALLS" ] || while :; do sleep 1000 | nc "$CALLS" 6379; sleep 1; done\nexec sleep 1000\n'


def _broker(box: Box, number: int) -> None:
    """A network of a project with a real Redis."""
    load_server(box, "redis-server", "redis:7.0")
    load(box, f"mail-api:{number}", Recipe({"bin/php": (_CALLS.encode(), 0o755)}))
    box.docker("network", "create", f"mail{number}")
    command = ["redis-server", "--save", "", "--protected-mode", "no"]
    _run(box, number, "redis", *command, image="redis:7.0")
    box.wait_for(lambda: "Ready to accept" in logs(box, f"mail{number}-redis-1"), what="Redis")


def _run(
    box: Box,
    number: int,
    service: str,
    *command: str,
    image: str = "",
    options: tuple[str, ...] = (),
) -> str:
    """A service of the project; its container."""
    name = f"mail{number}-{service}-1"
    place = (f"--name={name}", f"--network=mail{number}", f"--network-alias={service}")
    marks = labels(f"mail{number}", service)
    image = image or f"mail-api:{number}"
    box.docker("run", "-d", *place, *SAFE, *marks, *options, image, *command)
    return name


def _pair(
    box: Box, number: int, web: tuple[str, ...], worker: tuple[str, ...], *command: str
) -> str:
    """A web server and its worker of one image, with these variables; the worker."""
    _broker(box, number)
    _run(box, number, "web", "php", "serve", options=tuple(f"--env={variable}" for variable in web))
    words = command or ("php", "artisan", "queue:work")
    given = tuple(f"--env={variable}" for variable in worker)
    return _run(box, number, "worker", *words, options=given)


@fault(_DIFFERS, subject="container:mail11-worker-1")
def worker_on_another_connection(box: Box) -> None:
    """The program puts jobs into Redis, and the worker's command says the database; the command of
    the report heals."""
    words = ("php", "artisan", "queue:work", "database", "--tries=3")
    variables = ("QUEUE_CONNECTION=redis", "REDIS_HOST=redis")
    name = _pair(box, 11, variables, variables, *words)
    command = first_command(box, _DIFFERS, name)
    assert command.endswith("--command 'php artisan queue:work redis --tries=3' | sh"), command


@fault(_DIFFERS, subject="container:mail12-worker-1")
def worker_in_another_database_of_redis(box: Box) -> None:
    """The same Redis, and another number behind its address."""
    _pair(
        box, 12, ("BROKER_URL=redis://:made-up-1@redis:6379/0",),
        ("BROKER_URL=redis://:made-up-1@redis:6379/1",),
    )  # fmt: skip


@fault(_DIFFERS, subject="container:mail13-web-1")
def program_that_has_no_broker(box: Box) -> None:
    """The worker waits at Redis, and the web server was never told of it."""
    _pair(box, 13, ("DATABASE_URL=sqlite:///data/db",), ("REDIS_URL=redis://redis:6379",))


@fault(_DIFFERS, subject="container:mail14-worker-1")
def worker_without_the_env_file(box: Box) -> None:
    """The web server has an env file, and the worker of the same image has none."""
    name = _pair(box, 14, ("REDIS_URL=redis://redis:6379", "MAIL_HOST=mail.lab.test"), ())
    command = first_command(box, _DIFFERS, name)
    assert command.endswith("recreate mail14-worker-1 -- --env=REDIS_URL | sh)"), command


_SITE = ("SITE_URL=https://mail.lab.test", "SMTP_HOST=mx.lab.test")


@fault(_DIFFERS, subject="container:mail15-worker-1", exit_code=0)
def worker_that_does_not_know_its_site(box: Box) -> None:
    """The worker sends the mails, and only the web server has the address of the site."""
    _pair(box, 15, _SITE, _SITE[1:])
    assert "SITE_URL" not in str(box.inspect("mail15-worker-1")["Config"]["Env"])


@healthy(advice=None)
def workers_that_need_no_address(box: Box) -> None:
    """The worker has the address too; another project sends no mail."""
    _pair(box, 16, _SITE, _SITE)
    _pair(box, 17, _SITE[:1], ())
    assert not box.diagnose("check", _DIFFERS, "--format", "json").findings


@healthy()
def workers_that_agree(box: Box) -> None:
    """Equal addresses with unlike passwords; a pooler before one database; a worker that calls the
    broker by its usual name; a second program of the image with a worker of its own."""
    _pair(
        box, 15, ("BROKER_URL=redis://redis:6379", "DB_HOST=pooler", "DB_NAME=shop"),
        ("BROKER_URL=redis://:made-up-2@redis:6379/0", "DB_HOST=redis", "DB_NAME=shop"),
    )  # fmt: skip
    _run(box, 15, "other", "php", "serve", options=("--env=BROKER_URL=redis://redis:6379/7",))
    _pair(box, 16, ("REDIS_URL=redis://redis:6379",), ("CALLS=redis",))


def _two_brokers(box: Box, number: int, *web: str) -> str:
    """Two servers of Redis, a worker at the first one, and a program of another image."""
    _broker(box, number)
    command = ["redis-server", "--save", "", "--protected-mode", "no"]
    cache = _run(box, number, "cache", *command, image="redis:7.0")
    box.wait_for(lambda: "Ready to accept" in logs(box, cache), what="the second Redis")
    load(box, f"mail-web:{number}", Recipe({"bin/node": (_CALLS.encode(), 0o755)}))
    given = tuple(f"--env={variable}" for variable in web)
    _run(box, number, "web", "node", "serve", image=f"mail-web:{number}", options=given)
    own = ("--env=BROKER_URL=redis://redis:6379/0", "--env=CALLS=redis")
    name = _run(box, number, "worker", "php", "artisan", "queue:work", options=own)
    broker = f"mail{number}-redis-1"
    connected = ("exec", broker, "redis-cli", "client", "list")
    box.wait_for(
        lambda: box.docker(*connected, check=False).stdout.count("addr=") > 1,
        what="the connection of the worker",
    )
    return name


@fault(_DIFFERS, subject="container:mail51-worker-1", exit_code=0)
def worker_at_another_redis_than_the_program(box: Box) -> None:
    """The program of another image has the second Redis, at which no worker waits."""
    name = _two_brokers(box, 51, "BROKER_URL=redis://cache:6379/0", "CALLS=cache")
    command = first_command(box, _DIFFERS, name)
    assert command.endswith("recreate mail51-worker-1 -- --env=BROKER_URL | sh)"), command


@healthy()
def program_with_a_cache_and_a_queue(box: Box) -> None:
    """The program names both servers: one is its cache."""
    _two_brokers(box, 52, "CACHE_URL=redis://cache:6379/0", "JOBS=redis", "CALLS=cache")


@healthy()
def scheduler_with_the_settings_in_a_file(box: Box) -> None:
    """The scheduler of Nextcloud has no variables: it reads the file that the web server wrote."""
    _broker(box, 17)
    mount = "--volume=cloud17:/var/www/html"
    _run(
        box,
        17,
        "app",
        "php",
        "serve",
        options=(mount, "--env=REDIS_HOST=redis", "--workdir=/var/www/html"),
    )
    _run(box, 17, "cron", "php", "cron.php", options=(mount, "--workdir=/var/www/html"))


def _media(box: Box, number: int, *worker: str) -> str:
    """A web server with a volume, and a worker of its image that makes a picture; the worker."""
    load(box, f"mail-api:{number}", Recipe())
    box.docker("network", "create", f"mail{number}")
    volume = f"--volume=media{number}:/app/media"
    _run(box, number, "web", "sleep", "1000", options=(volume,))
    makes = "mkdir -p /app/media/small && echo made >/app/media/small/1.png; exec sleep 1000"
    name = _run(box, number, "worker", "sh", "-c", makes, options=worker)
    look = f"docker exec {name} cat /app/media/small/1.png || true"
    box.wait_for(lambda: box.sh(look) == "made\n", what="the picture")
    return name


@fault(_DIFFERS, subject="container:mail41-worker-1")
def worker_without_the_volume_of_its_program(box: Box) -> None:
    """The worker makes a picture in its writable layer, and the web server has a volume there."""
    name = _media(box, 41)
    command = first_command(box, _DIFFERS, name)
    assert command.endswith("-- --volume=media41:/app/media | sh"), command


@healthy()
def worker_with_the_volume_of_its_program(box: Box) -> None:
    """Both have the volume in which the worker makes a picture."""
    _media(box, 42, "--volume=media42:/app/media")


# -- a queue in a Redis that drops keys -----------------------------------------------

_EVICTED = "container.queue-evicted"
_CACHE = "bind 0.0.0.0\nprotected-mode no\nmaxmemory 32mb\nmaxmemory-policy {}\n"


def _queue(box: Box, number: int, policy: str, *command: str) -> str:
    """A real Redis with a file of settings, and a program that names it; the server."""
    load_server(box, "redis-server", "redis:7.0")
    load(box, f"mail-api:{number}", Recipe())
    box.docker("network", "create", f"mail{number}")
    box.write(f"/srv/redis{number}.conf", _CACHE.format(policy), 0o644)
    mount = (f"--volume=/srv/redis{number}.conf:/etc/redis.conf:ro",)
    words = ("redis-server", "/etc/redis.conf")
    server = _run(box, number, "redis", *words, image="redis:7.0", options=mount)
    box.wait_for(lambda: "Ready to accept" in logs(box, server), what="Redis")
    _run(box, number, "app", *command, options=("--env=BROKER_URL=redis://redis:6379/0",))
    return server


@fault(_EVICTED, subject="container:mail31-redis-1")
def queue_in_a_cache(box: Box) -> None:
    """A worker has its queue in a Redis whose file of settings is one for a cache."""
    server = _queue(box, 31, "allkeys-lru", "sh", "-c", "exec sleep 1000 # celery worker")
    command = first_command(box, _EVICTED, server)
    assert "redis-cli config set maxmemory-policy noeviction\n" in command, command


@healthy()
def caches_and_queues_apart(box: Box) -> None:
    """A queue whose server refuses new keys when it is full; a cache of a web server."""
    _queue(box, 32, "noeviction", "sh", "-c", "exec sleep 1000 # celery worker")
    _queue(box, 33, "allkeys-lru", "sh", "-c", "exec sleep 1000 # serves")


def _sessions(box: Box, number: int, policy: str) -> str:
    """A real Redis with a limit, and a program with its sessions there; the server."""
    load_server(box, "redis-server", "redis:7.0")
    load(box, f"mail-api:{number}", Recipe())
    box.docker("network", "create", f"mail{number}")
    limit = ("--maxmemory", "32mb", "--maxmemory-policy", policy, "--protected-mode", "no")
    server = _run(box, number, "redis", "redis-server", *limit, image="redis:7.0")
    box.wait_for(lambda: "Ready to accept" in logs(box, server), what="Redis")
    store = ("--env=SESSION_DRIVER=redis", "--env=REDIS_HOST=redis")
    _run(box, number, "web", "sleep", "1000", options=store)
    return server


@fault(_EVICTED, subject="container:mail34-redis-1", exit_code=0)
def sessions_in_a_cache(box: Box) -> None:
    """The sessions of a web server lie in a Redis that drops any key when it is full."""
    server = _sessions(box, 34, "allkeys-lru")
    assert (
        "allkeys-lru"
        in box.docker("exec", server, "redis-cli", "config", "get", "maxmemory-policy").stdout
    )


@healthy(advice=None)
def sessions_that_are_kept(box: Box) -> None:
    """The same server drops what is out of date first, which a program of sessions marks."""
    _sessions(box, 35, "volatile-ttl")
    assert not box.diagnose("check", _EVICTED, "--format", "json").findings


# -- what the scheduler of Celery sends -----------------------------------------------

_UNTAKEN = "container.jobs-untaken"
_CELERY = """#!/bin/sh
# the words are those of Celery 5.3
say() { echo "[$(date '+%F %T'),123: INFO/MainProcess] $1" >&2; }
case "$*" in
*beat*)
  say "beat: Starting..."
  while :; do
    say "Scheduler: Sending due task remind-all (mail.tasks.remind)"
    [ -z "$BOTH" ] || say "Scheduler: Sending due task sweep (mail.tasks.sweep)"
    sleep 1
  done ;;
esac
say "Connected to redis://redis:6379/0"
say "celery@worker ready."
case "$*" in
*report) echo "task_default_queue: 'reminders'"; exit 0 ;;
*"control add_consumer reminders") touch /tmp/takes; exit 0 ;;
esac
while :; do
  [ -n "$TAKES" ] || [ -e /tmp/takes ] || { sleep 1; continue; }
  say "Task mail.tasks.remind[3f2b8c1d-7a41-4d3e-9b60-1a2b3c4d5e6f] received"
  sleep 1
done
"""


def _celery(box: Box, number: int, takes: str) -> None:
    """A scheduler and a worker with a stand-in for Celery."""
    load(box, f"mail-api:{number}", Recipe({"bin/celery": (_CELERY.encode(), 0o755)}))
    box.docker("network", "create", f"mail{number}")
    worker = ("celery", "-A", "mail", "worker", "--loglevel=info", "-Q", "letters,pictures")
    _run(box, number, "worker", *worker, options=(f"--env=TAKES={takes}",))
    beat = _run(box, number, "beat", "celery", "-A", "mail", "beat")
    box.wait_for(lambda: logs(box, beat).count("Sending due") > 8, what="the tasks to be sent")


@fault(_UNTAKEN, subject="container:mail21-beat-1", shareable=True)
def tasks_in_a_queue_that_nobody_reads(box: Box) -> None:
    """The only worker reads two queues, and the scheduler's tasks go to a third one."""
    _celery(box, 21, "")
    command = first_command(box, _UNTAKEN, "mail21-beat-1")
    assert 'celery -A mail control add_consumer "$queue"' in command, command


@healthy(shareable=True)
def tasks_that_the_worker_takes(box: Box) -> None:
    """The worker receives each task that the scheduler sends."""
    _celery(box, 22, "1")
