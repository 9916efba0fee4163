"""dns.name-misled: a name leads a container elsewhere than to the machine that is meant."""

from diagnose.evidence.dns.names.misled_names import MisledName, MisledNames
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more, sentence, shortened
from diagnose.registry import check


@check(
    "dns.name-misled",
    severity=Severity.warning,
    causes=(
        "container.answers-with-errors",
        "container.crashed",
        "container.errors-in-log",
        "container.exits-at-start",
        "container.failing-inside",
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.unhealthy",
        "network.calls-failing",
    ),
)
def name_misled(misled_names: MisledNames) -> CheckResult:
    """A name leads a container to itself, or to a neighbour that is not meant.

    Three settings do that, and none of them is an error for anybody. A container has the host name
    of the neighbour that its variables or its command name: its hosts file leads that name to
    itself. A DNS filter gives 0.0.0.0 for a name, as it does for advertisements. Or a container has
    the name of a site that DNS knows at another address: its neighbours call the container, which
    serves nothing at that port. The last two count where the caller logs that it is refused.
    It is advice where no setting has the name, or where nobody complains.
    """
    for misled in misled_names:
        yield _finding(misled)


def _finding(misled: MisledName) -> Finding:
    peer = misled.peer
    touches = subjects_of([peer])
    says = f"{misled.name} A at {misled.server}" if misled.server else "server"
    return Finding.about(
        misled.container,
        _sentence(misled),
        present(
            {
                "where the name stands": misled.source,
                "Config.Hostname": misled.name if misled.kind == "itself" else "",
                says: list(misled.addresses),
                "log": shortened(misled.line, 160),
            }
        ),
        discriminator=misled.name,
        severity=None if misled.is_sure else Severity.advice,
        touches=touches,
        recheck=(misled.container.run, *((peer.run,) if peer is not None else ())),
        variables={"name": misled.name, **_cure(misled)},
    )


def _sentence(misled: MisledName) -> str:
    """The sentence about the name and the wrong machine to which it leads."""
    container = misled.container
    peer = misled.peer
    name = f'"{misled.name}"'
    if misled.kind == "itself":
        return (
            f"{container} calls {name}, a name of {peer}, and reaches itself: {name} is its own "
            "host name, which its hosts file leads to its own address"
        )
    if misled.kind == "filtered":
        return sentence(
            f"{container} calls {name} and is refused: its DNS server {misled.server} gives "
            f"{and_more(misled.addresses)} for that name, which leads to the container itself",
            "a filter on that server blocks the name",
        )
    sure = "calls" if misled.source else "may call"
    return (
        f"{container} {sure} {name} at port {misled.port} and is refused: on their network that is "
        f"a name of {peer}, which serves nothing there, and no longer the machine that DNS knows "
        f"({and_more(misled.addresses)})"
    )


def _cure(misled: MisledName) -> PageVariables:
    if misled.kind == "itself":
        return {"own_name": misled.container.name, "hostname": misled.container.name}
    if misled.kind == "filtered":
        return {"filter": misled.server}
    peer = misled.peer
    assert peer is not None
    aliases = [alias for end in peer.endpoints.values() for alias in end.aliases or ()]
    if peer.name == misled.name and misled.name not in (*aliases, peer.config.hostname):
        return {"dotted": peer.name, "plain": peer.name.replace(".", "-")}
    return {"hiding": peer.name}
