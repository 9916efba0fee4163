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
