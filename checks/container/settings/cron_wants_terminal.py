"""container.cron-wants-terminal: a cron job of the host asks docker for a terminal."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.cron_calls import CronCalls
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.phrases import shortened
from diagnose.registry import check

SHOWN = 160


@check("container.cron-wants-terminal", severity=Severity.warning)
def cron_wants_terminal(cron_calls: CronCalls | Unavailable, containers: Containers) -> CheckResult:
    """A cron job of the host calls docker with -t, and cron has no terminal.

    `docker exec -it` works for whoever types it. Under cron the command ends at once with "the
    input device is not a TTY", and a backup that it was to write stays empty. Read are
    /etc/crontab, /etc/cron.d and the crontabs of users, not the scripts that they call. A call in
    the background (-d) and one below `script` are left out.
    """
    if isinstance(cron_calls, Unavailable):
        return Skipped(f"the cron jobs of the host: {cron_calls}")
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
    return None


def _edit(path: str, line: int, flag: str) -> dict[str, str]:
    """The edit of that line of the file: -it becomes -i, and -t alone goes."""
    kept = flag.replace("t", "", 1) if not flag.startswith("--") else ""
    replacement = f" {kept} " if kept not in ("", "-") else " "
    return {"crontab": path, "edit": f"{line}s/ {flag} /{replacement}/g"}
