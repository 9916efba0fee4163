"""One answer for many hosts, from their reports.

    sources -> reports -> contrast -> causes -> answer -> render.fleet

- `sources`   where reports lie: files, folders, patterns, a list, a bucket (`bucket`).
- `reports`   one report as a fleet is compared by it. Nothing in it is trusted. `packed` is a
              report as it is stored.
- `contrast`  the fact that splits the hosts with a cause from those without; pure.
- `causes`    each kind of root over all hosts that have it; pure.
- `answer`    causes, hosts that differ from their group (`groups`), hosts that are silent; pure.
- `model`     the nouns: the request, the reports by host, the answer.
- `ansible`   a collection that fetches reports over SSH; data, not imported.

Nothing here schedules, ships or stores. Why it is built as it is: `.github/decisions/fleet.md`.
"""
