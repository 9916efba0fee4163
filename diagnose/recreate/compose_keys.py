"""The keys of a compose file for a change of `diagnose recreate`. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence

from diagnose.mappings import assignments

_LISTS = {
    "add-host": "extra_hosts",
    "cap-add": "cap_add",
    "cap-drop": "cap_drop",
    "device": "devices",
    "dns": "dns",
    "env": "environment",
    "group-add": "group_add",
    "label": "labels",
    "publish": "ports",
    "security-opt": "security_opt",
    "sysctl": "sysctls",
    "tmpfs": "tmpfs",
    "volume": "volumes",
}
"""Options that may stand several times, and their keys."""
_VALUES = {
    "cgroupns": "cgroup",
    "cpus": "cpus",
    "entrypoint": "entrypoint",
    "hostname": "hostname",
    "ipc": "ipc",
    "memory": "mem_limit",
    "memory-swap": "memswap_limit",
    "pid": "pid",
    "pids-limit": "pids_limit",
    "platform": "platform",
    "restart": "restart",
    "runtime": "runtime",
    "shm-size": "shm_size",
    "user": "user",
    "userns": "userns_mode",
    "workdir": "working_dir",
}
"""Options with one value, and their keys in a compose file."""
_FLAGS = {"init": "init", "privileged": "privileged", "read-only": "read_only"}
_MODES = ("host", "none", "container:")
"""How values of `--network` begin that name no network."""


def lines_of(
    options: Iterable[str], image: str = "", command: Sequence[str] | None = None
) -> list[str]:
    """The lines of a service, two columns to a level; nothing of options without a key here."""
    entries: dict[str, list[str]] = {}
    for option in options:
        name, _, value = option.removeprefix("--").partition("=")
        for key, text in _entry(name, value):
            entries.setdefault(key, []).append(text)
    lines = [f"image: {_yaml_string(image)}"] if image else []
    if command is not None:
        lines.append(f"command: [{', '.join(_yaml_string(word) for word in command)}]")
    for key, texts in entries.items():
        if texts[0].startswith("- "):
            lines += [f"{key}:", *(f"  {text}" for text in texts)]
        else:
            lines.append(f"{key}: {texts[-1]}")
    return lines


def _entry(name: str, value: str) -> Iterator[tuple[str, str]]:
    """The key of an option, and its value or entry."""
    if name == "env" and "=" not in value:
        # compose would take the value from the shell that it is started in
        yield _LISTS[name], f"- {_yaml_string(f'{value}=...')}"
    elif name in _LISTS:
        yield _LISTS[name], f"- {_yaml_string(value)}"
    elif name in _VALUES:
        yield _VALUES[name], _yaml_string(value)
    elif name in _FLAGS:
        yield _FLAGS[name], value or "true"
    elif name in ("network", "net") and value.startswith(_MODES):
        yield "network_mode", _yaml_string(value)
    elif name in ("network", "net"):
        yield "networks", f"- {_yaml_string(value)}"
    elif name == "health-cmd":
        yield "healthcheck", f"{{test: {_yaml_string(value)}}}"
    elif name == "ulimit":
        resource, _, limits = value.partition("=")
        soft, _, hard = limits.partition(":")
        yield "ulimits", f"{{{resource}: {{soft: {soft}, hard: {hard or soft}}}}}"


def _yaml_string(text: str) -> str:
    """A string of YAML; compose replaces a variable behind one dollar sign."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)


def lines_of_network(options: Iterable[str]) -> list[str]:
    """The lines of a network, two columns to a level; nothing of options without a key here."""
    given_names = [option.removeprefix("--") for option in options]
    lines = ["enable_ipv6: true"] if "ipv6" in given_names else []
    subnets = _values_of("subnet", given_names)
    if subnets:
        subnets_listed = ", ".join(f"{{subnet: {_yaml_string(subnet)}}}" for subnet in subnets)
        lines.append(f"ipam: {{config: [{subnets_listed}]}}")
    of_driver = assignments(_values_of("opt", given_names))
    if of_driver:
        lines.append("driver_opts:")
        lines += [f"  {key}: {_yaml_string(value)}" for key, value in of_driver.items()]
    return lines


def _values_of(name: str, options: Sequence[str]) -> list[str]:
    """The values of an option that may stand several times."""
    begin = f"{name}="
    return [option.removeprefix(begin) for option in options if option.startswith(begin)]
