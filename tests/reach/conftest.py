"""Fixtures that several of these tests use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reach.elsewhere import Elsewhere


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path)
