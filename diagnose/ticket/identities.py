"""The names of people, hosts and things in a recording.

Collected from the fields where names stand, so that they can be renamed everywhere.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from diagnose.model import Failed, Json
from diagnose.recording.answer_files import Recording
from diagnose.ticket.addresses import Network
from diagnose.ticket.vocabulary import OFFICIAL, PUBLIC
from diagnose.word_sets import vocabulary

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

KINDS = (
    "container",
    "host",
    "service",
    "project",
    "network",
    "bridge",
    "volume",
    "user",
    "context",
    "domain",
    "image",
)
"""In the order in which they count where one word names several things."""
NAME_KEYS = vocabulary(
    "Name Names name names Hostname hostname nodename Aliases DNSNames Links container Container "
    "NetworkMode VolumesFrom "
    "user username context com.docker.network.bridge.name com.docker.compose.project "
    "com.docker.compose.service "
    "com.docker.compose.volume com.docker.compose.network com.docker.swarm.service.name "
    "com.docker.stack.namespace "
    "com.docker.swarm.task.name"
)
"""Keys whose whole value is a name."""
IMAGE_KEYS = vocabulary(
    "Image RepoTags RepoDigests image from imageName com.docker.swarm.service.image"
)
_LABELS = {
    "com.docker.compose.project": "project",
    "com.docker.compose.service": "service",
    "com.docker.swarm.service.name": "service",
    "com.docker.stack.namespace": "project",
    "com.docker.swarm.task.name": "container",
    "com.docker.compose.volume": "volume",
    "com.docker.compose.network": "network",
}
"""The kind of name that a label holds."""
_TOPS = vocabulary("com net org io dev cloud eu de fr uk nl ch at it es pl us ca au jp in br")
"""A label's key begins with its owner's domain, backwards, as the engine's documentation asks for.
"""
_HOME = re.compile(r"/(?:home|Users)/([A-Za-z0-9_][\w.-]*)")
_URL_HOST = re.compile(
    r"[a-z][a-z0-9+.-]{0,30}://(?:([A-Za-z][\w.-]{0,200})"
    r"(?::[^@\s/]{0,500})?@)?([A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+)"
)
"""The user and the host of a URL."""
_MAIL = re.compile(r"\b([A-Za-z][\w.+-]*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_SEARCH = re.compile(r"^[ \t]*(?:search|domain)[ \t]+(.+)$", re.MULTILINE)
_CIDR = re.compile(
    r"(?<![\w.:])((?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f:]{0,39}::?[0-9A-Fa-f:]{0,39})/(\d{1,3})(?![\w.])"
)
"""192.0.2.0/24, or 2001:db8::/32"""
TASK = re.compile(r"(?P<service>.+)(?P<rest>\.(?:\d+|[a-z0-9]{25})\.[a-z0-9]{25})")
"""A swarm task's container: service, slot or node, task."""
_HEX = re.compile(r"[0-9a-f]{12,}")
_HOST_NAME = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?"
)
"""A host name of one part or of several."""


@functools.cache
def _suffixes() -> PublicSuffixList:
    """The public suffix list as the package carries it (47 ms, once, where names are hidden)."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def registrable(name: str) -> str:
    """The part of a host name that somebody owns: `acme.internal`, `acme.co.uk`.

    "" for a name without a dot, or of everybody.
    """
    host = name.lower().rstrip(".")
    owned: str = _suffixes().privatesuffix(host) or ""
    is_public = owned in PUBLIC or any(owned.endswith(f".{domain}") for domain in PUBLIC)
    return "" if is_public or host.rpartition(".")[2].isdigit() else owned


class ImageReference(msgspec.Struct, frozen=True):
    """The parts of an image reference, each with its separator; "" for one that it lacks."""

    registry: str
    path: str
    tail: str
    """Tag and digest."""


def image_parts(reference: str) -> ImageReference:
    """The parts of a reference as docker reads it."""
    path, at, digest = reference.partition("@")
    first, slash, rest = path.partition("/")
    registry = ""
    is_registry = "." in first or ":" in first or first == "localhost"
    if slash and is_registry:
        registry = first + slash
        path = rest
    head, colon, tag = path.rpartition(":")
    if not colon:
        head = path
        tag = ""
    return ImageReference(registry, head, colon + tag + at + digest)


class Identities:
    """Names by kind, and the networks whose prefix lengths the recording tells."""

    def __init__(self, recording: Recording) -> None:
        self.names: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self.tasks: set[str] = set()
        self.networks: set[Network] = set()
        for question, entry in recording.items():
            self._question(question.kind, question.args)
            if isinstance(entry.answer, Failed):
                self._text(entry.answer.detail)
            else:
                self._answer(question.kind, entry.answer)
                self._find_by_shape(entry.answer)

    def _add(self, kind: str, *names: Json) -> None:
        """Note names of one kind; numbers and ids identify nobody."""
        for name in names:
            if not isinstance(name, str):
                continue
            clean = name.strip("/").rstrip(".")
            task = TASK.fullmatch(clean) if kind in ("container", "service") else None
            if task:
                self._add("service", task["service"])
                self.tasks.add(clean)
            elif kind in ("host", "domain") and "." in clean and _HOST_NAME.fullmatch(clean):
                self._host_name(kind, clean)
            elif clean and not clean.isdigit() and not _HEX.fullmatch(clean):
                self.names[kind].add(clean)

    def _host_name(self, kind: str, name: str) -> None:
        """Note the names in a host name: the registered domain, and the first label."""
        try:
            ipaddress.ip_address(name)
        except ValueError:
            owned = registrable(name)
            if owned:
                self.names["domain"].add(owned)
            head = name.partition(".")[0]
            if kind != "domain" and head != name and not head.isdigit():
                self.names[kind].add(head)

    def _question(self, kind: str, args: Mapping[str, Json]) -> None:
        if kind == "dns.query" and args.get("name") not in (".", ""):
            self._add("domain", args.get("name"))

    def _answer(self, kind: str, answer: Any) -> None:
        """Names from the answers whose shape says what they name."""
        reader = self._READERS.get(kind)
        if reader is not None:
            for row in self._rows(kind, answer):
                reader(self, row)

    def _docker_network(self, row: dict[str, Any]) -> None:
        self._add("network", row.get("Name"))
        bridge = (row.get("Options") or {}).get("com.docker.network.bridge.name")
        is_named_by_engine = bridge == f"br-{str(row.get('Id'))[:12]}"
        self._add("bridge", None if is_named_by_engine else bridge)
        self._add("container", *(member.get("Name") for member in _dicts(row.get("Containers"))))

    def _volume(self, row: dict[str, Any]) -> None:
        self._add("volume", row.get("Name"))

    def _service(self, row: dict[str, Any]) -> None:
        self._add("service", (row.get("Spec") or {}).get("Name"))
        self._swarm_node(row)

    def _swarm_node(self, row: dict[str, Any]) -> None:
        self._add("host", (row.get("Description") or {}).get("Hostname"))

    def _info(self, row: dict[str, Any]) -> None:
        self._add("host", row.get("Name"))
        registries = row.get("RegistryConfig") or {}
        self._add(
            "domain", *(name.partition(":")[0] for name in registries.get("IndexConfigs") or {})
        )

    def _kernel(self, row: dict[str, Any]) -> None:
        self._add("host", row.get("nodename"))

    def _endpoint(self, row: dict[str, Any]) -> None:
        self._add("context", row.get("context"))
        place = urlsplit(str(row.get("url")))
        self._add("user", place.username)
        self._add("host", place.hostname)

    def _caller(self, row: dict[str, Any]) -> None:
        self._add("user", *(row.get(key) for key in ("user", "name", "username")))

    def _options(self, row: dict[str, Any]) -> None:
        self._add("domain", *(row.get("resolve") or ()))

    @staticmethod
    def _rows(kind: str, answer: Any) -> Iterator[dict[str, Any]]:
        if kind == "api.volumes" and isinstance(answer, dict):
            answer = answer.get("Volumes")
        if kind == "api.events" and isinstance(answer, dict):
            answer = answer.get("events")
        for row in answer if isinstance(answer, list) else [answer]:
            if isinstance(row, dict):
                yield row

    def _container(self, container: dict[str, Any]) -> None:
        """Collect the names in an inspect: container, image, networks and volumes."""
        names = [container.get("Name"), *(container.get("Names") or ())]
        for name in names:
            self._add("container", *str(name or "").strip("/").split("/"))
        self._image(container.get("Image"))
        self._config(container)
        self._host_config(container.get("HostConfig") or {})
        networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
        self._add("network", *networks)
        for endpoint in _dicts(networks):
            self._add(
                "container", *(endpoint.get("Aliases") or ()), *(endpoint.get("DNSNames") or ())
            )
        self._add(
            "volume",
            *(
                mount.get("Name")
                for mount in container.get("Mounts") or ()
                if isinstance(mount, dict)
            ),
        )

    def _config(self, answer: dict[str, Any]) -> None:
        config = answer.get("Config") or {}
        self._add("host", config.get("Hostname"))
        self._add("domain", config.get("Domainname"))
        self._labels(config.get("Labels") or answer.get("Labels"))
        self._image(config.get("Image"))

    def _host_config(self, host_config: dict[str, Any]) -> None:
        for bind in host_config.get("Binds") or ():
            if isinstance(bind, str) and bind[:1] not in "/.~":
                self._add("volume", bind.partition(":")[0])
        for line in host_config.get("ExtraHosts") or ():
            self._add("domain", str(line).partition(":")[0])

    def _event(self, event: dict[str, Any]) -> None:
        """Note the names in an event of the engine."""
        actor = event.get("Actor") or {}
        attributes = actor.get("Attributes") or {}
        kind = str(event.get("Type"))
        if kind in ("container", "network", "service"):
            self._add(kind, attributes.get("name"))
        if kind == "volume":
            self._add("volume", actor.get("ID"))
        self._image(attributes.get("image"))
        self._labels(attributes)

    def _labels(self, labels: Any) -> None:
        for key, value in labels.items() if isinstance(labels, dict) else ():
            if key in _LABELS:
                self._add(_LABELS[key], value)
            top, _, rest = key.partition(".")
            if top in _TOPS and "." in rest:
                self._add("domain", f"{rest.partition('.')[0]}.{top}")

    def _images(self, answer: dict[str, Any]) -> None:
        for key in ("RepoTags", "RepoDigests"):
            for image in answer.get(key) or ():
                self._image(image)
        self._labels(answer.get("Labels"))

    def _image(self, reference: Any) -> None:
        if not isinstance(reference, str) or reference.startswith("sha256:") or "<" in reference:
            return
        parts = image_parts(reference)
        registry = parts.registry
        path = parts.path
        self._add("domain", registry.rstrip("/").partition(":")[0])
        self._add("image", *(part for part in path.split("/") if part not in OFFICIAL))

    def _find_by_shape(self, value: Any) -> None:
        """Find names that show by their shape, wherever they stand.

        Homes, hosts in URLs, mail addresses, networks.
        """
        if isinstance(value, str):
            self._text(value)
        elif isinstance(value, dict):
            self._pair(value)
            for key, child in value.items():
                self._text(key)
                self._find_by_shape(child)
        elif isinstance(value, list):
            for child in value:
                self._find_by_shape(child)

    def _pair(self, value: Mapping[str, Any]) -> None:
        """An address and its prefix length as two fields, as netlink and the engine give them."""
        for key, size in (
            ("dst", "prefix"),
            ("address", "prefix"),
            ("IPAddress", "IPPrefixLen"),
            ("Gateway", "IPPrefixLen"),
        ):
            if isinstance(value.get(key), str) and isinstance(value.get(size), int):
                self._network(value[key], value[size])

    def _text(self, text: str) -> None:
        """Note what a text names: networks, users, hosts and domains."""
        if "/" in text:
            for address, size in _CIDR.findall(text):
                self._network(address, int(size))
            self._add("user", *_HOME.findall(text))
            for user, host in _URL_HOST.findall(text):
                self._add("user", user)
                self._add("domain", host)
        if "@" in text:
            for user, host in _MAIL.findall(text):
                self._add("user", user)
                self._add("domain", host)
        search_lists = _SEARCH.findall(text) if "nameserver" in text else ()
        for names in search_lists:
            self._add("domain", *names.split())

    def _network(self, address: str, size: int) -> None:
        try:
            network = ipaddress.ip_network(f"{address}/{size}", strict=False)
        except ValueError:
            return
        if 0 < size < network.max_prefixlen:
            self.networks.add(network)

    _READERS: ClassVar[Mapping[str, Callable[[Identities, dict[str, Any]], None]]] = {
        "api.container": _container,
        "api.containers": _container,
        "api.networks": _docker_network,
        "api.volumes": _volume,
        "api.image": _images,
        "api.images": _images,
        "api.events": _event,
        "api.services": _service,
        "api.tasks": _swarm_node,
        "api.nodes": _swarm_node,
        "api.info": _info,
        "uname": _kernel,
        "endpoint": _endpoint,
        "caller": _caller,
        "options": _options,
    }
    """What takes the names out of one row of an answer, by the kind of its question."""


def _dicts(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, dict)]
    return ()
