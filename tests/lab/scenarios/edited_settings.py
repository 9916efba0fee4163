"""Files of settings that were edited, and that their servers have not read since; silent twins."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import logs
from tests.lab.scenarios.untold_programs import browse, site_of

UNREAD = "container.settings-unread"
_SITE = "server { listen 80; location / { return %s; } }\n"
_PROMETHEUS = b"""#!/bin/sh
read_settings() {
  cat /etc/prometheus/prometheus.yml >/dev/null
  echo 'level=info component=main msg="Completed loading of configuration file" filename=/etc/prometheus/prometheus.yml'
}
trap read_settings HUP
read_settings
echo 'level=info component=main msg="Server is ready to receive web requests."'
while :; do sleep 1 & wait $!; done
"""
"""How Prometheus takes SIGHUP, in its words."""
_SCRAPES = "scrape_configs:\n  - job_name: %s\n"


def _until_settled(box: Box, path: str, text: str) -> None:
    """Edit a file when its server has started, and let half a minute pass."""
    time.sleep(12)
    box.sh(f"cat >{path} <<'END'\n{text}END")
    time.sleep(32)


def _findings(box: Box) -> list[str]:
    found = box.diagnose("check", UNREAD, "--format", "json").findings
    return [finding["subject"]["name"] for finding in found]


def _status(box: Box, number: int) -> str:
    return browse(box, f"http://{BOX_ADDRESS}:{8000 + number}/")


def _edited_site(box: Box, number: int) -> str:
    """nginx with a mounted folder of sites, of which one is edited; the status of its page."""
    folder = f"/srv/edited{number}/conf.d"
    box.write(f"{folder}/shop.conf", _SITE % 404)
    box.write(f"{folder}/shop.conf.bak", _SITE % 500)
    options = ("-p", f"{8000 + number}:80", "-v", f"{folder}:/etc/nginx/conf.d:ro")
    included = "include /etc/nginx/conf.d/*.conf;"
    site_of(box, f"www{number}", "listen 81; return 404;", *options, included=included)
    box.wait_for(lambda: _status(box, number) == "404", what="nginx")
    _until_settled(box, f"{folder}/shop.conf", _SITE % 204)
    return _status(box, number)


def _edited_scrapes(box: Box, name: str) -> None:
    """Prometheus, to whose mounted file a target is added."""
    load(box, "prom:2.53", Recipe(files={"bin/prometheus": (_PROMETHEUS, 0o755)}))
    box.write(f"/srv/{name}/prometheus.yml", _SCRAPES % "shop")
    mount = f"/srv/{name}/prometheus.yml:/etc/prometheus/prometheus.yml:ro"
    box.docker("run", "-d", f"--name={name}", *SAFE, "-v", mount, "prom:2.53", "/bin/prometheus")
    box.wait_for(lambda: "Server is ready" in logs(box, name), what="Prometheus")
    _until_settled(box, f"/srv/{name}/prometheus.yml", _SCRAPES % "node")


@fault(UNREAD, subject="container:www71", shareable=True)
def site_that_was_edited(box: Box) -> None:
    """A site of nginx was edited, and nobody reloaded nginx; the command does."""
    assert _edited_site(box, 71) == "404"
    typed(box, first_command(box, UNREAD, "www71"))
    box.wait_for(lambda: _status(box, 71) == "204", what="the site after the command")
    assert "www71" not in _findings(box)
    _until_settled(box, "/srv/edited71/conf.d/shop.conf", _SITE % 404)
    assert _status(box, 71) == "204"


@fault(UNREAD, subject="container:prom73", shareable=True)
def scrapes_that_were_edited(box: Box) -> None:
    """A target was added to the file of Prometheus, and nobody sent it a signal."""
    _edited_scrapes(box, "prom73")
    assert logs(box, "prom73").count("Completed loading") == 1
    assert first_command(box, UNREAD, "prom73") == "docker kill --signal=HUP prom73"


@healthy(shareable=True)
def site_that_was_edited_and_reloaded(box: Box) -> None:
    """The same site, and nginx was reloaded."""
    assert _edited_site(box, 72) == "404"
    box.docker("exec", "www72", "/usr/sbin/nginx", "-s", "reload", "-c", "/etc/nginx/nginx.conf")
    box.wait_for(lambda: _status(box, 72) == "204", what="the site after the reload")
    box.sh("touch /srv/edited72/conf.d/shop.conf.bak")
    assert "www72" not in _findings(box)


@healthy(shareable=True)
def scrapes_that_were_edited_and_read(box: Box) -> None:
    """The same file of Prometheus, after a signal that came from inside the container."""
    _edited_scrapes(box, "prom74")
    box.docker("exec", "prom74", "kill", "-HUP", "1")
    box.wait_for(lambda: logs(box, "prom74").count("Completed loading") == 2, what="the reload")
    assert "prom74" not in _findings(box)
