"""network.own-address-wrong: a program shows its users an address that does not lead to it."""

from diagnose.evidence.network.proxies.own_addresses import OwnAddresses
from diagnose.evidence.network.proxies.shown_address import ShownAddress
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check


@check(
    "network.own-address-wrong",
    severity=Severity.advice,
    aloud=(
        "shows its users an address that does not lead to it",
        "show their users addresses that do not lead to them",
    ),
)
def own_address_wrong(own_addresses: OwnAddresses) -> CheckResult:
    """A program shows its users an address whose port does not lead to it.

    Links, webhooks, logins by another site and the addresses of repositories have the port that the
    program has inside its container. A variable of its own or a line of its log shows it, no
    program serves that port on this host, and visitors come by a proxy or by another port. For SSH
    it is the port that Gitea, Forgejo, Gogs or GitLab shows, where its SSH is published at another
    one. An address in their settings without a scheme is none either: links in mails begin with it.
    It is advice: a router or a balancer before this host may take that port.
    """
    for shown in own_addresses:
        yield _finding(shown)


def _finding(shown: ShownAddress) -> Finding:
    container = shown.container
    return Finding.about(
        container,
        sentence(_fault_clause(shown), _way_clause(shown)),
        {
            shown.place: shown.value,
            "NetworkSettings.Ports": [
                f"{binding.host_port} -> {binding.port}"
                for binding in container.published_by("tcp")
            ],
        },
        discriminator=shown.kind,
        touches=subjects_of([shown.front]),
        recheck=(container.run,),
        variables=_cure(shown),
    )


def _fault_clause(shown: ShownAddress) -> str:
    """The clause about what is wrong with the address that the program shows."""
    container = shown.container
    if shown.kind == "bare":
        return (
            f"{container} makes its links from {shortened(shown.value, 80)}, which is not a URL: it lacks "
            "http:// or https://"
        )
    if shown.kind == "ssh":
        return f"{container} shows addresses for SSH with port {shown.port}, {_ssh_taker(shown)}"
    return (
        f"{container} shows its users {shortened(shown.value, 80)}: nothing serves port "
        f"{shown.port} of this host"
    )


def _cure(shown: ShownAddress) -> PageVariables:
    """The page variable that corrects the variable, or else those that show what to write."""
    if shown.variable and shown.right:
        return {"own": f"{shown.variable}={shown.right}"}
    right = "" if shown.variable else shown.right
    return present({"shown": shown.value, "right": right})


def _ssh_taker(shown: ShownAddress) -> str:
    if shown.holder:
        return f"which {shown.holder} of this host takes"
    return "where nothing listens on this host"


def _way_clause(shown: ShownAddress) -> str:
    """The clause about the port by which users reach the program, or about another owner of its
    address."""
    if shown.kind == "bare":
        return (
            f"its variable {shown.unused} is read only at its first start" if shown.unused else ""
        )
    if shown.kind == "ssh":
        return f"its own SSH is published at port {shown.way}"
    if shown.front is not None:
        return f"visitors come through {shown.front} at port {shown.way}"
    if shown.front_program:
        return f"visitors come through {shown.front_program} of this host at port {shown.way}"
    return f"that is its port inside, and visitors use port {shown.way}" if shown.way else ""
