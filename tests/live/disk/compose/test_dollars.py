"""What compose takes for a variable in the files of a project."""

from __future__ import annotations

import pytest

from diagnose.live.disk.compose.dollars import lost_variables

ENV = "/srv/shop/.env"
YAML = "/srv/shop/compose.yaml"
CASES: dict[str, tuple[str, str, list[tuple[int, str, bool]]]] = {
    "bare": (ENV, "A=1\nDB_PASSWORD=ab$cd\n", [(2, "DB_PASSWORD", True)]),
    "in double quotes": (ENV, 'DB_PASSWORD="ab$cd"', [(1, "DB_PASSWORD", True)]),
    "braces": (ENV, "DB_PASSWORD=ab${cd}", [(1, "DB_PASSWORD", True)]),
    "exported": (ENV, "export DB_PASSWORD=ab$cd", [(1, "DB_PASSWORD", True)]),
    "in single quotes": (ENV, "DB_PASSWORD='ab$cd'", []),
    "escaped": (ENV, r"DB_PASSWORD=ab\$cd", []),
    "doubled": (ENV, "DB_PASSWORD=ab$$cd", []),
    "before a digit": (ENV, "DB_PASSWORD=ab$2y$10$", []),
    "at the end": (ENV, "DB_PASSWORD=ab$", []),
    "set elsewhere in it": (ENV, "URL=$HOST_NAME/x\nHOST_NAME=db", []),
    "set by a shell": (ENV, "FOLDER=$HOME/data", []),
    "with a default": (ENV, "LEVEL=${DEBUG_LEVEL:-1}", []),
    "a comment": (ENV, "# DB_PASSWORD=ab$cd", []),
    "with a single quote": (ENV, "DB_PASSWORD=a'b$cd", [(1, "DB_PASSWORD", False)]),
    "a list of YAML": (YAML, "      - DB_PASSWORD=ab$cd", [(1, "DB_PASSWORD", True)]),
    "a mapping of YAML": (YAML, '      DB_PASSWORD: "ab$cd"', [(1, "DB_PASSWORD", True)]),
    "a hash in YAML": (YAML, "      AUTH: x:$apr1$zz$qq", [(1, "AUTH", True)]),
    "single quotes of YAML": (YAML, "      DB_PASSWORD: 'ab$cd'", [(1, "DB_PASSWORD", True)]),
    "a reference of YAML": (YAML, "      - DB_PASSWORD=${DB_SECRET}", []),
    "a reference of YAML without braces": (YAML, "      DB_PASSWORD: $DB_SECRET", []),
    "a reference in a URL of YAML": (YAML, "      URL: postgres://a:${PW}@db/a", []),
    "beside a reference of YAML": (YAML, "      PW: ${PRE}b$cd", [(1, "PW", False)]),
    "beside a known one": (ENV, "U=x\nDB_PASSWORD=$U$cd", [(2, "DB_PASSWORD", False)]),
}


@pytest.mark.parametrize(("path", "text", "expected"), CASES.values(), ids=CASES)
def test_value_that_loses_a_part(
    path: str, text: str, expected: list[tuple[int, str, bool]]
) -> None:
    found = lost_variables({path: text})
    assert [
        (lost["line"], lost["name"], lost["is_plain"])
        for lost in found
        if not lost.get("is_number")
    ] == expected
    assert all(lost["path"] == path for lost in found)


LEFT = {
    "a word": (ENV, "DB_PASSWORD=ab$cd", ["ab"]),
    "a word and more": (ENV, "DB_PASSWORD=ab$cd-ef", ["ab-ef"]),
    "in double quotes": (ENV, 'DB_PASSWORD="ab$cd"', ["ab"]),
    "capitals and small letters": (ENV, "DB_PASSWORD=ab$CDef", ["ab", "abef"]),
    "a digit": (ENV, "DB_PASSWORD=eo9d324g$1jgf", ["eo9d324gjgf"]),
    "nothing but a reference": (ENV, "DB_PASSWORD=$CODE", []),
    "a comment behind it": (ENV, "DB_PASSWORD=ab$cd # old", []),
    "a mapping of YAML": (YAML, "      DB_PASSWORD: 'ab$cd'", ["ab"]),
    "a digit in YAML": (YAML, "      DB_PASSWORD: ab$1cd", []),
}


@pytest.mark.parametrize(("path", "text", "expected"), LEFT.values(), ids=LEFT)
def test_what_compose_leaves_of_a_value(path: str, text: str, expected: list[str]) -> None:
    lefts = [left for lost in lost_variables({path: text}) for left in lost.get("lefts", [])]
    assert lefts == [f"DB_PASSWORD={value}" for value in expected]


def test_variable_of_the_env_file_is_known_in_the_compose_file() -> None:
    found = lost_variables({ENV: "code=7", YAML: "  PIN: a$code"})
    assert found == []
    assert lost_variables({YAML: "  code: 7\n  PIN: a$code"}) != []
