"""Settings in the .env of a compose project that no container gets; and silent twins."""

from tests.lab import Box, fault, healthy, images
from tests.lab.programs import install_compose

CHECK = "container.env-file-unpassed"
_SERVICE = """services:
  web:
    image: shop:1.4
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
    environment:
      GREETING: ${GREETING:-hello}
"""
_DOTENV = """GREETING=welcome
# registration: open or closed
ONBOARDING_STATE=closed
SMTP_ADDRESS=mail.lab.test
COMPOSE_PROFILES=full
SHOP_VERSION=1.4
"""


def _up(box: Box, folder: str, text: str) -> list[str]:
    """A project with its .env; the names that one of its containers has."""
    images.load(box, "shop:1.4")
    install_compose(box)
    box.write(f"/srv/{folder}/compose.yaml", text)
    box.write(f"/srv/{folder}/.env", _DOTENV)
    box.sh(f"cd /srv/{folder} && docker compose up --detach 2>&1", timeout=60)
    variables = box.inspect(f"{folder}-web-1")["Config"]["Env"]
    return [variable.partition("=")[0] for variable in variables]


@fault(CHECK, subject="container:sure71-web-1", exit_code=0)
def settings_that_no_service_names(box: Box) -> None:
    """The .env of the program lies beside the compose file, which takes one setting of it."""
    names = _up(box, "sure71", _SERVICE)
    assert "GREETING" in names
    assert "ONBOARDING_STATE" not in names


@healthy(advice=None)
def settings_that_somebody_reads(box: Box) -> None:
    """The service names the file, mounts it, or a script of the folder has the rest."""
    assert "SMTP_ADDRESS" in _up(box, "sure72", _SERVICE + "    env_file: .env\n")
    _up(box, "sure73", _SERVICE + "    volumes: ['./.env:/app/.env:ro']\n")
    script = '#!/bin/sh\n. ./.env\necho "$ONBOARDING_STATE $SMTP_ADDRESS"\n'
    box.write("/srv/sure74/report.sh", script, 0o755)
    _up(box, "sure74", _SERVICE)
    assert not box.diagnose("check", CHECK, "--format", "json").findings
