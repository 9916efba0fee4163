"""The members of a cluster as a server of Redis or Valkey writes them down (nodes.conf). Pure."""

import re
from collections.abc import Iterator

_NODE = re.compile(
    r"(?P<id>[0-9a-f]{12})[0-9a-f]{28} (?P<address>[\w.:%-]{0,60}):(?P<port>\d{1,5})@\d{1,5}\S{0,300} "
    r"(?P<flags>[\w,?-]{1,80}) "
)
"""A line such as `1198b... 172.30.1.3:6379@16379 master - 0 1796 3 connected 0-5460`."""


def members(text: str) -> Iterator[str]:
    """`node ID ADDRESS PORT FLAGS` of each member, with `-` for an address that is lost."""
    for line in text.splitlines():
        node = _NODE.match(line)
        if node is not None:
            address = node["address"] or "-"
            yield f"node {node['id']} {address} {node['port']} {node['flags']}"
