"""container.file-mode-refused: a program refuses a mounted file because of its owner or mode."""

from __future__ import annotations

from checks.container.claims import is_failing
from checks.container.helpers import LINE
from diagnose.evidence.containers.mounts.refused_files import CHECK, RefusedFile, RefusedFiles
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


@check(CHECK, severity=Severity.critical)
def file_mode_refused(clock: Clock, refused_files: RefusedFiles) -> CheckResult:
    """A program refuses a mounted file because of its owner or mode.

    PostgreSQL wants its data directory for itself (0700), Traefik its acme.json, MongoDB and SSH
    their keys, Beats their configuration. The log of a failed container names the file, and its
    owner or mode on the host is still the refused one. Traefik continues without its certificates,
    and cron without the jobs of a crontab that is not root's, so that such a mounted file is a
    warning for a running container. The rules are those of the programs; see the table of
    failures for their sources.
    """
    for refused in refused_files:
        if refused.line and not is_failing(refused.container, clock):
            continue
        yield _finding(refused)
    return None


def _finding(refused: RefusedFile) -> Finding:
    container, source = refused.container, refused.source
    has = f"{source.owner}, mode {source.permissions}"
    if refused.mode:
        what = (
            f"others may use {refused.path}, "
            f"which has mode {source.mode & 0o777:o} and may have {refused.mode:o} at most"
        )
        variables = {"source": refused.path, "mode": f"{source.mode & 0o7777 & refused.mode:o}"}
    else:
        what = (
            f"{refused.path} belongs to user {source.uid}, "
            f"but the program runs as user {refused.owner.partition(':')[0]}"
        )
        variables = {"source": refused.path, "owner": refused.owner}
    finding = Finding.about(
        container,
        f"{container} refuses {refused.inside}: {what}",
        {
            **({LINE: refused.line} if refused.line else {}),
            f"owner and mode of {refused.path}": has,
        },
        discriminator=refused.inside,
        severity=Severity.critical if refused.line else Severity.warning,
        onset=container.failed_first if refused.line else None,
    )
    return finding.with_variables(variables)
