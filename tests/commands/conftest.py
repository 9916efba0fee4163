"""Fixtures that several of these tests use."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.recording.answer_files import write_folder
from diagnose.recording.recorder import RecordedAnswer
from tests.questions import question


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recorded host with one container whose program is missing."""
    inspect = {
        "Id": "f" * 64,
        "Name": "/gateway",
        "Path": "/app/server",
        "Config": {
            "Image": "gateway:1.4",
            "Labels": {
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": "gateway",
                "com.docker.compose.project.config_files": "/srv/shop/compose.yml,/srv/shop/prod.yml",
            },
        },
        "State": {
            "Status": "created",
            "ExitCode": 127,
            "Error": 'exec: "/app/server": stat /app/server: no such file or directory: unknown',
        },
    }
    answers = {
        question("now"): {"wall": 1.8e9, "boot_wall": 1.7e9},
        question("uname"): {
            "nodename": "shop-3",
            "release": "6.1.0",
            "version": "",
            "machine": "x86_64",
        },
        question("endpoint"): {
            "url": "unix:///var/run/docker.sock",
            "source": "default",
            "named": False,
        },
        question("api.ping"): {"api_version": "1.51", "engine_version": "28.5.2", "libpod": None},
        question("api.containers", all=True): [{"Id": "f" * 64, "Names": ["/gateway"]}],
        question("api.container", id="f" * 64): inspect,
    }
    write_folder(
        tmp_path / "host",
        {q: RecordedAnswer(answer) for q, answer in answers.items()},
        {"made": "for a test"},
    )
    return tmp_path / "host"
