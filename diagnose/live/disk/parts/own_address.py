"""The lines of settings with the address that a server shows to its users. Pure."""

import re
from collections.abc import Iterator

_LINE = re.compile(
    r"[ \t]*(?:(?:ROOT_URL|SSH_PORT|SSH_LISTEN_PORT|DISABLE_SSH|SSH_DOMAIN)[ \t]*="
    r"|external_url[ \t]|gitlab_rails\[.gitlab_shell_ssh_port.\])[ \t]*[^\s#;][^#;\r\n]{0,200}",
    re.IGNORECASE,
)
"""Of Gitea and its kin, and of GitLab: SSH_PORT = 22, external_url 'https://git.example.com'"""


def own_address(text: str) -> Iterator[str]:
    """These lines without their indent; those in comments are left out."""
    for line in text.splitlines():
        if (match := _LINE.match(line)) is not None and "@" not in match[0]:
            yield match[0].strip()
