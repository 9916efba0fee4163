"""container.own-address-local: a program sends its visitors to their own machine."""

from diagnose.evidence.containers.addresses.local_addresses import LocalAddress, LocalAddresses
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more
from diagnose.registry import check


@check(
    "container.own-address-local",
    severity=Severity.advice,
    aloud=("gives its visitors a local address", "give their visitors local addresses"),
)
def own_address_local(local_addresses: LocalAddresses) -> CheckResult:
    """A program gives its visitors an address that leads to their own machine.

    A variable such as NEXTAUTH_URL, WEBHOOK_URL or VITE_API_URL says localhost, or the name by
    which other containers call the program. Logins, links in mails, webhooks and the calls of pages
    then lead each visitor to its own machine. Visitors come from elsewhere: a proxy serves the
    container under a name, or its port is published for other machines. So it is for n8n, Grafana
    and others that a proxy serves under a name, and that have no such variable: localhost is their
    default. It is advice, since a person may use the program only on this host. Nothing is said
    where another variable has the address of the site, of ports on loopback, of applications that
    run for their developers, and of machines with a desktop.
    """
    for address in local_addresses:
        yield _finding(address)


def _finding(address: LocalAddress) -> Finding:
    container = address.container
    names = [variable for variable, _ in address.variables]
    source = f"in {and_more(names)}" if names else f"its default without {address.unset}"
    form = "by a name that only containers know" if address.is_own_name else "as localhost"
    evidence = {f"Config.Env {variable}": value for variable, value in address.variables}
    return Finding.about(
        container,
        f"{container} gives its visitors its address {form}, {source}: they come by {address.by}",
        evidence or {f"Config.Env {address.unset}": "not set"},
        stable=(container.life,),
        is_quiet=not address.is_loud,
        variables=_steps(address),
    )


def _steps(address: LocalAddress) -> PageVariables:
    """The page variables of the right values, or of the variable that has to be set by hand."""
    assignments = address.assignments
    if not assignments:
        names = [variable for variable, _ in address.variables]
        return {"local": and_more(names) or address.unset}
    if len(assignments) == 1:
        return {"own": assignments[0]}
    return {"first": assignments[0], "second": assignments[1]}
