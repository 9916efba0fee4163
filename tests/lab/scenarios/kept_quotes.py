"""Schedules whose quotes compose has kept, so that nothing runs by them; and silent twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

MALFORMED = "container.variable-malformed"
_SCHEDULER = 'echo "new cron: 0 $CRON_SCHEDULE"; exec sleep 1000'


def _scheduler(box: Box, name: str, *options: str) -> None:
    run(box, name, *GOOD, *options, "bb:1.36", "sh", "-c", _SCHEDULER)
    box.wait_for(lambda: "new cron" in logs(box, name), what="the schedule to be printed")


@fault(MALFORMED, subject="container:dumps91", shareable=True)
def schedule_in_quotes(box: Box) -> None:
    """A list of compose has `- CRON_SCHEDULE="..."`, and the backup never runs."""
    _scheduler(box, "dumps91", '--env=CRON_SCHEDULE="0 * * * *"')
    command = first_command(box, MALFORMED, "dumps91")
    assert command == "diagnose recreate dumps91 -- --env='CRON_SCHEDULE=0 * * * *' | sh", command


@healthy(shareable=True)
def schedule_without_quotes(box: Box) -> None:
    """The same schedule; options in quotes, which a start script takes apart; a title."""
    options = ('--env=JAVA_OPTS="-Xmx64m -Dmode=x"', '--env=TITLE="Our * shop"')
    _scheduler(box, "dumps92", "--env=CRON_SCHEDULE=0 * * * *", *options)
    found = box.diagnose("check", MALFORMED, "--format", "json").findings
    assert "dumps92" not in [finding["subject"]["name"] for finding in found]


@healthy(shareable=True)
def space_at_the_end_of_an_address(box: Box) -> None:
    """An env file has a space behind an address: `docker run` keeps it, and that is advice."""
    box.write("/srv/spaced88/env", "API=http://shop88:80/ \nPLAIN=http://shop88:80/\n")
    run(box, "spaced88", *GOOD, "--env-file=/srv/spaced88/env", "bb:1.36", "sleep", "900")
    report = box.diagnose("check", MALFORMED, "--format", "json")
    (finding,) = [found for found in report.findings if found["subject"]["name"] == "spaced88"]
    assert finding["severity"] == "advice"
    assert "the value of variable API of" in finding["summary"]
