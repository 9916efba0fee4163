"""Commands that delete all rules of the packet filter, in jobs of the host."""

from __future__ import annotations

import pytest

from diagnose.live.disk.jobs.flush_lines import Flush, flushes

SCRIPT = "#!/bin/sh\nIPT=/sbin/iptables\n# iptables -F\n$IPT -t nat -F\n$IPT -P INPUT DROP\n"
FILES = {"/usr/local/sbin/firewall.sh": SCRIPT, "/etc/iptables.rules": "*filter\n-F\n"}
LINES = {
    "its own command": ("*/10 * * * * root iptables -F", Flush(1, "iptables -F", "")),
    "a chain of Docker": ("0 4 * * * root iptables -F FORWARD", Flush(1, "iptables -F", "")),
    "nftables": ("@daily root /usr/sbin/nft flush ruleset", Flush(1, "nft flush ruleset", "")),
    "saved rules": (
        "@reboot root iptables-restore < /etc/iptables.rules",
        Flush(1, "iptables-restore", "", is_at_start=True),
    ),
    "a script": (
        "# firewall\n*/10 * * * * root /usr/local/sbin/firewall.sh >/dev/null",
        Flush(2, "$IPT -t nat -F", "/usr/local/sbin/firewall.sh"),
    ),
    "a unit": (
        "[Service]\nType=oneshot\nExecStart=/usr/local/sbin/firewall.sh",
        Flush(3, "$IPT -t nat -F", "/usr/local/sbin/firewall.sh"),
    ),
}
QUIET = {
    "the chain of users": "0 4 * * * root iptables -F DOCKER-USER",
    "a quoted chain": '0 4 * * * root iptables -F "$CHAIN"',
    "a table without rules of Docker": "0 4 * * * root iptables -t mangle -F",
    "such a table behind it": "0 4 * * * root iptables -F -t mangle",
    "a comment": "# iptables -F",
    "a chain of its own": "0 4 * * * root iptables -F fail2ban-ssh",
    "a chain in a variable": "0 4 * * * root iptables -F $CHAIN",
    "the other rules stay": "@reboot root iptables-restore --noflush /etc/iptables.rules",
    "another program": "0 4 * * * root /usr/bin/find / -F",
    "a script that is gone": "0 4 * * * root /usr/local/sbin/other.sh",
    "no setting that runs anything": "[Unit]\nDescription=iptables -F",
}


@pytest.mark.parametrize(("text", "flush"), LINES.values(), ids=LINES)
def test_commands_that_delete_all_rules(text: str, flush: Flush) -> None:
    assert list(flushes(text, lambda path: FILES.get(path, ""))) == [flush]


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_commands_that_leave_other_rules(text: str) -> None:
    assert list(flushes(text, lambda path: FILES.get(path, ""))) == []
