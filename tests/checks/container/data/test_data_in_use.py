"""The checks in checks/container/data/data_in_use.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.data.data_files import DataFiles, DataVersion, data_files
from diagnose.evidence.containers.mounts.data.foreign_data import foreign_data
from diagnose.live.disk import worker
from tests.checks.container.evidence import CLOCK, FOUND, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

DATA = {
    "Type": "volume",
    "Name": "data",
    "Source": "/var/lib/docker/volumes/data/_data",
    "Destination": "/d",
    "RW": True,
}


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("another one writes there", container_in("running", name="db", Mounts=[DATA]), FOUND),
        (
            "another one only reads",
            container_in("running", name="db", Mounts=[{**DATA, "RW": False}]),
            [],
        ),
        ("the other one is down", container_in("exited", name="db", Mounts=[DATA]), []),
        (
            "another volume",
            container_in("running", name="db", Mounts=[{**DATA, "Source": "/x"}]),
            [],
        ),
    ],
)
def test_who_holds_the_data(name: str, other: Container, expected: list[tuple[str, str]]):
    container, log_tails = failed_with_log(
        "[ERROR] InnoDB: Unable to lock ./ibdata1 error: 11", Mounts=[DATA]
    )
    result = judge(
        "container.data-locked", containers=of(container, other), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected
    assert [finding.variables["holder"] for finding in result.findings] == ["db"] * len(expected)


POSTGRES = "DETAIL:  The data directory was initialized by PostgreSQL version 13, which is not compatible with this version 16.2"


@pytest.mark.parametrize(("version", "expected"), [("13", FOUND), ("12", []), ("", [])])
def test_the_version_in_the_data(version: str, expected: list[tuple[str, str]]):
    container, log_tails = failed_with_log(
        "FATAL:  database files are incompatible with server",
        POSTGRES,
        Config={"Image": "postgres:16"},
    )
    if version:
        versions = {
            container.id: DataVersion(version, "/v/PG_VERSION", Mount(type="volume", name="data"))
        }
    else:
        versions = {}
    result = judge(
        "container.data-version-mismatch",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=DataFiles(versions, {}),
    )
    assert rows(result) == expected
    assert [finding.variables["old_image"] for finding in result.findings] == ["postgres:13"] * len(
        expected
    )


BOOT = (
    "[ERROR] [MY-013171] [InnoDB] Cannot boot server version 80036 on data directory built by "
    "version {}. Downgrade is not supported"
)
REDO = "[ERROR] InnoDB: Upgrade after a crash is not supported. The redo log was created with MariaDB 10.7.1."
FS = "ERROR Unable to use the drive /data: Drive /data: found backend type fs, expected xl or xl-single"
NEXTCLOUD = (
    "Can't start Nextcloud because the version of the data (29.0.1.1) is higher than the docker image "
    "version (28.0.6.1) and downgrading is not supported. Are you sure you have pulled the newest image?"
)


@pytest.mark.parametrize(
    ("line", "image", "old"),
    [
        (REDO, "mariadb:10.9.2", "mariadb:10.7"),
        (REDO, "docker.io/library/mariadb", "docker.io/library/mariadb:10.7"),
        (REDO, "mariadb:10.7", ""),
        (REDO, "lscr.io/linuxserver/mariadb:latest", ""),
        (FS, "minio/minio", "minio/minio:RELEASE.2022-10-24T18-35-07Z"),
        (FS, "bitnami/minio:2022", ""),
        (NEXTCLOUD, "nextcloud:28-fpm-alpine", "nextcloud:29-fpm-alpine"),
        (BOOT.format("90000"), "mysql:8.0", "mysql:9.0"),
        (BOOT.format("80400"), "mysql:8.0", "mysql:8.4"),
        (BOOT.format("50744"), "mysql", "mysql:5.7"),
    ],
)
def test_the_version_in_the_log(line: str, image: str, old: str):
    container, log_tails = failed_with_log(line, Config={"Image": image})
    result = judge(
        "container.data-version-mismatch",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=DataFiles({}, {}),
    )
    assert [finding.variables["old_image"] for finding in result.findings] == [old] * bool(old)


@pytest.mark.parametrize(
    ("stated", "said"), [("90000", "9.0.0"), ("80411", "8.4.11"), ("50744", "5.7.44")]
)
def test_versions_that_mysql_writes_as_numbers(stated: str, said: str) -> None:
    container, log_tails = failed_with_log(BOOT.format(stated), Config={"Image": "mysql:latest"})
    (finding,) = judge(
        "container.data-version-mismatch",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=DataFiles({}, {}),
    ).findings
    assert f"MySQL {said}, " in finding.summary
    assert "(8.0.36)" in finding.summary


@pytest.mark.parametrize(
    ("pgdata", "seen"),
    [("/d/plain", "13"), ("/d/linked", ""), ("/d/plain/../../..", "")],
    ids=["the database's own file", "a link to a file of the host", "a path out of the mount"],
)
def test_what_a_container_put_in_its_data_leads_to_no_file_of_the_host(
    pgdata: str, seen: str, tmp_path: Path
) -> None:
    (tmp_path / "PG_VERSION").write_text("of the host")
    data = tmp_path / "volumes/data"
    for folder in ("plain", "linked"):
        (data / folder).mkdir(parents=True)
    (data / "plain/PG_VERSION").write_text("13\n")
    (data / "linked/PG_VERSION").symlink_to(tmp_path / "PG_VERSION")
    container, log_tails = failed_with_log(
        "FATAL:  database files are incompatible with server",
        POSTGRES,
        Config={"Image": "postgres:16", "Env": [f"PGDATA={pgdata}"]},
        Mounts=[{**DATA, "Source": str(data)}],
    )

    def read(question: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = worker.read(question.args)
        except OSError:
            return {"text": ""}
        return answer

    found = data_files(Made({"file.read": read}), of(container), log_tails, CLOCK)
    assert [version.version for version in found.versions.values()] == [seen] * bool(seen)


STORE = {"Type": "volume", "Name": "s3", "Source": "/v/s3", "Destination": "/data", "RW": True}
NOT_FOUND = "FATAL Unable to use the drive /data: drive not found: Invalid arguments specified."
FORMAT = '{"version":"1","format":"fs","id":"x","fs":{"version":"2"}}'
FOREIGN: dict[str, tuple[str, dict[str, str], list[tuple[str, str]], str]] = {
    "the old format of MinIO": (
        "minio/minio:latest",
        {".minio.sys/format.json": FORMAT},
        FOUND,
        "minio/minio:RELEASE.2022-10-24T18-35-07Z",
    ),
    "a newer format": (
        "minio/minio:latest", {".minio.sys/format.json": FORMAT.replace("fs", "xl")}, [], "",
    ),
    "a release that reads it": (
        "minio/minio:RELEASE.2022-10-24T18-35-07Z", {".minio.sys/format.json": FORMAT}, [], "",
    ),
    "a release of 2021": (
        "minio/minio:RELEASE.2021-06-17T00-10-46Z", {".minio.sys/format.json": FORMAT}, [], "",
    ),
    "data of MariaDB": ("mysql:8.4", {"aria_log_control": ""}, FOUND, ""),
    "data of MySQL": ("mariadb:11", {"mysql.ibd": ""}, FOUND, ""),
    "its own data": ("mariadb:11", {"aria_log_control": ""}, [], ""),
}  # fmt: skip


@pytest.mark.parametrize(("image", "files", "expected", "old"), FOREIGN.values(), ids=FOREIGN)
def test_data_of_another_program(
    image: str, files: dict[str, str], expected: list[tuple[str, str]], old: str
) -> None:
    store, log_tails = failed_with_log(NOT_FOUND, Mounts=[STORE], Config={"Image": image})

    def stats(question: Any) -> dict[str, object]:
        known = {f"/v/s3/{name}": {"type": "file"} for name in files}
        return {path: known.get(path, {"failed": "missing"}) for path in question.paths}

    def read(question: Any) -> dict[str, object]:
        return {"text": files.get(question.path.strip("/"), "")}

    host = Made({"file.stats": stats, "file.read": read})
    result = judge(
        "container.data-version-mismatch",
        containers=of(store),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=DataFiles({}, {}),
        foreign_data=foreign_data(host, of(store), log_tails),
    )
    assert rows(result) == expected
    assert [finding.variables.get("old_image", "") for finding in result.findings] == (
        [old] if expected else []
    )
