"""Reports in an object store that speaks S3, by boto3: the extra `s3`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from diagnose.fleet.sources import ENDINGS, Packed, SourceError, Unusable

MISSING = "s3:// needs the package boto3: pip install 'docker-host-diagnose[s3]'"


def client() -> Any:
    """The client of boto3; its usual variables and files say which store and which key. SourceError where boto3 is missing."""
    try:
        import boto3  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ModuleNotFoundError:
        raise SourceError(MISSING) from None
    return boto3.client("s3")


def read(url: str, largest: int) -> Iterator[Packed | Unusable]:
    """All reports whose keys begin as the address says. SourceError where the store refuses, or has none."""
    parts = urlsplit(url)
    store = client()
    prefix = parts.path.lstrip("/")
    found = False
    try:
        for page in store.get_paginator("list_objects_v2").paginate(Bucket=parts.netloc, Prefix=prefix):
            for entry in page.get("Contents", ()):
                if entry["Key"].endswith(ENDINGS):
                    found = True
                    yield _object(store, parts.netloc, entry["Key"], largest)
    except Exception as error:
        if not _is_of_boto(error):
            raise
        raise SourceError(f"cannot read {url}: {error}") from error
    if not found:
        raise SourceError(f"no report lies below {url}")


def _is_of_boto(error: Exception) -> bool:
    """botocore's errors have a common ancestor only by half; all of them come from its modules."""
    return type(error).__module__.partition(".")[0] in ("botocore", "boto3")


def _object(store: Any, bucket: str, key: str, largest: int) -> Packed | Unusable:
    place = f"s3://{bucket}/{key}"
    data = store.get_object(Bucket=bucket, Key=key)["Body"].read(largest + 1)
    return Packed(place, data) if len(data) <= largest else Unusable(place, f"is larger than {largest // 2**20} MiB")
