"""Discovery: a company's own pack beside the built-in one, found by its entry point and by nothing
else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from diagnose import registry

FAMILY = '''
"""The house rules of Acme."""

from collections.abc import Iterable

from diagnose.evidence.machine.clock import Clock
from diagnose.model import Finding, Severity
from diagnose.registry import check


@check("acme.no-owner", severity=Severity.advice)
def no_owner(clock: Clock) -> Iterable[Finding]:
    """A container says of nobody that he owns it."""
    return ()
'''
DECLARED = {
    "alone": "[diagnose.checks]\nacme = acme_checks\n",
    "after scripts": "[console_scripts]\nacme = acme:main\n\n[diagnose.checks]\nacme = acme_checks\n",
    "beside ours": "[diagnose.checks]\nbuiltin = checks\nacme = acme_checks\n",
}


def test_an_installation_without_checks_judges_no_host(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("diagnose.packs.families", dict)
    monkeypatch.setattr(registry, "_checks", {})
    with pytest.raises(ImportError, match="no checks"):
        registry.load()


@pytest.mark.parametrize("name", DECLARED)
def test_a_pack_is_found_by_its_entry_point(name: str, tmp_path: Path):
    pack(tmp_path, DECLARED[name])
    assert packs(tmp_path) == {"builtin": "checks", "acme": "acme_checks"}


def test_its_checks_are_listed_beside_ours(tmp_path: Path):
    pack(tmp_path, DECLARED["alone"])
    ids = [row["id"] for row in listed(tmp_path)]
    assert [id for id in ids if id.startswith("acme.")] == ["acme.no-owner"]
    assert "container.oom-killed" in ids


def test_a_family_of_another_pack_is_listed_alone(tmp_path: Path):
    pack(tmp_path, DECLARED["alone"])
    assert [row["id"] for row in listed(tmp_path, "acme")] == ["acme.no-owner"]


@pytest.mark.parametrize("text", ["", "[console_scripts]\ndiagnose.checks = acme:main\n"])
def test_a_package_that_declares_no_checks_is_no_pack(text: str, tmp_path: Path):
    pack(tmp_path, text)
    assert packs(tmp_path) == {"builtin": "checks"}


def pack(folder: Path, entry_points: str) -> None:
    (folder / "acme_checks").mkdir()
    (folder / "acme_checks/__init__.py").touch()
    (folder / "acme_checks/acme.py").write_text(FAMILY)
    information = folder / "acme_checks-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-checks\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text(entry_points)


def packs(folder: Path) -> dict[str, str]:
    """The packs that a new interpreter finds; it imports none of them."""
    script = "import json; from diagnose import packs; print(json.dumps(packs.packs()))"
    return dict(json.loads(printed(folder, "-c", script)))


def printed(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    return done.stdout


def listed(folder: Path, *selectors: str) -> list[dict[str, object]]:
    output = printed(folder, "-m", "diagnose", "list", *selectors, "--format", "json")
    report = json.loads(output)
    rows = report["checks"] if isinstance(report, dict) else report
    assert rows
    return list(rows)
