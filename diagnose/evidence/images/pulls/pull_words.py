"""Certificates, logins and proxies in the text of a failed pull, beyond its kind. Pure."""

import re

import msgspec

from diagnose.lazy_pattern import LazyPattern

_GUESS = LazyPattern(r" \((?:possibly|Client\.Timeout).*", re.DOTALL)
"""The text that Go adds in brackets: a hint, or the name of its own timer."""
_REQUEST = LazyPattern(r'^.*(?:Get|Head|Post|resolve reference) "[^"]*": ', re.DOTALL)
_OUTDATED = LazyPattern(
    r"certificate has expired or is not yet valid: "
    r"current time (?P<now>\S+) is (?P<side>after|before) (?P<end>\S+)"
)
"""A certificate of a registry that has expired, or is not valid yet."""
_UNTRUSTED = LazyPattern(r"signed by unknown authority|self[- ]signed|not trusted")
_MISNAMED = LazyPattern(
    r"certificate is (?:valid for|not valid for any)|cannot validate certificate for|legacy Common Name"
)
"""A certificate of a registry that holds for other names."""
_HANDSHAKE = "TLS handshake timeout"
_NO_SUCH_TAG = LazyPattern(r"manifest unknown|manifest for \S+ not found")
_WRONG_LOGIN = LazyPattern(
    r"(?:incorrect|invalid|wrong) username or password|HTTP Basic: Access denied|bad credentials"
    r"|(?:personal )?access token (?:has|is) (?:been )?(?:expired|revoked|invalid)",
    re.IGNORECASE,
)
"""Errors of registries about a login that they received (Docker Hub, GitLab, Harbor, Nexus):
without any login they ask for one."""
_NO_LOGIN = "no basic auth credentials"
"""The engine's error before it asks a registry that wants a name and a password."""
_FORBIDDEN = LazyPattern(
    r"unexpected status from \w{3,7} request to (?P<place>https?://[^\s/]{1,200}/v2/)\S*: 403 Forbidden"
)
"""The error of containerd about an answer to HEAD, which has no text: a registry's, or a web
filter's."""
_LOGIN_TOO_OLD = "authorization token has expired"
"""Amazon's registry."""
_PROXY_STATUS = LazyPattern(r"https://[^\s\"]{1,300}\"?: ([A-Z][a-z]+(?: [A-Za-z]+)*)$")
_PROXY_UNREACHED = LazyPattern(
    r"proxyconnect tcp: (?:dial tcp \S+: )?(?:dial tcp: )?(?P<why>[^\n]+)$"
)
_STORED_ELSEWHERE = LazyPattern(
    r"download failed after attempts=\d+: dial tcp(?:: lookup)? (?P<server>(?:\[[^\]]+\]|[^\s:]+)(?::\d+)?)"
    r"(?: on \S+)?: (?P<why>.*)",
    re.DOTALL,
)
"""Engines from 23 on leave the address of the image out, since it may hold a key."""
_CUT_OFF = LazyPattern(
    r"""
    [Dd]ownload\ failed\ after\ (?:attempts=)?\d+(?:\ attempts)?:\ (?P<why>
          (?:unexpected\ )?EOF
        | net/http:\ TLS\ handshake\ timeout
        | http2:\ [^\n]{1,200}
        | (?:read\ tcp\ \S+:\ |local\ error:\ |remote\ error:\ )[^\n]{1,200}
        | context\ deadline\ exceeded[^\n]{0,200}
      )$
    """,
    re.VERBOSE,
)
"""A download that began after the registry had answered, and whose connection broke."""
_NO_WAY = LazyPattern(
    r"dial tcp|lookup|i/o timeout|Client\.Timeout|deadline exceeded|no such host|unreachable"
)
_UNMAPPED = LazyPattern(r"[Cc]ontainer ID (\d+) cannot be mapped")


class CertificateDates(msgspec.Struct, frozen=True):
    """A certificate that is not valid at the time of this host's clock."""

    has_expired: bool
    """Otherwise it is not valid yet."""
    limit: str
    """The end of its time, or the beginning."""
    now: str


class LayerServer(msgspec.Struct, frozen=True):
    """The server to which a registry sends the engine, and why it cannot be reached."""

    address: str
    why: str


class PullWords(msgspec.Struct, frozen=True):
    """The text of one failed pull."""

    text: str

    @property
    def without_request(self) -> str:
        """The error text without the request that failed."""
        return _GUESS.sub("", _REQUEST.sub("", self.text))

    @property
    def forbidden_at(self) -> str:
        """The address of the registry's API that answered 403 without a word; "" otherwise."""
        match = _FORBIDDEN.search(self.text)
        return match["place"] if match is not None else ""

    @property
    def certificate_dates(self) -> CertificateDates | None:
        match = _OUTDATED.search(self.text)
        if match is None:
            return None
        return CertificateDates(match["side"] == "after", match["end"], match["now"])

    @property
    def distrusts_certificate(self) -> bool:
        return _UNTRUSTED.search(self.text) is not None

    @property
    def misnames_host(self) -> bool:
        """Whether the certificate is for other names than the called one, or for none."""
        return _MISNAMED.search(self.text) is not None

    @property
    def handshake_timed_out(self) -> bool:
        return _HANDSHAKE in self.text

    @property
    def misses_tag(self) -> bool:
        """Whether the registry knows the repository, and not the tag."""
        return _NO_SUCH_TAG.search(self.text) is not None

    @property
    def refuses_login(self) -> bool:
        """Whether the registry refuses the login of the pull."""
        return _WRONG_LOGIN.search(self.text) is not None

    @property
    def lacks_login(self) -> bool:
        """Whether the pull had no login, at a registry that requires one."""
        return _NO_LOGIN in self.text

    @property
    def login_is_too_old(self) -> bool:
        return _LOGIN_TOO_OLD in self.text

    @property
    def proxy_status(self) -> str:
        """The status with which a proxy answers CONNECT; "" without one in the text."""
        match = _PROXY_STATUS.search(self.text)
        return match[1] if match is not None else ""

    @property
    def why_proxy_unreached(self) -> str:
        match = _PROXY_UNREACHED.search(self.text)
        return match["why"] if match is not None else ""

    @property
    def layer_server(self) -> LayerServer | None:
        """The server of the layers, where the registry itself answers."""
        match = _STORED_ELSEWHERE.search(self.text)
        return LayerServer(match["server"], match["why"]) if match is not None else None

    @property
    def why_cut_off(self) -> str:
        """The end of a download's connection, where the registry itself answers; "" for none."""
        match = _CUT_OFF.search(self.text)
        return match["why"] if match is not None else ""

    @property
    def finds_no_way(self) -> bool:
        """Whether a pull fails so where the internet is reached through a proxy alone."""
        return _NO_WAY.search(self.text) is not None

    @property
    def unmapped_id(self) -> int | None:
        """The owner of a file that the engine's user namespace does not have."""
        match = _UNMAPPED.search(self.text)
        return int(match[1]) if match is not None else None
