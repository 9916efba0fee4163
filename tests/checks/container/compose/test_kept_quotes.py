"""The values in quotes in checks/container/compose/kept_quotes.py, and their evidence."""

import pytest

from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.variables.quoted_values import quoted_values
from diagnose.evidence.containers.variables.spaced_values import spaced_values
from diagnose.evidence.machine.clock import Clock
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

STAMP = "2026-11-29T10:00:00.000000000Z"
REPEATED = f'{STAMP} new cron: 0 "0 * * * *"\n'
CASES = {
    "a schedule that the log repeats": ('CRON="0 * * * *"', REPEATED, ["warning"], False),
    "a schedule that is refused": (
        'CRON="0 * * * *"', f'{STAMP} Error: invalid cron expression "0 * * * *"\n', ["warning"], False,
    ),
    "quotes in quotes": ('CRON="0 * * * *"', f"{STAMP} runs by '\"0 * * * *\"'\n", ["warning"], False),
    "an entry of a crontab": (
        'CRON="0 * * * *"', f'{STAMP} "0 * * * *" /backup.sh\n', ["warning"], False,
    ),
    "quotes of a line of logfmt": (
        'CRON="0 * * * *"', f'{STAMP} level=info schedule="0 * * * *"\n', ["advice"], False,
    ),
    "quotes of JSON": (
        'CRON="0 * * * *"', f'{STAMP} {{"schedule": "0 * * * *"}}\n', ["advice"], False,
    ),
    "a list of the environment": (
        'CRON="0 * * * *"', f'{STAMP} CRON="0 * * * *"\n', ["advice"], False,
    ),
    "quotes of a sentence": (
        'CRON="0 * * * *"', f'{STAMP} Using schedule "0 * * * *"\n', ["advice"], False,
    ),
    "a schedule": ('CRON="0 * * * *"', f"{STAMP} started\n", ["advice"], False),
    "a word of cron": ("CRON='@daily'", "", ["advice"], False),
    "six fields": ('CRON="0 */5 * * * *"', "", ["advice"], False),
    "a number": ('PORT="8080"', "", ["advice"], True),
    "a switch": ("DEBUG='false'", "", ["advice"], True),
    "a path": ('DATA="/var/lib/shop"', "", ["advice"], True),
    "options, which a shell may read": ('JAVA_OPTS="-Xmx1g -Dx=y"', "", [], False),
    "a sentence": ('TITLE="My 2 best shops of * all"', "", [], False),
    "a list of JSON": ('HOSTS=["a"]', "", [], False),
    "a name": ('NAME="shop"', "", [], False),
    "no quotes": ("CRON=0 * * * *", "", [], False),
    "one quote": ("CRON=0 * * * *'", "", [], False),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "log", "expected", "quiet"), CASES.values(), ids=CASES)
def test_values_in_quotes(entry: str, log: str, expected: list[str], quiet: bool) -> None:
    web = container("web", Config={"Env": ["PATH=/bin", entry]})
    result = judge(
        "container.variable-malformed",
        containers=of(web),
        clock=Clock(1_800_000_000.0, 1_700_000_000.0),
        log_tails=LogTails({}, {}),
        quoted_values=quoted_values(Made({"api.logs": {"text": log}}), of(web)),
    )
    assert rows(result) == [(severity, "web") for severity in expected]
    for finding in result.findings:
        assert finding.is_quiet == quiet
        assert finding.variables["assignment"] == entry.replace('"', "").replace("'", "")


SPACED = {
    "a URL": ("http://web:80/ ", "ends"),
    "a number": (" 8080", "begins"),
    "words": ("two words ", ""),
    "a URL without spaces": ("http://web:80/", ""),
}


@pytest.mark.parametrize(("value", "where"), SPACED.values(), ids=SPACED)
def test_spaces_around_a_value_that_has_none(value: str, where: str) -> None:
    app = container("app", Config={"Env": [f"API={value}"]})
    found = judge(
        "container.variable-malformed",
        containers=of(app),
        clock=Clock(wall=1_800_000_000.0, booted=0.0),
        log_tails=LogTails({}, {}),
        spaced_values=spaced_values(of(app)),
    ).findings
    assert [f"{where} with a space" in finding.summary for finding in found] == [True] * bool(where)
    assert all(finding.variables["assignment"] == f"API={value.strip()}" for finding in found)
