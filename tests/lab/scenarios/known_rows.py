"""Known failures that the table heals by a command of its own, made by real programs."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.programs import load_server
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs import GOOD, run


@fault(
    "network.listen-address-missing",
    subject="container:listener16",
    also=[AT_START],
    shareable=True,
)
def redis_on_an_address_of_another_machine(box: Box) -> None:
    """Redis is configured to listen at the address that the host had before."""
    box.write("/srv/listener16.conf", "bind 192.0.2.9\n")
    load_server(box, "redis-server", "redis:7.0")
    mount = ["-v", "/srv/listener16.conf:/etc/redis.conf:ro"]
    run(box, "listener16", *GOOD, *mount, "redis:7.0", "redis-server", "/etc/redis.conf")
    assert "bind: Cannot assign requested address" in ended(box, "listener16")


@fault(AT_START, subject="container:older16", shareable=True)
def redis_with_a_directive_of_a_newer_version(box: Box) -> None:
    """The mounted configuration has a word that this Redis does not know."""
    text = "bind 127.0.0.1\nrdb-del-synced-files no\nappendonly no\n"
    box.write("/srv/older16.conf", text)
    load_server(box, "redis-server", "redis:7.0")
    mount = ["-v", "/srv/older16.conf:/etc/redis.conf:ro"]
    run(box, "older16", *GOOD, *mount, "redis:7.0", "redis-server", "/etc/redis.conf")
    assert "Bad directive" in ended(box, "older16")
