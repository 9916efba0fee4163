"""One answer for many hosts, from their reports.

    sources -> reports -> contrast -> causes -> answer -> render.fleet

- `sources`   where reports lie: files, folders, patterns, a list, a bucket (`bucket`).
- `reports`   one report as a fleet is compared by it. Nothing in it is trusted.
- `contrast`  the fact that splits the hosts with a cause from those without; pure.
- `answer`    causes, hosts that differ, hosts that are silent; pure.
- `ansible`   a collection that fetches reports over SSH; data, not imported.

Nothing here schedules, ships or stores. Why it is built as it is: `.github/decisions/fleet.md`.
"""
