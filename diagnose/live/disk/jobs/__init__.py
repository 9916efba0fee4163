"""What cron and systemd of the host do with docker, and with its packet filter.

`collectors` answers the questions, `cron_files` and `host_call_files` run in the workers; the other
modules read lines, and are pure.
"""
