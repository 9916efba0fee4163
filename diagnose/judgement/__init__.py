"""From evidence to a report: judging, linking causes, silences, selection and exit codes.

A run, in the order in which it happens:

- `selection`      which checks, and containers, the user's words name.
- `engine`         the run as a whole.
- `collection`     collects the evidence that checks need; `workers` are the threads for it, and
                   `tracking_host` is the host as one collector sees it.
- `judge`          one check on collected evidence; `deadline` ends it.
- `recheck`        asks again about containers that may have changed.
- `causes`         folds effects under their causes; `proof` judges the host without a cause.
- `lone_failures`  programs that do nothing but fail, on a host that is well otherwise.
- `coincidence`    what containers have in common that began to fail together.
- `changes_before` what was changed on the host before a problem.
- `silences`       findings that somebody lives with.
- `report`         puts the report together; `signature` is a finding's name on any host.
- `why_not`        why a finding is what it is, for `explain --here`.
- `exit_codes`     the exit code of a report."""
