"""Why a check of swarm does not apply."""

from __future__ import annotations

NOT_USED = "this engine is in no swarm"
NO_MANAGER = "this node is no manager: only managers know"
