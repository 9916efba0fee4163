"""Which file sets a kernel setting: precedence of folders and names, forms of a line, and when
files are read at all."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.sysctl_files import SysctlFiles, SysctlSetting, parse, sysctl_files
from diagnose.model import Failed, Json
from diagnose.questions import Question
from tests.hosts import Made

ETC, USR = "/etc/sysctl.d", "/usr/lib/sysctl.d"


def host(files: dict[str, str], *, forwards: str = "0") -> Made:
    """A host with these files and this value of net.ipv4.ip_forward."""

    def folder(question: Question[Json]) -> Json:
        prefix = f"{question.args['path']}/"
        names = [path.removeprefix(prefix) for path in files if path.startswith(prefix)]
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    def file(question: Question[Json]) -> Json | Failed:
        text = files.get(question.args["path"])
        return Failed("missing") if text is None else {"text": text}

    return Made(
        {"sysctl": {"net.ipv4.ip_forward": forwards}, "file.list": folder, "file.read": file}
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({f"{ETC}/60-cis.conf": "# CIS 3.1\nnet.ipv4.ip_forward = 0\n"}, f"{ETC}/60-cis.conf:2"),
        ({f"{ETC}/60-cis.conf": "-net/ipv4/ip_forward=0\n"}, f"{ETC}/60-cis.conf:1"),
        ({f"{ETC}/60-cis.conf": "net.ipv4.conf.all.forwarding=0\n"}, f"{ETC}/60-cis.conf:1"),
        (
            {
                f"{ETC}/60-a.conf": "net.ipv4.ip_forward=0\n",
                f"{ETC}/90-b.conf": "net.ipv4.ip_forward=1\n",
            },
            None,
        ),
        (
            {
                f"{ETC}/50.conf": "net.ipv4.ip_forward=0\n",
                f"{USR}/50.conf": "net.ipv4.ip_forward=1\n",
            },
            f"{ETC}/50.conf:1",
        ),
        (
            {
                f"{ETC}/60.conf": "net.ipv4.ip_forward=1\n",
                "/etc/sysctl.conf": "net.ipv4.ip_forward=0\n",
            },
            "/etc/sysctl.conf:1",
        ),
        ({}, None),
    ],
    ids=[
        "plain",
        "slashes",
        "another name",
        "a later file wins",
        "a folder hides another",
        "sysctl.conf is last",
        "none",
    ],
)
def test_the_line_that_turns_forwarding_off(files: dict[str, str], expected: str | None) -> None:
    line = sysctl_files(host(files)).of("net.ipv4.ip_forward", "0")
    assert (None if line is None else f"{line.file}:{line.line}") == expected


def test_files_are_not_read_where_all_settings_are_well() -> None:
    made = host({f"{ETC}/60-cis.conf": "net.ipv4.ip_forward = 0\n"}, forwards="1")
    assert sysctl_files(made) == SysctlFiles({})
    assert {question.kind for question in made.asked} == {"sysctl"}


def test_a_name_with_a_dot_in_a_part_is_written_with_slashes() -> None:
    (setting,) = parse("x.conf", "net/ipv4/conf/eth0.5/forwarding = 0")
    assert setting == SysctlSetting("net.ipv4.conf.eth0/5.forwarding", "0", "x.conf", 1)
