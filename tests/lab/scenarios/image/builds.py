"""Images that cannot be built. Engines before 23 keep no history of builds."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy
from tests.lab.programs import install_buildx

_WITH_HISTORY = Engines(since=23)
_WITH_NAMES = Engines(since=28)


def _build(box: Box, dockerfile: str, name: str = "shop/web:1.4") -> str:
    """What `docker build` says of a failure; the Dockerfile lies in a folder below the context."""
    box.write("/srv/shop/docker/Dockerfile", dockerfile)
    done = box.run(
        ["docker", "build", f"--tag={name}", "docker"], cwd="/srv/shop", check=False, timeout=60
    )
    return done.stderr if done.returncode else ""


def _summary(box: Box) -> str:
    (finding,) = box.diagnose("check", "image.build-failed", "--format", "json").findings
    return str(finding["summary"])


@fault("image.build-failed", subject="image:shop/web:1.4", engines=_WITH_NAMES)
def build_in_the_wrong_folder(box: Box) -> None:
    """The build context is the folder of the Dockerfile, and the file lies above it."""
    install_buildx(box)
    box.image("bb:1.36")
    box.write("/srv/shop/config/app.conf", "colour=blue\n")
    said = _build(box, "FROM bb:1.36\nCOPY config/app.conf /etc/app.conf\n")
    assert '"/config/app.conf": not found' in said
    assert "config/app.conf is not in the build context" in _summary(box)


@fault("image.build-failed", subject="*", engines=_WITH_HISTORY)
def build_step_that_fails(box: Box) -> None:
    """A step of a build fails twice; what it printed says why."""
    install_buildx(box)
    box.image("bb:1.36")
    step = "RUN echo Reading package lists; echo 'E: Unable to locate package libfoo' >&2; exit 100"
    for _ in range(2):
        assert "exit code: 100" in _build(box, f"FROM bb:1.36\n{step}\n")
    assert "failed twice" in _summary(box)
    assert "apt-get does not know the package libfoo" in _summary(box)


@fault("image.build-failed", subject="*", engines=_WITH_HISTORY)
def package_list_of_the_future(box: Box) -> None:
    """apt-get, here its words alone, meets lists that are younger than the clock of the host."""
    install_buildx(box)
    box.image("bb:1.36")
    line = "E: Release file for http://deb.lab.test/debian/dists/bookworm-updates/InRelease is not valid yet (invalid for another 2h 14min 3s)."
    step = f"RUN echo Reading package lists...; echo '{line}' >&2; exit 100"
    assert "exit code: 100" in _build(box, f"FROM bb:1.36\n{step}\n")
    assert "the clock of this host is at least 2h 14min 3s behind" in _summary(box)


@fault("image.build-failed", subject="*", engines=_WITH_HISTORY)
def lock_file_older_than_its_project(box: Box) -> None:
    """npm, here its words alone, installs no package that the lock file lacks."""
    install_buildx(box)
    box.image("bb:1.36")
    lines = (
        "npm warn deprecated glob@7.2.3: Glob versions prior to v9 are no longer supported",
        "npm error code EUSAGE",
        "npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.",
        "npm error Missing: vite@5.0.0 from lock file",
        "npm error A complete log of this run can be found in: /root/.npm/_logs/debug-0.log",
    )
    prints = "; ".join(f"echo '{line}' >&2" for line in lines)
    assert "exit code: 1" in _build(box, f"FROM bb:1.36\nRUN {prints}; exit 1\n")
    assert "package.json and its lock file do not say the same" in _summary(box)


@fault("image.build-failed", subject="daemon:docker", engines=_WITH_NAMES, user="nobody")
def build_that_the_log_tells_of(box: Box) -> None:
    """A user without rights reads of a failed build in the engine's log."""
    install_buildx(box)
    box.image("bb:1.36")
    assert "unknown instruction" in _build(box, "FROM bb:1.36\nRUNN true\n")


@fault("image.build-failed", subject="daemon:docker")
def step_of_the_classic_builder(box: Box) -> None:
    """Without the plugin for builds the client uses the classic builder; what is left of the step
    that failed is a container."""
    box.image("bb:1.36")
    box.write("/srv/shop/docker/Dockerfile", "FROM bb:1.36\nRUN echo compiling; exit 3\n")
    build = ["env", "DOCKER_BUILDKIT=0", "docker", "build", "--tag=shop/web:1.4", "docker"]
    done = box.run(build, cwd="/srv/shop", check=False)
    assert "returned a non-zero code: 3" in done.stderr


@healthy(engines=_WITH_HISTORY)
def build_that_was_mended(box: Box) -> None:
    """A build failed, and the next one of the same image went well under another tag; another one
    was broken off."""
    install_buildx(box)
    box.image("bb:1.36")
    assert "exit code: 3" in _build(box, "FROM bb:1.36\nRUN exit 3\n", "shop/web:5f2b1c9")
    assert not _build(box, "FROM bb:1.36\nRUN true\n", "shop/web:77aa01e")
    box.write("/srv/slow/Dockerfile", "FROM bb:1.36\nRUN sleep 1000\n")
    box.sh("timeout -s INT 4 docker build --tag slow:1 /srv/slow", check=False, timeout=30)
