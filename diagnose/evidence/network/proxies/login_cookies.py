"""The marks of the cookies that programs set whose logins are forgotten."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.nginx.untold_programs import UntoldPrograms
from diagnose.evidence.network.proxies.web_address import web_address
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.web_pages import RequestPage
from diagnose.registry import evidence

MOST = 4
"""Programs that are asked for their login page."""


class LoginCookies(msgspec.Struct, frozen=True):
    """The attributes of a cookie by container id, without its name and value; "" for none."""

    by_id: dict[str, str] = {}

    def attribute(self, container: Container, name: str) -> str:
        """The value of an attribute in small letters, its name for one without a value; or ""."""
        for part in self.by_id.get(container.id, "").split(";"):
            key, _, value = part.strip().lower().partition("=")
            if key == name:
                return value or key
        return ""


@evidence
def login_cookies(
    host: Host, untold_programs: UntoldPrograms, namespaces: Namespaces | None
) -> LoginCookies:
    """The marks of session cookies on login pages, for the programs of that check only.

    Each login page takes one request, without a user and a password: many programs set the cookie
    of a session with that page.
    """
    pages = [*_login_pages(untold_programs, namespaces)]
    replies = host.ask_about(host.first(pages, MOST, "login pages"), lambda page: page.question)
    return LoginCookies(
        {
            page.container.id: reply.cookie_marks
            for page, reply in replies
            if not isinstance(reply, Failed) and reply.cookie_marks
        }
    )


class _LoginPage(msgspec.Struct, frozen=True):
    """The page of a login, and the question for it."""

    container: Container
    question: RequestPage


def _login_pages(
    untold_programs: UntoldPrograms, namespaces: Namespaces | None
) -> Iterator[_LoginPage]:
    for symptom in untold_programs.forgotten_logins:
        container = symptom.container
        address, _, port = web_address(container, namespaces).rpartition(":")
        if port and symptom.path:
            question = RequestPage(
                container.state.pid, address.removeprefix("http://"), int(port), target=symptom.path
            )
            yield _LoginPage(container, question)
