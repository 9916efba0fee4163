"""Readers of option arguments: from the text to the values that a field of the packet may have.

They raise ValueError, KeyError or IndexError for a text that they do not understand.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network

from diagnose.firewall.conditions import with_flags
from diagnose.firewall.kernel_numbers import PROTOCOLS, ROUTE_TYPES, STATES, STATUSES, TCP_FLAGS
from diagnose.firewall.values import Interval, Masked, Name, Value

Reader = Callable[[str], tuple[Value, ...]]

_LAST_INDEX = (1 << 32) - 1


def interface(text: str) -> tuple[Value, ...]:
    """The name of an interface; `eth+` is each whose name begins with `eth`."""
    return (Name(text.removesuffix("+"), prefix=text.endswith("+")),)


def network(text: str) -> tuple[Value, ...]:
    """`10.0.0.0/8`, an address, or one with a mask such as `10.0.0.1/255.0.0.255`."""
    address, _, length = text.partition("/")
    if "." in length or ":" in length:
        mask = int(ip_address(length))
        return (Masked(mask, int(ip_address(address)) & mask),)
    network = ip_network(text, strict=False)
    return (Interval(int(network.network_address), int(network.broadcast_address)),)


def address_range(text: str) -> tuple[Value, ...]:
    """`10.0.0.1-10.0.0.9`, or one address."""
    low, _, high = text.partition("-")
    return (Interval(int(ip_address(low)), int(ip_address(high or low))),)


def protocol(text: str) -> tuple[Value, ...]:
    """A protocol by number or name; `all` is each."""
    if text in ("all", "0"):
        return (Interval(0, 255),)
    number = int(text) if text.isdigit() else PROTOCOLS[text]
    return (Interval(number, number),)


def ports(text: str) -> tuple[Value, ...]:
    """`80`, `8000:8100`, `80,443`, `1024:`."""
    values = []
    for part in text.split(","):
        low, colon, high = part.partition(":")
        values.append(Interval(int(low or 0), int(high or 65535) if colon else int(low)))
    return tuple(values)


def bits_of(names: Mapping[str, int]) -> Callable[[str], tuple[Value, ...]]:
    """Reads a list of names, each of which is a bit; `NONE` is none of them."""

    def read(text: str) -> tuple[Value, ...]:
        mask = 0
        for name in text.split(","):
            mask |= 0 if name == "NONE" else names[name]
        return (Masked(mask, any_bit=True),)

    return read


def states(text: str) -> tuple[Value, ...]:
    """Conntrack's states; SNAT and DNAT among them are bits of its status."""
    return bits_of(STATES)(",".join(name for name in text.split(",") if name in STATES) or "NONE")


def translations(text: str) -> tuple[Value, ...]:
    """SNAT and DNAT among conntrack's states."""
    names = [name for name in text.split(",") if name not in STATES]
    return bits_of(STATUSES)(",".join(names) or "NONE")


def _masked_values(text: str, all_bits: int) -> tuple[Value, ...]:
    """A value, or a value and behind a slash its mask.

    The kernel masks the packet's value alone: one with a bit outside the mask holds for none.
    """
    value, _, mask = text.partition("/")
    bits = int(mask, 0) if mask else all_bits
    number = int(value, 0)
    return () if number & ~bits else (Masked(bits, number),)


def under_mask(text: str) -> tuple[Value, ...]:
    """`0x1`, or `0x1/0xff` with a mask."""
    return _masked_values(text, 0xFFFFFFFF)


def route_types(text: str) -> tuple[Value, ...]:
    """Types of addresses as the routing tables know them: `LOCAL`, `UNICAST,BROADCAST`."""
    return tuple(Interval(ROUTE_TYPES[name], ROUTE_TYPES[name]) for name in text.split(","))


def direction(text: str) -> tuple[Value, ...]:
    """`ORIGINAL` or `REPLY`."""
    number = {"ORIGINAL": 0, "REPLY": 1}[text]
    return (Interval(number, number),)


def tcp_flags(text: str) -> tuple[Value, ...]:
    """`SYN,ACK SYN`: the flags that are looked at, and those of them that are set."""
    mask, set_flags = (_flags(name) for name in text.split())
    return with_flags(mask, set_flags)


def _flags(text: str) -> int:
    names = {"ALL": tuple(TCP_FLAGS), "NONE": ()}.get(text, text.split(","))
    return sum(TCP_FLAGS.get(name, 0) for name in names)


def of_ordinary_size(low: int, high: int) -> Callable[[str], tuple[Value, ...]]:
    """Reads a range about a size that ordinary packets have between `low` and `high`.

    It holds for all of them, or none.
    """

    def read(text: str) -> tuple[Value, ...]:
        first, colon, last = text.partition(":")
        start = int(first or 0)
        end = int(last or 65535) if colon else int(first)
        if start <= low and high <= end:
            return (Interval(0, 255),)
        if end < low or high < start:
            return ()
        raise ValueError("holds for some sizes")

    return read


def segment_size(text: str) -> tuple[Value, ...]:
    """The largest segment that a TCP peer takes, as values of `syn`.

    Only the packets that open a connection have the option (xt_tcpmss.c): `! --mss 536:65535` holds
    for all that follow.
    """
    return (Interval(1, 1),) if of_ordinary_size(1200, 1460)(text) else ()


def above(low: int, high: int) -> Callable[[str], tuple[Value, ...]]:
    """Reads "more than this" about a number that ordinary packets have between `low` and `high`."""
    within = of_ordinary_size(low, high)
    return lambda text: within(f"{int(text) + 1}:")


def below(low: int, high: int) -> Callable[[str], tuple[Value, ...]]:
    """Reads "less than this" likewise."""
    within = of_ordinary_size(low, high)
    return lambda text: within(f":{int(text) - 1}") if int(text) > 0 else ()


def icmp(text: str) -> tuple[Value, ...]:
    """`8`, `3/4` or `any`, as iptables-save writes a type and a code."""
    if text == "any":
        return (Interval(0, 0xFFFF),)
    kind, _, code = text.partition("/")
    number = int(kind) << 8
    if code:
        return (Interval(number | int(code), number | int(code)),)
    return (Interval(number, number | 0xFF),)


def identity(text: str) -> tuple[Value, ...]:
    """A user or group, or a range of them, by number as iptables-save writes it."""
    low, _, high = text.partition("-")
    return (Interval(int(low), int(high or low)),)


def number(text: str) -> tuple[Value, ...]:
    """One number."""
    return (Interval(int(text), int(text)),)


def one(_: str) -> tuple[Value, ...]:
    """1, for an option whose presence says it all."""
    return (Interval(1, 1),)


def quota(text: str) -> tuple[Value, ...]:
    """A quota of nothing is used up; what is left of another one is not known. ValueError then."""
    if int(text) == 0:
        return ()
    raise ValueError("what is left of the quota is not known")


def every_index(text: str) -> tuple[Value, ...]:
    """All security parameter indexes of a tunnel, as `0:4294967295`.

    ValueError for some of them: which one a packet has is not known.
    """
    low, _, high = text.partition(":")
    if int(low or 0) == 0 and int(high or _LAST_INDEX) == _LAST_INDEX and ":" in text:
        return (Interval(0, 255),)
    raise ValueError("holds for some indexes")


def mac(text: str) -> tuple[Value, ...]:
    """The hardware address of a network card."""
    number = int(text.replace(":", ""), 16)
    return (Interval(number, number),)


def packet_type(text: str) -> tuple[Value, ...]:
    """The packet type of the link layer: to this host, broadcast or multicast."""
    number = {"unicast": 0, "host": 0, "broadcast": 1, "multicast": 2}[text.lower()]
    return (Interval(number, number),)


def tos(text: str) -> tuple[Value, ...]:
    """The byte of the type of service, with or without a mask."""
    return _masked_values(text, 0xFF)


def dscp(text: str) -> tuple[Value, ...]:
    """The upper six bits of the type of service."""
    return (Masked(0xFC, int(text, 0) << 2),)
