"""Questions about the engine as a service of the host: its unit, its journal, its configuration."""

import msgspec

from diagnose.mappings import distinct
from diagnose.questions.question import Policy, Question


class Unit(msgspec.Struct, frozen=True, rename="pascal"):
    """systemd's word on a unit, as texts (`systemctl show`).

    load_state "not-found": there is none.
    """

    load_state: str = ""
    active_state: str = ""
    sub_state: str = ""
    result: str = ""
    unit_file_state: str = ""
    exec_start: str = ""
    n_restarts: str = msgspec.field(name="NRestarts", default="")
    start_limit_burst: str = ""
    drop_in_paths: str = ""
    inactive_enter_timestamp: str = ""
    """When it last ended, "@" and Unix seconds or a date; "" if it did not since the boot."""
    active_enter_timestamp: str = ""
    need_daemon_reload: str = ""
    """"yes" where its files have changed since systemd has read them."""
    job: str = ""
    """The number of the job that waits for this unit's start or stop; "" or "0" without one."""
    requires: str = ""
    binds_to: str = ""
    requisite: str = ""

    def __str__(self) -> str:
        return f"{self.active_state} ({self.sub_state}), result {self.result}"

    @property
    def exists(self) -> bool:
        return self.load_state not in ("", "not-found")

    @property
    def is_refused(self) -> bool:
        """Whether systemd cannot use its files."""
        return self.load_state in ("bad-setting", "error")

    @property
    def drop_ins(self) -> tuple[str, ...]:
        return tuple(self.drop_in_paths.split())

    @property
    def required(self) -> tuple[str, ...]:
        """The units without which systemd does not start it, but for slices and targets."""
        names = f"{self.requires} {self.binds_to} {self.requisite}".split()
        return distinct(name for name in names if not name.endswith((".slice", ".target")))

    @property
    def is_wanted(self) -> bool:
        """Whether it should run.

        One that nobody enabled and that did not fail need not, as beside a rootless engine.
        """
        return self.exists and not (
            self.unit_file_state in ("disabled", "masked") and self.active_state == "inactive"
        )

    @property
    def is_given_up(self) -> bool:
        """Whether systemd starts it no more after too many failures.

        systemd 257 (Debian 13) keeps the result of the last failure, so that the number of
        restarts tells; 262 says start-limit-hit.
        """
        if self.result == "start-limit-hit":
            return True
        are_numbers = self.n_restarts.isdigit() and self.start_limit_burst.isdigit()
        if self.active_state != "failed" or not are_numbers:
            return False
        return int(self.n_restarts) >= int(self.start_limit_burst) > 0

    @property
    def is_masked(self) -> bool:
        """Whether systemd refuses each start, also one by hand."""
        return self.load_state == "masked"

    @property
    def took_too_long(self) -> bool:
        """Whether systemd ended its start for its time."""
        return self.active_state == "failed" and self.result == "timeout"

    @property
    def is_left_down(self) -> bool:
        """Whether systemd was never asked to start it at boot, and it has not failed."""
        return self.unit_file_state == "disabled" and self.active_state == "inactive"

    @property
    def program(self) -> str:
        """The absolute path that ExecStart names; empty if none."""
        return self.exec_start.partition("path=")[2].partition(" ;")[0].strip()


class ReadUnit(Question[Unit], frozen=True):
    """The properties of a systemd unit."""

    POLICY = Policy(
        "unit",
        what="the state of a systemd unit",
        collector="commands.systemd:unit",
        lane="probe",
        deadline=2,
        priority=3,
    )
    name: str

    def about(self) -> str:
        return f"the systemd unit {self.name}"


class JournalEntry(msgspec.Struct, frozen=True):
    """One line of a journal."""

    at: float
    message: str
    priority: int = 6
    pid: int | None = None
    cursor: str = ""


class JournalEntries(msgspec.Struct, frozen=True):
    """The newest lines of a journal, oldest first."""

    entries: list[JournalEntry]


class ReadJournal(Question[JournalEntries], frozen=True):
    """The newest lines of a unit's journal, oldest first."""

    POLICY = Policy(
        "journal",
        what="the journal",
        collector="commands.systemd:journal",
        lane="probe",
        deadline=3,
        priority=4,
    )
    unit: str
    lines: int = 200

    def about(self) -> str:
        return f"the journal of {self.unit}"


class Validation(msgspec.Struct, frozen=True):
    """dockerd's verdict on a configuration file."""

    ok: bool
    text: str = ""


class ValidateConfig(Question[Validation], frozen=True):
    """dockerd's own judgement of a configuration file."""

    POLICY = Policy(
        "validate",
        what="dockerd's check of its configuration",
        collector="commands.systemd:validate",
        lane="probe",
        deadline=3,
        priority=6,
    )
    dockerd: str
    config: str
