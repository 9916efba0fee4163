"""network.client-outside-range: a program's list of addresses leaves out a client it refuses."""

from diagnose.evidence.network.calls.narrow_ranges import NarrowRange, NarrowRanges
from diagnose.first_steps.network.wider_ranges import wider_range
from diagnose.mappings import subjects_of
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import and_more, quoted, sentence
from diagnose.registry import check


@check(
    "network.client-outside-range",
    severity=Severity.warning,
    causes=(
        "container.calls-turned-away",
        "container.database-refused",
        "container.errors-in-log",
        "network.clients-hidden",
    ),
)
def client_outside_range(narrow_ranges: NarrowRanges) -> CheckResult:
    """A program refuses a client that its list of addresses leaves out.

    The engine chooses the address of a container, and often that of a network. A list of allowed
    clients or of trusted proxies that was written for another network refuses each container on
    this one.

    The log of the program refuses an address of one of its own networks, or answers the calls of a
    container there with 403. Its variables, its command or its small files of settings have a list
    of addresses without that one. A list is left out where an entry is neither an address nor the
    name of a container, and so are refusals that a password decides. The gateway of a network
    counts for lists of proxies alone: all clients of published ports may come from there.
    """
    for narrow in narrow_ranges:
        yield _finding(narrow)


def _finding(narrow: NarrowRange) -> Finding:
    container = narrow.container
    addresses = narrow.list
    entries = and_more(addresses.entries) if addresses.entries else "no network"
    kind = "trusted proxies" if addresses.is_of_proxies else "allowed addresses"
    place = narrow.place.path or ("its variable" if narrow.place.is_variable else "its command")
    return Finding.about(
        container,
        sentence(
            f"{container} refuses {narrow.address}, {_holder(narrow)}: its list of {kind}, "
            f"{addresses.name} in {place}, has {entries}",
            f"that network is {narrow.subnet}",
        ),
        {
            "log": quoted(narrow.line),
            "such lines": narrow.times,
            f"{addresses.name} in {place}": list(addresses.entries),
            f"subnet of {narrow.network.name}": narrow.subnet,
        },
        discriminator=narrow.address,
        touches=(*subjects_of([narrow.client]), narrow.network.subject),
        recheck=(container.run,),
        variables=wider_range(narrow),
    )


def _holder(narrow: NarrowRange) -> str:
    """The holder of the refused address, and its network."""
    if narrow.client is not None:
        return f"the address of {narrow.client} on {narrow.network}"
    if narrow.is_gateway:
        return f"the gateway of {narrow.network}, from which programs of this host call"
    return f"an address on {narrow.network}"
