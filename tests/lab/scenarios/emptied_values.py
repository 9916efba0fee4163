"""Settings of compose files whose variables have no value."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import install_compose
from tests.lab.scenarios.everyday.helpers import first_command, typed

CHECK = "container.value-left-empty"
_SAFE = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
_SERVICE = """services:
  web:
    image: bb:1.36
    command: ["sleep", "1000"]
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
"""
_RULE = "    labels: ['traefik.http.routers.NAME.rule=Host(`NAME.${DOMAINNAME}`)']\n"


def _up(box: Box, name: str, text: str, *, dotenv: str = "") -> None:
    """A proxy that reads labels, and the project, started for another folder than that of its
    file."""
    load(box, "bb:1.36")
    load(box, "traefik:3.1", Recipe(changes=('CMD ["sleep","1000"]',)))
    install_compose(box)
    proxy = f"{name}-proxy"
    box.docker("rm", "-f", proxy, check=False)
    box.docker("run", "-d", f"--name={proxy}", *_SAFE, "--init", "traefik:3.1")
    box.sh(f"mkdir -p /media/{name}")
    box.write(f"/srv/{name}/compose.yaml", text.replace("NAME", name, 2))
    if dotenv:
        box.write(f"/srv/{name}/.env", dotenv)
    command = (
        f"docker compose -p {name} --project-directory /media/{name} -f /srv/{name}/compose.yaml"
    )
    box.sh(f"cd / && {command} up --detach 2>&1", timeout=60)
    box.wait_state(f"{name}-web-1", "running")


def _findings(box: Box, name: str) -> list[str]:
    run = box.diagnose("check", CHECK, "--format", "json")
    return [found["summary"] for found in run.findings if found["subject"]["name"] == name]


@fault(CHECK, subject="container:emptied11-web-1", exit_code=0)
def rule_without_its_domain(box: Box) -> None:
    """The file .env lies beside the compose file, and compose was started for another folder."""
    _up(box, "emptied11", _SERVICE + _RULE, dotenv="DOMAINNAME=lab.test\n")
    labels = box.inspect("emptied11-web-1")["Config"]["Labels"]
    assert labels["traefik.http.routers.emptied11.rule"] == "Host(`emptied11.`)", labels
    typed(box, first_command(box, CHECK, "emptied11-web-1"))
    labels = box.inspect("emptied11-web-1")["Config"]["Labels"]
    assert labels["traefik.http.routers.emptied11.rule"] == "Host(`emptied11.lab.test`)", labels
    box.sh("docker rm -f emptied11-web-1")
    _up(box, "emptied11", _SERVICE + _RULE, dotenv="DOMAINNAME=lab.test\n")


@healthy()
def rule_with_its_domain(box: Box) -> None:
    """The rule has a default value, and an address has neither user nor password."""
    rule = _RULE.replace("${DOMAINNAME}", "${DOMAINNAME:-lab.test}")
    rest = "    environment: ['CACHE=redis://cache:6379/', 'NOTE=${NOTE}', 'DB=postgres://db/']\n"
    _up(box, "emptied12", _SERVICE + rule + rest)
    assert not _findings(box, "emptied12-web-1")


_ENV_FILE = """PORT=8080
FALLBACK_PROVIDER=   # provider if the primary one fails
BOT_TOKEN=<your-token>
"""


@fault(CHECK, subject="container:llm13", exit_code=0, shareable=True)
def comment_where_a_value_is_due(box: Box) -> None:
    """A line of an env file has a comment behind it and no value: Docker takes the comment."""
    box.write("/srv/llm13.env", _ENV_FILE)
    box.docker(
        "run",
        "-d",
        "--name=llm13",
        *_SAFE,
        "--init",
        "--env-file=/srv/llm13.env",
        "bb:1.36",
        "sleep",
        "1000",
    )
    variables = box.inspect("llm13")["Config"]["Env"]
    assert any(entry.endswith("# provider if the primary one fails") for entry in variables)


@fault(CHECK, subject="container:bot14", exit_code=0, shareable=True)
def placeholder_of_the_template(box: Box) -> None:
    """The example of an env file was copied, and nobody has written the token into it."""
    options = ("--env=BOT_TOKEN=<your-token>", "--env=DB_HOST=${DB_HOST}")
    box.docker("run", "-d", "--name=bot14", *_SAFE, "--init", *options, "bb:1.36", "sleep", "1000")
    assert "BOT_TOKEN=<your-token>" in box.inspect("bot14")["Config"]["Env"]


@healthy(shareable=True)
def values_that_look_like_comments(box: Box) -> None:
    """A channel, a colour, a greeting in Markdown, a reference that the program replaces, and a
    placeholder that the image brings."""
    load(box, "form:1", Recipe(changes=("ENV API_KEY=<your-key>", 'CMD ["sleep","1000"]')))
    options = (
        "--env=CHANNEL=#ops",
        "--env=COLOUR=#aabbcc",
        "--env=WELCOME_MESSAGE=# Welcome to the shop",
        "--env=SHOP_HOST=shop.lab.test",
        "--env=SHOP_URL=${SHOP_HOST}",
        "--env=MAIL_FROM=Shop <shop@lab.test>",
        "--env=LEVEL=<none>",
    )
    box.docker("run", "-d", "--name=form15", *_SAFE, "--init", *options, "form:1")
    assert not _findings(box, "form15")
