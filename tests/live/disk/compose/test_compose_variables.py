"""The variables of compose services, and the env files that compose files name."""

from __future__ import annotations

import pytest
import yaml

from diagnose.live.disk.compose.env_files import names_in_text, names_of_entry
from diagnose.live.disk.compose.variables import assigned_values, variables

YAML = "/srv/shop/compose.yaml"
FILES = {
    "/srv/shop/.env": "NAME=shop\nPORT=80\nEMPTY=\nIMAGE_TAG=dev\nHOME=/a\n",
    "/srv/shop/a.env": "A=1\nB=2\n",
}
PARTS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "an env file": ("env_file: a.env", [("a.env", "A=1"), ("a.env", "B=2")]),
    "a list of them": ("env_file: [./a.env]", [("a.env", "A=1"), ("a.env", "B=2")]),
    "one with options": (
        "env_file:\n    - path: a.env\n      required: false",
        [("a.env", "A=1"), ("a.env", "B=2")],
    ),
    "a variable above one of its file": (
        "env_file: a.env\n    environment: {A: 9}",
        [("a.env", "B=2"), ("compose.yaml", "A=9")],
    ),
    "one that hides one of its file": ("env_file: a.env\n    environment: {A: x$Y, B: }", []),
    "a mapping": ("environment: {D: true, N: 1}", [("compose.yaml", "D=true"), ("compose.yaml", "N=1")]),
    "a list": ("environment:\n    - D=x=y\n    - E=", [("compose.yaml", "D=x=y"), ("compose.yaml", "E=")]),
    "a reference": ("environment: ['N=${NAME}']", [(".env", "N=shop")]),
    "a reference with a default value": ("environment: {P: '${PORT:-1}'}", [(".env", "P=80")]),
    "a default value for an empty one": ("environment: {L: '${EMPTY:-info}'}", []),
    "an empty one without": ("environment: {L: '${EMPTY-info}'}", [(".env", "L=")]),
    "one that a deployment sets": ("environment: ['T=${IMAGE_TAG}', 'H=${HOME}']", []),
    "one that nothing sets": ("environment: {P: '${OTHER:-1}', Q: $OTHER}", []),
    "a name alone": ("environment: [PORT, OTHER]", [(".env", "PORT=80")]),
    "a part of a value": ("environment: {U: 'http://${NAME}/'}", []),
    "one that extends": ("extends: {service: base}\n    environment: {A: 1}", []),
}  # fmt: skip


@pytest.mark.parametrize(("part", "expected"), PARTS.values(), ids=PARTS)
def test_service(part: str, expected: list[tuple[str, str]]) -> None:
    text = f"services:\n  web:\n    {part}\n"
    found = variables({YAML: text}, "/srv/shop", "web", lambda path: FILES.get(path, ""))
    assert [
        (variable["path"].rpartition("/")[2], variable["variable"]) for variable in found
    ] == expected


def test_a_value_that_a_shell_may_set() -> None:
    text = "services: {web: {env_file: .env, environment: {N: $NAME, A: 1}}}"
    found = variables({YAML: text}, "/srv/shop", "web", lambda path: FILES.get(path, ""))
    references = [variable["variable"] for variable in found if variable["is_reference"]]
    assert references == ["N=shop"]


def test_several_files_and_none() -> None:
    base, more = (
        "services: {web: {environment: {A: 1, B: 2}}}",
        "services: {web: {environment: {A: 3}}}",
    )
    found = variables({YAML: base, "/o.yml": more}, "/srv/shop", "web", lambda _: "")
    assert {variable["variable"]: variable["path"] for variable in found} == {
        "A=3": "/o.yml",
        "B=2": YAML,
    }
    for text in ("services: [", "services: {web: [1]}", "- x", "a: &a [*a]", "services: !x {}"):
        assert variables({YAML: text}, "/srv/shop", "web", lambda _: "") == []


LINES = {
    "plain": ("A=b c", {"A": "b c"}),
    "exported, with a comment": ("export A=b # c", {"A": "b"}),
    "in quotes": ("A=\"b # c\"\nB='$x'", {"A": "b # c", "B": "$x"}),
    "a reference": ("A=$B\nC=1", {"C": "1"}),
    "over two lines": ('A="b\nc"', {}),
    "a key in quotes": ('A="-----BEGIN\nMIIEvQ\nc2VjcmV0bXk=\n-----END"\nB=1', {"B": "1"}),
    "in quotes, with a comment behind": ('A="b" # c\nB=1', {"B": "1"}),
    "twice": ("A=1\nA=$X", {}),
}


@pytest.mark.parametrize(("text", "expected"), LINES.values(), ids=LINES)
def test_env_file(text: str, expected: dict[str, str]) -> None:
    assert assigned_values(text) == expected


NAMES = {
    "one": ("    env_file: app.env # ours\n    ports: [1]", ["app.env"]),
    "in brackets": ("    env_file: [a.env, 'b.env']", ["a.env", "b.env"]),
    "a list": ("    env_file:\n      - a.env\n      - \"b\"\n    ports:\n      - 80:80", ["a.env", "b"]),
    "with options": ("    env_file:\n    - path: ./a\n      required: false\n    image: x", ["./a"]),
    "with a variable": ("    env_file: ${STAGE}.env", []),
    "of two services": ("  a:\n    env_file: x\n  b:\n    env_file:\n      - y", ["x", "y"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NAMES.values(), ids=NAMES)
def test_names_of_env_files(text: str, expected: list[str]) -> None:
    assert names_in_text(text) == expected


@pytest.mark.parametrize("text", [text for text, _ in NAMES.values()], ids=NAMES)
def test_a_parsed_file_has_the_names_that_its_text_has(text: str) -> None:
    whole = yaml.safe_load(text)
    services = [whole] if "env_file" in whole else whole.values()
    assert [
        name for part in services for name in names_of_entry(part["env_file"])
    ] == names_in_text(text)
