"""Files that lie in a mount and that the container does not see, or may not read."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command

UNSEEN, UNWRITABLE = "container.mounted-data-unseen", "container.mount-unwritable"


def _run(box: Box, name: str, *options: str, script: str = "exec sleep 1000") -> None:
    """A container with this script as its first process."""
    box.docker(
        "run", "-d", f"--name={name}", "--memory=64m", "--pids-limit=64", "--cap-drop=ALL",
        "--security-opt=no-new-privileges", *options, "bb:1.36", "sh", "-c", script,
    )  # fmt: skip
    box.wait_state(name, "running")


_LIBRARY = """
while :; do
    for library in films series; do
        ls /media/$library/ >/dev/null 2>&1 || echo "ERR Could not find file '/media/$library'."
    done
    sleep 1
done
"""


@fault(UNSEEN, subject="container:films82")
def links_that_the_program_complains_about(box: Box) -> None:
    """Two links lead to two disks, and the log has an error of both; the first command heals it."""
    box.sh("mkdir -p /mnt/nas82/a/films /mnt/nas82/b/series /srv/media82")
    box.sh("ln -s /mnt/nas82/a/films /mnt/nas82/b/series /srv/media82/")
    _run(box, "films82", "-v", "/srv/media82:/media:ro", script=_LIBRARY)
    box.wait_for(
        lambda: str(box.docker("logs", "films82").stdout).count("films") > 5, what="the errors"
    )
    command = first_command(box, UNSEEN, "films82")
    assert command.endswith("--volume=/mnt/nas82:/mnt/nas82:ro | sh"), command


@fault(UNSEEN, subject="container:films81", expect=[(UNSEEN, "container:cloud81")], shareable=True)
def links_and_mounts_that_hide_files(box: Box) -> None:
    """A link to another disk, and an empty folder over the one with the files of all users."""
    box.sh("mkdir -p /mnt/disk81/films /srv/media81 && touch /mnt/disk81/films/a.mkv")
    box.sh("ln -s /mnt/disk81/films /srv/media81/films")
    _run(box, "films81", "-v", "/srv/media81:/media:ro")
    box.sh("mkdir -p /srv/html81/data/alice /srv/data81")
    _run(box, "cloud81", "-v", "/srv/html81:/html", "-v", "/srv/data81:/html/data")
    assert box.docker("exec", "films81", "ls", "/media/films", check=False).returncode
    command = first_command(box, UNSEEN, "films81")
    assert command.endswith("--volume=/mnt/disk81/films:/mnt/disk81/films:ro | sh"), command
    command = first_command(box, UNSEEN, "cloud81")
    assert command == "diagnose recreate cloud81 --unmount /html/data | sh", command


@fault(
    UNWRITABLE,
    subject="container:import81",
    expect=[(UNWRITABLE, "container:app81")],
    also=["security.*"],
    shareable=True,
)
def files_that_another_container_has_closed(box: Box) -> None:
    """A strict umask in a shared folder, and a panel that takes a whole folder for itself; the
    first command of the report opens what was closed."""
    box.sh("mkdir -p /srv/loads81 && chmod 777 /srv/loads81")
    shared = ("-v", "/srv/loads81:/loads")
    _run(box, "import81", "--user=1002:1002", *shared)
    closes = "umask 077; mkdir -p /loads/film; exec sleep 1000"
    _run(box, "loader81", "--user=1001:1001", *shared, script=closes)
    box.wait_for(lambda: "film" in box.sh("ls /srv/loads81"), what="the folder to be made")
    box.sh(first_command(box, UNWRITABLE, "import81"))
    assert not box.docker("exec", "import81", "ls", "/loads/film", check=False).returncode
    box.sh("chmod 700 /srv/loads81/film")
    box.sh("mkdir -p -m 700 /srv/stack81/app && chown 911:911 /srv/stack81/app")
    _run(box, "app81", "--user=1000:1000", "-v", "/srv/stack81/app:/config")
    _run(box, "panel81", "--user=911:911", "-v", "/srv/stack81:/stacks")
    findings = box.diagnose("check", UNWRITABLE, "--format", "json").findings
    (found,) = [finding for finding in findings if finding["subject"]["name"] == "app81"]
    assert 'container "panel81"' in str(found["evidence"]), found


@healthy(shareable=True)
def files_that_all_see(box: Box) -> None:
    """A link inside of a mount, one to what the image has, an inner mount over an empty folder, a
    shared folder that its group may read."""
    box.sh("mkdir -p /srv/media91/2026 /srv/html91/data /srv/data91/alice")
    box.sh("ln -s 2026 /srv/media91/now && ln -s /usr/share/zoneinfo /srv/media91/zones")
    box.sh("ln -s /media/2026 /srv/media91/same")
    _run(box, "films91", "-v", "/srv/media91:/media:ro")
    _run(box, "cloud91", "-v", "/srv/html91:/html", "-v", "/srv/data91:/html/data")
    box.sh("mkdir -p /srv/loads91/film && chown -R 1001:1000 /srv/loads91")
    box.sh("chmod -R 775 /srv/loads91")
    _run(box, "import91", "--user=1002:1000", "-v", "/srv/loads91:/loads")
    _run(box, "loader91", "--user=1001:1000", "-v", "/srv/loads91:/loads")
