"""Which containers do jobs in the background, and where their command looks for them. Pure."""

from __future__ import annotations

import re

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern

_ROLE = LazyPattern(
    r"(?:^|[-_./:@ ])(?:workers?|queues?|celery|sidekiq|resque|rq|rqworker|qcluster|huey|dramatiq"
    r"|consumers?|jobs?|schedulers?|beat|crons?|horizon|delayed_job|good_job|solid_queue|background"
    r"|messenger:consume|runjobs)(?:$|[-_./:@ \d])"
)
"""Words of commands and services that do jobs, and wait for no request."""
_SERVERS = LazyPattern(
    r"(?:^|[/ ])(?:redis|valkey|rabbitmq|nats|kafka|beanstalkd|postgres|mysqld?|mariadbd?)"
    r"(?:-server)?(?:$| )"
)
_LARAVEL = LazyPattern(
    r"\bartisan (?:queue:(?:work|listen)(?: --?[\w-]{1,40}(?:=\S{0,80})?){0,12}(?: (?P<connection>\w{1,60}))?"
    r"|(?P<horizon>horizon))(?: |$)"
)
_HOST = LazyPattern(r"[A-Za-z0-9][\w.-]{0,200}")
_OF_LARAVEL = "QUEUE_CONNECTION"


def is_background(container: Container) -> bool:
    """Whether a container does jobs, by its command or the name of its service."""
    command = " ".join(container.config.words)
    if _SERVERS.search(command):
        return False
    names = (command, container.compose_service or container.name)
    return any(_ROLE.search(name) for name in names)


def queue_of_command(container: Container) -> tuple[str, str]:
    """The connection that a worker's command names, and the variable for that of the program.

    Of Laravel: `queue:work redis`; Horizon reads Redis alone. "" where it names none.
    """
    words = " ".join(re.split(r"\s+", " ".join(container.config.words)))
    match = _LARAVEL.search(words)
    if match is None:
        return "", ""
    word = "redis" if match["horizon"] else match["connection"] or ""
    return word, _OF_LARAVEL if word else ""


def without_user(value: str) -> str:
    """An address without the user and the password."""
    scheme, mark, rest = value.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}" if mark else value


def names_server(container: Container, server: Container) -> bool:
    """Whether the command or a variable of a container has a name of the server."""
    values = (without_user(value) for _, value in container.config.environment)
    words = {word for text in (*container.config.words, *values) for word in _HOST.findall(text)}
    return not words.isdisjoint(server.dns_names)
