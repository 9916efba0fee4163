"""The check in checks/container/settings/variable_misspelt.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.variables.misspelt_variables import (
    MisspeltVariables,
    is_almost,
    misspelt_variables,
)
from diagnose.evidence.containers.variables.other_user_variables import other_user_variables
from diagnose.evidence.machine.processes import Processes
from diagnose.questions.processes import Process
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ALMOST = {
    ("POSTGRES_BD", "POSTGRES_DB"): True,
    ("POSTGRES_PASWORD", "POSTGRES_PASSWORD"): True,
    ("POSTRGES_PASSWORD", "POSTGRES_PASSWORD"): True,
    ("POSTGRES_PASSWORT", "POSTGRES_PASSWORD"): True,
    ("postgres_password", "POSTGRES_PASSWORD"): True,
    ("POSTGRES-PASSWORD", "POSTGRES_PASSWORD"): True,
    ("MYSQL_ROOT_PASSWD", "MYSQL_ROOT_PASSWORD"): True,
    ("SMTP_HOSTS", "SMTP_HOST"): False,
    ("NODE2_NAME", "NODE1_NAME"): False,
    ("MYSQL_PORT", "MYSQL_HOST"): False,
    ("MYSQL_DATABSE", "MYSQL_DATABASE"): True,
    ("HTTPS_PORT", "HTTP_PORT"): False,
    ("LDAP_URL", "LDAP_URI"): False,
    ("DB_POST", "DB_HOST"): False,
    ("POSTGRESS_DB", "POSTGRES_DB"): False,
    ("POSTGRES_DB", "POSTGRES_DB"): False,
    ("POSTGRES_DBS", "POSTGRES_BD"): False,
}


@pytest.mark.parametrize(("names", "expected"), ALMOST.items(), ids=map(str, ALMOST))
def test_names(names: tuple[str, str], expected: bool) -> None:
    assert is_almost(*names) == expected


SCRIPT = """#!/usr/bin/env bash
set -e
# POSTGRES_HOSTS is for later
file_env 'POSTGRES_PASSWORD'
file_env POSTGRES_DB "$POSTGRES_USER"
DATADIR=/var/lib/postgresql
mkdir -p "$DATADIR" "$PGDATA"
exec "$@"
"""
FOUND = [("warning", "db")]
CASES: dict[str, tuple[list[str], dict[str, Any], list[tuple[str, str]]]] = {
    "a swapped letter": (["POSTGRES_BD=shop"], {}, FOUND),
    "the right one is set too": (["POSTGRES_BD=shop", "POSTGRES_DB=shop"], {}, []),
    "its file is set": (["POSTGRES_BD=x", "POSTGRES_DB_FILE=/run/secrets/a"], {}, []),
    "another variable": (["TIMEZONE=UTC"], {}, []),
    "one of the image": (["POSTGRES_BD=shop"], {"image": ["POSTGRES_BD=shop"]}, []),
    "a name of the script's own": (["DATADIRS=/x", "DATEDIR=/x"], {}, []),
    "a program that is not a script": (["POSTGRES_BD=shop"], {"script": "\x7fELF"}, []),
    "for another container": (["POSTGRES_BD=shop"], {"other": ["POSTGRES_BD=shop"]}, []),
}


@pytest.mark.parametrize(("env", "given", "expected"), CASES.values(), ids=CASES)
def test_variables(env: list[str], given: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    labels = {"com.docker.compose.project": "shop"}
    entrypoint = ["/usr/local/bin/docker-entrypoint.sh"]
    database = container("db", Config={"Env": env, "Entrypoint": entrypoint, "Labels": labels})
    other = container(
        "web", Image="sha256:2222", Config={"Env": given.get("other", []), "Labels": labels}
    )
    host = Made(
        {
            "api.image": {"Id": "sha256:1111", "Config": {"Env": given.get("image", [])}},
            "api.archive": {"type": "file", "text": given.get("script", SCRIPT)},
        }
    )
    found = misspelt_variables(host, of(database, other))
    assert rows(judge("container.variable-misspelt", misspelt_variables=found)) == expected


USERS: dict[str, tuple[list[str], list[str], list[int], list[tuple[str, str]]]] = {
    "another name": (["PUID=1026"], ["USER_ID=1000"], [0, 1000], [("advice", "web")]),
    "it runs as that user": (["PUID=1026"], ["USER_ID=1000"], [0, 1026], []),
    "the image's own number": (["PUID=1000"], ["USER_ID=1000"], [0], []),
    "the image's own name": (["USER_ID=1026"], ["USER_ID=1000"], [0], []),
    "both names": (["PUID=1026", "USER_ID=1026"], ["USER_ID=1000"], [0], []),
    "an image that has none": (["PUID=1026"], [], [0, 1000], []),
    "an image that knows both": (["PUID=1026"], ["PUID=911", "USER_ID=1000"], [0], []),
    "mapped users": (["PUID=1026"], ["USER_ID=1000"], [100000, 101000], []),
    "a user of the image's build": (["PUID=1026"], ["APP_UID=1654"], [0], []),
    "root": (["PUID=0"], ["USER_ID=1000"], [1000], []),
    "no number": (["PUID=me"], ["USER_ID=1000"], [0], []),
}


@pytest.mark.parametrize(("env", "image", "uids", "expected"), USERS.values(), ids=USERS)
def test_numbers_of_users(
    env: list[str], image: list[str], uids: list[int], expected: list[tuple[str, str]]
) -> None:
    given = {entry.partition("=")[0]: entry for entry in (*image, *env)}
    web = container("web", Config={"Env": [*given.values()]})
    processes = [Process(7 + at, uid=uid, container=web.id) for at, uid in enumerate(uids)]
    found = other_user_variables(
        Made({"api.image": {"Id": "sha256:1", "Config": {"Env": image}}}),
        of(web),
        Processes(tuple(processes)),
    )
    result = judge(
        "container.variable-misspelt",
        misspelt_variables=MisspeltVariables(),
        other_user_variables=found,
    )
    assert rows(result) == expected
