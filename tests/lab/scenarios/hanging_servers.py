"""Programs that leave clients without an answer, or never listen, and some that only look so."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy

_CLIENTS = 4
_SERVER = """
import socket, threading, time
server = socket.create_server(("0.0.0.0", 8080), backlog=128)
def hang(connection):
    connection.recv(65536)
    time.sleep(3000)
def answer(connection):
    connection.recv(65536)
    time.sleep(0.3)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
    connection.close()
def swallow(connection):
    while connection.recv(65536):
        pass
    connection.close()
def in_thread(serve):
    return lambda connection: threading.Thread(target=serve, args=(connection,)).start()
while True:
    MANNER(server.accept()[0])
"""


def _serve(box: Box, name: str, manner: str) -> str:
    """Start a server in a container that serves each connection so; its URL."""
    limits = ("-m=32m", "--pids-limit=64", "--network=hangnet")
    box.docker("run", "-d", f"--name={name}", *limits, "bb:1.36", "sleep", "1000")
    program = _SERVER.replace("MANNER", manner)
    box.spawn(box.in_netns(name, sys.executable, "-c", program))
    box.wait_for(
        lambda: ":8080" in box.run(box.in_netns(name, "ss", "-ltn")).stdout, what="a listener"
    )
    address = box.inspect(name)["NetworkSettings"]["Networks"]["hangnet"]["IPAddress"]
    return f"http://{address}:8080/"


def _call(box: Box, url: str, patience_s: int) -> None:
    for _ in range(_CLIENTS):
        box.spawn(["curl", "-s", "--noproxy", "*", "--max-time", str(patience_s), url])


def _wait_long(box: Box, name: str, state: str) -> None:
    """Wait until the connections of a server in this state have been left alone for 11 s."""

    def seconds() -> list[float]:
        listed = box.run(box.in_netns(name, "ss", "-tniO", "state", state, "sport = :8080")).stdout
        words = (word.partition(":") for word in listed.split())
        return [int(value) / 1000 for key, _, value in words if key == "lastrcv"]

    box.wait_for(
        lambda: len(seconds()) >= _CLIENTS and min(seconds()) > 11,
        what=f"clients in the state {state}",
    )


@fault("network.requests-unanswered", subject="container:hanging12")
def loop_that_hangs(box: Box) -> None:
    """The only thread of a server hangs in its first request; the queue of its socket has room for
    all that come. Another server is slow, and serves everybody."""
    box.docker("network", "create", "--subnet=10.151.12.0/24", "hangnet")
    url = _serve(box, "hanging12", "hang")
    busy = _serve(box, "busy12", "answer")
    _call(box, url, 300)
    call = f"for i in $(seq 100); do curl -s --noproxy '*' --max-time 9 {busy}; done"
    for _ in range(3):
        box.spawn(["sh", "-c", call])
    _wait_long(box, "hanging12", "established")


@fault("network.requests-unanswered", subject="container:stuck12")
def workers_that_hang_until_clients_give_up(box: Box) -> None:
    """Each thread of a server has read its request and hangs; the clients have closed their end."""
    box.docker("network", "create", "--subnet=10.151.12.0/24", "hangnet")
    _call(box, _serve(box, "stuck12", "in_thread(hang)"), 1)
    _wait_long(box, "stuck12", "close-wait")


@healthy()
def servers_whose_clients_wait(box: Box) -> None:
    """Requests that take long, a sink that never answers, and clients that connect in advance."""
    box.docker("network", "create", "--subnet=10.151.12.0/24", "hangnet")
    _call(box, _serve(box, "polled12", "in_thread(hang)"), 300)
    sink = _serve(box, "sink12", "in_thread(swallow)")
    host = sink.removeprefix("http://").partition(":")[0]
    for _ in range(_CLIENTS):
        send = f"exec 3<>/dev/tcp/{host}/8080; echo line >&3; sleep 300"
        box.spawn(["bash", "-c", send])
    _wait_long(box, "polled12", "established")
    _wait_long(box, "sink12", "established")


_ERROR = "psycopg2.OperationalError: could not connect to server: Connection timed out"
_DECLARES = ("--expose=8069", "-m=32m", "--pids-limit=64")


def _declare(box: Box, name: str, script: str) -> None:
    box.docker("run", "-d", f"--name={name}", *_DECLARES, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: _ERROR in box.docker("logs", name).stderr, what="the error")


@fault("network.declared-port-not-listening", subject="container:odoo13", exit_code=0)
def server_that_gave_up_before_it_listened(box: Box) -> None:
    """A supervisor runs on after its program failed; another program works on after an error."""
    _declare(box, "odoo13", f"echo '{_ERROR}' >&2; exec sleep 1000")
    work = "while :; do echo job done; sleep 0.5; done"
    _declare(box, "worker13", f"echo '{_ERROR}' >&2; {work}")

    def is_old() -> bool:
        started = box.inspect("odoo13")["State"]["StartedAt"]
        return float(box.sh(f"echo $(($(date +%s) - $(date -d {started} +%s)))")) > 61

    box.wait_for(is_old, timeout=90, what="the containers to be a minute old")
