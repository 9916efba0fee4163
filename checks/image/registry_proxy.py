"""image.registry-proxy: the proxy on the way to a registry fails or refuses."""

import json
import re
from typing import Self
from urllib.parse import urlsplit

import msgspec

from checks.image.failed_pulls import FailedPulls
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.images.missing_proxy import PROXIES_IN_FILE
from diagnose.evidence.images.pulls import Pulls, PullTrouble
from diagnose.evidence.images.registry_names import host_name, is_public, with_port
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Count, Json, PageVariables, Seconds, Severity
from diagnose.registry import check


@check("image.registry-proxy", severity=Severity.warning)
def registry_proxy(
    pulls: Pulls,
    clock: Clock,
    info: Info | None,
    ping: Ping | None,
    config: DaemonConfig | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """The proxy that the daemon is configured to use makes pulls fail.

    The daemon's proxy is that of its own environment or `proxies` in daemon.json (from engine
    23.0), not that of a shell in which curl works. A proxy that cannot reach a registry of the
    company's own network answers with a status of its own: `NO_PROXY` has to name that registry.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    proxy = _EngineProxy.of(info)
    for trouble in pulls.of("proxy"):
        status = proxy.status_in(trouble)
        may_be_near = bool(status) and not is_public(trouble.registry)
        variables = _without_proxy(trouble.host, config)
        if may_be_near and _takes_exceptions(ping):
            variables = _exception_variables(trouble.registry, proxy, config)
        yield failures.finding(
            trouble,
            proof=proxy.proof,
            reason=proxy.reason(status, trouble),
            clause=_MAY_BE_NEAR if may_be_near else "",
            variables=variables | proxy.place,
        )


class _EngineProxy(msgspec.Struct, frozen=True):
    """The proxy that the engine uses for registries."""

    address: str
    """The proxy's address; empty without a proxy, or where /info is not known."""
    exceptions: str
    is_malformed: bool
    proof: dict[str, Json]

    @classmethod
    def of(cls, info: Info | None) -> Self:
        if info is None:
            return cls("", "", is_malformed=False, proof={})
        address = info.https_proxy or info.http_proxy
        is_malformed = _is_malformed(info.https_proxy) or _is_malformed(info.http_proxy)
        proof: dict[str, Json] = {
            "HttpsProxy": address or "not set",
            "NoProxy": info.no_proxy or "not set",
        }
        return cls(address, info.no_proxy, is_malformed, proof)

    def status_in(self, trouble: PullTrouble) -> str:
        """What the proxy said to CONNECT; "" where the text does not show it."""
        return trouble.words.proxy_status if self.address and not self.is_malformed else ""

    def reason(self, status: str, trouble: PullTrouble) -> str:
        """In place of the engine's own words; "" for these."""
        if self.is_malformed:
            return _MALFORMED
        if status:
            return f'the engine\'s proxy {self.address} answers "{status}" in place of the registry'
        why = trouble.words.why_proxy_unreached
        return f"the engine cannot reach its proxy {self.address}: {why}" if why else ""

    @property
    def place(self) -> PageVariables:
        """The proxy's host and port, where the page can ask it."""
        try:
            url = urlsplit(self.address)
            host, port = url.hostname, url.port
        except ValueError:
            return {}
        return {"proxy_host": host, "proxy_port": str(port)} if host and port else {}


_MAY_BE_NEAR = "; if the registry is on your own network, NO_PROXY has to name it"


def _without_proxy(registry: str, config: DaemonConfig | None) -> PageVariables:
    """What the page needs to ask the registry itself, and to take the proxy out."""
    host, _, port = with_port(registry).rpartition(":")
    variables = {"registry": registry, "host": host, "port": port}
    if config is None or config.in_file("proxies") is None:
        return variables
    return variables | {"proxies_json": '{"proxies": null}'}


def _takes_exceptions(ping: Ping | None) -> bool:
    """Whether daemon.json can name the registries that are asked without the proxy."""
    return ping is not None and ping.version >= PROXIES_IN_FILE


def _exception_variables(
    registry: str, proxy: _EngineProxy, config: DaemonConfig | None
) -> PageVariables:
    """What the page needs to let the engine go to a registry without its proxy."""
    if config is None:
        return {"registry": registry}
    given = [word for word in proxy.exceptions.split(",") if word]
    exceptions = ",".join([*given, host_name(registry)])
    in_file = config.in_file("proxies")
    proxies = in_file if isinstance(in_file, dict) else {}
    changed = json.dumps({"proxies": {**proxies, "no-proxy": exceptions}})
    return {"registry": registry, "exceptions_json": changed}


_MALFORMED = (
    "the address of the engine's proxy cannot be read: a special character in its user or password "
    "has to be written in percent form, a backslash as %5C"
)


def _is_malformed(address: str) -> bool:
    """Whether an address of a proxy has a character that ends its host's part too early."""
    place = address.partition("://")[2]
    return bool(re.search(r"[\\\s]|%(?![0-9A-Fa-f]{2})", place)) or place.count("@") > 1
