"""container.own-address-local: a program sends its visitors to their own machine."""

from diagnose.evidence.containers.addresses.local_addresses import LocalAddress, LocalAddresses
from diagnose.evidence.containers.addresses.local_page_calls import LocalPageCall, LocalPageCalls
from diagnose.evidence.containers.peers.served_names import labelled_names
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more
from diagnose.registry import check

_CODE = (".htm", ".html", ".js", ".mjs")


@check(
    "container.own-address-local",
    severity=Severity.advice,
    aloud=("gives its visitors a local address", "give their visitors local addresses"),
)
def own_address_local(
    local_addresses: LocalAddresses, local_page_calls: LocalPageCalls | None
) -> CheckResult:
    """A program gives its visitors an address that leads to their own machine.

    A variable such as NEXTAUTH_URL, WEBHOOK_URL or VITE_API_URL says localhost, or the name by
    which other containers call the program. Logins, links in mails, webhooks and the calls of pages
    then lead each visitor to its own machine. Visitors come from elsewhere: a proxy serves the
    container under a name, or its port is published for other machines. The same holds for n8n,
    Grafana and others that a proxy serves under a name, and that have no such variable: localhost
    is their default. It is advice, since a person may use the program only on this host. The
    check says nothing where another variable has the address of the site, nor about ports on
    loopback, applications that run for their developers, and machines with a desktop.

    Or the code of the pages that it serves calls localhost, at a port that a container of this host
    has. Code that chooses by the address of its page, and comments, do not count.
    """
    for address in local_addresses:
        yield _finding(address)
    known_ids = {address.container.id for address in local_addresses}
    for call in local_page_calls or ():
        if call.container.id not in known_ids:
            yield _page_finding(call)


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
        recheck=(container.run,),
        is_quiet=not address.is_loud,
        variables=_steps(address),
    )


def _page_finding(page_call: LocalPageCall) -> Finding:
    container, address = page_call.container, page_call.call.address
    is_own = page_call.callee.id == container.id
    callee = "the container itself" if is_own else str(page_call.callee)
    return Finding.about(
        container,
        f"the pages of {container} call {address}, which is the machine of each visitor, instead "
        f"of {callee}: visitors come by {page_call.by}",
        {"file": page_call.call.file, "address in it": address},
        discriminator=address,
        calls=() if is_own else (page_call.callee.subject,),
        recheck=(container.run, page_call.callee.run),
        variables={"address": address, **_page_steps(page_call)},
    )


def _page_steps(page_call: LocalPageCall) -> PageVariables:
    """The page variables with the file and, where a port of this host leads there, its edit."""
    mount, call = page_call.mount, page_call.call
    if mount is None:
        return {"page_inside": call.file}
    on_host = mount.on_host(call.file)
    is_by_name = bool(set(labelled_names(page_call.container)))
    is_code = call.file.endswith(_CODE) and call.file != mount.destination
    if is_by_name or not page_call.is_open or not is_code:
        return {"page_file": on_host}
    scheme = call.address.partition("://")[0]
    if call.quote == "`":
        there = f"`{scheme}://${{location.hostname}}:{page_call.port}"
    else:
        there = (
            f"{call.quote}{scheme}://{call.quote}+location.hostname+{call.quote}:{page_call.port}"
        )
    return {"page_file": on_host, "edit": f"s|{call.quote}{call.address}|{there}|g"}


def _steps(address: LocalAddress) -> PageVariables:
    """The page variables of the right values, or of the variable that has to be set by hand."""
    assignments = address.assignments
    if not assignments:
        names = [variable for variable, _ in address.variables]
        return {"local": and_more(names) or address.unset}
    if len(assignments) == 1:
        return {"own": assignments[0]}
    return {"first": assignments[0], "second": assignments[1]}
