"""The checks of the family image on evidence that is built by hand: fires, stays silent, does not
apply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import LogLine
from diagnose.evidence.images.build_cache import BuildCache
from diagnose.evidence.images.details import Detail, ImageDetails, image_details
from diagnose.evidence.images.layer_folders import LayerFolders
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.images.listing import Image, Images, images, normal, registry_of, tag_of
from diagnose.evidence.images.pulls import Pulls, PullTrouble, Why
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.filesystems import Filesystem, Usage
from diagnose.model import Result, Severity, Subject, Unavailable, Unexamined
from diagnose.questions.engine import EngineDiskUsage
from tests.hosts import Made
from tests.inspected import container, live, of
from tests.judging import judge, rows

OUT_OF_REACH = Unavailable("forbidden", "not root")
NOW = 1_800_000_000.0
CLOCK = Clock(NOW, 0.0)


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
        pytest.param([listed("1", []), listed("2", ["shop:1.4"])], False, id="one is no heap"),
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
def test_dangling(items: list[Image], fires: bool) -> None:
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
def test_references(reference: str, full: str, registry: str, tag: str | None) -> None:
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


def trouble(why: Why, count: int = 1, age: float = 60.0, name: str = "") -> Pulls:
    return Pulls(
        (
            PullTrouble(
                why,
                "r:5000",
                name,
                count,
                NOW - age,
                NOW - age,
                'Get "https://r:5000/v2/": it broke',
            ),
        ),
        "log",
    )


@pytest.mark.parametrize(
    ("count", "age", "severity"),
    [
        pytest.param(1, 60.0, "warning", id="a moment ago"),
        pytest.param(1, 7200.0, "advice", id="once, long ago"),
        pytest.param(3, 7200.0, "warning", id="again and again"),
    ],
)
def test_unreachable(count: int, age: float, severity: str) -> None:
    result = judge(
        "image.registry-unreachable", pulls=trouble("unreachable", count, age), clock=CLOCK
    )
    assert rows(result) == [(severity, "docker")]
    assert result.findings[0].summary.endswith("it broke")


@pytest.mark.parametrize(("count", "severity"), [(1, "advice"), (3, "warning")])
def test_one_refused_pull_is_a_slip_of_the_pen(count: int, severity: str) -> None:
    result = judge("image.pull-denied", pulls=trouble("denied", count, name="shop:9"), clock=CLOCK)
    assert rows(result) == [(severity, "shop:9")]


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
        if judge(id, pulls=trouble(why), clock=CLOCK, **_needed(id)).findings
    ]
    assert found == [CHECK_OF[why]]


def _needed(id: str) -> dict[str, Any]:
    return {"info": Info(https_proxy="http://p:3128")} if id == "image.registry-proxy" else {}


@pytest.mark.parametrize(
    ("why", "text", "blocks"),
    [
        pytest.param(
            "tls",
            "x509: certificate signed by unknown authority",
            {"untrusted"},
            id="unknown authority",
        ),
        pytest.param(
            "tls", "x509: certificate has expired or is not yet valid", set(), id="expired"
        ),
        pytest.param(
            "plain-http", "server gave HTTP response to HTTPS client", {"plain"}, id="no TLS at all"
        ),
    ],
)
def test_a_certificate_is_offered_only_against_an_unknown_authority(
    why: Why, text: str, blocks: set[str]
) -> None:
    failed = Pulls((PullTrouble(why, "r:5000", "", 1, NOW - 60, NOW - 60, text),), "log")
    (finding,) = judge("image.registry-tls", pulls=failed, clock=CLOCK).findings
    assert finding.variables.keys() & {"untrusted", "plain"} == blocks


def test_the_range_that_an_image_needs_is_known_from_the_id() -> None:
    text = "failed to register layer: Container ID 718322462 cannot be mapped to a host ID"
    failed = Pulls((PullTrouble("ids", "", "", 1, NOW - 60, NOW - 60, text),), "log")
    config = DaemonConfig("/etc/docker/daemon.json", values={"userns-remap": "default"})
    (finding,) = judge("image.ids-out-of-range", pulls=failed, clock=CLOCK, config=config).findings
    assert finding.variables == {"user": "dockremap", "count": "718322463"}


FAILED: dict[str, Any] = {"State": {"Status": "exited", "Pid": 0, "ExitCode": 1}}


def details(architecture: str) -> ImageDetails:
    detail = Detail("sha256:1111", architecture=architecture)
    return ImageDetails({detail.id: detail}, {detail.id: "shop:1.4"})


def _platform(one: Container, architecture: str, machine: str) -> Result:
    info = Info(architecture=machine)
    return judge(
        "image.platform-mismatch",
        exposed=live(one),
        containers=of(one),
        details=details(architecture),
        info=info,
        clock=CLOCK,
    )


@pytest.mark.parametrize(
    ("one", "architecture", "machine", "severity"),
    [
        pytest.param(container(**FAILED), "arm64", "x86_64", None, id="failed"),
        pytest.param(container(), "arm64", "x86_64", Severity.advice, id="runs emulated"),
        pytest.param(
            container(ImageManifestDescriptor={"platform": {"architecture": "arm64"}}, **FAILED), "amd64", "x86_64", None,
            id="the container's own manifest counts",
        ),
    ],
)  # fmt: skip
def test_platform_mismatch(
    one: Container, architecture: str, machine: str, severity: Severity | None
) -> None:
    (finding,) = _platform(one, architecture, machine).findings
    assert finding.severity is severity


@pytest.mark.parametrize(
    ("architecture", "machine"),
    [
        ("amd64", "x86_64"),
        ("386", "x86_64"),
        ("arm", "aarch64"),
        ("", "x86_64"),
        ("arm64", "aarch64"),
    ],
)
def test_platform_that_fits(architecture: str, machine: str) -> None:
    assert _platform(container(), architecture, machine).verdict == "passed"


def test_platform_of_an_unknown_machine_does_not_apply() -> None:
    assert _platform(container(), "amd64", "vax").verdict == "skipped"


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
def test_unused(items: list[Image], fires: bool) -> None:
    assert (
        bool(judge("image.unused", images=Images(tuple(items), {}), clock=CLOCK).findings) is fires
    )


def disk(size: int) -> Filesystem:
    usage = Usage("/", "ext4", "/dev/x", size, size // 2, size // 2, size // 2, 0, 0, "8:1", False)
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
    assert [each.size for each in msgspec.convert(answer, EngineDiskUsage).build_records] == sizes


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
    one = Image("sha256:1111", ["shop:1.4"], labels=labels)
    users = live(container("a"), container("b"))
    result = judge("image.labels-missing", exposed=users, images=Images((one,), {}))
    assert rows(result) == ([("advice", "shop:1.4")] if fires else [])


LOST = LogLine(NOW - 60, "error", "create: open /d/overlay2/abc/link: no such file or directory")


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        pytest.param(LayerFolders((), 5), [], id="whole"),
        pytest.param(
            LayerFolders((("shop:1.4", "/d/overlay2/abc/link"),), 5),
            ["shop:1.4"],
            id="a part is gone",
        ),
        pytest.param(
            LayerFolders((("shop:1.4", "/d/overlay2/abc/link"),), 5, (LOST,)),
            ["shop:1.4"],
            id="and the log tells",
        ),
        pytest.param(LayerFolders((), 5, (LOST,)), ["docker"], id="the log alone"),
        pytest.param(
            LayerFolders((), 5, (LogLine(NOW - 7200, "error", LOST.message),)),
            [],
            id="the log, long ago",
        ),
    ],
)
def test_corrupt(layers: LayerFolders, names: list[str]) -> None:
    result = judge("image.corrupt", layers=layers, clock=CLOCK, containers=of())
    assert [finding.subject.name for finding in result.findings] == names


def test_a_container_that_cannot_be_inspected_for_want_of_its_layer() -> None:
    why = "inspect: refused: HTTP 500: stat /var/lib/docker/overlay2/cfe1a255: no such file or directory"
    other = "inspect: refused: HTTP 500: context deadline exceeded"
    unread = (
        Unexamined(Subject("container", "web"), why),
        Unexamined(Subject("container", "slow"), other),
    )
    result = judge(
        "image.corrupt", layers=LayerFolders((), 5), clock=CLOCK, containers=Containers((), unread)
    )
    assert rows(result) == [("critical", "web")]


WEB = container("web")


@pytest.mark.parametrize(
    ("lost", "found"),
    [
        pytest.param(
            ("base", "own-web"),
            [("critical", "docker")],
            id="layers of images: one finding for all",
        ),
        pytest.param(("own-web", "own-web-init"), [], id="a container's own alone"),
        pytest.param((), [], id="all there"),
    ],
)
def test_layers_that_were_deleted(lost: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    stored = Layers("/d/overlay2", 3, (), {WEB.id: "own-web"}, 5, lost)
    torn = (
        LayerFolders((("shop:1.4", "/d/overlay2/abc/link"),), 5) if found else LayerFolders((), 5)
    )
    result = judge(
        "image.corrupt",
        layers=torn,
        stored=stored,
        info=Info(driver="overlay2"),
        clock=CLOCK,
        containers=of(WEB),
    )
    assert rows(result) == found
    assert [finding.touches for finding in result.findings] == [(WEB.subject,)] * len(found)


def test_records_that_another_store_has_left_are_not_missed() -> None:
    stored = Layers("/d/overlay2", 0, (), {}, 5, ("base",))
    result = judge(
        "image.corrupt",
        layers=LayerFolders((), 5),
        stored=stored,
        info=Info(driver="overlayfs"),
        clock=CLOCK,
        containers=of(),
    )
    assert result.verdict == "passed"


def test_layers_are_unknown_where_they_cannot_be_seen() -> None:
    assert (
        judge("image.corrupt", layers=OUT_OF_REACH, clock=CLOCK, containers=of()).verdict
        == "unknown"
    )


DATA = Path(__file__).parents[1] / "data" / "engine29"


def test_images_of_engine_29() -> None:
    """Real answers of engine 29.7.2 with containerd's store: a tag was moved, and five containers
    stand on the image that lost it."""
    listed_images = json.loads((DATA / "images.json").read_text())
    used = listed_images[1]["Id"]
    users = of(
        *(container(name, Image=used, Config={"Image": "shop/app:3.1"}) for name in ("a", "b"))
    )
    host = Made(
        {"api.images": listed_images, "api.image": json.loads((DATA / "image.json").read_text())}
    )
    found = images(host, users)
    assert isinstance(found, Images)
    assert found.dangling == ()
    assert [each.name for each in found.unused] == ["shop/app:3.1"]
    exposed = live(*users)
    assert rows(judge("image.labels-missing", exposed=exposed, images=found)) == [
        ("advice", "shop/app:3.1")
    ]
    about = image_details(host, exposed, users)
    assert isinstance(about, ImageDetails)
    info = Info(architecture="x86_64")
    result = judge(
        "image.platform-mismatch",
        exposed=exposed,
        containers=users,
        details=about,
        info=info,
        clock=CLOCK,
    )
    assert result.verdict == "passed"
    assert [detail.layers for detail in about] == [()]


def test_layers_of_another_driver_are_not_judged() -> None:
    assert (
        judge("image.corrupt", layers=LayerFolders((), 0), clock=CLOCK, containers=of()).verdict
        == "skipped"
    )


def test_layers_that_only_root_may_enter() -> None:
    layers = LayerFolders((), 3, closed={"shop:1.4": 0o700})
    down = {"State": {"Status": "exited", "Pid": 0, "ExitCode": 127}}
    for parts, found in ((down, [("critical", "shop:1.4")]), ({}, [])):
        users = Containers((container("web", **parts),))
        result = judge(
            "image.corrupt",
            layers=layers,
            info=Info(driver="overlay2"),
            clock=CLOCK,
            containers=users,
        )
        assert rows(result) == found
