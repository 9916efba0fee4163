"""Errors of a running engine about requests that it refuses, with their meaning in plain words."""

from diagnose.programs.failures.recognition import Failure

ENGINE_REQUESTS = (
    Failure(
        name="plugin-of-another-kind",
        mark="does not implement",
        pattern=r"(?P<plugin>[\w.:/-]{1,120}): Plugin does not implement the requested driver",
        cause="{plugin} is a plugin of another kind than the one that was asked of it (volume, network or log driver)",
        cure="docker plugin ls shows the plugins; name one that is made for this purpose",
    ),
    Failure(
        name="google-logs-unreached",
        mark="google cloud logging",
        pattern=r"unable to connect or authenticate with Google Cloud Logging: (?P<why>[^\n]{1,200})",
        cause="the log driver gcplogs did not reach Google Cloud, or has no credentials for it: {why}",
        cure="give dockerd the variable GOOGLE_APPLICATION_CREDENTIALS and a way to logging.googleapis.com, or take another log driver",
        confirmed_by="logging.driver-blocks-start",
    ),
    Failure(
        name="resolver-unanswered",
        mark="[resolver]",
        pattern=r"\[resolver\] (?:failed to query (?:external )?DNS server|connect failed|failed to read from DNS server)[^\n]{0,200}?"
        r"(?:dns-server=\\?\"?(?:udp|tcp):|server: |(?:udp|tcp) )(?P<server>\d{1,3}(?:\.\d{1,3}){3})",
        cause="the DNS server {server}, which the engine asks for its containers, did not answer",
        cure="dig @{server} example.com from this host says whether it answers at all; dns in daemon.json (or --dns) names another one",
    ),
    Failure(
        name="stop-not-obeyed",
        mark="container failed to exit within",
        pattern=r"Container failed to exit within (?P<time>[\w. ]{1,20}) of (?P<signal>kill|signal \w{1,10}) - (?:trying direct SIGKILL|using the force)",
        cause="the container's program had not ended {time} after the engine's {signal}, and is killed now",
        cure="after a stop signal: run the program as process 1 (exec form, --init), or give it time with --stop-timeout; after a kill: "
        "ps -eo pid,stat,wchan:30,args | grep ' D' shows a program that hangs in the kernel",
    ),
    Failure(
        name="health-probe-late",
        mark=("starting health check", "health check exceeded timeout"),
        pattern=r"timed out starting health check for container (?P<name>\w{1,64})|Health check exceeded timeout \((?P<time>[\w.]{1,20})\)",
        cause="the health check did not end within its timeout, which counts as a failure: its program waits, or the host is too busy to begin it",
        cure="docker inspect CONTAINER shows the last probes under Health; run the same command with docker exec and take the "
        "time, then raise --health-timeout (compose: healthcheck.timeout) or mend what it waits for",
        confirmed_by="container.unhealthy",
    ),
    Failure(
        name="files-not-unmounted",
        mark=("unmount", "to umount"),
        pattern=r"(?:failed to unmount container|error unmounting container|failed to umount)[^\n]{0,200}device or resource busy",
        cause="the files of a container stay mounted, because a process or another mount still uses them",
        cure="grep -l overlay2 /proc/[0-9]*/mountinfo names processes outside containers that hold them; when these have ended, docker rm works",
        confirmed_by="container.dead",
    ),
    Failure(
        name="events-late",
        mark=("post event", "failed to send event"),
        pattern=r"msg=\"(?:post event|failed to send event[^\"]{0,40})\" error=\"(?P<why>context deadline exceeded|[^\"\n]{1,100})\"",
        cause="a helper of containerd could not deliver an event in time ({why}): containerd was too busy, restarted, or its disk is slow",
        cure="if containers are then shown in a wrong state, systemctl restart containerd docker; uptime and iostat -x 2 show the load",
    ),
    Failure(
        name="size-of-container",
        mark="--storage-opt is supported",
        pattern=r"--storage-opt is supported only for overlay over xfs with 'pquota'",
        cause="a container was to have a size of its own (--storage-opt size), which the engine "
        "cannot give: its data root is not on xfs with project quotas",
        cure="create it without --storage-opt (compose: storage_opt), or put the data root on xfs "
        "that is mounted with pquota",
        source="moby/moby#37556",
    ),
    Failure(
        name="volume-driver",
        mark="error looking up volume plugin",
        pattern=r"error looking up volume plugin (?P<plugin>\S+): plugin \S+ not found",
        cause="a volume was to be made by the plugin {plugin}, which this engine does not have",
        cure="install or start the plugin",
        source="moby/moby#21147",
    ),
    Failure(
        name="queries-at-once",
        mark="concurrent queries",
        pattern=r"\[resolver\] more than (?P<most>\d+) concurrent queries",
        cause="a container has more than {most} questions open at the engine's resolver, which drops "
        "what comes beyond: a program asks for very many names, or their DNS server is slow",
        cure="find the container that asks (its log, or its UDP counters in /proc/PID/net/snmp), let "
        "it ask for fewer names at once or keep answers, or give it a DNS server that answers quickly",
        source="moby/libnetwork#2214",
    ),
)
"""Refused requests of which only the line is left: no container, no volume."""
