"""Parts of compose files."""

from __future__ import annotations

from diagnose.live.disk.compose.parts import service_parts, volume_parts

BASE = "volumes: {data: {driver_opts: {type: none, o: bind, device: /srv/a}}}"
OVERRIDE = "volumes: {data: {driver_opts: {device: /srv/b}}}"
TAGGED = "volumes: {data: {driver_opts: !override {device: /srv/b}}}"


def test_options_of_several_files_are_merged() -> None:
    (volume,) = volume_parts({"/a.yaml": BASE, "/b.yaml": OVERRIDE})
    options = {"type": "none", "o": "bind", "device": "/srv/b"}
    assert volume == {"key": "data", "options": options, "path": "/b.yaml"}


def test_a_file_that_is_not_read_takes_all_away() -> None:
    assert volume_parts({"/a.yaml": BASE, "/b.yaml": TAGGED}) == []
    service = "services: {api: {command: migrate && serve}}"
    assert service_parts([service], "api")["command"] == "migrate && serve"
    assert service_parts([service, TAGGED], "api") == {}
