"""A command imports what it needs, and no more."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from diagnose import questions

ROOT = Path(__file__).parents[2]
HEAVY = {
    "asyncio",
    "docker",
    "http.client",
    "importlib.metadata",
    "markdown_it",
    "pyroute2",
    "requests",
    "rich",
    "ssl",
    "yaml",
}
"""20 to 300 ms each."""


FAMILIES = {
    "container",
    "daemon",
    "dns",
    "firewall",
    "image",
    "kernel",
    "logging",
    "network",
    "resources",
    "security",
}


TABLES = {"diagnose.programs.failures.table", "diagnose.programs.families.table"}
"""What only a line of a log needs that may be an error: some 75 modules."""


LATE = {
    *TABLES,
    "diagnose.recording.answer_files",
    *(f"checks.{family}.{name}" for family in FAMILIES for name in ("repairs", "counterfactuals")),
}
"""What only a finding, or a recording, needs."""


MODULES = {
    "--version": {*HEAVY, "click", "msgspec", "inspect", "diagnose.cli"},
    "--help": {
        *HEAVY,
        "msgspec",
        "diagnose.judgement.engine",
        "diagnose.registry",
        "diagnose.model",
        "checks",
    },
    "list --format json": {
        *HEAVY,
        *LATE,
        "psutil",
        "dnslib",
        "diagnose.judgement.engine",
        "diagnose.live",
    },
    "explain dns.host-broken --raw": {
        *HEAVY - {"yaml"},
        "psutil",
        "dnslib",
        "diagnose.judgement.engine",
        "diagnose.live",
    },
    "all --format json --from FOLDER": {*HEAVY, "psutil", "dnslib", "diagnose.live"},
    "check container --format json --from FOLDER": {
        *HEAVY,
        "psutil",
        "dnslib",
        "diagnose.live",
        "checks.security",
        "checks.swarm",
    },
    "check dns --format json --from FOLDER": {
        *HEAVY,
        "diagnose.live",
        "checks.image",
        "checks.security",
    },
    "check security --format json --from FOLDER": {
        *HEAVY,
        "diagnose.firewall.nft",
        *(f"checks.{family}" for family in FAMILIES - {"security"}),
    },
    "check kernel --format json": {
        *HEAVY,
        "psutil",
        "dnslib",
        "diagnose.firewall.nft",
        "checks.container",
        "checks.dns",
    },
    "all --format json --no-probe": {*HEAVY, "dnslib", "psutil"},
}
"""What a command must not import; FOLDER is a recorded host, without it the host is this one, with
its default socket."""


@pytest.mark.parametrize("command", MODULES)
def test_nothing_is_imported_that_the_command_does_not_need(command: str, folder: Path):
    words = [str(folder) if word == "FOLDER" else word for word in command.split()]
    assert not _imported_by(words) & MODULES[command]


def test_a_calm_host_needs_no_table_of_failures():
    calm = ROOT / "fixtures" / "broken_host.control_host@28.5"
    imported = _imported_by(["all", "--format", "json", "--from", str(calm)])
    assert not imported & TABLES


def _imported_by(words: list[str]) -> set[str]:
    """The modules that are in memory when the command ends; it has printed something."""
    code = (
        "import os, sys\n"
        "leave = os._exit\n"
        "os._exit = lambda code: (sys.stderr.write('\\n' + ' '.join(sys.modules)), sys.stderr.flush(), leave(0))\n"
        f"sys.argv[1:] = {words!r}\n"
        "from diagnose.__main__ import main\n"
        "main()\n"
        "os._exit(0)\n"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    env |= {
        "HOME": "/nonexistent",
        "XDG_RUNTIME_DIR": "/nonexistent",
    }  # nothing but the default socket, which needs no docker-py
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=env,
        timeout=60,
        check=False,
    )
    imported = set(done.stderr.splitlines()[-1].split())
    assert "diagnose.version" in imported, done.stderr
    assert done.stdout
    return imported


def test_workers_need_not_import_the_questions_once_more() -> None:
    """They are forked from a process that has them, as each run has in the end."""
    code = (
        "import sys\n"
        "from diagnose.live import Live\n"
        "Live().start_helpers(network=False)\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rooms = {f"diagnose.questions.{room.name}" for room in pkgutil.iter_modules(questions.__path__)}
    assert len(rooms) > 10
    assert rooms <= set(done.stdout.split())
