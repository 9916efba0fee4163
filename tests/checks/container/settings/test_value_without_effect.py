"""The check container.value-without-effect, and the evidence that it reads."""

import re
from typing import Any

import pytest

from diagnose.evidence.containers.variables.built_values import built_values
from diagnose.evidence.containers.variables.first_start_values import (
    FirstStartValues,
    first_start_values,
)
from diagnose.evidence.containers.variables.image_values import ImageValues, image_values
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

SCRIPT = """#!/bin/sh
set -e
DATA=/data
: "${SERVER_NAME:=unnamed}"
if [ ! -f "$DATA/server.ini" ]; then
  if [ -n "$EXTRA" ]; then
    echo "extra=$EXTRA"
  fi
  sed "s/NAME/$SERVER_NAME/; s/WORD/$ADMIN_PASSWORD/" /defaults.ini > "$DATA/server.ini"
fi
exec game --config "$DATA/server.ini" --port "$PORT"
"""
NAME = "SERVER_NAME=Blue Island"
BRANCH = "if [ ! -f /data/x ]; then\n  echo $SHOP >/data/x\nfi\n"
"""Many of them once took a minute."""
FIRST: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an older file": ({}, ["SERVER_NAME"]),
    "a file with the value": ({"text": "name = Blue Island"}, []),
    "a file with a word of it": ({"text": "name = blue-Island"}, []),
    "a file of this container": ({"written": 2_000_000_000.0}, []),
    "a file that is not there": ({"gone": True}, []),
    "a link": ({"type": "link"}, []),
    "more than is searched": ({"size": 300_000}, []),
    "no mount": ({"target": "/other"}, []),
    "the value of the image": ({"image": [NAME]}, []),
    "a secret": ({"env": ["ADMIN_PASSWORD=correcthorse"]}, []),
    "a switch": ({"env": ["SERVER_NAME=true"]}, []),
    "read at each start": ({"env": ["PORT=7777x"]}, []),
    "a default for it": ({"env": ["EXTRA=harbour"]}, ["EXTRA"]),
    "another use": ({"script": SCRIPT + 'echo "$SERVER_NAME"\n'}, []),
    "the other branch": ({"script": SCRIPT.replace("-f", "-f").replace("! ", "")}, []),
    "two brackets": (
        {"script": SCRIPT.replace('[ ! -f "$DATA/server.ini" ]', "[[ ! -e ${DATA}/server.ini ]]")},
        ["SERVER_NAME"],
    ),
    "nothing but branches": ({"script": "#!/bin/sh\n" + BRANCH * 800}, []),
    "no shell script": ({"script": SCRIPT.replace("#!/bin/sh", "#!/usr/bin/perl")}, []),
}


@pytest.mark.parametrize(("case", "expected"), FIRST.values(), ids=FIRST)
def test_variables_of_the_first_start(case: dict[str, Any], expected: list[str]) -> None:
    volume = {
        "Type": "volume",
        "Name": "data",
        "Source": "/v/data",
        "Destination": case.get("target", "/data"),
    }
    game = container(
        "game",
        Created="2026-01-01T00:00:00Z",
        Config={"Env": case.get("env", [NAME]), "Entrypoint": ["/start.sh"]},
        Mounts=[volume],
    )
    missing = {"failed": "missing"}
    status = {
        "type": case.get("type", "file"),
        "size": case.get("size", 90),
        "mtime": case.get("written", 1_700_000_000.0),
    }
    text = f"\n{case.get('text', 'name = Red Hill')}"
    host = Made(
        {
            "api.archive": {"type": "file", "text": case.get("script", SCRIPT)},
            "api.image": {"Id": "sha256:1111", "Config": {"Env": case.get("image", [])}},
            "file.stats": lambda question: {
                path: missing if case.get("gone") else status for path in question.paths
            },
            "file.texts": lambda question: [word for word in question.texts if word in text],
        }
    )
    found = first_start_values(host, of(game))
    result = judge(
        "container.value-without-effect",
        first_start_values=found,
        image_values=ImageValues(),
        built_values=None,
    )
    assert [finding.variables["variable"] for finding in result.findings] == expected


KNOWN: dict[str, tuple[dict[str, Any], list[str]]] = {
    "Nextcloud with another server": ({}, ["MYSQL_HOST"]),
    "Nextcloud with its server": ({"text": "'dbhost' => 'database:3306',"}, []),
    "Nextcloud that is not installed": ({"text": "'instanceid' => 'x',"}, []),
    "another program": ({"image": "shop:1"}, []),
    "WordPress with a file of its own": (
        {
            "image": "wordpress:6",
            "env": ["WORDPRESS_DB_HOST=database"],
            "path": "/var/www/html",
            "text": "define('DB_HOST', 'db');",
        },
        ["WORDPRESS_DB_HOST"],
    ),
    "WordPress that reads its variables": (
        {
            "image": "wordpress:6",
            "env": ["WORDPRESS_DB_HOST=database"],
            "path": "/var/www/html",
            "text": "define('DB_HOST', getenv_docker('WORDPRESS_DB_HOST', 'mysql'));",
        },
        [],
    ),
}


@pytest.mark.parametrize(("case", "expected"), KNOWN.values(), ids=KNOWN)
def test_files_of_well_known_images(case: dict[str, Any], expected: list[str]) -> None:
    volume = {
        "Type": "volume",
        "Name": "cloud",
        "Source": "/v/cloud",
        "Destination": case.get("path", "/var/www/html/config"),
    }
    cloud = container(
        "cloud",
        Created="2026-01-01T00:00:00Z",
        Config={
            "Image": case.get("image", "nextcloud:30"),
            "Env": case.get("env", ["MYSQL_HOST=database"]),
        },
        Mounts=[volume],
    )
    text = case.get("text", "'dbhost' => 'db',")
    host = Made({"file.texts": lambda question: [word for word in question.texts if word in text]})
    found = first_start_values(host, of(cloud))
    result = judge(
        "container.value-without-effect",
        first_start_values=found,
        image_values=ImageValues(),
        built_values=None,
    )
    assert [finding.variables["variable"] for finding in result.findings] == expected


IMAGE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another value in the file": ({}, ["DB_CLIENT"]),
    "the same value": ({"text": 'DB_CLIENT="sqlite3"'}, []),
    "not in the file": ({"text": "DB_HOST=db"}, []),
    "a longer name in the file": ({"text": "MY_DB_CLIENT=pg"}, []),
    "somebody has set it": ({"env": ["DB_CLIENT=mysql"]}, []),
    "a path of programs": ({"image": ["PATH=/bin"], "text": "PATH=/usr/bin"}, []),
    "a start script has read the file": ({"environ": ["DB_CLIENT=pg"]}, []),
    "another file": ({"target": "/app/other.env"}, []),
}


@pytest.mark.parametrize(("case", "expected"), IMAGE.values(), ids=IMAGE)
def test_variables_of_the_image(case: dict[str, Any], expected: list[str]) -> None:
    image = case.get("image", ["DB_CLIENT=sqlite3"])
    mount = {
        "Type": "bind",
        "Source": "/srv/cms/.env",
        "Destination": case.get("target", "/app/.env"),
    }
    cms = container("cms", Config={"Env": case.get("env", image)}, Mounts=[mount])
    text = f"\n{case.get('text', 'DB_CLIENT=pg')}\n"
    host = Made(
        {
            "api.image": {"Id": "sha256:1111", "Config": {"Env": image}},
            "file.texts": lambda question: [word for word in question.texts if word in text],
            "process": {"pid": 100, "environ": case.get("environ", image)},
        }
    )
    found = image_values(host, of(cms))
    result = judge(
        "container.value-without-effect",
        first_start_values=FirstStartValues(),
        image_values=found,
        built_values=None,
    )
    assert [finding.variables["name"] for finding in result.findings] == expected


URL = "VITE_API_URL=https://api.lab.test/v1"
BUILT: dict[str, tuple[dict[str, Any], str | None]] = {
    "a local address": ({"text": 'x="http://localhost:8000/v1"'}, "http://localhost:8000"),
    "the address of the image": (
        {"image": ["VITE_API_URL=http://old.lab.test"], "text": '"http://old.lab.test/x"'},
        "old.lab.test",
    ),
    "no value at that time": ({"text": "process.env.VITE_API_URL||''"}, ""),
    "the object of Vite": ({"text": 'VITE_API_URL:"http://localhost:8000"'}, None),
    "the same address": ({"text": '"https://api.lab.test/v1" "http://localhost:8000"'}, None),
    "nothing in its place": ({"text": 'fetch("/api")'}, None),
    "a port of nobody": ({"text": '"http://localhost:8969"'}, None),
    "read at run time": ({"text": 'env("VITE_API_URL")||"http://localhost:8000"'}, None),
    "pages of this container": ({"newest": 1_900_000_000.0, "text": "http://localhost:8000"}, None),
    "no pages": ({"files": 0, "text": "http://localhost:8000"}, None),
    "pages that were not all read": ({"rest": True, "text": "http://localhost:8000"}, None),
    "the image's own value": ({"image": [URL], "text": "http://localhost:8000"}, None),
    "for developers": ({"cmd": ["npm", "run", "dev"], "text": "http://localhost:8000"}, None),
    "a port that is not a number": (
        {"text": "x", "local": ["http://localhost:\N{SUPERSCRIPT TWO}"]},
        None,
    ),
    "code of a server": ({"text": "http://localhost:8000", "page": "main.js"}, None),
    "on the server alone": ({"text": "http://localhost:8000", "server": True}, None),
    "no address": ({"env": ["VITE_TITLE=Shop"], "text": "http://localhost:8000"}, None),
}


@pytest.mark.parametrize(("case", "expected"), BUILT.values(), ids=BUILT)
def test_variables_of_the_build(case: dict[str, Any], expected: str | None) -> None:
    pages = container(
        "pages",
        Created="2026-01-01T00:00:00Z",
        Config={"Env": case.get("env", [URL]), "Cmd": case.get("cmd", []), "WorkingDir": "/app"},
    )
    other = container("api", Config={"ExposedPorts": {"8000/tcp": {}}})

    def searched(question: Any) -> Any:
        is_server = question.folders[0].endswith("/.next/server")
        text = "process.env.VITE_API_URL" if is_server and case.get("server") else ""
        text = text if is_server else case["text"]
        return {
            "texts": [word for word in question.texts if word in text],
            "local": case.get("local") or re.findall(r"http://localhost:\d+", text),
            "files": case.get("files", 3) if "/app/dist" in question.folders else 0,
            "newest": case.get("newest", 1_700_000_000.0),
            "is_complete": not case.get("rest"),
        }

    host = Made(
        {
            "api.image": {"Id": "sha256:1111", "Config": {"Env": case.get("image", [])}},
            "file.built-pages": searched,
            "file.stats": {
                f"/proc/100/root/app/dist/{case.get('page', 'index.html')}": {"type": "file"}
            },
        }
    )
    found = built_values(host, of(pages, other))
    result = judge(
        "container.value-without-effect",
        first_start_values=FirstStartValues(),
        image_values=ImageValues(),
        built_values=found,
    )
    assert [value.built_with for value in found] == ([] if expected is None else [expected])
    assert len(result.findings) == len(found)
