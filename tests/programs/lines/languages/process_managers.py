"""Lines of real logs for the rows of `diagnose/programs/failures/languages/process_managers.py`."""

from __future__ import annotations

LINES = {
    "supervisor-unfound": "2020-02-26 22:07:09,379 INFO spawnerr: can't find command '/usr/sbin/php-fpm7.0'",
    "apache-workers": (
        "[mpm_prefork:error] [pid 1] AH00161: server reached MaxRequestWorkers setting, consider raising it"
    ),
    "uwsgi-queue": '*** uWSGI listen queue of socket ":8000" (fd: 3) full !!! (101/100) ***',
    "php-fpm-user": "[02-Jan-2026 10:00:00] ERROR: [pool www] cannot get uid for user 'nginx'",
    "supervisor-gave-up": "INFO gave up: app entered FATAL state, too many start retries too quickly",
    "gunicorn-timeout": "[2026-05-01 10:00:30 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)",
    "celery-unregistered": (
        "[2026-05-01 10:00:00,123: ERROR/MainProcess] Received unregistered task of type 'a.b'."
    ),
    "php-fpm-children": (
        "[12-Apr-2019 18:55:47] WARNING: [pool www] server reached pm.max_children setting (5), consider "
        "raising it"
    ),
    "supervisor-background": "INFO exited: nslcd (exit status 0; not expected)",
}
