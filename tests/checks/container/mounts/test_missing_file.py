"""Files that a mounted folder lacks: checks/container/mounts/missing_file.py, and its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from checks.container.mounts.missing_file import absent_file
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import BindSources
from diagnose.evidence.containers.mounts.missing_files import MissingFiles, missing_files
from diagnose.model import Json
from diagnose.programs.telling_line import telling_line
from tests.checks.container.evidence import CLOCK, OPTIONS, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge

RELATIVE = "panic: failed to load: open config/config.yml: no such file or directory"
MOUNT = {"Type": "bind", "Source": "/srv/portal", "Destination": "/app/config", "RW": True}
PARTS: dict[str, Any] = {"Mounts": [MOUNT], "Config": {"WorkingDir": "/app"}}


def host(*names: str) -> Made:
    """A host whose folder /srv/portal has these files."""

    def stats(question: Any) -> Json:
        known = {"/srv/portal": "folder"} | {f"/srv/portal/{name}": "file" for name in names}
        return {
            path: {"type": known[path]} if path in known else {"failed": "missing"}
            for path in question.paths
        }

    entries = [{"name": name, "type": "file"} for name in names]
    return Made({"file.stats": stats, "file.list": {"entries": entries}})


def looked_up(line: str, *names: str, **parts: Any) -> MissingFiles:
    container, log_tails = failed_with_log(line, **{**PARTS, **parts})
    answer = missing_files(host(*names), of(container), log_tails, None)
    assert isinstance(answer, MissingFiles)
    return answer


@pytest.mark.parametrize(
    ("line", "names", "expected"),
    [
        pytest.param(RELATIVE, ["app.yml"], "/srv/portal/config.yml", id="a relative path"),
        pytest.param(RELATIVE, ["config.yml"], "", id="it is there"),
        pytest.param(
            "Error: Cannot find module '/app/config/dist/index.js'",
            ["src"],
            "/srv/portal/dist",
            id="the first folder that is not there",
        ),
        pytest.param(
            "FATAL: could not find /app/config/server.pid: No such file or directory",
            ["app.yml"],
            "",
            id="what the program makes itself",
        ),
        pytest.param(
            "FATAL: open /etc/portal.yml: no such file or directory",
            ["app.yml"],
            "",
            id="elsewhere",
        ),
        pytest.param(
            "FATAL: open /app/config/config.yml: permission denied", [], "", id="not its absence"
        ),
        pytest.param(
            "Failed to load certificate: save key: open /app/config/key.pem: permission denied",
            [],
            "",
            id="refused, in words that fit an absent file too",
        ),
    ],
)
def test_what_the_host_lacks(line: str, names: list[str], expected: str):
    assert [missing.path for missing in looked_up(line, *names)] == [expected] * bool(expected)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("config.yaml", True),
        ("Config.yml", True),
        ("config.example.yml", True),
        ("config.yml.dist", True),
        ("config.yml-sample", True),
        ("configs.yml", False),
    ],
)
def test_a_file_of_almost_that_name(name: str, near: bool):
    (missing,) = looked_up(RELATIVE, name)
    assert missing.likely_name == (name if near else "")


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("config.yaml", {"example": "/srv/portal/config.yaml", "wanted": "/srv/portal/config.yml"}),
        ("other.yml", {"incomplete": "/srv/portal"}),
    ],
)
def test_the_finding(name: str, variables: dict[str, str]):
    container, log_tails = failed_with_log(RELATIVE, **PARTS)
    result = judge(
        "container.mount-source-missing",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=log_tails,
        bind_sources=BindSources({}, entries={"/srv/portal": 1}),
        missing_files=looked_up(RELATIVE, name),
    )
    (finding,) = result.findings
    assert finding.variables == {"container": "web", "source": "/srv/portal"} | variables


@pytest.mark.parametrize(
    ("names", "command"),
    [
        (["package.json"], "npm install && npm run build"),
        (["node_modules", "package.json"], "npm run build"),
        (["node_modules", "package.json", "yarn.lock"], "yarn run build"),
        (["main.go"], None),
    ],
)
def test_what_builds_a_program_whose_built_files_are_missing(
    names: list[str], command: str | None
) -> None:
    (missing,) = looked_up("Error: Cannot find module '/app/config/dist/main.js'", *names)
    assert absent_file(missing, {}).variables.get("job_command") == command


@pytest.mark.parametrize(
    ("destination", "count"), [("/app/config.yml", 1), ("/app/config", 0)], ids=["file", "folder"]
)
def test_a_named_volume_where_a_file_should_be(destination: str, count: int):
    mount = {
        "Type": "volume",
        "Name": "config.yml",
        "Source": "/var/lib/docker/volumes/config.yml/_data",
        "Destination": destination,
    }
    container, log_tails = failed_with_log(
        f"FATAL: read {destination}: is a directory", Mounts=[mount]
    )
    result = judge(
        "container.mount-source-missing",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=log_tails,
        bind_sources=BindSources({}),
    )
    assert [finding.variables["named_file"] for finding in result.findings] == [
        f"config.yml:{destination}"
    ] * count


def node(
    line: str, *names: str, layers: dict[str, Json] | None = None, runs: bool = False
) -> MissingFiles:
    """What is looked up for a program of Node.js whose folder on the host has these files."""

    def stats(question: Any) -> Json:
        known = {"/srv/ui": {"type": "folder"}, **(layers or {})}
        return {path: known.get(path, {"failed": "missing"}) for path in question.paths}

    image = {
        "Id": "sha256:1",
        "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": "/o/1/diff", "LowerDir": ""}},
    }
    entries = [{"name": name, "type": "file"} for name in names]
    made_host = Made(
        {
            "file.stats": stats,
            "file.list": {"entries": entries},
            "api.image": image if layers else None,
        }
    )
    mount = {"Type": "bind", "Source": "/srv/ui", "Destination": "/app", "RW": True}
    container, log_tails = failed_with_log(
        line, Mounts=[mount], Config={"WorkingDir": "/app", "Image": "ui:dev"}, Image="sha256:1"
    )
    telling = telling_line([line])
    assert telling is not None
    errors = RepeatedErrors((RepeatedError(container, telling, 4, 8),)) if runs else None
    if runs:
        log_tails = LogTails({}, {})
    answer = missing_files(made_host, of(container), log_tails, errors)
    assert isinstance(answer, MissingFiles)
    return answer


HAS_MODULES: dict[str, Json] = {"/o/1/diff/app/node_modules": {"type": "folder"}}


@pytest.mark.parametrize(
    ("line", "names", "layers", "hidden"),
    [
        ("sh: vite: not found", ["package.json"], HAS_MODULES, "/app/node_modules"),
        ("Error: Cannot find module 'express'", ["package.json"], HAS_MODULES, "/app/node_modules"),
        ("sh: vite: not found", ["package.json"], {"/o": {"type": "folder"}}, ""),
        ("sh: vite: not found", ["package.json"], None, "/app/node_modules"),
        ("sh: vite: not found", ["main.go"], HAS_MODULES, None),
        ("Error: Cannot find module './routes'", ["package.json"], HAS_MODULES, None),
    ],
    ids=["a command", "a module", "not in the image", "not known", "another program", "its own"],
)
def test_modules_that_a_mount_hides(
    line: str, names: list[str], layers: dict[str, Json] | None, hidden: str | None
):
    found = node(line, *names, layers=layers)
    cures = [absent_file(missing, {}).variables.get("hidden", "") for missing in found]
    assert cures == ([] if hidden is None else [hidden])


NOWHERE: dict[str, Json] = {"/o": {"type": "folder"}}


@pytest.mark.parametrize(
    ("names", "command"),
    [
        (["package.json"], "npm install"),
        (["package.json", "yarn.lock"], "yarn install"),
        (["package.json", "pnpm-lock.yaml"], "pnpm install"),
    ],
)
def test_modules_that_nobody_has_installed(names: list[str], command: str):
    (missing,) = node("sh: vite: not found", *names, layers=NOWHERE)
    variables = absent_file(missing, {}).variables
    job = {name: value for name, value in variables.items() if name.startswith("job_")}
    assert job == {
        "job_command": command,
        "job_folder": "/app",
        "job_image": "ui:dev",
        "job_user": "1000",
    }


def test_what_the_known_failure_asks_for_comes_before_a_file_by_hand():
    """`vendor/autoload.php` is what composer writes: nobody has it to restore."""
    (missing,) = node("sh: vite: not found", "package.json", layers=NOWHERE)
    row = {"job_command": "composer install", "job_image": "composer:2", "other": "x"}
    variables = absent_file(missing, row).variables
    assert variables["job_command"] == "composer install"
    assert not {"other", "incomplete"} & variables.keys()


AUTOLOAD = (
    "[php:error] PHP Fatal error:  Uncaught Error: Failed opening required "
    "'/app/vendor/autoload.php' in /app/index.php:12"
)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [({"/o/1/diff/app/vendor": {"type": "folder"}}, ["warning"]), ({"/o": {"type": "folder"}}, [])],
    ids=["the image has it", "nobody has it"],
)
def test_what_a_running_program_misses_again_and_again(
    layers: dict[str, Json], expected: list[str]
):
    missing = node(AUTOLOAD, "composer.json", layers=layers, runs=True)
    assert [absent_file(file, {}).severity.name for file in missing] == expected
