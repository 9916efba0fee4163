"""Published ports that are taken, or that nobody serves."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import PATIENT, healthy_container
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.network.helpers import QUIET, refused


@fault("network.port-allocated", subject="container:second", shareable=True)
def port_of_another_container(box: Box) -> None:
    """A container asks for the port that another one publishes."""
    healthy_container(box, "first", 18080)
    assert "port is already allocated" in refused(box, "second", "-p", "18080:8080")


@fault("network.port-held-by-process", subject="container:late", shareable=True)
def port_of_a_process(box: Box) -> None:
    """A container asks for a port on which a program of the host listens."""
    box.spawn(["busybox", "httpd", "-f", "-p", "18081"])
    box.wait_for(lambda: ":18081" in box.run(["ss", "-ltn"]).stdout, what="the host's web server")
    assert "address already in use" in refused(box, "late", "-p", "18081:8080")


_NEAR_END = """
import socket, time
server = socket.create_server(("127.0.0.1", 18089))
client = socket.socket()
client.bind(("127.0.0.1", 35301))
client.connect(("127.0.0.1", 18089))
time.sleep(3600)
"""
"""A program that opens a connection, whose near end has a port that nobody listens on."""


@fault("network.port-held-by-process", subject="container:minio9", shareable=True)
def port_of_a_connection(box: Box) -> None:
    """A container asks for a port that the kernel gave to a connection of the host."""
    box.spawn([sys.executable, "-c", _NEAR_END])
    box.wait_for(lambda: ":35301" in box.run(["ss", "-tn"]).stdout, what="the connection")
    assert ":35301" not in box.run(["ss", "-ltn"]).stdout
    assert "address already in use" in refused(box, "minio9", "-p", "35301:8080")


@fault("network.bind-address-missing", subject="container:floating", shareable=True)
def address_of_nobody(box: Box) -> None:
    """A container is to be published on an address that the host does not have."""
    assert "cannot assign requested address" in refused(
        box, "floating", "-p", "10.99.99.99:18082:8080"
    )


@fault("network.bind-address-missing", subject="container:left", shareable=True)
def address_that_left(box: Box) -> None:
    """The address on which a running container is published moves to another machine."""
    box.sh("ip addr add 192.0.2.77/32 dev eth0")
    healthy_container(box, "left", 18102, "--publish=192.0.2.77:18103:8080")
    assert box.provider.curl("http://192.0.2.77:18103/") == "hello\n"
    box.sh("ip addr del 192.0.2.77/32 dev eth0")
    assert box.provider.curl("http://192.0.2.77:18103/", timeout=1.5, check=False) == ""


@fault("network.published-port-not-listening", subject="container:mute", shareable=True)
def nobody_serves_the_port(box: Box) -> None:
    """A container publishes a port, and nothing inside listens on it."""
    box.docker("run", "-d", "--name=mute", *QUIET, "-p", "18091:8080", "bb:1.36", "sleep", "1000")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18091/", check=False) == ""
    box.sh("sleep 21", timeout=30)


@fault(
    "network.published-port-not-listening",
    subject="container:wrapped",
    also=["container.variable-missing"],
    shareable=True,
)
def program_failed_and_its_wrapper_lives(box: Box) -> None:
    """A program ends for want of a variable, and the script that started it waits on."""
    says = "Unhandled exception: environment variable SHOP_URL must be set"
    script = f"echo '{says}' >&2; while :; do sleep 100; done"
    box.docker(
        "run", "-d", "--name=wrapped", *QUIET, "-p", "18119:8080", "bb:1.36", "sh", "-c", script
    )
    box.sh("sleep 21", timeout=30)


@fault("network.published-port-not-listening", subject="container:inward", shareable=True)
def served_on_loopback_only(box: Box) -> None:
    """A program listens on 127.0.0.1 inside its container, where the published port does not
    lead."""
    serve = ["httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/www"]
    box.docker("run", "-d", "--name=inward", *QUIET, "-p", "18092:8080", "bb:1.36", *serve)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18092/", check=False) == ""
    box.sh("sleep 21", timeout=30)


@fault("network.published-port-not-listening", subject="container:inward2", shareable=True)
def served_on_loopback_as_a_file_says(box: Box) -> None:
    """A start script in the image gives the address: neither the command nor a variable does."""
    script = b"#!/bin/sh\nexec httpd -f -p 127.0.0.1:8080 -h /www\n"
    load(
        box,
        "inward:2",
        Recipe({"serve.sh": (script, 0o755), "www/index.html": (b"hello\n", 0o644)}),
    )
    box.docker("run", "-d", "--name=inward2", *QUIET, "-p", "18096:8080", "inward:2", "/serve.sh")
    url = f"http://{BOX_ADDRESS}:18096/"
    assert box.provider.curl(url, check=False) == ""
    box.sh("sleep 21", timeout=30)
    box.sh(first_command(box, "network.published-port-not-listening", "inward2"))
    assert box.provider.curl(url) == "hello\n"
    shown = box.diagnose("check", "network.published-port-not-listening", *PATIENT).out
    assert "inward2" not in shown
    box.docker("restart", "--time=0", "inward2")
    box.sh("sleep 21", timeout=30)
    assert box.provider.curl(url, check=False) == ""


@fault(
    "network.published-port-not-listening",
    subject="container:queue64",
    also=["container.restart-loop"],
    shareable=True,
)
def served_by_a_container_that_shares_the_network(box: Box) -> None:
    """The port of a side-car is published by the container whose network it shares: a queue, which
    listens elsewhere. The side-car fails again and again."""
    serve = ["httpd", "-f", "-p", "6379", "-h", "/www"]
    box.docker("run", "-d", "--name=queue64", *QUIET, "-p", "18095:9121", "bb:1.36", *serve)
    options = ("--net=container:queue64", "--restart=always", "--memory=64m")
    script = "echo 'no such option: --listen-port' >&2; exit 2"
    box.docker("run", "-d", "--name=exporter64", *options, "bb:1.36", "sh", "-c", script)
    box.sh("sleep 21", timeout=30)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18095/", check=False) == ""
    found = {
        (finding["id"], finding["subject"]["name"]): finding
        for finding in box.diagnose("all", "--format", "json", *PATIENT).findings
    }
    assert ("container.restart-loop", "exporter64") in found
    port = found["network.published-port-not-listening", "queue64"]
    assert not port["fix"], "another port of the queue is nothing to publish"


@healthy(shareable=True)
def more_ports_than_needed(box: Box) -> None:
    """A container serves one of the two ports that it publishes."""
    healthy_container(box, "spare", 18093, "-p", "18094:8443")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18093/") == "hello\n"
    box.sh("sleep 21", timeout=30)


@fault(
    "network.host-port-conflict",
    subject="container:clashing",
    shareable=True,
    also=[("container.*", "container:clashing")],
)
def two_on_the_host_network(box: Box) -> None:
    """Two containers with host networking want the same port; the engine knows nothing of it."""
    serve = ["bb:1.36", "httpd", "-f", "-p", "18098", "-h", "/www"]
    box.docker("run", "-d", "--name=firsthost", "--net=host", *QUIET, *serve)
    box.wait_for(lambda: ":18098" in box.run(["ss", "-ltn"]).stdout, what="the first server")
    box.docker("run", "-d", "--name=clashing", "--net=host", *QUIET, *serve)
    box.wait_state("clashing", "exited")
    assert "in use" in box.docker("logs", "clashing").stderr
