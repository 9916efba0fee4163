"""The check in checks/network/ports/sites/own_address_wrong.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.proxies.own_addresses import own_addresses
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.live.disk.parts.chosen import only
from diagnose.questions.images import Network
from diagnose.questions.sockets import Socket
from tests.hosts import Made
from tests.inspected import bind, container, of
from tests.judging import judge

NETWORK = {"Networks": {"site": {"IPAddress": "172.18.0.2"}}}
SITE = Networks((Network("a" * 64, "site", "bridge"), Network("b" * 64, "lan", "macvlan")))
LINE = "2026-11-28T05:00:00.000000000Z {}"


def _published(*ports: str) -> dict[str, Any]:
    """host:inside, each."""
    pairs = (port.split(":") for port in ports)
    shown = {f"{inside}/tcp": [{"HostIp": "", "HostPort": outside}] for outside, inside in pairs}
    return {**NETWORK, "Ports": shown}


def _app(
    *env: str, image: str = "n8nio/n8n:1", ports: tuple[str, ...] = (), **more: Any
) -> Container:
    config = {"Image": image, "Env": list(env)}
    return container("app", Config=config, NetworkSettings=_published(*ports), **more)


EDGE = container("edge", NetworkSettings=_published("443:8443"))
SHUT = container("edge", NetworkSettings=NETWORK)
ON_LAN = container(
    "app",
    Config={"Env": ["APP_URL=https://a.example.com:3000"]},
    NetworkSettings={"Networks": {"lan": {"IPAddress": "192.168.1.9"}, "site": {}}},
)
N8N = ("N8N_HOST=n8n.example.com", "N8N_PROTOCOL=https")
SAID = "https://n8n.example.com:3000/"
CASES: dict[str, tuple[tuple[Container, ...], dict[str, Any], list[str]]] = {
    "a line of the log": (
        (_app(*N8N), EDGE),
        {"log": SAID},
        ["WEBHOOK_URL=https://n8n.example.com/"],
    ),
    "a line with words": (
        (_app(*N8N), EDGE),
        {"log": f"ready at {SAID}"},
        ["WEBHOOK_URL=https://n8n.example.com/"],
    ),
    "a request in the log": ((_app(*N8N), EDGE), {"log": f'"GET /" 200 "{SAID}"'}, []),
    "a name that is not its own": ((_app(), EDGE), {"log": SAID}, []),
    "another variable with the address": (
        (_app(*N8N, "WEBHOOK_URL=https://n8n.example.com"), EDGE),
        {"log": SAID},
        [],
    ),
    "a variable": (
        (_app("APP_URL=https://a.example.com:3000/x", image="shop:1"), EDGE),
        {},
        ["APP_URL=https://a.example.com/x"],
    ),
    "a variable about another program": (
        (_app("AUTH_SERVER=https://a.example.com:3000", image="shop:1"), EDGE),
        {},
        [],
    ),
    "a port that it does not have inside": (
        (_app("APP_URL=https://a.example.com:8443"), EDGE),
        {},
        [],
    ),
    "another port of the host": (
        (_app("ROOT_URL=http://a.example.com:3000/", ports=("8300:3000",)),),
        {},
        ["ROOT_URL=http://a.example.com:8300/"],
    ),
    "published under its own number": (
        (_app("ROOT_URL=http://a.example.com:3000/", ports=("3000:3000",)), EDGE),
        {},
        [],
    ),
    "a proxy of the host takes the port": (
        (_app("ROOT_URL=http://a.example.com:3000/"), EDGE),
        {"listeners": [Listener("tcp", "0.0.0.0", 3000, comm="haproxy")]},
        [],
    ),
    "nginx of the host before it": (
        (_app("ROOT_URL=http://a.example.com:3000/"),),
        {"listeners": [Listener("tcp", "0.0.0.0", 443, comm="nginx")]},
        ["ROOT_URL=https://a.example.com/"],
    ),
    "nobody before it": ((_app("ROOT_URL=http://a.example.com:3000/"), SHUT), {}, []),
    "an address of its own on the site": ((ON_LAN, EDGE), {}, []),
}
GIT = "gitea/gitea:1.22"
FORGES: dict[str, tuple[Container, dict[str, Any], list[str]]] = {
    "the usual port": (_app(image=GIT, ports=("10022:22",)), {}, ["GITEA__server__SSH_PORT=10022"]),
    "its port in a variable": (
        _app("GITEA__server__SSH_PORT=10022", image=GIT, ports=("10022:22",)),
        {},
        [],
    ),
    "its port in a file": (
        _app(image=GIT, ports=("10022:22",), **bind("/srv/git", Destination="/data")),
        {"file": "[server]\nSSH_PORT = 10022\n"},
        [],
    ),
    "a file comes before the variable of the first start": (
        _app(
            "SSH_PORT=10022",
            image=GIT,
            ports=("10022:22",),
            **bind("/srv/git", Destination="/data"),
        ),
        {"file": "SSH_PORT=22\n"},
        ["GITEA__server__SSH_PORT=10022"],
    ),
    "no SSH": (
        _app(image=GIT, ports=("10022:22",), **bind("/srv/git", Destination="/data")),
        {"file": "DISABLE_SSH = true\n"},
        [],
    ),
    "SSH that is not published": (_app(image=GIT, ports=("3000:3000",)), {}, []),
    "a user of the host for it": (
        _app(image=GIT, ports=("10022:22",)),
        {"users": "git:x:997:997::/home/git:/bin/sh\n"},
        [],
    ),
    "a proxy of the host takes SSH": (
        _app(image=GIT, ports=("10022:22",)),
        {"listeners": [Listener("tcp", "0.0.0.0", 22, comm="haproxy")]},
        [],
    ),
    "GitLab with its port": (
        _app(
            "GITLAB_OMNIBUS_CONFIG=a; gitlab_rails['gitlab_shell_ssh_port'] = 2224",
            image="gitlab/gitlab-ce:17",
            ports=("2224:22",),
        ),
        {},
        [],
    ),
    "an address without a scheme": (
        _app("ROOT_URL=https://git.a.test", image=GIT, **bind("/srv/git", Destination="/data")),
        {"file": "ROOT_URL = git.a.test\n"},
        ["GITEA__server__ROOT_URL=http://git.a.test/"],
    ),
    "an address with a scheme": (
        _app(image=GIT, **bind("/srv/git", Destination="/data")),
        {"file": "ROOT_URL = http://git.a.test/\n"},
        [],
    ),
    "an address without a scheme, and a variable": (
        _app(
            "GITEA__server__ROOT_URL=https://git.a.test/",
            image=GIT,
            **bind("/srv/git", Destination="/data"),
        ),
        {"file": "ROOT_URL = git.a.test\n"},
        [],
    ),
    "another program": (_app(image="linuxserver/openssh-server", ports=("2222:22",)), {}, []),
}


def _values(containers: tuple[Container, ...], case: dict[str, Any]) -> list[str]:
    socket = Socket("tcp", "0.0.0.0", 3000)
    app = containers[0]
    inside = ContainerNetns(app, inode=1, links=(), addresses=(), routes=(), listeners=(socket,))

    def read(question: Any) -> dict[str, object]:
        if question.path == "/etc/passwd":
            return {"text": case.get("users", "root:x:0:0::/root:/bin/sh\n")}
        return {"text": only(question.parts, case["file"])}

    host = Made({"api.logs": {"text": LINE.format(case.get("log", ""))}, "file.read": read})
    shown = own_addresses(
        host,
        of(*containers),
        Namespaces({app.id: inside}),
        SITE,
        Listeners(tuple(case.get("listeners", ()))),
    )
    result = judge("network.own-address-wrong", own_addresses=shown)
    assert all(str(finding.severity or "advice") == "advice" for finding in result.findings)
    return [finding.variables["own"] for finding in result.findings]


@pytest.mark.parametrize(("containers", "case", "expected"), CASES.values(), ids=CASES)
def test_addresses_of_pages(
    containers: tuple[Container, ...], case: dict[str, Any], expected: list[str]
) -> None:
    assert _values(containers, case) == expected


@pytest.mark.parametrize(("forge", "case", "expected"), FORGES.values(), ids=FORGES)
def test_addresses_of_repositories(
    forge: Container, case: dict[str, Any], expected: list[str]
) -> None:
    assert _values((forge,), case) == expected
