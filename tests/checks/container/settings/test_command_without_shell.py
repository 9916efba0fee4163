"""The check in checks/container/settings/command_without_shell.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.compose.cut_commands import CutCommands, cut_commands
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

LOOPS: dict[str, Any] = {"State": {"Status": "restarting", "Pid": 0}, "RestartCount": 4}
ROWS = {
    "operator as an argument": (["migrate", "&&", "serve"], LOOPS, "warning"),
    "shell with the first word alone": (["sh", "-c", "migrate", "&&", "serve"], LOOPS, "warning"),
    "or": (["serve", "--check", "||", "true"], LOOPS, "warning"),
    "works": (["worker", "&&", "serve"], {}, "advice"),
    "a shell's script": (["sh", "-c", "migrate && serve"], LOOPS, None),
    "one program": (["serve", "--and=&&"], LOOPS, None),
    "operator first": (["&&"], LOOPS, None),
    "a script of a shell": (["bash", "start.sh", "&&"], LOOPS, None),
    "a shell elsewhere": (["/usr/bin/ssh", "backup", "migrate", "&&", "serve"], LOOPS, None),
    "no command": ([], LOOPS, None),
}


@pytest.mark.parametrize(("command", "state", "severity"), ROWS.values(), ids=ROWS)
def test_command_without_shell(
    command: list[str], state: dict[str, Any], severity: str | None
) -> None:
    api = container("api", Config={"Cmd": command}, **state)
    result = judge("container.command-without-shell", containers=of(api))
    assert rows(result) == ([(severity, "api")] if severity else [])


@pytest.mark.parametrize(
    ("config", "variables"),
    [
        ({}, {"shell_command": "sh -c 'migrate --dir=$DIR && echo '\"'\"'a b'\"'\"''"}),
        ({"Entrypoint": ["/start.sh"]}, {"split": "api"}),
    ],
    ids=["no entrypoint", "entrypoint"],
)
def test_the_command_is_given_to_a_shell(config: dict[str, Any], variables: dict[str, str]) -> None:
    words = ["migrate", "--dir=$DIR", "&&", "echo", "a b"]
    api = container("api", Config={"Cmd": words, **config}, **LOOPS)
    (finding,) = judge("container.command-without-shell", containers=of(api)).findings
    assert finding.variables == {"container": "api", **variables}
    assert '"migrate --dir=$DIR"' in finding.summary


CUT = {
    "and": ("migrate && serve", ["migrate"], "serve"),
    "semicolon": ("migrate --all; serve 80", ["migrate", "--all"], "serve 80"),
    "pipe": ("dump 'my db' | load", ["dump", "my db"], "load"),
    "redirection": ("serve 'my db' > /out/log", ["serve", "my db"], None),
    "in quotes": ("migrate '&&' serve", ["migrate", "&&", "serve"], None),
    "a shell's script": ("sh -c 'migrate && serve'", ["sh", "-c", "migrate && serve"], None),
    "changed since": ("migrate && serve", ["serve"], None),
    "one program": ("serve --port 80", ["serve", "--port", "80"], None),
    "not closed": ("serve 'a", ["serve"], None),
    "no command": ("", ["serve"], None),
}


def _cut_commands(written: str, cmd: list[str], exit_code: int) -> CutCommands:
    labels = {"project": "shop", "service": "api", "project.config_files": "/srv/compose.yaml"}
    config = {
        "Cmd": cmd,
        "Labels": {f"com.docker.compose.{name}": value for name, value in labels.items()},
    }
    state = {**LOOPS["State"], "ExitCode": exit_code}
    api = container("api", Config=config, State=state, RestartCount=4)
    host = Made({"file.compose-service": {"command": written}})
    return cut_commands(host, of(api), Clock(1.8e9, 1.7e9), Options())


@pytest.mark.parametrize(("written", "cmd", "rest"), CUT.values(), ids=CUT)
def test_compose_cuts_a_command(written: str, cmd: list[str], rest: str | None) -> None:
    cut = _cut_commands(written, cmd, 0)
    assert [command.rest for command in cut] == ([rest] if rest else [])
    if rest:
        result = judge("container.command-without-shell", containers=of(), cut=cut)
        assert f'"{rest}" never runs' in result.findings[0].summary


@pytest.mark.parametrize(("sign", "is_cause"), [("&&", False), (";", True), ("||", True)])
def test_a_command_whose_first_program_fails(sign: str, *, is_cause: bool) -> None:
    assert bool(_cut_commands(f"migrate {sign} serve", ["migrate"], 1)) is is_cause
