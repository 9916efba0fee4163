"""Kinds of addresses, wherever they are written: all addresses, or this host alone."""

from hashlib import blake2s
from ipaddress import ip_address
from urllib.parse import urlsplit

from diagnose.firewall.packet import Family

ANY = "0.0.0.0"  # noqa: S104 - what is compared with and written into commands, nothing is bound

EVERYWHERE = ("", ANY)
"""The engine's words for a port that is published on all IPv4 addresses."""

EVERYWHERE6 = ("", "::")
"""The same for all IPv6 addresses."""

WEB_PORTS = {"http": 80, "https": 443}
"""The port that a URL means which names none."""

BROWSED_PORTS = (WEB_PORTS["https"], WEB_PORTS["http"])
"""The ports by which browsers and certificate authorities come."""


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def family_of(address: str) -> Family:
    """The family of an address, as the packet filter names it."""
    return "ip6" if ":" in address else "ip"


def with_port(address: str, port: int) -> str:
    """An address with its port, as URLs write it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def host_of_url(text: str) -> str:
    """The host of a URL, in small letters; "" for other text."""
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""


def host_of(text: str) -> str:
    """The host of a setting in small letters: of a URL, of me:secret@HOST:80, or of HOST alone."""
    return host_of_url(text if "//" in text else f"//{text}")


def is_everywhere(text: str) -> bool:
    """Whether a socket or a published port accepts packets to any address of its family."""
    return text.strip("[]") in ("", ANY, "::", "*")


def is_loopback(text: str) -> bool:
    """Whether an address is the machine's own, in brackets or with an interface behind % or not.

    False for other text.
    """
    try:
        return ip_address(text.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False


def is_itself(host: str) -> bool:
    """Whether a program calls its own network namespace by this host: localhost or its address."""
    return is_loopback(host) or host.lower() == "localhost"


def private_prefix6(name: str) -> str:
    """A private IPv6 subnet of 64 bits for a network of this name, always the same one."""
    number = blake2s(name.encode(), digest_size=4).hexdigest()
    return f"fd00:{number[:4]}:{number[4:]}::/64"
