"""dns.name-misspelt: a host name in settings does not resolve; a neighbour almost has it."""

from diagnose.evidence.containers.settings.changed_words import with_text
from diagnose.evidence.dns.names.misspelt_names import MisspeltName, MisspeltNames
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check(
    "dns.name-misspelt",
    severity=Severity.warning,
    causes=("container.errors-in-log", "container.unhealthy"),
    aloud=("calls a host name that does not resolve", "call host names that do not resolve"),
)
def name_misspelt(misspelt_names: MisspeltNames) -> CheckResult:
    """A host name in settings does not resolve; a neighbour has almost that name.

    The name of a container, of a service and of a compose project are easily mistaken for each
    other: misp-db and misp_db, shop_db_1 and shop-db-1, postgress and postgres.

    A variable or the command of a running container has a short name as the target of a call. No
    container has that name, and the engine's resolver and the search domains do not know it; one
    neighbour on the same network has a name that differs by a sign, a letter or two, or the
    project. It is advice where the log shows neither a wait nor a failed call. Variables that hold
    a program's own name are left out.
    """
    for misspelt in misspelt_names:
        yield _finding(misspelt)


def _finding(misspelt: MisspeltName) -> Finding:
    container = misspelt.container
    return Finding.about(
        container,
        f'{container} calls "{misspelt.name}" ({misspelt.source}), which does not '
        f'resolve: {misspelt.peer} on its network has the name "{misspelt.meant}"',
        present(
            {
                "set in": misspelt.source,
                f"{misspelt.name} A": misspelt.reply,
                f"names of {misspelt.peer.name}": sorted(misspelt.peer.dns_names),
                "log": quoted(misspelt.line) if misspelt.line else "",
            }
        ),
        discriminator=misspelt.name,
        severity=None if misspelt.line else Severity.advice,
        touches=(misspelt.peer.subject,),
        recheck=(container.run, misspelt.peer.run),
        variables={
            "wrong_name": misspelt.name,
            "right_name": misspelt.meant,
            **with_text(container, misspelt.name, misspelt.meant, variable=misspelt.variable),
        },
    )
