"""Stacks whose programs do not reach each other, or whose supervisor has given one up; and
look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command, status_outside
from tests.lab.scenarios.real_servers import nginx

INSIDE = "container.failing-inside"
LOOPBACK = "container.loopback-peer"
ANSWERS = "container.answers-with-errors"


def _count(box: Box, name: str, words: str) -> int:
    done = box.docker("logs", name)
    return (done.stdout + done.stderr).count(words)


# -- a program on the host's network --------------------------------------------------

_CALLS = """
nc -w 1 127.0.0.1 8187 </dev/null && echo connected && exec sleep 1000
echo 'level=fatal msg="dial tcp 127.0.0.1:8187: connect: connection refused"'
sleep 1
exit 1
"""


def _decisions(box: Box, number: int, *options: str) -> str:
    """A server on a network of its own, and a program on the host's network that calls it; its
    name."""
    name, network = f"bouncer{number}", f"decisions{number}"
    box.docker("network", "create", network)
    load(box, "decisions:2", Recipe(changes=("EXPOSE 8187",)))
    serves = ("decisions:2", "nc", "-ll", "-p", "8187", "-e", "cat")
    box.docker("run", "-d", f"--name={network}", *SAFE, f"--network={network}", *options, *serves)
    box.docker("run", "-d", f"--name={name}", *SAFE, "--network=host", "bb:1.36", "sh", "-c", _CALLS)  # fmt: skip
    return name


@fault(LOOPBACK, subject="container:bouncer41", also=["container.restart-loop"])
def port_that_the_hosts_network_does_not_see(box: Box) -> None:
    """A program on the host's network calls localhost, and its server publishes no port."""
    name = _decisions(box, 41)
    box.wait_for(lambda: _count(box, name, "refused") > 4, what="restarts")
    command = first_command(box, LOOPBACK, name)
    assert command.endswith("recreate decisions41 -- --publish=127.0.0.1:8187:8187 | sh"), command


@healthy()
def port_that_the_hosts_network_sees(box: Box) -> None:
    """The same, and the port is published to the host."""
    name = _decisions(box, 42, "--publish=127.0.0.1:8187:8187")
    box.wait_for(lambda: _count(box, name, "connected") > 0, what="a connection")


# -- a program that its supervisor has given up ---------------------------------------

_SUPERVISOR = """#!/bin/sh
say() { echo "$(date '+%Y-%m-%d %H:%M:%S'),123 $*"; }
pids=/srv/shop/tmp/unicorn.pid
say "INFO supervisord started with pid 1"
for pid in 7 8 9; do
    say "INFO spawned: 'unicorn' with pid $pid"
    if [ ! -e $pids ]; then
        echo $pid >$pids
        say "INFO success: unicorn entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)"
        while :; do sleep 1; done
    fi
    echo "unicorn.rb:9:in 'pid=': Already running on PID:$(cat $pids) (or pid=$pids is stale) (ArgumentError)" \\
        >>/srv/shop/log/unicorn.stderr.log
    say "WARN exited: unicorn (exit status 1; not expected)"
done
say "INFO gave up: unicorn entered FATAL state, too many start retries too quickly"
while :; do sleep 1; done
"""
"""It says what supervisord says; what the program says is in the program's own file."""


def _shop(box: Box, name: str) -> None:
    files = {
        "usr/bin/supervisord": (_SUPERVISOR.encode(), 0o755),
        "srv/shop/log/.keep": (b"", 0o644),
        "srv/shop/tmp/.keep": (b"", 0o644),
    }
    load(box, "shop:unicorn", Recipe(files, ("WORKDIR /srv/shop", 'CMD ["/usr/bin/supervisord"]')))
    box.docker("run", "-d", f"--name={name}", *SAFE, "shop:unicorn")
    box.wait_for(lambda: _count(box, name, "entered RUNNING") > 0, what="the program")


@fault(INSIDE, subject="container:shop43")
def program_given_up_for_a_stale_pid_file(box: Box) -> None:
    """The container was killed: the pid file is left, and only the program's own log names it."""
    _shop(box, "shop43")
    box.docker("kill", "shop43")
    box.docker("start", "shop43")
    box.wait_for(lambda: _count(box, "shop43", "entered FATAL") > 0, what="the end")
    command = first_command(box, INSIDE, "shop43")
    cure = "docker exec shop43 rm /srv/shop/tmp/unicorn.pid\ndocker restart shop43"
    assert command == cure, command


@healthy()
def program_that_its_supervisor_keeps(box: Box) -> None:
    """The same without a kill, and an old complaint in the program's file."""
    _shop(box, "shop44")
    box.docker("exec", "shop44", "sh", "-c", "echo 'Already running on PID:6' >log/unicorn.log")


# -- a site that is not there ---------------------------------------------------------


_ERP = """server { listen 8080; access_log /dev/stdout;
location / { return 404 "erp.example.com does not exist"; } location = /assets/a.css { return 200 "a"; } }"""


def _asked(box: Box, number: int, *paths: str) -> str:
    """A web server that knows no site, and what a client of the private network asks it; its
    name."""
    name, port = f"erp{number}", 8400 + number
    nginx(box, name, _ERP, f"--publish={port}:8080")
    box.wait_for(lambda: status_outside(box, port, "/assets/a.css") == "200", what="nginx")
    box.docker("restart", "-t", "1", name)
    box.wait_for(lambda: status_outside(box, port, "/x.css") == "404", what="nginx again")
    for path in paths * 5:
        status_outside(box, port, path)
    return name


@fault(ANSWERS, subject="container:erp45", exit_code=0)
def site_that_was_never_made(box: Box) -> None:
    """A program of several sites has none of the name by which it is called: each page is 404."""
    _asked(box, 45, "/", "/login")


@healthy()
def pages_that_somebody_looks_for(box: Box) -> None:
    """The same, and one of the pages is there."""
    _asked(box, 46, "/", "/assets/a.css")


# -- a server that listens for itself -------------------------------------------------

_FPM = """
exec httpd -f -p 127.0.0.1:9000 -h /www
"""
_PROXY = """
while :; do
    if nc -w 1 fpm47 9000 </dev/null; then echo "connected"; else
        echo 'connect() failed (111: Connection refused) while connecting to upstream, upstream: "fastcgi://fpm47:9000"' >&2
    fi
    sleep 1
done
"""


@fault("network.peer-not-listening", subject="container:web47")
def server_whose_own_file_says_loopback(box: Box) -> None:
    """A file in the image lets a server listen on loopback alone, and its neighbour is refused."""
    box.docker("network", "create", "php47")
    load(box, "php:fpm", Recipe({"start.sh": (_FPM.encode(), 0o755)}, ("EXPOSE 9000",)))
    options = (*SAFE, "--network=php47")
    box.docker("run", "-d", "--name=fpm47", *options, "php:fpm", "sh", "/start.sh")
    box.docker("run", "-d", "--name=web47", *options, "bb:1.36", "sh", "-c", _PROXY)
    box.wait_for(lambda: _count(box, "web47", "refused") > 4, what="refused calls")
    box.sh(first_command(box, "network.peer-not-listening", "web47"))
    box.wait_for(lambda: _count(box, "web47", "connected") > 0, what="a call that is answered")
    pid = box.inspect("fpm47")["State"]["Pid"]
    box.run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", "iptables", "-t", "nat", "-D", "PREROUTING", "1"]
    )
    refused = _count(box, "web47", "refused")
    box.wait_for(lambda: _count(box, "web47", "refused") > refused + 3, what="refused calls again")


_CONSUMER = """
while :; do
    if nc -w 1 "$0" 9092 </dev/null; then echo "connected"; else
        echo "WARN NetworkClient [Consumer groupId=orders] Connection to node -1 ($0:9092) could not be established. Broker may not be available."
    fi
    sleep 1
done
"""
"""A client that does not say why it gets no connection."""


def _broker(box: Box, number: int, address: str) -> None:
    options = (*SAFE, f"--network=orders{number}")
    box.docker("network", "create", f"orders{number}")
    server = ("bb:1.36", "httpd", "-f", "-p", f"{address}:9092", "-h", "/www")
    box.docker("run", "-d", f"--name=broker{number}", *options, *server)
    client = ("bb:1.36", "sh", "-c", _CONSUMER, f"broker{number}")
    box.docker("run", "-d", f"--name=orders{number}", *options, *client)


@fault("network.peer-not-listening", subject="container:orders63", shareable=True)
def broker_that_listens_for_itself(box: Box) -> None:
    """A broker listens on loopback alone, and its client says no more than that it gets nothing."""
    _broker(box, 63, "127.0.0.1")
    box.wait_for(lambda: _count(box, "orders63", "could not be") > 4, what="calls without a reason")


@healthy(shareable=True)
def broker_that_listens_for_all(box: Box) -> None:
    """The same, and the broker listens on all addresses."""
    _broker(box, 64, "0.0.0.0")
    box.wait_for(lambda: _count(box, "orders64", "connected") > 4, what="calls that are answered")
