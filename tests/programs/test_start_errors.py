"""What the engine says of a start that it refused: one real text for each row of the table."""

from __future__ import annotations

import pytest

from diagnose import runbooks
from diagnose.programs.failures import START_ERRORS, recognise
from tests.programs.starts import STARTS

KNOWN = {"container": "app", "larger_memory": "67108864", "only_network": "shop", "volume": "data"}
"""What a check knows beside the text."""


def test_every_start_error_has_its_own_line():
    assert {failure.name for failure in START_ERRORS} == STARTS.keys()


@pytest.mark.parametrize("name", STARTS)
def test_a_start_error_is_recognised_among_all(name: str):
    text, variables = STARTS[name]
    found = recognise([text], None, START_ERRORS)
    assert found is not None
    assert found.failure.name == name
    assert "{" not in found.cause + found.cure
    assert all(value for key, value in found.values.items() if f"{{{key}}}" in found.failure.cause)
    assert found.page_variables(KNOWN) == variables


def test_what_is_not_known_gives_no_variable():
    found = recognise([STARTS["address-outside"][0]], None, START_ERRORS)
    assert found is not None
    assert found.page_variables({"only_network": ""}) == {}


def test_every_variable_is_one_of_a_page():
    pages = [runbooks.page(id) for id in PAGES]
    declared = {name for page in pages for name in page.variables}
    used = {name for failure in START_ERRORS for name in failure.page}
    assert used - {"mountpoint_of"} <= declared


PAGES = ("container.start-refused", "container.runtime-limit-hit", "container.device-missing")
"""The pages of the checks that read the table."""
