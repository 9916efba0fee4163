"""Names that lead a container to itself or to the wrong neighbour; and healthy twins."""

from __future__ import annotations

import functools

from tests.lab import Box, fault, healthy
from tests.lab.provider import GATEWAY, WEB
from tests.lab.runner import PATIENT

CHECK = "dns.name-misled"
SAFE = ("--memory=64m", "--pids-limit=64")
_CALLS = (
    "while :; do wget -qO- $URL >/dev/null 2>&1 && echo 'sent the orders' || "
    'echo "ERROR orders: cannot send: Connection refused"; sleep 1; done'
)


def _caller(box: Box, name: str, url: str, *options: str) -> None:
    given = (f"--name={name}", *SAFE, f"--env=URL={url}", *options)
    box.docker("run", "-d", *given, "bb:1.36", "sh", "-c", _CALLS)


def _refused(box: Box, name: str) -> bool:
    return box.docker("logs", name).stdout.count("refused") > 4


def _served(box: Box, name: str) -> bool:
    return box.docker("logs", name).stdout.count("sent") > 4


def _database(box: Box, number: int, host_name: str) -> None:
    box.docker("network", "create", f"net{number}")
    words = ("bb:1.36", "httpd", "-f", "-p", "8000", "-h", "/www")
    box.docker("run", "-d", f"--name=db{number}", f"--net=net{number}", *SAFE, *words)
    url = f"http://db{number}:8000/"
    _caller(box, f"orders{number}", url, f"--net=net{number}", f"--hostname={host_name}")


@fault(CHECK, subject="container:orders71", shareable=True)
def caller_with_the_host_name_of_its_database(box: Box) -> None:
    """A copied compose file gives the caller the host name of the database: it calls itself."""
    _database(box, 71, "db71")
    box.wait_for(lambda: _refused(box, "orders71"), what="refusals")


@healthy(shareable=True)
def caller_with_a_host_name_of_its_own(box: Box) -> None:
    """The same with another host name."""
    _database(box, 72, "orders")
    box.wait_for(lambda: _served(box, "orders72"), what="answers")


def _behind_a_filter(box: Box, *addresses: str) -> None:
    box.write("/etc/resolv.conf", f"nameserver {GATEWAY}\n")
    usual = ["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--bind-interfaces"]
    known = [f"--address={address}" for address in (*addresses, f"/lab.test/{WEB}")]
    box.provider.spawn([*usual, f"--listen-address={GATEWAY}", *known, "--pid-file="])
    box.start_engine()


@fault(
    CHECK,
    subject="container:metrics",
    expect=((CHECK, "container:hook"),),
    engine_started=False,
    args=PATIENT,
)
def name_that_a_filter_blocks_and_name_of_a_site(box: Box) -> None:
    """A DNS filter takes a server for one of advertisements; a container is named like a site."""
    _behind_a_filter(box, "/stats.lab.test/0.0.0.0")
    _caller(box, "metrics", "http://stats.lab.test/push")
    box.docker("network", "create", "edge")
    words = ("bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www")
    box.docker("run", "-d", "--name=shop.lab.test", "--net=edge", *SAFE, *words)
    _caller(box, "hook", "http://shop.lab.test/", "--net=edge")
    for name in ("metrics", "hook"):
        box.wait_for(functools.partial(_refused, box, name), what="refusals")


@healthy(engine_started=False)
def names_that_nobody_blocks_or_takes(box: Box) -> None:
    """The same names, and another one of the container."""
    _behind_a_filter(box)
    _caller(box, "metrics", "http://stats.lab.test/")
    box.docker("network", "create", "edge")
    words = ("bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www")
    box.docker("run", "-d", "--name=shop", "--net=edge", *SAFE, *words)
    _caller(box, "hook", "http://shop.lab.test/", "--net=edge")
    for name in ("metrics", "hook"):
        box.wait_for(functools.partial(_served, box, name), what="answers")
