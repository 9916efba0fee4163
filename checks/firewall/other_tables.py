"""firewall.other-tables: a container's iptables works on other tables than those of the host."""

from diagnose.evidence.network.rules.other_tables import AllOtherTables, OtherTables
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.registry import check

_PROGRAMS = {"legacy": "iptables-legacy", "nft": "iptables over nftables"}


@check(
    "firewall.other-tables",
    severity=Severity.critical,
    causes=(
        "container.errors-in-log",
        "container.exits-at-start",
        "container.restart-loop",
        "container.restarts-exhausted",
    ),
)
def other_tables(all_other_tables: AllOtherTables) -> CheckResult:
    """A container's iptables works on other tables than those of the host.

    A program on the host's network looks for a chain of the engine's and does not find it: its
    image has the iptables of the legacy tables, and the host's rules are in nftables, or the other
    way round. The chain that its log names is looked for in both.
    """
    if not len(all_other_tables):
        return Skipped("no container on the host's network misses a chain")
    for tables in all_other_tables:
        yield _finding(tables)


def _finding(tables: OtherTables) -> Finding:
    return Finding.about(
        tables.container,
        f"{tables.container} cannot write its firewall rules: it uses {_PROGRAMS[tables.own]}, and the host "
        f"has chain {tables.chain} elsewhere, in table {tables.table}",
        {"log": tables.line, "chain": f"{tables.chain} of table {tables.table}"},
        recheck=(tables.container.run,),
        variables={"container": tables.container.name, "chain": tables.chain},
    )
