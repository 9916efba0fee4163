"""The settings of daemon.json: since when, until when, and of which type. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from diagnose.evidence.engine.config import KEY_OF_FLAG
from diagnose.model import Json

BOOL = "bool"
INT = "number"
TEXT = "string"
LIST = "list of strings"
MAP = "object of strings"
OBJECT = "object"
OBJECTS = "list of objects"
ANY = ""

_KEYS_BY_TYPE: Mapping[str, str] = {
    BOOL: """
        allow-direct-routing cri-containerd debug disable-legacy-registry experimental icc init
        ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 live-restore
        no-new-privileges raw-logs rootless selinux-enabled tls tlsverify userland-proxy
    """,
    INT: """
        cpu-rt-period cpu-rt-runtime max-concurrent-downloads max-concurrent-uploads
        max-download-attempts mtu network-control-plane-mtu network-diagnostic-port
        oom-score-adjust shutdown-timeout
    """,
    TEXT: """
        api-cors-header bip bip6 bridge bridge-accept-fwmark cgroup-parent cluster-advertise
        cluster-store containerd containerd-namespace containerd-plugins-namespace data-root
        default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode default-runtime
        exec-root firewall-backend fixed-cidr fixed-cidr-v6 graph group host-gateway-ip http-proxy
        https-proxy init-path ip log-driver log-format log-level metrics-addr min-api-version
        no-proxy pidfile seccomp-profile storage-driver swarm-default-advertise-addr tlscacert
        tlscert tlskey userland-proxy-path userns-remap
    """,
    LIST: """
        allow-nondistributable-artifacts authorization-plugins cdi-spec-dirs dns dns-opts
        dns-search exec-opts host-gateway-ips hosts insecure-registries labels
        node-generic-resources registry-mirrors storage-opts
    """,
    MAP: "cluster-store-opts log-opts",
    OBJECT: "builder default-network-opts default-ulimits features nri-opts proxies runtimes",
    OBJECTS: "default-address-pools",
    ANY: "default-shm-size validate",
}
"""The keys of the engine's configuration, by the type of their values."""
TYPES: Mapping[str, str] = {
    key: kind for kind, keys in _KEYS_BY_TYPE.items() for key in keys.split()
}
"""Keys of engines 20.10 to 29 and the types that their decoder takes. Any flag's own name is taken
as a key too, without effect if the key has another name."""

LENIENT = 23
"""From this major version on an empty file and a byte order mark are taken, and what follows the
object is refused."""
_SINCE: Mapping[str, int] = {
    **dict.fromkeys(("proxies", "http-proxy", "https-proxy", "no-proxy", "validate"), 23),
    "default-network-opts": 24,
    **dict.fromkeys(("cdi-spec-dirs", "log-format"), 25),
    **dict.fromkeys(("bip6", "host-gateway-ips", "ip-forward-no-drop", "allow-direct-routing"), 28),
    **dict.fromkeys(
        ("firewall-backend", "min-api-version", "nri-opts", "bridge-accept-fwmark"), 29
    ),
}
"""The first major version that takes a key (20.10, 26.1 and 28.5 were asked)."""
_UNTIL: Mapping[str, int] = {
    "graph": 22,
    "cluster-advertise": 22,
    "cluster-store": 22,
    "cluster-store-opts": 22,
    "disable-legacy-registry": 22,
    "oom-score-adjust": 25,
}
"""The last major version that takes a key."""
_NEVER = 999

_PYTHON_TYPES: Mapping[str, Any] = {BOOL: bool, INT: (int, float), TEXT: str, OBJECT: dict}
"""The types of Python that a value of JSON may have."""


def is_key(name: str, value: Json, major: int | None) -> bool:
    """Whether an engine of this major version takes a key (None: whether any version does).

    An object under a name that is not a setting is flattened by the engine, and its keys are looked
    up instead.
    """
    if name in KEY_OF_FLAG and name not in _UNTIL:
        return True
    if name not in TYPES:
        is_object = isinstance(value, dict) and bool(value)
        return is_object and all(is_key(key, value[key], major) for key in value)
    return major is None or _SINCE.get(name, 0) <= major <= _UNTIL.get(name, _NEVER)


class WrongType(msgspec.Struct, frozen=True):
    """A value whose type the engine's decoder refuses."""

    key: str
    """The key, with dots where the value is in a map."""
    text: str
    """The fault, in words."""


def wrong_type(key: str, value: Json) -> WrongType | None:
    """The type that the engine's decoder would refuse in this value; null is always accepted."""
    type_of_key = TYPES.get(key, ANY)
    if value is None or type_of_key == ANY:
        return None
    if type_of_key == MAP and isinstance(value, dict):
        return _first_wrong_entry(key, value)
    if _has_type(value, type_of_key):
        return None
    article = "an" if type_of_key.startswith(("a", "o")) else "a"
    return WrongType(key, f"{article} {type_of_key} is needed, not {_type_in_words(value)}")


def _has_type(value: Json, wanted_type: str) -> bool:
    """Whether a value of daemon.json has the type that its key wants."""
    if wanted_type in (LIST, OBJECTS):
        kind = str if wanted_type == LIST else dict
        return isinstance(value, list) and all(
            entry is None or isinstance(entry, kind) for entry in value
        )
    if wanted_type == MAP:
        return False
    # Python's bool is an int, JSON's is not a number
    return isinstance(value, _PYTHON_TYPES[wanted_type]) and (
        wanted_type == BOOL or not isinstance(value, bool)
    )


def _first_wrong_entry(key: str, entries: Mapping[str, Json]) -> WrongType | None:
    """The first entry of a map of texts that is not text."""
    for name, entry in entries.items():
        if entry is not None and not isinstance(entry, str):
            text = f"a string is needed, not {_type_in_words(entry)}: write it in quotes"
            return WrongType(f"{key}.{name}", text)
    return None


def _type_in_words(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else f"the number {value}"
