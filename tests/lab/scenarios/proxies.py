"""Hosts that reach the internet through a proxy alone, and engines that do not know it."""

from __future__ import annotations

import re
import sys

from tests.lab import Box, fault, healthy, registry
from tests.lab.provider import BOX_ADDRESS, WEB
from tests.lab.runner import BASE_CONFIG, PATIENT
from tests.lab.scenarios.image.helpers import refuse

PORT = 3128
PROXY = f"http://{WEB}:{PORT}"
DAEMON = "daemon:docker"
_SERVER = r"""
import http.server, select, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_CONNECT(self):
        # the names of the box are not those of the provider: each leads to the web server
        far = socket.create_connection((sys.argv[1], int(self.path.rpartition(":")[2])), 5)
        self.send_response(200)
        self.end_headers()
        ends = {self.connection: far, far: self.connection}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(1 << 16)
                if not data:
                    return
                ends[end].sendall(data)
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


def closed_network(box: Box) -> None:
    """Docker Hub can be reached through the proxy alone, as from a company's network."""
    registry.start_hub(box)
    box.provider.spawn([sys.executable, "-I", "-c", _SERVER, WEB, str(PORT)])
    box.provider.drop(f"-p tcp -s {BOX_ADDRESS} --dport 443")
    url = f"https://{registry.HUB[0]}/v2/"
    curl = ["curl", "-sf", "-m", "5", "--cacert", "/etc/ssl/certs/ca-certificates.crt", url]
    box.wait_for(
        lambda: box.run([*curl, "--proxy", PROXY], check=False).returncode == 0, what="the proxy"
    )
    assert box.run([*curl, "-m", "1", "--noproxy", "*"], check=False).returncode


@fault("image.registry-unreachable", subject=DAEMON, engine_started=False, args=PATIENT)
def proxy_that_only_shells_have(box: Box) -> None:
    """The proxy is in /etc/environment, which shells read and no service does."""
    closed_network(box)
    box.write("/etc/environment", f'https_proxy="{PROXY}"\nno_proxy=localhost,.lab.test\n')
    box.start_engine(config=BASE_CONFIG)
    refuse(box, "old/app:1", "dial tcp", "Client.Timeout", "deadline exceeded")
    (finding,) = box.diagnose("check", "image.registry-unreachable", "--format", "json").findings
    assert "/etc/environment sets the proxy" in finding["summary"], finding


@fault("image.registry-unreachable", subject=DAEMON, engine_started=False, args=PATIENT)
def proxy_that_the_docker_command_alone_has(box: Box) -> None:
    """The proxy is in the settings of the docker command, which are for containers and builds."""
    closed_network(box)
    proxies = {"default": {"httpProxy": PROXY, "httpsProxy": PROXY, "noProxy": "localhost"}}
    box.write("/root/.docker/config.json", {"proxies": proxies})
    box.start_engine(config=BASE_CONFIG)
    refuse(box, "old/app:1", "dial tcp", "Client.Timeout", "deadline exceeded")
    (finding,) = box.diagnose("check", "image.registry-unreachable", "--format", "json").findings
    assert "config.json gives containers and builds the proxy" in finding["summary"], finding


@fault("image.registry-unreachable", subject=DAEMON, engine_started=False, args=PATIENT)
def proxy_for_http_alone(box: Box) -> None:
    """The engine was given HTTP_PROXY, and registries are asked over HTTPS."""
    closed_network(box)
    box.start_engine(config=BASE_CONFIG, env={"HTTP_PROXY": PROXY})
    refuse(box, "old/app:1", "dial tcp", "Client.Timeout", "deadline exceeded")
    (finding,) = box.diagnose("check", "image.registry-unreachable", "--format", "json").findings
    assert "a proxy only for HTTP" in finding["summary"], finding


@healthy(engine_started=False, args=PATIENT)
def proxy_that_the_engine_has_as_well(box: Box) -> None:
    """Shells and the engine have the same proxy, and pulls work."""
    closed_network(box)
    box.write("/etc/environment", f'https_proxy="{PROXY}"\n')
    box.start_engine(config=BASE_CONFIG, env={"HTTPS_PROXY": PROXY})
    box.docker("pull", "-q", "old/app:1", timeout=60)


_CALLS_OUT = "while :; do nc -w 60 198.51.100.20 443 </dev/null 2>/dev/null; sleep 0.2; done"


def _calls_out(box: Box, *options: str) -> None:
    """A program calls a web server of the internet, to which only the proxy leads."""
    box.docker("network", "create", "stash_default")
    run = ("run", "-d", "--name=stash", "--network=stash_default", "-m=32m", "--pids-limit=64")
    box.docker(*run, *options, "bb:1.36", "sh", "-c", _CALLS_OUT)
    waiting = box.in_netns("stash", "ss", "-tnoH")
    repeated = re.compile(r"timer:\(on,[^,)]*,[1-9]")
    box.wait_for(lambda: repeated.search(box.run(waiting).stdout), what="a repeated request")


@fault(
    "network.call-unanswered",
    subject="container:stash",
    engine_env={"HTTPS_PROXY": PROXY},
    args=PATIENT,
)
def program_without_the_engines_proxy(box: Box) -> None:
    """The engine has the proxy, and a program calls the internet without it."""
    _calls_out(box)
    (finding,) = box.diagnose("check", "network.call-unanswered", "--format", "json").findings
    assert "has no proxy in its environment" in finding["summary"], finding


@fault(
    "network.call-unanswered",
    subject="container:stash",
    engine_env={"HTTPS_PROXY": PROXY},
    args=PATIENT,
)
def program_that_has_the_proxy_and_calls_without_it(box: Box) -> None:
    """The same with the proxy in the environment of a program that does not read it."""
    _calls_out(box, f"--env=HTTPS_PROXY={PROXY}")
    (finding,) = box.diagnose("check", "network.call-unanswered", "--format", "json").findings
    assert "proxy" not in finding["summary"], finding


def _proxied_engine(box: Box, address: str) -> None:
    """An engine with this proxy, and a proxy that speaks plain HTTP."""
    closed_network(box)
    box.start_engine(config=BASE_CONFIG, env={"HTTPS_PROXY": address})


@fault("image.registry-proxy", subject=DAEMON, engine_started=False, args=PATIENT)
def proxy_that_is_called_with_tls_and_has_none(box: Box) -> None:
    """The address of the engine's proxy begins with https, and the proxy speaks plain HTTP."""
    _proxied_engine(box, PROXY.replace("http:", "https:"))
    refuse(box, "old/app:1", "first record does not look like a TLS handshake")
    (finding,) = box.diagnose("check", "image.registry-proxy", "--format", "json").findings
    assert "speaks plain HTTP" in finding["summary"], finding


_MIRROR = {"registry-mirrors": ["http://localhost:18084"]}


@fault(
    "image.registry-unreachable", subject=DAEMON, config={**BASE_CONFIG, **_MIRROR}, args=PATIENT
)
def mirror_in_a_container_of_this_host(box: Box) -> None:
    """A container's port is the mirror of the engine, and ends each call; Hub has no name here."""
    words = ("bb:1.36", "nc", "-ll", "-p", "8084", "-e", "true")
    limits = ("--memory=64m", "--pids-limit=64")
    box.docker("run", "-d", "--name=nexus84", "-p=18084:8084", *limits, *words)
    for _ in range(2):
        box.docker("pull", "old/app:1", check=False)
    (finding,) = box.diagnose("check", "image.registry-unreachable", "--format", "json").findings
    assert 'a port of container "nexus84"' in finding["summary"], finding
    assert "Docker Hub itself is not reached either" in finding["summary"], finding
