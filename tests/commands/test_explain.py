"""Pages and help as the command line shows them."""

from __future__ import annotations

import pytest

from diagnose import runbooks
from tests.commands.no_engine import run


@pytest.mark.parametrize(
    "id", ["container.oom-killed", "container.device-missing", "dns.host-broken"]
)
def test_no_command_of_a_page_is_cut_or_wrapped(id: str):
    shown = run("explain", id, env={"COLUMNS": "60"}).stdout.splitlines()
    blocks = runbooks.page(id).blocks
    assert any(len(line) > 60 for block in blocks for line in block.text.splitlines())
    for block in blocks:
        assert all(f"  {runbooks.fill(line, {})}" in shown for line in block.text.splitlines()), (
            block.text
        )


def test_a_page_says_how_to_take_its_verification():
    """Some commands end well whatever they show."""
    assert "verify (exit code 0: it worked)" in run("explain", "firewall.forward-dropped").stdout
    assert "verify (read its output)" in run("explain", "image.unused").stdout


def test_help_of_every_command_names_its_options():
    for command in ("all", "check", "list", "explain"):
        done = run(command, "--help")
        assert done.returncode == 0
        assert "Usage: diagnose" in done.stdout


@pytest.mark.parametrize("columns", ["0", "-5", "1", "99999999999", "²", "wide", ""])
def test_a_width_that_is_none_is_measured_instead(columns: str) -> None:
    done = run("explain", "dns.upstream-unreachable", env={"COLUMNS": columns})
    assert (done.returncode, done.stderr) == (0, "")
    assert "dns.upstream-unreachable" in done.stdout
