"""What a daemon.json may hold: keys by engine version, types, and values that the engine refuses.

Pure.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from diagnose.evidence.engine.config import KEY_OF_FLAG, parse_text
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Json
from diagnose.redact import TOKEN

BOOL = "bool"
INT = "number"
TEXT = "string"
LIST = "list of strings"
MAP = "object of strings"
OBJECT = "object"
OBJECTS = "list of objects"
ANY = ""

TYPES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "allow-direct-routing", "debug", "experimental", "icc", "init", "ip-forward",
            "ip-forward-no-drop", "ip-masq",
            "ip6tables", "iptables", "ipv6", "live-restore", "no-new-privileges", "raw-logs",
            "rootless", "selinux-enabled",
            "tls", "tlsverify", "userland-proxy", "cri-containerd", "disable-legacy-registry",
        ),
        BOOL,
    ),
    **dict.fromkeys(
        (
            "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "mtu",
            "network-control-plane-mtu",
            "network-diagnostic-port", "oom-score-adjust", "shutdown-timeout", "cpu-rt-period",
            "cpu-rt-runtime",
        ),
        INT,
    ),
    **dict.fromkeys(
        (
            "api-cors-header", "bip", "bip6", "bridge", "cgroup-parent", "cluster-advertise",
            "cluster-store", "containerd",
            "containerd-namespace", "containerd-plugins-namespace", "data-root",
            "default-cgroupns-mode", "default-gateway",
            "default-gateway-v6", "default-ipc-mode", "default-runtime", "exec-root",
            "firewall-backend", "fixed-cidr",
            "fixed-cidr-v6", "graph", "group", "host-gateway-ip", "http-proxy", "https-proxy",
            "init-path", "ip", "log-driver",
            "log-format", "log-level", "metrics-addr", "min-api-version", "no-proxy", "pidfile",
            "seccomp-profile",
            "storage-driver", "swarm-default-advertise-addr", "tlscacert", "tlscert", "tlskey",
            "userland-proxy-path",
            "userns-remap", "bridge-accept-fwmark",
        ),
        TEXT,
    ),
    **dict.fromkeys(
        (
            "allow-nondistributable-artifacts", "authorization-plugins", "cdi-spec-dirs", "dns",
            "dns-opts", "dns-search",
            "exec-opts", "host-gateway-ips", "hosts", "insecure-registries", "labels",
            "node-generic-resources",
            "registry-mirrors", "storage-opts",
        ),
        LIST,
    ),
    **dict.fromkeys(("log-opts", "cluster-store-opts"), MAP),
    **dict.fromkeys(("builder", "default-network-opts", "default-ulimits", "features"), OBJECT),
    **dict.fromkeys(("nri-opts", "proxies", "runtimes"), OBJECT),
    "default-address-pools": OBJECTS,
    "default-shm-size": ANY,
    "validate": ANY,
}  # fmt: skip
"""Keys of engines 20.10 to 29 and the types that their decoder takes. Any flag's own name is taken
as a key too, and has no effect if the key is called otherwise."""

SINCE: Mapping[str, int] = {
    **dict.fromkeys(("proxies", "http-proxy", "https-proxy", "no-proxy", "validate"), 23),
    "default-network-opts": 24,
    **dict.fromkeys(("cdi-spec-dirs", "log-format"), 25),
    **dict.fromkeys(("bip6", "host-gateway-ips", "ip-forward-no-drop", "allow-direct-routing"), 28),
    **dict.fromkeys(
        ("firewall-backend", "min-api-version", "nri-opts", "bridge-accept-fwmark"), 29
    ),
}
"""The first major version that takes a key (20.10, 26.1 and 28.5 were asked)."""

UNTIL: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "graph",
            "cluster-advertise",
            "cluster-store",
            "cluster-store-opts",
            "disable-legacy-registry",
        ),
        22,
    ),
    "oom-score-adjust": 25,
}

LENIENT = 23
"""From this major version on an empty file and a byte order mark are taken, and what follows the
object is refused."""

LOG_OPTIONS: Mapping[str, frozenset[str]] = {
    "json-file": frozenset(
        {"max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag"}
    ),
    "local": frozenset(
        {"max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag"}
    ),
}
SHARED_LOG_OPTIONS = frozenset(
    {
        "mode",
        "max-buffer-size",
        "cache-disabled",
        "cache-max-size",
        "cache-max-file",
        "cache-compress",
    }
)
_TOKEN = LazyPattern(TOKEN)
LEVELS = frozenset({"panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"})
DRIVERS = frozenset(
    {"overlay2", "fuse-overlayfs", "btrfs", "zfs", "vfs", "aufs", "devicemapper", "overlay"}
)
GONE_DRIVERS: Mapping[str, int] = {"aufs": 24, "overlay": 25, "devicemapper": 25}
ADDRESSES = ("dns", "ip", "host-gateway-ip")
NETWORKS = ("bip", "bip6", "fixed-cidr", "fixed-cidr-v6")
_REGISTRY = LazyPattern(
    r"(https?://)?(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,4}|:[1-5]\d{4}|:6[0-4]\d{3}|:65[0-4]\d\d"
    r"|:655[0-3]\d)?"
)
_MIRROR = LazyPattern(r"https?://[^/?#@]+(/[^?#]*)?")
_BARE_MIRROR = LazyPattern(r"https?://[^/?#@]+/?")
"""What 20.10 takes; 26.1 and 28.5 take a path behind the host too."""
RUNTIME_PATHS = 26
"""From this major version on a runtime without a path stops the engine (20.10 takes it, 26.1 does
not)."""
ENDLESS = frozenset({28, 29})
COUNTS = ("max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts")


class Fault(msgspec.Struct, frozen=True):
    """One thing in the file for which the engine would not start.

    key: dotted, empty for the text as a whole. line, column: from 1, 0 where not known. stage:
    "text", "key", "type" or "value".
    """

    key: str
    message: str
    line: int = 0
    column: int = 0
    stage: str = "value"


def faults_of(text: str, major: int | None) -> tuple[Fault, ...]:
    """What an engine of this major version (20 for 20.10; None: not known) refuses in this text.

    Where the version is not known only what every version refuses is reported. Behind a secret that
    was replaced on the same line the file's own column is not known.
    """
    lines = text.splitlines()
    return tuple(
        replace(fault, column=0)
        if 0 < fault.line <= len(lines) and _TOKEN.search(lines[fault.line - 1][: fault.column])
        else fault
        for fault in _faults_of(text, major)
    )


def _faults_of(text: str, major: int | None) -> tuple[Fault, ...]:
    body, lenient = text, major is not None and major >= LENIENT
    if body.startswith("\ufeff"):
        if not lenient and major is not None:
            return (
                Fault(
                    "",
                    "it begins with a byte order mark, which this engine does not take",
                    1,
                    1,
                    "text",
                ),
            )
        body = body[1:]
    if not body.strip():
        return () if lenient or major is None else (Fault("", "the file is empty", 1, 1, "text"),)
    parsed = parse_text(body)
    if parsed.error and parsed.error.startswith("Extra data") and not lenient:
        if major is None:
            return ()
        body = "\n".join(body.splitlines()[: parsed.line])[
            : _offset(body, parsed.line, parsed.column)
        ]
        parsed = parse_text(body)
    if parsed.error:
        return (
            Fault(
                "",
                _in_words(parsed.error, body, parsed.line, parsed.column),
                parsed.line,
                parsed.column,
                "text",
            ),
        )
    return tuple(_placed(fault, body) for fault in _judged(parsed.values, major))


def _judged(values: Mapping[str, Json], major: int | None) -> Iterator[Fault]:
    for key, value in values.items():
        if not _is_known(key, value, major):
            near = _nearest(key, TYPES)
            hint = f"; is {near} meant?" if near and near != key else ""
            yield Fault(key, f"this engine has no such setting{hint}", stage="key")
            continue
        wrong = _wrong_type(key, value)
        if wrong:
            yield Fault(wrong[0], wrong[1], stage="type")
            continue
        if value is not None:
            yield from _wrong_value(key, value, values, major)


def _is_known(key: str, value: Json, major: int | None) -> bool:
    if key in KEY_OF_FLAG and key not in UNTIL:
        return True
    if key not in TYPES:
        # what is an object and no known setting is flattened by the engine, and its keys are looked
        # up
        return (
            isinstance(value, dict)
            and bool(value)
            and all(_is_known(name, value[name], major) for name in value)
        )
    if major is None:
        return True
    return SINCE.get(key, 0) <= major <= UNTIL.get(key, 999)


_IS: Mapping[str, Any] = {BOOL: bool, INT: (int, float), TEXT: str, OBJECT: dict}


def _wrong_type(key: str, value: Json) -> tuple[str, str] | None:
    """(dotted key, what is wrong) where the engine's decoder would refuse the type.

    Null is always taken.
    """
    wanted = TYPES.get(key, ANY)
    if value is None or wanted == ANY:
        return None
    if wanted in (LIST, OBJECTS):
        item = str if wanted == LIST else dict
        if not isinstance(value, list) or any(
            not isinstance(entry, item) for entry in value if entry is not None
        ):
            return key, f"a {wanted} is needed, not {_shown(value)}"
        return None
    if wanted == MAP:
        if not isinstance(value, dict):
            return key, f"an {wanted} is needed, not {_shown(value)}"
        for name, entry in value.items():
            if entry is not None and not isinstance(entry, str):
                return (
                    f"{key}.{name}",
                    f"a string is needed, not {_shown(entry)}: write it in quotes",
                )
        return None
    if isinstance(value, _IS[wanted]) and (wanted == BOOL or not isinstance(value, bool)):
        return None
    return key, f"{'an' if wanted[0] in 'aeiou' else 'a'} {wanted} is needed, not {_shown(value)}"


def _shown(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else f"the number {value}"


def _wrong_value(
    key: str, value: Json, values: Mapping[str, Json], major: int | None
) -> Iterator[Fault]:
    """What the engine refuses in a value whose type is right."""
    match key:
        case _ if key in ADDRESSES:
            return _wrong_addresses(key, value, major)
        case _ if key in NETWORKS:
            return _wrong_network(key, value, values)
        case _ if key in COUNTS:
            return _wrong_items(key, [value], lambda count: count >= 0, "negative")
        case "log-level":
            return _wrong_items(key, [value], lambda level: level.lower() in LEVELS, "no log level")
        case "log-opts":
            return _wrong_log_options(value, str(values.get("log-driver") or "json-file"))
        case "registry-mirrors":
            taken = _MIRROR if major is None or major >= LENIENT else _BARE_MIRROR
            return _wrong_items(
                key, value, taken.fullmatch, "no address of a registry (https://HOST)"
            )
        case "labels":
            return _wrong_labels(value)
        case "insecure-registries":
            return _wrong_items(
                key,
                value,
                lambda item: _REGISTRY.fullmatch(item) or _is_network(item),
                "no registry (HOST, HOST:PORT or a network)",
            )
        case "runtimes":
            return _wrong_runtimes(value, major)
        case "default-runtime":
            return _wrong_default_runtime(value, values.get("runtimes"))
        case "exec-opts":
            return _wrong_exec_options(value)
        case "storage-driver":
            return _wrong_storage_driver(value, values.get("features"), major)
        case "default-address-pools":
            return _wrong_pools(value, major)
        case _:
            return iter(())


def _wrong_items(
    key: str, items: Iterable[Json], is_right: Callable[[Json], object], what: str
) -> Iterator[Fault]:
    return (Fault(key, f"{item!r} is {what}") for item in items if not is_right(item))


def _wrong_addresses(key: str, value: Json, major: int | None) -> Iterator[Fault]:
    """Empty ones are taken from LENIENT on."""
    for address in value if isinstance(value, list) else [value]:
        if not _is_address(address) and (address or (major is not None and major < LENIENT)):
            yield Fault(key, f"{address!r} is no IP address")


def _wrong_network(key: str, value: str, values: Mapping[str, Json]) -> Iterator[Fault]:
    if "/" not in value:
        yield Fault(key, f"{value!r} has no prefix length, as in {value}/24")
    elif not _is_network(value):
        yield Fault(key, f"{value!r} is no address with a prefix length")
    elif key == "bip" and (wrong := _wrong_bip(value, values)):
        yield Fault(key, wrong)


def _nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one; "" where none is."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), "")


def _wrong_log_options(options: Mapping[str, str], driver: str) -> Iterator[Fault]:
    allowed = LOG_OPTIONS.get(driver)
    for name in options if allowed else ():
        if allowed and name not in allowed | SHARED_LOG_OPTIONS:
            near = _nearest(name, allowed)
            hint = f"; is {near} meant?" if near else ""
            yield Fault(f"log-opts.{name}", f"the log driver {driver} has no such option{hint}")
    mode = options.get("mode")
    if mode not in (None, "", "blocking", "non-blocking"):
        yield Fault("log-opts.mode", f"{mode!r} is no mode (blocking, non-blocking)")
    elif mode != "non-blocking" and options.get("max-buffer-size"):
        yield Fault("log-opts.max-buffer-size", "it goes with mode non-blocking only")


def _wrong_labels(labels: Iterable[str]) -> Iterator[Fault]:
    yield from _wrong_items("labels", labels, lambda item: "=" in item, "no label (name=value)")
    pairs = {tuple(label.partition("=")[::2]) for label in labels}
    names = [name for name, _ in pairs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault("labels", f"{name} stands there twice, with two values")


def _wrong_runtimes(runtimes: Mapping[str, Json], major: int | None) -> Iterator[Fault]:
    for name, runtime in runtimes.items():
        if name == "runc":
            yield Fault(f"runtimes.{name}", "this name is the engine's own")
        elif runtime == {} and major is not None and major >= RUNTIME_PATHS:
            yield Fault(f"runtimes.{name}", "a runtime needs a path or a runtimeType")


def _wrong_default_runtime(name: str, runtimes: Json) -> Iterator[Fault]:
    stock = {"", "runc", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux"}
    named = set(runtimes) if isinstance(runtimes, dict) else set()
    if name not in stock | named and not re.match(r"io\.containerd\.|/", name):
        yield Fault("default-runtime", f"there is no runtime {name!r} under runtimes")


def _wrong_exec_options(options: Iterable[str]) -> Iterator[Fault]:
    for option in options:
        name, _, chosen = option.partition("=")
        if name.strip().lower() == "native.cgroupdriver" and chosen not in (
            "cgroupfs",
            "systemd",
            "none",
        ):
            yield Fault("exec-opts", f"{chosen!r} is no cgroup driver (systemd, cgroupfs)")


def _wrong_storage_driver(driver: str, features: Json, major: int | None) -> Iterator[Fault]:
    """(dotted key, what is wrong) of a storage driver that there is not.

    Not judged from engine 29 on, and with the containerd store, whose names are those of
    snapshotters.
    """
    store = isinstance(features, dict) and features.get("containerd-snapshotter") is True
    gone = major is not None and major >= GONE_DRIVERS.get(driver, 999)
    if driver and not store and (major is None or major < 29) and (driver not in DRIVERS or gone):
        yield Fault("storage-driver", f"this engine has no storage driver {driver!r}")


def _wrong_pools(pools: Iterable[Mapping[str, Json]], major: int | None) -> Iterator[Fault]:
    for configured in pools:
        base, size = configured.get("base"), configured.get("size")
        if not isinstance(base, str) or not _is_network(base):
            yield Fault("default-address-pools", f"{base!r} is no network")
            continue
        if not isinstance(size, int):
            continue
        pool = ipaddress.ip_network(base, strict=False)
        if size < pool.prefixlen:
            yield Fault("default-address-pools", f"size {size} is larger than the pool {base}")
        elif size > pool.max_prefixlen and major not in ENDLESS:
            yield Fault(
                "default-address-pools",
                f"size {size} is longer than an address: the engine counts without end",
            )


def _wrong_bip(value: str, values: Mapping[str, Json]) -> str:
    """Why the bridge cannot have this address; empty if it can."""
    own = ipaddress.ip_interface(value)
    if values.get("bridge"):
        return "bip and bridge exclude each other"
    if own.version != 4:
        return f"{value!r} is no IPv4 address"
    if own.ip == own.network.network_address and own.network.prefixlen < 31:
        return (
            f"{value!r} is the network itself: "
            f"the bridge needs an address in it, as in {own.ip + 1}/{own.network.prefixlen}"
        )
    return ""


def _is_address(value: Json) -> bool:
    try:
        ipaddress.ip_address(str(value).partition("%")[0])
    except ValueError:
        return False
    return True


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_interface(value)
    except ValueError:
        return False
    return True


def place(text: str, key: str) -> tuple[int, int]:
    """Line and column, from 1, at which a dotted key stands in the text; (0, 0) if it does not."""
    at = 0
    for part in _parts(text, key):
        match = re.compile(rf'"{re.escape(part)}"\s*:').search(text, at)
        if match is None:
            return (0, 0)
        at = match.start()
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def _parts(text: str, key: str) -> list[str]:
    head, _, tail = key.partition(".")
    return [key] if f'"{key}"' in text or not tail else [head, tail]


def _placed(fault: Fault, text: str) -> Fault:
    line, column = place(text, fault.key)
    return Fault(fault.key, fault.message, line, column, fault.stage)


def _offset(text: str, line: int, column: int) -> int:
    lines = text.splitlines(keepends=True)
    return sum(len(text) for text in lines[: line - 1]) + column - 1


def _in_words(error: str, text: str, line: int, column: int) -> str:
    """A JSON error as the person who wrote the file would say it, by what stands at its place."""
    at = _offset(text, line, column) if line else 0
    here = text[at : at + 1]
    before = text[:at].rstrip()[-1:]
    if "trailing comma" in error or (here in ("}", "]") and before == ","):
        return f"a comma before the closing {text[at:].lstrip(',').strip()[:1] or '}'}"
    if here in ("/", "#"):
        return "a comment: JSON has none"
    if here in ("'", "\u2018", "\u2019", "\u201c", "\u201d"):
        return f'{here} is no quote of JSON: names and texts stand in "'
    if error.startswith("Expecting ',' delimiter"):
        return (
            "a comma or a closing bracket is missing "
            f"before {text[at : at + 12].strip() or 'the end'!r}"
        )
    if error.startswith("Extra data"):
        return "something follows the closing bracket"
    if error.startswith(("Expecting property name", "Expecting value")):
        return (
            f"{'the end of the file' if not here else repr(here)} "
            "where a name or a value is expected"
        )
    return error[:1].lower() + error[1:]
