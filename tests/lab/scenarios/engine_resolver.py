"""nginx that asks the engine's resolver: where that is there, and where it is not."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.programs import install_server
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import PATIENT
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.real_servers import nginx

CHECK = "dns.resolver-bypassed"
_SITE = """server { listen %d; resolver 127.0.0.11 valid=1s;
location / { set $up http://api.lab.test; proxy_pass $up; } }"""


def _answers(box: Box, port: int, times: int = 4) -> str:
    """What the last of some clients outside gets: a status, or 000 after 3 seconds."""
    options = ["-sS", "-m", "3", "-o", "/dev/null", "-w", "%{http_code}"]
    curl = ["curl", *options, f"http://{BOX_ADDRESS}:{port}/"]
    return [box.provider.run(curl, check=False).stdout for _ in range(times)][-1]


def _edge(box: Box, name: str, *options: str, port: int = 8080) -> None:
    """nginx that asks 127.0.0.11 for a name of the outside at each request."""
    nginx(box, name, _SITE % port, *options)
    sockets = ["ss", "-Hltn", "sport", "=", f":{port}"]
    box.wait_for(lambda: box.run(box.in_netns(name, *sockets)).stdout, what="nginx to listen")


@fault(CHECK, subject="container:edge17")
def nginx_on_the_default_network(box: Box) -> None:
    """There is no such resolver on the default network. The command puts the container on another
    one as well, and nginx works at once."""
    _edge(box, "edge17", "-p", "8088:8080")
    assert _answers(box, 8088) != "200"
    command = first_command(box, CHECK, "edge17")
    box.sh(command)
    box.wait_for(lambda: _answers(box, 8088, 1) == "200", what="an answer")
    box.docker("network", "disconnect", "proxied", "edge17")
    box.docker("restart", "edge17")
    assert _answers(box, 8088) != "200"


@fault(CHECK, subject="container:edge18")
def nginx_on_the_hosts_network(box: Box) -> None:
    """On the host's network 127.0.0.11 is an address of the host itself."""
    _edge(box, "edge18", "--network=host", port=8094)
    assert _answers(box, 8094) != "200"


@healthy()
def nginx_on_a_network_of_its_own(box: Box) -> None:
    """The same site on a user-defined network."""
    box.docker("network", "create", "edge19net")
    _edge(box, "edge19", "--network=edge19net", "-p", "8088:8080")
    assert _answers(box, 8088) == "200"


_FRONT = """
user root; pid /run/nginx.pid; error_log /var/log/nginx/error.log; events {}
http { access_log off; server { listen 8090; location / { resolver %s;
set $port 8493; proxy_pass http://shop.lab.test:$port; } } }
"""


def _nginx_of_the_host(box: Box, name: str, resolver: str) -> None:
    box.docker("run", "-d", f"--name={name}", *QUIET, "-p", "8493:8080", "shop:1.4")
    install_server(box, "nginx")
    box.sh("mkdir -p /etc/nginx /var/log/nginx /var/lib/nginx")
    box.write("/etc/nginx/nginx.conf", _FRONT % resolver)
    box.provider.dns_stop()
    box.provider.dns_start(f"--address=/shop.lab.test/{BOX_ADDRESS}")
    box.sh("/usr/sbin/nginx")


@fault(CHECK, subject="host:host")
def nginx_of_the_host_itself(box: Box) -> None:
    """Somebody copied the line from the configuration of a container to nginx of the host."""
    _nginx_of_the_host(box, "shop20", "127.0.0.11")
    assert _answers(box, 8090) != "200"
    report = box.diagnose("check", CHECK, *PATIENT).out
    assert "resolver 192.0.2.53" in " ".join(report.split()), report


@healthy()
def nginx_of_the_host_with_the_hosts_server(box: Box) -> None:
    """The same with the server that the host asks."""
    _nginx_of_the_host(box, "shop21", "192.0.2.53")
    assert _answers(box, 8090) == "200"
