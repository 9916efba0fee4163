"""Requests for the first page of a web server, and its answers."""

from typing import Literal

import msgspec

from diagnose.questions.question import Policy, Question

PageOutcome = Literal["answered", "silent", "closed", "refused", "unreachable", "no http"]
"""silent: the connection stands, and no answer comes in time. closed: it ended without an answer.
no http: what came is not an answer of HTTP, or TLS failed."""


class PageReply(msgspec.Struct, frozen=True):
    """The outcome of one GET."""

    outcome: PageOutcome
    at: float = 0.0
    """Unix time at which it was sent."""
    ms: float = 0.0
    """Milliseconds until the outcome."""
    tls: bool = False
    """Whether TLS was spoken in the end."""
    status: int = 0
    server: str = ""
    """The header Server."""
    kind: str = ""
    """The header Content-Type."""
    location: str = ""
    """Where a redirect leads; "" for any other answer."""
    buffering: str = ""
    """The header X-Accel-Buffering, by which a program tells nginx not to hold its answer back."""
    alternatives: str = ""
    """The header Alt-Svc: by which other protocols and ports the site may be asked."""
    upgrades: bool = False
    """Whether a policy has browsers ask by HTTPS for what the page names by http://."""
    path: str = "/"
    """What was asked for last: redirects to the same host and port are followed."""
    redirects: int = 0
    """How many were followed."""
    is_circle: bool = False
    """Whether the last redirect leads to what was asked for before."""
    cookie_marks: str = ""
    """The attributes of a cookie that the last answer set, without its name and its value."""
    sets_cookie: bool = False
    """Whether an answer on the way set a cookie, which a browser would have sent back."""
    body: str = ""
    """Its first bytes as text; "" for what is not text."""
    unread: int | None = None
    """Bytes of the request that the program has not read; None where that was not looked at."""
    quiet_s: float | None = None
    """Seconds since the program last sent anything to any client of the port, None for never."""


class RequestPage(Question[PageReply], frozen=True):
    """One GET, from inside the network namespace of a process.

    Redirects to the same host and port are followed, five at most, all within five seconds.
    """

    POLICY = Policy(
        "net.page",
        what="the answer of a web server",
        collector="network.web_page:request_page",
        lane="probe",
        deadline=7,
        priority=2,
        longest=8 * 1024,
    )
    pid: int
    address: str
    port: int
    name: str = "localhost"
    """The host that is asked for: what Host and TLS say."""
    outer_port: int = 0
    """The port at which clients come; 0 for `port`."""
    tls: bool = False
    """Whether TLS is tried first. The other way is tried where the server wants it."""
    target: str = "/"
    """What is asked for. Of another page than the first one the header counts alone, and two
    seconds are waited."""
    forwarded: bool = False
    """Whether it says, as a proxy that ends TLS does, that the client came by HTTPS."""

    def about(self) -> str:
        page = "its first page" if self.target == "/" else self.target
        return f"the answer of {self.address} port {self.port} to a request for {page}"
