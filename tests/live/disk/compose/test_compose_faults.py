"""For what compose refuses a file, as `docker compose config` of 2.40 answers."""

from pathlib import Path
from typing import Any

import pytest

from diagnose.live.disk.compose.faults import compose_faults
from diagnose.live.disk.compose.needs import needed_parts
from diagnose.live.disk.compose.search import found_compose_files

WEB = "services:\n  web:\n    image: shop:1.4\n"
REFUSED = {
    "a tab": ("services:\n\tweb:\n", "yaml", 2),
    "less indented": (WEB + "   ports:\n    - 80\n", "yaml", 4),
    "a colon in a value": (WEB + "    command: echo a: b\n", "yaml", 4),
    "marks of a merge": (WEB + "<<<<<<< HEAD\n    tty: true\n=======\n", "yaml", 4),
    "no such file to include": ("include: [none.yaml]\n" + WEB, "file-missing", 1),
    "an anchor in itself": ("services:\n  web: &w\n    <<: *w\n    image: a\n", "yaml", 2),
    "an unknown anchor": ("services:\n  web:\n    <<: *nope\n", "yaml", 3),
    "a key twice": (WEB + "    image: shop:1.5\n", "doubled", 4),
    "services twice": (WEB + "services:\n  db:\n    image: shop:1.4\n", "doubled", 4),
    "merged twice": ("x-a: &a {tty: true}\nservices:\n  web:\n    image: a\n    <<: *a\n    <<: *a\n", "doubled", 6),
    "a slip": (WEB + "    prots: ['80:80']\n", "unknown-key", 4),
    "a slip on top": (WEB + "volume:\n  data:\n", "unknown-key", 4),
    "the first format": ("web:\n  image: shop:1.4\n", "unknown-key", 1),
    "an odd space": (WEB + "    \u00a0tty: true\n", "unknown-key", 4),
    "a slip in a network": (WEB + "networks:\n  back:\n    drivr: bridge\n", "unknown-key", 6),
    "nothing": ("", "empty", 0),
    "no services": ("version: '3'\n", "empty", 0),
    "a list": ("- web\n", "empty", 0),
    "no such network": (WEB + "    networks: [back]\n", "undefined", 4),
    "no such volume": (WEB + "    volumes: ['data:/data']\n", "undefined", 4),
    "a path without a dot": (WEB + "    volumes: ['data/shop:/data']\n", "undefined", 4),
    "no such service": (WEB + "    depends_on: [db]\n", "undefined", 4),
    "no such partner": (WEB + "    network_mode: service:vpn\n", "undefined", 4),
    "no such model": (WEB + "    models: [llm]\n", "undefined", 4),
    "a service that is off": (
        WEB + "    depends_on: [db]\n  db: {image: a, profiles: [ci]}\n", "off", 4
    ),
    "no image": ("services:\n  web:\n    ports: ['80:80']\n", "no-image", 2),
    "no env file": (WEB + "    env_file: none.env\n", "env-file", 4),
    "a list of mappings": (WEB + "    environment:\n      - A: b\n", "entry-is-mapping", 5),
    "nothing in environment": (WEB + "    environment:\n", "wrong-kind", 4),
    "a string of ports": (WEB + "    ports: '80:80'\n", "wrong-kind", 4),
    "ports without spaces": (WEB + "    ports:\n      -'80:80'\n", "wrong-kind", 4),
    "a number for a name": (WEB + "    container_name: 12\n", "wrong-kind", 4),
    "restart as a boolean": (WEB + "    restart: true\n", "wrong-kind", 4),
    "a service without parts": ("services:\n  web:\n", "wrong-kind", 2),
    "services as a list": ("services:\n  - web\n", "wrong-kind", 1),
    "a time without a unit": (WEB + "    healthcheck: {test: [CMD, a], interval: '30'}\n", "no-unit", 4),
    "a test without a kind": (WEB + "    healthcheck: {test: [curl, a]}\n", "test-without-kind", 4),
    "a condition": (WEB + "    depends_on: {web: {condition: healthy}}\n", "condition", 4),
    "two networks": (WEB + "    network_mode: host\n    networks: [default]\n", "two-networks", 2),
    "an open brace": (WEB.replace("1.4", "${TAG"), "open-brace", 3),
    "no such secret file": (WEB + "    secrets: [a]\nsecrets:\n  a: {file: ./none}\n", "file-missing", 6),
    "no such file to extend": (WEB + "    extends: {file: none.yaml, service: a}\n", "file-missing", 4),
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "line"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, kind: str, line: int, tmp_path: Path) -> None:
    found: Any = compose_faults({"/srv/a/compose.yaml": text}, str(tmp_path))
    assert (found[0]["kind"], found[0]["line"]) == (kind, line)


TAKEN = {
    "a list of numbers": WEB + "    ports:\n      - 80\n      - 22:22\n",
    "booleans": WEB + "    environment: {A: true, B: 1.5, C: }\n",
    "no restart": WEB + "    restart: no\n",
    "nothing to run": WEB + "    command:\n",
    "an optional env file": WEB + "    env_file: [{path: none.env, required: false}]\n",
    "a variable in a name": WEB + "    env_file: ${STAGE}.env\n    volumes: ['${DATA}:/data']\n",
    "an extension": WEB + "    x-team: shop\nx-all: {a: b}\n",
    "a volume without parts": WEB + "    volumes: ['data:/data']\nvolumes:\n  data:\n",
    "paths": WEB + "    volumes: ['./a:/a', '/b:/b', '~/c:/c', '/d']\n",
    "a dollar": WEB + "    command: echo $1 $$HOME ${A:-b} $(date)\n",
    "a mark at its start": "\ufeff" + WEB,
    "a part of an included file": "include: ['${OTHER}']\n" + WEB + "    networks: [back]\n",
    "a part that is reset": WEB + "    ports: !reset null\n",
    "an optional neighbour": WEB + "    depends_on: {db: {condition: service_healthy, required: false}}\n",
    "an optional one with a profile": WEB + (
        "    depends_on: {db: {condition: service_started, required: false}}\n"
        "  db: {image: a, profiles: [ci]}\n"
    ),
    "one with a variable as its profile": WEB + (
        "    depends_on: [db]\n  db: {image: a, profiles: ['$KIND']}\n"
    ),
    "an anchor": "x-a: &a {image: a}\nservices:\n  web:\n    <<: *a\n    networks: [default]\n",
    "neighbours in an anchor": "x-d: &d {db: {condition: service_started}}\n" + WEB + (
        "    depends_on:\n      <<: *d\n  db: {image: a}\n"
    ),
    "an env file for a profile": WEB + "  tools: {image: a, profiles: [t], env_file: none.env}\n",
    "parts for a profile": WEB + (
        "  tools: {profiles: [t], depends_on: [db], networks: [no], volumes: ['no:/a'],"
        " healthcheck: {test: [curl]}, network_mode: host}\n"
    ),
    "two documents": "x-a: 1\n---\n" + WEB,
    "a mode and no networks": WEB + "    network_mode: host\n    networks: []\n",
    "an empty include": WEB + "include:\n",
    "letters of a commit": WEB + "    hostname: 123e4567\n",
    "a newer key": WEB + "    post_start: [{command: a}]\n",
}  # fmt: skip


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_taken(text: str, tmp_path: Path) -> None:
    found: Any = compose_faults({"/srv/a/compose.yaml": text}, str(tmp_path))
    assert [fault for fault in found if fault["kind"] != "new-key"] == []


@pytest.mark.parametrize("named", ["ci", "full,ci", "'ci'", "*", "$KIND"])
def test_a_profile_that_the_env_file_of_the_project_names(named: str, tmp_path: Path) -> None:
    text = WEB + "    depends_on: [db]\n  db: {image: a, profiles: [ci]}\n"
    (tmp_path / ".env").write_text(f"COMPOSE_PROFILES={named}\n")
    assert compose_faults({"/a": text}, str(tmp_path)) == []


def test_a_key_that_older_versions_refuse(tmp_path: Path) -> None:
    found: Any = compose_faults({"/a": TAKEN["a newer key"]}, str(tmp_path))
    assert [(fault["name"], fault["detail"]) for fault in found] == [("post_start", "2.30")]


def test_two_files_are_one_project(tmp_path: Path) -> None:
    over = "services: {web: {networks: [back]}}\nnetworks: {back: }\n"
    assert compose_faults({"/a": WEB, "/b": over}, str(tmp_path)) == []


def test_what_the_engine_has_to_have() -> None:
    text = WEB + (
        "    container_name: shop\n    networks: [edge, own]\n    volumes: ['old:/old']\n"
        "  tools: {image: a, networks: [rare], profiles: [tools], container_name: tools}\n"
        "networks:\n  edge: {external: true, name: proxy}\n  own:\n  rare: {external: true}\n"
        "volumes:\n  old: {external: {name: data}}\n"
    )
    found: Any = needed_parts({"/a": text})
    assert [(part["kind"], part["name"]) for part in found] == [
        ("container", "shop"), ("network", "proxy"), ("volume", "data")
    ]  # fmt: skip


_POOL = "  backend:\n    ipam:\n      config: [{subnet: 172.28.5.0/24}]\n"
SUBNETS = {
    "a subnet": ("    networks: [backend]\nnetworks:\n" + _POOL, ["subnet"]),
    "with an address": (
        "    networks: {backend: {ipv4_address: 172.28.5.9}}\nnetworks:\n" + _POOL, ["addressed subnet"],
    ),
    "of a network that nobody uses": ("networks:\n" + _POOL, []),
    "a variable": ("    networks: [backend]\nnetworks:\n" + _POOL.replace("172.28.5.0/24", "$NET"), []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "kinds"), SUBNETS.values(), ids=SUBNETS)
def test_the_subnets_of_a_file(text: str, kinds: list[str]) -> None:
    parts: list[Any] = needed_parts({"a": WEB + text})
    assert [part["kind"] for part in parts] == kinds
    assert all((part["name"], part["service"]) == ("172.28.5.0/24", "backend") for part in parts)


def test_files_of_projects_in_the_usual_folders(tmp_path: Path) -> None:
    for folder in ("shop", "blog", "empty", "home/ann/wiki"):
        (tmp_path / folder).mkdir(parents=True)
    for path in ("shop/docker-compose.yml", "shop/compose.yaml", "home/ann/wiki/compose.yml"):
        (tmp_path / path).write_text(WEB)
    (tmp_path / "home/ann/wiki/compose.override.yml").write_text(WEB)
    (tmp_path / "empty/compose.yaml").write_text(WEB)
    (tmp_path / "empty/.env").write_text("COMPOSE_FILE=base.yaml:prod.yaml\n")
    (tmp_path / "blog" / "compose.yaml").symlink_to("/dev/zero")
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    args: Any = {"folders": [str(tmp_path), f"{tmp_path}/home/*", "/gone"], "here": ""}
    found: Any = found_compose_files(args)
    wanted = {"shop/compose.yaml", "home/ann/wiki/compose.yml"}
    assert {file["path"] for file in found} == {str(tmp_path / path) for path in wanted}
    assert {file["path"] for file in found if file["has_others"]} == {
        str(tmp_path / "home/ann/wiki/compose.yml")
    }
    args = {"folders": [], "here": str(tmp_path / "shop")}
    here: Any = found_compose_files(args)
    assert [file["is_here"] for file in here] == [True]
