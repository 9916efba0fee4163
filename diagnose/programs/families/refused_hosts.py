"""Host names by which a program does not let itself be called."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Extended

_HOSTS = ("ALLOWED_HOSTS", "DJANGO_ALLOWED_HOSTS")
"""Variables in which images list the host names that they serve."""

REFUSED_HOSTS = (
    Failure(
        name="host-refused",
        mark="",
        pattern=r"""(?x)
            Invalid\ HTTP_HOST\ header:\ '(?P<host>[^':]{1,253})(?::\d+)?'(?!\.\ The\ domain\ name)
            | \bBlocked\ hosts?:\ (?P<host_rails>[\w.:-]{1,253})
            | \b(?i:refused|rejected|denied|blocked)\ (?:connections?|requests?)\ (?:with|for|to)\ (?:the\ )?
                host\ ?(?:name|header)?:?\ ["'](?P<host_refused>[A-Za-z][\w.-]{0,252})["']
            | \b(?i:untrusted|disallowed)\ host(?:\ header)?:?\ ["'](?P<host_untrusted>[A-Za-z][\w.-]{0,252})["']
            | \bhost\ ?(?:name)?\ \(?["'](?P<host_unlisted>[A-Za-z][\w.-]{0,252})["']\)?
                \ is\ not\ (?:allowed|trusted|whitelisted)\b(?!\ to\ connect)
            | \bHost\ validation\ failed\ for:?\ (?P<host_homepage>[\w.:-]{1,253}\w)
            | \bInvalid\ Host\ header\b.{0,160}?\bReceived\ Host\ header:\ '(?P<host_qbittorrent>[\w.-]{1,253})
        """,
        cause="the program refuses those who ask for {host}, "
        "a host name that its settings do not allow",
        cure="add {host} to the setting: ALLOWED_HOSTS in Django, "
        "config.hosts in Rails, host_whitelist in SABnzbd",
        source="cookiecutter/cookiecutter-django#451; Rails' own message; "
        "linuxserver/docker-sabnzbd#73",
        turns_away=True,
        remedy=Extended(_HOSTS, "{host}"),
    ),
    Failure(
        name="some-host-refused",
        mark="host",
        pattern=r"""(?x)
            \bRejected\ request\ from\ \S{1,60}\ \(Host\ not\ whitelisted\)  # Transmission
            | \bhost\ header\b[^\n]{0,40}\b(?:is|was)\ not\ (?:allowed|trusted|whitelisted)\b  # Duplicati
            | \bthe\ hostname\ was\ unrecognized\b
        """,
        cause="the program refuses those who call it by a host name that its settings do not allow, and the line does "
        "not say which",
        cure="add the name by which its users call it to the setting for host names (rpc-host-whitelist in "
        "Transmission, --webservice-allowed-hostnames in Duplicati), or have the proxy pass on the name that it takes",
        source="Transmission's and Duplicati's own messages",
        turns_away=True,
    ),
)
"""Before the families of settings, whose words are wider."""
