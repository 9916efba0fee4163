"""The checks in checks/image/pulls.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.engine.subordinate_ids import SubordinateIds
from diagnose.evidence.images.build_cache import BuildCache
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.images.pulls.pull_errors import Why
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.questions.engine import RegistryConfig
from tests.checks.image.evidence import CLOCK, NOW, failed_pull
from tests.judging import judge

CHECK_OF: dict[Why, str] = {
    "no-space": "image.pull-no-space",
    "ids": "image.ids-out-of-range",
    "depth": "image.too-many-layers",
    "rate-limit": "image.pull-rate-limited",
    "denied": "image.pull-denied",
    "altered": "image.pull-altered",
    "unreachable": "image.registry-unreachable",
    "web-page": "image.registry-unreachable",
    "tls": "image.registry-tls",
    "plain-http": "image.registry-tls",
    "proxy": "image.registry-proxy",
}


@pytest.mark.parametrize("why", CHECK_OF)
def test_each_kind_of_failure_has_its_own_check(why: Why) -> None:
    found = [
        id
        for id in sorted(set(CHECK_OF.values()))
        if judge(id, pulls=failed_pull(why), clock=CLOCK, **_needed(id)).findings
    ]
    assert found == [CHECK_OF[why]]


def _needed(id: str) -> dict[str, Any]:
    return {"info": Info(https_proxy="http://p:3128")} if id == "image.registry-proxy" else {}


def test_the_range_that_an_image_needs_is_known_from_the_id() -> None:
    text = "failed to register layer: Container ID 718322462 cannot be mapped to a host ID"
    failed = Pulls(
        (
            PullTrouble(
                "ids", registry="", image="", count=1, first=NOW - 60, last=NOW - 60, text=text
            ),
        ),
        "log",
    )
    config = DaemonConfig("/etc/docker/daemon.json", values={"userns-remap": "default"})
    (finding,) = judge("image.ids-out-of-range", pulls=failed, clock=CLOCK, config=config).findings
    assert finding.variables == {"user": "dockremap", "count": "718322463"}


REMAPPED = DaemonConfig("/etc/docker/daemon.json", values={"userns-remap": "default"})
STARTED = (LogLine(NOW - 9, "info", "Starting up"), LogLine(NOW - 8, "info", "API listen on /s"))
MAPPED = {
    "the id, since a start": (718322463, STARTED, 0),
    "the id, and the engine has not read that": (718322463, (), 1),
    "the id, and the engine has not come up": (718322463, STARTED[:1], 1),
    "one id too few": (718322462, STARTED, 1),
}


@pytest.mark.parametrize(("mapped", "lines", "number"), MAPPED.values(), ids=MAPPED)
def test_a_larger_range_ends_the_finding(
    mapped: int, lines: tuple[LogLine, ...], number: int
) -> None:
    text = "failed to register layer: Container ID 718322462 cannot be mapped to a host ID"
    trouble = PullTrouble(
        "ids", registry="", image="", count=1, first=NOW - 60, last=NOW - 60, text=text
    )
    result = judge(
        "image.ids-out-of-range",
        pulls=Pulls((trouble,), "log"),
        clock=CLOCK,
        config=REMAPPED,
        ids=SubordinateIds("dockremap", mapped),
        log=DaemonLog(lines, "log"),
    )
    assert len(result.findings) == number


MIRRORED = Info(registry_config=RegistryConfig(mirrors=["http://r:5000/"]))


@pytest.mark.parametrize(
    ("listed", "taken_out"),
    [
        (["http://r:5000"], '{"registry-mirrors": null}'),
        (["http://r:5000", "http://s/"], '{"registry-mirrors": ["http://s/"]}'),
        (["http://s/"], None),
        (None, None),
    ],
    ids=["the only one", "one of two", "not in the file", "no such key"],
)
def test_a_mirror_that_cannot_be_reached(listed: list[str] | None, taken_out: str | None) -> None:
    (finding,) = judge(
        "image.registry-unreachable",
        pulls=failed_pull("unreachable"),
        clock=CLOCK,
        info=MIRRORED,
        config=DaemonConfig("/etc/docker/daemon.json", values={"registry-mirrors": listed}),
    ).findings
    assert "it is a mirror of registry-mirrors" in finding.summary
    assert finding.variables.get("mirrors_json") == taken_out


def test_a_limit_that_the_mirror_would_spare() -> None:
    of_hub = PullTrouble("rate-limit", "docker.io", "", 1, NOW - 9, NOW - 9, "toomanyrequests")
    pulls = Pulls((of_hub, *failed_pull("unreachable").troubles), "log")
    for info, is_named in ((MIRRORED, True), (Info(), False)):
        (finding,) = judge("image.pull-rate-limited", pulls=pulls, clock=CLOCK, info=info).findings
        assert ("mirror r:5000" in finding.summary) == is_named


TAGGED = Image("sha256:1", ("shop:1.4",))
NAMELESS = Image("sha256:2", ())
PRUNES = {
    "nothing to free": (Images((TAGGED,), {"sha256:1": ("web",)}), BuildCache(), set()),
    "an image that nobody uses": (Images((TAGGED,)), BuildCache(), {"unused"}),
    "an image without a name": (Images((NAMELESS,)), BuildCache(), {"nameless"}),
    "a build cache": (Images(()), BuildCache(bytes=9), {"cache"}),
    "a build cache that was not measured": (Images(()), BuildCache(not_asked="no"), {"cache"}),
    "containers that are not known": (
        Images((TAGGED,), users_known=False),
        BuildCache(),
        {"nameless", "unused"},
    ),
    "nothing known": (None, None, {"cache", "nameless", "unused"}),
}


@pytest.mark.parametrize(("images", "cache", "offered"), PRUNES.values(), ids=PRUNES)
def test_no_prune_that_frees_nothing_is_offered(
    images: Images | None, cache: BuildCache | None, offered: set[str]
) -> None:
    known = {"images": images, "cache": cache}
    given = {name: evidence for name, evidence in known.items() if evidence is not None}
    (finding,) = judge(
        "image.pull-no-space", pulls=failed_pull("no-space"), clock=CLOCK, **given
    ).findings
    assert set(finding.variables) & {"cache", "nameless", "unused"} == offered
