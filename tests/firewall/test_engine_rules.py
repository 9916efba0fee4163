"""The repair of lost rules: the lab applies the script; here stand its shape and its limits."""

from __future__ import annotations

import pytest

from diagnose.firewall.engine_rules import Bridge, PublishedPort, TableRules, wanted_rules
from diagnose.firewall.rule_repair import Repair, present, repair

WEB = Bridge(
    "docker0", "172.17.0.0/16", ("172.17.0.2",), (PublishedPort("172.17.0.2", 80, "tcp", 8080),)
)
EMPTY = "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"


@pytest.mark.parametrize("version", [(19, 3, 1), (27, 0, 1), (28, 0, 4), (29, 1, 0)])
def test_an_unknown_layout_has_no_repair(version: tuple[int, ...]):
    assert wanted_rules(version, [WEB], has_proxy=True) is None


@pytest.mark.parametrize("version", [(20, 10, 24), (26, 1, 5), (28, 5, 2)])
def test_what_the_script_adds_is_all_that_was_missing(version: tuple[int, ...]):
    tables = wanted_rules(version, [WEB], has_proxy=True)
    assert tables is not None
    made = repair(tables, present(EMPTY))
    assert made is not None
    assert repair(tables, present(_applied(made))) is None


def _applied(made: Repair) -> str:
    """The text of `iptables-save` after the script, as far as one rule a line tells."""
    lines = []
    for line in made.text.splitlines():
        words = line.split(" ", 3)
        lines.append(f"-A {words[1]} {words[3]}" if words[0] == "-I" else line)
    return "\n".join(lines)


def test_a_foreign_rule_stays_before_and_behind():
    rules = TableRules(own={}, first={"FORWARD": ["-j A", "-j B", "-j C"]})
    found = present(
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -j A\n-A FORWARD -j FOREIGN\n-A FORWARD -j C\n"
    )
    made = repair({"filter": rules}, found)
    assert made is not None
    assert made.missing == ("filter: FORWARD -j B",)
    assert "-I FORWARD 2 -j B" in made.text
    assert "FOREIGN" not in made.text


def test_rules_of_the_administrator_are_never_written_again():
    tables = wanted_rules((28, 5, 2), [WEB], has_proxy=True)
    assert tables is not None
    made = repair(
        tables, present("*filter\n:DOCKER-USER - [0:0]\n-A DOCKER-USER -s 192.0.2.1/32 -j DROP\n")
    )
    assert made is not None
    assert ":DOCKER-USER" not in made.text


def test_a_rule_of_a_former_container_is_deleted_and_nothing_else() -> None:
    tables = wanted_rules((28, 5, 2), [WEB], has_proxy=True)
    assert tables is not None
    whole = repair(tables, present(EMPTY))
    assert whole is not None
    old = "! -i docker0 -p tcp -m tcp --dport 22 -j DNAT --to-destination 172.17.0.40:22"
    foreign = "-p tcp -m tcp --dport 23 -j DNAT --to-destination 192.0.2.7:23"
    text = _applied(whole).replace(
        "-A DOCKER -i docker0 -j RETURN",
        f"-A DOCKER {old}\n-A DOCKER {foreign}\n-A DOCKER -i docker0 -j RETURN",
    )
    assert old in text
    made = repair(tables, present(text), ["172.17.0.0/16"])
    assert made == Repair(f"*nat\n-D DOCKER {old}\nCOMMIT\n", (), (f"nat: DOCKER {old}",))


def test_the_chain_of_the_administrator_is_none_that_the_engine_waits_for():
    tables = wanted_rules((28, 5, 2), [WEB], has_proxy=True)
    assert tables is not None
    whole = repair(tables, present(EMPTY))
    assert whole is not None
    text = "\n".join(
        line
        for line in _applied(whole).splitlines()
        if not line.startswith(":DOCKER-USER") and "-j DOCKER-USER" not in line
    )
    made = repair(tables, present(text))
    assert made is not None
    assert made.missing == ("filter: chain DOCKER-USER", "filter: FORWARD -j DOCKER-USER")
    assert made.chains == ()
    assert "filter DOCKER-FORWARD" in whole.chains
