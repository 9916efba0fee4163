"""container.settings-unread: a server has not read a file of its settings since an edit."""

from diagnose.evidence.containers.mounts.edited_settings import AllEditedSettings, EditedSettings
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import CheckResult, Finding, PageVariables, Seconds, Severity
from diagnose.programs.start_settings import START_SETTINGS
from diagnose.registry import check


@check(
    "container.settings-unread",
    severity=Severity.advice,
    aloud=("has not read files that changed since", "have not read files that changed since"),
)
def settings_unread(
    all_edited_settings: AllEditedSettings,
    clock: Clock,
    options: Options,
    *,
    settled: Seconds = Seconds(30),
) -> CheckResult:
    """A server runs with settings that it read before their file was edited.

    nginx, HAProxy, Prometheus, Caddy and similar programs read their files only at a start or a
    reload. A file counts that is mounted, lies where the server reads it or is named by its
    command, and is newer than its last reload: new processes show that of nginx and HAProxy, a
    signal, a command or a line of the log that of others. It is advice, for the edit may change
    nothing, or may wait for a reload on purpose. For `settled` seconds the person may still be at
    it. Two edits are not said aloud: one before the time span of the run (`--since`),
    and one of all files at once, since a checkout or a copy writes files that stay as they were.
    """
    for edited in all_edited_settings:
        if clock.has_passed(edited.changed_at, settled):
            is_long_ago = not clock.is_within(edited.changed_at, options.since_s)
            yield _finding(edited, clock, is_quiet=is_long_ago or edited.is_rewritten)


def _finding(edited: EditedSettings, clock: Clock, *, is_quiet: bool) -> Finding:
    container = edited.container
    more = f" (and {edited.others} more)" if edited.others else ""
    return Finding.about(
        container,
        f"{edited.server} in {container} read {edited.path}{more} before it was last written, "
        f"{clock.ago(edited.changed_at)}: it was neither reloaded nor restarted since",
        {
            edited.path_inside: f"written {clock.ago(edited.changed_at)}, mounted from {edited.path}",
            f"{edited.server} read its files": clock.ago(edited.loaded_at),
        },
        onset=edited.changed_at,
        recheck=(container.run,),
        is_quiet=is_quiet,
        variables={"edited": edited.path, **_cure(edited)},
    )


def _cure(edited: EditedSettings) -> PageVariables:
    """The page variables of a reload, of a signal, or of a restart."""
    settings = START_SETTINGS[edited.server]
    if settings.reload:
        return {"reload": settings.reload}
    if settings.signal and edited.takes_signals:
        return {"signal": settings.signal}
    return {"restarted": edited.container.name}
