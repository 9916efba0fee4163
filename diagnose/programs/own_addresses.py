"""Settings with which programs get the address that they show to their users. Pure."""

import re

import msgspec

from diagnose.lazy_pattern import LazyPattern

OWN_URL = LazyPattern(
    r"""
    ^(?:[A-Z][A-Z0-9]{1,20}__?(?:SERVER__?)?)?
    (?:   (?:APP|BASE|EXTERNAL|PUBLIC|ROOT|SERVER|SITE|WEBHOOK|WEBSITE|EDITOR_BASE|FRONTEND|INSTANCE)_UR[LI]
        | APP_BASE_URL | APP_EXTERNAL_URL | CANONICAL_URL | KC_HOSTNAME | NEXTAUTH_URL | ORIGIN | DOMAIN
    )$
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Variables with the address of the program itself: WEBHOOK_URL, GITEA__server__ROOT_URL. The word
in front is the program's own name as a rule."""
ANNOUNCES = LazyPattern(
    r"(?i)\b(?:accessible|available|listening|running|ready|serving|served|reachable|started|visit"
    r"|open|appurl|root_?url)\b"
)
"""Words of a line in which a program prints its own address."""
URL = LazyPattern(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9][\w-]{0,62}(?:\.[\w-]{1,63}){0,7}\.[A-Za-z][A-Za-z-]{1,62})"
    r":(?P<port>\d{2,5})(?P<path>/[^\s\"'<>]{0,200})?(?![\w@])"
)
"""An address with the name of a machine and a port: https://shop.example.com:5678/hooks."""
HOST_NAME = LazyPattern(r"(?:[A-Za-z0-9][\w-]{0,62}\.){1,8}[A-Za-z][A-Za-z-]{1,62}")
ANNOUNCED_BY = {"n8n": "WEBHOOK_URL"}
"""By the name of an image, the variable that replaces the address of its start-up line."""


class LocalDefault(msgspec.Struct, frozen=True):
    """A program that takes localhost as its address where no variable has another one."""

    image: LazyPattern
    variable: str
    others: tuple[str, ...] = ()
    """Variables that give it an address too."""
    folder: str = ""
    """The folder in which its settings may have an address."""


LOCAL_DEFAULTS = (
    LocalDefault(
        LazyPattern(r"(?:^|/)n8n(?:[:@]|$)"), "WEBHOOK_URL", ("N8N_EDITOR_BASE_URL", "N8N_HOST")
    ),
    LocalDefault(
        LazyPattern(r"(?:^|/)grafana(?:-oss|-enterprise)?(?:[:@]|$)"),
        "GF_SERVER_ROOT_URL",
        ("GF_SERVER_DOMAIN", "GF_PATHS_CONFIG"),
        "/etc/grafana",
    ),
    LocalDefault(LazyPattern(r"(?:^|/)rocket\.chat(?:[:@]|$)"), "ROOT_URL"),
    LocalDefault(LazyPattern(r"(?:^|/)ghost(?:[:@]|$)"), "url"),
    LocalDefault(LazyPattern(r"(?:^|/)mealie(?:[:@]|$)"), "BASE_URL"),
    LocalDefault(LazyPattern(r"(?:^|/)hedgedoc(?:[:@]|$)"), "CMD_DOMAIN"),
)
"""Their documentation: it is the address of links in mails, of webhooks and of logins elsewhere."""


class GitServer(msgspec.Struct, frozen=True):
    """A server of repositories that shows its users an address for SSH."""

    image: LazyPattern
    files: tuple[str, ...]
    """Where its settings lie in the container."""
    port: LazyPattern
    """The port in a line of its settings."""
    variables: tuple[str, ...] = ()
    """The variables that come before the file."""
    first_variables: tuple[str, ...] = ()
    """Those from which its start script makes the file, where there is none."""
    off: LazyPattern = LazyPattern(r"(?i)^\s{0,9}DISABLE_SSH\s{0,9}=\s{0,9}true")
    """A line in its settings that switches SSH off."""
    off_variable: str = ""
    url_variables: tuple[str, ...] = ()
    """The variables with the address of its pages that come before the file."""


_INI_PORT = LazyPattern(r"(?i)^\s{0,9}SSH_PORT\s{0,9}=\s{0,9}[\"']?(?P<port>\d{1,5})")
ROOT_URL = LazyPattern(r"(?i)[ \t]{0,9}ROOT_URL[ \t]{0,9}=[ \t]{0,9}(?P<value>\S{1,300})")
"""A line of app.ini with the address of the pages."""
GIT_SERVERS = (
    GitServer(
        LazyPattern(r"(?:^|/)gitea(?:[:@]|$)"),
        ("/data/gitea/conf/app.ini", "/etc/gitea/app.ini", "/var/lib/gitea/custom/conf/app.ini"),
        _INI_PORT,
        ("GITEA__server__SSH_PORT", "GITEA__SERVER__SSH_PORT"),
        ("SSH_PORT",),
        off_variable="GITEA__server__DISABLE_SSH",
        url_variables=("GITEA__server__ROOT_URL", "GITEA__SERVER__ROOT_URL"),
    ),
    GitServer(
        LazyPattern(r"(?:^|/)forgejo(?:[:@]|$)"),
        ("/data/gitea/conf/app.ini", "/etc/gitea/app.ini", "/var/lib/gitea/custom/conf/app.ini"),
        _INI_PORT,
        ("FORGEJO__server__SSH_PORT", "GITEA__server__SSH_PORT", "FORGEJO__SERVER__SSH_PORT"),
        ("SSH_PORT",),
        off_variable="FORGEJO__server__DISABLE_SSH",
        url_variables=("FORGEJO__server__ROOT_URL", "GITEA__server__ROOT_URL"),
    ),
    GitServer(LazyPattern(r"(?:^|/)gogs(?:[:@]|$)"), ("/data/gogs/conf/app.ini",), _INI_PORT),
    GitServer(
        LazyPattern(r"(?:^|/)gitlab-(?:ce|ee)(?:[:@]|$)"),
        ("/etc/gitlab/gitlab.rb",),
        LazyPattern(r"gitlab_shell_ssh_port[\"']\]\s{0,9}=\s{0,9}(?P<port>\d{1,5})"),
    ),
)
"""Their documentation; all of them take 22 where no port is set. Forgejo reads the variables of
Gitea too."""
GITLAB_VARIABLE = "GITLAB_OMNIBUS_CONFIG"
"""It holds lines of gitlab.rb."""
SSH_PORTS = (22, 2222)
"""Ports at which these servers take SSH in their containers."""
USERS_FOR_GIT = frozenset({"forgejo", "git", "gitea", "gitlab", "gogs"})
"""A user of the host with one of these names passes SSH on to the container."""
