"""The connections that the words of a question are about, and what `ask` says of them."""

import pytest

from diagnose.symptoms.asked_ways import AskedWay, asked_ways
from diagnose.symptoms.user_question import read
from tests import command_line
from tests.inspected import container, of

WEB_PORTS = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]}
SYSLOG = {"1514/udp": [{"HostIp": "0.0.0.0", "HostPort": "514"}]}
DNS = {f"53/{proto}": [{"HostIp": "0.0.0.0", "HostPort": "53"}] for proto in ("tcp", "udp")}
CONTAINERS = of(
    container("web", NetworkSettings={"Ports": WEB_PORTS, "Networks": {"shop": {}}}),
    container("shop-db-1", NetworkSettings={"Networks": {"shop": {"Aliases": ["db"]}}}),
    container("logs", NetworkSettings={"Ports": SYSLOG, "Networks": {"shop": {}}}),
    container("names", NetworkSettings={"Ports": DNS, "Networks": {"shop": {}}}),
    container("mail", HostConfig={"PortBindings": {"25/tcp": [{"HostPort": "25"}]}}),
)
WAYS = {
    "dns does not answer": [("internet", "names:53/udp")],
    "no logs arrive on 514/udp": [("internet", "logs:1514/udp")],
    "clients can't reach logs": [("internet", "logs:1514/udp")],
    "udp port 514 is not received": [("internet", "logs:1514/udp")],
    "logs is not reachable from outside": [("internet", "logs:1514/udp")],
    "none of my published ports can be reached from outside": [
        ("internet", "web:8080"),
        ("internet", "logs:1514/udp"),
        ("internet", "names:53"),
        ("internet", "names:53/udp"),
    ],
    "which ports are published": [],
    "dns is configured in daemon.json": [],
    "web cannot reach db:5432": [("web", "db:5432")],
    "web can't connect to db on port 5432": [("web", "db:5432")],
    "db is not reachable from web": [("web", "db")],
    "connection from web to 192.0.2.9:443 times out": [("web", "192.0.2.9:443")],
    "web cannot reach the internet": [("web", "internet")],
    "web can't open api.example.com": [("web", "api.example.com")],
    "web cannot reach the host on port 5432": [("web", "host:5432")],
    "clients can't open web": [("internet", "web")],
    "port 80 does not answer": [("internet", "web:8080")],
    "port 25 does not answer": [("internet", "mail:25")],
    "port 9000 does not answer": [("internet", "host:9000")],
    "curl: (7) Failed to connect to localhost port 80": [("host", "web:8080")],
    "http://192.0.2.10:3000 does not load": [("internet", "host:3000")],
    "http://shop.example.com gives 502": [("internet", "web:8080")],
    "https://shop.example.com gives 502": [],
    "http://localhost": [("host", "web:8080")],
    "http://web answers with 502": [],
    "web cannot reach the host": [],
    "we cannot reach the office": [],
    "users cannot reach example.com": [],
    "connect ECONNREFUSED 127.0.0.1:5432": [],
    "container is slow": [],
    "from time to time the site is down": [],
}


@pytest.mark.parametrize(("question", "expected"), WAYS.items(), ids=WAYS)
def test_ways_of_a_question(question: str, expected: list[tuple[str, str]]) -> None:
    assert asked_ways(read(question), CONTAINERS) == tuple(AskedWay(*way) for way in expected)


def test_the_cause_of_a_broken_way_comes_first() -> None:
    told = command_line.run("ask", "web cannot reach billing", "--from", "demo").stdout
    way, page = told.split("CRITICAL dockerhost", 1)
    assert 'BROKEN container "web" to container "billing"' in way
    assert "diagnose path web billing" in way
    assert page.index("container.restart-loop") < page.index("firewall.forwarding-off")


def test_a_port_that_nobody_has_is_said_with_a_command() -> None:
    told = command_line.run("ask", "port 22 does not answer", "--from", "demo").stdout
    assert "nothing on the host listens on 192.0.2.10:22/tcp" in told.replace("\n  ", " ")
    assert "ss -lntup 'sport = :22'" in told
