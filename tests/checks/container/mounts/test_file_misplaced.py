"""The check in checks/container/mounts/file_misplaced.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.mounts.files_elsewhere import files_elsewhere
from diagnose.evidence.containers.mounts.misplaced_files import MisplacedFiles, misplaced_files
from diagnose.model import Failed
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

LINE = 'level=debug msg="No credentials for registry.test found" config_file=/config/config.json'
WARNING, ADVICE = [("warning", "tower")], [("advice", "tower")]
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a variable leads there": ({"env": ["DOCKER_CONFIG=/config"]}, WARNING),
    "no variable": ({}, ADVICE),
    "it is there": ({"there": ["/config/config.json"]}, []),
    "a link leads to it": ({"linked": True}, []),
    "the log names both": ({"more": "tried /config.json"}, []),
    "it says what it found": ({"line": "Using config file /config/config.json"}, []),
    "a file that it can do without": (
        {"env": ["CONFIG=/config"], "line": "override /config/config.json does not exist, skipped"},
        ADVICE,
    ),
    "another name": ({"line": "cannot find /config/other.json"}, []),
    "a folder is mounted": ({"target": "/config"}, []),
    "an address": ({"line": "GET https://a.test/config/config.json"}, []),
    "a request": ({"line": '"GET /config/config.json HTTP/1.1" 404'}, []),
    "a log file": ({"target": "/x/app.log", "line": "cannot open /var/app.log"}, []),
}


GONE = "Unable to find config file: /config/configuration.yml"
ENDED: dict[str, tuple[str, dict[str, str], list[str], list[tuple[str, str]]]] = {
    "in another folder": (
        GONE,
        {"/etc/auth": "/srv/auth"},
        ["/srv/auth/configuration.yml"],
        [("critical", "auth")],
    ),
    "the file itself elsewhere": (
        GONE,
        {"/etc/configuration.yml": "/srv/configuration.yml"},
        ["/srv/configuration.yml"],
        [("critical", "auth")],
    ),
    "not there": (GONE, {"/etc/auth": "/srv/auth"}, [], []),
    "a mount holds the path": (
        GONE,
        {"/config": "/srv/a", "/etc/auth": "/srv/auth"},
        ["/srv/auth/configuration.yml"],
        [],
    ),
    "in two folders": (
        GONE,
        {"/etc/a": "/srv/a", "/etc/b": "/srv/b"},
        ["/srv/a/configuration.yml", "/srv/b/configuration.yml"],
        [],
    ),
    "a source file": (
        "cannot open /app/package.json: No such file",
        {"/x": "/srv/x"},
        ["/srv/x/package.json"],
        [],
    ),
    "another error": (
        "FATAL: cannot bind /config/configuration.yml",
        {"/x": "/srv/x"},
        ["/srv/x/configuration.yml"],
        [],
    ),
}


@pytest.mark.parametrize(("line", "mounts", "there", "expected"), ENDED.values(), ids=ENDED)
def test_a_program_that_ended_for_lack_of_a_file(
    line: str, mounts: dict[str, str], there: list[str], expected: list[tuple[str, str]]
) -> None:
    binds = [
        {"Type": "bind", "Source": source, "Destination": target, "RW": True}
        for target, source in mounts.items()
    ]
    auth, log_tails = failed_with_log(line, name="auth", Mounts=binds)

    def stats(question: Any) -> dict[str, object]:
        missing = {"failed": "missing"}
        return {path: {"type": "file"} if path in there else missing for path in question.paths}

    found = files_elsewhere(Made({"file.stats": stats}), of(auth), log_tails)
    result = judge(
        "container.file-misplaced", misplaced_files=MisplacedFiles(), files_elsewhere=found
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["beside"] == f"{there[0]}:/config/configuration.yml"


LACKING = 'level=error msg="Provide a JWT secret: jwt_secret is required"'
OF_COMMAND = {
    "the file of the command": (LACKING, "/etc/auth/configuration.yml", [("critical", "auth")]),
    "a mounted file": (LACKING, "/var/lib/auth/configuration.yml", []),
    "a file of another name": (LACKING, "/etc/auth/other.yml", []),
    "another error": ("FATAL: cannot bind port 80", "/etc/auth/configuration.yml", []),
}


@pytest.mark.parametrize(("line", "wanted", "expected"), OF_COMMAND.values(), ids=OF_COMMAND)
def test_a_file_that_the_command_names(
    line: str, wanted: str, expected: list[tuple[str, str]]
) -> None:
    bind = {"Type": "bind", "Source": "/srv/auth", "Destination": "/var/lib/auth", "RW": True}
    config = {"Cmd": ["auth", "--config", wanted]}
    auth, log_tails = failed_with_log(line, name="auth", Mounts=[bind], Config=config)
    there = {"/srv/auth/configuration.yml": {"type": "file"}}
    found = files_elsewhere(Made({"file.stats": there}), of(auth), log_tails)
    result = judge(
        "container.file-misplaced", misplaced_files=MisplacedFiles(), files_elsewhere=found
    )
    assert rows(result) == expected


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_a_file_elsewhere(case: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    target = case.get("target", "/config.json")
    mount = {"Type": "bind", "Source": "/root/config.json", "Destination": target, "RW": False}
    tower = container("tower", Config={"Env": case.get("env", [])}, Mounts=[mount])
    texts = [case.get("line", LINE), *([case["more"]] if "more" in case else [])]
    there = [f"/proc/100/root{path}" for path in case.get("there", [])]

    def stats(question: Any) -> dict[str, object]:
        missing = {"failed": "missing"}
        return {path: {"type": "file"} if path in there else missing for path in question.paths}

    text = {"text": ""} if case.get("linked") else Failed("missing", "")
    host = Made({"file.stats": stats, "file.read": text})
    logs = RecentLogs({tower.id: tuple(RecentLine(5.0, text) for text in texts)})
    found = misplaced_files(host, of(tower), logs)
    result = judge("container.file-misplaced", misplaced_files=found)
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["meant"] == "/root/config.json:/config/config.json:ro"
