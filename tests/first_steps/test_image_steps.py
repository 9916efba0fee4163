"""First steps where a log complains of the image, the kernel or a certificate: each is offered
where it can help, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.peers.unanswered_peers import calls_of
from diagnose.evidence.images.builds import other_build, repository_of
from diagnose.evidence.images.commands import ImageCommands
from diagnose.evidence.images.listing import Image, Images
from diagnose.first_steps.image_steps import build_before, image_steps
from tests.checks.container.evidence import container_in
from tests.inspected import of

REPOSITORY = "registry.example/app"
LACKS = "/run.sh: line 3: envsubst: command not found"
MOUNT = {"Type": "bind", "Source": "/srv/app", "Destination": "/app", "RW": True}


def built(id: str, created: int, *tags: str, digest: str = "") -> Image:
    digests = [f"{REPOSITORY}@sha256:{digest}"] if digest else []
    return Image(id=id, repo_tags=list(tags), repo_digests=digests, created=created)


def steps(line: str, *images: Image, cmd: list[str] | None = None, **parts: Any) -> dict[str, str]:
    container = container_in("exited", code=1, **parts)
    own = Image(id=container.image, repo_tags=[f"{REPOSITORY}:2"], created=200)
    commands = ImageCommands({container.id: cmd} if cmd else {})
    tail = LogTail((line,))
    return image_steps(
        container,
        tail,
        Images((own, *images), {}),
        commands,
        calls_of(container, of(container), tail, None),
    )


@pytest.mark.parametrize(
    ("line", "images", "expected"),
    [
        (LACKS, [built("a", 100, f"{REPOSITORY}:1")], f"{REPOSITORY}:1"),
        (LACKS, [built("a", 100, digest="ab")], f"{REPOSITORY}@sha256:ab"),
        (LACKS, [built("a", 100, f"{REPOSITORY}:1"), built("b", 150, digest="b")],
         f"{REPOSITORY}@sha256:b"),
        (LACKS, [built("a", 300, f"{REPOSITORY}:3")], ""),
        (LACKS, [built("a", 100, "registry.example/other:1")], ""),
        ("the database schema version is newer than this program supports",
         [built("a", 300, f"{REPOSITORY}:3")], f"{REPOSITORY}:3"),
        ("Error: getaddrinfo ENOTFOUND redis", [built("a", 100, f"{REPOSITORY}:1")], ""),
    ],
)  # fmt: skip
def test_the_build_of_the_image_that_may_end_it(line: str, images: list[Image], expected: str):
    found = steps(line, *images, Config={"Image": f"{REPOSITORY}:2"})
    assert found.get("other_build", "") == expected


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        pytest.param([built("a", 100, digest="ab")], f"{REPOSITORY}@sha256:ab", id="replaced"),
        pytest.param([built("a", 100, f"{REPOSITORY}:1")], "", id="another tag"),
        pytest.param([built("a", 300, digest="ab")], "", id="newer"),
        pytest.param([], "", id="none"),
    ],
)
def test_the_build_that_a_pull_has_replaced(images: list[Image], expected: str) -> None:
    container = container_in("exited", code=1, Config={"Image": f"{REPOSITORY}:live"})
    own = Image(id=container.image, repo_tags=[f"{REPOSITORY}:live"], created=200)
    found = build_before(container, Images((own, *images), {}))
    assert found.get("build_before", "") == expected


COMPILED = (
    "java.lang.UnsupportedClassVersionError: com/shop/Main has been compiled by a more recent "
    "version of the Java Runtime (class file version 65.0)"
)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("openjdk:17", "openjdk:21"),
        ("eclipse-temurin:17.0.8_7-jre-alpine", "eclipse-temurin:21-jre-alpine"),
        ("docker.io/library/amazoncorretto:11", "docker.io/library/amazoncorretto:21"),
        ("eclipse-temurin", ""),
        ("shop/billing:17", ""),
    ],
)
def test_the_image_of_a_newer_java(image: str, expected: str):
    assert steps(COMPILED, Config={"Image": image}).get("newer_java", "") == expected


OLDER_CLIENT = "Cannot build ContainerInfo, some of required attributes are not set [names]"
NO_CHECKPOINT = "2018-03-04 10:09:10 1405 [ERROR] InnoDB: No valid checkpoint found."


@pytest.mark.parametrize(
    ("line", "image", "pulled"),
    [
        (OLDER_CLIENT, f"{REPOSITORY}:latest", f"{REPOSITORY}:latest"),
        (OLDER_CLIENT, f"{REPOSITORY}:2", None),
        (LACKS, f"{REPOSITORY}:latest", None),
        (NO_CHECKPOINT, f"{REPOSITORY}:2", None),
    ],
    ids=["a tag that moves", "a release", "what an image lacks", "data of another version"],
)
def test_a_tag_is_pulled_where_it_may_have_moved(line: str, image: str, pulled: str | None) -> None:
    container = container_in("exited", code=1, Config={"Image": image})
    own = Image(id=container.image, repo_tags=[image], repo_digests=[f"{REPOSITORY}@sha256:aa"])
    tail = LogTail((line,))
    calls = calls_of(container, of(container), tail, None)
    found = image_steps(container, tail, Images((own,), {}), None, calls)
    assert found.get("pulled") == pulled


FILES = "com.docker.compose.project.config_files"
SERVICE = "com.docker.compose.service"


@pytest.mark.parametrize(
    ("service", "files", "of_image", "offered"),
    [
        ("web", "/srv/shop/compose.yaml", "web", True),
        ("web", "/srv/shop/compose.yaml", "", False),
        ("web", "/srv/shop/compose.yaml", "api", False),
        ("web", "/srv/shop/a.yaml,/srv/shop/b.yaml", "web", False),
        ("", "/srv/shop/compose.yaml", "", False),
    ],
    ids=["built", "pulled", "built for another service", "several files", "not of compose"],
)
def test_compose_builds_again_what_it_has_built(
    service: str, files: str, of_image: str, offered: bool
):
    """The commonest reason of a module that is missing: `up` without `--build`."""
    labels = {SERVICE: service, FILES: files}
    container = container_in("exited", code=1, Config={"Image": "shop-web", "Labels": labels})
    image = Image(id=container.image, repo_tags=["shop-web:latest"], labels={SERVICE: of_image})
    tail = LogTail((LACKS,))
    found = image_steps(
        container, tail, Images((image,), {}), None, calls_of(container, of(container), tail, None)
    )
    file = {"build_file": files, "build_service": service}
    assert {name: found[name] for name in file if name in found} == (file if offered else {})


@pytest.mark.parametrize(
    ("given", "own", "expected"),
    [
        (["envsubst"], ["nginx", "-g", "daemon off;"], "nginx -g 'daemon off;'"),
        (["start"], ["nginx"], ""),
        (["envsubst"], None, ""),
    ],
)
def test_the_command_that_the_image_has(given: list[str], own: list[str] | None, expected: str):
    assert steps(LACKS, cmd=own, Config={"Cmd": given}).get("own_command", "") == expected


@pytest.mark.parametrize(
    ("line", "mounts", "expected"),
    [
        ("python: can't open file '/app/src/main.py': [Errno 2]", [], "web:/app/src"),
        ("python: can't open file '/app/src/main.py': [Errno 2]", [MOUNT], ""),
        ("touch: cannot touch '/opt/tool/x': Permission denied", [], "web:/opt/tool"),
        ("open /etc/app.yml: no such file or directory", [], "web:/etc/app.yml"),
        ("Error: getaddrinfo ENOTFOUND redis", [], ""),
    ],
)
def test_the_place_inside_the_container(line: str, mounts: list[dict[str, Any]], expected: str):
    assert steps(line, Mounts=mounts).get("inside", "") == expected


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        ('Get "https://sso.example.com/x": x509: certificate signed by unknown authority',
         "tls_server", "sso.example.com:443"),
        ("HTTPSConnectionPool(host='api.example.com', port=8443): certificate verify failed",
         "tls_server", "api.example.com:8443"),
        ("Error: self-signed certificate in certificate chain", "tls_server", ""),
        ("Unable to access interface: Protocol not supported", "module", "wireguard"),
        ("can't initialize iptables table `nat': Table does not exist (do you need to insmod?)",
         "module", "iptable_nat"),
        ("listening on 0.0.0.0:8080", "module", ""),
    ],
)  # fmt: skip
def test_the_certificate_and_the_kernel_module(line: str, name: str, expected: str):
    assert steps(line).get(name, "") == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("app", "docker.io/library/app"),
        ("app:2", "docker.io/library/app"),
        ("host:5000/team/app:2", "host:5000/team/app"),
        ("host:5000/team/app@sha256:ab", "host:5000/team/app"),
    ],
)
def test_the_repository_of_a_reference(reference: str, expected: str):
    assert repository_of(reference) == expected


def test_an_image_that_is_named_by_its_id_has_no_other_build():
    container = container_in("exited", code=1, Config={"Image": "sha256:ab"})
    own = Image(id=container.image, created=200)
    assert other_build(container, Images((own,), {}), is_newer=False) == ""


@pytest.mark.parametrize(
    ("line", "user", "expected"),
    [
        ("Missing privilege separation directory: /run/sshd", "", "/run/sshd:mode=755"),
        (
            "ERROR: unable to bind listening socket for address '/run/php/php-fpm.sock': No such file or directory",
            "",
            "/run/php:mode=755",
        ),
        ("cannot create /var/run/app/app.pid: No such file or directory", "1000", "/var/run/app"),
        ("cannot create /run/../etc/app/app.pid: No such file or directory", "", ""),
        ("cannot create /run/app.pid: No such file or directory", "", ""),
        ("cat: can't open '/run/secrets/password': No such file or directory", "", ""),
        ("connect to /run/php/php-fpm.sock failed: No such file or directory", "", ""),
        ("cannot create /srv/app/app.pid: No such file or directory", "", ""),
    ],
)
def test_the_folder_below_run_that_an_init_system_makes(line: str, user: str, expected: str):
    assert steps(line, Config={"User": user}).get("run_folder", "") == expected


GLIBC = "{}: version `GLIBC_2.38' not found (required by /app/server)"


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("/lib/x86_64-linux-gnu/libc.so.6", "web:/lib/x86_64-linux-gnu/libc.so.6"),
        ("/usr/lib/x86_64-linux-gnu/libm.so.6", None),
    ],
)
def test_the_library_of_the_image_tells_its_version(library: str, expected: str | None):
    line = f"/app/server: {GLIBC.format(library)}"
    assert steps(line).get("libc") == expected


@pytest.mark.parametrize(
    ("destination", "expected"),
    [("/data", ""), ("/app", f"{REPOSITORY}:1"), ("/dat", f"{REPOSITORY}:1")],
)
def test_a_file_of_a_mount_is_in_no_build(destination: str, expected: str) -> None:
    line = "FATAL: cannot open file /data/2026_04/timestamps.bin: no such file or directory"
    found = steps(
        line,
        built("a", 100, f"{REPOSITORY}:1"),
        Config={"Image": f"{REPOSITORY}:2"},
        Mounts=[MOUNT | {"Destination": destination}],
    )
    assert found.get("other_build", "") == expected
