"""container.init-scripts-unrun: a database that had data already did not run its start scripts."""

from diagnose.evidence.containers.mounts.data.unrun_scripts import UnrunScript, UnrunScripts
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.first_steps.rows.database_clients import client_of, run_file
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import duration
from diagnose.registry import check


@check(
    "container.init-scripts-unrun",
    severity=Severity.warning,
    causes=[
        "container.crashed",
        "container.database-refused",
        "container.errors-in-log",
        "container.exits-at-start",
        "container.restart-loop",
        "container.restarts-exhausted",
    ],
)
def init_scripts_unrun(unrun_scripts: UnrunScripts) -> CheckResult:
    """A database did not run its start scripts, because it had data already.

    A log misses a table, a database or a role; a script in /docker-entrypoint-initdb.d makes it,
    and was changed after the data directory was made. A script that is older than the data is not
    judged: it may have been run.
    """
    for script in unrun_scripts:
        yield _finding(script)


def _finding(script: UnrunScript) -> Finding:
    database = script.database
    later = duration(script.changed_at - script.made_at)
    return Finding.about(
        database,
        f'{database} did not run {script.path}, which creates the {script.kind} "{script.name}": '
        "its image runs start scripts only if the data directory is empty",
        {
            f"{LINE} of {script.caller.name}": script.line,
            "mount": f"{script.path} -> {script.path_inside}",
            "times": f"the script was changed {later} after the data was made",
        },
        touches=(script.caller.subject,),
        variables={"script": script.path, **_steps(script)},
    )


def _steps(script: UnrunScript) -> PageVariables:
    """The page variables of the command that runs the script in the database.

    Empty for a script that also deletes, or a database that is down.
    """
    client = client_of(script.database)
    if client is None or script.removes or not script.path_inside.endswith(".sql"):
        return {}
    return {"run": run_file(client), "inside": script.path_inside}
