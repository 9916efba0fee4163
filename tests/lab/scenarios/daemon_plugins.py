"""Legacy plugins of the engine: programs behind sockets of their own."""

from __future__ import annotations

import sys
import time

from tests.lab import Box, fault, healthy

DAEMON = "daemon:docker"

_PLUGIN = """
import http.server, json, os, socketserver, sys

ANSWERS = {
    "/Plugin.Activate": {"Implements": ["VolumeDriver"]},
    "/VolumeDriver.List": {"Volumes": []},
    "/VolumeDriver.Capabilities": {"Capabilities": {"Scope": "local"}},
}

class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "unix"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps(ANSWERS.get(self.path, {"Err": ""})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

os.makedirs("/run/docker/plugins", exist_ok=True)
socketserver.ThreadingUnixStreamServer(sys.argv[1], Handler).serve_forever()
"""
"""A volume plugin without volumes."""


def _start_plugin(box: Box, name: str) -> int:
    """Start a plugin, wait until it listens, and return its pid."""
    socket = f"/run/docker/plugins/{name}.sock"
    pid = box.spawn([sys.executable, "-Ic", _PLUGIN, socket])
    box.wait_for(
        lambda: socket in box.sh(f"ss -xlH | grep -F {socket} || :"), what=f"{name} to listen"
    )
    return pid


def _see_it_wait(box: Box, socket: str) -> None:
    """See the list of volumes not come within 5 s (it comes after 15), and the engine say why."""
    assert box.docker("volume", "ls", check=False, timeout=5).returncode != 0
    log = box.log_tail(20)
    assert "Unable to connect to plugin" in log
    assert f"dial unix {socket}: connect:" in log


@fault(
    "daemon.plugin-gone",
    subject=DAEMON,
    first_command=("heals", "it healed; the lab had typed an example of the page before it"),
)
def plugin_left_its_socket(box: Box) -> None:
    """A plugin for volumes was killed: its socket is still there, and the engine waits for it."""
    box.kill(_start_plugin(box, "vault"))
    _see_it_wait(box, "/run/docker/plugins/vault.sock")


@fault("daemon.plugin-gone", subject=DAEMON)
def spec_of_a_plugin_that_was_removed(box: Box) -> None:
    """A spec names the socket of a plugin that is no longer installed."""
    box.write("/etc/docker/plugins/cinder.spec", "unix:///run/cinder/cinder.sock\n")
    _see_it_wait(box, "/run/cinder/cinder.sock")


@healthy(shareable=True)
def plugin_that_answers(box: Box) -> None:
    """A legacy plugin runs: its volumes are listed at once."""
    _start_plugin(box, "attic")
    began = time.monotonic()
    box.docker("volume", "ls")
    assert time.monotonic() - began < 14
    assert "attic" in box.docker("info", "--format", "{{.Plugins.Volume}}").stdout


_FORGETFUL = """
import http.server, json, os, socketserver, sys

known = set(sys.argv[2:])

class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "unix"

    def answer(self, verb, name):
        place = f"/srv/of-the-plugin/{name}"
        if verb == "/Plugin.Activate":
            return {"Implements": ["VolumeDriver"]}
        if verb == "/VolumeDriver.Capabilities":
            return {"Capabilities": {"Scope": "local"}}
        if verb == "/VolumeDriver.List":
            return {"Volumes": [{"Name": each} for each in known]}
        if verb == "/VolumeDriver.Create":
            known.add(name)
        elif name not in known:
            return {"Err": f"volume {name} not found"}
        os.makedirs(place, exist_ok=True)
        return {"Err": "", "Mountpoint": place, "Volume": {"Name": name}}

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        body = json.dumps(self.answer(self.path, asked.get("Name"))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

os.makedirs("/run/docker/plugins", exist_ok=True)
if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
socketserver.ThreadingUnixStreamServer(sys.argv[1], Handler).serve_forever()
"""
"""A volume plugin that has its list in memory alone, as netshare has; words behind the socket are
the volumes that it knows from the beginning."""


def _start_forgetful(box: Box, *known: str) -> int:
    """Start it as plugin "nas", wait until it listens, and return its pid."""
    socket = "/run/docker/plugins/nas.sock"
    pid = box.spawn([sys.executable, "-Ic", _FORGETFUL, socket, *known])
    box.wait_for(lambda: socket in box.sh("ss -xlH"), what="plugin nas to listen")
    return pid


def _reboot_with_plugin(box: Box, *known: str) -> None:
    """Give a container a volume of the plugin; then the engine and the plugin start again."""
    plugin = _start_forgetful(box)
    box.docker("volume", "create", "--driver=nas", "share9")
    options = ("--restart=always", "--volume=share9:/data")
    box.docker("run", "-d", "--name=app9", *options, "bb:1.36", "sleep", "1000")
    box.stop_engine()
    box.kill(plugin)
    box.wait_for(lambda: not box.alive(plugin), what="plugin nas to end")
    _start_forgetful(box, *known)
    box.start_engine()


@fault("container.start-refused", subject="container:app9")
def plugin_that_forgot_its_volume(box: Box) -> None:
    """A volume plugin keeps its list in memory, and the host was rebooted."""
    _reboot_with_plugin(box)
    refused = box.docker("start", "app9", check=False).stderr
    assert "get share9: no such volume" in refused, refused


@healthy()
def plugin_that_knows_its_volume(box: Box) -> None:
    """The same reboot, and the plugin still has its list."""
    _reboot_with_plugin(box, "share9")
    box.wait_state("app9", "running")


@fault("container.start-refused", subject="container:books9")
def volume_removed_behind_the_engine(box: Box) -> None:
    """The folder of a volume was removed while the engine was down."""
    options = ("--restart=always", "--volume=books9:/data")
    box.docker("run", "-d", "--name=books9", *options, "bb:1.36", "sleep", "1000")
    box.stop_engine()
    box.sh("rm -r /var/lib/docker/volumes/books9")
    box.start_engine()
    refused = box.docker("start", "books9", check=False).stderr
    assert "no such volume" in refused, refused
