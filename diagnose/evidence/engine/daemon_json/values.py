"""Values of the right type that the engine refuses all the same. Pure."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from diagnose.evidence.engine.daemon_json.keys import LENIENT
from diagnose.evidence.engine.daemon_json.syntax import Fault
from diagnose.evidence.network.addresses import is_address
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.model import Json

_FILE_OPTIONS = frozenset(
    ("max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag")
)
_LOG_OPTIONS: Mapping[str, frozenset[str]] = {"json-file": _FILE_OPTIONS, "local": _FILE_OPTIONS}
"""The options of the log drivers that we judge, beside those that every driver takes."""
_SHARED_LOG_OPTIONS = frozenset(
    [
        "mode",
        "max-buffer-size",
        "cache-disabled",
        "cache-max-size",
        "cache-max-file",
        "cache-compress",
    ]
)
_LEVELS = frozenset(("panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"))
_STORAGE_DRIVERS = frozenset(
    ("overlay2", "fuse-overlayfs", "btrfs", "zfs", "vfs", "aufs", "devicemapper", "overlay")
)
_GONE_STORAGE_DRIVERS: Mapping[str, int] = {"aufs": 24, "overlay": 25, "devicemapper": 25}
"""The first major version without a driver."""
_SNAPSHOTTERS = 29
"""From this major version on drivers are those of containerd's store, and are not judged."""
_STOCK_RUNTIMES = frozenset(("", "runc", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux"))
_EXEC_OPTIONS_CHECKED = 28
"""From this major version on an option without a value stops the engine (26.1 takes it)."""
_CGROUP_DRIVERS = ("cgroupfs", "systemd", "none")
_LOG_MODES = (None, "", "blocking", "non-blocking")
_RUNTIME_PATHS = 26
"""From this major version on a runtime without a path stops the engine (20.10 takes it, 26.1 does
not)."""
_ENDLESS_POOLS = frozenset((28, 29))
"""Major versions that count the subnets of a pool without end."""
_REGISTRY = LazyPattern(
    r"(https?://)?(\[[0-9A-Fa-f:.]+\]|[\w.-]+)"
    r"(:\d{1,4}|:[1-5]\d{4}|:6[0-4]\d{3}|:65[0-4]\d\d|:655[0-3]\d)?"
)
"""A registry as daemon.json takes it: a host, with a port up to 65535."""
_MIRROR = LazyPattern(r"https?://[^/?#@]+(/[^?#]*)?")
_BARE_MIRROR = LazyPattern(r"https?://[^/?#@]+/?")
"""The mirrors that 20.10 accepts; 26.1 and 28.5 accept a path behind the host too."""


class _Setting(msgspec.Struct, frozen=True):
    """A setting of the file, with the facts on which its judgement depends."""

    key: str
    value: Any
    file: Mapping[str, Json]
    """All settings."""
    major: int | None
    """The engine's major version; None if not known."""

    @property
    def is_strict(self) -> bool:
        return self.major is not None and self.major < LENIENT

    def fault(self, message: str, part: str = "") -> Fault:
        """A fault of this setting, or of a part of its value."""
        return Fault(f"{self.key}.{part}" if part else self.key, message)


def wrong_value(
    key: str, value: Json, file: Mapping[str, Json], major: int | None
) -> Iterator[Fault]:
    """The faults in a value of the right type, for an engine of this major version.

    file: all settings of the file. A null in a list of strings is an empty string to the engine.
    """
    judge = _JUDGES.get(key)
    if judge is None:
        return
    if isinstance(value, list) and key != "default-address-pools":
        value = ["" if entry is None else entry for entry in value]
    yield from judge(_Setting(key, value, file, major))


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that is most similar to this one; "" without one."""
    import difflib

    return first_of(difflib.get_close_matches(word, words, n=1), "")


def _wrong_addresses(setting: _Setting) -> Iterator[Fault]:
    value = setting.value
    for address in value if isinstance(value, list) else [value]:
        is_taken = is_address(str(address).partition("%")[0]) or (
            not address and not setting.is_strict
        )
        if not is_taken:
            yield setting.fault(f"{address!r} is not an IP address")


def _wrong_network(setting: _Setting) -> Iterator[Fault]:
    value = setting.value
    if "/" not in value:
        yield setting.fault(f"{value!r} has no prefix length, as in {value}/24")
    elif not _is_network(value):
        yield setting.fault(f"{value!r} is not an address with a prefix length")


def _wrong_bip(setting: _Setting) -> Iterator[Fault]:
    """The address of the default bridge."""
    wrong = list(_wrong_network(setting))
    if wrong:
        yield from wrong
        return
    bridge_address = ipaddress.ip_interface(setting.value)
    if setting.file.get("bridge"):
        yield setting.fault("bip and bridge exclude each other")
    elif bridge_address.version != 4:
        yield setting.fault(f"{setting.value!r} is not an IPv4 address")
    elif (
        bridge_address.ip == bridge_address.network.network_address
        and bridge_address.network.prefixlen < 31
    ):
        example = f"{bridge_address.ip + 1}/{bridge_address.network.prefixlen}"
        yield setting.fault(
            f"{setting.value!r} is the network itself: "
            f"the bridge needs an address in it, as in {example}"
        )


def _wrong_count(setting: _Setting) -> Iterator[Fault]:
    if setting.value < 0:
        yield setting.fault(f"{setting.value!r} is negative")


def _wrong_level(setting: _Setting) -> Iterator[Fault]:
    if setting.value.lower() not in _LEVELS:
        yield setting.fault(f"{setting.value!r} is not a log level")


def _wrong_mirrors(setting: _Setting) -> Iterator[Fault]:
    pattern = _BARE_MIRROR if setting.is_strict else _MIRROR
    for mirror in setting.value:
        if not pattern.fullmatch(mirror):
            yield setting.fault(f"{mirror!r} is not an address of a registry (https://HOST)")


def _wrong_registries(setting: _Setting) -> Iterator[Fault]:
    for registry in setting.value:
        if not _REGISTRY.fullmatch(registry) and not _is_network(registry):
            yield setting.fault(f"{registry!r} is not a registry (HOST, HOST:PORT or a network)")


def _wrong_log_options(setting: _Setting) -> Iterator[Fault]:
    """Options that the log driver does not have, and combinations that it does not take."""
    options = setting.value
    driver = str(setting.file.get("log-driver") or "json-file")
    known_options = _LOG_OPTIONS.get(driver)
    option_names = options if known_options else ()
    for name in option_names:
        if known_options and name not in known_options | _SHARED_LOG_OPTIONS:
            similar_options = nearest(name, known_options)
            hint = f"; is {similar_options} meant?" if similar_options else ""
            yield setting.fault(f"the log driver {driver} has no such option{hint}", name)
    mode = options.get("mode")
    if mode not in _LOG_MODES:
        yield setting.fault(f"{mode!r} is not a mode (blocking, non-blocking)", "mode")
    elif mode != "non-blocking" and options.get("max-buffer-size"):
        yield setting.fault("it goes with mode non-blocking only", "max-buffer-size")


def _wrong_labels(setting: _Setting) -> Iterator[Fault]:
    labels = setting.value
    for label in labels:
        if "=" not in label:
            yield setting.fault(f"{label!r} is not a label (name=value)")
    names = [label.partition("=")[0] for label in set(labels)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield setting.fault(f"{name} stands there twice, with two values")


def _wrong_runtimes(setting: _Setting) -> Iterator[Fault]:
    needs_path = setting.major is not None and setting.major >= _RUNTIME_PATHS
    for name, runtime in setting.value.items():
        if name == "runc":
            yield setting.fault("this name is the engine's own", name)
        elif runtime == {} and needs_path:
            yield setting.fault("a runtime needs a path or a runtimeType", name)


def _wrong_default_runtime(setting: _Setting) -> Iterator[Fault]:
    name = setting.value
    runtimes = setting.file.get("runtimes")
    registered = set(runtimes) if isinstance(runtimes, dict) else set()
    is_shim = re.match(r"io\.containerd\.|/", name) is not None
    if name not in _STOCK_RUNTIMES | registered and not is_shim:
        yield setting.fault(f"there is no runtime {name!r} under runtimes")


def _wrong_exec_options(setting: _Setting) -> Iterator[Fault]:
    for option in setting.value:
        name, equals, driver = option.partition("=")
        needs_value = setting.major is not None and setting.major >= _EXEC_OPTIONS_CHECKED
        if not equals and needs_value:
            yield setting.fault(f"{option!r} is not an option (name=value)")
        elif name.strip().lower() == "native.cgroupdriver" and driver not in _CGROUP_DRIVERS:
            yield setting.fault(f"{driver!r} is not a cgroup driver (systemd, cgroupfs)")


def _wrong_storage_driver(setting: _Setting) -> Iterator[Fault]:
    """A storage driver that there is not; those of containerd's store are not judged."""
    driver = setting.value
    features = setting.file.get("features")
    major = setting.major
    uses_store = isinstance(features, dict) and features.get("containerd-snapshotter") is True
    has_store_alone = major is not None and major >= _SNAPSHOTTERS
    if not driver or uses_store or has_store_alone:
        return
    is_gone = major is not None and major >= _GONE_STORAGE_DRIVERS.get(driver, _SNAPSHOTTERS)
    if driver not in _STORAGE_DRIVERS or is_gone:
        yield setting.fault(f"this engine has no storage driver {driver!r}")


def _wrong_pools(setting: _Setting) -> Iterator[Fault]:
    """Address pools that are not networks, or cannot be divided as they ask."""
    for configured in setting.value:
        if configured is None:
            yield setting.fault("a pool is null, on which the engine panics")
            continue
        base = configured.get("base")
        size = configured.get("size")
        if not isinstance(base, str) or not _is_network(base):
            yield setting.fault(f"{base!r} is not a network")
            continue
        if not isinstance(size, int):
            continue
        pool = ipaddress.ip_network(base, strict=False)
        if size < pool.prefixlen:
            yield setting.fault(f"size {size} is larger than the pool {base}")
        elif size > pool.max_prefixlen and setting.major not in _ENDLESS_POOLS:
            yield setting.fault(
                f"size {size} is longer than an address: the engine counts without end"
            )


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_interface(value)
    except ValueError:
        return False
    return True


_JUDGES: Mapping[str, Callable[[_Setting], Iterator[Fault]]] = {
    "bip": _wrong_bip,
    "bip6": _wrong_network,
    "default-address-pools": _wrong_pools,
    "default-runtime": _wrong_default_runtime,
    "dns": _wrong_addresses,
    "exec-opts": _wrong_exec_options,
    "fixed-cidr": _wrong_network,
    "fixed-cidr-v6": _wrong_network,
    "host-gateway-ip": _wrong_addresses,
    "insecure-registries": _wrong_registries,
    "ip": _wrong_addresses,
    "labels": _wrong_labels,
    "log-level": _wrong_level,
    "log-opts": _wrong_log_options,
    "max-concurrent-downloads": _wrong_count,
    "max-concurrent-uploads": _wrong_count,
    "max-download-attempts": _wrong_count,
    "registry-mirrors": _wrong_mirrors,
    "runtimes": _wrong_runtimes,
    "storage-driver": _wrong_storage_driver,
}
"""The function that finds the faults in the value of a key."""
