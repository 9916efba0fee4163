"""Addresses renamed so that what shared a prefix shares one still.

Subnets stay subnets, gateways stay gateways.

The idea is Crypto-PAn's (Xu, Fan, Ammar, Moon 2002): each bit is flipped or not by a keyed function
of the bits before it, which keeps prefixes and is one to one. Here some prefixes decide nothing, so
that their addresses keep their meaning: the special ranges (IANA's registries of RFC 6890), the
private ranges' own prefixes, the pools that engines take networks from, and the zeros and ones
behind a known network's prefix, so that its own address and its broadcast address stay what they
are.
"""

import ipaddress
from collections.abc import Iterable
from hashlib import blake2s

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_KEPT = (
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    *("8.8.8.8/32", "8.8.4.4/32", "1.1.1.1/32", "1.0.0.1/32", "9.9.9.9/32"),
    *("::/127", "fe80::/10", "ff00::/8", "2001:4860:4860::8888/128", "2001:4860:4860::8844/128"),
)
"""Whole ranges that mean the same everywhere: this host, loopback, link-local, multicast, netmasks,
public resolvers."""
_CLASSES = (
    *("10.0.0.0/8", "100.64.0.0/10", "192.168.0.0/16", "198.18.0.0/15"),
    *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
    *(f"172.{second}.0.0/16" for second in range(16, 32)),
    *("2000::/3", "fc00::/8", "fd00::/8", "2001:db8::/32", "::ffff:0:0/96", "64:ff9b::/96"),
)
"""Ranges that an address stays in: private, shared, documentation; an engine's default pools by
their /16."""


_MAC_OF_GROUP = 0b01
_MAC_FLAGS = 0b11
"""The two lowest bits of a hardware address's first byte: whether it is that of a group, and
whether somebody made it up instead of a manufacturer (IEEE 802)."""
_MAC_OF_DOCKER = b"\x02\x42"
"""How engines before 28 begin one; the four bytes of the IPv4 address follow."""


class Addresses:
    """A one-to-one renaming of IPv4 and IPv6 addresses that keeps prefixes.

    networks: those whose prefix length is known.
    """

    def __init__(self, key: bytes, networks: Iterable[Network]) -> None:
        self._key = key
        self._networks = tuple(networks)
        self._still: set[tuple[int, int, int]] = set()
        self._kept = [ipaddress.ip_network(net) for net in _KEPT]
        self.seen: dict[str, str] = {}
        for fixed in (*self._kept, *map(ipaddress.ip_network, _CLASSES)):
            self._keep_prefixes(fixed.max_prefixlen, int(fixed.network_address), 0, fixed.prefixlen)
        for network in self._networks:
            for edge in (network.network_address, network.broadcast_address):
                self._keep_prefixes(
                    network.max_prefixlen, int(edge), network.prefixlen, network.max_prefixlen
                )

    def _keep_prefixes(self, bits: int, value: int, first: int, end: int) -> None:
        """No flip by the prefixes of this value that are `first` to `end - 1` bits long."""
        self._still.update((bits, length, value >> (bits - length)) for length in range(first, end))

    def rename(self, text: str) -> str:
        """The address that stands for this one.

        The text itself where it is not an address, or one that keeps its meaning.
        """
        new = self.seen.get(text)
        if new is None:
            new = self.seen[text] = self._renamed_address(text)
        return new

    def _renamed_address(self, text: str) -> str:
        """The other address for an address; equal beginnings stay equal."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            return f"::ffff:{self.rename(str(address.ipv4_mapped))}"
        if any(address in net for net in self._kept if net.version == address.version):
            return text
        bits = address.max_prefixlen
        value = new = int(address)
        for length in range(bits):
            prefix = value >> (bits - length)
            if (bits, length, prefix) not in self._still and self._flips(bits, length, prefix):
                new ^= 1 << (bits - length - 1)
        return str(type(address)(new))

    def _flips(self, bits: int, length: int, prefix: int) -> bool:
        data = bits.to_bytes(2, "big") + length.to_bytes(2, "big") + prefix.to_bytes(16, "big")
        return bool(blake2s(data, key=self._key, digest_size=1).digest()[0] & 1)

    def rename_mac(self, text: str) -> str:
        """A hardware address that stands for this one.

        Nothing and everybody stay; the addresses that engines before 28 make from an IPv4 address
        (02:42:...) are made from its new one.
        """
        new = self.seen.get(text)
        if new is None:
            new = self.seen[text] = self._renamed_mac(text)
        return new

    def _renamed_mac(self, text: str) -> str:
        """A MAC address of its kind; one that Docker made of an address follows that address."""
        data = bytes.fromhex(text.replace(":", ""))
        if data in (b"\0" * 6, b"\xff" * 6) or data[0] & _MAC_OF_GROUP:
            return text
        if data[:2] == _MAC_OF_DOCKER:
            address = ipaddress.IPv4Address(data[2:])
            if any(address in network for network in self._networks if network.version == 4):
                new_address = ipaddress.IPv4Address(self.rename(str(address)))
                return ":".join(f"{byte:02x}" for byte in data[:2] + new_address.packed)
        new = bytearray(blake2s(data, key=self._key, digest_size=6).digest())
        new[0] = new[0] & ~_MAC_FLAGS | data[0] & _MAC_FLAGS
        return ":".join(f"{byte:02x}" for byte in new)
