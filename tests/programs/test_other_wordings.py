"""A row and a family know a failure in the words of each driver, release and logger."""

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from tests.laws.house import ROOT


def _cases() -> list[tuple[str, str]]:
    """Each line of the file of wordings, with the row that its heading names."""
    cases = []
    name = ""
    for line in (ROOT / "tests/data/other_wordings.txt").read_text().splitlines():
        if line.startswith("[") and line.endswith("]") and " " not in line:
            name = line[1:-1]
        elif line and not line.startswith("# "):
            cases.append((line, name))
    return cases


CASES = _cases()


@pytest.mark.parametrize(("line", "name"), CASES, ids=[name for _, name in CASES])
def test_a_line_in_other_words_has_the_same_cause(line: str, name: str) -> None:
    failure = LogTail((line,)).failure
    assert failure is not None
    assert failure.name == name
    assert "{" not in failure.cause + failure.cure
