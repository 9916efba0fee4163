"""The check container.env-file-unpassed, and the names that nothing in a folder mentions."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.compose.unpassed_keys import unpassed_keys
from diagnose.live.disk.compose.unused_keys import unused_keys
from diagnose.questions.compose import WrittenService
from tests.checks.container.written import made, project
from tests.judging import judge, rows

WEB = WrittenService("web")
DOTENV = {"Type": "bind", "Source": "/srv/shop/.env", "Destination": "/app/.env"}
FOLDER = {"Type": "bind", "Source": "/srv/shop", "Destination": "/app"}
SAID = [("advice", "shop-web-1")]
PROJECTS: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = {
    "a setting": ({}, {}, SAID),
    "nothing": ({"unused_keys": []}, {}, []),
    "the container has it": ({}, {"Config": {"Env": ["SMTP_HOST=a"]}}, []),
    "the file is mounted": ({}, {"Mounts": [DOTENV]}, []),
    "the folder is mounted": ({}, {"Mounts": [FOLDER]}, []),
    "the image is built here": ({"services": [WrittenService("web", builds=True)]}, {}, []),
    "it extends another": ({"services": [WrittenService("web", is_partial=True)]}, {}, []),
    "more files": ({"includes": True}, {}, []),
    "names of the host": ({"unused_keys": ["COMPOSE_PROFILES", "APP_VERSION", "DATA_DIR"]}, {}, []),
    "it does not run": ({}, {"State": {"Status": "exited", "Pid": 0}}, []),
}


@pytest.mark.parametrize(("file", "parts", "expected"), PROJECTS.values(), ids=PROJECTS)
def test_settings_that_no_container_gets(
    file: dict[str, Any], parts: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    written = {"services": [WEB], "unused_keys": ["SMTP_HOST"], **file}
    found = unpassed_keys(project(made("web", **parts), **written))
    assert rows(judge("container.env-file-unpassed", unpassed_keys=found)) == expected


OVERRIDES = {
    "one service": ([WEB], "compose.yaml", "/srv/shop/compose.override.yaml"),
    "two services": ([WEB, WrittenService("db")], "compose.yaml", None),
    "a file that compose does not find": ([WEB], "prod.yaml", None),
}


@pytest.mark.parametrize(("services", "name", "expected"), OVERRIDES.values(), ids=OVERRIDES)
def test_the_only_service_gets_the_file_by_an_override(
    services: list[WrittenService], name: str, expected: str | None
) -> None:
    written = project(made("web"), services=services, unused_keys=["SMTP_HOST"])
    (of_shop,) = written
    named = replace(written, items=(replace(of_shop, paths=(f"/srv/shop/{name}",)),))
    result = judge("container.env-file-unpassed", unpassed_keys=unpassed_keys(named))
    assert result.findings[0].variables.get("override") == expected


TEXT = "services:\n  web:\n    image: shop:1.4\n    environment: {A: '${GREETING}'}\n"
FILES: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "two of three": (TEXT, {}, ["SMTP_HOST", "DOMAIN"]),
    "the file for a service": (TEXT + "    env_file: .env\n", {}, []),
    "the file in a list": (TEXT + "    env_file:\n      - ./.env\n", {}, []),
    "a script": (TEXT, {"start.sh": "echo $SMTP_HOST"}, ["DOMAIN"]),
    "a Makefile": (TEXT, {"Makefile": "up:\n\techo $(DOMAIN) $(SMTP_HOST)\n"}, []),
    "an example": (TEXT, {".env.example": "DOMAIN=\n", "README.md": "DOMAIN"}, ["SMTP_HOST", "DOMAIN"]),
    "a list of files to ignore": (TEXT, {".gitignore": ".env\n"}, ["SMTP_HOST", "DOMAIN"]),
    "a script that reads all": (TEXT, {"backup.sh": "set -a; . ./.env; restic backup /srv\n"}, []),
    "a Makefile that reads all": (TEXT, {"Makefile": "include .env\nexport\n"}, []),
    "a shell that reads all": (TEXT, {".envrc": "dotenv\n"}, []),
    "the sources of a program": (TEXT, {"package.json": "{}"}, []),
    "a part of a name": (TEXT, {"start.sh": "echo $MY_DOMAIN"}, ["SMTP_HOST", "DOMAIN"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "others", "expected"), FILES.values(), ids=FILES)
def test_names_that_nothing_mentions(
    text: str, others: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    dotenv = "GREETING=hi\nSMTP_HOST=mail\nDOMAIN=lab.test\nEMPTY=\n"
    for name, content in {".env": dotenv, **others}.items():
        (tmp_path / name).write_text(content)
    path = str(tmp_path / "compose.yaml")
    (tmp_path / "compose.yaml").write_text(text)
    assert unused_keys({path: text}, str(tmp_path)) == expected


def test_one_file_for_several_projects(tmp_path: Path) -> None:
    (tmp_path / "shared.env").write_text("SMTP_HOST=mail\n")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / ".env").symlink_to(tmp_path / "shared.env")
    assert unused_keys({"/srv/compose.yaml": TEXT}, str(tmp_path / "shop")) == []


def test_a_name_that_another_value_refers_to(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DOMAIN=lab.test\nGREETING=https://${DOMAIN}/\n")
    assert unused_keys({"/srv/compose.yaml": TEXT}, str(tmp_path)) == []


def test_a_script_of_the_host_that_reads_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_folder, scripts = tmp_path / "shop", tmp_path / "bin"
    project_folder.mkdir()
    scripts.mkdir()
    (project_folder / ".env").write_text("RESTIC_PASSWORD=a\n")
    places = f"{unused_keys.__module__}._FOLDERS_OF_HOST"
    monkeypatch.setattr(places, (str(tmp_path / "empty"),))
    assert unused_keys({"/srv/compose.yaml": TEXT}, str(project_folder)) == ["RESTIC_PASSWORD"]
    monkeypatch.setattr(places, (str(scripts),))
    (scripts / "save").write_text(f"#!/bin/sh\n. {project_folder}/.env\nrestic backup /srv\n")
    assert unused_keys({"/srv/compose.yaml": TEXT}, str(project_folder)) == []


def test_scripts_one_folder_below(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SMTP_HOST=mail\n")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "report").write_text("#!/bin/sh\necho $SMTP_HOST\n")
    assert unused_keys({"/srv/compose.yaml": TEXT}, str(tmp_path)) == []
