"""The kernel's counters of a protocol since the host has booted, in /proc/net/snmp. Pure."""

PROTOCOLS = "/proc/net/snmp"
"""The file that has them, of the network namespace of its reader."""


def counter(text: str, protocol: str, name: str) -> int:
    """A counter in the text of that file; 0 where it is missing.

    Of the two lines of a protocol the first has the names, and the second the numbers.
    """
    rows = [line.split() for line in text.splitlines() if line.startswith(f"{protocol}:")]
    if len(rows) != 2 or name not in rows[0]:
        return 0
    return int(rows[1][rows[0].index(name)])
