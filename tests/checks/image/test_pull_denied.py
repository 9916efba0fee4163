"""The check in checks/image/pull_denied.py."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.evidence.engine.client import CallerLogins, ClientSettings
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.details import ImageDetails
from diagnose.evidence.images.missing_images import MissingImage, MissingImages
from diagnose.evidence.images.pulls.pull_errors import Why
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.model import Severity
from tests.checks.image.evidence import CLOCK, NOW, failed_pull
from tests.inspected import live, of
from tests.judging import judge, rows


@pytest.mark.parametrize(("count", "severity"), [(1, "advice"), (3, "warning")])
def test_one_refused_pull_is_a_slip_of_the_pen(count: int, severity: str) -> None:
    result = judge(
        "image.pull-denied", pulls=failed_pull("denied", count, name="shop:9"), clock=CLOCK
    )
    assert rows(result) == [(severity, "shop:9")]


LOGINS = {
    "no right, and nobody knows where": ("unauthorized: authentication required", "", ""),
    "no right at the Hub": ("pull access denied for shop", "docker.io", "docker.io"),
    "no right at a registry": (
        "denied: access forbidden",
        "reg.lab.test:5000",
        "reg.lab.test:5000",
    ),
    "no such tag": ("manifest unknown: manifest unknown", "reg.lab.test:5000", ""),
    "no such tag of the Hub": ("manifest for shop:9 not found", "", ""),
}


@pytest.mark.parametrize(("text", "registry", "login"), LOGINS.values(), ids=LOGINS)
def test_a_login_is_offered_where_it_may_help(text: str, registry: str, login: str) -> None:
    image = "shop:9" if registry else ""
    refused = PullTrouble("denied", registry, image, 3, NOW - 60, NOW - 60, text)
    result = judge("image.pull-denied", pulls=Pulls((refused,), "log"), clock=CLOCK)
    (finding,) = result.findings
    assert finding.variables.get("login", "") == login


STALE = {
    "a login for the registry": (("ghcr.io",), "ghcr.io/shop:9"),
    "one for another": (("quay.io",), ""),
    "none": ((), ""),
    "not recorded": (None, ""),
}


@pytest.mark.parametrize(("logins", "as_guest"), STALE.values(), ids=STALE)
def test_a_stored_login_may_be_why(logins: tuple[str, ...] | None, as_guest: str) -> None:
    refused = PullTrouble("denied", "ghcr.io", "ghcr.io/shop:9", 3, NOW - 9, NOW - 9, "denied")
    client = ClientSettings("/root/.docker/config.json", "root", logins=logins)
    result = judge("image.pull-denied", pulls=Pulls((refused,), "log"), clock=CLOCK, client=client)
    (finding,) = result.findings
    assert finding.variables.get("as_guest", "") == as_guest
    assert ("stored login" in finding.summary) == bool(as_guest)


HUB_KEY = "https://index.docker.io/v1/"


REFUSED = {
    "the Hub": ("docker.io", "incorrect username or password", ("docker.io",), HUB_KEY),
    "GitLab": ("r:5000", "denied: HTTP Basic: Access denied", ("r:5000",), "r:5000"),
    "nobody logged in here": ("docker.io", "incorrect username or password", (), ""),
    "not recorded": ("docker.io", "incorrect username or password", None, ""),
}


@pytest.mark.parametrize(("registry", "text", "logins", "key"), REFUSED.values(), ids=REFUSED)
def test_a_login_that_is_wrong_is_a_warning_at_once(
    registry: str, text: str, logins: tuple[str, ...] | None, key: str
) -> None:
    refused = PullTrouble(
        "denied", registry, "shop:9", 1, NOW - 9, NOW - 9, f"unauthorized: {text}"
    )
    client = ClientSettings("/root/.docker/config.json", "root", logins=logins)
    result = judge("image.pull-denied", pulls=Pulls((refused,), "log"), clock=CLOCK, client=client)
    (finding,) = result.findings
    assert finding.severity is Severity.warning
    assert finding.variables.get("refused_login", "") == key
    assert ("login" in finding.variables) != bool(key)


AMAZONS = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


TOO_OLD = "denied: Your authorization token has expired. Reauthenticate and try again."


OF_AMAZON = {
    "its words, and one login": ("", TOO_OLD, (AMAZONS, "ghcr.io"), "eu-west-1"),
    "two logins": ("", TOO_OLD, (AMAZONS, AMAZONS.replace("west", "south")), ""),
    "other words": ("", "unauthorized: authentication required", (AMAZONS,), ""),
    "named by the log": (AMAZONS, "no basic auth credentials", (), "eu-west-1"),
}


@pytest.mark.parametrize(
    ("registry", "text", "logins", "region"), OF_AMAZON.values(), ids=OF_AMAZON
)
def test_a_login_of_amazon_that_is_too_old(
    registry: str, text: str, logins: tuple[str, ...], region: str
) -> None:
    refused = PullTrouble("denied", registry, "", 3, NOW - 9, NOW - 9, text)
    client = ClientSettings("/root/.docker/config.json", "root", logins=logins)
    result = judge("image.pull-denied", pulls=Pulls((refused,), "log"), clock=CLOCK, client=client)
    (finding,) = result.findings
    assert finding.variables.get("region", "") == region
    assert finding.variables.get("amazon", "") == (AMAZONS if region else "")


@pytest.mark.parametrize(("age", "is_quiet"), [(60, False), (7200, True)])
def test_pull_of_long_ago_is_not_mentioned_first(age: float, is_quiet: bool) -> None:
    def refused(why: Why) -> Pulls:
        return Pulls(
            (PullTrouble(why, "docker.io", "", 1, NOW - age, NOW - age, "refused"),), "log"
        )

    denied = judge("image.pull-denied", pulls=refused("denied"), clock=CLOCK)
    other = judge(
        "image.platform-mismatch",
        pulls=refused("platform"),
        clock=CLOCK,
        info=Info(architecture="x86_64"),
        containers=of(),
        exposed=live(),
        details=ImageDetails({}, {}),
    )
    assert [result.findings[0].is_quiet for result in (denied, other)] == [is_quiet, is_quiet]


def test_login_of_the_user_who_called_sudo() -> None:
    ann = CallerLogins("ann", "/home/ann/.docker", ("ghcr.io",))
    client = ClientSettings("", "root", logins=(), caller=ann)
    refused = PullTrouble("denied", "ghcr.io", "ghcr.io/shop:9", 1, NOW - 9, NOW - 9, "denied")
    (finding,) = judge(
        "image.pull-denied", pulls=Pulls((refused,), "log"), clock=CLOCK, client=client
    ).findings
    assert finding.variables == {
        "registry": "ghcr.io",
        "as_caller": "ghcr.io/shop:9",
        "caller_config": "/home/ann/.docker",
    }
    own = ClientSettings("", "root", logins=("ghcr.io",), caller=ann)
    (finding,) = judge(
        "image.pull-denied", pulls=Pulls((refused,), "log"), clock=CLOCK, client=own
    ).findings
    assert "caller_config" not in finding.variables


NOT_SENT = "no basic auth credentials"
ANN = CallerLogins("ann", "/home/ann/.docker", ())
BEN = CallerLogins("ben", "/home/ben/.docker", ("r:5000",))
OF_USERS = {
    "another user has pulled": (("r:5000",), (ANN, BEN), NOT_SENT, {"as_owner", "puller"}),
    "several may have": (
        ("r:5000",),
        (ANN, CallerLogins("eve", "/home/eve/.docker", ())),
        NOT_SENT,
        {"as_owner"},
    ),
    "nobody is known": (("r:5000",), (), NOT_SENT, {"as_owner"}),
    "another user is logged in": ((), (ANN, BEN), NOT_SENT, {"as_caller"}),
    "and a registry that asks for a token": (
        (),
        (BEN,),
        "unauthorized: authentication required",
        {"as_caller"},
    ),
    "nobody is logged in": ((), (ANN,), NOT_SENT, {"login"}),
}


@pytest.mark.parametrize(("logins", "others", "text", "blocks"), OF_USERS.values(), ids=OF_USERS)
def test_whose_login_was_used(
    logins: tuple[str, ...], others: tuple[CallerLogins, ...], text: str, blocks: set[str]
) -> None:
    refused = PullTrouble("denied", "r:5000", "r:5000/shop:9", 3, NOW - 9, NOW - 9, text)
    client = ClientSettings("/root/.docker/config.json", "root", logins=logins, others=others)
    result = judge("image.pull-denied", pulls=Pulls((refused,), "log"), clock=CLOCK, client=client)
    (finding,) = result.findings
    offered = {"as_owner", "puller", "as_caller", "login", "as_guest"}
    assert finding.variables.keys() & offered == blocks


ETCD = MissingImage("bitnami/etcd:3.4.15", "etcd", "/srv/apisix/docker-compose.yml", NOW - 60)
SHOP = MissingImage("reg.lab.test:5000/shop:9", "web", "/srv/shop/compose.yaml", NOW - 60)
OLD = replace(SHOP, changed=NOW - 20_000)
UNNAMED: dict[str, tuple[str, str, tuple[MissingImage, ...], str, set[str]]] = {
    "the image of a new project": ("", "", (SHOP,), "warning", {"compose_file", "compose_service"}),
    "an image that has moved": ("", "", (ETCD,), "warning", {"compose_file", "wanted", "moved"}),
    "an image of another registry": ("ghcr.io", "", (SHOP,), "advice", set()),
    "the log names the image": ("docker.io", "shop:8", (ETCD,), "advice", set()),
    "every image of a host without any": ("", "", (ETCD, SHOP) * 2, "advice", set()),
    "nothing is missing": ("", "", (), "advice", set()),
    "a file that waits for its day": ("", "", (OLD,), "advice", set()),
    "a file that is younger than the pull": (
        "",
        "",
        (replace(SHOP, changed=NOW),),
        "advice",
        set(),
    ),
    "an old file where the user is": (
        "",
        "",
        (replace(OLD, is_wanted=True),),
        "warning",
        {"compose_file", "compose_service"},
    ),
}


@pytest.mark.parametrize(
    ("registry", "image", "missing", "severity", "variables"), UNNAMED.values(), ids=UNNAMED
)
def test_a_compose_file_names_the_image_that_the_log_does_not(
    registry: str, image: str, missing: tuple[MissingImage, ...], severity: str, variables: set[str]
) -> None:
    text = "manifest unknown: manifest unknown"
    refused = PullTrouble("denied", registry, image, 1, NOW - 9, NOW - 9, text)
    (finding,) = judge(
        "image.pull-denied",
        pulls=Pulls((refused,), "log"),
        clock=CLOCK,
        missing_images=MissingImages(missing),
    ).findings
    assert str(finding.severity) == severity
    assert finding.variables.keys() - {"registry", "unnamed"} == variables
    assert all(f'"{wanted.image}"' in finding.summary for wanted in missing if variables)
