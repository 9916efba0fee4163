"""What an editor does not show of a file to which a program objects."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.settings.file_defects import file_defects
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import bind, of

LINE = "parsing [/etc/app/{}:27]: {}"
DEFECTS = {
    "no newline, which it wants": ("app.cfg", "Missing LF on last line", "open 27\n", "open"),
    "no newline, and another fault": ("app.cfg", "unknown keyword 'x'", "open 27\n", ""),
    "a tab in YAML": ("app.yml", "found character that cannot start any token", "tab 27\n", "tab"),
    "a tab elsewhere": ("app.cfg", "syntax error", "tab 27\n", ""),
    "quotation marks of a text": ("app.cfg", "syntax error", "quotes 26\n", "quotes"),
    "quotation marks far away": ("app.cfg", "syntax error", "quotes 3\n", ""),
    "marks of a merge": ("app.cfg", "syntax error", "conflict 3\n", "conflict"),
    "a web page": ("app.cfg", "syntax error", "page 0\nopen 90\n", "page"),
    "a kind of a later version": ("app.cfg", "syntax error", "aura 27\n", ""),
    "nothing": ("app.cfg", "syntax error", "", ""),
}


@pytest.mark.parametrize(("name", "says", "rows", "kind"), DEFECTS.values(), ids=DEFECTS)
def test_file_defect(name: str, says: str, rows: str, kind: str) -> None:
    mount = bind("/srv/app", Destination="/etc/app")
    container, log_tails = failed_with_log(LINE.format(name, says), **mount)
    found = file_defects(Made({"file.read": {"text": rows}}), of(container), log_tails)
    defect = found.of(container)
    assert (defect.kind if defect else "") == kind
    assert defect is None or defect.path == f"/srv/app/{name}"
