"""The program that may write to the table of a rule, and the variables that name its chain."""

import re

from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern

_IPTABLES = ("filter", "nat", "mangle", "raw", "security")

_SET = LazyPattern(r"(?<!! )--match-set (?P<name>\S+) src\b", re.ASCII)

BANS = "f2b-"
"""Prefix of fail2ban's chains, before the name of the jail."""


def is_ban(step: Step, family: str = "ip") -> bool:
    """Whether a rule is a ban by fail2ban: its chain is named after the jail."""
    words = step.rule.split()
    names_address = words[:1] == ["-s"] and "-j" in words[:-1]
    return step.chain.startswith(BANS) and names_address and "program" in place_of(step, family)


def set_of(step: Step) -> str:
    """The ipset whose members a rule is about, as senders; "" for none, or for all others."""
    match = _SET.search(step.rule)
    return match["name"] if match is not None else ""


def program_of(step: Step, family: str = "ip") -> str:
    """The program that may write to a table.

    A rule that nft adds to a table of iptables makes the table unreadable to iptables (seen with
    1.8.9: "table `filter' is incompatible").
    """
    *backend, table_family, table = step.table.split()
    if table == "firewalld":
        return "firewall-cmd"
    written = step.rule.startswith(("-", "! -")) or (
        step.rule.startswith("policy ") and step.chain.isupper()
    )
    is_of_iptables = table_family in ("ip", "ip6") and table in _IPTABLES and written
    if backend or is_of_iptables:
        program = "ip6tables" if "ip6" in (table_family, family) else "iptables"
        return f"{program}-legacy" if backend else program
    return "nft"


def place_of(step: Step, family: str = "ip") -> dict[str, str]:
    """The chain of a rule, as the variables of the blocks for the program that may write to it.

    Empty for firewalld's chains, which only firewalld writes.
    """
    program = program_of(step, family)
    if program == "firewall-cmd":
        return {}
    table_family, table = step.table.split()[-2:]
    if program == "nft":
        return {"nft_family": table_family, "nft_table": table, "nft_chain": step.chain}
    return {"program": program, "table": table, "chain": step.chain}
