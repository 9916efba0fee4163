"""container.logs-absent: paths in the settings of collectors, and the files that are there."""

from __future__ import annotations

import posixpath

import pytest

from diagnose.evidence.containers.mounts.absent_logs import absent_logs
from diagnose.live.disk.parts.log_path import log_paths
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.files import ListFolder
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ADVICE = [("advice", "web")]
FILES = ["/var/log/nginx/access.log", "/var/lib/docker/containers/ab/ab-json.log"]
PROMTAIL = "grafana/promtail:3.0"
CASES: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "a file that is there": (PROMTAIL, "/var/log/nginx/access.log", []),
    "a pattern that fits": (PROMTAIL, "/var/log/nginx/*.log", []),
    "a pattern of folders that fits": (PROMTAIL, "/var/lib/docker/containers/*/*-json.log", []),
    "any depth": (PROMTAIL, "/data/**/*.log", []),
    "one of two": (PROMTAIL, "/var/log/*.log\n/var/log/nginx/*.log", []),
    "a folder that is not there": (PROMTAIL, "/logs/*.log", ADVICE),
    "a pattern that nothing fits": (PROMTAIL, "/var/log/nginx/*.json", ADVICE),
    "other folders": ("crowdsecurity/crowdsec", "/var/lib/docker/containers/*/*.txt", ADVICE),
    "one of two names": (PROMTAIL, "/logs/{a,b}.log", []),
    "a variable": (PROMTAIL, "/logs/${APP}/*.log", []),
    "a date": ("fluent/fluentd", "/logs/%Y/a.log", []),
    "another source too": (PROMTAIL, "-\n/logs/*.log", []),
    "no path": (PROMTAIL, "", []),
    "another program": ("shop:1", "/logs/*.log", []),
}


def _listing(question: Question[object]) -> Json | Failed:
    assert isinstance(question, ListFolder)
    if question.root is None:
        return {"entries": []}
    folder = question.path.rstrip("/")
    below = {
        path.removeprefix(f"{folder}/").partition("/")[0]
        for path in FILES
        if path.startswith(f"{folder}/")
    }
    if not below:
        return Failed("missing", posixpath.basename(folder))
    return {"entries": [{"name": name, "type": "folder"} for name in sorted(below)]}


@pytest.mark.parametrize(("image", "text", "expected"), CASES.values(), ids=CASES)
def test_paths(image: str, text: str, expected: list[tuple[str, str]]) -> None:
    mounts = [{"Type": "bind", "Source": "/srv/p.yml", "Destination": "/etc/promtail/config.yml"}]
    web = container(Config={"Image": image}, Mounts=mounts)
    host = Made({"file.read": {"text": text}, "file.list": _listing})
    found = absent_logs(host, of(web))
    assert rows(judge("container.logs-absent", absent_logs=found)) == expected


SETTINGS = {
    "Promtail": (
        ("positions:\n  filename: /tmp/positions.yaml\nscrape_configs:\n- static_configs:\n"
        "  - labels:\n      __path__: /var/log/*log\n"),
        ["/var/log/*log"],
    ),
    "Promtail with choices": ("  __path__: /a/{b,c}.log\n", ["/a/{b,c}.log"]),
    "Promtail with a door": ("- loki_push_api:\n", ["-"]),
    "Filebeat with a port": ("- type: tcp\n", ["-"]),
    "Fluent Bit of its own lines": ("[INPUT]\n    Name dummy\n", ["-"]),
    "Promtail of the engine": ("scrape_configs:\n- docker_sd_configs:\n", ["-"]),
    "Filebeat": ("filebeat.inputs:\n- paths:\n    - /a/*.log\n    - '/b.log'\n  fields: {}\n", ["/a/*.log", "/b.log"]),
    "Fluent Bit": ("[INPUT]\n  Name tail\n  Path /a.log,/b.log\n  Path_Key p\n[OUTPUT]\n  Path /out\n", ["/a.log", "/b.log"]),
    "Fluent Bit of the engine": ("[INPUT]\n    Name forward\n", ["-"]),
    "Fluentd": ("<source>\n  @type tail\n  path /a.log\n</source>\n<match **>\n  path /out\n</match>\n", ["/a.log"]),
    "CrowdSec": ("filenames:\n  - /a/*.log\nlabels:\n  type: nginx\n", ["/a/*.log"]),
    "CrowdSec of the engine": ("source: docker\ncontainer_name: [a]\n", ["-"]),
    "CrowdSec of one file": ("source: file\nfilename: /a.log\n", ["/a.log"]),
    "in a comment": ("# filenames: [/a.log]\n", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_settings(text: str, expected: list[str]) -> None:
    assert list(log_paths(text)) == expected
