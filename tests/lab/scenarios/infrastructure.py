"""Servers that a site stands on (databases, brokers, logs, repositories), which do not start; with
their look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs.helpers import GOOD, run

_CLICKHOUSE = """
mkdir -p /tmp/log
echo "Processing configuration file '/etc/clickhouse-server/config.xml'."
echo "Logging errors to /tmp/log/clickhouse-server.err.log"
echo "<Error> Application: Cannot lock file /var/lib/clickhouse/status" >/tmp/log/clickhouse-server.err.log
exit 233
"""


@fault(AT_START, subject="container:house-a", shareable=True)
def errors_in_a_file_of_the_programs_own(box: Box) -> None:
    """A server says in its container's log only where it writes why it ends."""
    run(box, "house-a", *GOOD, "bb:1.36", "sh", "-c", _CLICKHOUSE)
    assert "Logging errors to" in ended(box, "house-a")
    found = box.diagnose("check", AT_START, "--format", "json").findings
    (finding,) = [finding for finding in found if finding["subject"]["name"] == "house-a"]
    assert finding["evidence"]["this means"].startswith("the program writes what goes wrong into")
    command = "docker cp house-a:/tmp/log/clickhouse-server.err.log - | tar -xO | tail -n 40"
    assert command in box.diagnose("check", AT_START).joined
    assert "Cannot lock file" in box.sh(command)


_USAGE = """
[ "$1" = start ] && exec sleep 1000
printf 'Identity and Access Management\\n\\nUsage:\\n\\nkc.sh [OPTIONS] [COMMAND]\\n\\nCommands:\\n\\n'
printf '  build     Creates an image.\\n  start     Start the server.\\n'
exit 2
"""


@fault(AT_START, subject="container:usage-a", shareable=True)
def program_without_its_command(box: Box) -> None:
    """An image whose program needs a command was run without one."""
    run(box, "usage-a", *GOOD, "bb:1.36", "sh", "-c", _USAGE)
    assert "Usage:" in ended(box, "usage-a")
    found = box.diagnose("check", AT_START, "--format", "json").findings
    (finding,) = [finding for finding in found if finding["subject"]["name"] == "usage-a"]
    assert finding["evidence"]["this means"].startswith("the program printed how it is used")


@healthy(shareable=True)
def program_with_its_command(box: Box) -> None:
    """The same image with the command."""
    run(box, "usage-b", *GOOD, "bb:1.36", "sh", "-c", _USAGE, "kc.sh", "start")
    box.wait_state("usage-b", "running")


_SONAR = """
sh -c 'kill -9 $$'
echo "WARN  app[][o.s.a.p.AbstractManagedProcess] Process exited with exit value [es]: $?"
echo "INFO  app[][o.s.a.SchedulerImpl] Process[es] is stopped"
echo "INFO  app[][o.s.a.SchedulerImpl] SonarQube is stopped"
exit 1
"""


@fault(AT_START, subject="container:sonar-a", shareable=True)
def part_that_was_killed(box: Box) -> None:
    """A process of a program is killed, and the program says so before it ends."""
    run(box, "sonar-a", *GOOD, "bb:1.36", "sh", "-c", _SONAR)
    assert "[es]: 137" in ended(box, "sonar-a")
    found = box.diagnose("check", AT_START, "--format", "json").findings
    (finding,) = [finding for finding in found if finding["subject"]["name"] == "sonar-a"]
    assert finding["evidence"]["log"].endswith("[es]: 137")
    assert "SIGKILL" in finding["evidence"]["this means"]


@healthy(shareable=True)
def start_script_that_may_not_raise_a_limit(box: Box) -> None:
    """GitLab's start prints that it cannot raise its limits, at each start, and works."""
    line = "runsvdir-start: line 34: ulimit: max user processes: cannot modify limit: Operation not permitted"
    script = f"for i in 1 2 3 4; do echo '{line}' >&2; done; exec sleep 1000"
    run(box, "limits-b", *GOOD, "bb:1.36", "sh", "-c", script)
    box.wait_state("limits-b", "running")
