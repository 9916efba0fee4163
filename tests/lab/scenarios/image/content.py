"""Images that do not fit the host, and layers that are gone or unreadable."""

from __future__ import annotations

import json

from tests.lab import Box, Engines, fault, healthy, images, registry
from tests.lab.images import Recipe
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.image.helpers import QUIET, STORE, TIDY, load, refuse


@fault(
    "image.platform-mismatch",
    subject="container:mainframe",
    also=["container.*"],
    shareable=True,
    first_command=("decides", "a pull shows whether there is an image for this machine"),
)
def built_for_another_processor(box: Box) -> None:
    """A container of an image for s390x."""
    recipe = images.RECIPES["foreign:1"]
    load(box, "mainframe:1", recipe, architecture="s390x", config={"Entrypoint": ["/app"]})
    box.docker(
        "run", "-d", "--name=mainframe", "--memory=16m", "--pids-limit=16", "mainframe:1",
        check=False,
    )  # fmt: skip
    assert box.api("/images/mainframe:1/json")["Architecture"] == "s390x"
    assert box.wait_state("mainframe", "exited")["State"]["ExitCode"] != 0


@fault("image.platform-mismatch", subject="container:relay", also=["container.*"])
def emulated_until_the_reboot(box: Box) -> None:
    """The same where the container is older than the boot: its emulator was registered before."""
    recipe = images.RECIPES["foreign:1"]
    load(box, "relay:1", recipe, architecture="s390x", config={"Entrypoint": ["/app"]})
    box.docker(
        "run", "-d", "--name=relay", "--restart=always", "--memory=16m", "--pids-limit=16", "relay:1",
        check=False,
    )  # fmt: skip
    box.wait_for(lambda: box.inspect("relay")["RestartCount"] > 1, what="relay to fail again")
    file = f"/var/lib/docker/containers/{box.inspect('relay')['Id']}/config.v2.json"
    box.stop_engine()
    box.write(file, {**json.loads(box.read(file)), "Created": "2020-01-02T03:04:05Z"}, 0o600)
    box.start_engine()
    box.wait_for(lambda: box.inspect("relay")["RestartCount"] > 1, what="relay to fail again")
    command = first_command(box, "image.platform-mismatch", "relay")
    wanted = "docker run --privileged --rm tonistiigi/binfmt --install s390x\ndocker restart relay"
    assert command == wanted, command


@healthy()
def built_for_a_lesser_processor(box: Box) -> None:
    """An image for 386 on a machine that runs it, and one without an architecture."""
    load(box, "small:1", Recipe(), architecture="386", config={"Env": ["PATH=/bin"]})
    box.docker("run", "-d", "--name=small", *TIDY, "small:1", "sleep", "1000")


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
    """Someone tidied up under the data root: a stopped container lost its writable layer, and
    inspect fails."""
    box.docker("run", "-d", "--name=hollow", *TIDY, "--restart=no", "bb:1.36", "sleep", "1000")
    upper = box.inspect("hollow")["GraphDriver"]["Data"]["UpperDir"]
    box.docker("kill", "hollow")
    box.sh(f"rm -r $(dirname {upper})")
    assert "no such file" in box.docker("inspect", "hollow", check=False).stderr


@fault("image.corrupt", subject="daemon:docker", also=[("*", "*")])
def links_of_layers_that_are_gone(box: Box) -> None:
    """Someone tidied up the folder of links below overlay2: no container can be inspected after the
    engine's next start."""
    box.docker("run", "-d", "--name=bound", *TIDY, "--restart=no", "bb:1.36", "sleep", "1000")
    box.sh("rm -r /var/lib/docker/overlay2/l")
    box.stop_engine()
    box.start_engine()
    assert "overlay2/l" in box.docker("inspect", "bound", check=False).stderr


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
        box.wait_for(
            lambda: "denied" in box.docker("logs", "moved").stderr, what="it to be refused"
        )


@fault(
    "image.unpack-failed", subject="daemon:docker", engine_started=False, engines=Engines(until=22)
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


@fault("image.unpack-failed", subject="daemon:docker", engine_started=False, exit_code=1)
def empty_record_of_a_layer(box: Box) -> None:
    """A power cut left an empty folder in the place of a layer's record: the image cannot be loaded
    from its file, and the engine logs nothing of that."""
    box.start_engine(config=QUIET)
    box.image("bb:1.36")
    layer = box.docker("inspect", "--format", "{{index .RootFS.Layers 0}}", "bb:1.36").stdout
    box.sh("docker save --output /root/bb.tar bb:1.36; docker rmi bb:1.36")
    box.stop_engine()
    layers = "/var/lib/docker/image/overlay2/layerdb/sha256"
    box.sh(f"mkdir {layers}/{layer.strip().removeprefix('sha256:')}")
    box.start_engine()
    loaded = box.docker("load", "--input", "/root/bb.tar", check=False)
    assert "file exists" in loaded.stderr, loaded
    (finding,) = box.diagnose("check", "image.unpack-failed", "--format", "json").findings
    box.sh(finding["fix"][0]["command"])
    box.docker("load", "--input", "/root/bb.tar")
    box.docker("rmi", "bb:1.36")
    box.stop_engine()
    box.sh(f"mkdir {layers}/{layer.strip().removeprefix('sha256:')}")
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


@fault("container.exec-format", subject="container:hollow4", also=["container.*", "image.*"])
def program_of_a_damaged_layer(box: Box) -> None:
    """A power cut has left a layer of an image with an empty file: the program is a link to it."""
    program = Recipe(
        {"opt/app/run": (b"#!/bin/sh\nsleep 1000\n", 0o755)}, ('CMD ["/opt/app/run"]',)
    )
    images.load(box, "hollow:4", program)
    layer = box.api("/images/hollow:4/json")["GraphDriver"]["Data"]["UpperDir"]
    box.sh(f": >{layer}/opt/app/run")
    box.docker("run", "-d", "--name=hollow4", *TIDY, "hollow:4", check=False)
    box.wait_for(lambda: box.inspect("hollow4")["RestartCount"] >= 3, what="three restarts")
    assert "exec format error" in box.docker("logs", "hollow4").stderr
    findings = box.diagnose("all", "--format", "json").findings
    (first,) = (finding for finding in findings if finding["id"] == "container.exec-format")
    assert 'is an empty file of image "hollow:4": its layer is damaged' in first["summary"], first
