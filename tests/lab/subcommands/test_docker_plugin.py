"""`docker diagnose` and its hook in the clients of the lab's engines."""

from __future__ import annotations

import json
import os
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from diagnose.version import __version__
from tests.lab.box import Box
from tests.lab.engines import Engine
from tests.reach import built

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("plugin")]
PLUGIN = Path(__file__).parents[3] / "diagnose" / "setup" / "docker-diagnose.sh"
HOOKS_SINCE = 26
"""The first client that asks plugins for a next step."""
TEXT_SINCE = 28
"""The first client that hands over the error of `docker run`."""
REAL = "/root/docker-diagnose"
TIMED = f"""#!/bin/sh
[ "$2" = docker-cli-plugin-hooks ] || exec {REAL} "$@"
began=$(date +%s%N)
{REAL} "$@"
code=$?
echo "$(($(date +%s%N) - began))" >>/root/took
exit $code
"""
"""The plugin, with the time of each hook kept."""
PAIRS, ROUNDS = 10, 3
HELP_MS, HOOK_MS = 5.0, 100.0
"""What the help may cost more, and what a hook may take."""
COUNT = f"""
import os, resource, subprocess, time
def cost(place):
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["docker", "--help"], env={{**os.environ, "DOCKER_CONFIG": place}}, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
for _ in range({PAIRS}):
    (wall, cpu), (wall_without, cpu_without) = cost("/root/.docker"), cost("/root/without")
    print((wall - wall_without) * 1000, (cpu - cpu_without) * 1000)
"""
"""What docker's help costs with the plugin and without, in alternation: milliseconds more, by the
clock and of processor time."""
CONFIG = {"plugins": {"diagnose": {"hooks": "run,pull"}}, "features": {"hooks": "true"}}


nightly = pytest.mark.skipif(
    not os.environ.get("DIAGNOSE_LAB_LONG"),
    reason="DIAGNOSE_LAB_LONG is not set: left to the nightly run",
)


@pytest.fixture
def box(engine: Engine) -> Iterator[Box]:
    """An engine, and the plugin with the tool of this tree behind it."""
    with Box(engine) as box:
        box.start_engine()
        box.write("/root/tool", '#!/bin/sh\necho "tool: $*"\n', 0o755)
        script = (
            PLUGIN.read_text().replace("@VERSION@", __version__).replace("@PROGRAM@", "/root/tool")
        )
        box.write(REAL, script, 0o755)
        box.write("/root/.docker/cli-plugins/docker-diagnose", TIMED, 0o755)
        box.write("/root/.docker/config.json", json.dumps(CONFIG))
        box.docker("run", "-d", "--name=holder", "-p", "8080:80", "shop:1.4", "sleep", "1000")
        yield box


def on_a_terminal(box: Box, command: str) -> str:
    """What a client shows on a terminal, where alone it asks for a next step."""
    return box.run(["script", "-qec", command, "/dev/null"], check=False, timeout=60).stdout


def test_plugin_and_hook(box: Box, engine: Engine, say: Callable[[str], None]) -> None:
    assert box.docker("diagnose", "check", "dns", "-v").stdout == "tool: check dns -v\n"
    assert "diagnose*" in box.docker("help").stdout.replace(" *", "*")
    passed = box.docker("--host", "unix:///var/run/docker.sock", "diagnose", "all").stdout
    assert passed == "tool: all --host unix:///var/run/docker.sock\n"
    shown = on_a_terminal(box, "docker run --rm -p 8080:80 shop:1.4 true")
    assert "port is already allocated" in shown, shown
    for _ in range(3):
        on_a_terminal(box, "docker run --rm -p 8080:80 shop:1.4 true")
    quiet = on_a_terminal(box, "docker run --rm shop:1.4 true")
    assert "diagnose" not in quiet
    if engine.major < HOOKS_SINCE:
        assert "docker diagnose check" not in shown
        say(f"plugin in the client of {engine.name}: works; this client has no hooks")
        return
    hint = re.search(r"diagnose: (.*)", shown)
    assert hint, shown
    by_text = r"port 8080 is held by (holder|another container) - docker diagnose check network.port-allocated"
    without_text = "the engine did not start the container - docker diagnose check container"
    assert re.match(by_text if engine.major >= TEXT_SINCE else without_text, hint[1])
    box.write("/root/.docker/config.json", "{}")
    without = on_a_terminal(box, "docker run --rm -p 8080:80 shop:1.4 true")
    assert "docker diagnose check" not in without
    took = sorted(int(line) / 1e6 for line in box.read("/root/took").split())
    assert took[0] < HOOK_MS
    say(
        f"plugin and hook in the client of {engine.name}: {hint[1].strip()!r}; "
        f"{len(took)} hooks took {statistics.median(took):.0f} ms in the median, {took[-1]:.0f} at most"
    )


class More(NamedTuple):
    """What the plugin adds, in milliseconds: the median of the pairs by the clock, the mean of
    processor time, which the kernel counts coarsely."""

    wall: float
    cpu: float


def counted(box: Box) -> More:
    numbers = [
        float(word) for word in box.run(["python3", "-c", COUNT], timeout=120).stdout.split()
    ]
    return More(statistics.median(numbers[::2]), statistics.mean(numbers[1::2]))


@nightly
def test_help_is_hardly_slower(box: Box, engine: Engine, say: Callable[[str], None]) -> None:
    box.write("/root/.docker/cli-plugins/docker-diagnose", box.read(REAL), 0o755)
    box.sh("mkdir -p /root/without")
    rounds = [counted(box) for _ in range(ROUNDS)]
    # Whoever works beside it disturbs a round, in either direction, and rarely all three.
    cpu = statistics.median(more.cpu for more in rounds)
    wall = statistics.median(more.wall for more in rounds)
    assert cpu < HELP_MS
    say(
        f"docker --help in the client of {engine.name}, {ROUNDS} times {PAIRS} pairs: "
        f"the plugin adds {cpu:.1f} ms of CPU, and {wall:.1f} ms by the clock"
    )


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return built.packages(tmp_path_factory.mktemp("packages"))


UNPACK = {
    "deb": "dpkg -i /srv/package",
    "rpm": "rpm2cpio /srv/package | (cd / && busybox cpio -id 2>/dev/null)",
}


@nightly
@pytest.mark.parametrize("kind", UNPACK)
def test_the_client_finds_what_a_package_brings(
    packages: dict[str, Path], kind: str, engine: Engine, say: Callable[[str], None]
) -> None:
    """The plugin works as soon as the package is there, the hook once a user asks for it."""
    failing = "docker run --rm -p 8080:80 shop:1.4 true"
    with Box(engine) as box:
        box.start_engine()
        box.write("/srv/package", packages[kind].read_bytes())
        box.sh(UNPACK[kind], timeout=120)
        assert box.docker("diagnose", "--version").stdout == f"diagnose {__version__}\n"
        box.docker("run", "-d", "--name=holder", "-p", "8080:80", "shop:1.4", "sleep", "1000")
        assert "docker diagnose check" not in on_a_terminal(box, failing)
        box.sh("diagnose setup hook", timeout=60)
        is_hinted = "docker diagnose check" in on_a_terminal(box, failing)
        assert is_hinted is (engine.major >= HOOKS_SINCE)
        hook = "and its hook" if is_hinted else "and this client has no hooks"
        say(f"{kind} on the client of {engine.name}: docker diagnose works {hook}")
