"""The classes of error text: what shows them, and what programs print that are well."""

import pytest

from diagnose.error_signatures import signs

WELL = (
    "GET /socket.io/?EIO=4&transport=polling 200 12 ms",
    "Granted RolePermission editor to anna",
    "log: os.OpenFile(/var/log/shop.log) done",
    "keepalive timeout: 65, idle_timeout=300s",
    'level=info msg="server started" read_timeout="30s"',
    "npm warn could not resolve dependency: peer react@18",
    "Could not resolve placeholder 'SHOP_URL' in value",
    "lookup table: 512 entries",
    "listener shop: tls: disabled",
    '{"tls": true, "level": "info", "tls: true": 1}',
    "synced 30 topics from the broker in 12 ms",
    "\t-w SEC\tTimeout for connects and final net reads",
    "usage: fetch [-T SEC]\n\nFetch a file, unless it timed out\n\n  -T SEC  Network read timeout is SEC seconds",
    "Usage of fetch:\n  -retry\n    \ttry again where the connection refused",
)


@pytest.mark.parametrize("line", WELL)
def test_lines_of_healthy_programs(line: str) -> None:
    assert signs(line) == frozenset()


ERRORS = {
    "dial tcp: lookup db: i/o timeout": {"dns", "timeout"},
    "dial tcp: lookup db on 127.0.0.11:53: no such host": {"dns"},
    "curl: (6) Could not resolve host: db": {"dns"},
    "Could not resolve 'kafka:9092'": {"dns"},
    "Timeout: 5000 ms exceeded": {"timeout"},
    "timeout of 10000ms exceeded": {"timeout"},
    "read tcp 10.0.0.1:443: i/o timeout": {"timeout"},
    "upstream timed out (110: Connection timed out)": {"timeout"},
    "remote error: tls: bad certificate": {"certificate"},
    "write /data/a: EIO": {"io-error"},
    "accept4: EMFILE": {"open-files"},
    "spawn ENOMEM": {"oom"},
    "EPERM: operation not permitted, open '/data/a'": {"permission"},
    "memory usage: 85 %\nconnection timed out": {"timeout"},
    "  -T SEC  Network read timeout\nfetch: connection refused": {"refused"},
    "  - http://db:5432: connection refused": {"refused"},
}


@pytest.mark.parametrize(("line", "shown"), ERRORS.items(), ids=ERRORS)
def test_lines_of_errors(line: str, shown: set[str]) -> None:
    assert signs(line) == shown
