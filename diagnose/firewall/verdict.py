"""The verdict on a packet at one hook, and the rule that decides."""

import msgspec

from diagnose.firewall.actions import Translate
from diagnose.firewall.packet import Outcome, Packet


class Step(msgspec.Struct, frozen=True):
    """One rule or policy on a packet's way. `str()` gives the words of a report."""

    table: str
    chain: str
    """table, chain: empty for what is not a rule, such as a route. `rule` says then what
    decides."""
    rule: str

    def __str__(self) -> str:
        """`chain INPUT of table ip filter (policy drop)`; a route as `routing eth0: ...`."""
        if " " in self.table and self.chain:
            return f"chain {self.chain} of table {self.table} ({self.rule})"
        return self.key

    @property
    def place_in_words(self) -> str:
        """The step as a subject of a sentence, without the text of its rule, which is evidence."""
        is_rule = " " in self.table and self.chain and not self.rule.startswith("policy ")
        return f"a rule of chain {self.chain} of table {self.table}" if is_rule else str(self)

    @property
    def evidence(self) -> dict[str, str]:
        """The rule, its table and its chain, as evidence of a finding."""
        return {"table": self.table, "chain": self.chain, "rule": self.rule}

    @property
    def key(self) -> str:
        """The step as keys of findings name it: `ip filter INPUT: policy drop`."""
        place = f"{self.table} {self.chain}".strip()
        return f"{place}: {self.rule}" if place else self.rule


class PacketVerdict(msgspec.Struct, frozen=True):
    """The verdict on a packet at one hook, the rule that decided, and the packet as it leaves.

    `by` is the rule that drops or rejects, the rule that is not understood where the outcome is
    unknown, the last accepting rule otherwise (None where no base chain is on the hook). `path`
    holds the jumps that led to that rule, and the rule. `nat` is the translation, None without one;
    `nat_unknown` is true where the translation depends on a condition that is not understood;
    `nat_by` is the rule that translates a packet that is let through.
    """

    outcome: Outcome
    by: Step | None
    path: tuple[Step, ...]
    nat: Translate | None
    packet: Packet
    nat_unknown: bool = False
    nat_by: Step | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether the packet certainly goes no further."""
        return self.outcome in ("drop", "reject")
