"""Traefik's static settings, and the routers in containers' labels. Pure."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.numbers import is_number

_ROUTER = LazyPattern(r"^traefik\.http\.routers\.(?P<name>[^.]+)\.(?P<key>.+)$", 2)
ROUTERS = "traefik.http.routers."
_PORT = LazyPattern(
    r"^traefik\.http\.services\.(?P<name>[^.]+)\.loadbalancer\.server\.(?P<key>port|url)$", 2
)
_HOST = LazyPattern(r"`([^`\s]{1,250})`")
_CLOSED = LazyPattern(r"(?im)^[ \t]*[\"']?exposedByDefault[\"']?[ \t]*[:=][ \t]*[\"']?false\b")
_NETWORK = LazyPattern(r"(?im)^[ \t]+network[ \t]*[:=][ \t]*[\"']?(?P<name>[\w.-]+)")
_NARROWED = LazyPattern(r"(?im)^[ \t]*(?:constraints|swarmMode)[ \t]*[:=]|^[ \t]*swarm[ \t]*:")
_TURNED_ON = LazyPattern(r"(?im)^[^#\n]*(?:\bdocker[\"']?[ \t]*:|\bproviders\.docker\b)")
FILES = ("traefik.yml", "traefik.yaml", "traefik.toml")
"""The files in /etc/traefik with static settings, which override all other settings."""
FOLDER = "/etc/traefik"
_PROVIDER = "providers.docker"
_DYNAMIC = LazyPattern(r"(?m)^(?:\[\[?)?(?P<key>http|tcp|tls|udp)(?:[.\]]|[ \t]*:)")
"""Sections that belong into a file of their own: Traefik drops unknown ones of its static file."""
_FILE_PROVIDER = LazyPattern(
    r"(?m)(?:^[ \t]+|[{,][ \t]{0,9})[\"']?file[\"']?[ \t]*:|^[ \t]*\[(?:providers\.)?file\]"
    r"|^[ \t]*(?:providers\.)?file(?:\.\w+)?[ \t]*="
)
"""The setting as YAML and TOML write it, in blocks, in braces, with dots, and as Traefik 1 did."""


class StaticSettings(msgspec.Struct, frozen=True):
    """The settings with which Traefik was started and that decide which containers it serves."""

    takes_all: bool = True
    """Whether a container without `traefik.enable` is served."""
    network: str = ""
    entry_points: frozenset[str] | None = None
    resolvers: frozenset[str] | None = None
    """entry_points, resolvers: names in lower case; None where they are in a file."""
    source: str = ""
    """The setting for which Traefik serves only containers with a label: its command, or a file."""
    endpoint: str = ""
    """The address of the engine that Traefik asks; "" for the usual socket."""


def is_traefik(container: Container) -> bool:
    """Whether a container runs Traefik 2 or 3 with routes from Docker's labels."""
    last = posixpath.basename(container.config.image.partition("@")[0])
    by_image = last.partition(":")[0] == "traefik" and not last.startswith("traefik:1")
    return by_image or any(_PROVIDER in word.lower() for word in container.config.words)


def settings_of_words(container: Container) -> StaticSettings | None:
    """From the command, or else from the variables; None if they limit which containers count.

    Also None if they do not turn on routes from labels: a file that is not mounted does so then.
    """
    flags = flags_of(container)
    source = "its command"
    if not flags:
        flags = _variables(container)
        source = "a variable"
    is_turned_on = any(f"{name}.".startswith(f"{_PROVIDER}.") for name in flags)
    is_narrowed = f"{_PROVIDER}.constraints" in flags or any("swarm" in name for name in flags)
    if is_narrowed or not is_turned_on:
        return None
    closed = flags.get(f"{_PROVIDER}.exposedbydefault", "").lower() == "false"
    return StaticSettings(
        not closed,
        network=flags.get(f"{_PROVIDER}.network", ""),
        entry_points=_second_words(flags, "entrypoints"),
        resolvers=_second_words(flags, "certificatesresolvers"),
        source=source,
        endpoint=flags.get(f"{_PROVIDER}.endpoint", ""),
    )


def settings_of_file(text: str, path: str) -> StaticSettings | None:
    """From the file's text; None if it limits which containers count, or reads no labels."""
    if _NARROWED.search(text) or not _TURNED_ON.search(text):
        return None
    network = _NETWORK.search(text)
    return StaticSettings(not _CLOSED.search(text), network["name"] if network else "", source=path)


def dynamic_parts(text: str, container: Container) -> tuple[str, ...]:
    """The sections of a static file that Traefik does not read there.

    Empty where a provider loads files: it may load that very file.
    """
    is_loaded = any("providers.file" in flag for flag in flags_of(container))
    if is_loaded or _FILE_PROVIDER.search(text):
        return ()
    return tuple(sorted({match["key"] for match in _DYNAMIC.finditer(text)}))


def flags_of(container: Container) -> dict[str, str]:
    """The flags of the command in lower case; a value follows `=`, or is the next word."""
    flags: dict[str, str] = {}
    last = ""
    for word in container.config.words:
        if word.startswith("-"):
            name, is_set, value = word.lstrip("-").partition("=")
            last = "" if is_set else name.lower()
            flags[name.lower()] = value
        elif last:
            flags[last] = word
            last = ""
    return flags


def _variables(container: Container) -> dict[str, str]:
    settings = (
        (name.removeprefix("TRAEFIK_").replace("_", ".").lower(), value)
        for name, value in container.config.environment
        if name.startswith("TRAEFIK_")
    )
    return dict(settings)


def _second_words(flags: Iterable[str], first: str) -> frozenset[str]:
    """The names that are defined below a prefix: `entrypoints.web.address` defines web."""
    parts = (flag.split(".") for flag in flags)
    return frozenset(part[1] for part in parts if part[0] == first and len(part) > 1)


class LabelledRouter(msgspec.Struct, frozen=True):
    """A router in a container's labels."""

    name: str
    settings: Mapping[str, str]
    port: int = 0
    """The port that a label names, 0 without such a label."""
    port_label: str = ""
    is_elsewhere: bool = False
    """Whether the router's target is elsewhere: another provider, a URL, or Traefik itself."""
    services: tuple[str, ...] = ()
    """The services that the router may mean, where Traefik cannot choose one."""

    @property
    def rule(self) -> str:
        return self.settings.get("rule", "")

    @property
    def site(self) -> str:
        """The first host name of its rule, or its own name."""
        match = _HOST.search(self.rule) if "host" in self.rule.lower() else None
        return match[1] if match else self.name

    @property
    def service(self) -> str:
        """The service in the router's settings; "" for the only one of its container."""
        return self.settings.get("service", "").removesuffix("@docker")

    @property
    def has_tls(self) -> bool:
        """Whether it takes requests by HTTPS, and those alone."""
        return any(
            key.startswith("tls") and value.lower() != "false"
            for key, value in self.settings.items()
        )

    def names(self, setting: str) -> list[str]:
        """The names in a list of its labels."""
        return [name.strip() for name in self.settings.get(setting, "").split(",") if name.strip()]


def routers_of(container: Container) -> Iterator[LabelledRouter]:
    """The HTTP routers that its labels define."""
    services = _services_of(container)
    has_url = any(service.is_url for service in services.values())
    for name, settings in _router_settings(container).items():
        service_name = settings.get("service", "").removesuffix("@docker")
        is_unknown = bool(service_name) and service_name not in services
        if has_url or "@" in service_name or is_unknown:
            yield LabelledRouter(name, settings, is_elsewhere=True)
        elif not service_name and len(services) > 1:
            yield LabelledRouter(name, settings, is_elsewhere=True, services=tuple(services))
        else:
            service = services.get(service_name) or first_of(services.values(), _Service("", ""))
            yield LabelledRouter(name, settings, service.port, service.label)


class _Service(msgspec.Struct, frozen=True):
    """The target of a Traefik service, a port or a URL, and the label that sets it."""

    label: str
    value: str
    is_url: bool = False

    @property
    def port(self) -> int:
        """The port as a number; 0 if the label has none."""
        return int(self.value) if is_number(self.value) else 0


def _services_of(container: Container) -> dict[str, _Service]:
    """By name, the services that a container's labels define."""
    services = {}
    for label, value in container.labels.items():
        if match := _PORT.match(label):
            services[match["name"]] = _Service(label, value, is_url=match["key"].lower() == "url")
    return services


def _router_settings(container: Container) -> dict[str, dict[str, str]]:
    """By name, the settings of the routers that a container's labels define."""
    by_name: dict[str, dict[str, str]] = {}
    for label, value in container.labels.items():
        if match := _ROUTER.match(label):
            by_name.setdefault(match["name"], {})[match["key"].lower()] = value
    return by_name
