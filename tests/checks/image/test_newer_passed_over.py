"""The check in checks/image/newer_passed_over.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.images.passed_over import passed_over_images
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Json
from diagnose.phrases import unix
from diagnose.questions import AnyQuestion
from tests.checks.container.written import made
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

MADE = "2026-11-30T10:00:00Z"
EARLIER, LATER, LONG_AGO = "2026-11-30T09:58:00Z", "2026-11-30T10:05:00Z", "2026-11-20T09:00:00Z"
OLD = Image("sha256:a", ["shop:latest"], created=100)
NEW = Image("sha256:b", ["shop:0.1.15"], created=200)
OLDER = Image("sha256:b", ["shop:0.1.10"], created=50)
FOREIGN = Image("sha256:b", ["blog:0.1.15"], created=200)
FOUND = [("advice", "shop-web-1")]
CASES: dict[str, tuple[Image, str, dict[str, tuple[str, ...]], list[tuple[str, str]]]] = {
    "brought before": (NEW, EARLIER, {}, FOUND),
    "brought later": (NEW, LATER, {}, []),
    "brought long ago": (NEW, LONG_AGO, {}, []),
    "a container uses it": (NEW, EARLIER, {"sha256:b": ("other",)}, []),
    "an older build": (OLDER, EARLIER, {}, []),
    "of another repository": (FOREIGN, EARLIER, {}, []),
    "nobody knows when": (NEW, "", {}, []),
}


@pytest.mark.parametrize(("image", "at", "used", "expected"), CASES.values(), ids=CASES)
def test_images_that_were_brought(
    image: Image, at: str, used: dict[str, tuple[str, ...]], expected: list[tuple[str, str]]
) -> None:
    def inspect(question: AnyQuestion) -> Json:
        when = at if question.args["id"] == "sha256:b" else LONG_AGO
        return {"Id": str(question.args["id"]), "Metadata": {"LastTagTime": when}}

    web = made("web", Created=MADE, Image="sha256:a", Config={"Image": "shop:latest"})
    answers: dict[str, Any] = {"api.image": inspect}
    images = Images((OLD, image), used=used)
    found = passed_over_images(Made(answers), of(web), images)
    clock = Clock(wall=(unix(MADE) or 0.0) + 60, booted=0.0)
    assert rows(judge("image.newer-passed-over", passed_over=found, clock=clock)) == expected
