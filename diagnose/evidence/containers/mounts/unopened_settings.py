"""Mounted files of settings that no program of their container reads.

The file is where the program does not look. Two things show that. The command of the program names
another file, or none where only a command can name one. Or no process has read the file since its
change, although the container has started since: the kernel notes the first reading after each
change (relatime), except where a mount is read-only or has the option noatime.
"""

import posixpath
import shlex
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.storage.mounts import Mounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, only
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import NOT_ASKED, PathStatus
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

MOST = 60
"""Mounts that are looked at."""
_MOST_ENTRIES = 12
"""A folder with more entries is none of settings alone."""
_SETTLED_S = 15.0
"""Most programs have read their settings so soon after the start."""
_SETTINGS = LazyPattern(
    r"(?:^|/)(?:\.env|Caddyfile|Corefile|config\.[jt]s"
    r"|[\w.-]{1,80}\.(?:conf|cnf|cfg|ini|toml|ya?ml|properties|env|hcl)"
    r"|[\w.-]{0,80}(?:conf|settings)[\w.-]{0,40}\.(?:json|xml))$"
)
"""Files that a program reads as it starts."""
_FOLDER = LazyPattern(r"^/etc/|(?:^|/)(?:conf(?:ig)?s?|etc|settings)(?:/|\.d/?$|$)")
"""Folders of settings, by their names."""
_READ_LATER = LazyPattern(
    r"""(?x)
      (?:^|/)\.\w[^/]*/
    | ^/etc/(?:ho|resolv|nsswitch|ld\.so|sysctl|logrotate|cron|sudo|security|pam|ssl/)
    | initdb | (?:^|/)backups?(?:/|$)
    | (?:^|/)(?:assets|build|dist|docs|html|htdocs|public|static|templates|tests?|www)/
    | (?:^|/)(?:asound|fonts|freetds|krb5|ldap|msmtp|nuget|odbc\w*|openssl|pip|rclone|ssmtp|sudo)
        \.\w+$
    | compose | package | tsconfig | pyproject | eslint | prettier | example | sample
    | ansible | esphome | renovate | terraform
    """
)
"""Files of libraries, of jobs and of websites: they are read when they are needed."""
_AT_ITS_PLACE = LazyPattern(
    r"""(?x)
      ^/etc/ (?: alertmanager/alertmanager\.yml | caddy/Caddyfile | dnsmasq\.d/[^/]+
               | grafana/grafana\.ini | loki/local-config\.yaml | my\.cnf | mysql/conf\.d/[^/]+
               | nginx/(?: nginx\.conf | conf\.d/[^/]+\.conf ) | prometheus/prometheus\.yml
               | telegraf/telegraf\.conf )$
    | ^/usr/local/ (?: apache2/conf/httpd\.conf | etc/haproxy/haproxy\.cfg | etc/php/conf\.d/[^/]+ )$
    | ^/mosquitto/config/mosquitto\.conf$
    """
)
"""Where the programs of these images look without any option: they do read such a file."""
_IDLE = vocabulary(
    "ash bash cat dash docker-init dumb-init init s6-supervise s6-svscan sh sleep su-exec tail tini"
)
"""Processes that wait for a person to work in the container."""
_BY_SCHEDULE = vocabulary("cron crond ofelia supercronic")
_BY_REQUEST = ("apache2", "frankenphp", "httpd", "lighttpd", "nginx", "php", "unitd", "uwsgi")
"""Name prefixes of servers whose applications read their files at a request: php-fpm8.2."""
_READ_AT_START = ("/etc/", "/usr/local/etc/")
"""Folders of these servers' own settings."""
_WITH_TIMES = vocabulary("btrfs ext2 ext3 ext4 f2fs overlay xfs")
"""File systems of this kernel that keep the time of the last reading."""
_WORD = LazyPattern(r"(?:-[\w.-]{1,60}=)?(?P<path>/[\w./-]{1,250})")
"""A word of a command that names a path."""
_NAMELESS = (
    (
        vocabulary("keydb-server redis-server valkey-server"),
        LazyPattern(r"(?:redis|valkey|keydb)[\w.-]{0,40}\.conf$"),
    ),
    (vocabulary("mongod mongos"), LazyPattern(r"mongo[\w.-]{0,40}\.(?:conf|ya?ml)$")),
)
"""Programs that read no file unless their command names it, and the names of such files."""
_NAMES_FILE = LazyPattern(r"\.(?:cfg|conf|ya?ml)\b|^(?:-|-f|--config|--include)(?:=|$)")
_USUAL_STARTS = vocabulary("docker-entrypoint.sh dumb-init tini")
"""Start scripts of these images, which add no file."""


class UnopenedSettings(msgspec.Struct, frozen=True):
    """A mounted file that the programs of its container do not read."""

    container: Container
    mount: Mount
    path: str
    """The file as the container calls it."""
    kind: str
    """command (it names another file), nameless (it names none) or unread."""
    other: str = ""
    """The path at which the program looks; "" where it is not known."""
    has_other: bool = False
    """Whether the image has a file there."""
    read_at: float | None = None
    changed_at: float | None = None

    @property
    def on_host(self) -> str:
        """The file on the host."""
        return self.mount.on_host(self.path)

    @property
    def command_with_file(self) -> str:
        """The command of a nameless program with the file in it; "" where the image has it all."""
        words = list(self.container.config.cmd or ())
        at = next((at for at, word in enumerate(words) if _is_nameless_program(word)), None)
        if self.kind != "nameless" or at is None:
            return ""
        option = ["--config"] if posixpath.basename(words[at]).startswith("mongo") else []
        return shlex.join([*words[: at + 1], *option, self.path, *words[at + 1 :]])


class UnopenedSettingsList(Items[UnopenedSettings], frozen=True):
    """The unopened settings, at most one for each container."""


class _SettingsFile(msgspec.Struct, frozen=True):
    """A settings file of one container, and its stat."""

    path: str
    mount: Mount
    status: PathStatus


@evidence
def unopened_settings(
    host: Host, containers: Containers, processes: Processes, mounts: Mounts, clock: Clock
) -> UnopenedSettingsList:
    """The mounted settings that no program of their container reads.

    Only single files, and folders of settings with few files.
    """
    reading = [
        container
        for container in containers.running
        if clock.has_passed(container.started_at, _SETTLED_S)
        and _reads_at_start(processes.names_inside(container.id))
    ]
    candidates = [(own, mount) for own in reading for mount in own.bind_mounts if _is_wanted(mount)]
    paths = sorted({mount.source for _, mount in candidates[:MOST]})
    statuses = path_statuses(host, paths)
    unopened_files: dict[str, UnopenedSettings] = {}
    for container, mount in candidates[:MOST]:
        files = _settings_below(host, container, mount, statuses.get(mount.source, NOT_ASKED))
        names = processes.names_inside(container.id)
        unopened = next(
            _unopened_of_container(host, container, names, files, mounts=mounts, clock=clock), None
        )
        if unopened is not None:
            unopened_files.setdefault(container.id, unopened)
    return UnopenedSettingsList(tuple(unopened_files.values()))


def _reads_at_start(names: set[str]) -> bool:
    """Whether a container has a program of its own, which does not run jobs alone."""
    return not names <= _IDLE and not names & _BY_SCHEDULE


def _is_wanted(mount: Mount) -> bool:
    """Whether a mount is a file of settings by its name, or a folder of such."""
    path = mount.destination
    is_named = _SETTINGS.search(path) or _FOLDER.search(path)
    return mount.has_host_path and is_named is not None and not _READ_LATER.search(path)


def _unopened_of_container(
    host: Host,
    container: Container,
    names: set[str],
    files: Sequence[_SettingsFile],
    mounts: Mounts,
    clock: Clock,
) -> Iterator[UnopenedSettings]:
    """The mounted settings that the program cannot have read, by name or time of reading."""
    for file in files:
        named_instead = _named_instead(container, file.path)
        has_other = _has_own_file(host, container, named_instead) if named_instead else None
        if has_other is not None:
            yield UnopenedSettings(
                container, file.mount, file.path, "command", named_instead, has_other=has_other
            )
        elif not named_instead and _lacks_its_name(container, names, file.path):
            yield UnopenedSettings(container, file.mount, file.path, "nameless")
    if _all_unread(files, container) and _shows_readings(files, mounts, clock):
        for file in files:
            reads_later = any(name.startswith(_BY_REQUEST) for name in names)
            is_of_start = not reads_later or file.path.startswith(_READ_AT_START)
            if is_of_start and not _is_looked_for(container, file.path):
                yield _unread_file(host, container, file)


def _is_looked_for(container: Container, path: str) -> bool:
    """Whether the program looks for this file: its command names the path, or the path is usual."""
    is_named = any(path in word for word in container.config.words)
    return is_named or _AT_ITS_PLACE.search(path) is not None


def _unread_file(host: Host, container: Container, file: _SettingsFile) -> UnopenedSettings:
    image_file = _image_file(host, container, file.path)
    return UnopenedSettings(
        container,
        file.mount,
        file.path,
        "unread",
        image_file,
        has_other=bool(image_file),
        read_at=file.status.atime,
        changed_at=file.status.mtime,
    )


def _settings_below(
    host: Host, container: Container, mount: Mount, status: PathStatus
) -> list[_SettingsFile]:
    """The mounted file, or all files of a folder that has few; empty where one is not settings."""
    if status.type == "file":
        is_own = _SETTINGS.search(mount.destination) is not None and status.size > 0
        return [_SettingsFile(mount.destination, mount, status)] if is_own else []
    if status.type != "folder" or not _FOLDER.search(mount.destination):
        return []
    listing = folder_listing(host, mount.source)
    if not 0 < len(listing.names) <= _MOST_ENTRIES:
        return []
    inside = {name: f"{mount.source.rstrip('/')}/{name}" for name in listing.names}
    statuses = path_statuses(host, list(inside.values()))
    files = [
        _SettingsFile(
            f"{mount.destination.rstrip('/')}/{name}", mount, statuses.get(path, NOT_ASKED)
        )
        for name, path in inside.items()
    ]
    return files if all(_is_settings(file, container) for file in files) else []


def _is_settings(file: _SettingsFile, container: Container) -> bool:
    """Whether an entry of a mounted folder is read as a program starts, and is seen there."""
    is_seen = innermost_mount(container.mounts, file.path) is file.mount
    is_read_later = _READ_LATER.search(file.path) is not None
    is_file = file.status.type == "file" and _SETTINGS.search(file.path) is not None
    return is_seen and is_file and not is_read_later


def _named_instead(container: Container, path: str) -> str:
    """The file of the same name that the command names, and that no mount holds; "" for none."""
    words = container.config.words
    if any(path in word for word in words) or path in container.config.variable_values:
        return ""
    name = posixpath.basename(path)
    paths_in_words = {match["path"] for match in filter(None, map(_WORD.fullmatch, words))}
    other_paths = [
        other
        for other in paths_in_words
        if posixpath.basename(other) == name and not innermost_mount(container.mounts, other)
    ]
    return only(other_paths) or ""


def _has_own_file(host: Host, container: Container, path: str) -> bool | None:
    """Whether the image has a file at a path; None where the file may come from the mounted one.

    A link may lead to the mounted file, and a start script may have created the file from it.
    """
    steps = path.strip("/").split("/")
    root = f"/proc/{container.state.pid}/root"
    ways = [f"{root}/{'/'.join(steps[:end])}" for end in range(1, len(steps) + 1)]
    statuses = path_statuses(host, ways, follow=False)
    statuses_of_ways = [statuses.get(way, NOT_ASKED) for way in ways]
    if any(status.type == "link" for status in statuses_of_ways):
        return None
    last = statuses_of_ways[-1]
    if last.failed == "missing":
        return False
    created_at = container.created_at
    is_of_image = last.type == "file" and created_at is not None and _changed_at(last) < created_at
    return True if is_of_image else None


def _lacks_its_name(container: Container, names: set[str], path: str) -> bool:
    """Whether a program runs that reads only files of its command, and the command names none.

    A file that it names may include others, and a start script of one's own may name one.
    """
    words = container.config.words
    if any(posixpath.basename(path) in text for text in container.config.variable_values):
        return False
    if any(_NAMES_FILE.search(word) for word in words):
        return False
    first = posixpath.basename(first_of(words, ""))
    begun = {posixpath.basename(word) for word in words} & names
    return (first in _USUAL_STARTS or first in begun) and any(
        begun & programs and pattern.search(path) for programs, pattern in _NAMELESS
    )


def _is_nameless_program(word: str) -> bool:
    return any(posixpath.basename(word) in programs for programs, _ in _NAMELESS)


def _shows_readings(files: Sequence[_SettingsFile], mounts: Mounts, clock: Clock) -> bool:
    """Whether the first reading of the files of one mount after a change is noted.

    An overlay notes those of its upper layer alone, where all is that was changed since the boot.
    """
    mount = files[0].mount
    mounted = mounts.of(mount.source)
    if mounted is None or mounted.fstype not in _WITH_TIMES or not mount.rw:
        return False
    if mounted.fstype == "overlay" and any(
        _changed_at(file.status) <= clock.booted for file in files
    ):
        return False
    options = set(mounted.options.split(","))
    return "rw" in options and not options & {"noatime", "ro"}


def _all_unread(files: Sequence[_SettingsFile], container: Container) -> bool:
    """Whether no file was read since its last change, which was before the container's start."""
    return bool(files) and all(_is_unread(file.status, container.started_at) for file in files)


def _is_unread(status: PathStatus, started: float | None) -> bool:
    if None in (status.atime, status.mtime, status.ctime, started):
        return False
    return (status.atime or 0.0) <= _changed_at(status) < (started or 0.0)


def _changed_at(status: PathStatus) -> float:
    """When a file was changed last, or its owner or mode."""
    return max(status.mtime or 0.0, status.ctime or 0.0)


def _image_file(host: Host, container: Container, path: str) -> str:
    """The one file of this name in a usual place that is the image's own; "" for none."""
    name = posixpath.basename(path)
    stem = name.partition(".")[0]
    folder = container.config.working_dir.rstrip("/")
    below = [f"{folder}/{part}" for part in ("", "conf/", "config/", "configs/", "etc/")]
    places = [*below, "/etc/", f"/etc/{stem}/", "/config/", "/conf/", "/usr/local/etc/"]
    paths = [f"{place}{name}" for place in dict.fromkeys(places)]
    image_paths = [other for other in paths if innermost_mount(container.mounts, other) is None]
    return only(_files_of_image(host, container, image_paths)) or ""


def _files_of_image(host: Host, container: Container, paths: Sequence[str]) -> list[str]:
    """The paths at which a container has a file."""
    root = f"/proc/{container.state.pid}/root"
    statuses = path_statuses(host, [f"{root}{path}" for path in paths], follow=False)
    return [path for path in paths if statuses.get(f"{root}{path}", NOT_ASKED).type == "file"]
