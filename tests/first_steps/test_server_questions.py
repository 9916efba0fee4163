"""What servers are asked about themselves: diagnose/first_steps/looks/server_questions.py."""

from __future__ import annotations

import pytest

from diagnose.first_steps.looks.server_questions import kind_of_server, server_question
from tests.checks.container.evidence import container_in
from tests.inspected import container

QUESTIONS: dict[str, tuple[str, list[str], str, str]] = {
    "names of its own": (
        "postgis/postgis:16",
        ["POSTGRES_USER=o'neil", "POSTGRES_DB=shop; rm"],
        "",
        "psql -U 'o'\"'\"'neil' -d postgres -c \"\\l\" -c \"\\du\"; psql -U 'o'\"'\"'neil' -d 'shop; rm' -c",
    ),
    "a database of MariaDB": (
        "mariadb:11",
        ["MARIADB_ROOT_PASSWORD=x", "MARIADB_DATABASE=shop"],
        "",
        'MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -u root -e "SHOW DATABASES;',
    ),
    "a user that looks like a gap": (
        "postgres:16",
        ["POSTGRES_USER={base}", "POSTGRES_DB='; rm"],
        "",
        "psql -U '{base}' -d postgres",
    ),
    "migrations of Flyway": (
        "mysql:8",
        ["MYSQL_ROOT_PASSWORD=x"],
        "flyway failed",
        'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -u root -D mysql -e "SELECT * FROM flyway_schema_history',
    ),
    "an old shell": ("mongo:4.4", [], "", 'mongo --quiet --eval "printjson('),
    "a login": (
        "mongo:7",
        ["MONGO_INITDB_ROOT_USERNAME=a"],
        "",
        'mongosh --quiet -u "$MONGO_INITDB_ROOT_USERNAME" -p "$MONGO_INITDB_ROOT_PASSWORD" --eval',
    ),
    "a password of Redis": (
        "valkey/valkey:8",
        ["REDIS_PASSWORD=x"],
        "",
        'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli info',
    ),
}


@pytest.mark.parametrize(("image", "env", "words", "begin"), QUESTIONS.values(), ids=QUESTIONS)
def test_the_question(image: str, env: list[str], words: str, begin: str) -> None:
    asked = server_question(container("db", Config={"Image": image, "Env": env}), words)
    assert asked.startswith(begin)
    assert "=x" not in asked


def test_who_is_not_asked() -> None:
    assert kind_of_server(container("ui", Config={"Image": "mongo-express:1"})) is None
    for image in ("postgrest/postgrest:12", "oliver006/redis_exporter", "databack/mysql-backup"):
        assert kind_of_server(container("beside", Config={"Image": image})) is None
    assert kind_of_server(container_in("exited", Config={"Image": "postgres:16"})) is None
    assert server_question(container("web"), "") == ""


def test_redis_is_asked_what_it_has_refused() -> None:
    cache = container("cache", Config={"Image": "redis:7.2"})
    words = "noperm this user has no permissions to run the 'set' command"
    assert server_question(cache, words) == "redis-cli acl log 3"
