"""What of a page applies to one finding, with the finding's values."""

from __future__ import annotations

import functools
import re
import shlex
import time
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from diagnose import registry, runbooks, session
from diagnose.model import Report
from diagnose.questions.run import Options
from diagnose.render.words import clean
from diagnose.runbooks.applying import ApplyingPage, applying
from tests.commands.no_engine import run

FIXTURES = Path(__file__).parents[2] / "fixtures"
PLACE = runbooks.Place()
PAGE = """# A title

## Symptom

It is seen in `docker ps`.

## Confirm

The port of the proxy:

```sh confirm
ss -ltn 'sport = {port}'
```

## Fix

By hand: tell {person} about it.

Restart {container}.

```sh fix disruptive
{docker} restart {container}
```

Mend the file.

```sh fix safe off-systemd
service docker mend
```

## See also

`other.page`.
"""


def page_of(body: str) -> runbooks.Page:
    return runbooks.Page(
        id="container.made",
        variables={},
        retired="",
        unhealed="",
        no_real_fault="",
        complaints=(),
        body=body,
        blocks=(),
    )


def applying_to(**variables: str) -> ApplyingPage:
    return applying(page_of(PAGE), variables, PLACE, clean)


def fences(text: str) -> list[Token]:
    return [token for token in MarkdownIt("commonmark").parse(text) if token.type == "fence"]


def test_cases_that_a_finding_cannot_fill_are_left_out():
    shown = applying_to(container="web")
    assert shown.left_out == 2
    assert shown.body.startswith("# A title\n\n## Symptom\n")
    assert "docker restart web" in shown.body
    assert "Restart web." in shown.body
    for other in ("ss -ltn", "The port of the proxy", "## Confirm", "By hand", "mend", "Mend"):
        assert other not in shown.body
    assert "It is seen in `docker ps`." in shown.body
    assert shown.body.endswith("`other.page`.\n")


def test_prose_goes_with_the_case_above_it():
    told = PAGE.replace("## See also", "It was mended twice.\n\n## See also")
    told = told.replace("Mend the file.", "It takes a moment.\n\nMend the file.")
    shown = applying(page_of(told), {"container": "web"}, PLACE, clean)
    assert "It takes a moment." in shown.body
    assert "It was mended twice." not in shown.body


def test_nothing_is_left_out_of_what_a_finding_fills():
    place = runbooks.Place(traits=frozenset())
    shown = applying(page_of(PAGE), {"container": "w", "port": "80", "person": "Ada"}, place, clean)
    assert shown.left_out == 0
    assert "ss -ltn 'sport = 80'" in shown.body
    assert "By hand: tell Ada about it." in shown.body


@pytest.mark.parametrize(
    "value", ["a\n```\n# b", "`x`", "[a](https://b.example)", "*a*_b_", "$(x)"]
)
def test_a_value_is_never_markdown(value: str):
    shown = applying_to(container=value)
    (block,) = fences(shown.body)
    assert block.content == f"docker restart {runbooks.fill('{container}', {'container': value})}\n"
    assert shlex.split(block.content)[-1] == value
    inline = next(
        token
        for token in MarkdownIt("commonmark").parse(shown.body)
        if token.type == "inline" and token.content.startswith("Restart")
    )
    assert inline.children
    assert {child.type for child in inline.children} == {"text"}
    assert "".join(child.content for child in inline.children) == f"Restart {value}.".replace(
        "\n", " "
    )


@functools.cache
def demo() -> Report:
    options = Options(source=FIXTURES / "broken_host.fifteen_faults@20.10", budget_s=120)
    return session.diagnose(registry.load, None, options, began=time.monotonic())


def test_on_a_recorded_host_each_cure_stands_on_its_page_and_no_placeholder_does():
    report = demo()
    place = runbooks.Place.of(report)
    assert len(report.findings) > 20
    for finding in report.findings:
        page = runbooks.page(finding.id)
        shown = applying(page, finding.finding.variables, place, clean)
        names = "|".join(map(re.escape, page.variables)) or "none"
        for block in fences(shown.body):
            assert not re.search(rf"(?<![${{\w])\{{(?:{names})\}}", block.content)
        if (cure := runbooks.cure_of(finding, place)) is not None and not place.restarting:
            assert cure.text in shown.body


def test_the_command_line_shows_what_applies_and_says_what_does_not():
    here = run("explain", "container.restart-loop", "--from", "demo", env={"COLUMNS": "100"})
    whole = run("explain", "container.restart-loop", env={"COLUMNS": "100"})
    assert here.returncode == whole.returncode == 0
    shown = " ".join(here.stdout.split())
    assert 'This is what applies to container "billing".' in shown
    assert "commands for other cases: diagnose explain container.restart-loop" in shown
    assert "{" not in here.stdout.partition("Confirm")[2].replace("{{", "").replace("}}", "")
    assert len(here.stdout) < len(whole.stdout) / 5


def test_the_whole_page_is_shown_where_nothing_is_found():
    shown = run("explain", "container.paused", "--from", "demo", env={"COLUMNS": "100"}).stdout
    assert "not found here" in shown
    assert "for other cases" not in shown
    assert "{container}" in shown
