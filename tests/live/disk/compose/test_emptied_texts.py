"""Lines of compose files whose variables had no value."""

import time

import pytest

from diagnose.live.disk.compose.emptied_texts import emptied_texts

FILE = "/srv/shop/compose.yaml"
CASES: dict[str, tuple[str, str, list[str]]] = {
    "a rule": ("- traefik.http.routers.a.rule=Host(`a.${DOMAIN}`)", "Host(`a.`)", ["DOMAIN"]),
    "without braces": ("URL: https://$HOST/login", "https:///login", ["HOST"]),
    "two": ("DB: postgres://${DB_USER}:${DB_PASS}@db", "postgres://:@db", ["DB_USER", "DB_PASS"]),
    "a default": ("URL: https://${HOST:-localhost}/login", "https:///login", []),
    "no variable": ("URL: https:///login", "https:///login", []),
    "another variable of the line": ("[A=https:///, 'B=${B}']", "https:///", []),
    "a comment": ("# URL: https://$HOST/login", "https:///login", []),
    "an escaped one": ("URL: https://$$HOST/login", "https:///login", []),
}


@pytest.mark.parametrize(("line", "sought", "names"), CASES.values(), ids=CASES)
def test_lines(line: str, sought: str, names: list[str]) -> None:
    found: list[dict[str, object]] = emptied_texts({FILE: f"services:\n  {line}\n"}, [sought])  # type: ignore[assignment]
    assert [text["names"] for text in found] == ([names] if names else [])


def test_env_file_with_the_value() -> None:
    files = {
        FILE: "x: https://${HOST}/",
        "/srv/shop/.env": "HOST=\nOTHER=1\n",
        "/srv/.env": "export HOST='shop.example.com'\n",
    }
    [found] = emptied_texts(files, ["https:///"])
    assert isinstance(found, dict)
    assert found["given_in"] == ["/srv/.env"]


LONG = {"a line of variables": "x: " + "$A" * 100_000, "many lines": "x: $A\n" * 40_000}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_files_that_only_an_attacker_writes_cost_little(text: str) -> None:
    before = time.process_time()
    assert not emptied_texts({FILE: text}, [f"redis://:@server{number}" for number in range(40)])
    assert time.process_time() - before < 2


BLANKS = {
    "assigned, and empty": ("PASSWORD=\n", True),
    "with a comment": ("PASSWORD=   # nobody asks for it\n", True),
    "another one": ("OTHER=\n", False),
    "with a value": ("PASSWORD=x\n", False),
}


@pytest.mark.parametrize(("text", "is_blank"), BLANKS.values(), ids=BLANKS)
def test_variables_that_are_left_empty_on_purpose(text: str, is_blank: bool) -> None:
    files = {FILE: "x: redis://:${PASSWORD}@redis", "/srv/shop/.env": text}
    [found] = emptied_texts(files, ["redis://:@redis"])
    assert isinstance(found, dict)
    assert found["is_blank"] == is_blank
