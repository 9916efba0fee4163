"""A container again as it is, with a change.

A script from its inspect, with every option it was made with. Pure.

What the engine keeps of `docker run` is in inspect: `Config` (what the image could say too),
`HostConfig` (what only the command line says), `NetworkSettings` and `Mounts` (what came of it).
Option names are those of the docker CLI since 20.10. Values of the environment are secrets, and
redacted here: the script reads them from the engine when it runs.
"""

import re
import shlex
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.misplaced_options import leading_options
from diagnose.recreate import service
from diagnose.recreate.change import ContainerChange
from diagnose.recreate.notes import is_of_compose, notes_about
from diagnose.recreate.options import (
    OPTIONS_OF_HEALTH,
    Inspect,
    NoRecreateError,
    Option,
    networks_of,
    options_of,
    restart_policy,
)
from diagnose.redact import holds_token

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_ENV = "'{{range .Config.Env}}{{println .}}{{end}}'"

_SWARM = "com.docker.swarm.task.id"

_OF_SECCOMP = "--security-opt=seccomp="
_OBEYED = LazyPattern("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys: controls, line separators, marks of direction."""
_PROFILE = f"{_OF_SECCOMP}{{"
"""How a filter begins in inspect: as JSON, and the command line takes it from a file alone."""

_LITTLE = 1_000_000_000
"""Bytes outside volumes that are copied into an image."""

_ADDRESS_NOTE = (
    "Podman does not say whether an address was fixed: if so, pass --ip=ADDRESS behind --."
)

PODMAN = "podman"
"""The command of the engine whose command line differs from Docker's."""


def script(
    container: Inspect, image: Inspect | None, change: ContainerChange, docker: str = "docker"
) -> str:
    """A shell script that recreates the container.

    The old one is kept, stopped, under another name. One that compose made is kept as an image:
    compose would count two containers of the service, remove the new one and start the old one. A
    task of swarm is changed by its service.

    Where the new one cannot be created or started, the old one is given back its name and started.
    docker: the command that reaches the engine. Podman's inspect names its default runtime as if it
    had been asked for, and `podman create` has no such option. image: the inspect of the
    container's image, None if it is gone. NoRecreateError where something would be lost.
    """
    name = str(container["Name"]).removeprefix("/")
    image = image or {}
    if service.SERVICE in (container["Config"].get("Labels") or {}):
        return _service_script(container, change, docker)
    _refuse_what_is_not_ours(container, name)
    if change.options_from_command:
        change = _with_options_from_command(container, change)
    networks = [] if _changes_network(change) else networks_of(container)
    words = [
        *_kept_options(container, image, change, docker),
        *_first_network(container, networks, change),
        *change.options,
        *_command(container, image, change),
    ]
    _refuse_secrets([*words, *(option.text for network in networks for option in network[1])], name)
    unset = change.unset | (_variables_of_image(container, image) if change.image else set())
    notes = notes_about(container, change, is_podman=docker == PODMAN)
    return _ContainerScript(
        name,
        docker,
        container=container,
        words=words,
        networks=networks[1:],
        unset=sorted(unset),
        variables=sorted(change.variables),
        notes=notes,
    ).text()


def _kept_options(
    container: Inspect, image: Inspect, change: ContainerChange, docker: str
) -> list[str]:
    """The options that the container was made with, without those to leave out."""
    left_out = change.without | ({"runtime"} if docker == PODMAN else set())
    if "--no-healthcheck" in change.options:
        left_out |= OPTIONS_OF_HEALTH
    begins = tuple(f"--{name}" for name in left_out if "=" in name)
    return [
        option.text
        for option in options_of(container, image, change.unmounted | change.mounted)
        if option.name not in left_out and not option.text.startswith(begins)
    ]


def _service_script(task: Inspect, change: ContainerChange, docker: str) -> str:
    """The script for a task of swarm, which its service replaces."""
    if change.without or change.options_from_command:
        name = task["Config"]["Labels"][service.SERVICE]
        raise NoRecreateError(
            f'service "{name}" made the container: leave the option out with '
            "docker service update, or in the file of its stack"
        )
    return service.script(task, change, docker)


def _changes_network(change: ContainerChange) -> bool:
    """Whether the networks of the old container are not those of the new one."""
    option_names = {word.partition("=")[0] for word in change.options}
    return "network" in change.without or not option_names.isdisjoint(("--network", "--net"))


def _variables_of_image(container: Inspect, image: Inspect) -> set[str]:
    """The variables that the container has from its image, which another image sets for itself.

    Among them are its version and the place of its data: PG_MAJOR and PGDATA of PostgreSQL.
    """
    image_variables = set((image.get("Config") or {}).get("Env") or ())
    of_container = set(container["Config"].get("Env") or ())
    return {entry.partition("=")[0] for entry in image_variables & of_container}


class _ContainerScript(msgspec.Struct, frozen=True):
    """Keeps the old container, creates the new one, connects and starts it."""

    name: str
    docker: str
    container: Inspect
    words: Sequence[str]
    """Those of `docker create` behind the name and the environment."""
    networks: Sequence[tuple[str, list[Option]]]
    """The networks beyond the first, with the options of its endpoint there."""
    unset: Sequence[str]
    """Variables that the new container is not given."""
    variables: Sequence[str]
    """Variables that the new container is given, with or without their values."""
    notes: Sequence[str]

    @property
    def quoted(self) -> str:
        """The container's name as a word of a shell."""
        return shlex.quote(self.name)

    @property
    def is_podman(self) -> bool:
        return self.docker == PODMAN

    def text(self) -> str:
        """The script as a whole."""
        docker = self.docker
        quoted = self.quoted
        create = " \\\n    ".join(map(_shell_word, self.words))
        return "\n".join(
            [
                *self._head(),
                *self._way_back(),
                *self._environment(),
                # between two runs of a loop the runtime refuses an update: the stop comes first
                f"{docker} stop {quoted} >/dev/null",
                _update_policy(docker, "no", quoted),
                f'{docker} rename {quoted} "$old"',
                f'{docker} create --name {quoted} --env-file "$environment" \\\n    {create} || back',
                *self._connections(),
                f"{docker} start {quoted} || back",
                *_lines_about_old_container(docker, self.container),
                *(f"echo {shlex.quote(note)} >&2" for note in self.notes),
                "",
            ]
        )

    def _head(self) -> Iterator[str]:
        """The script's first lines: its purpose, and the files that it needs while it runs."""
        yield "#!/bin/sh"
        yield f"# Creates container {self.name} again. The old one is kept as {self.name}-before-TIME."
        if self.is_podman:
            yield f"# {_ADDRESS_NOTE}"
        yield from (f"# {note}" for note in self.notes)
        yield "set -e"
        yield f"old={self.quoted}-before-$(date +%Y%m%d%H%M%S)"
        yield "environment=$(mktemp) profile=$(mktemp)"
        yield 'trap \'rm -f "$environment" "$profile"\' EXIT'
        profile = next((word for word in self.words if word.startswith(_PROFILE)), "")
        if profile:
            yield f"cat >\"$profile\" <<'END'\n{profile.removeprefix(_OF_SECCOMP)}\nEND"

    def _way_back(self) -> Iterator[str]:
        """The function of the shell that gives the old container its name, and starts it."""
        docker = self.docker
        quoted = self.quoted
        policy = restart_policy(self.container["HostConfig"])
        yield "back() {"
        yield f"    {docker} rm --force {quoted} 2>/dev/null || true"
        yield f'    {docker} rename "$old" {quoted}'
        yield f"    {_update_policy(docker, policy, quoted)}"
        yield f"    {docker} start {quoted}"
        yield "    exit 1"
        yield "}"

    def _environment(self) -> Iterator[str]:
        """The variables of the old container, which no one but the engine has to know."""
        docker = self.docker
        quoted = self.quoted
        yield f'{docker} inspect --format {_ENV} {quoted} >"$environment"'
        yield (
            f'if [ $(($(wc -l <"$environment") - 1)) -ne "$({docker} inspect --format \'{{{{len '
            f".Config.Env}}}}' {quoted})\" ]; then"
        )
        yield "    echo 'a variable of its environment has several lines: create it by hand' >&2"
        yield "    exit 1"
        yield "fi"
        if self.is_podman:
            yield f'sed -i /^HOSTNAME={str(self.container["Id"])[:12]}$/d "$environment"'
        yield from map(_without_variable, self.unset)
        for variable in self.variables:
            yield from _without_former_value(variable)

    def _connections(self) -> Iterator[str]:
        for network, options in self.networks:
            words = " ".join(_word(option.text) for option in options)
            yield (
                f"{self.docker} network connect {words} {shlex.quote(network)} {self.quoted} || back"
            )


def _shell_word(word: str) -> str:
    """A word for a shell; the filter of system calls is in a file of the script's own."""
    return f'{_OF_SECCOMP}"$profile"' if word.startswith(_PROFILE) else _word(word)


def _word(text: str) -> str:
    """A word of a shell that a terminal can show: what it would obey is written by printf."""
    if not _OBEYED.search(text):
        return shlex.quote(text)
    shown = text.rstrip("\n")
    escaped = shown.replace("\\", r"\\").replace("%", "%%").replace("'", "'\\''")
    written = _OBEYED.sub(
        lambda match: "".join(f"\\{byte:03o}" for byte in match[0].encode("utf-8", "replace")),
        escaped,
    )
    newlines = text[len(shown) :]
    return f"\"$(printf -- '{written}')\"{shlex.quote(newlines) if newlines else ''}"


def _without_variable(name: str) -> str:
    """The command that takes a variable out of the new container's environment."""
    if not _VARIABLE.fullmatch(name):
        raise NoRecreateError(f"{name!r} is not a name of an environment variable")
    return f'sed -i /^{name}=/d "$environment"'


def _without_former_value(variable: str) -> Iterator[str]:
    """The commands that take a variable out of the environment because an option sets it.

    The engine would keep both. Where the shell has to have the value and does not, the script ends
    before it changes anything: docker would create the container without the variable.
    """
    name, has_value, _ = variable.partition("=")
    if not _VARIABLE.fullmatch(name):
        return
    if not has_value:
        yield f': "${{{name}?has no value here: export it first}}"'
    yield _without_variable(name)


def _update_policy(docker: str, policy: str, quoted: str) -> str:
    """The command that sets a restart policy.

    Podman before 5.1 has none, and needs none: it does not start a container again that was stopped
    by hand.
    """
    command = f"{docker} update --restart {policy} {quoted} >/dev/null"
    return f"{command} 2>&1 || true" if docker == PODMAN else command


def _lines_about_old_container(docker: str, container: Inspect) -> Iterator[str]:
    """The lines that keep or remove the old container once the new one has started."""
    if not is_of_compose(container):
        yield 'echo "the old container is kept, stopped: $old" >&2'
        return
    yield f"size=$({docker} inspect --size --format '{{{{.SizeRw}}}}' \"$old\") || size="
    yield (
        f'if [ "${{size:-{_LITTLE}}}" -lt {_LITTLE} ] && '
        f'{docker} commit "$old" kept:"$old" >/dev/null; then'
    )
    yield f'    {docker} rm "$old" >/dev/null'
    yield '    echo "the files of the old container are kept, as the image kept:$old" >&2'
    yield "else"
    yield (
        f'    echo "save what you need of the old container, then: {docker} rm $old'
        "; until then \\`docker compose up\\` removes the new one and starts the old one"
        '" >&2'
    )
    yield "fi"


def _refuse_what_is_not_ours(container: Inspect, name: str) -> None:
    """NoRecreateError for a container that another program manages, or that cannot be repeated."""
    labels = container["Config"].get("Labels") or {}
    if _SWARM in labels:
        raise NoRecreateError(
            f'container "{name}" is a task of swarm: change its service with docker service update'
        )
    if container["HostConfig"].get("AutoRemove"):
        raise NoRecreateError(
            f'container "{name}" is removed as soon as it stops (--rm): '
            "start it again with its own command"
        )
    requests = container["HostConfig"].get("DeviceRequests") or []
    if any(request.get("Count") != -1 for request in requests):
        raise NoRecreateError(
            f'container "{name}" has some GPUs by number or id, '
            "which inspect does not say as an option"
        )


def _refuse_secrets(words: Sequence[str], name: str) -> None:
    """NoRecreateError where a word of the command line holds a secret."""
    for word in words:
        if holds_token(word):
            option = word.partition("=")[0]
            raise NoRecreateError(
                f'container "{name}" has a secret in its command line ({option}), '
                "which is not shown: create it by hand"
            )


def _with_options_from_command(container: Inspect, change: ContainerChange) -> ContainerChange:
    """The change, with the options of `docker run` that stand at the begin of the command."""
    config = container["Config"]
    words = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    options, rest = leading_options(words)
    if not options:
        raise NoRecreateError("its command does not begin with options of `docker run`")
    return msgspec.structs.replace(change, options=(*options, *change.options), command=rest)


def _command(container: Inspect, image: Inspect, change: ContainerChange) -> list[str]:
    """The image, and the words behind it."""
    config = container["Config"]
    default = image.get("Config") or {}
    reference = change.image or config["Image"]
    entrypoint = config.get("Entrypoint") or []
    image_entrypoint = default.get("Entrypoint") or []
    is_reset = any(word.partition("=")[0] == "--entrypoint" for word in change.options)
    rest_of_entrypoint = [] if entrypoint == image_entrypoint or is_reset else entrypoint[1:]
    if change.command is not None:
        return [reference, *rest_of_entrypoint, *change.command]
    is_default = entrypoint == image_entrypoint and config.get("Cmd") == default.get("Cmd")
    return (
        [reference] if is_default else [reference, *rest_of_entrypoint, *(config.get("Cmd") or [])]
    )


def _first_network(
    container: Inspect, networks: Sequence[tuple[str, list[Option]]], change: ContainerChange
) -> list[str]:
    """The network that `docker create` itself connects to."""
    if _changes_network(change):
        return []
    mode = str(container["HostConfig"].get("NetworkMode") or "default")
    if mode == "default":
        return []
    if not networks:
        return [f"--network={mode}"]
    name, options = networks[0]
    words = [f"--network={name}"]
    return words + [
        f"--network-{option.text[2:]}" if option.name == "alias" else option.text
        for option in options
    ]
