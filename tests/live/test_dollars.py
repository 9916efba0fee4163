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
    assert lost_variables({path: text}) == [
        {"path": path, "line": line, "name": name, "is_plain": is_plain}
        for line, name, is_plain in expected
    ]


def test_variable_of_the_env_file_is_known_in_the_compose_file() -> None:
    found = lost_variables({ENV: "code=7", YAML: "  PIN: a$code"})
    assert found == []
    assert lost_variables({YAML: "  code: 7\n  PIN: a$code"}) != []
