"""container.address-not-for-browsers: pages call a container by its name."""

from diagnose.evidence.containers.addresses.browser_addresses import BrowserAddresses
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence
from diagnose.registry import check


@check(
    "container.address-not-for-browsers",
    severity=Severity.advice,
    aloud=(
        "gives browsers an address that they cannot resolve",
        "give browsers addresses that they cannot resolve",
    ),
)
def address_not_for_browsers(browser_addresses: BrowserAddresses) -> CheckResult:
    """A container's pages call another container by a name that browsers do not know.

    Tools that build pages put variables such as VITE_API_URL and NEXT_PUBLIC_API_URL into the code
    of the page, which runs in the browsers of users. Only containers know the names of containers.
    The page loads, and each of its calls fails: "Network Error", or a message about CORS. It is
    advice: a program that uses the variable on the server alone works.
    """
    for address in browser_addresses:
        port = address.published
        reached = f"browsers reach it at port {port} of this host" if port else ""
        yield Finding.about(
            address.container,
            sentence(
                f"{address.container} gives browsers the address of {address.callee} that only "
                f"containers know, in {address.variable}: browsers cannot resolve that name",
                reached,
            ),
            {f"Config.Env {address.variable}": address.value},
            discriminator=address.variable,
            calls=(address.callee.subject,),
            variables=present({"variable": address.variable, "port": str(address.published or "")}),
        )
