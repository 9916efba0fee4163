"""`diagnose follow` on real engines, by a pseudo-terminal: faults of many families are healed by
typed answers alone."""

from __future__ import annotations

import itertools
import os
import pty
import re
import selectors
import signal
import time
from collections.abc import Sequence

import pytest

from tests.lab.box import Box
from tests.lab.cures.proof import BIN, UNHURRIED, equip, note_units
from tests.lab.engines import Engine
from tests.lab.faults import Scenario
from tests.lab.faults import discover as discover_scenarios
from tests.lab.runner import start

pytestmark = pytest.mark.timeout(600)
SHARED = {
    "cut off and refused": (
        "attachment.disconnected_from_its_only_network",
        "attachment.program_on_a_noexec_mount",
        "container.given_up",
        "container.mounted_file_replaced",
        "container.network_removed",
        "container.paused_and_forgotten",
        "container.script_with_dos_line_ends",
        "dns.nat_flushed_inside",
        "engine_wounds.log_with_nul_bytes",
        "image.builds_that_lost_their_tag",
        "logging.file_missing",
        "network.default_route_deleted_inside",
    ),
    "limits and options": (
        "dns_names.name_on_the_default_network",
        "logging.driver_blocks_start",
        "network_wiring.proxy_of_nobody",
        "network_wiring.two_of_one_mac",
        "programs.pid_file_left_behind",
        "programs.server_in_the_background",
        "resources.at_its_pids_limit",
        "resources.nearly_all_memory_used",
        "security.unmasked_paths",
        "security.writable_root",
        "storage.shm_full",
        "storage.volumes_unused",
    ),
}
"""Faults that stand side by side in one box, and are followed one after the other."""
ALONE = (
    "daemon.frozen", "daemon_told.latent", "firewall.filter_flushed",
    "network.bridge_switched_off", "network.port_of_a_process", "network.route_into_a_subnet",
)  # fmt: skip
"""Faults that need a host of their own."""
LONG = (
    "firewall.masquerade_deleted", "network_wiring.macvlan_on_an_interface_that_is_down",
    "firewall.dnat_deleted", "firewall.dropped_in_docker_user",
    "paths.kill_switch_that_forgets_the_bridges", "storage.deleted_files_held",
)  # fmt: skip
"""More of them, for a run that may take its time."""
FAULTS_AT_LEAST = 30
FAMILIES_AT_LEAST = 10
_TURNS = 60
_DEADLINE_S = 150
_PROMPT = re.compile(
    r"Type ([^\n]*?):\s*$|To run it, type ([^\n]*?); otherwise skip or quit:\s*$"
    r"|then type done; otherwise (skip) or quit:\s*$"
)


def _newest_only(engine: Engine) -> None:
    if engine.major < 28:
        pytest.skip("the walk does not depend on the engine")


class _Session:
    """One `diagnose follow` in the box, on a terminal of its own."""

    def __init__(self, box: Box, *arguments: str) -> None:
        path = f"{BIN}:{box.engine.path}"
        # a session of its own: Ctrl-C must not end the process that leads into the box and waits
        # there for the exit code
        tool = ["setsid", "--ctty", f"{BIN}/diagnose", "follow", *arguments]
        argv, env = box.command(tool, cwd="/root", env={"PATH": path})
        self.pid, self._handle = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, env)
        self.text = ""
        self.code: int | None = None

    def prompt(self) -> str:
        """Wait for the next question, or for the end: the text since the last one."""
        began, seen = time.monotonic(), len(self.text)
        with selectors.DefaultSelector() as selector:
            selector.register(self._handle, selectors.EVENT_READ)
            while time.monotonic() - began < _DEADLINE_S:
                if not selector.select(1):
                    continue
                try:
                    data = os.read(self._handle, 65_536)
                except OSError:  # the other end is closed
                    data = b""
                self.text += data.decode("utf-8", "replace").replace("\r\n", "\n")
                if not data:
                    self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                    return self.text[seen:]
                if _PROMPT.search(self.text[seen:]):
                    return self.text[seen:]
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"no question in {_DEADLINE_S} s:\n{self.text}")

    def answer(self, text: str) -> None:
        os.write(self._handle, f"{text}\n".encode())

    def interrupt(self) -> None:
        os.write(self._handle, b"\x03")


def _agreeing(question: str) -> str:
    """What an engineer types who agrees to everything that is not their own work."""
    match = _PROMPT.search(question)
    assert match, question
    if match[2] or match[3]:
        return match[2] or match[3]
    choices = match[1].replace(" or ", ", ").split(", ")
    return next(choice for choice in ("yes", "next", "skip", "again", "quit") if choice in choices)


def _followed(box: Box, key: str) -> tuple[_Session, str]:
    """The whole walk for one finding, and its transcript."""
    transcript = f"/tmp/{abs(hash(key))}.md"
    session = _Session(box, key, "-o", transcript)
    for _ in range(_TURNS):
        question = session.prompt()
        if session.code is not None:
            break
        session.answer(_agreeing(question))
    assert session.code is not None, session.text
    return session, box.read(transcript)


def _keys(box: Box, scenarios: Sequence[Scenario]) -> list[str]:
    """The key of the finding that each scenario brings."""
    findings = box.diagnose("all", "--format", "json", *UNHURRIED).findings
    keys = []
    for scenario in scenarios:
        id, subject = scenario.expected[0]
        own = [finding["key"] for finding in findings if finding["id"] == id]
        exact = [key for key in own if key.startswith(f"{id}@{subject}")]
        assert exact or (own and "*" in subject), f"{scenario.name} is not found"
        keys.append((exact or own)[0])
    return keys


def _heal(engine: Engine, names: Sequence[str]) -> None:
    scenarios = [discover_scenarios()[name] for name in names]
    with Box(engine, **scenarios[0].box) as box:
        equip(box)
        start(box, scenarios[0])
        if scenarios[0].engine_started:
            note_units(box)
            box.image("bb:1.36")
        for scenario in scenarios:
            scenario.inject(box)
        failed = []
        for scenario, key in zip(scenarios, _keys(box, scenarios), strict=True):
            session, transcript = _followed(box, key)
            if session.code != 0 or "Healed" not in transcript:
                failed.append(f"{scenario.name}: exit {session.code}\n{session.text}")
        assert not failed, "\n".join(failed)


def test_thirty_faults_of_ten_families_are_followed() -> None:
    followed = [*itertools.chain(*SHARED.values()), *ALONE]
    families = {discover_scenarios()[name].expected[0][0].partition(".")[0] for name in followed}
    assert len(set(followed)) >= FAULTS_AT_LEAST
    assert len(families) >= FAMILIES_AT_LEAST


@pytest.mark.parametrize("names", SHARED.values(), ids=SHARED)
def test_faults_side_by_side_are_healed(engine: Engine, names: Sequence[str]) -> None:
    _newest_only(engine)
    _heal(engine, names)


@pytest.mark.parametrize("name", ALONE)
def test_fault_is_healed(engine: Engine, name: str) -> None:
    _newest_only(engine)
    _heal(engine, [name])


@pytest.mark.skipif("DIAGNOSE_LAB_LONG" not in os.environ, reason="a run of some minutes")
@pytest.mark.parametrize("name", LONG)
def test_more_faults_are_healed(engine: Engine, name: str) -> None:
    _newest_only(engine)
    _heal(engine, [name])


def test_nothing_happens_without_a_yes_and_an_interrupt_keeps_the_transcript(
    engine: Engine,
) -> None:
    _newest_only(engine)
    with Box(engine) as box:
        equip(box)
        box.start_engine()
        name = "a; touch pwned"
        box.docker(
            "run", "-d", "--name", "paused", "--label", f"x={name}", box.image("bb:1.36"), "sleep",
            "1000",
        )  # fmt: skip
        box.docker("pause", "paused")
        session = _Session(box, "container.paused", "-o", "/tmp/t.md")
        while "unpause" not in session.prompt():
            session.answer("skip")
        session.answer("sure")
        session.prompt()
        session.interrupt()
        session.prompt()
        assert session.code == 1
        assert box.inspect("paused")["State"]["Paused"]
        assert "Interrupted." in box.read("/tmp/t.md")
