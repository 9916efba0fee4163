"""What a person does by hand where a page can only say what is to be done: as scripts, filled like a page.

A page's `manual` blocks hold values that only the person knows (a version, a command, a receiver), or the cure is an
edit of a file. The scripts here do just that in the lab, for a check or, by "module.function", for one scenario.
"""

from __future__ import annotations

from .faults import Expectation

_DAEMON_KEY = """
python3 - <<'END'
import json
path = "/etc/docker/daemon.json"
try:
    with open(path) as file:
        config = json.load(file)
except FileNotFoundError:
    config = {{}}
{edit}
with open(path, "w") as file:
    json.dump(config, file)
END
"""


def _edit(statement: str) -> str:
    """Change daemon.json, whose content is `config`."""
    return _DAEMON_KEY.replace("{{}}", "{}").replace("{edit}", statement)


BY_HAND: dict[str, str] = {
    "container.entrypoint-missing": "{docker} rm {container}\n"
    "{docker} run -d --name {container} --memory 64m --pids-limit 64 --entrypoint sleep {image} 1000",
    "dns.loopback-stub": _edit('config["dns"] = ["192.0.2.53"]'),
}
"""Scripts by check id, or by the scenario's name where that decides."""

AFTERWARDS: dict[str, tuple[Expectation, ...]] = {
    "container.fails_over_and_over": (("container.exits-at-start", "container:loop"),),
}
"""What is still found after a cure, by the scenario's name: the page ends the harm, the cause lies in the application."""
