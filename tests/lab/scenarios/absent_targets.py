"""Collectors of figures whose targets are other containers."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command

ABSENT = "network.target-absent"
_JOB = "scrape_configs:\n  - job_name: shop\n    static_configs: [{targets: ['%s']}]\n"
_PROBES = """scrape_configs:
  - job_name: probes
    static_configs: [{targets: [nobody94, 'https://shop.lab.test/']}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: 'exporter94:9100'}
"""
_SERVE = "mkdir -p /tmp/www; echo up 1 >/tmp/www/metrics; exec httpd -f -p 9100 -h /tmp/www"


def _collector(box: Box, number: int, settings: str, network: str) -> str:
    """A program with these settings, and an exporter on a network; what the exporter answers it."""
    load(box, "prometheus:2.53", Recipe())
    name, exporter = f"prom{number}", f"exporter{number}"
    safe = ("run", "-d", "--memory=64m", "--pids-limit=64", "--restart=unless-stopped", "--init")
    for made in {f"scrapes{number}", network}:
        box.docker("network", "create", made)
    box.docker(*safe, f"--name={exporter}", f"--network={network}", "bb:1.36", "sh", "-c", _SERVE)
    box.write(f"/srv/{name}/prometheus.yml", settings)
    mount = f"/srv/{name}:/etc/prometheus:ro"
    inner = f"--network=scrapes{number}"
    box.docker(*safe, f"--name={name}", inner, "-v", mount, "prometheus:2.53", "sleep", "1000")
    return _figures(box, number)


def _figures(box: Box, number: int) -> str:
    url = f"http://exporter{number}:9100/metrics"
    asks = ("exec", f"prom{number}", "timeout", "5", "wget", "-q", "-O", "-", url)
    return str(box.docker(*asks, check=False).stdout)


@fault(ABSENT, subject="container:prom95", exit_code=0)
def target_on_another_network(box: Box) -> None:
    """The exporter runs on a network of its own; the first command connects it."""
    assert not _collector(box, 95, _JOB % "exporter95:9100", "exporters95")
    box.sh(first_command(box, ABSENT, "prom95"))
    box.wait_for(lambda: "up 1" in _figures(box, 95), what="the figures")
    box.docker("network", "disconnect", "scrapes95", "exporter95")


@healthy()
def target_beside_it(box: Box) -> None:
    """The exporter is on the network of the program."""
    settings = _JOB % "exporter96:9100', 'localhost:9090', 'prom96:9090"
    _collector(box, 96, settings, "scrapes96")
    box.wait_for(lambda: "up 1" in _figures(box, 96), what="the figures")


@healthy()
def targets_that_an_exporter_probes(box: Box) -> None:
    """The names in the job are for the exporter, whose address a rule sets."""
    _collector(box, 94, _PROBES, "scrapes94")
    box.wait_for(lambda: "up 1" in _figures(box, 94), what="the figures")
