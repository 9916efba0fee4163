"""Another user, where a program may not write the folder that it needs."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.image_places import image_places
from diagnose.evidence.images.details import Detail, ImageDetails
from diagnose.model import Failed
from diagnose.questions.images import ImageConfig
from tests.checks.container.evidence import CLOCK, container_in
from tests.first_steps.test_first_steps import CONF
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

DENIED = "PermissionError: [Errno 13] Permission denied: '/app/cache'"
ON_APP = {**CONF, "Source": "/srv/app", "Destination": "/app"}


@pytest.mark.parametrize(
    ("given", "own", "mounts", "line", "expected"),
    [
        ("1000:1000", "", [], DENIED, 1),
        ("1000", "node", [], DENIED, 1),
        ("node", "node", [], DENIED, 0),
        ("0", "", [], DENIED, 0),
        ("", "node", [], DENIED, 0),
        ("1000", "", [ON_APP], DENIED, 0),
        ("1000", "", [], "open /proc/sys/kernel/x: permission denied", 0),
        ("1000", "", [], "permission denied: '/app/logs/a day.log'", 1),
        ("1000", "", [], "permission denied", 0),
        ("1000", "", [], "listening", 0),
    ],
)
def test_a_user_that_the_image_does_not_plan_for(
    given: str, own: str, mounts: list[dict[str, Any]], line: str, expected: int
):
    container = container_in("exited", code=1, Config={"User": given}, Mounts=mounts)
    detail = Detail(id=container.image, config=ImageConfig(user=own))
    result = judge(
        "container.own-files-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({container.id: LogTail((line,))}, {}),
        image_details=ImageDetails({container.image: detail}, {container.image: "app:1"}),
    )
    assert rows(result) == [("critical", "web")] * expected


JAVA = (
    'Exception in thread "main" java.nio.file.AccessDeniedException: /var/agent',
    "\tat java.nio.file.Files.createDirectories(Files.java:767)",
)
AGENT = ["-url", "http://ci.lab.test", "-workDir", "/var/agent"]
MADE = {
    "wanted": "/var/agent",
    "bound": "web-agent:/var/agent",
    "image": "agent:1",
    "user": "jenkins",
}


@pytest.mark.parametrize(
    ("config", "lines", "named", "variables"),
    [
        ({"Cmd": AGENT}, JAVA, "its option -workDir", MADE),
        ({"Cmd": ["agent", "--dir=/var/agent/"]}, JAVA, "its option --dir", MADE),
        ({"Cmd": ["agent", "/var/agent"]}, JAVA, "its command", MADE),
        ({"Env": ["WORK=/var/agent"]}, JAVA, "its variable WORK", MADE),
        ({"Cmd": AGENT}, JAVA[:1], "its option -workDir", {}),
        ({"Cmd": ["agent", "--log=/var/a.log"]}, ("mkdir /var/a.log: EACCES",), "--log", {}),
        ({"Cmd": ["agent", "-d", "/var"]}, JAVA, "", {}),
        ({"Cmd": ["/of/the/image"]}, ("mkdir /of/the/image: EACCES",), "", {}),
        ({"Env": ["OF=/the/image"]}, ("mkdir /the/image: EACCES",), "", {}),
        ({"Cmd": AGENT, "User": ""}, JAVA, "", {}),
    ],
)
def test_a_folder_that_an_option_names_and_the_images_user_may_not_create(
    config: dict[str, Any], lines: tuple[str, ...], named: str, variables: dict[str, str]
):
    settings = {"User": "jenkins", "Image": "agent:1", **config}
    container = container_in("exited", code=1, Config=settings)
    own = ImageConfig(user="jenkins", cmd=["/of/the/image"], env=["OF=/the/image"])
    result = judge(
        "container.own-files-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({container.id: LogTail(lines)}, {}),
        image_details=ImageDetails(
            {container.image: Detail(id=container.image, config=own)}, {container.image: "agent:1"}
        ),
    )
    assert [named in finding.summary for finding in result.findings] == [True] * bool(named)
    for finding in result.findings:
        assert finding.variables == {"container": "web", **variables}


FOLDER = {"type": "directory", "mode": 0o755, "uid": 0, "gid": 0}


@pytest.mark.parametrize(
    ("line", "there", "words"),
    [
        ("[Errno 13] Permission denied: 'beat-schedule'", {"/app": FOLDER}, "create beat-schedule in /app"),
        ("Error: EACCES: permission denied, open 'a/db.sqlite'", {"/app": FOLDER}, "in /app"),
        ("panic: open data.db: permission denied", {"/app": FOLDER}, "create data.db in /app"),
        ("touch: cannot touch 'x': Permission denied", {"/app": FOLDER}, "create x in /app"),
        ("mkdir: can't create directory 'logs/': Permission denied", {"/app": FOLDER}, "create logs in"),
        ("touch: beat-schedule: Permission denied", {"/app": FOLDER}, "create beat-schedule in /app"),
        ("open app.yml: permission denied", {"/app/app.yml": {**FOLDER, "type": "file", "mode": 0o600}}, "use /app/app.yml, a file"),
        ("open data.db: permission denied", {"/app": {**FOLDER, "uid": 1000}}, ""),
        ("open data.db: permission denied", {"/app": {**FOLDER, "mode": 0o777}}, ""),
        ("open data.db: permission denied", {"/app": {**FOLDER, "mode": 0o775, "gid": 1000}}, ""),
        ("open /app/data.db: permission denied", {"/app": FOLDER}, ""),
        ("file_put_contents(/app/.env): Failed to open stream: Permission denied", {"/app": FOLDER}, ""),
        ("dial tcp 10.0.0.7: permission denied", {"/app": FOLDER}, ""),
    ],
)  # fmt: skip
def test_a_folder_of_the_image_that_its_own_user_may_not_write(line, there, words):
    config = {"User": "1000:1000", "WorkingDir": "/app", "Image": "app:1"}
    container = container_in("exited", code=1, Config=config)
    log_tails = LogTails({container.id: LogTail((line,))}, {})

    def file(question: Any) -> Any:
        return there.get(question.args["path"], Failed("gone", "404"))

    places = image_places(Made({"api.archive": file}), of(container), log_tails, None)
    detail = Detail(id=container.image, config=ImageConfig(user="1000:1000"))
    result = judge(
        "container.own-files-refused",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        image_details=ImageDetails({container.image: detail}, {container.image: "app:1"}),
        image_places=places,
    )
    assert [words in finding.summary for finding in result.findings] == ([True] if words else [])
    volumes = [finding.variables.get("worked") for finding in result.findings if " in " in words]
    assert volumes in ([], ["web-app:/app"])
