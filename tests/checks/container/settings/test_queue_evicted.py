"""container.queue-evicted: the policies of Redis, and who keeps jobs there."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.workers.evicting_queues import evicting_queues
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NETWORK = {"NetworkSettings": {"Networks": {"shop": {"Aliases": ["redis"]}}}}
BESIDE = {"NetworkSettings": {"Networks": {"shop": {}}}}
FOUND = [("warning", "cache")]
ADVICE = [("advice", "cache")]
BULL = 'IMPORTANT! Eviction policy is allkeys-lru. It should be "noeviction"'
SIDEKIQ = "The 'noeviction' maxmemory policy is recommended (current policy: 'allkeys-lru')."
FILE = {"Type": "bind", "Source": "/srv/redis.conf", "Destination": "/etc/redis.conf", "RW": False}


def _worker(*env: str, command: str = "celery worker") -> Container:
    return container("worker", Config={"Env": list(env), "Cmd": command.split()}, **BESIDE)


def _judge(
    words: str, worker: Container, *lines: str, text: str = "", path: str = "redis-server"
) -> Any:
    cache = container("cache", Path=path, Args=words.split(), Mounts=[FILE], **NETWORK)
    host = Made({"file.read": {"text": text, "size": len(text)}})
    logs = RecentLogs({worker.id: tuple(RecentLine(0.0, line) for line in lines)})
    found = evicting_queues(host, of(cache, worker), logs)
    return judge("container.queue-evicted", evicting_queues=found)


EVICTS = "--maxmemory 64mb --maxmemory-policy allkeys-lru"
URL = "CELERY_BROKER_URL=redis://:x@redis:6379/0"
CONF = "/etc/redis.conf"
CASES: dict[str, tuple[str, Container, tuple[str, ...], str, list[tuple[str, str]]]] = {
    "by its command": (EVICTS, _worker(URL), (), "", FOUND),
    "another policy": (EVICTS.replace("allkeys", "volatile"), _worker(URL), (), "", []),
    "without a limit": ("--maxmemory-policy allkeys-lru", _worker(URL), (), "", []),
    "a limit of none": ("--maxmemory 0 --maxmemory-policy allkeys-lru", _worker(URL), (), "", []),
    "by its file": (CONF, _worker(URL), (), "maxmemory 1gb\nmaxmemory-policy allkeys-lfu\n", FOUND),
    "in a comment": (CONF, _worker(URL), (), "maxmemory 1gb\n# maxmemory-policy allkeys-lru\n", []),
    "a cache alone": (EVICTS, _worker("A=b"), (), "", []),
    "a web server": (EVICTS, container("worker", Config={"Env": [URL], "Cmd": ["serve"]}, Name="/web", **BESIDE), (), "", []),
    "a cache beside a queue elsewhere": (
        EVICTS, _worker("BROKER_URL=amqp://rabbit", "REDIS_URL=redis://redis"), (), "", [],
    ),
    "a cache, and jobs in RabbitMQ": (EVICTS, _worker("RABBITMQ_HOST=rabbit", "REDIS_HOST=redis"), (), "", []),
    "a cache by its variable": (EVICTS, _worker("CACHE_URL=redis://redis"), (), "", []),
    "results of tasks": (EVICTS, _worker("CELERY_RESULT_BACKEND=redis://redis"), (), "", []),
    "its only Redis": (EVICTS, _worker("REDIS_URL=redis://redis"), (), "", FOUND),
    "a cron that locks files there": (EVICTS, _worker("REDIS_HOST=redis", command="php cron.php"), (), "", []),
    "Laravel's jobs in a database": (
        EVICTS, _worker("QUEUE_CONNECTION=database", "REDIS_HOST=redis", command="php artisan queue:work"), (), "", [],
    ),
    "Laravel's jobs in Redis": (
        EVICTS, _worker("QUEUE_CONNECTION=redis", "REDIS_HOST=redis", command="php artisan queue:work"), (), "", FOUND,
    ),
    "BullMQ complains": ("", _worker(URL), (BULL,), "", FOUND),
    "Sidekiq complains": ("", _worker(URL), (SIDEKIQ,), "", FOUND),
    "nobody complains": ("", _worker(URL), ("ready",), "", []),
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "worker", "lines", "text", "expected"), CASES.values(), ids=CASES
)
def test_servers(
    words: str,
    worker: Container,
    lines: tuple[str, ...],
    text: str,
    expected: list[tuple[str, str]],
) -> None:
    assert rows(_judge(words, worker, *lines, text=text)) == expected


def test_another_server() -> None:
    assert rows(_judge(EVICTS, _worker(URL), path="postgres")) == []
    (finding,) = _judge(EVICTS, _worker(URL)).findings
    assert "holds 64mb (maxmemory)" in finding.summary


SESSIONS: dict[str, tuple[str, list[str], str, str, list[tuple[str, str]]]] = {
    "a variable with the server": (EVICTS, ["SESSION_REDIS_HOST=redis"], "shop:1", "", ADVICE),
    "a kind of store": (EVICTS, ["SESSION_DRIVER=redis", "REDIS_HOST=redis"], "shop:1", "", ADVICE),
    "a store elsewhere": (EVICTS, ["SESSION_DRIVER=redis", "REDIS_HOST=other"], "shop:1", "", []),
    "sessions in files": (EVICTS, ["SESSION_DRIVER=file", "REDIS_HOST=redis"], "shop:1", "", []),
    "a policy for sessions": (
        EVICTS.replace("allkeys", "volatile"), ["SESSION_REDIS_HOST=redis"], "shop:1", "", [],
    ),
    "Authelia's file": (EVICTS, [], "authelia/authelia:4.38", "host: redis\n", ADVICE),
    "another server in it": (EVICTS, [], "authelia/authelia:4.38", "host: other\n", []),
    "the file of another program": (EVICTS, [], "shop:1", "host: redis\n", []),
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "env", "image", "text", "expected"), SESSIONS.values(), ids=SESSIONS
)
def test_servers_of_sessions(
    words: str, env: list[str], image: str, text: str, expected: list[tuple[str, str]]
) -> None:
    cache = container("cache", Path="redis-server", Args=words.split(), **NETWORK)
    web = container("web", Config={"Env": env, "Image": image}, **BESIDE)
    host = Made({"file.texts": lambda question: [word for word in question.texts if word in text]})
    found = evicting_queues(host, of(cache, web), None)
    assert rows(judge("container.queue-evicted", evicting_queues=found)) == expected
