"""The checks in checks/daemon/starting/containerd_config_invalid.py, and containerd's own words."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.engine.starting.containerd_config import ContainerdConfig, containerd_config
from diagnose.evidence.engine.starting.containerd_log import ContainerdLog, containerd_log
from diagnose.model import Failed
from diagnose.phrases import unix
from diagnose.questions.processes import ProcessDetail
from diagnose.questions.service import Unit
from diagnose.redact.scanner import redact_text
from tests.checks.daemon.evidence import daemon, engine
from tests.hosts import Made
from tests.judging import judge, rows

UNIT_NAME = "containerd.service"
PATH = "/etc/containerd/config.toml"
UNIT = Unit(load_state="loaded", active_state="active", unit_file_state="enabled")
SOUND, BROKEN = ContainerdConfig(PATH), ContainerdConfig(PATH, "Invalid value", 3)
STARTED = (
    'time="2026-11-28T01:00:00Z" level=info msg="starting containerd" revision= version=1.7.24'
)
BOOTED = 'time="2026-11-28T01:00:01Z" level=info msg="containerd successfully booted in 0.1s"'
"""Of containerd 1.6.20, 1.7.24 and 2.1.9."""
NO_TOML = f"containerd: failed to load TOML: {PATH}: (3, 17): no value can start with /"
NO_TOML_2 = (
    "containerd: failed to unmarshal TOML at row 3 column 17: toml: unexpected character at start"
)
TYPE = "containerd: failed to unmarshal TOML: (2, 1): Can't convert cri(string) to []string(slice)"
NEWER = f"containerd: failed to load TOML from {PATH}: unsupported config version `9`"
"""What 1.6.20, 1.7.24 and 2.1.9 said of such files."""
BUILT_IN = "modprobe: FATAL: Module overlay not found in directory /lib/modules/6.18.44"
FULL = "containerd: open /var/lib/containerd/x/meta.db: no space left on device"


def log(*lines: str) -> ContainerdLog:
    return ContainerdLog(parse(lines), "journal containerd.service")


def _process(**parts: Any) -> ProcessDetail:
    return ProcessDetail(70, "containerd", "S", 10.0, **parts)


def host(*containerds: Any, **parts: Any) -> Any:
    return daemon(
        silence=None, process=engine(), containerds=containerds, managed=False,
        containerd_unit=UNIT, **parts
    )  # fmt: skip


RUNS, DOWN = host(_process()), host()
JUDGED = {
    "no TOML": (DOWN, BROKEN, log(BOOTED, NO_TOML), [("critical", "docker")]),
    "no TOML, by containerd 2": (DOWN, BROKEN, log(STARTED, NO_TOML_2), [("critical", "docker")]),
    "a value of the wrong type": (DOWN, SOUND, log(TYPE), [("critical", "docker")]),
    "a version that is not known": (DOWN, SOUND, log(NEWER), [("critical", "docker")]),
    "a log that cannot be read": (DOWN, BROKEN, None, [("critical", "docker")]),
    "the next start": (RUNS, BROKEN, None, [("warning", "docker")]),
    "a file that can be read": (RUNS, SOUND, None, []),
    "down for another reason": (DOWN, SOUND, log(STARTED, FULL), []),
    "mended, and started since": (DOWN, SOUND, log(NO_TOML, STARTED, BOOTED), []),
}


@pytest.mark.parametrize(("place", "config", "said", "expected"), JUDGED.values(), ids=JUDGED)
def test_the_file(
    place: Any, config: ContainerdConfig, said: ContainerdLog | None, expected: list[Any]
) -> None:
    result = judge("daemon.containerd-config-invalid", daemon=place, config=config, log=said)
    assert rows(result) == expected


def test_a_containerd_that_dockerd_starts_has_another_file() -> None:
    own = daemon(silence=None, process=engine(), managed=True)
    result = judge("daemon.containerd-config-invalid", daemon=own, config=BROKEN, log=None)
    assert result.verdict == "skipped"
    hidden = daemon(silence=None, process=engine(), managed=None)
    result = judge("daemon.containerd-config-invalid", daemon=hidden, config=BROKEN, log=None)
    assert result.verdict == "unknown"


def test_containerds_own_words_say_why_it_is_down() -> None:
    result = judge("daemon.containerd-down", daemon=DOWN, log=None, containerd_log=log(FULL))
    (finding,) = result.findings
    assert "no space left on device" in finding.summary
    assert "journal containerd.service" in finding.evidence


PATHS = {
    "of the process": (host(_process(cmdline=["containerd", "-c", "/x.toml"])), "/x.toml"),
    "of the unit": (
        daemon(
            managed=False,
            containerd_unit=Unit(
                exec_start="{ path=/c ; argv[]=/c --config=/y.toml ; ignore_errors=no }"
            ),
        ),
        "/y.toml",
    ),
    "the usual one": (RUNS, PATH),
}


@pytest.mark.parametrize(("place", "path"), PATHS.values(), ids=PATHS)
def test_where_the_file_lies(place: Any, path: str) -> None:
    made = Made({"file.read": {"text": "version = 2\n[plugins\n"}})
    config = containerd_config(made, place)
    assert isinstance(config, ContainerdConfig)
    assert (config.path, config.line, bool(config.error)) == (path, 2, True)
    made.answers = {"file.read": Failed("missing", path)}
    assert containerd_config(Made(made.answers), place) == ContainerdConfig(path, exists=False)


AT = unix("2026-11-28T01:00:00Z") or 0.0
STAMPED = [STARTED, NEWER]
MENDED: dict[str, tuple[ContainerdConfig, bool]] = {
    "as it was": (ContainerdConfig(PATH, changed_at=AT - 60), False),
    "written since": (ContainerdConfig(PATH, changed_at=AT + 60), True),
    "moved aside": (ContainerdConfig(PATH, exists=False), True),
    "still no TOML": (BROKEN, False),
}


@pytest.mark.parametrize(("config", "is_over"), MENDED.values(), ids=MENDED)
def test_a_file_that_was_mended_is_not_moved_aside(config: ContainerdConfig, is_over: bool) -> None:
    said = log(*STAMPED)
    assert said.last_failure is not None
    assert said.last_failure.at == AT
    result = judge("daemon.containerd-config-invalid", daemon=DOWN, config=config, log=said)
    assert (not result.findings) == is_over


def test_a_bare_last_line_of_a_file_is_as_old_as_the_file() -> None:
    """containerd 2.1.9 refuses its file before the first line with a time."""
    refused = 'containerd: failed to load TOML from x: invalid disabled plugin URI "cri"'
    text = f"{STARTED}\n{BOOTED}\n{refused}\n"
    made = Made({"journal": Failed("missing", ""), "file.read": {"text": text, "mtime": AT + 90}})
    said = containerd_log(made, DOWN)
    assert isinstance(said, ContainerdLog)
    assert said.last_failure is not None
    assert (said.last_failure.message, said.last_failure.at) == (refused, AT + 90)
    written_before_it = ContainerdConfig(PATH, changed_at=AT + 60)
    result = judge(
        "daemon.containerd-config-invalid", daemon=DOWN, config=written_before_it, log=said
    )
    assert rows(result) == [("critical", "docker")]


def test_a_secret_that_was_replaced_is_no_error() -> None:
    text = 'version = 2\n[x]\napi_key = 12345678\npassword = "made-up"\n'
    shown = redact_text(text, lambda *_: "<redacted:secret:0123456789ab>")
    assert "= <redacted" in shown
    config = containerd_config(Made({"file.read": {"text": shown}}), RUNS)
    assert isinstance(config, ContainerdConfig)
    assert not config.error


def test_the_log_is_read_where_containerd_is_down_alone() -> None:
    entries = [
        {"at": 1.0, "message": line, "pid": 70, "cursor": f"c{number}"}
        for number, line in enumerate((STARTED, BOOTED, NO_TOML, BUILT_IN))
    ]
    entries.append(
        {"at": 2.0, "message": f"{UNIT_NAME}: Main process exited", "pid": 1, "cursor": "s"}
    )
    made = Made({"journal": {"entries": entries}})
    said = containerd_log(made, DOWN)
    assert isinstance(said, ContainerdLog)
    assert said.last_failure is not None
    assert said.last_failure.text == NO_TOML
    assert containerd_log(made, RUNS) == ContainerdLog()
    files = Made(
        {"journal": Failed("missing", ""), "file.read": {"text": f"{BOOTED}\n{NO_TOML_2}\n"}}
    )
    said = containerd_log(files, DOWN)
    assert isinstance(said, ContainerdLog)
    assert said.source == "/var/log/containerd.log"
    assert said.last_failure is not None
