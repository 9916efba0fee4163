"""Images that pile up, that nobody can name, that do not fit, and that cannot be pulled."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile

from tests.lab import Box, Engines, fault, healthy, images, registry
from tests.lab.box import LOG
from tests.lab.images import Recipe
from tests.lab.provider import BOX_ADDRESS, WEB
from tests.lab.runner import BASE_CONFIG

TIDY = (
    "--user=1000:1000", "--memory=16m", "--cpus=0.2", "--pids-limit=16", "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges", "--restart=unless-stopped", "--health-cmd=true",
)  # fmt: skip
STORE = {"features": {"containerd-snapshotter": True}}
"""Images lie in containerd's store, as in fresh installs from engine 29."""
KEEPS = {"live-restore": True}
QUIET = {**KEEPS, "log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}


def load(box: Box, name: str, recipe: Recipe, **about: object) -> None:
    """Load an image as a build elsewhere made it: with its own date, architecture and labels."""
    layer = images.archive(recipe)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-01-01T00:00:00Z",
        "config": {},
        **about,
    }
    config["rootfs"] = {
        "type": "layers",
        "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"],
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        parts = {
            "config.json": json.dumps(config).encode(),
            "layer.tar": layer,
            "manifest.json": json.dumps(manifest).encode(),
        }
        for file, content in parts.items():
            info = tarfile.TarInfo(file)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    box.api("/images/load?quiet=1", method="POST", body=whole.getvalue())


def load_old(box: Box, name: str, count: int) -> None:
    """Load images that were built on the first day of 2024, each another one."""
    for number in range(count):
        load(
            box,
            f"{name}:{number}",
            Recipe(busybox=False),
            config={"Labels": {"number": str(number)}},
        )


def rebuild(box: Box, tag: str, times: int) -> None:
    """Build an image anew under the same tag, each time with another content."""
    box.image("bb:1.36")
    for number in range(times):
        box.docker(
            "build", "-q", "-t", tag, "-", stdin=f"FROM bb:1.36\nRUN echo {number} >/version\n",
            env={"DOCKER_BUILDKIT": "0"}, timeout=60,
        )  # fmt: skip


@fault("image.dangling", subject="host:host", shareable=True)
def builds_that_lost_their_tag(box: Box) -> None:
    """Three builds of one tag leave two images that nobody can name."""
    rebuild(box, "shopdev:1", 3)
    assert len(box.docker("image", "ls", "-q", "-f", "dangling=true").stdout.split()) >= 2


@healthy()
def untagged_but_used(box: Box) -> None:
    """Images without a tag that running containers stand on, and one that an update left."""
    for number in range(3):
        rebuild(box, "shopdev:1", 1)
        name = f"dev{number}"
        box.docker(
            "run", "-d", *TIDY, f"--name={name}", "shopdev:1", "sleep", "1000",
        )  # fmt: skip
        box.docker("build", "-q", "-t", "shopdev:1", "-", stdin=f"FROM bb:1.36\nRUN echo x{number} >/version\n",
                   env={"DOCKER_BUILDKIT": "0"}, timeout=60)  # fmt: skip
        box.docker("image", "rm", "shopdev:1")
    assert len(box.api("/containers/json")) == 4


@fault("image.latest-tag", subject="image:bb", shareable=True)
def image_without_a_version(box: Box) -> None:
    """A container runs an image that was named without a tag."""
    box.docker(
        "run", "-d", "--name=tagless", "--memory=16m", "--pids-limit=16", "bb", "sleep", "1000"
    )
    assert box.docker("ps", "--filter=name=tagless", "--format={{.Image}}").stdout.strip() == "bb"


@healthy(advice=["daemon.live-restore-off", "image.labels-missing"])
def names_that_only_look_like_latest(box: Box) -> None:
    """An image run by its id, and a finished job of an image without a tag."""
    box.image("bb")
    found = box.api("/images/bb/json")["Id"]
    box.docker("run", "-d", "--name=by-id", *TIDY, found, "sleep", "1000")
    box.docker("run", "--name=job", *TIDY, "--restart=no", "bb", "true")


def refuse(box: Box, reference: str, *words: str, times: int = 1) -> None:
    """Pull in vain, and see that the engine says why."""
    for _ in range(times):
        said = registry.pull(box, reference)
        assert any(word in said for word in words), said


@fault(
    "image.pull-rate-limited",
    subject="daemon:docker",
    expect=[("image.registry-unreachable", "daemon:docker")],
    engine_started=False,
)
def hub_counts_pulls(box: Box) -> None:
    """Docker Hub answers 429: its limit for pulls is reached, since the mirror that would spare it
    does not run."""
    registry.start_hub(box)
    mirror = f"http://{WEB}:5999"
    box.start_engine(config={**QUIET, "registry-mirrors": [mirror]})
    refuse(box, "limited/app", "toomanyrequests")
    findings = box.diagnose("check", "image.*", "--format", "json").findings
    said = {finding["id"]: finding["summary"] for finding in findings}
    assert f"mirror {WEB}:5999" in said["image.pull-rate-limited"], said
    assert "it is a mirror of registry-mirrors" in said["image.registry-unreachable"], said


@fault("image.registry-certs-misnamed", subject="daemon:docker", shareable=True)
def authority_with_the_ending_of_a_client(box: Box) -> None:
    """An authority's certificate for a registry is called ca.cert."""
    host = "registry.misnamed.test:5443"
    box.write(f"/etc/docker/certs.d/{host}/ca.cert", "made up\n")
    refuse(box, f"{host}/shop:1", "missing key ca.key")


@fault("image.pull-denied", subject="daemon:docker", engine_started=False)
def no_such_tag(box: Box) -> None:
    """Something pulls a tag that does not exist again and again; the daemon's log leaves its name
    out."""
    registry.start_hub(box)
    box.start_engine(config=QUIET)
    refuse(box, "nope/app:2", "manifest unknown", times=3)


@fault(
    "image.pull-denied",
    subject="daemon:docker",
    expect=[
        ("image.client-config-unreadable", "host:host"),
        ("image.registry-tls", "daemon:docker"),
    ],
    engine_started=False,
)
def no_right_to_an_image(box: Box) -> None:
    """A registry wants a login; the daemon's log does not say for which image. The docker command
    has lost its logins on a full disk. Another registry was named as insecure since the start."""
    host = registry.start(box)
    other = registry.start(box, 5001)
    box.write("/root/.docker/config.json", "")
    config = {**QUIET, "insecure-registries": [host]}
    box.start_engine(config=config)
    refuse(box, f"{host}/private/app", "unauthorized", "denied", times=3)
    box.write("/etc/docker/daemon.json", {**config, "insecure-registries": [host, other]})
    refuse(box, f"{other}/old/app:1", "server gave HTTP response to HTTPS client")
    findings = box.diagnose("check", "image.*", "--format", "json").findings
    fixes = {finding["id"]: finding["fix"] for finding in findings}
    assert fixes["image.registry-tls"][0]["command"] == f"kill -HUP {box.engine_pid}", fixes
    assert fixes["image.pull-denied"][0]["command"] == f"docker login {host}", fixes


def _log_in_wrongly(box: Box) -> None:
    """Store a mail address where Docker Hub wants the Docker ID, and see a public image refused."""
    registry.start_hub(box, strict=True)
    box.start_engine(config=QUIET)
    login = base64.b64encode(b"ann@example.com:made-up").decode()
    auths = {"https://index.docker.io/v1/": {"auth": login}}
    box.write("/root/.docker/config.json", {"auths": auths})
    refuse(box, "old/app:1", "incorrect username or password")


@fault("image.pull-denied", subject="image:old/app:1", engine_started=False)
def public_image_with_a_wrong_login(box: Box) -> None:
    """Docker Hub refuses a public image, since a wrong login is stored."""
    _log_in_wrongly(box)


@healthy(engine_started=False)
def public_image_after_the_logout(box: Box) -> None:
    """The command of the finding has pulled the image without the login, and removed that."""
    _log_in_wrongly(box)
    (finding,) = box.diagnose("check", "image.pull-denied", "--format", "json").findings
    box.sh(finding["fix"][0]["command"])
    assert "index.docker.io" not in box.sh("cat /root/.docker/config.json")


@fault("image.registry-unreachable", subject="daemon:docker", shareable=True)
def registry_is_down(box: Box) -> None:
    """Nobody listens where the registry should be."""
    refuse(box, f"{WEB}:5999/shop:1", "connection refused")


@fault("image.registry-unreachable", subject="daemon:docker")
def registry_has_no_address(box: Box) -> None:
    """The registry's name has no address."""
    refuse(box, "registry.nowhere.example/shop:1", "lookup registry.nowhere.example")


@fault("image.registry-tls", subject="daemon:docker", shareable=True)
def registry_signed_by_itself(box: Box) -> None:
    """The registry's certificate is signed by nobody that the host knows."""
    host = registry.start(box, 5443, tls=True)
    refuse(box, f"{host}/old/app:1", "x509: certificate signed by unknown authority")


@fault("image.registry-tls", subject="daemon:docker", shareable=True)
def registry_without_tls(box: Box) -> None:
    """The registry speaks plain HTTP and is not named as insecure."""
    refuse(box, f"{WEB}:80/shop:1", "server gave HTTP response to HTTPS client")


@fault(
    "image.registry-proxy",
    subject="daemon:docker",
    engine_env={"HTTPS_PROXY": f"http://{WEB}:3128"},
)
def proxy_is_down(box: Box) -> None:
    """The daemon was told to use a proxy that does not run."""
    refuse(box, "registry.lab.test/shop:1", "proxyconnect")
    (finding,) = box.diagnose("check", "image.registry-proxy", "--format", "json").findings
    assert f"the engine cannot reach its proxy http://{WEB}:3128" in finding["summary"], finding


@healthy(engine_started=False, advice=["security.insecure-registry"], baseline=False)
def pulls_that_were_made_good(box: Box) -> None:
    """Pulls that failed and worked later, an insecure registry whose first answer is no TLS, one
    slip of the pen."""
    host = f"{WEB}:5000"
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/old/app:1", "connection refused")
    assert registry.start(box) == host
    refuse(box, f"{host}/limited/app:1", "toomanyrequests")
    box.docker("pull", "-q", f"{host}/old/app:1")
    refuse(box, f"{host}/nope/app:7", "manifest unknown")
    box.docker("pull", "-q", f"{host}/old/app:1")


def _swarm_of_local_images(box: Box) -> None:
    """Services of images that were built here: at each start of a task swarm tries a pull, and the
    hub knows neither."""
    registry.start_hub(box)
    box.start_engine(config=BASE_CONFIG)
    box.image("shop:1.4")
    box.docker("tag", "shop:1.4", "private/app:1.4")
    box.docker(
        "swarm", "init", "--advertise-addr", BOX_ADDRESS, "--default-addr-pool", "10.200.0.0/16"
    )


def _serve(box: Box, name: str, image: str) -> None:
    limits = ("--detach", "--no-resolve-image", "--limit-memory=64m", "--stop-grace-period=0s")
    box.docker("service", "create", *limits, f"--name={name}", image)


def _refused(box: Box) -> int:
    return box.read(LOG).count("pulling image failed")


@healthy(engine_started=False)
def swarm_of_local_images(box: Box) -> None:
    """Tasks of locally built images start three times; the pull that swarm tries each time is
    refused."""
    _swarm_of_local_images(box)
    for number in range(3):
        _serve(box, f"shop{number}", "shop:1.4")
        _serve(box, f"app{number}", "private/app:1.4")
        box.wait_for(lambda: _refused(box) == 2 * number + 2, 20, "both pulls")  # noqa: B023 - called at once
    box.wait_for(lambda: box.docker("service", "ls").stdout.count("1/1") == 6, 20, "all services")


@fault(
    "image.pull-denied",
    subject="image:private/app:1.5",
    engine_started=False,
    also=["container.*", "swarm.*"],
)
def swarm_without_the_image(box: Box) -> None:
    """A service wants a tag that is neither here nor to be had; others run locally built images."""
    _swarm_of_local_images(box)
    _serve(box, "shop", "shop:1.4")
    _serve(box, "app", "private/app:1.5")
    box.wait_for(
        lambda: box.read(LOG).count("No such image: private/app:1.5") >= 3, 60, "three vain starts"
    )


@fault(
    "image.platform-mismatch", subject="container:mainframe", also=["container.*"], shareable=True
)
def built_for_another_processor(box: Box) -> None:
    """A container of an image for s390x."""
    recipe = images.RECIPES["foreign:1"]
    load(box, "mainframe:1", recipe, architecture="s390x", config={"Entrypoint": ["/app"]})
    box.docker(
        "run",
        "-d",
        "--name=mainframe",
        "--memory=16m",
        "--pids-limit=16",
        "mainframe:1",
        check=False,
    )
    assert box.api("/images/mainframe:1/json")["Architecture"] == "s390x"
    assert box.wait_state("mainframe", "exited")["State"]["ExitCode"] != 0


@healthy()
def built_for_a_lesser_processor(box: Box) -> None:
    """An image for 386 on a machine that runs it, and one without an architecture."""
    load(box, "small:1", Recipe(), architecture="386", config={"Env": ["PATH=/bin"]})
    box.docker("run", "-d", "--name=small", *TIDY, "small:1", "sleep", "1000")


@fault("image.unused", subject="host:host", shareable=True)
def images_that_nobody_uses(box: Box) -> None:
    """Twelve images of 2024 without a container."""
    load_old(box, "release", 12)
    assert len(box.docker("image", "ls", "-q", "release").stdout.split()) >= 1


@healthy(shareable=True)
def images_kept_for_a_way_back(box: Box) -> None:
    """Three old images that nobody uses."""
    load_old(box, "kept", 3)


@fault("image.labels-missing", subject="image:plain:3", shareable=True)
def image_without_labels(box: Box) -> None:
    """A container's image has no labels."""
    images.load(box, "plain:3", Recipe())
    box.docker("run", "-d", "--name=plain", *TIDY, "plain:3", "sleep", "1000")
    assert box.api("/images/plain:3/json")["Config"].get("Labels") is None


@fault("image.corrupt", subject="image:torn:1")
def layer_that_lost_its_link(box: Box) -> None:
    """Someone tidied up under the data root: a layer lost a file, and no container can be made of
    it."""
    images.load(box, "torn:1", Recipe({"torn": (b"own", 0o644)}))
    upper = box.api("/images/torn:1/json")["GraphDriver"]["Data"]["UpperDir"]
    box.sh(f"rm {upper}/../link")
    said = box.docker("run", "torn:1", "true", check=False)
    assert "link: no such file or directory" in said.stderr


@fault("image.corrupt", subject="image:holed:1")
def layer_that_is_gone(box: Box) -> None:
    """The files of a running container's layer were removed: it still runs."""
    images.load(box, "holed:1", Recipe({"holed": (b"own", 0o644)}))
    box.docker("run", "-d", "--name=holed", *TIDY, "--restart=no", "holed:1", "sleep", "1000")
    upper = box.api("/images/holed:1/json")["GraphDriver"]["Data"]["UpperDir"]
    box.sh(f"mv {upper} /root/")
    assert box.inspect("holed")["State"]["Running"]
    assert box.docker("run", "holed:1", "true", check=False).returncode != 0


@fault("image.corrupt", subject="container:hollow")
def layer_of_a_container_that_is_gone(box: Box) -> None:
    """Someone tidied up under the data root: a stopped container lost its own layer, and inspect
    fails."""
    box.docker("run", "-d", "--name=hollow", *TIDY, "--restart=no", "bb:1.36", "sleep", "1000")
    upper = box.inspect("hollow")["GraphDriver"]["Data"]["UpperDir"]
    box.docker("kill", "hollow")
    box.sh(f"rm -r $(dirname {upper})")
    assert "no such file" in box.docker("inspect", "hollow", check=False).stderr


@fault("image.build-cache-large", subject="host:host", box={"disk": "600M"})
def builds_that_left_their_cache(box: Box) -> None:
    """BuildKit keeps 120 MB of a build on a disk of 600 MB that is filling."""
    big = bytes(range(250)) * 240_000
    body = images.archive(
        Recipe(
            {"Dockerfile": (b"FROM scratch\nCOPY big /big\n", 0o644), "big": (big, 0o644)},
            busybox=False,
        )
    )
    said = box.api("/build?version=2&t=cached:1&buildid=1", method="POST", body=body, timeout=60)
    assert "moby.image.id" in str(said)
    box.fill("/var/lib/docker/volumes/filler", 0.75)
    cache = box.api("/system/df")["BuildCache"]
    assert sum(entry["Size"] for entry in cache if not entry["InUse"]) > 100_000_000


@fault("image.dangling", subject="host:host", engines=Engines(since=28), config=STORE)
def builds_that_lost_their_tag_in_containerd(box: Box) -> None:
    """Three builds of one tag, with containerd's store."""
    assert box.api("/info")["Driver"] == "overlayfs"
    rebuild(box, "shopdev:1", 3)


@healthy(engines=Engines(since=28), config=STORE)
def moved_tag_in_containerd(box: Box) -> None:
    """With containerd's store an image that lost its tag to an update, and a container that still
    stands on it."""
    for number in range(2):
        images.load(box, "moved:1", Recipe({"version": (str(number).encode(), 0o644)}))
        box.docker("run", "-d", f"--name=on{number}", *TIDY, "moved:1", "sleep", "1000")
    assert [image["Containers"] for image in box.api("/images/json") if not image["RepoTags"]] == [
        1
    ]


@fault("image.corrupt", subject="daemon:docker", engines=Engines(since=28), config=STORE)
def snapshot_that_is_gone(box: Box) -> None:
    """A snapshot of containerd's store was removed by hand: nothing starts from its image."""
    images.load(box, "torn:1", Recipe({"torn": (b"own", 0o644)}))
    box.docker("run", "--rm", "torn:1", "true")
    folder = "/var/lib/docker/containerd/daemon/io.containerd.snapshotter.v1.overlayfs/snapshots"
    box.sh(f"for each in {folder}/*/fs; do [ ! -f $each/torn ] || rm -r $each; done")
    assert "no such file" in box.docker("run", "--rm", "torn:1", "true", check=False).stderr


@fault("image.pull-altered", subject="daemon:docker", engine_started=False)
def layer_that_arrives_altered(box: Box) -> None:
    """A layer does not have the digest that its manifest promises; nothing of it is kept."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/cut/app:1", "verification failed", "unexpected commit digest")


@fault("image.unpack-failed", subject="*", engine_started=False)
def image_in_the_old_format(box: Box) -> None:
    """The registry has the image as it was pushed ten years ago."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/ancient/app:1", "schema 1", "missing signature key", times=3)


@fault("image.platform-mismatch", subject="daemon:docker", engine_started=False)
def tag_without_a_build_for_this_host(box: Box) -> None:
    """The newest build of a tag exists for another kind of processor only, and is pulled in vain
    again and again."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/arm/app:1", "no matching manifest", times=3)


@fault("image.registry-unreachable", subject="daemon:docker", engine_started=False)
def web_page_in_place_of_a_registry(box: Box) -> None:
    """A portal that wants a login answers for the registry."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/portal/app:1", "invalid character '<'", "<html>")


@fault(
    "image.corrupt",
    subject="image:bb:1.36",
    also=["container.*"],
    engine_started=False,
    baseline=False,
)
def data_root_copied_without_modes(box: Box) -> None:
    """The data root was copied under a strict umask: only root may enter the folders of layers."""
    box.start_engine(config=QUIET)
    options = ("--user=1000:1000", "--memory=16m", "--pids-limit=16", "--restart=unless-stopped")
    work = ("sh", "-c", "ls /bin >/dev/null && exec sleep 1000")
    box.docker("run", "-d", "--name=moved", *options, "bb:1.36", *work)
    box.stop_engine()
    box.sh("find /var/lib/docker/overlay2/*/diff -type d -exec chmod 700 {} +")
    box.start_engine()
    refused = box.docker("start", "moved", check=False).stderr
    if "not found" not in refused:
        box.wait_for(lambda: "denied" in box.docker("logs", "moved").stderr, 20, "it to be refused")


@fault(
    "image.unpack-failed",
    subject="daemon:docker",
    engine_started=False,
    engines=Engines(until=22),
)
def layers_compressed_with_zstd(box: Box) -> None:
    """An image's layers are compressed with zstd, which engines before 23 do not read."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/zstd/app:1", "unexpected EOF", "invalid tar header")
    (finding,) = box.diagnose("check", "image.unpack-failed", "--format", "json").findings
    assert "zstd" in finding["summary"], finding


def _leave_record(box: Box, layer: str) -> None:
    """Leave the record of a layer as a power cut does: its files are there, and empty."""
    box.stop_engine()
    folder = f"/var/lib/docker/image/overlay2/layerdb/sha256/{layer}"
    box.sh(f"mkdir {folder}; for file in diff size cache-id; do : >{folder}/$file; done")
    box.start_engine()


@fault("image.unpack-failed", subject="*", engine_started=False)
def unreadable_record_of_a_layer(box: Box) -> None:
    """A power cut left the record of a layer empty, and no image with that layer can be pulled; the
    command moves the record away."""
    host = registry.start(box)
    name = f"{host}/old/app:1"
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    box.docker("pull", "-q", name)
    layer = box.docker("inspect", "--format", "{{index .RootFS.Layers 0}}", name).stdout.strip()
    box.docker("rmi", name)
    for turn in (1, 2):
        _leave_record(box, layer.removeprefix("sha256:"))
        refuse(box, name, "file exists", times=3)
        if turn == 1:
            (finding,) = box.diagnose("check", "image.*", "--format", "json").findings
            box.sh(finding["fix"][0]["command"])
            box.docker("pull", "-q", name)
            box.docker("rmi", name)


@fault("image.registry-unreachable", subject="daemon:docker", engine_started=False)
def server_of_the_layers_is_down(box: Box) -> None:
    """The registry answers, and sends the engine to another server for the layers."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/stored/app:1", "connection refused")
    (finding,) = box.diagnose("check", "image.registry-unreachable", "--format", "json").findings
    assert f"{WEB}:5998" in finding["summary"], finding
