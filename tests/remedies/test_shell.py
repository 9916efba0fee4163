"""Commands of a report as they are typed where it is read: the tool's name, and for whom."""

from __future__ import annotations

import io
import re

import pytest

from diagnose.model import DAEMON, EngineRestart, HostFacts, Report, Reported, Severity, container
from diagnose.render import terminal
from diagnose.render.shell import Shell, needs_root
from tests.reports import found, report

FOLDER = Shell("/dev/shm/diagnose/diagnose")
OVER_SSH = Shell(target="ssh://root@web1", can_follow=False)
AS_USER = Shell(is_root=False)


def text(what: Report, shell: Shell, code: int = 2) -> str:
    stream = io.StringIO()
    terminal.render(what, code, stream, color=False, width=80, shell=shell)
    return stream.getvalue()


TYPED = {
    "by a path": (
        FOLDER,
        "diagnose repair firewall.chains-missing | sh -e",
        "/dev/shm/diagnose/diagnose repair firewall.chains-missing | sh -e",
    ),
    "after another command": (
        FOLDER,
        "docker pull shop:1 && diagnose recreate web | sh",
        "docker pull shop:1 && /dev/shm/diagnose/diagnose recreate web | sh",
    ),
    "a folder of that name": (FOLDER, "ls /var/lib/diagnose", "ls /var/lib/diagnose"),
    "over ssh": (
        OVER_SSH,
        "diagnose recreate web -- --init | sh",
        "diagnose recreate --on ssh://root@web1 web -- --init | ssh ssh://root@web1 sh",
    ),
    "over ssh, as root by sudo": (
        Shell(target="ssh://web1", with_sudo=True),
        "diagnose repair --set '{}' | sh -e",
        "diagnose repair --on ssh://web1 --set '{}' | ssh ssh://web1 sudo sh -e",
    ),
    "of the engine": (OVER_SSH, "docker start web", "docker start web"),
    "before other steps": (
        OVER_SSH,
        "diagnose recreate web | sh && docker restart web",
        "diagnose recreate --on ssh://root@web1 web | ssh ssh://root@web1 sh && docker restart web",
    ),
}


@pytest.mark.parametrize(("shell", "command", "typed"), TYPED.values(), ids=TYPED)
def test_the_tool_is_called_as_the_reader_can(shell: Shell, command: str, typed: str) -> None:
    assert shell.typed(command) == typed


FOR_ROOT = {
    "docker start web": False,
    "docker pull shop:1 && diagnose recreate web | sh": False,
    "docker ps --all --quiet --filter exited=255 | xargs -r docker start": False,
    "docker network connect b a || { docker stop a; docker network connect b a; }": False,
    "docker logs --tail 50 web": False,
    "newgrp docker": False,
    "diagnose repair firewall.chains-missing | sh -e": True,
    "iptables -I DOCKER-USER -j ACCEPT": True,
    "docker inspect --format '{{.LogPath}}' web | xargs -r truncate -s 0": True,
    "du -xah /var/lib/docker | sort -h | tail -25": True,
    "sync\necho 3 >/proc/sys/vm/drop_caches": True,
    "systemctl restart docker": True,
    "chown 1000:1000 /srv/logs\ndocker start web": True,
    "nsenter --net=/proc/$(docker inspect --format '{{.State.Pid}}' web)/ns/net ss -ltn": True,
}


@pytest.mark.parametrize(("command", "is_for_root"), FOR_ROOT.items(), ids=FOR_ROOT)
def test_commands_of_the_engine_need_no_root(command: str, is_for_root: bool) -> None:
    assert needs_root(command) is is_for_root


def test_a_user_sees_what_only_root_may_run() -> None:
    finding = found("daemon.engine-outdated", DAEMON, variables={"program": "/usr/bin/dockerd"})
    lines = text(report(finding), AS_USER)
    assert "fix (disruptive, needs root): " in lines
    assert "needs root" not in text(report(finding), Shell())


def test_a_command_over_ssh_is_shown_whole() -> None:
    variables = {"container": "batch", "file": "batch:/app"}
    finding = found("container.entrypoint-forbidden", container("batch"), variables=variables)
    lines = text(report(finding), OVER_SSH)
    assert 'rm -r "$dir" && docker start batch\n' in lines
    assert "diagnose follow" not in lines


def _outdated(restart: EngineRestart | None) -> str:
    finding = found("daemon.engine-outdated", DAEMON, variables={"program": "/usr/bin/dockerd"})
    shown = report(finding)
    return text(Report(**{**_fields(shown), "engine_restart": restart}), Shell())


def _fields(shown: Report) -> dict[str, object]:
    return {name: getattr(shown, name) for name in shown.__struct_fields__}


@pytest.mark.parametrize(
    ("restart", "words"),
    [
        (EngineRestart(True, 3, ("a",)), "Here live-restore is on: containers run on."),
        (EngineRestart(False, 3, ()), "stops 3 containers, and their restart policies start them"),
        (EngineRestart(False, 2, ("a", "b")), 'containers "a" and "b" stay down without a restart'),
        (EngineRestart(keeps_them=False, running=0, stay_down=()), ""),
        (None, ""),
    ],
)
def test_a_restart_of_the_engine_says_who_stays_down(
    restart: EngineRestart | None, words: str
) -> None:
    shown = " ".join(_outdated(restart).split())
    assert words in shown
    assert ("Here " in shown) is bool(words)


@pytest.mark.parametrize(
    ("id", "variables"),
    [
        ("storage.read-only", {"point": "/srv", "remounted": "/srv"}),
        ("swarm.quorum-lost", {"manager": "192.0.2.1"}),
    ],
    ids=["a start of an engine that runs", "a start on another host"],
)
def test_what_restarts_no_engine_here_stops_nobody(id: str, variables: dict[str, str]) -> None:
    shown = report(found(id, DAEMON, variables=variables))
    restart = EngineRestart(False, 2, ())
    lines = text(Report(**{**_fields(shown), "engine_restart": restart}), Shell())
    assert re.search(r"start docker|docker start", lines)
    assert "Here " not in lines


def test_what_hides_the_host_is_shown_as_the_first_thing_to_mend() -> None:
    finding: Reported = found("daemon.socket-forbidden", DAEMON, severity=Severity.advice)
    blind = Report(**{**_fields(report(finding)), "host": HostFacts("shop-3", "6.1.0", None)})
    assert "ADVICE    daemon.socket-forbidden" in text(blind, AS_USER, 3)
    assert "ADVICE    daemon.socket-forbidden" not in text(report(finding), AS_USER, 3)


def test_evidence_that_the_summary_gives_is_not_repeated() -> None:
    evidence = {
        "rule": "-o docker0 -j DROP",
        "limit": "16.0 MiB",
        "log": "Get https://registry: dial tcp: lookup registry: no such host",
        "RestartCount": 8,
    }
    summary = (
        'container "web" is stopped by -o docker0 -j DROP at 16.0 MiB, 8 times: '
        "https://registry: dial tcp: lookup registry: no such host"
    )
    lines = text(
        report(found("kernel.hung-task", container("web"), summary, evidence=evidence)), AS_USER
    )
    assert "RestartCount" not in lines
    assert "    rule:" not in lines
    assert "    limit:" not in lines
    assert "    log:" not in lines


def test_a_fix_by_hand_is_said_in_words() -> None:
    finding = found("container.restart-loop", container("web"), variables={"container": "web"})
    lines = text(report(finding), Shell())
    assert "  fix (by hand): Correct what the program complains about in its" in lines
    assert "  to find out more: The lines that it prints before it exits" in lines
    assert "      docker logs " in lines
    assert "no fix known" not in lines


def test_a_root_is_as_grave_as_what_it_explains() -> None:
    from diagnose.judgement import causes

    cause = found("image.platform-mismatch", container("web"), severity=Severity.warning)
    effect = found(
        "container.exec-format", container("web"), caused_by=("image.platform-mismatch",)
    )
    lines = text(report(*causes.link([cause, effect], {})), Shell())
    assert "CRITICAL  image.platform-mismatch" in lines
