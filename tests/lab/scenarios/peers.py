"""Containers whose calls to each other lead nowhere: by a stale address, by a network that they
are not on, by a proxy; each with look-alikes."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.runner import healthy_container
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.real_servers import nginx

_REFUSED = "connect() failed (111: Connection refused) while connecting to upstream"
_TIMEOUT = "dial tcp: i/o timeout"
_SETTLED_S = 12
"""A moved peer needs this long to count as settled."""


def _caller(box: Box, name: str, address: str, words: str, *options: str) -> None:
    """A program that calls an address each second, and logs what a proxy would."""
    line = f'{words}, upstream: "http://{address}:8080/"'
    script = f"while :; do nc -w 1 {address} 8080 </dev/null || echo '{line}' >&2; sleep 1; done"
    box.docker("run", "-d", f"--name={name}", *QUIET, *options, "bb:1.36", "sh", "-c", script)


def _logs(box: Box, name: str) -> str:
    printed = box.docker("logs", name)
    return printed.stdout + printed.stderr


def _await_calls(box: Box, name: str, words: str, settled: float = 0.0) -> None:
    """Let everything settle for so many seconds, and wait for calls that fail after that."""
    time.sleep(settled)
    before = _logs(box, name).count(words)
    box.wait_for(lambda: _logs(box, name).count(words) >= before + 3, what=f"calls of {name}")


def _address(box: Box, name: str, network: str) -> str:
    return str(box.inspect(name)["NetworkSettings"]["Networks"][network]["IPAddress"])


@fault("network.peer-address-stale", subject="container:edge1", shareable=True)
def address_that_another_container_took(box: Box) -> None:
    """A backend is created again and gets another address; its old one belongs to a worker now, and
    the proxy keeps calling it."""
    box.docker("network", "create", "--subnet=10.232.1.0/24", "edge1net")
    healthy_container(box, "backend1", 18781, "--network=edge1net")
    old = _address(box, "backend1", "edge1net")
    box.docker("rm", "-f", "backend1")
    worker = ["bb:1.36", "sleep", "1000"]
    box.docker("run", "-d", "--name=worker1", *QUIET, "--network=edge1net", *worker)
    healthy_container(box, "backend1", 18781, "--network=edge1net")
    assert _address(box, "worker1", "edge1net") == old
    _caller(box, "edge1", old, _REFUSED, "--network=edge1net")
    _await_calls(box, "edge1", "111", settled=_SETTLED_S)


@fault(
    "network.peer-address-stale",
    subject="container:edge2",
    also=["dns.name-pinned"],
    shareable=True,
)
def address_of_an_extra_host(box: Box) -> None:
    """`extra_hosts` holds the address that a database had once."""
    box.docker("network", "create", "--subnet=10.232.2.0/24", "edge2net")
    healthy_container(box, "backend2", 18782, "--network=edge2net")
    extra = "--add-host=backend2:10.232.2.77"
    words = "connect EHOSTUNREACH 10.232.2.77:8080"
    _caller(box, "edge2", "10.232.2.77", words, "--network=edge2net", extra)
    _await_calls(box, "edge2", "EHOSTUNREACH", settled=_SETTLED_S)


@fault("network.peer-on-other-network", subject="container:edge3", shareable=True)
def address_on_a_network_of_others(box: Box) -> None:
    """A reverse proxy calls a backend by its address on a network that the proxy is not on."""
    box.docker("network", "create", "--subnet=10.232.3.0/24", "edge3front")
    box.docker("network", "create", "--subnet=10.232.4.0/24", "edge3back")
    healthy_container(box, "backend3", 18783, "--network=edge3back")
    address = _address(box, "backend3", "edge3back")
    _caller(box, "edge3", address, _TIMEOUT, "--network=edge3front")
    _await_calls(box, "edge3", "i/o timeout")


@healthy(shareable=True)
def peer_that_was_away_for_a_moment(box: Box) -> None:
    """A backend was created again, the proxy logged it, looked the name up again, and is answered
    since."""
    box.docker("network", "create", "--subnet=10.232.5.0/24", "edge4net")
    lines = "; ".join(
        f"echo '{_REFUSED}, upstream: \"http://10.232.5.99:8080/\"' >&2" for _ in range(3)
    )
    script = f"{lines}; while :; do wget -qO- http://backend4:8080/ >/dev/null; sleep 1; done"
    box.docker(
        *("run", "-d", "--name=edge4", *QUIET, "--network=edge4net"),
        *("bb:1.36", "sh", "-c", script),
    )
    healthy_container(box, "backend4", 18784, "--network=edge4net")


_NODE = """
nc -ll -p 8300 -e cat &
peer=$(cat /data/peers)
while :; do
  nc -w 1 "$peer" 8300 </dev/null ||
    echo "raft: Failed to make RequestVote RPC to $peer:8300: dial tcp $peer:8300: no route to host" >&2
  sleep 1
done
"""


@fault("network.peer-address-stale", subject="container:node12", shareable=True)
def node_that_waits_for_itself(box: Box) -> None:
    """The only node of a cluster was started again, and has another address than in its data."""
    box.docker("network", "create", "--subnet=10.232.12.0/24", "node12net")
    box.write("/srv/node12/peers", "10.232.12.99\n")
    node = ("--name=node12", "--network=node12net", "-v", "/srv/node12:/data", *QUIET)
    box.docker("run", "-d", *node, "bb:1.36", "sh", "-c", _NODE)
    box.wait_for(lambda: _logs(box, "node12").count("RequestVote") >= 4, what="its requests")


@fault("network.peer-not-listening", subject="container:edge6", shareable=True)
def peer_that_listens_for_itself(box: Box) -> None:
    """A backend listens on loopback alone, and a proxy calls it by its address and is refused."""
    box.docker("network", "create", "--subnet=10.232.7.0/24", "edge6net")
    server = ("bb:1.36", "httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/www")
    box.docker("run", "-d", "--name=inward6", *QUIET, "--network=edge6net", *server)
    address = _address(box, "inward6", "edge6net")
    _caller(box, "edge6", address, _REFUSED, "--network=edge6net")
    _await_calls(box, "edge6", "111")


def _curls(box: Box, name: str, url: str, network: str) -> None:
    """A program that calls a neighbour by its name with curl, which does not say why it failed."""
    script = f"while :; do /usr/bin/curl -sS --max-time 3 {url} || :; sleep 1; done"
    box.docker(
        *("run", "-d", f"--name={name}", *QUIET, *MACHINE, f"--network={network}"),
        *("bb:1.36", "sh", "-c", script),
    )


@fault("network.peer-not-listening", subject="container:app7", shareable=True)
def tunnel_that_listens_for_itself(box: Box) -> None:
    """A tunnel listens on loopback alone, and a neighbour calls it by its name with curl."""
    box.docker("network", "create", "tunnel7net")
    tunnel = ("bb:1.36", "httpd", "-f", "-p", "127.0.0.1:11111", "-h", "/www")
    box.docker("run", "-d", "--name=tunnel7", *QUIET, "--network=tunnel7net", *tunnel)
    _curls(box, "app7", "http://tunnel7:11111/", "tunnel7net")
    box.wait_for(
        lambda: _logs(box, "app7").count("tunnel7 port 11111") >= 3, what="app7 to be refused"
    )


@fault("network.peer-not-listening", subject="container:front8", shareable=True)
def port_of_the_host_between_containers(box: Box) -> None:
    """A container calls another one at the port that is published on the host."""
    box.docker("network", "create", "--subnet=10.232.9.0/24", "front8net")
    healthy_container(box, "api8", 18794, "--network=front8net")
    address = _address(box, "api8", "front8net")
    line = f'{_REFUSED}, upstream: \\"http://{address}:$port/\\"'
    call = f"nc -w 1 {address} $port </dev/null"
    script = f'port=${{API##*:}}; port=${{port%/}}; while :; do {call} || echo "{line}" >&2; sleep 1; done'
    box.docker(
        *("run", "-d", "--name=front8", *QUIET, "--network=front8net"),
        *("--env=API=http://api8:18794/", "bb:1.36", "sh", "-c", script),
    )
    box.wait_for(lambda: _logs(box, "front8").count("111:") >= 2, what="front8 to be refused")


@fault("network.peer-not-listening", subject="container:front9", shareable=True)
def backend_without_ipv6_on_a_network_with_it(box: Box) -> None:
    """A backend listens at 0.0.0.0, and its network gives names an IPv6 address too."""
    subnets = ("--subnet=10.163.9.0/24", "--subnet=fd00:163:9::/64")
    box.docker("network", "create", "--ipv6", *subnets, "dual9")
    run = ("run", "-d", "--network=dual9", "-m=32m", "--pids-limit=64")
    serve = ("httpd", "-f", "-p", "0.0.0.0:3000", "-h", "/www")
    # fixed: another address after a restart of the engine would be a fault of its own
    address = "fd00:163:9::9"
    box.docker(*run, f"--ip6={address}", "--name=dualapi9", "bb:1.36", *serve)
    line = f"Error: connect ECONNREFUSED {address}:3000"
    calls = f"while :; do nc -w 2 {address} 3000 </dev/null || echo '{line}' >&2; sleep 1; done"
    box.docker(*run, "--ip6=fd00:163:9::8", "--name=front9", "bb:1.36", "sh", "-c", calls)
    box.wait_for(lambda: box.docker("logs", "front9").stderr.count(line) > 2, what="refused calls")


@fault("network.peer-not-listening", subject="container:front20", shareable=True)
def backend_that_takes_ipv6_alone(box: Box) -> None:
    """nginx listens at `[::]:8080`, which takes no IPv4, and its network has nothing else."""
    box.docker("network", "create", "--subnet=10.232.20.0/24", "v6net20")
    nginx(box, "v6api20", "server { listen [::]:8080; return 200 ok; }", "--network=v6net20")
    _curls(box, "front20", "http://v6api20:8080/", "v6net20")
    refused = "v6api20 port 8080"
    box.wait_for(lambda: _logs(box, "front20").count(refused) >= 3, what="front20 to be refused")


@healthy(shareable=True)
def backend_that_takes_both(box: Box) -> None:
    """nginx listens at `[::]:8080` with ipv6only=off, and is called over IPv4."""
    box.docker("network", "create", "--subnet=10.232.21.0/24", "v6net21")
    site = r'server { listen [::]:8080 ipv6only=off; access_log off; return 200 "ok\n"; }'
    nginx(box, "v6api21", site, "--network=v6net21")
    _curls(box, "front21", "http://v6api21:8080/", "v6net21")
    box.wait_for(lambda: "ok" in box.docker("logs", "front21").stdout, what="an answer")


_INNER_ENGINE = 'port=2375; [ -z "$DOCKER_TLS_CERTDIR" ] || port=2376; exec nc -ll -p $port -e cat'
"""Listens as the engine of docker:dind does."""
_JOB = """
host=${DOCKER_HOST#tcp://}
while :; do
  nc -w 2 "${host%:*}" "${host#*:}" </dev/null ||
    echo "Cannot connect to the Docker daemon at $DOCKER_HOST. Is the docker daemon running?" >&2
  sleep 1
done
"""


def _job_of_a_pipeline(box: Box, number: int, port: int) -> None:
    """An engine in a container, as the image docker:dind starts it, and a job that calls it."""
    net = f"--network=jobnet{number}"
    box.docker("network", "create", f"--subnet=10.232.{number}.0/24", f"jobnet{number}")
    engine = (f"--name=dind{number}", "--network-alias=docker", "--env=DOCKER_TLS_CERTDIR=/certs")
    box.docker("run", "-d", *engine, net, *QUIET, "bb:1.36", "sh", "-c", _INNER_ENGINE)
    called = f"--env=DOCKER_HOST=tcp://docker:{port}"
    job = (f"--name=job{number}", called, net)
    box.docker("run", "-d", *job, *QUIET, "bb:1.36", "sh", "-c", _JOB)


@fault("network.peer-not-listening", subject="container:job10", shareable=True)
def engine_in_a_container_that_moved_to_tls(box: Box) -> None:
    """A pipeline's job calls docker:dind at port 2375, and since 19.03 that engine serves TLS at
    port 2376."""
    _job_of_a_pipeline(box, 10, 2375)
    box.wait_for(lambda: _logs(box, "job10").count("Cannot connect") >= 3, what="refused calls")


@healthy(shareable=True)
def engine_in_a_container_that_is_called_by_tls(box: Box) -> None:
    """A pipeline's job calls the engine of docker:dind where it listens."""
    _job_of_a_pipeline(box, 11, 2376)
    box.wait_state("job11", "running")


@fault("container.loopback-peer", subject="container:worker7", shareable=True)
def worker_that_calls_itself_for_its_queue(box: Box) -> None:
    """A worker runs, calls its queue at localhost over and over, and the queue is a neighbour."""
    box.docker("network", "create", "--subnet=10.232.8.0/24", "queue7net")
    queue = ("bb:1.36", "httpd", "-f", "-p", "5672", "-h", "/www")
    box.docker("run", "-d", "--name=queue7", *QUIET, "--network=queue7net", *queue)
    line = "consumer: Cannot connect to amqp://guest:**@127.0.0.1:5672//: Connection refused"
    script = f"while :; do nc -w 1 127.0.0.1 5672 </dev/null || echo '{line}' >&2; sleep 1; done"
    worker = ("bb:1.36", "sh", "-c", script)
    box.docker("run", "-d", "--name=worker7", *QUIET, "--network=queue7net", *worker)
    _await_calls(box, "worker7", "refused")


@healthy()
def peer_that_refuses_at_its_own_address(box: Box) -> None:
    """A container logs failures of a peer that has the right address and is yet to listen."""
    box.docker("network", "create", "--subnet=10.232.6.0/24", "edge5net")
    healthy_container(box, "backend5", 18785, "--network=edge5net")
    box.docker("run", "-d", "--name=slow5", *QUIET, "--network=edge5net", "bb:1.36", "sleep", "900")
    address = _address(box, "slow5", "edge5net")
    line = f'{_REFUSED}, upstream: \\"http://{address}:9090/\\"'
    script = f'while :; do nc -w 1 {address} 9090 </dev/null || echo "{line}" >&2; sleep 1; done'
    box.docker(
        *("run", "-d", "--name=edge5", *QUIET, "--network=edge5net"),
        *("bb:1.36", "sh", "-c", script),
    )
    _await_calls(box, "edge5", "111", settled=_SETTLED_S)


_PROXY = (
    "while :; do printf 'HTTP/1.1 503 Service Unavailable\\r\\nContent-Length: 0\\r\\n\\r\\n'"
    " | nc -l -p 3128 >/dev/null; done"
)


def _with_proxy(box: Box, number: int, wget: str, *options: str) -> None:
    """A proxy that knows no container, a backend, and a service that calls the backend by URL."""
    network = f"--network=corp{number}net"
    box.docker("network", "create", f"--subnet=10.232.{number}.0/24", f"corp{number}net")
    box.docker(
        *("run", "-d", f"--name=corp{number}", *QUIET, network), *("bb:1.36", "sh", "-c", _PROXY)
    )
    healthy_container(box, f"stock{number}", 18780 + number, network)
    url = f"http://stock{number}:8080/"
    script = (
        f"while :; do {wget} -T 2 -qO- {url} || echo 'GET {url}: 503 Service Unavailable'; "
        "sleep 1; done"
    )
    variables = [f"-e={name}=http://corp{number}:3128" for name in ("http_proxy", "HTTP_PROXY")]
    box.docker(
        *("run", "-d", f"--name=shop{number}", *QUIET, network, *variables, *options),
        *("bb:1.36", "sh", "-c", script),
    )
    box.wait_for(lambda: _logs(box, f"shop{number}"), what="the first call")


@fault("network.proxy-takes-neighbours", subject="container:shop11", shareable=True)
def proxy_before_a_neighbour(box: Box) -> None:
    """The client's config.json gave a container a proxy, and its calls to a neighbour go there."""
    _with_proxy(box, 11, "wget")
    _await_calls(box, "shop11", "503")


@healthy(shareable=True)
def proxy_with_its_exceptions(box: Box) -> None:
    """The same proxy, and NO_PROXY names the neighbour. An earlier failure is in the log."""
    early = "echo 'GET http://stock12:8080/: 503 Service Unavailable'; wget -Y off"
    _with_proxy(box, 12, early, "-e=NO_PROXY=localhost,stock12")


@fault("network.proxy-on-loopback", subject="container:fetch13", shareable=True)
def proxy_of_the_host_on_loopback(box: Box) -> None:
    """A container was given the proxy that listens on the host's 127.0.0.1."""
    script = (
        "while :; do wget -T 2 -qO- http://www.lab.test/ || "
        "echo 'connect to 127.0.0.1 port 3128 failed: Connection refused'; sleep 1; done"
    )
    box.docker(
        *("run", "-d", "--name=fetch13", *QUIET, "-e=http_proxy=http://127.0.0.1:3128"),
        *("bb:1.36", "sh", "-c", script),
    )
    _await_calls(box, "fetch13", "3128")


@healthy(shareable=True)
def proxy_inside_the_container(box: Box) -> None:
    """A container has a proxy of its own on localhost, as service meshes do."""
    box.docker(
        *("run", "-d", "--name=mesh14", *QUIET, "-e=http_proxy=http://127.0.0.1:3128"),
        *("bb:1.36", "httpd", "-f", "-p", "127.0.0.1:3128"),
    )


_EARLY = """
if nc -w 1 {db} 5432 </dev/null; then exec nc -ll -p 3000 -e cat; fi
echo "Error: connect ECONNREFUSED {db}:5432" >&2
echo "  code: 'ECONNREFUSED'," >&2
echo '[nodemon] app crashed - waiting for file changes before starting...'
while :; do sleep 100; done
"""


def _database(box: Box, name: str, script: str) -> None:
    box.docker("network", "create", f"{name}net")
    place = [f"--name={name}db", f"--network={name}net", *QUIET]
    box.docker("run", "-d", *place, "bb:1.36", "sh", "-c", script)


def _calls_once(box: Box, name: str, port: int) -> None:
    """A program that calls its database once, and serves where that was there."""
    script = _EARLY.format(db=_address(box, f"{name}db", f"{name}net"))
    place = [f"--name={name}", f"--network={name}net", *QUIET, f"-p={port}:3000"]
    box.docker("run", "-d", *place, "bb:1.36", "sh", "-c", script)


def _is_ready(box: Box, name: str) -> bool:
    """Whether its database listens: port 5432 in the hexadecimal words of the kernel."""
    return ":1538 " in box.docker("exec", f"{name}db", "cat", "/proc/net/tcp6").stdout


@fault("network.published-port-not-listening", subject="container:early71", shareable=True)
def program_that_came_before_its_database(box: Box) -> None:
    """nodemon stays up when its program has failed, and starts it again for a changed file only."""
    _database(box, "early71", "until test -e /tmp/ready; do sleep 0.2; done; nc -ll -p 5432 -e cat")
    _calls_once(box, "early71", 18471)
    box.wait_for(lambda: "app crashed" in box.docker("logs", "early71").stdout, what="the end")
    box.docker("exec", "early71db", "touch", "/tmp/ready")
    box.wait_for(lambda: _is_ready(box, "early71"), what="the database")
    box.wait_for(lambda: _restarts(box, "early71"), what="the command that starts it again")


def _restarts(box: Box, name: str) -> bool:
    run_of = box.diagnose("check", "network.published-port-not-listening", "--format", "json")
    firsts = [fix["command"] for finding in run_of.findings for fix in finding.get("fix", ())[:1]]
    return f"docker restart {name}" in firsts


@healthy(shareable=True)
def program_that_came_after_its_database(box: Box) -> None:
    """The same program, which found its database ready."""
    _database(box, "early72", "nc -ll -p 5432 -e cat")
    box.wait_for(lambda: _is_ready(box, "early72"), what="the database")
    _calls_once(box, "early72", 18472)
    box.sh("sleep 21", timeout=30)
