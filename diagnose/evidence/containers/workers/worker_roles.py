"""Containers that do jobs in the background, and the queue server in their command. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern

_ROLE = LazyPattern(
    r"""
    (?:^|[-_./:@ ])(?:
          workers? | queues? | celery | sidekiq | resque | rq | rqworker | qcluster | huey
        | dramatiq | consumers? | jobs? | schedulers? | beat | crons? | horizon
        | delayed_job | good_job | solid_queue | background | messenger:consume | runjobs
      )(?:$|[-_./:@ \d])
    """,
    re.VERBOSE,
)
"""Words of commands and services that do jobs, and wait for no request."""
_SERVERS = LazyPattern(
    r"(?:^|[/ ])(?:redis|valkey|rabbitmq|nats|kafka|beanstalkd|postgres|mysqld?|mariadbd?)"
    r"(?:-server)?(?:$| )"
)
"""A command or an image that is a server of data itself, and no worker."""
_LARAVEL = LazyPattern(
    r"\bartisan (?:queue:(?:work|listen)(?: --?[\w-]{1,40}(?:=\S{0,80})?){0,12}(?: (?P<connection>\w{1,60}))?"
    r"|(?P<horizon>horizon))(?: |$)"
)
"""php artisan queue:work --tries=3 redis, or php artisan horizon"""
_OF_REDIS = LazyPattern(
    r"(?:^|[/ ])(?:celery|sidekiq|resque|rq|rqworker|huey|arq|bull\w{0,4}|artisan horizon)(?:$| )"
)
"""Programs that keep their jobs in Redis, unless a variable says otherwise."""
_OF_JOBS = LazyPattern(
    r"(?:^|_)(?:BROKER|QUEUES?|CELERY|SIDEKIQ|RESQUE|BULL|BULLMQ|HUEY|RQ)(?:_|$)"
)
_OF_OTHERS = LazyPattern(r"(?:^|_)(?:RESULTS?|CACHES?|SESSIONS?)(?:_|$)")
_OTHER_QUEUE = LazyPattern(r"(?:^|_)(?:AMQP|RABBIT|RABBITMQ|SQS|KAFKA|NATS|BEANSTALKD?)(?:_|$)")
_SCHEME = LazyPattern(r"\b[a-z][a-z0-9+.-]{1,30}://")
_HOST = LazyPattern(r"[A-Za-z0-9][\w.-]{0,200}")
_OF_LARAVEL = "QUEUE_CONNECTION"


def is_background(container: Container) -> bool:
    """Whether a container does jobs, by its command or the name of its service."""
    command = " ".join(container.config.words)
    if _SERVERS.search(command):
        return False
    names = (command, container.compose_service or container.name)
    return any(_ROLE.search(name) for name in names)


class CommandQueue(NamedTuple):
    """The queue that the command of a worker names."""

    connection: str = ""
    variable: str = ""
    """The variable that names the program's own one."""


def queue_of_command(container: Container) -> CommandQueue:
    """Of Laravel: `queue:work redis`; Horizon reads Redis alone. Empty where it names none."""
    words = " ".join(re.split(r"\s+", " ".join(container.config.words)))
    match = _LARAVEL.search(words)
    if match is None:
        return CommandQueue()
    word = "redis" if match["horizon"] else match["connection"] or ""
    return CommandQueue(word, _OF_LARAVEL if word else "")


def without_user(value: str) -> str:
    """An address without the user and the password."""
    scheme, mark, rest = value.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}" if mark else value


def names_server(container: Container, server: Container) -> bool:
    """Whether the command or a variable of a container has a name of the server."""
    values = container.config.variable_values
    return any(has_name(text, server) for text in (*container.config.words, *values))


def keeps_jobs_in(container: Container, server: Container) -> bool:
    """Whether a worker keeps its jobs in a server of Redis, and not only a cache.

    A variable for jobs says it. Without one the command has to be of a program that uses Redis, and
    a variable that is not for a cache has to name the server.
    """
    config = container.config
    settings = [(name, value) for name, value in config.environment if not _OF_OTHERS.search(name)]
    of_jobs = [value for name, value in settings if name != _OF_LARAVEL and _OF_JOBS.search(name)]
    if any(has_name(value, server) for value in of_jobs):
        return True
    has_other_address = any("://" in value for value in of_jobs)
    if has_other_address or not _uses_redis(container, [name for name, _ in settings]):
        return False
    texts = (*config.words, *(value for _, value in settings))
    return any(has_name(text, server) for text in texts)


def _uses_redis(container: Container, names: Iterable[str]) -> bool:
    """Whether a worker's queue is in Redis, by its connection, or else by its command.

    names: of its variables, one of which may be for another kind of queue.
    """
    connection = queue_of_command(container).connection or container.config.value_of(_OF_LARAVEL)
    if connection:
        return connection == "redis"
    is_of_redis = _OF_REDIS.search(" ".join(container.config.words)) is not None
    return is_of_redis and not any(map(_OTHER_QUEUE.search, names))


def has_name(text: str, server: Container) -> bool:
    """Whether a text has a name of the server; redis:// alone is none."""
    bare = _SCHEME.sub("", without_user(text))
    return not server.dns_names.isdisjoint(_HOST.findall(bare))
