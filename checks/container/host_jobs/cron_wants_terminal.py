"""container.cron-wants-terminal: a cron job of the host asks docker for a terminal."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.machine.cron_calls import CronCalls, unread_jobs
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped, Unavailable
from diagnose.phrases import shortened
from diagnose.registry import check

SHOWN = 160
_PLAIN_FLAG = LazyPattern(r"-[a-zA-Z]+|--tty")
"""A flag that sed takes literally: users write crontabs, and root types the command."""


@check("container.cron-wants-terminal", severity=Severity.warning)
def cron_wants_terminal(
    cron_calls: CronCalls | Unavailable, containers: Containers, daemon: Daemon | None
) -> CheckResult:
    """A cron job of the host calls docker with -t, and cron has no terminal.

    `docker exec -it` works for whoever types it. Under cron the command ends at once with "the
    input device is not a TTY", and a backup that it was to write stays empty. The check reads
    /etc/crontab, /etc/cron.d and the crontabs of users, not the scripts that they call. A call in
    the background (-d) and one below `script`, `screen` or `ssh` are left out. Podman runs such a
    call without a terminal.
    """
    if daemon is not None and daemon.is_podman:
        return Skipped("Podman needs no terminal for -t")
    if isinstance(cron_calls, Unavailable):
        return unread_jobs(cron_calls)
    by_name = {container.name: container for container in containers}
    for call in cron_calls:
        target = by_name.get(call.target)
        yield Finding(
            subject=target.subject if target is not None else HOST,
            summary=(
                f"the cron job in line {call.line} of {call.path} calls docker with {call.flag}, "
                'which fails without a terminal: "the input device is not a TTY"'
            ),
            evidence={f"{call.path}, line {call.line}": shortened(call.text, SHOWN)},
            discriminator=f"{call.path}:{call.line}",
            variables=_edit(call.path, call.line, call.flag),
        )


def _edit(path: str, line: int, flag: str) -> PageVariables:
    """The edit of that line of the file: -it becomes -i, and a single -t is removed."""
    if not _PLAIN_FLAG.fullmatch(flag):
        return {"crontab": path}
    other_flags = flag.replace("t", "", 1) if not flag.startswith("--") else ""
    replacement = f" {other_flags} " if other_flags not in ("", "-") else " "
    return {"crontab": path, "edit": f"{line}s/ {flag} /{replacement}/g"}
