"""Linking effects to causes: only declared, only with evidence beyond "same host"."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.error_signatures import signs
from diagnose.judgement import causes
from diagnose.model import DAEMON, HOST, Check, Finding, Reported, Severity, Subject, container

DISK = Subject("filesystem", "/var/lib/docker")
OTHER_DISK = Subject("filesystem", "/srv")
IMAGE = Subject("image", "shop:1.4")
NET, OTHER_NET = Subject("network", "shop"), Subject("network", "lab")
TOPOLOGY = {
    container("web"): frozenset({DISK, NET}),
    container("db"): frozenset({OTHER_DISK, OTHER_NET}),
}


def a(
    id: str,
    subject: Subject,
    severity: Severity = Severity.critical,
    caused_by=(),
    causes_=(),
    **fields,
) -> Reported:
    check = Check(
        id,
        "T.",
        severity,
        lambda: None,
        needs=(),
        thresholds=(),
        caused_by=tuple(caused_by),
        causes=tuple(causes_),
        posture=False,
    )
    return Reported(f"{id}@{subject}", check, severity, Finding(subject, "s", {"a": 1}, **fields))


def full(**fields) -> Reported:
    return a("storage.disk-full", DISK, signs=frozenset({"no-space"}), **fields)


WEB = container("web")


def loop(subject=WEB, signs=("no-space",), **fields) -> Reported:
    return a(
        "container.restart-loop",
        subject,
        caused_by=["storage.disk-full"],
        signs=frozenset(signs),
        **fields,
    )


def refused(subject: Subject) -> Reported:
    return a(
        "container.start-refused", subject, caused_by=["daemon.plugin-gone"], touches=(DAEMON,)
    )


def of_engine(*touches: Subject) -> Reported:
    return a("daemon.plugin-gone", DAEMON, touches=touches)


LINKED = {
    "the engine, and no container is named": (of_engine(), refused(WEB), True),
    "the engine, for this container": (of_engine(WEB), refused(WEB), True),
    "the engine, for another container": (of_engine(container("db")), refused(WEB), False),
    "same disk, same error": (full(), loop(), True),
    "same disk, another error": (full(), loop(signs=("dns",)), False),
    "same disk, no error seen": (full(), loop(signs=()), False),
    "another disk": (full(), loop(container("db")), False),
    "began after its effect": (full(onset=1000.0), loop(onset=900.0), False),
    "began within the clocks' slack": (full(onset=903.0), loop(onset=900.0), True),
    "absent after its effect": (full(absent_at=1000.0), loop(onset=900.0), False),
    "absent before its effect": (full(absent_at=800.0), loop(onset=900.0), True),
    "not declared": (a("storage.read-only", DISK), loop(), False),
    "only the same host": (
        a("firewall.chains-missing", HOST),
        a("dns.host-broken", HOST, caused_by=["firewall.chains-missing"]),
        False,
    ),
    "the same daemon": (
        a("daemon.config-invalid", DAEMON),
        a("daemon.not-running", DAEMON, caused_by=["daemon.config-invalid"]),
        True,
    ),
    "a container that needs the daemon, as its effect does": (
        a("container.start-refused", container("app"), touches=(DAEMON,)),
        a("container.unhealthy", WEB, caused_by=["container.start-refused"], touches=(DAEMON,)),
        False,
    ),
    "containers of one image with one error": (
        a(
            "container.start-refused",
            container("app"),
            touches=(IMAGE,),
            signs=frozenset({"permission"}),
        ),
        a(
            "container.exits-at-start",
            WEB,
            caused_by=["container.start-refused"],
            touches=(IMAGE,),
            signs=frozenset({"permission"}),
        ),
        False,
    ),
    "a network that the cause reaches, and an error that tells of it": (
        a("firewall.chains-missing", HOST, touches=(NET,), signs=frozenset({"dns", "timeout"})),
        a(
            "dns.upstream-unreachable",
            container("web"),
            caused_by=["firewall.chains-missing"],
            signs=frozenset({"dns"}),
        ),
        True,
    ),
    "a network that the cause reaches, and no error seen": (
        a("firewall.chains-missing", HOST, touches=(NET,)),
        a("container.restart-loop", container("web"), caused_by=["firewall.chains-missing"]),
        False,
    ),
    "a network that both name": (
        a("firewall.chains-missing", HOST, touches=(NET,)),
        a("firewall.masquerade-missing", NET, caused_by=["firewall.chains-missing"]),
        True,
    ),
    "a network that the cause does not reach": (
        a("firewall.masquerade-missing", OTHER_NET, signs=frozenset({"dns"})),
        a(
            "dns.upstream-unreachable",
            container("web"),
            caused_by=["firewall.masquerade-missing"],
            signs=frozenset({"dns"}),
        ),
        False,
    ),
    "it prints nothing, and names the same network": (
        a("firewall.chains-missing", HOST, touches=(NET,), signs=frozenset({"dns"})),
        a(
            "firewall.dnat-missing",
            container("web"),
            caused_by=["firewall.chains-missing"],
            touches=(NET,),
        ),
        True,
    ),
    "its words are about something else": (
        a(
            "firewall.chains-missing",
            HOST,
            touches=(NET, container("web")),
            signs=frozenset({"dns"}),
        ),
        a(
            "container.restart-loop",
            container("web"),
            caused_by=["firewall.chains-missing"],
            signs=frozenset(),
        ),
        False,
    ),
    "it names the container, which fails with words of its own": (
        a("container.oom-killed", container("db"), signs=frozenset({"oom"})),
        a(
            "container.restart-loop",
            container("web"),
            caused_by=["container.oom-killed"],
            calls=(container("db"),),
            signs=frozenset({"refused"}),
        ),
        True,
    ),
    "the same problem of a container that it names": (
        a("container.restart-loop", container("db"), signs=frozenset()),
        a(
            "container.restart-loop",
            container("web"),
            calls=(container("db"),),
            signs=frozenset({"refused"}),
        ),
        True,
    ),
    "a problem of a container that it calls, which mostly follows from its own": (
        a(
            "container.unhealthy",
            container("db"),
            caused_by=["container.restart-loop"],
            signs=frozenset(),
        ),
        a(
            "container.restart-loop",
            container("web"),
            calls=(container("db"),),
            signs=frozenset({"timeout"}),
        ),
        True,
    ),
    "the same two problems, and no call": (
        a(
            "container.unhealthy",
            container("db"),
            caused_by=["container.restart-loop"],
            signs=frozenset(),
        ),
        a("container.restart-loop", container("web"), signs=frozenset({"timeout"})),
        False,
    ),
    "both call the same container": (
        a(
            "container.exits-at-start",
            container("job"),
            calls=(container("db"),),
            signs=frozenset({"refused"}),
        ),
        a(
            "container.restart-loop",
            container("web"),
            caused_by=["container.exits-at-start"],
            calls=(container("db"),),
            signs=frozenset({"refused"}),
        ),
        False,
    ),
    "the same problem of another container": (
        a("container.restart-loop", container("db"), signs=frozenset()),
        a("container.restart-loop", container("web"), signs=frozenset({"refused"})),
        False,
    ),
    "declared by a pack's cause": (
        a("acme.agent", container("web"), causes_=["container.paused"]),
        a("container.paused", container("web")),
        True,
    ),
}


@pytest.mark.parametrize("name", LINKED)
def test_which_cause_is_linked_to_which_effect(name: str):
    cause, effect, linked = LINKED[name]
    found = {f.key: f for f in causes.link([cause, effect], TOPOLOGY)}
    assert [link.cause for link in found[effect.key].causes] == ([cause.key] if linked else [])
    assert found[cause.key].root


def test_the_evidence_of_a_link_is_said():
    (_, effect) = causes.link([full(), loop()], TOPOLOGY)
    assert effect.causes[0].because == "same filesystem /var/lib/docker, error text: no-space"


def test_worst_root_first_and_effects_behind_it():
    mild = a("image.latest-tag", container("web"), Severity.advice)
    wide = a("logging.unbounded", container("web"), Severity.warning, touches=(DISK,))
    disk = a(
        "storage.disk-full", DISK, caused_by=["logging.unbounded"], signs=frozenset({"no-space"})
    )
    lone = a("container.exec-format", container("db"))
    found = causes.link([mild, lone, loop(), disk, wide], TOPOLOGY)
    assert [f.id for f in found] == [
        "logging.unbounded",
        "container.restart-loop",
        "storage.disk-full",
        "container.exec-format",
        "image.latest-tag",
    ]
    by_key = {f.key: f for f in found}
    assert causes.roots(by_key.values())[loop().key] == (wide.key,)


def test_the_likelier_of_two_causes_is_first():
    disk = full()
    oom = a("container.oom-killed", container("web"))
    effect = a(
        "container.restart-loop",
        container("web"),
        caused_by=["storage.disk-full", "container.oom-killed"],
        signs=frozenset({"no-space"}),
    )
    found = {f.key: f for f in causes.link([oom, disk, effect], TOPOLOGY)}
    assert [link.cause for link in found[effect.key].causes] == [disk.key, oom.key]


@pytest.mark.parametrize("mutual", [False, True])
def test_who_is_called_in_vain_is_no_effect(mutual: bool):
    db, web = container("db"), container("web")
    refused = frozenset({"refused"})
    sick = a(
        "container.unhealthy",
        db,
        caused_by=["container.restart-loop"],
        signs=refused,
        calls=(web,) * mutual,
    )
    waits = a("container.restart-loop", web, signs=refused, calls=(db,))
    for order in ([sick, waits], [waits, sick]):
        roots = [finding.key for finding in causes.link(order, TOPOLOGY) if finding.root]
        assert roots == [sick.key] or (mutual and len(roots) == 1)


def test_a_circle_ends():
    one = a("made.one", container("web"), caused_by=["made.two"])
    two = a("made.two", container("web"), caused_by=["made.one"])
    assert len(causes.link([one, two], TOPOLOGY)) == 2


def test_two_that_name_each_other_keep_a_root():
    one = a(
        "container.restart-loop",
        container("web"),
        calls=(container("db"),),
        signs=frozenset({"refused"}),
    )
    two = a(
        "container.restart-loop",
        container("db"),
        calls=(container("web"),),
        signs=frozenset({"refused"}),
    )
    assert [f.root for f in causes.link([one, two], TOPOLOGY)].count(True) == 1


def test_a_circle_of_calls_keeps_a_root():
    sick = a(
        "container.unhealthy",
        WEB,
        caused_by=["container.restart-loop"],
        calls=(container("db"),),
        signs=frozenset(),
    )
    loops = a("container.restart-loop", container("db"), calls=(WEB,), signs=frozenset({"refused"}))
    assert [f.id for f in causes.link([loops, sick], TOPOLOGY) if f.root] == [
        "container.restart-loop"
    ]


def test_two_problems_of_one_container_and_check_stand_side_by_side():
    one = a("container.unhealthy", container("web"), touches=(container("web"),))
    two = replace(one, key=f"{one.key}#stale")
    assert all(f.root for f in causes.link([one, two], TOPOLOGY))


def test_what_took_the_engine_stands_before_what_is_known_from_earlier() -> None:
    dead = a(
        "daemon.not-running",
        DAEMON,
        caused_by=["storage.disk-full"],
        signs=frozenset({"no-space"}),
        touches=(DISK,),
    )
    for engine in ([a("daemon.hung", DAEMON)], [full(), dead]):
        before = [
            loop(container("db"), signs=()),
            a("container.dead", container("db"), caused_by=["container.restart-loop"]),
        ]
        assert causes.order(causes.link([*before, *engine], TOPOLOGY))[0].id == engine[0].id


def test_a_busy_host_comes_behind_its_equals_unless_it_explains_one() -> None:
    busy = full()
    busy = replace(busy, check=replace(busy.check, pressure=True))
    other = loop(container("db"), signs=())
    assert causes.order(causes.link([busy, other], TOPOLOGY))[0].id == other.id
    assert causes.order(causes.link([busy, loop(), other], TOPOLOGY))[0].id == busy.id


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("write /data/x: no space left on device", True),
        ("Error: ENOSPC: no space left on device, write", True),
        ("level=error\nwrite /var/lib/docker/tmp/x: no space left on device", True),
        ("mkdir /sys/fs/cgroup/memory/docker/0f3c: no space left on device: unknown", False),
        ("fork/exec /proc/self/exe: no space left on device: unknown", False),
        ("ENOSPC: System limit for number of file watchers reached, watch '/app'", False),
        (
            "Failed to add /run/systemd/ask-password to directory watch: No space left on device",
            False,
        ),
        (
            "unable to join session keyring: unable to create session key: disk quota exceeded",
            False,
        ),
    ],
)
def test_watchers_and_keys_that_run_out_are_no_full_disk(text: str, full: bool) -> None:
    assert ("no-space" in signs(text)) == full
