"""A service of swarm with a change: its tasks cannot be recreated one by one. Pure."""

import shlex
from collections.abc import Iterator, Mapping

from diagnose.recreate.change import ContainerChange
from diagnose.recreate.options import Inspect, NoRecreateError
from diagnose.redact import holds_token

SERVICE = "com.docker.swarm.service.name"
_STACK = "com.docker.stack.namespace"
_OPTIONS: Mapping[str, str] = {
    "add-host": "host-add",
    "cap-add": "cap-add",
    "cap-drop": "cap-drop",
    "cpus": "limit-cpu",
    "dns": "dns-add",
    "env": "env-add",
    "group-add": "group-add",
    "hostname": "hostname",
    "init": "init",
    "label": "container-label-add",
    "memory": "limit-memory",
    "pids-limit": "limit-pids",
    "publish": "publish-add",
    "read-only": "read-only",
    "stop-signal": "stop-signal",
    "sysctl": "sysctl-add",
    "ulimit": "ulimit-add",
    "user": "user",
    "workdir": "workdir",
}
"""Options of `docker create`, as `docker service update` calls them."""


def script(task: Inspect, change: ContainerChange, docker: str) -> str:
    """The command that gives the service of a task a change; swarm replaces its tasks then.

    NoRecreateError for an option that services do not have.
    """
    labels = task["Config"].get("Labels") or {}
    service = str(labels[SERVICE])
    words = [
        *(_service_option(option, service) for option in change.options),
        *([f"--image={change.image}"] if change.image else []),
        *([f"--args={shlex.join(change.command)}"] if change.command is not None else []),
        *(f"--env-rm={name}" for name in sorted(change.unset)),
        *(f"--mount-rm={path}" for path in sorted(change.unmounted)),
    ]
    if any(holds_token(word) for word in words):
        raise NoRecreateError(f'service "{service}" would be given a secret that is not shown')
    options = shlex.join(words or ["--force"])
    return "\n".join(
        [
            "#!/bin/sh",
            f"{docker} service update --detach {options} {shlex.quote(service)}",
            *(f"echo {shlex.quote(note)} >&2" for note in _notes(labels)),
            "",
        ]
    )


def _service_option(option: str, service: str) -> str:
    """An option of `docker create` as `docker service update` calls it."""
    name, is_set, value = option.removeprefix("--").partition("=")
    if name not in _OPTIONS:
        raise NoRecreateError(
            f'a task of service "{service}" cannot be recreated, and `docker service update` '
            f"has no option --{name}"
        )
    return f"--{_OPTIONS[name]}{is_set}{value}"


def _notes(labels: Mapping[str, str]) -> Iterator[str]:
    """A note on what undoes the change."""
    stack = " ".join(str(labels.get(_STACK, "")).split())
    if stack:
        yield (
            f"Stack {stack} made it: change its file too, "
            "or the next `docker stack deploy` undoes the change."
        )
