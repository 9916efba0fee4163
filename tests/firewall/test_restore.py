"""What `iptables-restore --noflush` makes of standing rules: the lab compares with the program."""

from __future__ import annotations

import pytest

from diagnose.firewall.engine_rules import Bridge, PublishedPort, wanted_rules
from diagnose.firewall.restore import with_restored
from diagnose.firewall.rule_repair import present, repair

SAVED = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [9:540]
:DOCKER - [0:0]
-A FORWARD -j FOREIGN
-A DOCKER -j OLD
COMMIT
"""
CASES = {
    "an own chain begins again": (":DOCKER - [0:0]\n-A DOCKER -j NEW", ["-A DOCKER -j NEW"]),
    "a rule goes before others": (
        "-I FORWARD 1 -j FIRST",
        ["-A FORWARD -j FIRST", "-A FORWARD -j FOREIGN", "-A DOCKER -j OLD"],
    ),
    "a rule goes behind others": (
        "-I FORWARD 2 -j LAST",
        ["-A FORWARD -j FOREIGN", "-A FORWARD -j LAST", "-A DOCKER -j OLD"],
    ),
    "a rule is deleted": ("-D DOCKER -j OLD", ["-A FORWARD -j FOREIGN"]),
}


@pytest.mark.parametrize(("script", "rules"), CASES.values(), ids=CASES)
def test_rules_after_a_script(script: str, rules: list[str]) -> None:
    after = with_restored(SAVED, f"*filter\n{script}\nCOMMIT\n")
    listed = [line for line in after.splitlines() if line.startswith("-A ")]
    assert [rule for rule in rules if rule in listed] == rules
    assert ":FORWARD DROP [0:0]" in after


WEB = Bridge(
    "docker0", "172.17.0.0/16", ("172.17.0.2",), (PublishedPort("172.17.0.2", 80, "tcp", 8080),)
)


@pytest.mark.parametrize("version", [(20, 10, 24), (26, 1, 5), (28, 5, 2), (29, 7, 2)])
def test_nothing_is_missing_after_the_repair(version: tuple[int, ...]) -> None:
    tables = wanted_rules(version, [WEB], has_proxy=True)
    assert tables is not None
    made = repair(tables, present(SAVED))
    assert made is not None
    after = with_restored(SAVED, made.text)
    assert repair(tables, present(after)) is None
    assert "-A FORWARD -j FOREIGN" in after
