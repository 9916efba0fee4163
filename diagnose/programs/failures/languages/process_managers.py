"""Errors of process managers about their children: supervisord, PHP-FPM, gunicorn, Celery."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import AddedUser, Inside, MoreTime, NewerBuild

_ONLY_FPM = (
    "case $(cat /proc/1/comm) in php-fpm*) ;; *) "
    "echo 'php-fpm is not the first process here: restart it by hand' >&2; exit 1 ;; esac"
)
"""A first process that is an init may take the signal for an order to shut down."""

PROCESS_MANAGERS = (
    Failure(
        name="gunicorn-timeout",
        mark="worker timeout",
        pattern=r"WORKER TIMEOUT \(pid:",
        cause="gunicorn kills its workers, because requests take longer than its timeout allows "
        "(30 s by default), and their clients get no answer",
        cure="find out what the requests wait for, or raise --timeout in GUNICORN_CMD_ARGS",
        source="benoitc/gunicorn#1801",
        turns_away=True,
        remedy=MoreTime("GUNICORN_CMD_ARGS", "--timeout"),
    ),
    Failure(
        name="celery-unregistered",
        mark="unregistered task",
        pattern=r"Received unregistered task of type '(?P<task>[^']+)'",
        cause="the worker does not know the task {task}, and discards its messages: its image "
        "is older than that of the program that sends them, or it does not import their module",
        cure="recreate the worker from the image of the program that sends the task",
        turns_away=True,
        remedy=NewerBuild(),
        look="builds",
    ),
    Failure(
        name="php-fpm-children",
        mark="max_children",
        pattern=r"server reached (?:pm\.)?max_children setting \((?P<most>\d+)\)",
        cause="all {most} processes of PHP are busy, and further requests wait or are rejected",
        cure="raise pm.max_children in a file of php-fpm.d, as far as the memory allows, "
        "or find out what the requests wait for",
        source="zabbix/zabbix-docker#451",
        turns_away=True,
        is_limit=True,
        remedy=Inside(
            f"{_ONLY_FPM}; cd /usr/local/etc/php-fpm.d && "
            "printf '%s\\n' '[www]' 'pm.max_children = {more}' >zz-children.conf && "
            "php-fpm -t && kill -USR2 1 || { rm -f zz-children.conf; false; }"
        ),
    ),
    Failure(
        name="apache-workers",
        mark="maxrequestworkers",
        pattern=r"server reached MaxRequestWorkers setting",
        cause="all workers of Apache are busy, and further requests wait or are rejected",
        cure="find out what the requests wait for, or raise MaxRequestWorkers as far as the memory allows, and "
        "restart Apache",
        source="Apache's own message (AH00161, AH00484)",
        turns_away=True,
        is_limit=True,
    ),
    Failure(
        name="uwsgi-queue",
        mark="listen queue of socket",
        pattern=r"uWSGI listen queue of socket .{1,120}? full !!! \((?P<most>\d+)/\d+\)",
        cause="all workers of uWSGI are busy, and {most} requests wait for one: more are rejected",
        cure="find out what the requests wait for, or give uWSGI more processes (--processes)",
        source="uWSGI's own message",
        turns_away=True,
        is_limit=True,
    ),
    Failure(
        name="php-fpm-user",
        mark="cannot get",
        pattern=r"cannot get (?:uid|gid) for (?:user|group) '(?P<user>[^']+)'",
        cause="the pool of PHP-FPM runs as {user}, and the image has no such user",
        cure="set user and group in the pool's file to www-data, or add the user to the image",
        remedy=AddedUser("{user}"),
    ),
    Failure(
        name="supervisor-background",
        mark="exit status 0; not expected",
        pattern=r"exited: (?P<program>[^\s(]{1,100}) \(exit status 0; not expected\)",
        cause="{program} ends with 0, and supervisord starts it again and again: it puts itself into the background as a "
        "daemon, has nothing more to do, or stops for what it says above",
        cure="read its lines above; a daemon has to stay in the foreground in its section of supervisord.conf (-f, -F, "
        "-n, daemon off), a job needs startsecs=0 and autorestart=false",
        source="supervisord documentation, nondaemonizing of subprocesses",
        follows=True,
        look="child",
    ),
    Failure(
        name="supervisor-unfound",
        mark="spawnerr",
        pattern=r"spawnerr: can't find command '(?P<program>[^'\n]{1,200})'",
        cause="supervisord should start {program}, and the image does not have it",
        cure="correct the command in the program's section of supervisord.conf, or install it in the image",
        source="supervisord's own message; toniher/docker-semanticmediawiki#10",
        look="image",
    ),
    Failure(
        name="supervisor-gave-up",
        mark="entered fatal state",
        pattern=r"gave up: (?P<program>\S+) entered FATAL state",
        cause="supervisord has given up starting {program}, and goes on without it",
        cure="see why {program} ends; supervisorctl start tries again",
        follows=True,
        look="child",
    ),
)
"""In the order in which a line is compared with them."""
