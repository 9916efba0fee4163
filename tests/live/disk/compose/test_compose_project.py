"""Whole compose projects, and the numbers that compose makes of values without quotes."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from diagnose.live.disk.compose.needs import needed_parts
from diagnose.live.disk.compose.numbers import as_compose_reads, loses_digits
from diagnose.live.disk.compose.project import includes_others, project_services
from diagnose.live.disk.compose.project_files import (
    compose_project,
    compose_service,
    compose_variables,
    compose_volumes,
    differing_contents,
)
from diagnose.yaml_text import read_values

_NOBODY = 65534
READ = {
    "0123456": "42798", "01067": "567", "0891234": "891234", "08912345678": "8.912345678e+09",
    "3.10": "3.1", "1.0": "1", "1e3": "1000", "12345e7": "1.2345e+11", "0x1F": "31", "1_000": "1000",
    "022": "18", "123456789012345678901234": "1.2345678901234569e+23", "yes": "yes", "22:22": "22:22",
    "10000000.0": "1e+07", "0o17": "15", "0b11": "3", ".5": "0.5", "+49": "49", "-5": "-5", "0.0": "0",
    "1234567890.5": "1.2345678905e+09", "007": "7", "09": "9", "1.2.3": "1.2.3", "": "", "0": "0",
    "0.00001": "1e-05", "18446744073709551615": "18446744073709551615",
}  # fmt: skip
"""Values without quotes, and what a container had of them (compose 2.40.3)."""


@pytest.mark.parametrize(("text", "read"), READ.items(), ids=READ)
def test_numbers(text: str, read: str) -> None:
    assert as_compose_reads(text) == read


LOST = {
    "a code": ("PIN", "0123456", True),
    "a phone number": ("PHONE", "0891234", True),
    "a hash": ("COMMIT", "12345e7", True),
    "a version": ("PYTHON_VERSION", "3.10", True),
    "a tag": ("APP_TAG", "1.20", True),
    "a mask": ("UMASK", "022", True),
    "a mask of one digit": ("UMASK", "002", False),
    "a rate": ("RATE", "1.0", False),
    "a small number": ("LEARNING_RATE", "1e-4", False),
    "a large number": ("MAX_BYTES", "25e6", False),
    "a part": ("RATIO", "00.5", False),
    "hexadecimal": ("MASK", "0x1F", False),
    "groups of digits": ("SIZE", "1_000", False),
}


@pytest.mark.parametrize(("name", "text", "lost"), LOST.values(), ids=LOST)
def test_what_is_more_than_a_number(name: str, text: str, lost: bool) -> None:
    assert loses_digits(name, text) is lost


FILE = """
x-app: &app
  image: shop:1.4
  volumes: ["assets:/var/assets", "./html:/html/:ro"]
services:
  web:
    <<: [*app]
    build: .
    ports: ["80:80", {target: 90, published: 91, protocol: udp}, {target: 92, host_ip: 127.0.0.1, published: 93}]
    environment: {PIN: 0123456, CODE: "0123456", RATE: 1.0, APP_VERSION: 3.10}
    volumes: [public:/public, /own, "$HOME:/home", "~/x:/x", {type: tmpfs, target: /tmp}]
  worker:
    <<: *app
    profiles: [full]
    deploy: {replicas: 0}
    environment: [PIN=0123456]
  child: {extends: {service: web}}
  tagged: {ports: !override ["80:80"]}
"""
OVER = "services: {web: {image: shop:1.5, volumes: [{type: bind, source: ./b, target: /public}]}, worker: {scale: 2}}"


def _services(*texts: str) -> dict[str, dict[str, Any]]:
    found = project_services({f"/{number}.yaml": text for number, text in enumerate(texts)}, "/srv")
    assert found is not None
    return {service["name"]: service for service in found}  # type: ignore[index, call-overload, misc]


def test_services_of_one_file() -> None:
    services = _services(FILE)
    web, worker = services["web"], services["worker"]
    assert web["ports"] == ["80:80", "91:90/udp", "127.0.0.1:93:92"]
    assert web["builds"]
    assert [entry["written"] for entry in web["numbers"]] == ["PIN=0123456", "APP_VERSION=3.10"]
    assert [entry["read"] for entry in web["numbers"]] == ["PIN=42798", "APP_VERSION=3.1"]
    assert [(entry["source"], entry["target"]) for entry in web["mounts"]] == [
        ("public", "/public"), ("", "/own"), ("~/x", "/x"),
    ]  # fmt: skip
    assert [entry["target"] for entry in web["replaced"]] == ["/var/assets", "/html"]
    assert worker["mounts"][1] == {"source": "/srv/html", "target": "/html"}
    assert (worker["profiles"], worker["scale"], worker["replaced"]) == (["full"], "0", [])
    assert worker["numbers"] == []
    assert services["child"]["is_partial"]
    assert services["tagged"]["is_partial"]


def test_the_later_file_wins() -> None:
    web = _services(FILE, OVER)["web"]
    assert (web["image"], web["path"]) == ("shop:1.5", "/1.yaml")
    assert {"source": "/srv/b", "target": "/public"} in web["mounts"]
    assert _services(FILE, OVER)["worker"]["scale"] == "2"


DEVELOPMENT = {
    "an environment": ("environment: {NODE_ENV: development}", True),
    "a list": ("environment: [RAILS_ENV=dev]", True),
    "a mark": ("environment: {FLASK_DEBUG: 1}", True),
    "no mark": ("environment: {FLASK_DEBUG: 0, DEBUG: 'false'}", False),
    "production": ("environment: {NODE_ENV: production, MODE: local-cache}", False),
    "a reload": ("command: uvicorn main:app --reload", True),
    "words": ("command: [npm, run, dev]", True),
    "a server": ("command: [gunicorn, app]", False),
}


@pytest.mark.parametrize(("line", "expected"), DEVELOPMENT.values(), ids=DEVELOPMENT)
def test_services_for_development(line: str, expected: bool) -> None:
    web = _services(f"services: {{web: {{{line}}}}}")["web"]
    assert web.get("is_for_development", False) is expected


def test_files_that_are_not_read() -> None:
    assert project_services({"/a": "a: [", "/b": "services: {}"}, "/srv") is None
    assert project_services({"/a": "just words"}, "/srv") == []
    assert project_services({"/a": "services: [a, b]"}, "/srv") == []
    assert includes_others({"/a": "include: [b.yaml]"})
    assert not includes_others({"/a": FILE})


def _multiplied(first: str, step: str) -> str:
    """Anchors, each of which names the one before it nine times: 9 to the power of 24 in all."""
    steps = (
        f"x{number}: &a{number} " + step.replace("ABOVE", ", ".join([f"*a{number - 1}"] * 9))
        for number in range(1, 25)
    )
    return "\n".join([f"x0: &a0 {first}", *steps]) + "\n"


BOMBS = {
    "merges": (_multiplied("{image: 'shop:1'}", "{<<: [ABOVE]}"), "{<<: *a24}"),
    "variables": (_multiplied("[a]", "[ABOVE]"), "{image: a, environment: [*a24]}"),
    "values": (_multiplied("[a]", "[ABOVE]"), "{image: a, environment: {A: *a24}}"),
    "ports": (_multiplied("[a]", "[ABOVE]"), "{image: a, ports: [*a24], configs: [*a24]}"),
}


@pytest.mark.parametrize(("anchors", "service"), BOMBS.values(), ids=BOMBS)
def test_anchors_that_multiply_each_other_cost_their_file_alone(
    anchors: str, service: str, tmp_path: Path
) -> None:
    path = tmp_path / "compose.yaml"
    volumes = "volumes: {v: {driver: local, driver_opts: {a: *a24}}}" if "[a]" in anchors else ""
    path.write_text(f"{anchors}services: {{web: {service}}}\n{volumes}")
    args = {"paths": [str(path)], "folder": str(tmp_path), "service": "web", "layer": "/"}
    began = time.process_time()
    answer: Any = compose_project(args)  # type: ignore[arg-type]
    assert answer["unread"] == f"{path}: its anchors stand for too many parts"
    assert answer["faults"] == []
    for read in (compose_service, compose_variables, compose_volumes, differing_contents):
        assert not read(args)  # type: ignore[arg-type]
    assert time.process_time() - began < 2


def test_a_chain_of_anchors_is_too_deep(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    chain = "".join(f"  s{at}: &s{at} {{<<: *s{at - 1}}}\n" for at in range(1, 2000))
    path.write_text(f"services:\n  s0: &s0 {{image: a}}\n{chain}")
    answer: Any = compose_project({"paths": [str(path)], "folder": str(tmp_path)})
    assert answer["unread"] == f"{path}: it is nested too deep"


def test_a_value_that_does_not_fit_its_tag_is_no_yaml() -> None:
    for value in ("!!timestamp x", "!!bool x", "!!int ''", "2001-02-30"):
        with pytest.raises(ValueError):  # noqa: PT011 - each with PyYAML's own words
            read_values(f"a: {value}")


def test_thousands_of_subnets_take_no_time() -> None:
    subnets = "".join(f"      - subnet: 10.{n % 256}.{n // 256}.0/24\n" for n in range(6000))
    text = (
        f"services:\n  web: {{networks: [n]}}\nnetworks:\n  n:\n    ipam:\n     config:\n{subnets}"
    )
    began = time.process_time()
    assert len(needed_parts({"/compose.yaml": text})) == 50
    assert time.process_time() - began < 2


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe.yaml", tmp_path / "loop.yaml"
    os.mkfifo(pipe)
    loop.symlink_to("loop.yaml")
    for path, why in (
        (pipe, "is a fifo, not a file"),
        (loop, "symbolic links"),
        (tmp_path, "folder"),
    ):
        answer: Any = compose_project({"paths": [str(path)], "folder": "/"})
        assert why in answer["unread"]


def test_why_a_file_is_not_read(tmp_path: Path) -> None:
    broken, long = tmp_path / "broken.yaml", tmp_path / "long.yaml"
    broken.write_text("services: [")
    long.write_text("services: {}\n" + "#" * (1 << 18))
    for path, why in ((broken, "no valid YAML"), (long, "larger than 256 KiB")):
        args = {"paths": [str(path)], "folder": str(tmp_path)}
        answer: Any = compose_project(args)  # type: ignore[arg-type]
        assert answer["unread"] == f"{path}: {why}"


def test_the_override_that_was_not_read(tmp_path: Path) -> None:
    file, override = tmp_path / "docker-compose.yml", tmp_path / "docker-compose.override.yml"
    file.write_text("services: {web: {image: 'shop:1.4'}}")
    args = {"paths": [str(file)], "folder": str(tmp_path)}
    assert compose_project(args)["override"] == ""  # type: ignore[index, call-overload]
    override.write_text(OVER)
    answer: Any = compose_project(args)
    assert answer["override"] == str(override)
    assert [service["name"] for service in answer["overridden"]] == ["web", "worker"]
    both = {"paths": [str(file), str(override)], "folder": str(tmp_path)}
    assert compose_project(both)["override"] == ""  # type: ignore[index, call-overload]
    gone = {"paths": [str(tmp_path / "gone.yaml")], "folder": "/"}
    assert compose_project(gone) == {"closed": ""}


ANCHORS = (
    "services: {web: &web {labels: *web, image: shop}}",
    "services: {web: &web {<<: *web, image: shop}}",
)


@pytest.mark.parametrize("text", ANCHORS)
def test_an_anchor_that_holds_itself_is_none_that_compose_takes(text: str) -> None:
    assert project_services({"/srv/compose.yaml": text}, "/srv") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_file_that_this_user_may_not_read_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "compose.yaml")
        path.write_text("services: {web: {image: shop}}")
        path.chmod(0o600)
        os.seteuid(_NOBODY)
        try:
            closed = compose_project({"paths": [str(path)], "folder": folder})
        finally:
            os.seteuid(0)
    assert closed == {"closed": str(path)}
