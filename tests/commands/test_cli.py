"""The command line as a user meets it: exit codes, one clear sentence, pure JSON, nothing written
by mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from diagnose import registry, runbooks, session
from diagnose.judgement import selection
from diagnose.questions.run import Options
from diagnose.recording.answer_files import read_folder, write_folder
from diagnose.recording.recorder import RecordedAnswer
from diagnose.redact import Redactor
from diagnose.session import InvalidRequestError
from tests import command_line
from tests.questions import question

SCHEMA = json.loads((Path(__file__).parents[2] / "diagnose/render/report.schema.json").read_text())


def run(
    *args: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock", **(env or {})}
    return command_line.run(*args, env=whole, cwd=cwd)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recorded host with one container whose program is missing."""
    inspect = {
        "Id": "f" * 64,
        "Name": "/gateway",
        "Path": "/app/server",
        "Config": {
            "Image": "gateway:1.4",
            "Labels": {
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": "gateway",
                "com.docker.compose.project.config_files": "/srv/shop/compose.yml,/srv/shop/prod.yml",
            },
        },
        "State": {
            "Status": "created",
            "ExitCode": 127,
            "Error": 'exec: "/app/server": stat /app/server: no such file or directory: unknown',
        },
    }
    answers = {
        question("now"): {"wall": 1.8e9, "boot_wall": 1.7e9},
        question("uname"): {
            "nodename": "shop-3",
            "release": "6.1.0",
            "version": "",
            "machine": "x86_64",
        },
        question("endpoint"): {
            "url": "unix:///var/run/docker.sock",
            "source": "default",
            "named": False,
        },
        question("api.ping"): {"api_version": "1.51", "engine_version": "28.5.2", "libpod": None},
        question("api.containers", all=True): [{"Id": "f" * 64, "Names": ["/gateway"]}],
        question("api.container", id="f" * 64): inspect,
    }
    write_folder(
        tmp_path / "host",
        {q: RecordedAnswer(answer) for q, answer in answers.items()},
        {"made": "for a test"},
    )
    return tmp_path / "host"


@pytest.mark.parametrize(
    "words", [["recreate", "nope"], ["repair", "nope"], ["repair", "container.oom-killed"]]
)
def test_a_refused_script_fails_in_the_shell_that_reads_it(words: list[str]):
    """`diagnose recreate X | sh && rm ...` goes no further."""
    done = run(*words, "--from", "demo")
    assert done.returncode == 3
    assert subprocess.run(["sh"], input=done.stdout, text=True).returncode == 1


WRONG = {
    "no such check": (["check", "container.oom-kiled"], "container.oom-killed"),
    "no such command": (["nothing"], "No such command 'nothing'"),
    "a mistyped command": (["timelin"], "No such command 'timelin'; did you mean timeline?"),
    "a container that a bundle lacks": (
        ["recreate", "nope", "--from", "demo"],
        "cannot inspect container 'nope': not in this bundle",
    ),
    "no such option": (["all", "--nosuch"], "nosuch"),
    "a budget that is no number": (["all", "--budget", "soon"], "'soon' is not a duration"),
    "a budget of nothing": (["all", "--budget", "0"], "out of range"),
    "a budget without end": (["all", "--budget", "inf"], "out of range"),
    "nothing to replay": (["all", "--from", "/nonexistent"], "/nonexistent"),
    "a foreign folder": (["all", "--from", "/etc"], "/etc"),
    "no page": (["explain", "nosuch.page"], "nosuch.page"),
    "an empty source": (["all", "--from", ""], "it is empty"),
    "an empty output": (["all", "-o", ""], "it is empty"),
    "a check without its command": (
        ["container.oom-killed"],
        "did you mean diagnose check container.oom-killed?",
    ),
    "the beginning of an id": (["check", "container.oom"], "did you mean container.oom-killed"),
    "an address that is none": (
        ["all", "-H", "ftp://engine"],
        "none of unix, tcp and ssh: ftp://engine",
    ),
    "a docker context that is none": (
        ["all", "--context", "nosuch"],
        "there is no docker context 'nosuch'",
    ),
    "a glob that matches nothing": (
        ["check", "dsn.*"],
        "no check matches 'dsn.*'; did you mean dns",
    ),
    "two engines": (
        ["all", "-H", "unix:///x", "--context", "y"],
        "-H and --context name two endpoints",
    ),
    "a recording and an engine": (
        ["all", "--from", "demo", "-H", "unix:///x"],
        "does not go with --from",
    ),
    "a recording and a span": (
        ["all", "--from", "demo", "--since", "1h"],
        "does not go with --from",
    ),
    "a recording and no probe": (
        ["all", "--from", "demo", "--no-probe"],
        "does not go with --from",
    ),
    "a recording and a name": (
        ["check", "dns", "--from", "demo", "--resolve", "x.test"],
        "does not go with --from",
    ),
    "a name and no query": (
        ["all", "--resolve", "x.test", "--no-probe"],
        "does not go with --no-probe",
    ),
    "a source that is no bundle": (
        ["all", "--from", "/etc/passwd"],
        "neither a bundle nor a recorded folder",
    ),
    "no selector": (["check"], "SELECTOR"),
    "an output that exists": (["all", "-o", "/etc/passwd"], "/etc/passwd"),
    "a missing configuration": (
        ["all", "--config", "/nonexistent.toml"],
        "cannot read /nonexistent.toml",
    ),
    "a missing configuration of a list": (
        ["list", "--config", "/nonexistent.toml"],
        "cannot read /nonexistent.toml",
    ),
    "an empty bundle": (["bundle", "-o", ""], "it is empty"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input_is_one_clear_sentence_and_exit_3(name: str):
    args, hint = WRONG[name]
    done = run(*args)
    assert done.returncode == 3
    assert done.stdout == ("exit 1\n" if args[0] == "recreate" else "")
    assert hint in done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_an_unknown_container_is_named_with_its_nearest(folder: Path):
    done = run("all", "--from", str(folder), "--container", "gatewy")
    assert done.returncode == 3
    assert "did you mean gateway?" in done.stderr


@pytest.mark.parametrize("word", ["/gateway", "f" * 64, "f" * 12, "f"])
def test_a_container_is_called_by_its_name_or_by_as_much_of_its_id_as_the_engine_takes(
    folder: Path, word: str
):
    done = run("all", "--from", str(folder), "--container", word, "--format", "json")
    assert done.returncode == 2, done.stderr
    loud = {
        f["subject"]["name"]
        for f in json.loads(done.stdout)["findings"]
        if f["severity"] != "advice"
    }
    assert loud == {"gateway"}


def test_it_is_told_where_it_is_written_how_a_container_is_made(folder: Path):
    origin = "compose project shop, service gateway, /srv/shop/compose.yml, /srv/shop/prod.yml"
    assert (
        f"    made by {origin}\n"
        in run("all", "--from", str(folder), env={"COLUMNS": "120"}).stdout
    )
    assert (
        f"- made by {origin}\n" in run("all", "--from", str(folder), "--format", "markdown").stdout
    )
    report = json.loads(run("all", "--from", str(folder), "--format", "json").stdout)
    assert {f["made_by"] for f in report["findings"] if f["subject"]["kind"] == "container"} == {
        origin
    }
    assert {f["made_by"] for f in report["findings"] if f["subject"]["kind"] != "container"} <= {
        None
    }


def test_a_name_goes_before_an_id_and_the_beginning_of_several_ids_names_none():
    names = {"abc1": "web", "abd2": "db", "f00d": "abc"}
    assert selection.called("abc", names) == ("abc",)
    assert selection.called("abc1", names) == ("web",)
    assert set(selection.called("ab", names)) == {"web", "db"}
    assert selection.called("/", names) == selection.called("e", names) == ()


def test_replay_finds_what_the_recording_shows(folder: Path):
    done = run("all", "--from", str(folder), "--format", "json")
    assert done.returncode == 2
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    loud = [
        (f["id"], f["subject"]["name"]) for f in report["findings"] if f["severity"] != "advice"
    ]
    assert loud == [("container.entrypoint-missing", "gateway")]
    assert report["source"] == "bundle"
    assert {row["verdict"] for row in report["checks"]} <= {"found", "passed", "unknown", "skipped"}
    assert "Traceback" not in done.stderr


def test_text_fits_80_columns_and_has_no_colour_in_a_pipe(folder: Path):
    done = run(
        "check", "container.entrypoint-missing", "--from", str(folder), env={"COLUMNS": "80"}
    )
    assert done.stdout.startswith("CRITICAL shop-3: 1 critical")
    assert "\x1b" not in done.stdout
    status, *rest = done.stdout.splitlines()
    assert status.endswith(" s: container.entrypoint-missing (gateway)")
    prose = [line for line in rest if not line.startswith("    docker ")]
    assert max(map(len, prose)) <= 80
    assert not any(line != line.rstrip() for line in prose)


def test_findings_of_one_subject_are_told_apart_by_their_sentences(folder: Path):
    names = ["cart", "mail", "search", "shop"]
    status = {"RunningTasks": 0, "DesiredTasks": 1}
    services = [{"ID": name, "Spec": {"Name": name}, "ServiceStatus": status} for name in names]
    answers = {
        question("api.info"): {
            "Swarm": {"LocalNodeState": "active", "ControlAvailable": True, "Managers": 1}
        },
        question("api.services"): services,
        question("api.nodes"): [],
        question("api.tasks"): [],
    }
    old, _ = read_folder(folder)
    write_folder(
        folder,
        {**old, **{q: RecordedAnswer(answer) for q, answer in answers.items()}},
        {"made": "for a test"},
    )
    done = run("check", "swarm.service-underreplicated", "--from", str(folder))
    assert done.stdout.count("CRITICAL  swarm.service-underreplicated") == 1
    assert all(f'service "{name}" runs 0 of 1 tasks' in done.stdout for name in names), done.stdout


def test_fail_on_never_is_exit_0(folder: Path):
    assert run("all", "--from", str(folder), "--fail-on", "never").returncode == 0


def test_output_goes_to_a_new_file_of_ones_own(folder: Path, tmp_path: Path):
    target = tmp_path / "report.json"
    assert run("all", "--from", str(folder), "--format", "json", "-o", str(target)).returncode == 2
    assert json.loads(target.read_text())["schema_version"] == 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert run("all", "--from", str(folder), "-o", str(target)).returncode == 3
    assert run("all", "--from", str(folder), "-o", "-", cwd=tmp_path).stdout.startswith("CRITICAL")
    assert not (tmp_path / "-").exists()


WRONG_SITES = {
    "an unknown key": ('[site]\nrack = "b12"\n', "site has no key 'rack'"),
    "a label that is no text": ("[site]\nlabels = { rack = 12 }\n", "labels is a table of texts"),
    "a label without end": (f'[site]\nlabels = {{ rack = "{"x" * 200}" }}\n', "at most 20 labels"),
    "no table": ("site = 1\n", "site is a table"),
}


@pytest.mark.parametrize(("text", "words"), WRONG_SITES.values(), ids=WRONG_SITES)
def test_a_wrong_site_is_one_clear_sentence(folder: Path, tmp_path: Path, text: str, words: str):
    config = tmp_path / "site.toml"
    config.write_text(text)
    done = run("all", "--from", str(folder), "--config", str(config))
    assert done.returncode == 3
    assert words in done.stderr


def test_silences_and_thresholds_come_from_a_named_file(folder: Path, tmp_path: Path):
    config = tmp_path / "c.toml"
    config.write_text(
        '[[silence]]\nid = "container.*"\nsubject = "gate*"\nreason = "being replaced"\n'
    )
    done = run(
        "check",
        "container.entrypoint-missing",
        "--from",
        str(folder),
        "--config",
        str(config),
        "--show-silenced",
    )
    assert done.returncode == 0, done.stdout
    assert "being replaced" in done.stdout
    config.write_text('[[silence]]\nid = "container.*"\nreason = "r"\nuntil = 2020-01-01\n')
    done = run(
        "check", "container.entrypoint-missing", "--from", str(folder), "--config", str(config)
    )
    assert done.returncode == 2
    assert "ended on 2020-01-01" in done.stdout
    config.write_text('[thresholds."container.nosuch"]\nx = 1\n')
    assert run("all", "--from", str(folder), "--config", str(config)).returncode == 3


def test_the_current_folder_steers_nothing(tmp_path: Path):
    (tmp_path / "diagnose.toml").write_text("nonsense")
    (tmp_path / "checks.py").write_text("raise SystemExit('steered')")
    script = Path(sys.executable).parent / "diagnose"
    done = subprocess.run(
        [script, "list"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr


def test_without_any_docker_it_says_something_true():
    done = run("all", "--format", "json", "--budget", "5")
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    assert done.returncode in (2, 3)
    assert not [row for row in report["checks"] if row["verdict"] == "crashed"]


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
LATE = {
    "diagnose.programs.failures.table",
    "diagnose.programs.families.table",
    "diagnose.recording.answer_files",
    *(f"checks.{family}.{name}" for family in FAMILIES for name in ("repairs", "without")),
}
"""What only a finding, or a recording, needs: some 50 modules."""
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
        "checks.container",
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
    "all --format json --no-probe": {*HEAVY, "dnslib"},
}
"""What a command must not import; FOLDER is a recorded host, without it the host is this one, with
its default socket."""


@pytest.mark.parametrize("command", MODULES)
def test_nothing_is_imported_that_the_command_does_not_need(command: str, folder: Path):
    code = (
        "import os, sys\n"
        "leave = os._exit\n"
        "os._exit = lambda code: (sys.stderr.write('\\n' + ' '.join(sys.modules)), sys.stderr.flush(), leave(0))\n"
        f"sys.argv[1:] = {[str(folder) if word == 'FOLDER' else word for word in command.split()]!r}\n"
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
    assert not imported & MODULES[command]
    assert done.stdout


STREAMS = {
    "no stdout": ("all --from FOLDER >&-", 2, ""),
    "no stream at all": ("all --from FOLDER --format json <&- >&- 2>&-", 2, ""),
    "no stderr for an error": ("all --nosuch 2>&-", 3, ""),
    "a full disk": (
        "all --from FOLDER >/dev/full",
        3,
        "Error: cannot write the report: No space left on device",
    ),
    "a full disk, few bytes": ("list daemon.hung >/dev/full", 3, "Error: No space left on device"),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.fuzz
def test_streams_that_are_closed_or_full(name: str, folder: Path):
    command, code, said = STREAMS[name]
    script = f"{sys.executable} -m diagnose {command.replace('FOLDER', str(folder))}"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (code, "", said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_before_anything_is_known(number: signal.Signals, folder: Path):
    code = (
        "import os, sys\n"
        "from diagnose import registry\n"
        f"registry.load = lambda: os.kill(os.getpid(), {int(number)})\n"
        f"sys.argv[1:] = ['all', '--from', {str(folder)!r}]\n"
        "from diagnose.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "interrupted\n")


def test_an_interrupt_lets_the_report_be_written_and_a_second_one_does_not():
    code = (
        "import os, signal, sys\n"
        "from diagnose.interrupts import unbroken\n"
        "with unbroken():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    sys.stdout.write('to its end'); sys.stdout.flush()\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    sys.stdout.write(' and beyond'); sys.stdout.flush()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "to its end")


def test_an_error_leaves_no_empty_report(tmp_path: Path):
    target = tmp_path / "report.txt"
    assert run("all", "--from", "/nonexistent", "-o", str(target)).returncode == 3
    assert not target.exists()


def test_a_context_that_is_gone_says_nothing_about_the_files_of_this_host(tmp_path: Path):
    env = {"DOCKER_HOST": "", "DOCKER_CONTEXT": "nosuch", "HOME": str(tmp_path)}
    done = run("all", "--no-probe", "--format", "json", env=env)
    report = json.loads(done.stdout)
    assert (done.returncode, report["findings"]) == (3, [])
    whys = {check["why"] for check in report["checks"] if check["verdict"] == "unknown"}
    assert any("there is no docker context 'nosuch' (DOCKER_CONTEXT)" in why for why in whys)


@pytest.mark.parametrize(
    "id", ["container.oom-killed", "container.device-missing", "dns.host-broken"]
)
def test_no_command_of_a_page_is_cut_or_wrapped(id: str):
    shown = run("explain", id, env={"COLUMNS": "60"}).stdout.splitlines()
    blocks = runbooks.page(id).blocks
    assert any(len(line) > 60 for block in blocks for line in block.text.splitlines())
    for block in blocks:
        assert all(f"  {runbooks.fill(line, {})}" in shown for line in block.text.splitlines()), (
            block.text
        )


def test_a_page_says_how_to_take_its_verification():
    """Some commands end well whatever they show."""
    assert "verify (exit code 0: it worked)" in run("explain", "firewall.forward-dropped").stdout
    assert "verify (read its output)" in run("explain", "image.unused").stdout


def test_help_of_every_command_names_its_options():
    for command in ("all", "check", "list", "explain"):
        done = run(command, "--help")
        assert done.returncode == 0
        assert "Usage: diagnose" in done.stdout
    assert registry.load()


def test_follow_prints_the_steps_for_a_recorded_finding() -> None:
    result = run("follow", "firewall.forwarding-off", "--from", "demo", "--print")
    assert result.returncode == 0, result.stderr
    assert "\n# sysctl -w net.ipv4.ip_forward=1\n" in result.stdout, "a fix is commented out"


@pytest.mark.parametrize("columns", ["0", "-5", "1", "99999999999", "²", "wide", ""])
def test_a_width_that_is_none_is_measured_instead(columns: str) -> None:
    done = run("explain", "dns.upstream-unreachable", env={"COLUMNS": columns})
    assert (done.returncode, done.stderr) == (0, "")
    assert "dns.upstream-unreachable" in done.stdout


def test_a_missing_package_is_no_silent_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httptools", None)
    with pytest.raises(InvalidRequestError, match="no Python package httptools"):
        session.live(Options(), (), time.monotonic(), Redactor())
