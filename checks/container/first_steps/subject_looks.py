"""What is looked at where no command heals a known failure: it decides between the causes.

A row of `diagnose/programs/failures` says by its `look` which kind of thing that is; here it is
found on this host. A row without one is about settings.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec

from checks.container.first_steps.line_operands import named_operand
from checks.container.first_steps.line_steps import is_of_system, settings_folder, shown_settings
from checks.container.first_steps.named_programs import sought_name
from checks.container.first_steps.server_questions import (
    is_spoken_of,
    kind_of_server,
    names_a_kind,
    server_question,
)
from checks.container.first_steps.spoken_subjects import spoken_subject
from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.inspect import Mount, host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_peers import named_peers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure, Look

_REFERENCE = LazyPattern(
    r"(?P<name>[a-z0-9](?:[\w./-]|:\d+/){0,200}?)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?"
)
_WORDS = ("variable", "setting", "key", "option", "field", "name", "word", "unset", "second")
"""The groups of a row that hold the name of a setting, the surest first."""
_WORD = LazyPattern(r"(?=.*[A-Za-z])[\w.-]{3,80}")
_PARTS = ("module", "class", "library", "plugin", "package", "extension", "file", "program")
"""The groups of a row that hold the name of what an image lacks."""
_PART = LazyPattern(r"@?[A-Za-z_][\w./@\\-]{1,100}")
_CERTIFICATE = LazyPattern(r"\.(?:pem|crt|cer|key|cert)$")
_OF_CERTIFICATES = LazyPattern(r"cert|ssl|tls|\bpki\b|letsencrypt|keys?$", re.IGNORECASE)
_ADDRESS = LazyPattern(r"://|^[^=]*(?:host|addr|server|broker)", re.IGNORECASE)
"""Variables that may hold the address of a server."""
_PLACES = ("host", "address", "server", "peer", "url", "port")
"""The groups of a row that hold what the program has called."""
_BLAMED_MOUNT = LazyPattern(r"\bmount hides|\bmounts? (?:away|over)\b")
_SETTING = LazyPattern(r"\bsettings?\b|\boption\b|\bcommand of the container\b")
"""Words of rows about one setting that they do not name."""
_SETTINGS = LazyPattern(r"\bconfiguration|\bin (?:a|the) file\b|\bconfig\b|settings file")
"""Words of rows that are about files of settings."""
_OF_SECRETS = LazyPattern(r"KEY|SECRET|TOKEN|PASS|SALT", re.IGNORECASE)
"""Variables of which the page shows the length."""
OF_DATA = frozenset({"data", "memory", "sharing", "versions"})
"""Looks of rows about what is in a file or under it, and not about the lines of settings."""
_MOST_BESIDE = 8
"""Containers whose mounts are shown at most."""
_DATA = LazyPattern(r"data|/var/lib/|/db\b|storage|/srv/")


class _Case(msgspec.Struct, frozen=True):
    """A container that has failed, or repeats an error, and what its line means."""

    container: Container
    failure: Recognised | None
    text: str
    containers: Containers | None

    @property
    def words(self) -> str:
        """What is known of the failure, in small letters."""
        row = (
            f"{self.failure.name} {self.failure.failure.cause}" if self.failure is not None else ""
        )
        return f"{row} {self.text}".lower()

    def value(self, *names: str) -> str:
        """The first of these groups of the row that has a value; "" where none has."""
        values = self.failure.values if self.failure is not None else {}
        return next((values[name] for name in names if values.get(name)), "")


def subject_look(
    container: Container, failure: Recognised | None, text: str, containers: Containers | None
) -> PageVariables:
    """The variables of a page that shows what the failure is about; none where that is unknown.

    text: the line that explains it.
    """
    case = _Case(container, failure, text, containers)
    return next(filter(None, _looks(case)), {})


def running_look(
    container: Container, failure: Recognised | None, text: str, containers: Containers | None
) -> PageVariables:
    """The variables of a page about a program that runs on, where its row says what that is.

    Elsewhere its line may be about a request.
    """
    if failure is None:
        return {}
    case = _Case(container, failure, text, containers)
    return next(filter(None, _running_looks(case, failure.failure)), {})


def _running_looks(case: _Case, row: Failure) -> Iterator[PageVariables]:
    kind = _kind_of(case)
    yield _own_calls(case)
    if kind:
        yield _BY_KIND[kind](case)
    if row.turns_away or row.of_running is ABOUT_SETTINGS:
        yield _place_of_word(case)
        yield _mounted_settings(case)


def _looks(case: _Case) -> Iterator[PageVariables]:
    kind = _kind_of(case)
    yield _own_calls(case)
    yield _hidden_place(case, kind)
    yield _unnamed_place(case)
    if kind:
        yield _BY_KIND[kind](case)
    yield _unanswered_place(case)
    yield _own_port(case)
    yield _place_of_word(case)
    yield _mounted_settings(case)
    yield _definition(case)


def _kind_of(case: _Case) -> Look | Literal[""]:
    """The kind of thing that the row is about, or of which a line without a row has the words."""
    if case.failure is None:
        return spoken_subject(case.text)
    row = case.failure.failure
    return row.look or ("builds" if row.build else "")


def _own_calls(case: _Case) -> PageVariables:
    """The variables that may name a server, where the program calls its own container."""
    is_of_loopback = case.failure is not None and case.failure.name.startswith("loopback-")
    is_alone = is_of_loopback and not case.container.shares_network
    return {"self_caller": case.container.name} if is_alone else {}


def _unanswered_place(case: _Case) -> PageVariables:
    """The host and port at which the line finds nobody."""
    host, port = place_in(case.text)
    is_call = bool(signs(case.text) & FOUND_NOBODY)
    if not (host and port and is_call) or is_loopback(host):
        return {}
    return {"asked_host": host, "asked_port": str(port)}


def _unnamed_place(case: _Case) -> PageVariables:
    """The addresses that the program is given, where its line does not say what it has called."""
    host, _ = place_in(case.text)
    is_call = bool(signs(case.text) & FOUND_NOBODY)
    given = any(_ADDRESS.search(variable) for variable in case.container.config.env or ())
    is_unnamed = is_call and not host and not case.value(*_PLACES) and given
    return {"calls_of": case.container.name} if is_unnamed else {}


def _hidden_place(case: _Case, kind: Look | Literal[""]) -> PageVariables:
    """The one folder that is mounted where the program may lie, where its row blames a mount.

    What the row names is better sought in the image.
    """
    row = case.failure.failure if case.failure is not None else None
    is_blamed = row is not None and _BLAMED_MOUNT.search(f"{row.cause} {row.cure}")
    if not is_blamed or (kind == "image" and _PART.fullmatch(case.value(*_PARTS))):
        return {}
    container = case.container
    folder = f"{container.config.working_dir.rstrip('/')}/"
    near = [
        mount
        for mount in container.bind_mounts
        if f"{mount.destination}/".startswith(folder) or folder.startswith(f"{mount.destination}/")
    ]
    mount = only([mount for mount in near if "." not in posixpath.basename(mount.destination)])
    if mount is None:
        return {}
    return {
        "hiding_folder": mount.source,
        "hidden_in": container.name,
        "hidden_place": mount.destination.strip("/"),
    }


def _place_of_word(case: _Case) -> PageVariables:
    """Where compose and its files set what the line names."""
    word = case.value(*_WORDS) or _objected_word(case)
    folder = case.container.compose_folder or settings_folder(case.container)
    is_name = _WORD.fullmatch(word) is not None and not word.isdigit()
    is_folder = folder.startswith("/") and not is_of_system(folder)
    return {"named_word": word, "word_folder": folder} if is_name and is_folder else {}


def _own_port(case: _Case) -> PageVariables:
    """The port that is taken in a network of the container's own."""
    port = case.value("port")
    is_taken = case.failure is not None and case.failure.name == "port-inside"
    if not (is_taken and port.isdigit()) or case.container.shares_host_network:
        return {}
    return {"port_of": case.container.name, "own_port": port}


def _objected_word(case: _Case) -> str:
    """The word of a complaint about settings for which its row has no name."""
    row = case.failure.failure if case.failure is not None else None
    is_about = row is not None and (row.of_running is ABOUT_SETTINGS or _SETTING.search(row.cause))
    return named_operand(case.text) if is_about else ""


def _mounted_settings(case: _Case) -> PageVariables:
    """The one mount with its settings, for a failure of those."""
    is_about = case.failure is not None and _SETTINGS.search(
        f"{case.failure.failure.cause} {case.failure.failure.cure}"
    )
    return shown_settings(case.container) if is_about else {}


def _definition(case: _Case) -> PageVariables:
    """The service in its compose file, where everything that it is given stands.

    Where nothing is known of the line, a run of the image alone tells more.
    """
    place = case.container.page_variables
    is_of_compose = "project_file" in place and case.failure is not None
    return {"defined_service": f"{place['project_service']}:"} if is_of_compose else {}


def _builds(case: _Case) -> PageVariables:
    image = _REFERENCE.fullmatch(case.container.config.image)
    if image is None or image["name"] == "sha256":
        return {}
    return {"builds_of": image["name"], "built": case.container.name}


def _versions(case: _Case) -> PageVariables:
    """The version of its data beside that of its image, or else what the host has to run."""
    folder = _data(case).get("named_folder")
    return {"versions_in": folder, "opened_by": case.container.name} if folder else _builds(case)


def _child(case: _Case) -> PageVariables:
    name = case.container.name
    return {"supervising": name, "child_logs": f"{name}:/var/log/supervisor"}


def _database(case: _Case) -> PageVariables:
    """The one server that the line may be about, and what it has."""
    server = _server_of(case)
    if server is None:
        return _data(case)
    return {"asked_server": server.name, "server_question": server_question(server, case.words)}


def _server_of(case: _Case) -> Container | None:
    """The server that the line is about, among those that it calls or else its neighbours."""
    if case.containers is None:
        return None
    called = named_peers((case.text,), case.container, case.containers)
    for near in ((case.container, *called), case.containers.beside(case.container)):
        servers = [server for server in near if kind_of_server(server) is not None]
        spoken = [server for server in servers if is_spoken_of(server, case.words)]
        # a line about Redis is not about the only neighbour where that is a PostgreSQL
        server = only(spoken) or (None if names_a_kind(case.words) else only(servers))
        if server is not None:
            return server
    return None


def _data(case: _Case) -> PageVariables:
    """The folder of its data: the only one that it may write, or the one that is called so."""
    mount = _data_mount(case.container)
    return {"named_folder": mount.source} if mount is not None else {}


def _data_mount(container: Container) -> Mount | None:
    """What the folder of its data is mounted from."""
    mounts = [mount for mount in container.writable_host_mounts if not is_of_system(mount.source)]
    called = [mount for mount in mounts if _DATA.search(mount.destination)]
    return only(mounts) or only(called)


def _image(case: _Case) -> PageVariables:
    """What the image has by the name that the line misses, or else the folder of the program."""
    container, part = case.container, case.value(*_PARTS)
    if _PART.fullmatch(part):
        last = re.split(r"[/\\]", part.rstrip("/"))[-1]
        stem = last.rpartition(".")[2] if case.value("class") and "." in last else last
        return {"searched": container.name, "sought_file": f"/[^/]*{sought_name(stem)}[^/]*/?$"}
    folder = container.config.working_dir
    if not folder.startswith("/") or folder == "/" or host_mount(container.mounts, folder):
        return _data(case) if folder and host_mount(container.mounts, folder) else {}
    return {"inside": f"{container.name}:{folder}"}


def _scripts(case: _Case) -> PageVariables:
    """The commands that the program's package.json has."""
    container = case.container
    path = f"{container.config.working_dir.rstrip('/')}/package.json"
    if not path.startswith("/"):
        return {}
    mount = host_mount(container.mounts, path)
    if mount is not None:
        return {"setting_file": mount.on_host(path), "setting_line": "0"}
    return {"file_inside": f"{container.name}:{path}", "line_inside": "0"}


def _certificate(case: _Case) -> PageVariables:
    """The certificate of the server that the line calls, or the files that are mounted."""
    host, port = place_in(case.text)
    if host and port and not is_loopback(host):
        return {"tls_server": f"{host}:{port}"}
    mounts = [
        mount
        for mount in case.container.mounts
        if mount.has_host_path and not is_of_system(mount.source)
    ]
    own = [
        mount
        for mount in mounts
        if _CERTIFICATE.search(mount.source)
        or _OF_CERTIFICATES.search(f"{mount.source} {mount.destination}")
    ]
    mount = only(own) or only([mount for mount in mounts if mount.type == "bind" and not mount.rw])
    return {"certificates_in": mount.source} if mount is not None else {}


def _machine(case: _Case) -> PageVariables:
    return {"machine_of": case.container.name}


def _memory(case: _Case) -> PageVariables:
    return {"memory_of": case.container.name}


def _networks(case: _Case) -> PageVariables:
    return {"networks_of": case.container.name}


def _secrets(case: _Case) -> PageVariables:
    """The variables with keys and passwords; the mounted settings where the container has none."""
    given = any(_OF_SECRETS.search(name) for name, _ in case.container.config.environment)
    return {"secrets_of": case.container.name} if given else shown_settings(case.container)


def _mounts_beside(case: _Case) -> PageVariables:
    """What a container and those beside it mount, for a path that they name to each other."""
    beside = case.containers.beside(case.container) if case.containers is not None else []
    names = [case.container.name, *(other.name for other in beside if other.is_running)]
    return {"mounts_of": " ".join(names[:_MOST_BESIDE])}


def _sharing(case: _Case) -> PageVariables:
    """The folder of its data, which another program or a share of the network may have."""
    mount = _data_mount(case.container)
    if mount is None:
        return {}
    # the engine finds the containers of a volume by its name alone
    return {"shared_data": mount.source, "shared_mount": mount.name or mount.source}


_BY_KIND: Mapping[Look, Callable[[_Case], PageVariables]] = {
    "builds": _builds,
    "certificate": _certificate,
    "child": _child,
    "data": _data,
    "database": _database,
    "devices": lambda case: {"devices_of": case.container.name},
    "graphics": lambda case: {"graphics_of": case.container.name},
    "image": _image,
    "machine": _machine,
    "memory": _memory,
    "mounts": _mounts_beside,
    "networks": _networks,
    "scripts": _scripts,
    "secrets": _secrets,
    "sharing": _sharing,
    "versions": _versions,
}
