"""What compose copies into containers, by the files of a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diagnose.live.disk.compose.contents import written_contents
from diagnose.live.disk.compose.project_files import compose_project, differing_contents

FILE = """
services:
  mail:
    read_only: true
    configs:
      - source: relay
        target: /etc/msmtprc
      - banner
    secrets: [token]
  web: {}
configs:
  relay:
    content: |
      host ${SMTP_HOST}
      port ${SMTP_PORT:-587}
      price 5$$
  banner: {content: hello}
  page: {file: ./page.html}
secrets:
  token: {environment: MAIL_TOKEN}
"""
KNOWN = {"SMTP_HOST": "mail.lan", "SMTP_PORT": "", "MAIL_TOKEN": "made-up"}
RELAY = "host mail.lan\nport 587\nprice 5$\n"
CONTENTS = {
    "all are known": (
        KNOWN,
        "mail",
        {"/etc/msmtprc": RELAY, "/banner": "hello", "/run/secrets/token": "made-up"},
    ),
    "a shell may set the variables": ({}, "mail", {"/banner": "hello"}),
    "a service without files": (KNOWN, "web", {}),
    "no such service": (KNOWN, "shop", {}),
}


@pytest.mark.parametrize(("known", "service", "expected"), CONTENTS.values(), ids=CONTENTS)
def test_contents(known: dict[str, str], service: str, expected: dict[str, str]) -> None:
    assert written_contents({"compose.yaml": FILE}, service, known) == expected


@pytest.mark.parametrize("text", ["a: [", "services: 3", "services: {mail: {extends: web}}"])
def test_files_of_another_kind(text: str) -> None:
    assert written_contents({"compose.yaml": text}, "mail", KNOWN) == {}


def test_services_name_what_is_copied(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(FILE.replace("    secrets: [token]", "    secrets: [token, page]"))
    answer: Any = compose_project({"paths": [str(file)], "folder": str(tmp_path)})
    mail, web = answer["services"]
    assert mail["contents"] == ["relay", "banner", "token"]
    assert mail["is_read_only"]
    assert web["contents"] == []


def test_a_layer_is_compared_with_the_file(tmp_path: Path) -> None:
    """No link of the container leads out of its layer."""
    file, layer = tmp_path / "compose.yaml", tmp_path / "layer"
    file.write_text(FILE)
    (tmp_path / ".env").write_text("SMTP_HOST=mail.lan\nSMTP_PORT=\n")
    (layer / "etc").mkdir(parents=True)
    (layer / "etc" / "msmtprc").write_text("host old.lan\nport 587\nprice 5$\n")
    (tmp_path / "banner").write_text("of the host")
    (layer / "banner").symlink_to(tmp_path / "banner")
    args: dict[str, Any] = {"paths": [str(file)], "folder": str(tmp_path), "service": "mail"}
    asked: Any = args | {"layer": str(layer)}
    assert differing_contents(asked) == ["/etc/msmtprc"]
    (layer / "etc" / "msmtprc").write_text(RELAY)
    assert differing_contents(asked) == []
    assert differing_contents(asked | {"paths": [str(tmp_path / "gone")]}) == []
