"""Metrics end to end: Debian's node_exporter, Prometheus and Alertmanager scrape our file, raise
the alert, tell a receiver, and resolve it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = ("prometheus", "prometheus-node-exporter", "prometheus-alertmanager")
LONG = bool(os.environ.get("DIAGNOSE_LAB_LONG"))
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(
        not (LONG and all(map(shutil.which, PROGRAMS))),
        reason=f"left to the nightly run: needs DIAGNOSE_LAB_LONG and {', '.join(PROGRAMS)}",
    ),
]
PATIENCE_S = 40.0


class Receiver:
    """A web hook, as a pager has one: what Alertmanager posts to it."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []

        class Hook(BaseHTTPRequestHandler):
            def do_POST(hook) -> None:  # noqa: N805 - self is the receiver
                body = hook.rfile.read(int(hook.headers["Content-Length"]))
                self.alerts += json.loads(body)["alerts"]
                hook.send_response(204)
                hook.end_headers()

            def log_message(hook, *_: object) -> None:  # noqa: N805
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/pager"

    def states(self, id: str) -> list[str]:
        """The states of an id's critical alert, in the order in which they came."""
        return [
            alert["status"]
            for alert in self.alerts
            if (alert["labels"]["alertname"], alert["labels"].get("id")) == ("DiagnoseCritical", id)
        ]

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Monitoring:
    """The three servers on loopback, which look each second, and the receiver of their alerts."""

    def __init__(self, place: Path) -> None:
        self.receiver = Receiver()
        self.metrics = place / "textfile"
        self.metrics.mkdir()
        self.ports = {name: free_port() for name in PROGRAMS}
        prometheus, exporter, alertmanager = (f"127.0.0.1:{self.ports[name]}" for name in PROGRAMS)
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ROOT / "diagnose/fleet/prometheus/rules.yml")],
            "scrape_configs": [{"job_name": "node", "static_configs": [{"targets": [exporter]}]}],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        }
        (place / "prometheus.yml").write_text(json.dumps(settings))
        hook = {"url": self.receiver.url, "send_resolved": True}
        routes = {
            "route": {
                "receiver": "pager",
                "group_by": ["id"],
                "group_wait": "1s",
                "group_interval": "1s",
            },
            "receivers": [{"name": "pager", "webhook_configs": [hook]}],
        }
        (place / "alertmanager.yml").write_text(json.dumps(routes))
        commands = [
            [
                "prometheus",
                f"--config.file={place}/prometheus.yml",
                f"--web.listen-address={prometheus}",
                f"--storage.tsdb.path={place}/tsdb",
            ],
            [
                "prometheus-node-exporter",
                "--collector.disable-defaults",
                "--collector.textfile",
                f"--collector.textfile.directory={self.metrics}",
                f"--web.listen-address={exporter}",
            ],
            [
                "prometheus-alertmanager",
                f"--config.file={place}/alertmanager.yml",
                f"--web.listen-address={alertmanager}",
                f"--storage.path={place}/alerts",
                "--cluster.listen-address=",
            ],
        ]
        self.servers = [
            subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=place
            )
            for command in commands
        ]

    def get(self, program: str, path: str) -> Any:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.ports[program]}{path}", timeout=5
        ) as reply:
            return json.loads(reply.read())

    def firing(self) -> set[str]:
        """The ids for which Prometheus raises DiagnoseCritical."""
        alerts = self.get("prometheus", "/api/v1/alerts")["data"]["alerts"]
        return {
            row["labels"]["id"]
            for row in alerts
            if row["labels"]["alertname"] == "DiagnoseCritical"
        }

    def received(self) -> dict[str, str]:
        """The pages to which Alertmanager's active alerts point, by id."""
        rows = self.get("prometheus-alertmanager", "/api/v2/alerts?active=true")
        critical = [row for row in rows if row["labels"]["alertname"] == "DiagnoseCritical"]
        return {row["labels"]["id"]: row["annotations"]["runbook_page"] for row in critical}

    def end(self) -> None:
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.wait(timeout=20)
        self.receiver.end()


@pytest.fixture
def monitoring(tmp_path: Path) -> Iterator[Monitoring]:
    made = Monitoring(tmp_path)
    try:
        yield made
    finally:
        made.end()


def until(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold; the servers need a moment to listen."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        try:
            if holds():
                return True
        except OSError:
            pass
        time.sleep(0.3)
    return False


def write(source: str, path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "diagnose",
        "all",
        "--from",
        source,
        "--format",
        "prometheus",
        "-o",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert path.is_file(), done.stderr


def test_a_root_raises_an_alert_and_its_end_resolves_it(monitoring: Monitoring):
    receiver = monitoring.receiver
    path = monitoring.metrics / "diagnose.prom"
    write("demo", path)
    assert until(lambda: "storage.disk-full" in monitoring.firing())
    assert until(
        lambda: monitoring.received().get("storage.disk-full") == "runbooks/storage.disk-full.md"
    )
    assert until(lambda: receiver.states("storage.disk-full") == ["firing"])
    pages = {
        alert["annotations"].get("runbook_page")
        for alert in receiver.alerts
        if alert["labels"].get("id") == "storage.disk-full"
    }
    assert pages == {"runbooks/storage.disk-full.md"}
    write(str(ROOT / "fixtures/broken_host.control_host@28.5"), path)
    assert until(lambda: not monitoring.firing())
    assert until(lambda: not monitoring.received())
    assert until(lambda: receiver.states("storage.disk-full")[-1] == "resolved")
