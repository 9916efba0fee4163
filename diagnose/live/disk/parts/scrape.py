"""The targets from which Prometheus and its like collect figures, by their settings. Pure."""

from collections.abc import Iterator
from typing import Any

from diagnose.yaml_text import read_values

_PROXIES = ("proxy_url", "proxy_from_environment")
_MOST_JOBS = 60
_MOST_GROUPS = 40
_MOST_TARGETS = 100
"""What is read of one file: entries of a list may stand for others, which are lists again."""
_PORTS = {"http": 80, "https": 443}


def scrape_targets(text: str) -> Iterator[str]:
    """HOST:PORT of each fixed target of the jobs, as the settings have it now.

    A job that calls through a proxy is left out: the proxy knows the names.
    A job that gives its targets to an exporter, as those of the blackbox exporter, calls that
    exporter: its address is in the replacement of the label `__address__`.
    """
    try:
        settings = read_values(text)
    except ValueError:
        return
    jobs = settings.get("scrape_configs") if isinstance(settings, dict) else None
    for job in jobs[:_MOST_JOBS] if isinstance(jobs, list) else ():
        if isinstance(job, dict) and not any(map(job.get, _PROXIES)):
            yield from dict.fromkeys(_targets_of(job))


def _targets_of(job: dict[str, Any]) -> Iterator[str]:
    port = _PORTS.get(str(job.get("scheme", "http")), 80)
    rules = [rule for rule in _dicts(job.get("relabel_configs")) if _sets_address(rule)]
    groups = _dicts(job.get("static_configs"))[:_MOST_GROUPS]
    targets = [target for group in groups for target in _texts(group.get("targets"))]
    for place in _texts([rule.get("replacement") for rule in rules]) if rules else targets:
        is_plain = bool(place) and "/" not in place and "$" not in place
        if is_plain:
            yield place if ":" in place else f"{place}:{port}"


def _texts(values: object) -> list[str]:
    listed = values[:_MOST_TARGETS] if isinstance(values, list) else []
    return [value for value in listed if isinstance(value, str)]


def _sets_address(rule: dict[str, Any]) -> bool:
    return rule.get("target_label") == "__address__"


def _dicts(values: object) -> list[dict[str, Any]]:
    return (
        [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    )
