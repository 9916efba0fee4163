"""container.mounted-data-unseen: a container does not see data that is mounted into it."""

from collections.abc import Iterable

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.mounts.unseen_data import UnseenData, UnseenDataList
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import agree, and_more, count
from diagnose.registry import check


@check(
    "container.mounted-data-unseen",
    severity=Severity.advice,
    aloud=(
        "does not see data that is mounted into it",
        "do not see data that is mounted into them",
    ),
)
def mounted_data_unseen(
    unseen_data: UnseenDataList, repeated_errors: RepeatedErrors | None
) -> CheckResult:
    """A container does not see data that lies in a folder mounted into it.

    A link at the top of the folder leads to another folder of the host, which the container has
    not mounted. It is a warning where the program repeats an error about the link. Or an empty
    folder or volume is mounted over a part of the folder that has files. Links into folders of the
    system are left out, and anonymous volumes.
    """
    for data in unseen_data:
        if data.leads_to:
            yield _link_finding(data, _line_about(data, repeated_errors or ()))
        else:
            yield _hidden_finding(data)


def _line_about(data: UnseenData, repeated_errors: Iterable[RepeatedError]) -> str:
    """The error about one of the links that its program repeats; "" for none."""
    lines = (
        error.line.whole for error in repeated_errors if error.container.id == data.container.id
    )
    return next(filter(data.is_named_in, lines), "")


def _link_finding(data: UnseenData, line: str) -> Finding:
    more = ""
    if data.others:
        more = f", and so {agree(data.others, 'does', 'do')} {count(len(data.others), 'link')} more"
    folder = data.missing_folder
    access = "" if data.mount.rw else ":ro"
    return Finding.about(
        data.container,
        f"{data.container} does not see what is behind link {data.path}: it leads to {data.leads_to} "
        f"of the host, which is not mounted{more}",
        {
            "link": f"{data.on_host} -> {data.leads_to}",
            **present({"further links": [f"{path} -> {end}" for path, end in data.others.items()]}),
            "mount": str(data.mount),
            **present({"log": line}),
        },
        severity=Severity.warning if line else None,
        discriminator=data.path,
        recheck=(data.container.run,),
        variables={"linked": f"{folder}:{folder}{access}"},
    )


def _hidden_finding(data: UnseenData) -> Finding:
    return Finding.about(
        data.container,
        f"{data.container} does not see the files in {data.on_host}: {data.hidden_by}, which is empty, "
        f"is mounted over them at {data.path}",
        {data.on_host: and_more(data.entries, 3), "mounted over it": data.hidden_by},
        discriminator=data.path,
        recheck=(data.container.run,),
        variables={"covered": data.path},
    )
