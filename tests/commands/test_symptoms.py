"""Words of a symptom lead to the checks that it is about."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from diagnose.model import DAEMON, HOST, CauseLink, Reported, Severity, Subject, container
from diagnose.symptoms import search, user_question
from tests.command_line import run
from tests.reports import found

FIRST = 6
"""So many pages may come before the right one."""
QUESTIONS = {
    "port 8080 does not answer": "network.published-port-not-listening",
    "nobody can connect to :8080 from outside": "firewall.dnat-missing",
    "web cannot reach db": "network.peer-on-other-network",
    "no space left on device": "storage.disk-full",
    "my container keeps restarting": "container.restart-loop",
    "container was killed with exit code 137": "container.oom-killed",
    "DNS does not work in containers": "dns.upstream-unreachable",
    "temporary failure in name resolution": "dns.upstream-unreachable",
    "cannot pull image, unauthorized": "image.pull-denied",
    "no internet from containers after firewalld reload": "firewall.forwarding-off",
    "docker ps hangs": "daemon.hung",
    "permission denied on a bind mount": "container.mount-unwritable",
    "container is unhealthy": "container.unhealthy",
    "logs fill the disk": "storage.disk-full",
    "port is already allocated": "network.port-allocated",
    "exec format error": "container.exec-format",
    "everything is slow": "resources.memory-scarce",
    "large downloads hang inside containers": "network.mtu-mismatch",
    "iptables rules are gone": "firewall.chains-missing",
    "out of inodes": "storage.inodes-exhausted",
    "cpu is throttled": "resources.cpu-throttled",
    "certificate is not yet valid": "daemon.clock-skewed",
    "IPv6 does not work": "network.ipv6-default-route-lost",
    "entrypoint not found": "container.entrypoint-missing",
    "too many open files": "resources.open-files-exhausted",
    "docker eats all my disk space and I do not know where": "storage.disk-full",
    "exit code 139": "container.crashed",
    "containers can't talk to each other": "network.peer-on-other-network",
    "client source ip is always 172.17.0.1": "network.clients-hidden",
    "docker compose pull did not update anything": "image.newer-passed-over",
    "ufw does not block docker ports": "firewall.bypassed-by-publish",
    "all containers and images disappeared": "daemon.wrong-data-root",
    "hot reload does not work": "container.changes-unseen",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_leads_to_its_check(question: str) -> None:
    """It is among those that the report names, or all of its family are."""
    ids = [match.id for match in search.matching(question)]
    expected = QUESTIONS[question]
    assert expected in ids[:FIRST] or expected.partition(".")[0] in search.families(question)
    assert len(ids) <= search.MOST


@pytest.mark.parametrize("question", ["", "the of my", "xyzzy plugh", "42", "!?"])
def test_a_question_without_known_words_leads_nowhere(question: str) -> None:
    assert search.matching(question) == ()


ENDS = {
    "web cannot reach db": ("web", "db"),
    "Why can't api connect to db:5432?": None,
    "api can't connect to db:5432.": ("api", "db:5432"),
    "billing is unable to reach 192.0.2.9": ("billing", "192.0.2.9"),
    "the disk is full": None,
    "shop-web does not see cache-1": ("shop-web", "cache-1"),
}


@pytest.mark.parametrize("question", ENDS)
def test_both_ends_of_a_connection_in_a_question(question: str) -> None:
    ends = user_question.ends(question)
    assert (None if ends is None else (ends.begin, ends.end)) == ENDS[question]


def order(
    findings: Sequence[Reported], fitting: Sequence[str], named: Sequence[Subject]
) -> list[str]:
    near = dict.fromkeys(fitting, 0)
    return [finding.id for finding in search.ordered(findings, near, named)]


def test_what_is_about_a_named_container_comes_first_and_then_what_fits() -> None:
    findings = [
        found("daemon.hung", DAEMON),
        found("storage.disk-full", Subject("path", "/var/lib/docker"), severity=Severity.warning),
        found("container.unhealthy", container("web"), severity=Severity.warning),
    ]
    hung, full, unhealthy = [finding.id for finding in findings]
    assert order(findings, [hung], [container("web")]) == [unhealthy, hung, full]
    assert order(findings, [unhealthy], ()) == [unhealthy, hung, full]
    assert order(findings, fitting=[], named=()) == [hung, full, unhealthy]


def test_a_cause_stands_where_what_it_explains_would() -> None:
    causes = [found("firewall.forwarding-off", HOST), found("daemon.hung", DAEMON)]
    link = CauseLink(causes[0].key, effect="", because="")
    effect = replace(found("dns.upstream-unreachable", container("web")), causes=(link,))
    findings = [causes[1], effect, causes[0]]
    expected = [effect.id, causes[0].id, causes[1].id]
    assert order(findings, [effect.id], ()) == expected


def test_an_answer_begins_with_what_the_words_fit() -> None:
    done = run("ask", "--budget", "2m", "--from", "demo", "stray cannot reach web")
    assert done.stdout.startswith('BROKEN container "stray" to container "web": network: ')
    assert "\neach hop: diagnose path stray web\n\nCRITICAL " in done.stdout
    assert "what fits these words comes first: " in done.stdout
    assert "storage.disk-full" in done.stdout, "what else is wrong is said too"
    assert "network.subnet-overlaps-route" in done.stdout
    refused = run("ask", "--budget", "2m", "--from", "demo", "curl: (52) Empty reply from server")
    assert refused.stdout.startswith("the message means: something took the connection")
    assert "\nCRITICAL " in refused.stdout
    nothing = run("ask", "--budget", "2m", "--from", "demo", "xyzzy")
    assert nothing.stdout.startswith(
        "no page fits these words; every check was run\nsay in English"
    )
    assert "\n\nCRITICAL " in nothing.stdout


def test_explain_lists_pages_by_words() -> None:
    done = run("explain", "no space left on device")
    assert done.returncode == 0
    assert any(line.startswith("storage.disk-full: ") for line in done.stdout.splitlines())
    assert run("explain", "storage.disk-ful").returncode == 3
    assert run("explain", "xyzzy").returncode == 3


def test_explain_lists_few_pages_beside_a_meaning() -> None:
    message = "nginx: client intended to send too large body: 15728640 bytes"
    printed = run("explain", message).stdout
    means, _, pages = printed.partition("\n\n")
    assert "client_max_body_size" in means
    listed = [line for line in pages.splitlines() if not line.startswith(" ")]
    assert len(listed) == 4, "three pages, and how to read one"
