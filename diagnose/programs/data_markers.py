"""Files by which data shows which program, or which version of it, has written it. Pure."""

import msgspec

from diagnose.lazy_pattern import LazyPattern


class DataMarker(msgspec.Struct, frozen=True):
    """A file in the data that shows that the program of an image cannot use this data."""

    image: LazyPattern
    """Images whose program does not read the file."""
    file: str
    """The path of the file, below the folder of the data."""
    cause: str
    """The fault, as words behind `its data`."""
    cure: str
    says: LazyPattern | None = None
    """The contents of the file; None where its presence is enough."""
    old_tag: str = ""
    """The tag of the last release that reads the data; "" where another program does."""


DATA_MARKERS = (
    DataMarker(
        LazyPattern(
            r"(?:^|/)minio(?:/minio)?(?:$|[:@](?!RELEASE\.20(?:1\d|2[01]|22-(?:0\d|10-[012]))))"
        ),
        ".minio.sys/format.json",
        cause="is in MinIO's old filesystem format, which releases after 2022-10 do not read",
        cure="run RELEASE.2022-10-24T18-35-07Z, copy the buckets to a new volume, then upgrade",
        says=LazyPattern(r"\"format\"\s{0,9}:\s{0,9}\"fs\""),
        old_tag="RELEASE.2022-10-24T18-35-07Z",
    ),
    DataMarker(
        LazyPattern(r"(?:^|/)(?:mysql|mysql-server|percona)(?:[:@]|$)"),
        "aria_log_control",
        cause="was written by MariaDB, and MySQL does not read that",
        cure="run MariaDB, make a dump there, and load it into a new volume under MySQL",
    ),
    DataMarker(
        LazyPattern(r"(?:^|/)mariadb(?:[:@]|$)"),
        "mysql.ibd",
        cause="was written by MySQL 8 or later, and MariaDB does not read that",
        cure="run MySQL, make a dump there, and load it into a new volume under MariaDB",
    ),
)
"""MinIO's documentation of its migration from the gateway and the filesystem mode; the files that
MySQL 8 (its dictionary) and MariaDB (Aria) alone have."""
