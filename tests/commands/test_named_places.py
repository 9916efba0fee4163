"""What the addresses, ports and names of a pasted message are on the examined host."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.network.networks import Networks
from diagnose.symptoms.named_places import places_named
from diagnose.symptoms.user_question import read
from tests.checks.network.evidence import network
from tests.inspected import container

SHOP = network("shop", "172.18.0.0/16", "172.18.0.1")
BINDING = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
WEB = container(
    "web",
    NetworkSettings={"Ports": BINDING, "Networks": {"shop": {"IPAddress": "172.18.0.3"}}},
    HostConfig={"PortBindings": BINDING},
)
DB = container(
    "shop-db-1",
    State={"Status": "exited", "Pid": 0, "ExitCode": 1},
    HostConfig={"PortBindings": {"5432/tcp": [{"HostIp": "", "HostPort": "5432"}]}},
    NetworkSettings={"Networks": {"shop": {"IPAddress": "", "Aliases": ["db"]}}},
)
FACTS = {
    "dial tcp 172.18.0.3:80: connect: no route to host": (
        '172.18.0.3 is container "web" on network "shop"',
    ),
    "connect ETIMEDOUT 172.18.0.9:6379": (
        'no running container has 172.18.0.9 now, an address of network "shop"',
    ),
    "connect to 172.18.0.1 failed": ('172.18.0.1 is this host on network "shop"',),
    "dial tcp 10.0.0.5:5432: i/o timeout": (),
    "curl: (7) Failed to connect to localhost port 8080: Connection refused": (
        'port 8080 leads to 8080/tcp of container "web"',
    ),
    "curl http://localhost:5432 fails": (
        'container "shop-db-1" should publish port 5432, and has ended with code 1',
    ),
    "port 9000 does not answer": ("no container publishes port 9000",),
    "Redis connection to localhost:8080 failed": (),
    "getaddrinfo EAI_AGAIN db": (
        '"db" is a name of container "shop-db-1" on "shop", and it has ended with code 1',
    ),
    "ping: api: Temporary failure in name resolution": ('no container has the name "api"',),
    "Could not resolve host: api.example.com": (),
    "container version 1.2.3.4.5 is too old": (),
    "version 172.18.0.9-rc1, build 172.18.0.1234": (),
    "cannot add 172.18.0.0/16": (),
    "lookup DB on 127.0.0.11:53: no such host": (
        '"DB" is a name of container "shop-db-1" on "shop", and it has ended with code 1',
    ),
    "lookup db.other.svc.example on 10.0.0.2:53: no such host": (),
    "getaddrinfo ENOTFOUND 1password": ('no container has the name "1password"',),
    "getaddrinfo ENOTFOUND localhost, then undefined": (),
    "Error: can't find module 'api'": (),
    "EFAULT: bad address in system call argument": (),
    "lookup table of the site is missing": (),
    "curl http://localhost:70000 fails": (),
}


OF_THE_HOST = container("exporter", HostConfig={"NetworkMode": "host"})
OF_A_SERVICE = container(
    "shop_web.1.x", Config={"Labels": {"com.docker.swarm.service.name": "shop_web"}}
)


@pytest.mark.parametrize("other", [OF_THE_HOST, OF_A_SERVICE], ids=lambda other: other.name)
def test_a_port_that_others_may_serve_is_not_said_to_be_nobodys(other: Container) -> None:
    text = "port 9000 does not answer"
    assert places_named(read(text), [WEB, other], Networks((SHOP,))) == ()


@pytest.mark.parametrize("text", FACTS)
def test_a_message_says_what_it_names(text: str) -> None:
    assert places_named(read(text), [WEB, DB], Networks((SHOP,))) == FACTS[text]
