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
        lambda: socket in box.sh(f"ss -xlH | grep -F {socket} || :"), 20, f"{name} to listen"
    )
    return pid


def _see_it_wait(box: Box, socket: str) -> None:
    """See the list of volumes not come within 5 s (it comes after 15), and the engine say why."""
    assert box.docker("volume", "ls", check=False, timeout=5).returncode != 0
    log = box.log_tail(20)
    assert "Unable to connect to plugin" in log
    assert f"dial unix {socket}: connect:" in log


@fault("daemon.plugin-gone", subject=DAEMON)
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
