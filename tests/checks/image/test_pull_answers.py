"""What registries and those on the way answer to a pull: altered layers, dates, web pages."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.pull_errors import classify
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.questions.engine import RegistryConfig
from tests.judging import judge

NOW = 1_800_000_000.0
CLOCK = Clock(NOW, 0.0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("filesystem layer verification failed for digest sha256:77", "altered"),
        ("failed to copy: unexpected EOF", "altered"),
        (
            "failed to register layer: Error processing tar file(exit status 1): unexpected EOF",
            "unpack",
        ),
        ("failed to register layer: layer does not exist", "corrupt"),
    ],
)
def test_what_arrives_altered_is_no_damage_of_this_host(text: str, why: str) -> None:
    assert classify(text) == why


def test_a_mirror_on_the_way_is_named() -> None:
    text = "filesystem layer verification failed for digest sha256:77"
    pulls = Pulls((PullTrouble("altered", "", "shop:1", 1, NOW - 60, NOW - 60, text),), "log")
    info = Info(registry_config=RegistryConfig(mirrors=["http://mirror:5000/"]))
    (finding,) = judge("image.pull-altered", pulls=pulls, clock=CLOCK, info=info).findings
    assert finding.evidence["RegistryConfig.Mirrors"] == ["http://mirror:5000/"]
    assert finding.variables == {"image": "shop:1"}


@pytest.mark.parametrize(("side", "words"), [("after", "expired on"), ("before", "valid only")])
def test_dates_of_a_certificate(side: str, words: str) -> None:
    text = (
        "x509: certificate has expired or is not yet valid: "
        f"current time 2026-11-27T02:18:50Z is {side} 2026-01-01T00:00:00Z"
    )
    pulls = Pulls((PullTrouble("tls", "r:5000", "", 1, NOW - 60, NOW - 60, text),), "log")
    (finding,) = judge("image.registry-tls", pulls=pulls, clock=CLOCK).findings
    assert words in finding.summary


def test_a_web_page_is_no_registry() -> None:
    text = (
        "error parsing HTTP 403 response body: invalid character '<' looking for beginning of "
        'value: "<html>Log in</html>"'
    )
    assert classify(text) == "web-page"
    assert classify("pull access denied for shop: denied: <html>Log in</html>") == "web-page"
    assert classify(text.replace("403", "503")) == "unreachable"
    pulls = Pulls(
        (
            PullTrouble(
                "web-page", registry="", image="", count=1, first=NOW - 60, last=NOW - 60, text=text
            ),
        ),
        "log",
    )
    (finding,) = judge("image.registry-unreachable", pulls=pulls, clock=CLOCK).findings
    assert "a web page answers" in finding.summary


FORBIDDEN = (
    'failed to resolve reference "r:5000/a:1": unexpected status from HEAD request to '
    "https://r:5000/v2/a/manifests/1: 403 Forbidden"
)


@pytest.mark.parametrize(
    ("text", "place"),
    [(FORBIDDEN, "https://r:5000/v2/"), (FORBIDDEN.replace("403 Forbidden", "401 No"), "")],
)
def test_an_answer_without_words_may_be_a_filters(text: str, place: str) -> None:
    pulls = Pulls(
        (PullTrouble("denied", "r:5000", "r:5000/a:1", 3, NOW - 60, NOW - 60, text),), "log"
    )
    (finding,) = judge("image.pull-denied", pulls=pulls, clock=CLOCK).findings
    assert finding.variables.get("answering", "") == place
    assert ("login" in finding.variables) == (not place)
