"""A container's place on a network: what is not an address is malformed, before a check reads
it."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.inspect import NetworkEndpoint


@pytest.mark.parametrize("field", ["IPAddress", "Gateway", "GlobalIPv6Address"])
def test_an_address_that_is_none_is_malformed(field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="does not appear to be"):
        msgspec.convert({field: '172.17.0.6{"a"'}, NetworkEndpoint)


@pytest.mark.parametrize("address", ["", "172.17.0.6", "fd00::2", "fe80::1%eth0"])
def test_addresses_of_engines_are_read(address: str) -> None:
    row = {"IPAddress": address, "Gateway": address, "GlobalIPv6Address": address}
    assert msgspec.convert(row, NetworkEndpoint).ip_address == address
