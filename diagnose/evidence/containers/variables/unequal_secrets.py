"""Secrets that two containers share, and that differ: in variables, and in mounted files.

The values are tokens, equal for equal secrets; nobody sees the secrets themselves.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.linked_files import linked_paths, steps_from
from diagnose.evidence.containers.mounts.mounted_settings import mounted_settings
from diagnose.evidence.containers.peers.called_peers import named_peers
from diagnose.evidence.containers.variables.login_secrets import is_refused_login, kept_password
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.questions import Host
from diagnose.registry import evidence

_REFUSED = LazyPattern(
    r"""
      (?<![a-z])(?:tokens?|secrets?|keys?|signatures?|credentials?)\b.{0,60}?\b(?:
            not\ (?:be\ )?(?:accepted|valid|match\w*|verified|recogni[sz]ed|authori[sz]ed)
          | invalid | mismatch\w* | unknown | wrong | incorrect | rejected | refused | bad
          | differ\w*
        )\b
    | \b(?:invalid|mismatched|unknown|wrong|incorrect|bad|unrecogni[sz]ed)\ (?:\w{1,20}\ ){0,2}
        (?:tokens?|secrets?|keys?|signatures?|credentials?)\b
    | \bunauthenticated\b | \bunauthori[sz]ed\b | \b40[13]\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Errors of programs about a secret that the other side does not accept."""
_KEY = LazyPattern(r"\b[a-z]{2,20}(?:_[a-z]{2,20}){0,3}_(?:token|secret|key|password)\b")
"""The name of a key of a settings file in a line."""
_SECRET_NAME = LazyPattern(r"(?:TOKEN|SECRET|KEY|PASSWORD)$")
_EACH_HAS = frozenset({"admin", "api", "app", "base", "key", "password", "secret", "token"})
"""Words of names that many programs use for secrets of their own."""
_KINDS = _EACH_HAS | {"access", "auth", "bot", "client", "private", "public", "refresh", "user"}
"""Words for the kind of secret of a key, and not for its owner: api_key, access_token."""
_HIDDEN = LazyPattern(r"<redacted:[^>]{1,80}>")
_OF_SETTINGS = LazyPattern(r"\.(?:conf|cfg|ya?ml|toml|json|ini)$")
_FOLDER = LazyPattern(r"^/(?:etc|config|data|conf|app|opt)(?:/|$)|^/usr/local/")


class UnequalSecret(msgspec.Struct, frozen=True):
    """A secret of a caller that is another one at its peer."""

    line: str
    caller: Container
    peer: Container
    name: str
    """The variable or key that both have."""
    place: str = ""
    """The caller's file of the host; "" for a variable."""
    places: tuple[str, ...] = ()
    """The peer's files with that key."""
    twin: str = ""
    """Another file of the caller that has the key with the caller's own value."""
    kept: str = ""
    """The peer's variable, or the option of its command, where it has another name."""
    is_whole: bool = True
    """Whether the caller's variable holds the secret alone, and no address around it."""


class UnequalSecrets(Items[UnequalSecret], frozen=True):
    """The unequal secrets by caller; only the first that differs."""


@evidence
def unequal_secrets(
    host: Host,
    containers: Containers,
    log_tails: LogTails | None,
    repeated_errors: RepeatedErrors | None,
) -> UnequalSecrets:
    """The different secrets of callers and servers, by variables first.

    Files are read only where a line names the key. An api_key may be that of a service elsewhere,
    and each program has one of its own.
    """
    secrets = []
    for refused in _refused_secrets(containers, log_tails, repeated_errors):
        container = refused.container
        line = refused.line
        peers = [peer for peer in named_peers((), container, containers) if peer.is_running]
        secret = _unequal_login(host, line, container, peers) or _unequal_variable(
            line, container, peers
        )
        key = _KEY.search(line)
        if secret is None and key is not None and set(key[0].split("_")) - _KINDS:
            peers_here = peers or _project_peers(container, containers)
            secret = _unequal_key(host, line, key[0], container, peers_here)
        if secret is not None:
            secrets.append(secret)
    return UnequalSecrets(tuple(secrets))


class _RefusedSecret(msgspec.Struct, frozen=True):
    """A container, and the line of its log that says that a secret is not taken."""

    container: Container
    line: str


def _refused_secrets(
    containers: Containers, log_tails: LogTails | None, errors: RepeatedErrors | None
) -> Iterator[_RefusedSecret]:
    repeated = {error.container.id: error.line.whole for error in errors or ()}
    for container in containers:
        telling = log_tails.of(container).telling if log_tails is not None else None
        line = telling.whole if telling is not None else repeated.get(container.id, "")
        if line and (_REFUSED.search(line) or is_refused_login(line)):
            yield _RefusedSecret(container, line)


def _unequal_login(
    host: Host, line: str, caller: Container, peers: Sequence[Container]
) -> UnequalSecret | None:
    """The password that a caller and its server have under different names and values.

    In variables, or in the caller's mounted files.
    """
    server_password = kept_password(line, caller, peers)
    if server_password is None:
        return None
    different = server_password.differing
    server = server_password.server
    if different is not None:
        whole = different.is_whole
        return UnequalSecret(
            line, caller, server, different.name, kept=server_password.place, is_whole=whole
        )
    files = {} if server_password.given else _passwords_by_file(host, caller)
    if not files or any(server_password.token in tokens for tokens in files.values()):
        return None
    place = first_of(files)
    return UnequalSecret(line, caller, server, "password", place=place, kept=server_password.place)


def _passwords_by_file(host: Host, caller: Container) -> dict[str, list[str]]:
    """The hidden values in the mounted settings of a container, by file of the host."""
    mounted = mounted_settings(host, caller, "secrets", _OF_SETTINGS, _FOLDER)
    passwords = {settings.path: _HIDDEN.findall(settings.text) for settings in mounted}
    return {path: tokens for path, tokens in passwords.items() if tokens}


def _unequal_variable(
    line: str, caller: Container, peers: Sequence[Container]
) -> UnequalSecret | None:
    """A secret variable of the same name at both.

    Programs of one image share all; others those that the line names, or that are called after the
    product of both images: each program has a SECRET_KEY.
    """
    secrets_of_caller = _secrets(caller)
    for peer in peers:
        peer_secrets = _secrets(peer)
        images = (caller.config.image, peer.config.image)
        are_alike = images[0] == images[1]
        differing = [
            name
            for name, value in secrets_of_caller.items()
            if peer_secrets.get(name, value) != value
        ]
        differing = [
            name
            for name in differing
            if are_alike or _is_named(name, line) or _is_of_product(name, images)
        ]
        if len(differing) == 1:
            return UnequalSecret(line, caller, peer, differing[0])
    return None


def _is_named(name: str, line: str) -> bool:
    """Whether a line has a word of the variable's name that says which secret it is."""
    words = set(name.lower().split("_")) - _EACH_HAS
    return bool(words & set(re.findall(r"[a-z0-9]+", line.lower())))


def _is_of_product(name: str, images: Sequence[str]) -> bool:
    """Whether a variable has the name of both images' product: DRONE_RPC_SECRET."""
    product = name.lower().partition("_")[0]
    return product not in _EACH_HAS and all(product in image.lower() for image in images)


def _secrets(container: Container) -> dict[str, str]:
    return {
        name: value
        for name, value in container.config.environment
        if _SECRET_NAME.search(name) and _HIDDEN.fullmatch(value)
    }


def _project_peers(container: Container, containers: Containers) -> list[Container]:
    """The running containers of the same project on its networks."""
    return [
        other
        for other in containers.beside(container)
        if other.is_running and other.shares_project(container)
    ]


def _unequal_key(
    host: Host, line: str, key: str, caller: Container, peers: Sequence[Container]
) -> UnequalSecret | None:
    """The key in the caller's files, where no file of a peer has the same value."""
    keys_of_caller = _by_file(host, caller, key)
    values = set(keys_of_caller.values())
    if len(values) != 1:
        return None
    for peer in peers:
        peer_keys = _by_file(host, peer, key)
        if peer_keys and not values & set(peer_keys.values()):
            place, *twins = sorted(keys_of_caller, key=_is_registration)
            twin = (
                twins[0] if len(twins) == 1 and _may_be_copied(host, twins[0], caller, peer) else ""
            )
            return UnequalSecret(
                line, caller, peer=peer, name=key, place=place, places=tuple(peer_keys), twin=twin
            )
    return None


def _by_file(host: Host, container: Container, key: str) -> dict[str, str]:
    """The hidden values of a key in the mounted settings of a container, by file of the host."""
    keys_by_file = {}
    line = re.compile(
        rf"[\"']?{re.escape(key)}[\"']?[ \t]*[:=][ \t]*[\"']?(<redacted:[^>]{{1,80}}>)"
    )
    for mounted in mounted_settings(host, container, "secrets", _OF_SETTINGS, _FOLDER):
        match = line.search(mounted.text)
        if match is not None:
            keys_by_file[mounted.path] = match[1]
    return keys_by_file


def _may_be_copied(host: Host, file: str, caller: Container, peer: Container) -> bool:
    """Whether one container's secret file may replace that of another.

    Both are of one project, and no link of the container leads to another file of the host.
    """
    mount = next((mount for mount in caller.mounts if is_within(file, mount.source)), None)
    if mount is None or not caller.shares_project(peer):
        return False
    return not linked_paths(host, {file: steps_from(mount.source, file)})


def _is_registration(path: str) -> bool:
    """Whether a file is handed to the peer, and not the program's own settings."""
    return "config" not in posixpath.basename(path)
