"""Reports in an object store: a server that speaks S3 takes and gives them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.test_reports import WHOLE

needs_moto = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("boto3", "moto", "flask")),
    reason="boto3 or moto[server] is missing: pip install boto3 'moto[s3,server]'",
)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on loopback with a bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    made_up = {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in {**made_up, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="reports")
    try:
        yield "s3://reports"
    finally:
        server.stop()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "diagnose", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ)
    )


@needs_moto
def test_a_report_that_was_pushed_is_answered_for(store: str, tmp_path: Path):
    import boto3

    done = run("all", "--from", "demo", "--push", f"{store}/day1/")
    assert done.returncode == 2, done.stderr
    boto3.client("s3").put_object(Bucket="reports", Key="day1/web1.json", Body=WHOLE)
    boto3.client("s3").put_object(Bucket="reports", Key="day1/broken.json.gz", Body=b"\x1f\x8b")
    boto3.client("s3").put_object(Bucket="reports", Key="day1/notes.txt", Body=b"")
    (key,) = (
        row["Key"]
        for row in boto3.client("s3").list_objects_v2(Bucket="reports")["Contents"]
        if "dockerhost" in row["Key"]
    )
    assert key == "day1/dockerhost-20261124T005741Z.json.gz"
    done = run("fleet", f"{store}/day1", "--format", "json")
    report = json.loads(done.stdout)
    # the demo was recorded two days before the other report
    assert (report["hosts"], [silent["host"] for silent in report["silent"]]) == (1, ["dockerhost"])
    assert [file["place"] for file in report["not_counted"]] == ["s3://reports/day1/broken.json.gz"]


@needs_moto
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fleet", "s3://reports/none"], "no report lies below s3://reports/none"),
        (["fleet", "s3://nobody/day1"], "cannot read s3://nobody/day1"),
        (["all", "--from", "demo", "--push", "s3://nobody/"], "cannot push to s3://nobody/"),
    ],
)
@pytest.mark.usefixtures("store")
def test_what_a_store_refuses_is_one_clear_sentence(words: list[str], message: str):
    done = run(*words)
    assert done.returncode == 3
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_none_is_refused():
    done = run("all", "--from", "demo", "--push", "http://example.net/x")
    assert done.returncode == 3
    assert "'http://example.net/x' is not an address such as s3://BUCKET/PREFIX/" in done.stderr
