"""Reports in an object store that speaks S3, by boto3: the extra `s3`.

Reading many, and pushing one.
"""

import gzip
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from diagnose.fleet.packed import ENDINGS, Packed, SourceError, Unusable
from diagnose.phrases import utc

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
"""Characters that a key does not have: a host's name may hold anything."""
MISSING = "s3:// needs the package boto3: pip install 'docker-host-diagnose[s3]'"


def client() -> Any:
    """The client of boto3; its usual variables and files say which store and which key.

    SourceError where boto3 is missing.
    """
    try:
        import boto3  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ModuleNotFoundError:
        raise SourceError(MISSING) from None
    return boto3.client("s3")


def read(url: str, largest: int) -> Iterator[Packed | Unusable]:
    """All reports whose keys begin as the address says.

    SourceError where the store refuses, or has none.
    """
    parts = urlsplit(url)
    store = client()
    prefix = parts.path.lstrip("/")
    has_reports = False
    try:
        for page in store.get_paginator("list_objects_v2").paginate(
            Bucket=parts.netloc, Prefix=prefix
        ):
            for entry in page.get("Contents", ()):
                if entry["Key"].endswith(ENDINGS):
                    has_reports = True
                    yield _object(store, parts.netloc, entry["Key"], largest)
    except Exception as error:
        if not _is_of_boto(error):
            raise
        raise SourceError(f"cannot read {url}: {error}") from error
    if not has_reports:
        raise SourceError(f"no report lies below {url}")


class PushError(Exception):
    """The report could not be pushed; one clear sentence."""


def push(url: str, host: str, taken_at: float, report: str) -> str:
    """Put a report into the store, gzipped, under the host's name and its time; gives the address.

    PushError where it refuses.
    """
    parts = urlsplit(url)
    timestamp = utc(taken_at).strftime("%Y%m%dT%H%M%SZ")
    plain = _UNFIT.sub("-", host) or "host"
    key = f"{parts.path.lstrip('/')}{plain}-{timestamp}.json.gz"
    data = gzip.compress(report.encode(), mtime=0)
    try:
        client().put_object(Bucket=parts.netloc, Key=key, Body=data, ContentType="application/gzip")
    except SourceError as error:
        raise PushError(str(error)) from None
    except Exception as error:
        if not _is_of_boto(error):
            raise
        raise PushError(f"cannot push to {url}: {error}") from error
    return f"s3://{parts.netloc}/{key}"


def _is_of_boto(error: Exception) -> bool:
    """Whether an error is of botocore, whose errors have a common ancestor only by half; all of
    them come from its modules."""
    return type(error).__module__.partition(".")[0] in ("botocore", "boto3")


def _object(store: Any, bucket: str, key: str, largest: int) -> Packed | Unusable:
    place = f"s3://{bucket}/{key}"
    data = store.get_object(Bucket=bucket, Key=key)["Body"].read(largest + 1)
    if len(data) <= largest:
        return Packed(place, data)
    return Unusable(place, f"is larger than {largest // 2**20} MiB")
