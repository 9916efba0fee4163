"""Containers that repeat lines of their logs."""

from __future__ import annotations

from tests.inspected import container

APP = container("app")
NOW = 1_800_000_000.0
"""After the start of every container here."""
REFUSED = "2026-11-27 10:00:0{} ERROR [pool-{}] no connection to mq.example:5672: refused"
