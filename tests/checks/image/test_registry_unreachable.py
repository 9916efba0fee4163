"""The checks in checks/image/registry_unreachable.py and checks/image/registry_proxy.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.images.pulls.unused_proxies import UnusedProxies, UnusedProxy
from diagnose.model import Result
from diagnose.questions.engine import RegistryConfig, RegistryIndex
from tests.checks.image.evidence import CLOCK, NOW, failed_pull
from tests.checks.network.evidence import container
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("count", "age", "severity"),
    [
        pytest.param(1, 60.0, "warning", id="a moment ago"),
        pytest.param(1, 7200.0, "advice", id="once, long ago"),
        pytest.param(3, 7200.0, "warning", id="again and again"),
    ],
)
def test_unreachable(count: int, age: float, severity: str) -> None:
    result = judge(
        "image.registry-unreachable", pulls=failed_pull("unreachable", count, age), clock=CLOCK
    )
    assert rows(result) == [(severity, "docker")]
    assert result.findings[0].summary.endswith("it broke")


@pytest.mark.parametrize(
    ("address", "is_malformed"),
    [
        ("http://corp\\bob:made-up@proxy:3128", True),
        ("http://bob:p@ss@proxy:3128", True),
        ("http://bob:made%up@proxy:3128", True),
        ("http://corp%5Cbob:made-up@proxy:3128", False),
        ("http://proxy:3128/", False),
        ("", False),
    ],
)
def test_an_address_of_a_proxy_that_cannot_be_read(address: str, is_malformed: bool):
    text = "proxyconnect tcp: dial tcp: lookup http: no such host"
    trouble = PullTrouble("proxy", "shop.lan", "", 3, NOW - 60, NOW - 60, text)
    result = judge(
        "image.registry-proxy",
        pulls=Pulls((trouble,), "journal docker.service"),
        clock=CLOCK,
        info=Info(https_proxy=address),
    )
    (finding,) = result.findings
    assert ("percent form" in finding.summary) == is_malformed


PROXIED = Info(https_proxy="http://proxy:3128", no_proxy="localhost")
REFUSED = 'Get "https://shop.lan:5000/v2/": Forbidden'
OF_PROXY = {
    "a registry of the company": (
        "shop.lan:5000",
        REFUSED,
        "28.5.2",
        '{"proxies": {"no-proxy": "localhost,shop.lan"}}',
    ),
    "an engine without such a setting": ("shop.lan:5000", REFUSED, "20.10.24", ""),
    "a registry of the internet": ("ghcr.io", 'Get "https://ghcr.io/v2/": Forbidden', "28.5.2", ""),
    "a proxy that is down": ("shop.lan:5000", "proxyconnect tcp: refused", "28.5.2", ""),
}


@pytest.mark.parametrize(
    ("registry", "text", "version", "proxies"), OF_PROXY.values(), ids=OF_PROXY
)
def test_a_registry_that_the_engine_asks_its_proxy_for(
    registry: str, text: str, version: str, proxies: str
) -> None:
    page = "denied: <html>Access Denied</html>"
    troubles = (
        PullTrouble("proxy", registry, "", 3, NOW - 60, NOW - 60, text),
        PullTrouble("web-page", registry, "", 3, NOW - 60, NOW - 60, page),
    )
    config = DaemonConfig("/etc/docker/daemon.json")
    about = {"pulls": Pulls(troubles, "log"), "clock": CLOCK, "info": PROXIED, "config": config}
    result = judge("image.registry-proxy", **about, ping=Ping("1.41", version, ""))
    (finding,) = result.findings
    assert finding.variables.get("exceptions_json", "") == proxies
    assert judge("image.registry-unreachable", **about).findings == ()


UNREACHED = {
    "refused": ("dial tcp 192.0.2.80:3128: connect: connection refused", "connect: connection refused"),
    "not resolved": ("dial tcp: lookup proxy: no such host", "lookup proxy: no such host"),
    "no TLS": ("tls: first record does not look like a TLS handshake", "tls: first record"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "why"), UNREACHED.values(), ids=UNREACHED)
def test_a_proxy_that_cannot_be_reached(said: str, why: str) -> None:
    """The sentence names the proxy, and the page can ask it."""
    text = f"proxyconnect tcp: {said}"
    trouble = PullTrouble("proxy", "ghcr.io", "", 3, NOW - 60, NOW - 60, text)
    failed = Pulls((trouble,), "log")
    (finding,) = judge("image.registry-proxy", pulls=failed, clock=CLOCK, info=PROXIED).findings
    assert f"cannot reach its proxy http://proxy:3128: {why}" in finding.summary
    assert (finding.variables["proxy_host"], finding.variables["proxy_port"]) == ("proxy", "3128")


def test_a_handshake_that_does_not_come_through() -> None:
    text = 'Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout'
    failed = Pulls((PullTrouble("unreachable", "docker.io", "", 3, NOW - 9, NOW - 9, text),), "log")
    (finding,) = judge("image.registry-unreachable", pulls=failed, clock=CLOCK).findings
    assert "MTU" in finding.summary
    assert finding.variables["handshake"] == "registry-1.docker.io"


LAYER_SERVERS = {
    "by its address": ("dial tcp 192.0.2.7:443: i/o timeout", "192.0.2.7:443", "i/o timeout"),
    "by IPv6": ("dial tcp [2001:db8::7]:443: i/o timeout", "[2001:db8::7]:443", "i/o timeout"),
    "without an address": (
        "dial tcp: lookup cdn.lab.test on 192.0.2.53:53: no such host",
        "cdn.lab.test:443",
        "no such host",
    ),
}


@pytest.mark.parametrize(("error", "server", "why"), LAYER_SERVERS.values(), ids=LAYER_SERVERS)
def test_a_registry_that_keeps_its_layers_elsewhere(error: str, server: str, why: str) -> None:
    text = f"error pulling image configuration: download failed after attempts=6: {error}"
    failed = Pulls(
        (
            PullTrouble(
                "unreachable",
                registry="",
                image="",
                count=1,
                first=NOW - 9,
                last=NOW - 9,
                text=text,
            ),
        ),
        "log",
    )
    (finding,) = judge("image.registry-unreachable", pulls=failed, clock=CLOCK).findings
    assert finding.variables == {"layer_server": server}
    assert finding.summary.endswith(f"cannot be reached: {why}")


def test_no_registry_is_asked_that_the_log_does_not_name() -> None:
    text = "dial tcp 192.0.2.7:443: i/o timeout"
    failed = Pulls(
        (
            PullTrouble(
                "unreachable",
                registry="",
                image="",
                count=1,
                first=NOW - 9,
                last=NOW - 9,
                text=text,
            ),
        ),
        "log",
    )
    (finding,) = judge("image.registry-unreachable", pulls=failed, clock=CLOCK).findings
    assert finding.variables == {"dialled": "192.0.2.7", "port": "443"}


PROXY = "http://proxy.lan:3128"
OF_SHELLS = UnusedProxy("/etc/environment", PROXY, exceptions="localhost,.lan")
DROP_IN = UnusedProxy("/etc/systemd/system/docker.service.d/p.conf", PROXY, is_drop_in=True)
SECRET = UnusedProxy("/etc/environment", "http://ann:made-up@proxy.lan:3128")
OF_CLIENT = UnusedProxy("/root/.docker/config.json", PROXY, is_of_client=True)
SECRET_OF_CLIENT = UnusedProxy(
    "/root/.docker/config.json", "http://ann:made-up@proxy.lan:3128", is_of_client=True
)
PUT_TOGETHER = UnusedProxy("/etc/profile.d/proxy.sh", "http://$PROXY_HOST:3128")
EXEMPT = UnusedProxy("/etc/environment", PROXY, exceptions="localhost,.docker.io")
EVERYTHING = UnusedProxy("/etc/environment", PROXY, exceptions="*")
DIAL = "dial tcp 192.0.2.80:443: i/o timeout"
OLD, NEW = Ping("1.41", "20.10.24", ""), Ping("1.51", "28.5.2", "")
LACKING = {
    "of shells": ("docker.io", DIAL, NEW, Info(), OF_SHELLS, {"proxy_json"}),
    "an engine without proxies in its file": (
        "docker.io", DIAL, OLD, Info(), OF_SHELLS, {"shell_file"},
    ),
    "a proxy that a shell puts together": (
        "docker.io", DIAL, NEW, Info(), PUT_TOGETHER, {"shell_file"},
    ),
    "a proxy with a password": ("docker.io", DIAL, NEW, Info(), SECRET, {"shell_file"}),
    "of the docker command": ("docker.io", DIAL, NEW, Info(), OF_CLIENT, {"proxy_json"}),
    "a drop-in that was not read": ("docker.io", DIAL, NEW, Info(), DROP_IN, {"drop_in"}),
    "a proxy for HTTP alone": (
        "ghcr.io", DIAL, NEW, Info(http_proxy=PROXY), None, {"proxy_json", "http_alone"},
    ),
    "a registry without a proxy": ("docker.io", DIAL, NEW, Info(), EXEMPT, set()),
    "no host through the proxy": ("docker.io", DIAL, NEW, Info(), EVERYTHING, set()),
    "a registry of one's own": ("r.lan:5000", DIAL, NEW, Info(), OF_SHELLS, set()),
    "a registry that answers": (
        "docker.io", "received unexpected HTTP status: 503", NEW, Info(), OF_SHELLS, set(),
    ),
}  # fmt: skip


def test_a_password_in_the_settings_of_the_docker_command() -> None:
    """No shell can read that file: a person copies the proxy."""
    (finding,) = _lacking("docker.io", DIAL, NEW, Info(), SECRET_OF_CLIENT).findings
    assert finding.variables.keys() == {"registry", "client_file"}
    assert "which pulls, has none" in finding.summary


@pytest.mark.parametrize(
    ("registry", "text", "ping", "info", "proxy", "blocks"), LACKING.values(), ids=LACKING
)
def test_a_proxy_that_the_engine_lacks(
    registry: str, text: str, ping: Ping, info: Info, proxy: UnusedProxy | None, blocks: set[str]
) -> None:
    (finding,) = _lacking(registry, text, ping, info, proxy).findings
    assert finding.variables.keys() - {"registry"} == blocks
    assert ("proxy" in finding.summary) == bool(blocks)


def _lacking(registry: str, text: str, ping: Ping, info: Info, proxy: UnusedProxy | None) -> Result:
    """What is said of a pull that failed so, where a file of the host names this proxy."""
    trouble = PullTrouble("unreachable", registry, "", 1, NOW - 60, NOW - 60, text)
    return judge(
        "image.registry-unreachable",
        pulls=Pulls((trouble,), "log"),
        clock=CLOCK,
        info=info,
        ping=ping,
        config=DaemonConfig("/etc/docker/daemon.json"),
        unused=UnusedProxies((proxy,) if proxy else ()),
    )


CUT_OFF = {
    "ended": ("error pulling image configuration: download failed after attempts=6: EOF", None, "cut_off"),
    "ended behind a registry of one's own": ("download failed after attempts=6: EOF", "r:5000", "cut_off"),
    "reset": (
        "download failed after attempts=6: read tcp 192.0.2.10:4242->192.0.2.7:443: read: connection reset by peer",
        None,
        "cut_off",
    ),
    "a slow way": ("Download failed after 5 attempts: net/http: TLS handshake timeout", None, "one_json"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "registry", "block"), CUT_OFF.values(), ids=CUT_OFF)
def test_a_download_that_breaks_off(text: str, registry: str | None, block: str) -> None:
    trouble = PullTrouble("unreachable", registry or "", "", 1, NOW - 9, NOW - 9, text)
    failed = Pulls((trouble,), "log")
    (finding,) = judge("image.registry-unreachable", pulls=failed, clock=CLOCK).findings
    assert finding.variables.keys() & {"cut_off", "one_json"} == {block}
    assert ("hub_layers" in finding.variables) is (block == "cut_off" and registry is None)
    assert "the registry answers" in finding.summary


def test_downloads_one_after_the_other_are_not_offered_twice() -> None:
    text = "Download failed after 5 attempts: net/http: TLS handshake timeout"
    failed = Pulls(
        (
            PullTrouble(
                "unreachable",
                registry="",
                image="",
                count=1,
                first=NOW - 9,
                last=NOW - 9,
                text=text,
            ),
        ),
        "log",
    )
    config = DaemonConfig("/etc/docker/daemon.json", values={"max-concurrent-downloads": 1})
    (finding,) = judge(
        "image.registry-unreachable", pulls=failed, clock=CLOCK, config=config
    ).findings
    assert "one_json" not in finding.variables


GATEWAY_ERROR = "received unexpected HTTP status: 502 Bad Gateway"


@pytest.mark.parametrize(
    ("secure", "variables"),
    [
        pytest.param(True, {"registry": "shop.lan:5000"}, id="with TLS"),
        pytest.param(False, {"registry": "shop.lan:5000", "plain": "shop.lan:5000"}, id="without"),
    ],
)
def test_a_registry_is_asked_as_the_engine_asks_it(secure: bool, variables: dict[str, str]) -> None:
    trouble = PullTrouble("unreachable", "shop.lan:5000", "", 1, NOW - 60, NOW - 60, GATEWAY_ERROR)
    info = Info(
        registry_config=RegistryConfig(
            index_configs={"shop.lan:5000": RegistryIndex(secure=secure)}
        )
    )
    result = judge(
        "image.registry-unreachable", pulls=Pulls((trouble,), "log"), clock=CLOCK, info=info
    )
    assert [finding.variables for finding in result.findings] == [variables]


NO_TLS = "proxyconnect tcp: tls: first record does not look like a TLS handshake"
PLAIN = {
    "in the environment": ("https://proxy:3128/", {}, {"in_environment": "https://proxy:3128/"}),
    "in daemon.json": (
        "https://proxy:3128",
        {"proxies": {"https-proxy": "https://proxy:3128", "no-proxy": "localhost"}},
        {
            "corrected_json": '{"proxies": {"https-proxy": "http://proxy:3128", "no-proxy": "localhost"}}'
        },
    ),
    "with a password": ("https://bob:made$up@proxy:3128", {}, {}),
}


@pytest.mark.parametrize(("address", "values", "cure"), PLAIN.values(), ids=PLAIN)
def test_a_proxy_that_is_called_with_tls_and_has_none(
    address: str, values: dict[str, object], cure: dict[str, str]
) -> None:
    trouble = PullTrouble("proxy", "docker.io", "", 2, NOW - 60, NOW - 60, NO_TLS)
    (finding,) = judge(
        "image.registry-proxy",
        pulls=Pulls((trouble,), "log"),
        clock=CLOCK,
        info=Info(https_proxy=address),
        config=DaemonConfig("/etc/docker/daemon.json", values=values),
    ).findings
    assert "speaks plain HTTP" in finding.summary
    assert cure.items() <= finding.variables.items()


MIRROR = Info(registry_config=RegistryConfig(mirrors=["http://localhost:8084/"]))


@pytest.mark.parametrize(("port", "expected"), [("8084", 1), ("8081", 2)])
def test_a_mirror_that_a_container_of_this_host_serves(port: str, expected: int) -> None:
    ports = {"8084/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]}
    nexus = container("nexus", NetworkSettings={"Ports": ports})
    pulls = tuple(
        PullTrouble("unreachable", registry, "", 2, NOW - 60, NOW - 60, text)
        for registry, text in (
            ("docker.io", 'Get "https://registry-1.docker.io/v2/": dial tcp: i/o timeout'),
            ("localhost:8084", 'Get "http://localhost:8084/v2/": EOF'),
        )
    )
    found = judge(
        "image.registry-unreachable",
        pulls=Pulls(pulls, "log"),
        clock=CLOCK,
        info=MIRROR,
        containers=Containers((nexus,)),
    ).findings
    assert len(found) == expected
    named = [finding for finding in found if finding.variables.get("mirror_container") == "nexus"]
    assert len(named) == (expected == 1)
    assert all("Docker Hub itself is not reached either" in finding.summary for finding in named)
