"""daemon.json and flags that the engine refuses, or has not read."""

from __future__ import annotations

import json
import time

from tests.lab import Box, Engines, fault, healthy
from tests.lab.box import LOG
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.daemon_told.helpers import CONFIG, DAEMON, refuse

BROKEN_BY_HAND = """{
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m"}
  "dns": ["192.0.2.53"
  },
  "debug": false
}
"""


@fault("daemon.config-invalid", subject=DAEMON, exit_code=1)
def latent(box: Box) -> None:
    """A comma too many in the file of a running engine: its next start will fail."""
    box.write(CONFIG, '{\n  "log-driver": "json-file",\n  "log-opts": {"max-size": "10m",}\n}\n')
    assert box.ping()


@fault("daemon.config-invalid", subject=DAEMON, exit_code=1)
def written_as_yaml(box: Box) -> None:
    """Somebody has written the file of a running engine in YAML: its next start will fail."""
    box.write(
        CONFIG, "# settings of the engine\nlog-driver: json-file\nlog-opts:\n  max-size: 10m\n"
    )
    assert box.ping()


@fault(
    "daemon.config-invalid",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=["container.*"],
    exit_code=2,
)
def broken(box: Box) -> None:
    """The same after a restart: the engine is dead, and its container as well."""
    box.write(CONFIG, '{\n  "log-driver": "json-file",\n  "log-opts": {"max-size": "10m",}\n}\n')
    box.stop_engine()
    refuse(box, words="unable to configure the Docker daemon")
    out = box.diagnose("all").out
    assert "line 3 column" in out, out
    assert out.index("daemon.config-invalid") < out.index("daemon.not-running"), out


@fault(
    "daemon.config-invalid",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=["container.*"],
    exit_code=2,
)
def wrong_punctuation(box: Box) -> None:
    """A line was added by hand: a comma is missing, and a list ends with the bracket of an object.
    The command of the report corrects both, and the engine takes the file."""
    box.write(CONFIG, BROKEN_BY_HAND)
    box.stop_engine()
    refuse(box, words="unable to configure the Docker daemon")
    (finding,) = box.diagnose("check", "daemon.config-invalid", "--format", "json").findings
    assert "a comma is missing at the end of line 3" in finding["summary"], finding["summary"]
    copied, corrected, _ = finding["fix"][0]["command"].splitlines()
    box.sh(f"{copied}\n{corrected}")
    assert json.loads(box.read(CONFIG))["dns"] == ["192.0.2.53"]
    assert box.diagnose("check", "daemon.config-invalid", "--format", "json").findings == []
    box.write(CONFIG, BROKEN_BY_HAND)


@fault(
    "daemon.config-invalid",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=["container.*"],
    exit_code=2,
)
def page_in_place_of_the_file(box: Box) -> None:
    """A script has downloaded the file, and the server answered with an error page."""
    page = "<!DOCTYPE html>\n<html><head><title>404: Not Found</title></head></html>\n"
    box.write(CONFIG, page)
    box.stop_engine()
    refuse(box, words="unable to configure the Docker daemon")
    run = box.diagnose("check", "daemon.config-invalid", "--format", "json")
    (finding,) = run.findings
    assert "is an HTML page (404: Not Found) and no JSON" in finding["summary"]
    assert finding["fix"][0]["command"].startswith(f"mv {CONFIG} {CONFIG}.")


@healthy()
def unusual_but_valid(box: Box) -> None:
    """Keys twice, a value of null, a flag's name as a key, a file that was only touched: each
    engine takes that."""
    text = json.dumps({**BASE_CONFIG, "dns": None, "insecure-registry": []})
    box.write(CONFIG, text[:-1] + ', "debug": true, "debug": false}')


@healthy(engines=Engines(since=23), config={})
def empty_file_with_a_mark(box: Box) -> None:
    """Newer engines take a byte order mark."""
    box.write(CONFIG, "\ufeff" + json.dumps(dict(BASE_CONFIG)))


@fault("daemon.config-flag-conflict", subject=DAEMON, flags=("--log-level=info",), exit_code=1)
def conflict_ahead(box: Box) -> None:
    """A setting was added to the file that dockerd has as a flag: its next start will fail."""
    box.write(CONFIG, {**BASE_CONFIG, "log-level": "info"})


@fault(
    "daemon.config-flag-conflict",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=["container.*"],
    exit_code=2,
)
def conflict(box: Box) -> None:
    """`hosts` is in the file and on the command line: the engine does not start."""
    box.stop_engine()
    box.write(CONFIG, {**BASE_CONFIG, "hosts": ["unix:///var/run/docker.sock"]})
    refuse(
        box,
        "-H",
        "unix:///run/docker.sock",
        words="specified both as a flag and in the configuration file: hosts",
    )


@fault("daemon.debug-on", subject=DAEMON, config={"debug": True})
def debugging(box: Box) -> None:
    """The engine was started in debug mode, and logs each request with its body."""
    box.docker("run", "--rm", "-e", "COLOUR=made-up-blue", "shop:1.4", "true")
    assert "level=debug" in box.log_tail(200)
    assert "made-up-blue" in box.log_tail(200)


@fault("daemon.config-not-applied", subject=DAEMON)
def not_applied(box: Box) -> None:
    """live-restore was switched on in the file, and nobody has reloaded the engine."""
    time.sleep(1.5)
    box.write(CONFIG, {**BASE_CONFIG, "live-restore": True})
    assert box.api("/info")["LiveRestoreEnabled"] is False


@healthy(config={"live-restore": True})
def touched(box: Box) -> None:
    """The file is younger than the engine and says the same."""
    time.sleep(1.5)
    box.write(CONFIG, {**BASE_CONFIG, "live-restore": True})
    run = box.diagnose("check", "daemon", "--format", "json")
    assert run.findings == [], run.out


@fault("daemon.not-running", subject=DAEMON, also=["container.*"], exit_code=2)
def flag_that_is_none(box: Box) -> None:
    """The command line holds a flag that this engine does not have, as after an upgrade."""
    box.stop_engine()
    pid = box.spawn(["dockerd", "--nosuch=1"], log=LOG)
    box.wait_for(lambda: not box.alive(pid), what="dockerd to give up")
    assert "unknown flag: --nosuch" in box.read(LOG)  # engine 28 prints all its flags behind it
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert "the option --nosuch" in by_id["daemon.not-running"]["summary"]
