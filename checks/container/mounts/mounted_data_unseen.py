"""container.mounted-data-unseen: a container does not see data that is mounted into it."""

from diagnose.evidence.containers.mounts.unseen_data import UnseenData, UnseenDataList
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import and_more, count
from diagnose.registry import check


@check(
    "container.mounted-data-unseen",
    severity=Severity.advice,
    aloud=(
        "does not see data that is mounted into it",
        "do not see data that is mounted into them",
    ),
)
def mounted_data_unseen(unseen_data: UnseenDataList) -> CheckResult:
    """A container does not see data that lies in a folder mounted into it.

    A link at the top of the folder leads to another folder of the host, which the container has
    not mounted. Or an empty folder or volume is mounted over a part of the folder that has files.
    Links into folders of the system are left out, and anonymous volumes.
    """
    for data in unseen_data:
        yield _link_finding(data) if data.leads_to else _hidden_finding(data)


def _link_finding(data: UnseenData) -> Finding:
    more = f", and so do {count(data.others, 'link')} more" if data.others else ""
    return Finding.about(
        data.container,
        f"{data.container} does not see what is behind link {data.path}: it leads to {data.leads_to} "
        f"of the host, which is not mounted{more}",
        {"link": f"{data.on_host} -> {data.leads_to}", "mount": str(data.mount)},
        discriminator=data.path,
        stable=(data.container.life,),
        variables={"linked": f"{data.leads_to}:{data.leads_to}"},
    )


def _hidden_finding(data: UnseenData) -> Finding:
    return Finding.about(
        data.container,
        f"{data.container} does not see the files in {data.on_host}: {data.hidden_by}, which is empty, "
        f"is mounted over them at {data.path}",
        {data.on_host: and_more(data.entries, 3), "mounted over it": data.hidden_by},
        discriminator=data.path,
        stable=(data.container.life,),
        variables={"covered": data.path},
    )
