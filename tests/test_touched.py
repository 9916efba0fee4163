"""Which tests `.ci/quick` takes for a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import touched
from tests.touched import ROOT, nearest_tests, users_of_files

NEAREST = {
    "a check, by its id": ("checks/daemon/posture.py", "tests/checks/daemon/test_posture.py"),
    "a page, by its id": ("runbooks/daemon.debug-on.md", "tests/checks/daemon/test_posture.py"),
    "evidence, by an import": (
        "diagnose/evidence/engine/refused_handshakes.py",
        "tests/checks/daemon/clients/test_tls_client_refused.py",
    ),
    "a collector, by its question": (
        "diagnose/live/network/dns.py",
        "tests/live/network/test_dns_loss.py",
    ),
    "a conftest": ("tests/commands/conftest.py", "tests/commands/test_streams.py"),
    "a recorded host": ("fixtures/demo/manifest.json", "tests/recording/test_replay.py"),
    "a test": ("tests/test_phrases.py", "tests/test_phrases.py"),
}


@pytest.fixture(scope="module")
def users() -> touched.Graph:
    return users_of_files(ROOT)


@pytest.mark.parametrize(("changed", "expected"), NEAREST.values(), ids=NEAREST)
def test_test_of_a_changed_file(users: touched.Graph, changed: str, expected: str) -> None:
    near = list(nearest_tests([Path(changed)], users))
    assert Path(expected) in near[: touched.MOST_FILES]


def test_the_nearest_comes_first(users: touched.Graph) -> None:
    near = list(nearest_tests([Path("diagnose/phrases.py")], users))
    assert near.index(Path("tests/test_phrases.py")) < touched.MOST_FILES < len(near)


def test_each_module_has_a_near_test(users: touched.Graph) -> None:
    """A change of code is never tested by the laws alone."""
    modules = [
        path.relative_to(ROOT)
        for room in ("diagnose", "checks")
        for path in ROOT.glob(f"{room}/**/*.py")
        if path.name != "__init__.py"
    ]
    assert not [module for module in modules if not any(nearest_tests([module], users))]


def test_laws_are_there() -> None:
    assert all((ROOT / law).exists() for law in (*touched.LAWS, touched.LAW_OF_PATTERNS))


def test_the_law_of_patterns_is_for_rows_of_failures() -> None:
    row = Path("diagnose/programs/failures/engine/storage.py")
    assert touched.LAW_OF_PATTERNS in touched.laws_for([row])
    assert touched.LAW_OF_PATTERNS not in touched.laws_for([Path("checks/kernel.py")])
