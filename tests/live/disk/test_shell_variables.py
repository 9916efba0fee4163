"""Variables of shells and units."""

from __future__ import annotations

import pytest

from diagnose.live.disk.shell_variables import shell_variables

SHELL = "/etc/environment"
UNIT = "/etc/systemd/system/agent.service"
ROWS = {
    "a line": (SHELL, "A=1\n", ["A=1"]),
    "exported": (SHELL, "export A='x y' # since May\n", ["A=x y"]),
    "another name": (SHELL, "B=1\nAA=2\n", []),
    "a reference": (SHELL, 'A="$HOME/x"\n', []),
    "a command with it": (SHELL, "A=1 run\n", []),
    "a comment": (SHELL, "# A=1\n", []),
    "an open quote": (SHELL, "A='1\n", []),
    "a unit": (UNIT, '[Service]\nEnvironment=B=2 "A=x y"\n', ["A=x y"]),
    "a unit's other section": (UNIT, "[Unit]\nEnvironment=A=1\n", []),
}


@pytest.mark.parametrize(("path", "text", "expected"), ROWS.values(), ids=ROWS)
def test_variables(path: str, text: str, expected: list[str]) -> None:
    found = list(shell_variables({path: text}, {"A"}))
    assert [variable["variable"] for variable in found] == expected  # type: ignore[index, call-overload]
