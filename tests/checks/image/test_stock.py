"""The checks in checks/image/stock.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.images.build_cache import BuildCache
from diagnose.evidence.images.listing import Image, Images, normal, registry_of, tag_of
from diagnose.evidence.storage.filesystems import Filesystem, Usage
from diagnose.questions.disk_usage import EngineDiskUsage
from tests.checks.image.evidence import CLOCK, NOW
from tests.inspected import container, live
from tests.judging import judge, rows


def listed(id: str, tags: list[str] | None, size: int = 1000, **more: Any) -> Image:
    return Image(id=f"sha256:{id * 64}"[:71], repo_tags=tags, size=size, **more)


@pytest.mark.parametrize(
    ("items", "fires"),
    [
        pytest.param(
            [listed("1", ["<none>:<none>"]), listed("2", ["<none>:<none>"])],
            True,
            id="API up to 1.42",
        ),
        pytest.param([listed("1", []), listed("2", None)], True, id="API from 1.43"),
        pytest.param([listed("1", []), listed("2", ["shop:1.4"])], False, id="one is not a heap"),
        pytest.param([listed("1", [], size=3 << 30)], True, id="one that is big"),
        pytest.param(
            [listed("1", [], containers=1), listed("2", [], containers=2)],
            False,
            id="containerd's store: used",
        ),
        pytest.param(
            [listed("1", [], size=3 << 30, shared_size=(3 << 30) - 5)], False, id="big, but shared"
        ),
    ],
)
def test_when_images_without_a_name_are_worth_a_word(items: list[Image], fires: bool) -> None:
    assert bool(judge("image.dangling", images=Images(tuple(items), {})).findings) is fires


def test_dangling_images_that_a_container_stands_on() -> None:
    items = (listed("1", []), listed("2", []))
    used = Images(items, {items[0].id: ("a",), items[1].id: ("b",)})
    assert judge("image.dangling", images=used).verdict == "passed"


def test_dangling_is_unknown_where_containers_are() -> None:
    assert (
        judge("image.dangling", images=Images((listed("1", []),), {}, users_known=False)).verdict
        == "unknown"
    )


@pytest.mark.parametrize(
    ("reference", "full", "registry", "tag"),
    [
        ("bb", "docker.io/library/bb:latest", "docker.io", "latest"),
        ("bb:1.2", "docker.io/library/bb:1.2", "docker.io", "1.2"),
        ("team/app", "docker.io/team/app:latest", "docker.io", "latest"),
        ("localhost:5000/app", "localhost:5000/app:latest", "localhost:5000", "latest"),
        ("reg.example/a/b:3", "reg.example/a/b:3", "reg.example", "3"),
        ("reg.example:5000/a@sha256:12", "reg.example:5000/a@sha256:12", "reg.example:5000", None),
        ("a:latest@sha256:12", "docker.io/library/a@sha256:12", "docker.io", None),
    ],
)
def test_parts_of_an_image_reference(
    reference: str, full: str, registry: str, tag: str | None
) -> None:
    assert (normal(reference), registry_of(reference), tag_of(reference)) == (full, registry, tag)


@pytest.mark.parametrize(
    ("reference", "fires"),
    [
        ("shop", True),
        ("shop:latest", True),
        ("shop:1.4", False),
        ("sha256:1111", False),
        ("shop:latest@sha256:11", False),
    ],
)
def test_latest_tag(reference: str, fires: bool) -> None:
    one = container(Config={"Image": reference})
    assert rows(judge("image.latest-tag", exposed=live(one))) == (
        [("advice", reference)] if fires else []
    )


OLD = int(NOW) - 90 * 86400


@pytest.mark.parametrize(
    ("items", "fires"),
    [
        pytest.param([listed(str(n), [f"a:{n}"], created=OLD) for n in range(10)], True, id="many"),
        pytest.param([listed("1", ["a:1"], size=6 << 30, created=OLD)], True, id="big"),
        pytest.param(
            [listed(str(n), [f"a:{n}"], created=int(NOW)) for n in range(10)], False, id="new ones"
        ),
        pytest.param(
            [listed(str(n), [f"a:{n}"], created=OLD) for n in range(9)], False, id="a few"
        ),
    ],
)
def test_when_unused_images_are_worth_a_word(items: list[Image], fires: bool) -> None:
    assert (
        bool(judge("image.unused", images=Images(tuple(items), {}), clock=CLOCK).findings) is fires
    )


def disk(size: int) -> Filesystem:
    usage = Usage(
        "/",
        "ext4",
        "/dev/x",
        size,
        size // 2,
        size // 2,
        size // 2,
        inodes=0,
        inodes_free=0,
        dev="8:1",
        read_only=False,
    )
    return Filesystem("/", usage, ("data root",))


@pytest.mark.parametrize(
    ("size", "cache", "fires"),
    [
        (1 << 40, 11 << 30, True),
        (20 << 30, 3 << 30, True),
        (20 << 30, 1 << 30, False),
        (1 << 40, 9 << 30, False),
    ],
    ids=["ten gibibytes", "a tenth of a small disk", "little", "little of a big disk"],
)
def test_build_cache(size: int, cache: int, fires: bool) -> None:
    assert (
        bool(judge("image.build-cache-large", cache=BuildCache(disk(size), cache, 3)).findings)
        is fires
    )


def test_build_cache_that_was_not_measured() -> None:
    unmeasured = BuildCache(disk(1), not_asked="the disk is empty")
    assert judge("image.build-cache-large", cache=unmeasured).verdict == "skipped"


@pytest.mark.parametrize(
    ("answer", "sizes"),
    [
        pytest.param({"BuildCache": None}, [], id="20.10 before BuildKit was used"),
        pytest.param(
            {"BuildCache": [{"ID": "a", "Size": 5, "InUse": False, "Shared": True}]},
            [5],
            id="up to API 1.51",
        ),
        pytest.param(
            {"BuildCacheUsage": {"TotalSize": 7, "Items": [{"ID": "a", "Size": 7}]}},
            [7],
            id="from API 1.52",
        ),
    ],
)
def test_build_cache_records(answer: dict[str, Any], sizes: list[int]) -> None:
    assert [
        build_record.size for build_record in msgspec.convert(answer, EngineDiskUsage).build_records
    ] == sizes


@pytest.mark.parametrize(
    ("labels", "fires"),
    [
        (None, True),
        ({"maintainer": "x"}, True),
        ({"org.label-schema.version": "1"}, True),
        ({"org.opencontainers.image.source": "https://git.example/x"}, False),
    ],
)
def test_labels_missing(labels: dict[str, str] | None, fires: bool) -> None:
    image = Image("sha256:1111", ["shop:1.4"], labels=labels)
    users = live(container("a"), container("b"))
    result = judge("image.labels-missing", exposed=users, images=Images((image,), {}))
    assert rows(result) == ([("advice", "shop:1.4")] if fires else [])


@pytest.mark.parametrize(
    ("digest", "fires"),
    [
        ("postgres@sha256:22", False),
        ("docker.io/library/postgres@sha256:22", False),
        ("acme/shop@sha256:22", True),
        ("registry.example/shop@sha256:22", True),
    ],
)
def test_official_images_have_no_labels(digest: str, fires: bool) -> None:
    image = Image("sha256:1111", [], [digest])
    result = judge("image.labels-missing", exposed=live(container()), images=Images((image,), {}))
    assert bool(result.findings) == fires
