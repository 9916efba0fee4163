"""nftables' netlink expressions as chains and rules.

A rule is a little program over registers: loads (`meta`, `payload`, `ct`, `fib`) put a field of the
packet in, `cmp`, `range` and `lookup` compare, a verdict ends. Here the registers hold the names of
fields instead of their contents.
"""

from diagnose.firewall.nft.chains import chains

__all__ = ["chains"]
