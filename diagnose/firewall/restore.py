"""The effect of `iptables-restore --noflush` on the rules that are there. Pure."""

from collections.abc import Iterator

_DECLARATION = "-"
"""The policy of a chain that is not a built-in one, as `iptables-save` writes it."""


class _SavedTable:
    """One table of an output of `iptables-save`: policies and rules by chain, in order."""

    def __init__(self) -> None:
        self.policies: dict[str, str] = {}
        self.rules: dict[str, list[str]] = {}

    def declare(self, chain: str, policy: str) -> None:
        """A chain of users begins empty again; a built-in one keeps its policy and its rules."""
        if policy == _DECLARATION:
            self.rules[chain] = []
        self.policies.setdefault(chain, policy)

    def take(self, line: str) -> None:
        """One command of an input of `iptables-restore`."""
        command, chain, rest = line.split(" ", 2)
        rules = self.rules.setdefault(chain, [])
        self.policies.setdefault(chain, "ACCEPT")
        if command == "-A":
            rules.append(rest)
        elif command == "-I":
            place, rule = rest.split(" ", 1)
            rules.insert(int(place) - 1, rule)
        elif command == "-D" and rest in rules:
            rules.remove(rest)

    def lines(self) -> Iterator[str]:
        for chain, policy in self.policies.items():
            yield f":{chain} {policy} [0:0]"
        for chain, rules in self.rules.items():
            for rule in rules:
                yield f"-A {chain} {rule}"


def with_restored(saved: str, script: str) -> str:
    """An output of `iptables-save` as it would be after the script.

    script: input of `iptables-restore --noflush` with `-A`, `-I CHAIN NUMBER` and `-D` by rule.
    """
    tables: dict[str, _SavedTable] = {}
    _read(saved, tables)
    _read(script, tables)
    parts = [f"*{name}\n" + "\n".join([*table.lines(), "COMMIT"]) for name, table in tables.items()]
    return "\n".join(parts) + "\n"


def _read(text: str, tables: dict[str, _SavedTable]) -> None:
    """Apply a text of iptables-save or iptables-restore to tables."""
    table = _SavedTable()
    for line in text.splitlines():
        if line.startswith("*"):
            table = tables.setdefault(line[1:].strip(), _SavedTable())
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            table.declare(chain, policy)
        elif line.startswith(("-A ", "-I ", "-D ")):
            table.take(line.strip())
