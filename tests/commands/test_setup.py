"""`diagnose setup`: parts go in and out without a trace, and the plugin answers docker by
itself."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from diagnose import registry
from diagnose.cli.main import group
from diagnose.setup import manual, parts, places
from diagnose.version import __version__
from tests import command_line

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "diagnose" / "setup" / "docker-diagnose.sh"
USERS_OWN = {
    "auths": {"registry.test": {"auth": "bWFkZTp1cA=="}},
    "plugins": {"other": {"x": "y"}},
    "detachKeys": "ctrl-q",
}


def run(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return command_line.run("setup", *args, cwd=ROOT, env=env)


def files(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def states(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stderr
    return dict(
        re.findall(r"^(\S+) +(out|in(?:, of another version)?) ", done.stdout, re.MULTILINE)
    )


def test_every_part_goes_in_and_out_without_a_trace(tmp_path: Path) -> None:
    names = ["plugin", "hook", "completion", "man", "ansible"]
    assert states(run(tmp_path, "--user")) == dict.fromkeys(names, "out")
    (tmp_path / ".docker").mkdir()
    config = tmp_path / ".docker" / "config.json"
    config.write_text(json.dumps(USERS_OWN))
    config.chmod(0o640)
    for _ in range(2):
        assert states(run(tmp_path, "--user", *names)) == dict.fromkeys(names, "in")
    written = json.loads(config.read_text())
    assert {name: written[name] for name in ("auths", "detachKeys")} == {
        name: USERS_OWN[name] for name in ("auths", "detachKeys")
    }
    assert written["features"] == {"hooks": "true"}
    assert set(written["plugins"]) == {"other", "diagnose"}
    assert config.stat().st_mode & 0o777 == 0o640
    assert ".docker/cli-plugins/docker-diagnose" in files(tmp_path)
    assert ".local/share/man/man1/diagnose-all.1" in files(tmp_path)
    assert states(run(tmp_path, "--user", "--remove", *names)) == dict.fromkeys(names, "out")
    assert files(tmp_path) == {".docker/config.json"}
    assert json.loads(config.read_text()) == USERS_OWN


def test_hooks_of_another_plugin_stay_on(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    config = tmp_path / ".docker" / "config.json"
    config.write_text('{"plugins": {"other": {"hooks": "run"}}, "features": {"hooks": "true"}}')
    run(tmp_path, "--user", "hook")
    run(tmp_path, "--user", "--remove", "hook")
    assert json.loads(config.read_text()) == {
        "plugins": {"other": {"hooks": "run"}},
        "features": {"hooks": "true"},
    }


LEFT_ALONE = {
    "a plugin of another": (
        "plugin",
        ".docker/cli-plugins/docker-diagnose",
        "#!/bin/sh\n",
        "is not of diagnose setup",
    ),
    "a configuration that is not JSON": ("hook", ".docker/config.json", "{", "was left alone"),
    "a configuration that is not an object": (
        "hook",
        ".docker/config.json",
        "[]",
        "was left alone",
    ),
}


@pytest.mark.parametrize(("part", "path", "text", "reason"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_is_not_ours_is_left_alone(
    tmp_path: Path, part: str, path: str, text: str, reason: str
) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text)
    done = run(tmp_path, "--user", part)
    assert (done.returncode, reason in done.stderr) == (3, True), done.stderr
    run(tmp_path, "--user", "--remove", part)
    assert (tmp_path / path).read_text() == text


def test_older_version_is_named_and_replaced(tmp_path: Path) -> None:
    run(tmp_path, "--user", "plugin")
    plugin = tmp_path / ".docker/cli-plugins/docker-diagnose"
    plugin.write_text(plugin.read_text().replace(__version__, "0.0.1"))
    assert states(run(tmp_path, "--user"))["plugin"] == "in, of another version"
    assert states(run(tmp_path, "--user", "plugin"))["plugin"] == "in"


USAGE = {
    "a timer for one user": (["--user", "timer"], "timer is for the whole host"),
    "nothing to take out": (["--user", "--remove"], "name the parts to remove"),
    "no such part": (["--user", "daemon"], "'daemon' is not one of"),
}


@pytest.mark.parametrize(("args", "reason"), USAGE.values(), ids=USAGE)
def test_usage_error(tmp_path: Path, args: list[str], reason: str) -> None:
    done = run(tmp_path, *args)
    assert (done.returncode, reason in done.stderr) == (3, True), done.stderr
    assert files(tmp_path) == set()


def test_whole_host(tmp_path: Path) -> None:
    """With another root, as a package is put together."""
    where = places.of_host({"HOME": str(tmp_path / "home")}, tmp_path)
    for part in parts.parts(where, group, Path("/opt/diagnose/diagnose")):
        part.put_in()
        assert part.state() == "in", part.name
    service = (where.units or tmp_path) / "diagnose.service"
    assert "/opt/diagnose/diagnose all --format json" in service.read_text()
    assert (where.plugins / "docker-diagnose").stat().st_mode & 0o777 == 0o755
    if shutil.which("systemd-analyze"):
        units = [str(service), str(service.with_suffix(".timer"))]
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
        )
        assert "diagnose." not in done.stderr.replace("/opt/diagnose/diagnose", ""), done.stderr


@pytest.mark.parametrize(
    ("name", "shell"),
    [("bash/diagnose", "bash"), ("zsh/_diagnose", "zsh"), ("fish/diagnose.fish", "fish")],
)
def test_completion_is_a_script_of_its_shell(tmp_path: Path, name: str, shell: str) -> None:
    where = places.of_user({"HOME": str(tmp_path)})
    scripts = {
        f"{kind}/{path.name}": text
        for kind in ("bash", "zsh", "fish")
        for path, text in parts.completions(where, group).items()
        if kind in str(path)
    }
    assert parts.MARK in scripts[name]
    if shell == "zsh":
        assert scripts[name].startswith("#compdef diagnose\n")
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=scripts[name], text=True, check=True)


def test_man_pages_are_roff_that_shows_every_option() -> None:
    made = manual.pages(group)
    assert {"diagnose.1", "diagnose-all.1", "diagnose-explain.1"} <= set(made)
    assert r"\-\-fail\-on" in made["diagnose-all.1"]
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed: the pages are not rendered")
    for name, text in made.items():
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww", "-z"], input=text, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, ""), name


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The plugin, with a program behind it that prints what it is given."""
    script = tmp_path / "docker-diagnose"
    script.write_text(
        PLUGIN.read_text()
        .replace("@VERSION@", __version__)
        .replace("@PROGRAM@", str(tmp_path / "tool"))
    )
    (tmp_path / "tool").write_text(
        '#!/bin/sh\nprintf "%s|" "$@"\nprintf "%s" "${DOCKER_CONFIG:-}"\n'
    )
    for path in (script, tmp_path / "tool"):
        path.chmod(0o755)
    return script


ARGUMENTS = {
    "a command": (["diagnose", "all"], "all|"),
    "no command": (["diagnose"], "|"),
    "its own help": (["diagnose", "--help"], "--help|"),
    "an empty word and blanks": (["diagnose", "check", "", "a b", "*"], "check||a b|*|"),
    "docker's context": (["--context", "far", "diagnose", "all", "-v"], "all|--context|far|-v|"),
    "docker's short context": (["-c", "far", "diagnose", "all"], "all|--context|far|"),
    "docker's host": (["--host=tcp://h:1", "--debug", "diagnose", "all"], "all|--host|tcp://h:1|"),
    "docker's configuration": (
        ["--config", "/made/up", "-l", "debug", "diagnose", "all"],
        "all|/made/up",
    ),
    "the word diagnose again": (["diagnose", "explain", "diagnose"], "explain|diagnose|"),
}


@pytest.mark.parametrize("shell", ["sh", "busybox"])
@pytest.mark.parametrize(("given", "passed"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_plugin_hands_the_command_line_over(
    plugin: Path, shell: str, given: list[str], passed: str
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    command = [*([shell, "sh"] if shell == "busybox" else [shell]), str(plugin), *given]
    assert (
        subprocess.run(
            command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
        ).stdout
        == passed
    )


def test_plugin_describes_itself_without_the_tool(plugin: Path) -> None:
    (plugin.parent / "tool").unlink()
    answer = json.loads(
        subprocess.run(
            [plugin, "docker-cli-plugin-metadata"], capture_output=True, check=True
        ).stdout
    )
    assert (answer["SchemaVersion"], answer["Version"]) == ("0.1.0", __version__)
    assert answer["Vendor"]
    assert answer["ShortDescription"]


DAEMON = "docker: Error response from daemon: "
ERRORS = {
    "a port": (
        DAEMON
        + "driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:8080 failed: port is already allocated.",
        "network.port-allocated",
        "port 8080 is held by another container",
    ),
    "a port of IPv6": (
        DAEMON + "Bind for :::443 failed: port is already allocated",
        "network.port-allocated",
        "port 443 is held",
    ),
    "a port of a process": (
        DAEMON + "failed to listen on TCP socket: address already in use",
        "network.port-held-by-process",
        "",
    ),
    "no engine": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "daemon",
        "",
    ),
    "no right": (
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "daemon.socket-forbidden",
        "",
    ),
    "no program": (
        DAEMON
        + 'OCI runtime create failed: exec: \\"/none\\": stat /none: no such file or directory: unknown.',
        "container.entrypoint-missing",
        "",
    ),
    "a program in PATH": (
        DAEMON + 'exec: \\"nginz\\": executable file not found in $PATH',
        "container.entrypoint-missing",
        "",
    ),
    "no right to run": (
        DAEMON + 'exec: \\"/run.sh\\": permission denied: unknown',
        "container.entrypoint-forbidden",
        "",
    ),
    "another processor": (DAEMON + "exec /bin/app: exec format error", "container.exec-format", ""),
    "a full disk": (DAEMON + "write /var/lib/docker/tmp/x: no space left on device", "storage", ""),
    "a private image": (
        DAEMON + "pull access denied for acme/shop, repository does not exist",
        "image.pull-denied",
        "",
    ),
    "too many pulls": (
        DAEMON + "toomanyrequests: You have reached your pull rate limit.",
        "image.pull-rate-limited",
        "",
    ),
    "a certificate": (
        DAEMON
        + 'Get \\"https://registry.test/v2/\\": x509: certificate signed by unknown authority',
        "image.registry-tls",
        "",
    ),
    "a name": (
        DAEMON
        + 'Get \\"https://registry.test/v2/\\": dial tcp: lookup registry.test: no such host',
        "image.registry-unreachable",
        "",
    ),
    "a folder": (
        DAEMON + "invalid mount config for type: bind source path does not exist: /srv/x",
        "container.mount-source-missing",
        "",
    ),
    "a graphics card": (
        DAEMON + 'could not select device driver \\"\\" with capabilities: [[gpu]]',
        "container.device-missing",
        "",
    ),
    "no pools": (
        DAEMON + "all predefined address pools have been fully subnetted",
        "network.address-pools-exhausted",
        "",
    ),
    "run of an older client": (
        "Status: , Code: 125",
        "container",
        "the engine did not start the container",
    ),
    "no program, older client": ("Status: , Code: 127", "container", "cannot be started"),
    "flushed rules": (
        DAEMON + "Unable to enable DNAT rule: iptables failed: No chain/target/match by that name.",
        "firewall.chains-missing",
        "",
    ),
}


@pytest.mark.parametrize(("error", "selector", "text"), ERRORS.values(), ids=ERRORS)
def test_hook_names_the_check(plugin: Path, error: str, selector: str, text: str) -> None:
    request = f'{{"RootCmd":"run","Flags":{{"publish":""}},"CommandError":"{error}"}}'
    json.loads(request)
    answer = subprocess.run(
        [plugin, "diagnose", "docker-cli-plugin-hooks", request], capture_output=True, text=True
    )
    template = json.loads(answer.stdout)["Template"]
    assert template.endswith(f" - docker diagnose check {selector}")
    assert text in template
    assert "{{" not in template
    assert "." not in selector or selector in registry.load()


@pytest.mark.parametrize("error", ["", "exit status 1", "unknown flag: --prot"], ids=repr)
def test_hook_is_silent_where_it_knows_nothing(plugin: Path, error: str) -> None:
    request = json.dumps({"RootCmd": "run", "CommandError": error}, separators=(",", ":"))
    answer = subprocess.run(
        [plugin, "diagnose", "docker-cli-plugin-hooks", request], capture_output=True, text=True
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", "")


def test_every_hint_is_tested() -> None:
    """A row above for each check that the script may name."""
    named = set(
        re.findall(
            r"\) hint .* ([a-z]+(?:\.[a-z-]+)?) ;;$|^\s+hint .* (network\.port-allocated)$",
            PLUGIN.read_text(),
            re.MULTILINE,
        )
    )
    selectors = {selector for pair in named for selector in pair if selector}
    assert len(selectors) > 15
    ids = {id for id in selectors if "." in id}
    assert ids <= set(registry.load())


def test_plugin_takes_no_time(plugin: Path, say: Callable[[str], None]) -> None:
    """Processor time, since the machine may be busy: docker asks every plugin whenever its help is
    shown."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(20):
        subprocess.run([plugin, "docker-cli-plugin-metadata"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 20
    say(f"docker-diagnose answers for its metadata in {took * 1000:.1f} ms of CPU")
    assert took < 0.005
