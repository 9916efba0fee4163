"""The docker command of the user: where it goes, its plugins, its logins."""

from __future__ import annotations

import json

from tests.lab import Box, fault, healthy, registry
from tests.lab.runner import BASE_CONFIG

HOST = "host:host"
DAEMON = "daemon:docker"
DESKTOP = "/root/.docker-of-desktop"
PLUGINS = "/usr/local/lib/docker/cli-plugins"


@fault("daemon.client-context-dead", subject=DAEMON, env={"DOCKER_CONFIG": DESKTOP}, exit_code=1)
def context_of_a_removed_desktop(box: Box) -> None:
    """Docker Desktop was removed, and the docker command still goes to its socket."""
    desktop = {"DOCKER_CONFIG": DESKTOP}
    socket = "host=unix:///root/.docker/desktop/docker.sock"
    box.docker("context", "create", "desktop-linux", "--docker", socket, env=desktop)
    box.docker("context", "use", "desktop-linux", env=desktop)
    refused = box.docker("ps", check=False, env=desktop)
    assert "Cannot connect to the Docker daemon" in refused.stderr, refused
    assert box.ping()


FORMER = "/root/.docker-of-a-former-host"


@fault("daemon.client-context-dead", subject=DAEMON, env={"DOCKER_CONFIG": FORMER}, exit_code=1)
def context_that_was_removed(box: Box) -> None:
    """The configuration was copied from another host without the context that it names."""
    former = {"DOCKER_CONFIG": FORMER}
    box.write(f"{FORMER}/config.json", {"currentContext": "build"})
    refused = box.docker("ps", check=False, env=former)
    assert "not found" in refused.stderr, refused
    assert "could not be listed" not in box.diagnose("all").out
    assert box.ping()


ROOTLESS = "unix:///run/user/1351/docker.sock"


@fault("daemon.client-context-dead", subject=DAEMON, env={"DOCKER_HOST": ROOTLESS}, exit_code=1)
def variable_of_an_engine_that_does_not_run(box: Box) -> None:
    """A user's own engine is not running, and DOCKER_HOST leads there still."""
    refused = box.docker("ps", check=False, env={"DOCKER_HOST": ROOTLESS})
    assert "Cannot connect to the Docker daemon" in refused.stderr, refused
    assert box.ping()


@fault("daemon.client-plugin-broken", subject=HOST, shareable=True)
def plugin_whose_file_is_gone(box: Box) -> None:
    """The plugins of the docker command were links into a folder that was removed."""
    box.sh(f"mkdir -p {PLUGINS}; ln -s /opt/desktop/bin/docker-shipit {PLUGINS}/docker-shipit")
    refused = box.docker("shipit", "now", check=False)
    assert refused.returncode != 0
    assert "shipit" in refused.stderr, refused


@fault("image.credential-helper-missing", subject=HOST, shareable=True)
def logins_kept_by_a_program_that_is_not_there(box: Box) -> None:
    """A configuration from a desktop names the program that kept the logins there."""
    helpers = {"desk.example.org": "deskkeeper"}
    box.write("/root/.docker/config.json", json.dumps({"credHelpers": helpers}))
    box.sh("! command -v docker-credential-deskkeeper")


WINDOWS = "/usr/local/bin/docker-credential-desk.exe"


@fault(
    "image.credential-helper-missing",
    subject=HOST,
    env={"DOCKER_CONFIG": "/root/.docker-of-a-desktop"},
    engine_started=False,
)
def logins_kept_by_a_program_of_windows(box: Box) -> None:
    """WSL's way to run programs of Windows is off, and the logins are kept by one of these."""
    place = {"DOCKER_CONFIG": "/root/.docker-of-a-desktop"}
    box.write(WINDOWS, "MZ made up", 0o755)
    box.write(f"{place['DOCKER_CONFIG']}/config.json", json.dumps({"credsStore": "desk.exe"}))
    registry.start_hub(box)
    box.start_engine(config=BASE_CONFIG)
    login = ("login", "-u", "ann", "-p", "made-up", registry.HUB[0])
    refused = box.docker(*login, check=False, env=place).stderr
    assert "exec format error" in refused, refused


@healthy(env={"DOCKER_CONFIG": "/root/.docker-of-a-script"})
def logins_kept_by_a_script(box: Box) -> None:
    """The program that keeps the logins is a script, and does so."""
    place = {"DOCKER_CONFIG": "/root/.docker-of-a-script"}
    box.write(WINDOWS, "#!/bin/sh\necho '{}'\n", 0o755)
    box.write(f"{place['DOCKER_CONFIG']}/config.json", json.dumps({"credsStore": "desk.exe"}))
    box.docker("logout", "r.lab.test", env=place)


KEYRING = "/usr/local/bin/docker-credential-secretservice"
_KEYRING = """#!/bin/sh
# what the real program says without a session bus, as version 0.6.4 did
[ -n "$DBUS_SESSION_BUS_ADDRESS" ] || { echo 'Cannot autolaunch D-Bus without X11 $DISPLAY'; exit 1; }
echo '{}'
"""


@fault(
    "image.credential-helper-missing",
    subject=HOST,
    env={"DOCKER_CONFIG": "/root/.docker-of-nobody"},
    engine_started=False,
)
def keyring_of_a_desktop_that_is_not_there(box: Box) -> None:
    """A package has brought the helper for a desktop's keyring, and nobody has configured one."""
    box.write(KEYRING, _KEYRING, 0o755)
    registry.start_hub(box)
    box.start_engine(config=BASE_CONFIG)
    place = {"DOCKER_CONFIG": "/root/.docker-of-nobody"}
    login = ("login", "-u", "ann", "-p", "made-up", registry.HUB[0])
    assert "Cannot autolaunch D-Bus" in box.docker(*login, check=False, env=place).stderr
    if box.engine.major >= 28:
        refused = box.docker("run", "--rm", "old/app:1", check=False, env=place).stderr
        assert "error getting credentials" in refused, refused


@healthy(env={"DOCKER_CONFIG": "/root/.docker-with-logins"})
def keyring_that_is_not_asked(box: Box) -> None:
    """The same program is installed, and the logins are in the file."""
    box.write(KEYRING, _KEYRING, 0o755)
    box.write("/root/.docker-with-logins/config.json", json.dumps({"auths": {"r.example": {}}}))


OF_ROOT = "/srv/settings-of-root"
SHARED = "/srv/settings-of-the-group"


@fault(
    "image.client-config-unreadable",
    subject=HOST,
    user="nobody",
    groups=("docker",),
    env={"DOCKER_CONFIG": OF_ROOT},
)
def settings_that_a_login_with_sudo_left_to_root(box: Box) -> None:
    """Somebody logged in with sudo, and the file with the logins belongs to root since."""
    box.write(f"{OF_ROOT}/config.json", json.dumps({"auths": {}}), 0o600)
    said = box.docker(
        "ps", user="nobody", groups=("docker",), env={"DOCKER_CONFIG": OF_ROOT}
    ).stderr
    assert "Error loading config file" in said, said
    assert "permission denied" in said, said


@healthy(user="nobody", groups=("docker",), env={"DOCKER_CONFIG": SHARED}, exit_code=3)
def settings_of_root_that_the_group_may_read(box: Box) -> None:
    """The file belongs to root as well, and the group of the engine's users may read it."""
    box.write(f"{SHARED}/config.json", json.dumps({"auths": {}}), 0o640)
    box.sh(f"chgrp docker {SHARED}/config.json")
    said = box.docker("ps", user="nobody", groups=("docker",), env={"DOCKER_CONFIG": SHARED}).stderr
    assert not said, said


@healthy(env={"DOCKER_CONFIG": "/root/.docker-in-order"})
def client_that_is_in_order(box: Box) -> None:
    """A plugin that a later folder has as well, one that works, a helper that is installed."""
    box.sh(
        f"mkdir -p {PLUGINS} /usr/local/bin /root/.docker-in-order/cli-plugins;"
        " cp /bin/true /usr/local/bin/docker-credential-keeper;"
        f" cp /bin/true {PLUGINS}/docker-pack;"
        " ln -s /opt/desktop/bin/docker-pack /root/.docker-in-order/cli-plugins/docker-pack"
    )
    box.write("/root/.docker-in-order/config.json", json.dumps({"credsStore": "keeper"}))
