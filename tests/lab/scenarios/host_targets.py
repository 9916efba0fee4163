"""Collectors of figures that ask the host, at its loopback and at the address of the bridge."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load

LOOPBACK = "network.host-target-on-loopback"
_FILE = "scrape_configs:\n  - job_name: docker\n    static_configs:\n      - targets: ['%s']\n"
_GATEWAY = "172.17.0.1"


def _prometheus(box: Box, name: str, target: str) -> str:
    """A stand-in for Prometheus with this target; what the target answers it."""
    load(box, "prometheus:2.53", Recipe())
    box.write(f"/srv/{name}/prometheus.yml", _FILE % target)
    mount = f"/srv/{name}/prometheus.yml:/etc/prometheus/prometheus.yml:ro"
    box.docker(
        "run", "-d", f"--name={name}", "--memory=64m", "--pids-limit=64", "-v", mount,
        f"--add-host=host.docker.internal:{_GATEWAY}", "prometheus:2.53", "sleep", "1000",
    )  # fmt: skip
    asks = ("exec", name, "timeout", "5", "wget", "-q", "-O", "-", f"http://{target}/metrics")
    return str(box.docker(*asks, check=False).stdout)


@fault(
    LOOPBACK,
    subject="container:prom91",
    config={"metrics-addr": "127.0.0.1:9323", "experimental": True},
)
def engine_whose_metrics_are_on_the_loopback(box: Box) -> None:
    """The engine serves its metrics on 127.0.0.1, and Prometheus asks the address of the bridge."""
    assert "engine_daemon" in box.sh("curl -s --noproxy '*' 127.0.0.1:9323/metrics")
    assert not _prometheus(box, "prom91", "host.docker.internal:9323")


@healthy(config={"metrics-addr": "0.0.0.0:9323", "experimental": True})
def engine_whose_metrics_are_for_all(box: Box) -> None:
    """The same, and the engine serves them at all addresses."""
    assert "engine_daemon" in _prometheus(box, "prom92", "host.docker.internal:9323")


@healthy(shareable=True)
def target_that_is_off(box: Box) -> None:
    """A target of the host at which nobody listens at all."""
    assert not _prometheus(box, "prom93", f"{_GATEWAY}:9987")
