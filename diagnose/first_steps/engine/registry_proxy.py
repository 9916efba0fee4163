"""The proxy that the engine uses for registries, and the cures of what it refuses."""

import json
import re
from typing import Self
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.images.pulls.missing_proxy import PROXIES_IN_FILE, is_exempt
from diagnose.evidence.images.pulls.pulls import PullTrouble
from diagnose.evidence.images.pulls.registry_names import host_name, with_port
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Json, PageVariables


class ProxyOfEngine(msgspec.Struct, frozen=True):
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
        """The proxy's status for CONNECT; "" where the text does not show it."""
        return trouble.words.proxy_status if self.address and not self.is_malformed else ""

    def reason(self, status: str, trouble: PullTrouble) -> str:
        """The reason that replaces the engine's own words; "" to keep these."""
        if self.is_malformed:
            return _MALFORMED
        if status:
            return f'the engine\'s proxy {self.address} answers "{status}" in place of the registry'
        if self.speaks_plainly(trouble):
            return (
                f"the engine calls its proxy {self.address} with TLS, as the address says, and the "
                "proxy speaks plain HTTP"
            )
        why = trouble.words.why_proxy_unreached
        return f"the engine cannot reach its proxy {self.address}: {why}" if why else ""

    def speaks_plainly(self, trouble: PullTrouble) -> bool:
        """Whether the proxy answers without TLS, although its address begins with https."""
        is_plain = _NO_TLS in trouble.words.why_proxy_unreached
        return is_plain and self.address.startswith(_WITH_TLS)

    def plain_steps(self, trouble: PullTrouble, config: DaemonConfig | None) -> PageVariables:
        """The page variables that write the address of such a proxy with http."""
        plain = f"http://{self.address.removeprefix(_WITH_TLS)}"
        if _QUIET_ADDRESS.fullmatch(self.address) is None:
            return {}
        variables = {
            "tls_proxy": self.address.rstrip("/"),
            "plain_proxy": plain.rstrip("/"),
            "registry_url": f"https://{trouble.host}/v2/",
        }
        in_file = config.in_file("proxies") if config is not None else None
        if isinstance(in_file, dict):
            changed = {
                name: value.replace(_WITH_TLS, "http://") if value == self.address else value
                for name, value in in_file.items()
            }
            return {**variables, "corrected_json": json.dumps({"proxies": changed})}
        return {**variables, "in_environment": self.address}

    def is_used_for(self, registry: str) -> bool:
        """Whether the engine reaches the registry through its proxy."""
        return bool(self.place) and not is_exempt(registry, self.exceptions)

    @property
    def place(self) -> PageVariables:
        """The proxy's host and port, where the page can call it."""
        try:
            url = urlsplit(self.address)
            host = url.hostname
            port = url.port
        except ValueError:
            return {}
        return {"proxy_host": host, "proxy_port": str(port)} if host and port else {}


def without_proxy(registry: str, config: DaemonConfig | None) -> PageVariables:
    """The page variables to ask the registry itself, and to remove the proxy from the engine's
    file."""
    host, _, port = with_port(registry).rpartition(":")
    variables = {"registry": registry, "host": host, "port": port}
    if config is None or config.in_file("proxies") is None:
        return variables
    return variables | {"proxies_json": '{"proxies": null}'}


def takes_exceptions(ping: Ping | None) -> bool:
    """Whether daemon.json can name the registries that are called without the proxy."""
    return ping is not None and ping.version >= PROXIES_IN_FILE


def exception_variables(
    registry: str, proxy: ProxyOfEngine, config: DaemonConfig | None
) -> PageVariables:
    """The page variables that let the engine reach a registry without its proxy."""
    if config is None:
        return {"registry": registry}
    given_exceptions = [word for word in proxy.exceptions.split(",") if word]
    exceptions = ",".join([*given_exceptions, host_name(registry)])
    in_file = config.in_file("proxies")
    proxies = in_file if isinstance(in_file, dict) else {}
    changed = json.dumps({"proxies": {**proxies, "no-proxy": exceptions}})
    return {"registry": registry, "exceptions_json": changed}


_WITH_TLS = "https://"
_NO_TLS = "first record does not look like a TLS handshake"
"""The error of Go's library for a server that answers in plain text."""
_QUIET_ADDRESS = LazyPattern(r"https://[\w.:@-]{1,200}/?")
"""An address without characters that are more than themselves in sed."""
_MALFORMED = (
    "the address of the engine's proxy cannot be read: a special character in its user or password "
    "has to be written in percent form, a backslash as %5C"
)


def _is_malformed(address: str) -> bool:
    """Whether an address of a proxy has a character that ends its host's part too early."""
    place = address.partition("://")[2]
    return bool(re.search(r"[\\\s]|%(?![0-9A-Fa-f]{2})", place)) or place.count("@") > 1
