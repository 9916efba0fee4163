"""container.worker-settings-differ: the settings of two services of one image."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.workers.programs_of_workers import programs_of_workers
from diagnose.evidence.containers.workers.worker_addresses import worker_addresses
from diagnose.evidence.containers.workers.worker_folders import worker_folders
from diagnose.evidence.containers.workers.worker_settings import (
    MOST,
    WorkerDifferences,
    share_settings,
    worker_differences,
)
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

WORK = ["php", "artisan", "queue:work"]
FOUND = [("warning", "worker")]
TOKEN = "<redacted:url-password:{}>"


def _service(
    name: str, env: list[str], command: list[str], *, project: str = "shop", image: str = "sha256:1"
) -> Container:
    marks = {"com.docker.compose.project": project, "com.docker.compose.service": name}
    config = {"Env": env, "Cmd": command, "Labels": marks, "Image": "shop:1"}
    return container(name, Image=image, Config=config)


def _judge(*services: Container) -> Any:
    programs = programs_of_workers(Made({}), of(*services))
    found = worker_differences(Made({}), of(*services), programs, None)
    return judge("container.worker-settings-differ", worker_differences=found, worker_folders=None)


CASES: dict[str, tuple[list[str], list[str], list[str], list[tuple[str, str]]]] = {
    "another database of Redis": (["REDIS_URL=redis://r:6379/0"], ["REDIS_URL=redis://r/1"], WORK, FOUND),
    "the first one, said or not": (["REDIS_URL=redis://r:6379"], ["REDIS_URL=redis://r/0"], WORK, []),
    "another broker": (["CELERY_BROKER_URL=redis://a"], ["CELERY_BROKER_URL=redis://b"], WORK, FOUND),
    "a variable called broker": (["CELERY_BROKER=redis://a"], ["CELERY_BROKER=redis://b"], WORK, FOUND),
    "the first virtual host of RabbitMQ": (["AMQP_URL=amqp://r:5672"], ["AMQP_URL=amqp://r/%2F"], WORK, []),
    "another virtual host": (["AMQP_URL=amqp://r"], ["AMQP_URL=amqp://r/mail"], WORK, FOUND),
    "what it calls itself": (["REDIS_CLIENT_NAME=web"], ["REDIS_CLIENT_NAME=worker"], WORK, []),
    "what it calls itself at the database": (["DB_APPLICATION_NAME=web"], ["DB_APPLICATION_NAME=w"], WORK, []),
    "another queue": (["QUEUE_NAME=mails"], ["QUEUE_NAME=pictures"], WORK, FOUND),
    "another password": (
        [f"REDIS_URL=redis://:{TOKEN.format('a')}@r/0"], [f"REDIS_URL=redis://:{TOKEN.format('b')}@r/0"], WORK, [],
    ),
    "another database behind a password": (
        [f"DATABASE_URL=postgres://u:{TOKEN.format('a')}@db/x"],
        [f"DATABASE_URL=postgres://u:{TOKEN.format('a')}@db/y"], WORK, FOUND,
    ),
    "a pooler before the same database": (["DATABASE_URL=postgres://p/x"], ["DATABASE_URL=postgres://d/x"], WORK, []),
    "another host of the database": (["DB_HOST=pooler"], ["DB_HOST=db"], WORK, []),
    "another name of the database": (["DB_DATABASE=shop"], ["DB_DATABASE=laravel"], WORK, FOUND),
    "hidden addresses": (["DATABASE_URL=<redacted:url:aa>"], ["DATABASE_URL=<redacted:url:bb>"], WORK, []),
    "the command's connection": (["QUEUE_CONNECTION=redis"], [], [*WORK, "database"], FOUND),
    "options before the connection": (["QUEUE_CONNECTION=redis"], [], [*WORK, "--tries=3", "database"], FOUND),
    "the same connection": (["QUEUE_CONNECTION=redis"], [], [*WORK, "redis", "--tries=3"], []),
    "an option alone": (["QUEUE_CONNECTION=redis"], [], [*WORK, "--queue=mail"], []),
    "Horizon without Redis": (["QUEUE_CONNECTION=database"], [], ["php", "artisan", "horizon"], FOUND),
    "jobs within the request": (["QUEUE_CONNECTION=sync"], [], [*WORK, "database"], []),
    "a variable of something else": (["APP_ROLE=web"], ["APP_ROLE=worker"], WORK, []),
    "a pool of another size": (["DB_POOL=5"], ["DB_POOL=20"], WORK, []),
    "no worker by its command": (["REDIS_URL=redis://r/0"], ["REDIS_URL=redis://r/1"], ["serve"], FOUND),
}  # fmt: skip


@pytest.mark.parametrize(("web", "worker", "command", "expected"), CASES.values(), ids=CASES)
def test_variables(
    web: list[str], worker: list[str], command: list[str], expected: list[tuple[str, str]]
) -> None:
    services = (_service("web", web, ["serve"]), _service("worker", worker, command))
    assert rows(_judge(*services)) == expected


def test_services_that_are_not_compared() -> None:
    worker = _service("worker", ["REDIS_URL=redis://r/1"], WORK)
    web = ["REDIS_URL=redis://r/0"]
    for other in (
        _service("web", web, ["serve"], project="other"),
        _service("web", web, ["serve"], image="sha256:2"),
        _service("worker2", web, WORK),
    ):
        assert rows(_judge(worker, other)) == []
    second = _service("second", ["REDIS_URL=redis://r/1"], ["serve"])
    assert rows(_judge(worker, _service("web", web, ["serve"]), second)) == []


def test_a_second_worker_for_another_queue() -> None:
    web = _service("web", ["QUEUE_NAME=mails"], ["serve"])
    mails = _service("mails", ["QUEUE_NAME=mails"], WORK)
    pictures = _service("pictures", ["QUEUE_NAME=pictures"], WORK)
    assert rows(_judge(web, pictures)) == [("warning", "pictures")]
    assert rows(_judge(web, mails, pictures)) == []


def test_two_names_of_one_broker() -> None:
    networks = {"NetworkSettings": {"Networks": {"shop": {"Aliases": ["redis", "queue"]}}}}
    redis = container("redis", Path="redis-server", **networks)

    def judged(name: str, value: str) -> Any:
        pair = (
            container(
                service,
                Image="sha256:1",
                Config={
                    "Env": [f"{name}={value.format(host)}"],
                    "Cmd": [service],
                    "Labels": {
                        "com.docker.compose.project": "shop",
                        "com.docker.compose.service": service,
                    },
                },
                NetworkSettings={"Networks": {"shop": {}}},
            )
            for service, host in (("web", "redis"), ("worker", "queue"))
        )
        return rows(_judge(redis, *pair))

    assert judged("REDIS_HOST", "{}") == []
    assert judged("REDIS_URL", "redis://{}:6379/0") == []
    assert judged("REDIS_HOST", "{}.elsewhere") == FOUND


def test_what_is_said() -> None:
    web = _service("web", ["QUEUE_CONNECTION=redis"], ["serve"])
    (finding,) = _judge(web, _service("worker", [], [*WORK, "database"])).findings
    assert finding.variables["queue_command"] == "php artisan queue:work redis"
    shell = ["sh", "-c", "php artisan queue:work database>/dev/null"]
    assert rows(_judge(web, _service("worker", [], shell))) == []


def test_workers_beyond_those_that_are_compared_are_said() -> None:
    web = _service("web", ["QUEUE_NAME=mails"], ["serve"])
    alike = [_service(f"w{number}", ["QUEUE_NAME=mails"], WORK) for number in range(MOST + 2)]
    assert _judge(web, *alike[:MOST]).verdict == "passed"
    result = _judge(web, *alike)
    assert (result.verdict, [unexamined.why for unexamined in result.unexamined]) == (
        "unknown",
        ["2 workers beyond the 60 that are compared"],
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/var/www/html", True), ("/usr/src/shop", True), ("/var/lib/files", False)],
)
def test_a_shared_folder_of_the_program_has_its_settings(path: str, expected: bool) -> None:
    mounts = [{"Type": "volume", "Name": "shop", "Source": "/v/shop", "Destination": path}]
    program, worker = (container(name, Mounts=mounts) for name in ("app", "cron"))
    assert share_settings(worker, program) is expected


MEDIA = {
    "Type": "volume",
    "Name": "media",
    "Source": "/v/media",
    "Destination": "/app/media",
    "RW": True,
}
ANONYMOUS = {**MEDIA, "Name": "a" * 64, "Source": "/v/a"}
PIDS = {"web": 101, "worker": 102}
OLD, NEW = 1_700_000_000.0, 1_900_000_000.0
FOLDERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "files of its own": ({}, ["/app/media/a.png"]),
    "files in a folder": ({"file": "2026/a.png"}, ["/app/media/2026/a.png"]),
    "an anonymous volume": ({"worker": [ANONYMOUS]}, ["/app/media/a.png"]),
    "the same volume": ({"worker": [MEDIA]}, []),
    "a mount around it": ({"worker": [{**MEDIA, "Destination": "/app"}]}, []),
    "a mount in it": ({"worker": [{**MEDIA, "Destination": "/app/media/2026"}]}, []),
    "files of the image": ({"written": OLD}, []),
    "no files": ({"file": ""}, []),
    "an empty file": ({"size": 0}, []),
    "a log": ({"file": "a.log"}, []),
    "a cache": ({"file": "imagecache/a.png"}, []),
    "a folder of logs": ({"web": [{**MEDIA, "Destination": "/app/logs"}]}, []),
    "for reading alone": ({"web": [{**MEDIA, "RW": False}]}, []),
    "the code": ({"web": [{**MEDIA, "Destination": "/app"}], "home": "/app"}, []),
    "the program has none either": ({"web": [ANONYMOUS]}, []),
    "a file that both make at their start": ({"in_web": True}, []),
    "a database of each": ({"in_web": True, "file": "a.sqlite3"}, ["/app/media/a.sqlite3"]),
    "a file of no known kind": (
        {"file": "worker.json", "is_guess": True},
        ["/app/media/worker.json"],
    ),
    "a sign of life": ({"file": "heartbeat"}, []),
    "an old log": ({"file": "a.log.1"}, []),
    "a folder in memory": ({"tmpfs": {"/app/media": ""}}, []),
    "a folder in memory around it": ({"tmpfs": {"/app": ""}}, []),
}


@pytest.mark.parametrize(("case", "expected"), FOLDERS.values(), ids=FOLDERS)
def test_folders(case: dict[str, Any], expected: list[str]) -> None:
    def made(name: str, mounts: list[dict[str, Any]], *command: str) -> Container:
        marks = {"com.docker.compose.project": "shop", "com.docker.compose.service": name}
        config = {"Cmd": command, "Labels": marks, "WorkingDir": case.get("home", "/srv")}
        return container(
            name,
            Config=config,
            Mounts=mounts,
            Created="2026-01-01T00:00:00Z",
            Path="php",
            State={"Pid": PIDS[name]},
            HostConfig={"Tmpfs": case.get("tmpfs")},
        )

    parts = case.get("file", "a.png").split("/")

    def listed(question: Any) -> Any:
        at = question.path.removeprefix("/app/media").strip("/")
        inner = parts if not at else parts[1:]
        if not inner or not inner[0]:
            return {"entries": []}
        return {"entries": [{"name": inner[0], "type": "folder" if inner[1:] else "file"}]}

    status = {"type": "file", "size": case.get("size", 9), "mtime": case.get("written", NEW)}

    def looked_at(question: Any) -> Any:
        has = {
            path: case.get("in_web") or f"/{PIDS['web']}/" not in path for path in question.paths
        }
        return {path: status if has[path] else {"failed": "missing"} for path in question.paths}

    host = Made({"file.list": listed, "file.stats": looked_at})
    pair = (
        made("web", case.get("web", [MEDIA]), "serve"),
        made("worker", case.get("worker", []), *WORK),
    )
    found = worker_folders(host, programs_of_workers(host, of(*pair)))
    result = judge(
        "container.worker-settings-differ",
        worker_differences=WorkerDifferences(),
        worker_folders=found,
    )
    assert [folder.file for folder in found] == expected
    severity = "advice" if case.get("is_guess") else "warning"
    assert rows(result) == [(severity, "worker")] * len(expected)


SITE = "SITE_URL=https://shop.example.com"
MAIL = "SMTP_HOST=mail"
ADDRESSES: dict[str, tuple[list[str], list[str], list[str], list[tuple[str, str]]]] = {
    "an address": ([SITE, MAIL], [MAIL], ["sidekiq"], [("advice", "worker")]),
    "mails of the worker alone": ([SITE], [MAIL], ["sidekiq"], [("advice", "worker")]),
    "mails of the program alone": ([SITE, MAIL], [], ["sidekiq"], []),
    "no mails": ([SITE], [], ["sidekiq"], []),
    "both have it": ([SITE, MAIL], [SITE, MAIL], ["sidekiq"], []),
    "the worker has another one": ([SITE, MAIL], ["SITE_URL=http://b", MAIL], ["sidekiq"], []),
    "an address of this machine": (
        ["SITE_URL=http://localhost:8080", MAIL],
        [MAIL],
        ["sidekiq"],
        [],
    ),
    "a port alone": (["PORT=8080", MAIL], [MAIL], ["sidekiq"], []),
    "a scheduler": ([SITE, MAIL], [MAIL], ["celery", "beat"], []),
}


@pytest.mark.parametrize(
    ("web", "worker", "command", "expected"), ADDRESSES.values(), ids=ADDRESSES
)
def test_the_address_of_the_site(
    web: list[str], worker: list[str], command: list[str], expected: list[tuple[str, str]]
) -> None:
    pair = of(_service("web", web, ["serve"]), _service("worker", worker, command))
    result = judge(
        "container.worker-settings-differ",
        worker_differences=WorkerDifferences(),
        worker_addresses=worker_addresses(programs_of_workers(Made({}), pair)),
    )
    assert [row for row in rows(result) if row[1] == "worker"] == expected
