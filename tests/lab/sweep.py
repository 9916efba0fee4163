"""Removes what runs that were killed left on the machine: only boxes whose maker is gone, by their own
markers."""

from __future__ import annotations

from .box import RUN_DIR, remove_cgroups, remove_state, start_time


def sweep() -> list[str]:
    """Remove leftovers of boxes whose maker no longer lives; returns their ids."""
    removed = []
    for state in sorted(RUN_DIR.glob("[!.]*")):
        owner = state / "owner"
        try:
            pid, started = owner.read_text().split()
        except OSError:
            continue
        if start_time(int(pid)) == started:
            continue
        remove_cgroups(state.name)
        remove_state(state)
        removed.append(state.name)
    return removed


if __name__ == "__main__":
    for box in sweep():
        print(f"removed what was left of box {box}")
