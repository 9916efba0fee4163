"""The times that programs write into the lines of their log files."""

from __future__ import annotations

import pytest

from diagnose.phrases import unix
from diagnose.programs.line_times import written_at

NOON = unix("2026-11-28T12:00:05")
TIMES = {
    "ISO 8601": ("2026-11-28T12:00:05.123+01:00 ERROR x", NOON),
    "Laravel": ("[2026-11-28 12:00:05] production.ERROR: x", NOON),
    "nginx": ("2026/11/28 12:00:05 [error] 9#9: x", NOON),
    "Tomcat": ("28-Nov-2026 12:00:05.123 SEVERE [main] x", NOON),
    "PHP": ("[28-Nov-2026 12:00:05 UTC] PHP Fatal error:  x", NOON),
    "Redis": ("12:M 28 Nov 2026 12:00:05.000 # x", NOON),
    "Apache": ("[Sat Nov 28 12:00:05.123456 2026] [proxy:error] x", NOON),
    "java.util.logging": ("Nov 28, 2026 12:00:05 PM org.x.Y start", NOON),
    "JSON": ('{"reqId":"a","level":3,"time":"2026-11-28T12:00:05+00:00","message":"x"}', NOON),
    "pino": ('{"level":50,"time":1795867205123,"msg":"x"}', 1795867205.0),
    "syslog": ("Nov 28 12:00:05 mail postfix/smtp[9]: x", unix("2000-11-28T12:00:05")),
    "a clock alone": ("12:00:05,123 ERROR x", unix("1970-01-01T12:00:05")),
    "no time": ("ModuleNotFoundError: No module named 'shop'", None),
    "no day": ("2026-13-48 12:00:05 x", None),
    "no month": ("Abc 28 12:00:05 x", None),
    "a size": ("read 1795867205123 bytes", None),
}


@pytest.mark.parametrize(("line", "expected"), TIMES.values(), ids=TIMES)
def test_times(line: str, expected: float | None) -> None:
    assert written_at(line) == expected
