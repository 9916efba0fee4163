"""container.env-file-unpassed: settings in the .env of a project reach no container."""

from diagnose.evidence.containers.compose.unpassed_keys import UnpassedKeys, UnpassedKeysOfProjects
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import and_more, count, joined
from diagnose.registry import check

SHOWN = 12


@check(
    "container.env-file-unpassed",
    severity=Severity.advice,
    aloud=(
        "does not get all settings in the .env of its project",
        "do not get all settings in the .env of their projects",
    ),
)
def env_file_unpassed(unpassed_keys: UnpassedKeysOfProjects) -> CheckResult:
    """Settings in the .env of a compose project reach no container.

    Compose reads `.env` to replace `${NAME}` in its own files. A program gets a variable only where
    its service names it, or names the file with `env_file`. It counts where no compose file and no
    script beside them mentions the name, and no container has it. It is advice, because a name may
    be left from an earlier version. Projects whose images are built here, and those that mount the
    file, are left out: their programs may read it themselves.
    """
    for unpassed in unpassed_keys:
        yield _finding(unpassed)


def _finding(unpassed: UnpassedKeys) -> Finding:
    names = unpassed.names
    return Finding.about(
        unpassed.container,
        f"{unpassed.path} has {count(len(names), 'setting')} that no container of compose project "
        f'"{unpassed.project.name}" gets: {and_more(names)}',
        {
            unpassed.path: joined(names[:SHOWN]),
            "env_file of a service": "does not name that file",
            "variables of the containers": "none of these names",
        },
        discriminator=unpassed.path,
        recheck=(unpassed.container.run,),
        variables={
            "dotenv": unpassed.path,
            "first_name": names[0],
            "entry": f"{names[0]}: ${{{names[0]}}}",
            "folder": unpassed.project.folder,
            "project": unpassed.project.name,
            "compose_service": unpassed.container.compose_service,
            **present({"override": unpassed.override}),
        },
    )
