"""Page variables of looks, by the kind of thing that a failure is about: data, an image, a
server."""

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount, host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_peers import named_peers
from diagnose.evidence.containers.settings.named.named_settings import named_setting
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.first_steps.looks.server_questions import (
    is_spoken_of,
    kind_of_server,
    names_a_kind,
    server_question,
)
from diagnose.first_steps.named.line_steps import is_of_system, settings_folder, shown_settings
from diagnose.first_steps.named.named_programs import sought_name
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.recognition import Look
from diagnose.programs.telling_line import TellingLine

_REFERENCE = LazyPattern(
    r"(?P<name>[a-z0-9](?:[\w./-]|:\d+/){0,200}?)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?"
)
_PARTS = ("module", "class", "library", "plugin", "package", "extension", "file", "program")
"""The groups of a row that hold the name of what an image lacks."""
_PART = LazyPattern(r"@?[A-Za-z_][\w./@\\-]{1,100}")
_CERTIFICATE = LazyPattern(r"\.(?:pem|crt|cer|key|cert)$")
_OF_CERTIFICATES = LazyPattern(r"cert|ssl|tls|\bpki\b|letsencrypt|keys?$", re.IGNORECASE)
_OF_SECRETS = LazyPattern(r"KEY|SECRET|TOKEN|PASS|SALT", re.IGNORECASE)
"""Variables of which the page shows the length."""
_PLAIN_URL = LazyPattern(
    r"https?://(?!localhost\b)[\w-]{1,60}(?:\.[\w-]{1,60}){1,8}(?::\d{1,5})?(?:/[\w./-]{0,200})?"
)
"""An address that the host can ask too, and that holds no login: a container's name has no dot."""
_OF_ADDRESSES = LazyPattern(r"://|^[^=]*(?:ADDR|HOST|SERVER|URI|URL)", re.IGNORECASE)
_MOST_BESIDE = 8
"""Containers whose mounts are shown, at most."""
_DATA = LazyPattern(r"data|/var/lib/|/db\b|storage|/srv/")


class LookCase(msgspec.Struct, frozen=True):
    """A container that has failed, or repeats an error, and the meaning of its line."""

    container: Container
    failure: Recognised | None
    text: str
    containers: Containers | None

    @property
    def words(self) -> str:
        """The text of the failure and its row, in small letters."""
        row = (
            f"{self.failure.name} {self.failure.failure.cause}" if self.failure is not None else ""
        )
        return f"{row} {self.text}".lower()

    @property
    def missed_part(self) -> str:
        """The module or file that the image lacks by the row; "" where none is named."""
        part = self.value(*_PARTS)
        return part if _PART.fullmatch(part) else ""

    def value(self, *names: str) -> str:
        """The first of these groups of the row that has a value; "" where none has."""
        values = self.failure.values if self.failure is not None else {}
        return next((values[name] for name in names if values.get(name)), "")


def _builds(case: LookCase) -> PageVariables:
    image = _REFERENCE.fullmatch(case.container.config.image)
    if image is None or image["name"] == "sha256":
        return {}
    return {"builds_of": image["name"], "built": case.container.name}


def _versions(case: LookCase) -> PageVariables:
    """The page variables of the version of its data beside that of its image, or else of the images
    on the host."""
    folder = _data(case).get("named_folder")
    return {"versions_in": folder, "opened_by": case.container.name} if folder else _builds(case)


def _child(case: LookCase) -> PageVariables:
    name = case.container.name
    return {"supervising": name, "child_logs": f"{name}:/var/log/supervisor"}


def _database(case: LookCase) -> PageVariables:
    """The page variables of the only server that the line may be about, and of its contents."""
    server = _server_of(case)
    if server is None:
        return _data(case)
    return {"asked_server": server.name, "server_question": server_question(server, case.words)}


def _server_of(case: LookCase) -> Container | None:
    """The server that the line is about: the container, one that the line calls, or a neighbour."""
    if case.containers is None:
        return None
    called = named_peers((case.text,), case.container, case.containers)
    near = _only_server((case.container, *called), case.words)
    return near or _only_server(_callable_neighbours(case.container, case.containers), case.words)


def _only_server(candidates: Iterable[Container], words: str) -> Container | None:
    """The only server whose kind the words name; where they name no kind, the only server."""
    servers = [candidate for candidate in candidates if kind_of_server(candidate) is not None]
    if names_a_kind(words):
        # a line about Redis is not about the only neighbour where that is a PostgreSQL
        servers = [server for server in servers if is_spoken_of(server, words)]
    return only(servers)


def _callable_neighbours(container: Container, containers: Containers) -> list[Container]:
    """The containers beside it that it can call by name: the default network has no names."""
    return [
        neighbour
        for neighbour in containers.beside(container)
        if container.shared_networks(neighbour) - {DEFAULT_NETWORK}
    ]


def _data(case: LookCase) -> PageVariables:
    """The page variables of the folder of its data: the only writable one, or the one with that
    name."""
    mount = _data_mount(case.container)
    return {"named_folder": mount.source} if mount is not None else {}


def _named_data(case: LookCase) -> PageVariables:
    """The page variables of the folder with the file of data that the line names, or else of all
    its data."""
    setting = named_setting(case.container, TellingLine(case.text))
    folder = posixpath.dirname(setting.path) if setting is not None else ""
    return {"named_folder": folder} if folder and not is_of_system(folder) else _data(case)


def _data_mount(container: Container) -> Mount | None:
    """The mount of the folder that has the container's data; None where several may have it."""
    mounts = [mount for mount in container.writable_host_mounts if not is_of_system(mount.source)]
    called = [mount for mount in mounts if _DATA.search(mount.destination)]
    return only(mounts) or only(called)


def _image(case: LookCase) -> PageVariables:
    """The page variables that search the image for the name that the line misses, or list the
    folder of the program."""
    container = case.container
    part = case.missed_part
    if part:
        last = re.split(r"[/\\]", part.rstrip("/"))[-1]
        stem = last.rpartition(".")[2] if case.value("class") and "." in last else last
        if part == case.value("program"):
            # the image may have another version of it
            stem = last.rstrip("0123456789.-") or last
        return {"searched": container.name, "sought_file": f"/[^/]*{sought_name(stem)}[^/]*/?$"}
    folder = container.config.working_dir
    if not folder.startswith("/") or folder == "/" or host_mount(container.mounts, folder):
        return _data(case) if folder and host_mount(container.mounts, folder) else {}
    return {"inside": f"{container.name}:{folder}"}


def _scripts(case: LookCase) -> PageVariables:
    """The page variables that list the commands of the program's package.json."""
    container = case.container
    path = f"{container.config.working_dir.rstrip('/')}/package.json"
    if not path.startswith("/"):
        return {}
    mount = host_mount(container.mounts, path)
    if mount is not None:
        return {"setting_file": mount.on_host(path), "setting_line": "0"}
    return {"file_inside": f"{container.name}:{path}", "line_inside": "0"}


def _certificate(case: LookCase) -> PageVariables:
    """The page variables of the certificate of the server that the line calls, or of the mounted
    files."""
    host, port = place_in(case.text)
    if host and port and not is_loopback(host):
        return {"tls_server": f"{host}:{port}"}
    mounts = [
        mount
        for mount in case.container.mounts
        if mount.has_host_path and not is_of_system(mount.source)
    ]
    own_mounts = [
        mount
        for mount in mounts
        if _CERTIFICATE.search(mount.source)
        or _OF_CERTIFICATES.search(f"{mount.source} {mount.destination}")
    ]
    mount = only(own_mounts) or only(
        [mount for mount in mounts if mount.type == "bind" and not mount.rw]
    )
    return {"certificates_in": mount.source} if mount is not None else {}


def _machine(case: LookCase) -> PageVariables:
    return {"machine_of": case.container.name}


def _memory(case: LookCase) -> PageVariables:
    return {"memory_of": case.container.name}


def _networks(case: LookCase) -> PageVariables:
    return {"networks_of": case.container.name}


def _secrets(case: LookCase) -> PageVariables:
    """The page variables of the variables with keys and passwords; of the mounted settings where
    the container has none."""
    has_secrets = any(_OF_SECRETS.search(name) for name, _ in case.container.config.environment)
    return {"secrets_of": case.container.name} if has_secrets else shown_settings(case.container)


def _mounts_beside(case: LookCase) -> PageVariables:
    """The page variables that list the mounts of a container and of those beside it, for a path
    that they name to each other."""
    neighbours = case.containers.beside(case.container) if case.containers is not None else []
    names = [case.container.name, *(other.name for other in neighbours if other.is_running)]
    return {"mounts_of": " ".join(names[:_MOST_BESIDE])}


def _addresses(case: LookCase) -> PageVariables:
    """The page variables of the only address that the program is given, or else of all that may
    name a server."""
    variables = case.container.config.environment
    urls = {value for _, value in variables if _PLAIN_URL.fullmatch(value)}
    url = only(sorted(urls))
    if url is not None:
        return {"asked_url": url}
    has_addresses = any(_OF_ADDRESSES.search(f"{name}={value}") for name, value in variables)
    return (
        {"addresses_of": case.container.name} if has_addresses else shown_settings(case.container)
    )


def _encoding(case: LookCase) -> PageVariables:
    """The page variables of the mounted file that the line names, or else of the folder with its
    settings."""
    setting = named_setting(case.container, TellingLine(case.text))
    place = setting.path if setting is not None and setting.path else ""
    folder = place or settings_folder(case.container)
    return {"recoded_in": folder} if folder else {}


def _shared_folder(case: LookCase) -> PageVariables:
    """The page variables of the folder of its data, which another program or a share of the network
    may have."""
    mount = _data_mount(case.container)
    if mount is None:
        return {}
    # the engine finds the containers of a volume by its name alone
    return {"shared_data": mount.source, "shared_mount": mount.name or mount.source}


LOOKS: Mapping[Look, Callable[[LookCase], PageVariables]] = {
    "addresses": _addresses,
    "builds": _builds,
    "certificate": _certificate,
    "child": _child,
    "data": _named_data,
    "database": _database,
    "devices": lambda case: {"devices_of": case.container.name},
    "encoding": _encoding,
    "graphics": lambda case: {"graphics_of": case.container.name},
    "image": _image,
    "machine": _machine,
    "memory": _memory,
    "mounts": _mounts_beside,
    "networks": _networks,
    "scripts": _scripts,
    "secrets": _secrets,
    "sharing": _shared_folder,
    "versions": _versions,
}
"""The function with the page variables of each kind."""
