"""dns.name-without-address: a name that a server knows, and for which it gives no address."""

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.dns.names.addressless_names import AddresslessName, AddresslessNames
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted, sentence
from diagnose.registry import check


@check("dns.name-without-address", severity=Severity.warning, causes=FAILED_CONTAINERS)
def name_without_address(addressless_names: AddresslessNames) -> CheckResult:
    """A container calls a name that its DNS server knows, without an address.

    Its log says that the name fails, and the server says that the name exists and has no IPv4
    address (NOERROR without a record). Routers and DNS servers keep private addresses back, so that
    no site of the internet leads a browser to a machine of the local network (DNS rebinding). Such
    an answer looks as if there were none. Or the name has only IPv6 addresses, which the same
    server gives, or records of other kinds, for example for mail. It is advice where the program is
    a monitor, or misses other hosts in other ways.
    """
    for addressless in addressless_names:
        yield _finding(addressless)


def _finding(addressless: AddresslessName) -> Finding:
    container = addressless.container
    name = addressless.name
    server = addressless.server
    has_ipv6 = addressless.ipv6 is not None and addressless.ipv6.knows
    is_watched = container.watches_others or addressless.failure.is_one_of_many
    if has_ipv6:
        lack = "the container has no IPv6" if not container.has_ipv6 else ""
        summary = sentence(
            f'{container} calls "{name}", for which DNS server {server} has IPv6 addresses only',
            lack,
        )
    else:
        summary = sentence(
            f'{container} calls "{name}", which DNS server {server} knows without an address',
            "it withholds private addresses (DNS rebinding protection), or the name has records "
            "of other kinds only",
        )
    return Finding.about(
        container,
        summary,
        present(
            {
                "log": quoted(addressless.failure.name.line),
                f"{name} A at {server}": f"{addressless.ipv4}, without a record",
                f"{name} AAAA at {server}": str(addressless.ipv6 or ""),
            }
        ),
        discriminator=name,
        severity=Severity.advice if is_watched else None,
        signs=frozenset({"dns"}),
        recheck=container.caller_runs,
        variables={"name": name, "server": server, "six" if has_ipv6 else "kept_back": name},
    )
