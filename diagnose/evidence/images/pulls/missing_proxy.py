"""A proxy that the engine lacks, as far as files of the host or its own settings show."""

import json

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.addresses.proxy_settings import is_excepted
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.images.pulls.pulls import PullTrouble
from diagnose.evidence.images.pulls.registry_names import host_name, is_public
from diagnose.evidence.images.pulls.unused_proxies import UnusedProxies, UnusedProxy
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Json, PageVariables
from diagnose.phrases import shortened

PROXIES_IN_FILE = (23,)
"""The first engine with `proxies` in daemon.json."""
_BY_FILE = LazyPattern(r"[@$`]")
"""In a value that only a shell can copy."""


class MissingProxy(msgspec.Struct, frozen=True):
    """The missing proxy for a finding: end of the sentence, proof, page variables."""

    clause: str = ""
    proof: dict[str, Json] = {}
    variables: dict[str, str] = {}


def missing_proxy(
    trouble: PullTrouble,
    info: Info | None,
    ping: Ping | None,
    config: DaemonConfig | None,
    unused: UnusedProxies | None,
) -> MissingProxy:
    """The proxy that may be missing for a registry of the internet; empty where nothing names one.

    A registry of one's own is most often reached without a proxy.
    """
    if info is None or not is_public(trouble.registry) or not trouble.words.finds_no_way:
        return MissingProxy()
    host = trouble.host
    if info.http_proxy and not info.https_proxy:
        missing = _proxy_for_http_alone(info, ping, config)
    else:
        proxies = (proxy for proxy in unused or () if not is_exempt(host, proxy.exceptions))
        proxy = next(proxies, None)
        if proxy is None:
            return MissingProxy()
        missing = _proxy_in_file(proxy, ping, config)
    return replace(missing, variables={"registry": host, **missing.variables})


def is_exempt(host: str, exceptions: str) -> bool:
    """Whether the engine reaches a registry without the proxy (`no_proxy`): unlike other programs,
    those of Go also take an exception such as *.example.com."""
    return is_excepted(host_name(host), exceptions.replace("*.", "."))


def _proxy_for_http_alone(
    info: Info, ping: Ping | None, config: DaemonConfig | None
) -> MissingProxy:
    changed = {"https-proxy": info.http_proxy}
    return MissingProxy(
        "; the engine has a proxy only for HTTP, and registries are asked over HTTPS (HTTPS_PROXY)",
        {"HttpProxy": info.http_proxy, "HttpsProxy": "not set"},
        {"http_alone": "HTTPS_PROXY", **_daemon_json_variables(changed, ping, config)},
    )


def _proxy_in_file(
    proxy: UnusedProxy, ping: Ping | None, config: DaemonConfig | None
) -> MissingProxy:
    """The proxy that a file of the host names, and the setting that gives it to the engine."""
    proof: dict[str, Json] = {
        proxy.file: f"proxy {shortened(proxy.https)}",
        "HttpProxy, HttpsProxy": "not set",
    }
    if proxy.is_drop_in:
        clause = f"; {proxy.file} gives the engine a proxy, but the engine was not restarted since"
        return MissingProxy(clause, proof, {"drop_in": proxy.file})
    changed = {
        "http-proxy": proxy.http or proxy.https,
        "https-proxy": proxy.https,
        "no-proxy": proxy.exceptions or "localhost,127.0.0.1",
    }
    in_json = _daemon_json_variables(changed, ping, config)
    if proxy.is_of_client:
        clause = (
            f"; {proxy.file} gives containers and builds the proxy {shortened(proxy.https)}, "
            "and the engine, which pulls, has none"
        )
        return MissingProxy(clause, proof, in_json or {"client_file": proxy.file})
    clause = (
        f"; {proxy.file} sets the proxy {shortened(proxy.https)}, and the engine has none: "
        "it knows only what its unit or its own file names"
    )
    return MissingProxy(clause, proof, in_json or {"shell_file": proxy.file})


def _daemon_json_variables(
    changed: dict[str, str], ping: Ping | None, config: DaemonConfig | None
) -> PageVariables:
    """The variable of a change of the engine's file; none for an old engine, or with a password.

    This tool does not know the password, which has to be copied from file to file. The same holds
    for a value with a shell variable in it: the engine takes the text unchanged.
    """
    is_old = ping is None or ping.version < PROXIES_IN_FILE
    if config is None or is_old or any(_BY_FILE.search(value) for value in changed.values()):
        return {}
    in_file = config.in_file("proxies")
    proxies = in_file if isinstance(in_file, dict) else {}
    return {"proxy_json": json.dumps({"proxies": {**proxies, **changed}})}
