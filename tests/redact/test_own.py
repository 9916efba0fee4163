"""Redaction rules of the user's own: what they take, what they leave, what is refused."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from diagnose import config
from diagnose.questions.run import Options
from diagnose.redact import Redactor
from diagnose.redact.bounded import UnboundedPatternError, compile_bounded
from diagnose.redact.own import InvalidRuleError, OwnRules
from diagnose.ticket import create
from tests import command_line
from tests.questions import question
from tests.redact.worst import worst_texts
from tests.tickets import KNOWN, made, taken, unpacked

DEMO = Path(__file__).parents[2] / "fixtures/demo"
RULES = OwnRules(
    ["*_LICENCE", "X-Tenant"], {"customer": r"CUST-[0-9]{4,8}", "ref": r"ref#([a-z]{4})#"}
)

CASES: dict[str, tuple[Any, Any]] = {
    # name: what an answer holds, what is left of it; K stands for any placeholder
    "pattern": ("sent to CUST-12345 today", "sent to K today"),
    "pattern in a name": ({"Name": "/web-CUST-12345"}, {"Name": "/web-K"}),
    "pattern in a short word": (["CUST-1234"], ["K"]),
    "only the group": ("see ref#abcd# there", "see ref#K# there"),
    "pattern in a key": ({"Labels": {"CUST-9999": "x"}}, {"Labels": {"K": "x"}}),
    "field names stay": ({"CustomerName": "x"}, {"CustomerName": "x"}),
    "environment": ({"Env": ["APP_LICENCE=a b, c"]}, {"Env": ["APP_LICENCE=K"]}),
    "small letters": ({"Env": ["app-licence=abc"]}, {"Env": ["app-licence=K"]}),
    "no name of mine": ({"Env": ["LICENCES=abc"]}, {"Env": ["LICENCES=abc"]}),
    "a key": ({"app_licence": "abc", "x": "y"}, {"app_licence": "K", "x": "y"}),
    "a number under a key": ({"app_licence": 12345}, {"app_licence": "K"}),
    "nested under a key": ({"X_TENANT": ["a1", {"b": "c2"}]}, {"X_TENANT": ["K", {"b": "K"}]}),
    "name and value apart": (
        {"name": "X-Tenant", "value": "acme"},
        {"name": "X-Tenant", "value": "K"},
    ),
    "option": (["run", "--app-licence", "abc", "-v"], ["run", "--app-licence", "K", "-v"]),
    "option in one word": (["--app-licence=a b"], ["--app-licence=K"]),
    "option without a value": (["--app-licence", "--quiet"], ["--app-licence", "--quiet"]),
    "header": ("> X-Tenant: acme", "> X-Tenant: K"),
    "option in a text": ("run --x-tenant acme now", "run --x-tenant K now"),
    "prose": ("the X-Tenant header is missing", "the X-Tenant header is missing"),
    "JSON in a text": ('{"x_tenant": "acme corp"}', '{"x_tenant": "K"}'),
    "JSON in JSON": (r"{\"x_tenant\": \"acme\"}", r"{\"x_tenant\": \"K\"}"),
    "a number of JSON": ('{"x_tenant": 77}', '{"x_tenant": "K"}'),
    "redacted before": ("X-Tenant: <redacted:named:abcdef>", "X-Tenant: <redacted:named:abcdef>"),
}


def plain(value: Any) -> Any:
    """The value with K in the place of each new placeholder."""
    if isinstance(value, str):
        return re.sub(r"<redacted:(?:named|customer|ref):(?!abcdef)[0-9a-f]+>", "K", value)
    if isinstance(value, list):
        return [plain(child) for child in value]
    if isinstance(value, dict):
        return {plain(key): plain(child) for key, child in value.items()}
    return value


@pytest.mark.parametrize("name", CASES)
def test_own_rule(name: str) -> None:
    given, left = CASES[name]
    redactor = Redactor(own=RULES)
    assert plain(redactor.answer("made", {}, given)) == left
    again = Redactor(own=RULES)
    once = redactor.answer("made", {}, given)
    assert again.answer("made", {}, once) == once


def test_files_and_processes_are_read_too() -> None:
    redactor = Redactor(own=RULES)
    path = {"path": "/proc/7/environ"}
    environ = {"text": "A=b\0APP_LICENCE=a b c\0C=CUST-1234"}
    assert plain(redactor.answer("file.read", path, environ)) == {"text": "A=b\0APP_LICENCE=K\0C=K"}
    text = json.dumps({"x_tenant": 7, "b": ["CUST-1234"]})
    answer = redactor.answer("file.read", {"path": "/etc/x.json"}, {"text": text})
    assert plain(json.loads(answer["text"])) == {"x_tenant": "K", "b": ["K"]}


def test_what_one_answer_showed_goes_from_the_others() -> None:
    redactor = Redactor(own=RULES)
    redactor.answer("made", {}, {"X-Tenant": "acme-7431"})
    assert "acme-7431" not in redactor.answer("made", {}, "no route to acme-7431")
    assert ("named", "acme-7431") in set(redactor.secrets)


ALLOWED = [
    "CUST-[0-9]{8}",
    "[A-Z]{2}[0-9]{6}",
    r"\b[a-z0-9]{4,64}@corp\.example\b",
    "(?:alpha|beta)-[0-9]{1,6}",
    "project-(?:falcon|eagle)",
    "(?<=tenant=)[a-z]{4,32}",
    "a{1,32}+aaaa",
    "[a-z]{4,20}-[a-z]{4,20}-[0-9]{1,4}",
]
REFUSED = {
    "": "at least 4",
    "abc": "at least 4",
    "x{0,9}": "at least 4",
    "[0-9]+abcd": "write {1,64}",
    "CUST.*": "write {1,64}",
    "(abcd": "not a regular expression",
    "(?i)abcd": "flags",
    r"(ab)cd\1": "references",
    "(a{1,9}){2,9}bbbb": "one character",
    "(?:ab|a){2,9}bbbb": "one character",
    "a{0,40}a{0,40}a{0,40}bbbb": "steps",
    "[a-z]{1,100}[a-z0-9]{1,100}!aaa": "steps",
    "x{600}": "at most 512",
    "(?=a{0,90}a{0,90}a{0,90}b)aaaa": "steps",
}


@pytest.mark.parametrize("pattern", ALLOWED)
def test_an_allowed_pattern_takes_linear_time(pattern: str) -> None:
    compiled = compile_bounded(pattern)
    for worst in worst_texts(compiled):
        text = worst.text(64 * 1024)
        begun = time.process_time()
        list(compiled.finditer(text))
        assert time.process_time() - begun < 2, pattern


@pytest.mark.parametrize("pattern", REFUSED)
def test_an_unbounded_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(UnboundedPatternError, match=REFUSED[pattern]):
        compile_bounded(pattern)


@pytest.mark.parametrize(
    "rules",
    [
        (["ab"], {}),
        (["a*b_licence"], {}),
        (["has blank"], {}),
        ([], {"Kind": "abcd"}),
        ([], {"kind": "abc"}),
        ([f"name{number}" for number in range(101)], {}),
    ],
)
def test_no_rule(rules: tuple[list[str], dict[str, str]]) -> None:
    with pytest.raises(InvalidRuleError):
        OwnRules(*rules)


CONFIGURATIONS = {
    "redact = 1": "redact is a table",
    "[redact]\nwords = []": "no key 'words'",
    "[redact]\nnames = 'X_TENANT'": "names is a list",
    "[redact]\nnames = ['x']": "'x' is not a name",
    "[redact.patterns]\nkind = 5": "has texts",
    "[redact.patterns]\nkind = 'a+bcde'": "write {1,64}",
}


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_configuration_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(config.ConfigError, match=CONFIGURATIONS[text]) as error:
        config.load(path)
    assert str(path) in str(error.value)


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A configuration whose rules meet what the demo holds."""
    path = tmp_path / "own.toml"
    path.write_text("[redact.patterns]\nhost = 'dockerhost'\nshop = 'officenet'\n")
    return path


@pytest.mark.parametrize("format_", ["text", "json", "html", "llm", "markdown"])
def test_a_report_on_a_recording_has_none_of_it(format_: str, named: Path) -> None:
    done = command_line.run("all", "--from", str(DEMO), "--format", format_, "--config", str(named))
    assert done.returncode == 2, done.stderr
    assert "officenet" not in done.stdout
    assert "redacted:shop:" in done.stdout


def test_a_bundle_of_a_bundle_is_redacted_again(named: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.tar.gz"
    secret = "Zk8vQ2mX9pLr4TnB"
    info = {"Labels": [f"db_password={secret}"]}
    uname = {"nodename": "dockerhost", "release": "6.1.0", "version": "", "machine": "x86_64"}
    _, sealed = taken(made({question("api.info"): info, question("uname"): uname}))
    old.write_bytes(sealed.data)
    before = b"".join(unpacked(old.read_bytes()).values())
    assert b"dockerhost" in before
    options = Options(source=old, config=named)
    again = create.take(KNOWN, options, began=time.monotonic(), max_size=10_000_000)
    files = unpacked(again.sealed.data)
    after = b"".join(files.values())
    assert b"dockerhost" not in after
    assert secret.encode() not in after
    token = next(word for word in before.split(b'"') if b"db_password=<redacted" in word)
    assert token in after
    counts = json.loads(files["manifest.json"])["redacted"]
    assert counts["password"] >= 1
    assert counts["host"] >= 1
