"""container.data-in-own-layer: what lies in a layer, and in the mounts beside it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from diagnose.evidence.containers.compose.mounts_among_variables import mounts_among_variables
from diagnose.evidence.containers.mounts.data.own_layer_data import OwnLayerDataList, own_layer_data
from diagnose.evidence.containers.mounts.data.replaced_lists import replaced_lists
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from diagnose.questions.compose import WrittenMount, WrittenService
from tests.checks.container.evidence import NOW
from tests.checks.container.written import made, project
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

HOUR = 3600.0
MUCH = 200_000
SOURCE, LAYER = "/srv/docs", "/var/lib/docker/overlay2/aa/diff"
FOUND = [("warning", "search")]
FOUND_REPLACED = [("warning", "shop-web-1")]


def _judge(
    mount: Mapping[str, Any],
    layer: Mapping[str, int],
    entries: tuple[str, ...] = ("indexes",),
    *,
    age: float = 2 * HOUR,
    more: tuple[Mapping[str, Any], ...] = (),
    largest: str = "",
) -> tuple[Made, Any]:
    """age: seconds since the mount was changed; the container was made an hour ago."""

    def times(question: AnyQuestion) -> Json:
        return {
            str(path): {"type": "folder", "mtime": NOW - age, "mode": 0o755}
            for path in question.args["paths"]
        }

    host = Made(
        {
            "file.list": {"entries": [{"name": name, "type": "folder"} for name in entries]},
            "file.stats": times,
            "fs.walk": {
                "bytes": sum(layer.values()), "complete": True, "by": dict(layer),
                "largest": [{"path": f"{LAYER}/{largest}", "bytes": MUCH}] if largest else [],
            },
        }
    )  # fmt: skip
    own = {"Type": "bind", "Source": SOURCE, "Destination": "/data.ms", "RW": True, **mount}
    search = container(
        "search",
        Created=datetime.fromtimestamp(NOW - HOUR, UTC).isoformat(),
        Mounts=[own, *more],
        GraphDriver={"Name": "overlay2", "Data": {"UpperDir": LAYER}},
    )
    items = own_layer_data(host, of(search), None)
    return host, judge("container.data-in-own-layer", own_layer_data=items, containers=of(search))


IN_LAYER = {"meili/data.ms/indexes": MUCH}
HOLDS = {"Type": "volume", "Name": "a", "Source": "/v", "Destination": "/meili", "RW": True}
CASES: dict[str, tuple[dict[str, Any], dict[str, int], dict[str, Any], list[tuple[str, str]]]] = {
    "another folder above": ({}, IN_LAYER, {}, FOUND),
    "an empty mount": ({}, IN_LAYER, {"entries": ()}, FOUND),
    "a mount that is written to": ({}, IN_LAYER, {"age": 60.0}, []),
    "little data": ({}, {"meili/data.ms": 4096}, {}, []),
    "a folder of another name": ({}, {"meili/db": MUCH}, {}, []),
    "a folder of another name, and an empty mount": (
        {}, {"meili/db/x": 2 * MUCH}, {"entries": ()}, [("advice", "search")],
    ),
    "a folder with a program, and an empty mount": (
        {}, {"opt/x/node": 2 * MUCH}, {"entries": (), "largest": "opt/x/node/nginx"}, [],
    ),
    "two such folders": ({}, {"meili/db": 2 * MUCH, "srv/x": 2 * MUCH}, {"entries": ()}, []),
    "thousands of such folders": (
        {}, {f"srv/x/{at}": 2 * MUCH for at in range(3000)}, {"entries": ()}, [("advice", "search")],
    ),
    "little in such a folder": ({}, {"meili/db": MUCH}, {"entries": ()}, []),
    "what an installer writes": ({}, {"usr/lib/x": 2 * MUCH}, {"entries": ()}, []),
    "what is built": ({}, {"app/dist/x": 2 * MUCH}, {"entries": ()}, []),
    "a cache": ({}, {"var/cache/data.ms": MUCH}, {}, []),
    "two folders": ({}, {"a/data.ms": MUCH, "b/data.ms": MUCH}, {}, []),
    "read-only": ({"RW": False}, IN_LAYER, {}, []),
    "in a folder of a build": (
        {"Destination": "/opt/files/dist/uploads"}, {"srv/files/dist/uploads": MUCH}, {}, FOUND,
    ),
    "of media": ({"Destination": "/photos"}, {"app/photos": MUCH}, {}, []),
    "a usual name with other files": ({"Destination": "/data"}, {"app/data/cache": MUCH}, {}, []),
    "a usual name with a file of both": ({"Destination": "/data"}, {"app/data/indexes": MUCH}, {}, FOUND),
    "a usual name, and nothing mounted": ({"Destination": "/data"}, {"app/data": MUCH}, {"entries": ()}, FOUND),
    "a home, and nothing mounted": (
        {"Destination": "/data"}, {"root/.local/share/backrest": MUCH}, {"entries": ()}, FOUND,
    ),
    "a home of a user": (
        {"Destination": "/config"}, {"home/app/.config/backrest": MUCH}, {"entries": ()}, FOUND,
    ),
    "a home, and a mount that holds something": (
        {"Destination": "/data"}, {"root/.local/share/backrest": MUCH}, {}, [],
    ),
    "a home, and a mount for something else": (
        {"Destination": "/inbox"}, {"root/.local/share/backrest": MUCH}, {"entries": ()}, [],
    ),
    "two programs in a home": (
        {"Destination": "/data"},
        {"root/.local/share/a": MUCH, "root/.local/share/b": MUCH},
        {"entries": ()},
        [],
    ),
    "a cache in a home": (
        {"Destination": "/data"}, {"root/.cache/backrest": MUCH}, {"entries": ()}, [],
    ),
    "below another mount": ({}, IN_LAYER, {"more": (HOLDS,)}, []),
    "a blank at its end": ({"Destination": "/data.ms "}, {}, {}, FOUND),
    "a quote at its end": ({"Destination": '/data.ms"'}, {}, {}, FOUND),
    "a quote behind its mode": ({"Destination": "/data.ms:rw'"}, {}, {}, FOUND),
    "a path with a quote in it": ({"Destination": "/data's.ms"}, {}, {}, []),
    "swapped paths": (
        {"Destination": "/home/me/files"}, {"srv/docs/indexes": MUCH}, {"entries": ()}, FOUND,
    ),
    "a mount for what is handed out, beside the program's own data": (
        {"Destination": "/export"}, {"srv/docs/indexes": MUCH}, {"entries": ()}, [],
    ),
    "swapped paths, and a mount that holds something": (
        {"Destination": "/home/me/files"}, {"srv/docs/indexes": MUCH}, {}, [],
    ),
}  # fmt: skip


def test_mounts_among_the_variables_of_a_compose_file() -> None:
    web = made("web")
    names = ["/srv/docs:/data", "./docs:/data", "PATHS", "/srv/docs"]
    written = project(web, services=[WrittenService("web", variables=names)])
    found = mounts_among_variables(written).of(web)
    assert found == ("/srv/docs:/data", "./docs:/data")


def test_settings_beside_the_data_of_a_home() -> None:
    config = {"Type": "bind", "Source": "/srv/config", "Destination": "/config", "RW": True}
    layer = {"root/.local/share/backrest": MUCH, "root/.config/backrest": 4096}
    _, result = _judge({"Destination": "/data"}, layer, (), more=(config,))
    (finding,) = result.findings
    assert finding.variables["written"] == "search:/root/.local/share/backrest/."
    assert finding.variables["also_written"] == "search:/root/.config/backrest/."
    assert finding.variables["also_meant"] == "/srv/config:/root/.config/backrest"


@pytest.mark.parametrize(("mount", "layer", "given", "expected"), CASES.values(), ids=CASES)
def test_mounts(
    mount: dict[str, Any],
    layer: dict[str, int],
    given: dict[str, Any],
    expected: list[tuple[str, str]],
) -> None:
    _, result = _judge(mount, layer, **given)
    assert rows(result) == expected


def test_what_is_asked_and_offered() -> None:
    host, _ = _judge({}, IN_LAYER, age=60.0)
    assert [question.kind for question in host.asked] == ["file.list", "file.stats"]
    _, result = _judge({}, IN_LAYER)
    (finding,) = result.findings
    assert finding.variables["meant"] == f"{SOURCE}:/meili/data.ms"
    assert "store" not in finding.variables
    _, result = _judge({}, IN_LAYER, ())
    (finding,) = result.findings
    assert finding.variables["written"] == "search:/meili/data.ms/."


def test_swapped_paths_are_turned_round() -> None:
    _, result = _judge({"Destination": "/home/me/files"}, {"srv/docs/indexes": MUCH}, ())
    (finding,) = result.findings
    assert finding.variables["meant"] == "/home/me/files:/srv/docs"
    assert finding.variables["store"] == "/home/me/files"


def test_a_path_of_blanks_costs_no_time() -> None:
    begun = time.process_time()
    _judge({"Destination": "/a" + " " * 50_000 + "x"}, {})
    assert time.process_time() - begun < 1


REPLACED = {
    "files in its layer": (["a.xls"], True, FOUND_REPLACED),
    "an empty folder": ([], True, []),
    "a neighbour without it": (["a.xls"], False, []),
}


@pytest.mark.parametrize(("names", "shared", "expected"), REPLACED.values(), ids=REPLACED)
def test_a_list_that_replaces_that_of_an_anchor(
    names: list[str], shared: bool, expected: list[tuple[str, str]]
) -> None:
    volume = {"Type": "volume", "Name": "shop_data", "Source": "/v", "Destination": "/assets"}
    web = made("web", GraphDriver={"Name": "overlay2", "Data": {"UpperDir": LAYER}})
    worker = made("worker", Mounts=[volume] if shared else [])
    lost = WrittenService("web", replaced=[WrittenMount("/assets", "data")])
    projects = project(web, worker, services=[lost, WrittenService("worker")])
    host = Made({"file.list": {"entries": [{"name": name, "type": "file"} for name in names]}})
    items = replaced_lists(host, projects)
    result = judge(
        "container.data-in-own-layer",
        own_layer_data=OwnLayerDataList(),
        containers=of(web, worker),
        replaced_lists=items,
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["meant"] == "shop_data:/assets"
