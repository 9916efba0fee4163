"""Roots as OpenTelemetry log records: the official SDK sends them, a receiver on loopback decodes
them by the protocol's own messages."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from diagnose.version import __version__
from tests import command_line
from tests.fleet.made_fleet import roots
from tests.ports import free_port


def has(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what it lies in is missing
        return False


HAS_SDK = has("opentelemetry.sdk") and has("opentelemetry.exporter.otlp.proto.http")
needs_sdk = pytest.mark.skipif(
    not HAS_SDK, reason="the SDK of OpenTelemetry is missing: the extra `otlp`"
)


class Collector:
    """Takes logs over OTLP/HTTP, as a collector does. status: what it answers."""

    def __init__(self, status: int) -> None:
        self.requests: list[bytes] = []
        self.heads: list[dict[str, str]] = []

        class Logs(BaseHTTPRequestHandler):
            def do_POST(logs) -> None:  # noqa: N805 - self is the collector
                body = logs.rfile.read(int(logs.headers["Content-Length"]))
                if logs.path == "/v1/logs":
                    self.requests.append(body)
                    self.heads.append(dict(logs.headers))
                logs.send_response(status if logs.path == "/v1/logs" else 404)
                logs.send_header("Content-Type", "application/x-protobuf")
                logs.send_header("Content-Length", "0")
                logs.end_headers()

            def log_message(logs, *_: object) -> None:  # noqa: N805
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Logs)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def resources(self) -> list[Any]:
        """What came, decoded."""
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        return [
            resource
            for body in self.requests
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs
        ]

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def collector(request: pytest.FixtureRequest) -> Iterator[Collector]:
    made = Collector(getattr(request, "param", 200))
    try:
        yield made
    finally:
        made.end()


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_PROXY": "*", **env}
    return command_line.run("all", "--from", "demo", *words, env=environment)


def attributes(pairs: Any) -> dict[str, Any]:
    """Attributes as a mapping; a list is a tuple of texts."""
    values = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind)
        is_list = kind == "array_value"
        values[pair.key] = (
            tuple(element.string_value for element in value.values) if is_list else value
        )
    return values


@needs_sdk
def test_each_root_above_advice_is_one_record(collector: Collector):
    done = run("--otlp", collector.url, OTEL_EXPORTER_OTLP_HEADERS="x-token=made-up")
    (resource,) = collector.resources()
    records = {
        attributes(record.attributes)["diagnose.id"]: record
        for scope in resource.scope_logs
        for record in scope.log_records
    }
    assert done.returncode == 2
    assert set(records) == set(roots())
    assert done.stderr.rstrip().endswith(f"log records to {collector.url}")
    host = attributes(resource.resource.attributes)
    assert (host["service.name"], host["service.version"]) == ("diagnose", __version__)
    assert host["host.name"] == "dockerhost"
    assert (
        host["service.instance.id"] == "dockerhost"
    )  # a run of the same host is not a new instance
    assert collector.heads[0]["x-token"] == "made-up"

    record = records["firewall.forwarding-off"]
    values = attributes(record.attributes)
    assert record.severity_text == "critical"
    assert record.severity_number == 18
    assert record.event_name == "diagnose.root"
    assert record.body.string_value == roots()["firewall.forwarding-off"]["summary"]
    assert record.time_unix_nano > 10**18
    assert values["diagnose.subject.kind"] == "host"
    assert values["diagnose.explains"] == ("dns.upstream-unreachable",)
    assert values["diagnose.fix"] == "sysctl -w net.ipv4.ip_forward=1"
    assert values["diagnose.runbook"] == "runbooks/firewall.forwarding-off.md"


@needs_sdk
def test_the_whole_address_of_logs_is_taken_too(collector: Collector):
    run("--otlp", f"{collector.url}/v1/logs")
    assert len(collector.resources()) == 1


@needs_sdk
@pytest.mark.parametrize("collector", [401], indirect=True)
def test_what_a_collector_refuses_is_one_clear_sentence(collector: Collector):
    done = run("--otlp", collector.url)
    assert done.returncode == 3
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"Error: cannot send to {collector.url.removeprefix('http://')}: ")
    assert "401" in last
    assert "Traceback" not in done.stderr


@needs_sdk
def test_no_collector_is_one_clear_sentence(collector: Collector):
    collector.end()
    done = run("--otlp", collector.url)
    assert done.returncode == 3
    address = collector.url.removeprefix("http://")
    last = done.stderr.splitlines()[-1]
    assert last == f"Error: cannot send to {address}: Connection refused"
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("CRITICAL dockerhost")


class Rotel:
    """A collector that others wrote: Rotel, in Rust. It prints what it takes."""

    def __init__(self, folder: Path) -> None:
        package = importlib.util.find_spec("rotel")
        assert package is not None
        assert package.submodule_search_locations is not None
        program = Path(package.submodule_search_locations[0]) / "rotel-agent"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "rotel.out"
        command = [str(program), "start", "--exporter", "blackhole"]
        command += ["--debug-log", "logs", "--debug-log-verbosity", "detailed"]
        command += ["--otlp-http-endpoint", f"127.0.0.1:{port}"]
        command += ["--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}"]
        command += ["--pid-file", str(folder / "rotel.pid")]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        wait_for(lambda: "Starting Rotel" in self.text)

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self._log.read_text()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def wait_for(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.fixture
def rotel(tmp_path: Path) -> Iterator[Rotel]:
    made = Rotel(tmp_path)
    try:
        yield made
    finally:
        made.end()


@needs_sdk
@pytest.mark.skipif(not has("rotel"), reason="no collector is here: pip install rotel")
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_collector_of_others_takes_every_record(rotel: Rotel, compression: str):
    done = run("--otlp", rotel.url, OTEL_EXPORTER_OTLP_COMPRESSION=compression)
    assert done.returncode == 2
    wait_for(lambda: rotel.text.count("Flags:") == len(roots()))
    taken = re.findall(r"-> diagnose\.id: Str\((.+)\)$", rotel.text, re.MULTILINE)
    assert sorted(taken) == sorted(roots())
    assert "-> service.name: Str(diagnose)" in rotel.text
    assert "SeverityNumber: SEVERITY_NUMBER_ERROR2(18)" in rotel.text
    for root in roots().values():
        assert f"Body: Str({root['summary']})" in rotel.text


@pytest.mark.skipif(HAS_SDK, reason="the SDK of OpenTelemetry is here")
def test_without_the_extra_it_says_what_to_install():
    done = run("--otlp", "http://127.0.0.1:4318")
    assert done.returncode == 3
    assert "pip install 'docker-host-diagnose[otlp]'" in done.stderr


@pytest.mark.parametrize("url", ["collector:4318", "grpc://collector", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused(url: str):
    done = run("--otlp", url)
    assert done.returncode == 3
    assert "is not an address such as http://collector:4318" in done.stderr
