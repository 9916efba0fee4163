"""Questions about the way to the engine: its endpoint, its machine, the docker command."""

import msgspec

from diagnose.questions.question import Policy, Question

DEFAULT_SOCKETS = frozenset({"/var/run/docker.sock", "/run/docker.sock"})


class Rootless(msgspec.Struct, frozen=True):
    """The user whose rootless engine the endpoint is, and the places of that engine."""

    uid: int
    config: str | None = None
    """Its daemon.json; None where the user's home is not known."""
    data: str | None = None
    """Its data root, unless another one is configured; None where the home is not known."""
    runtime: str = ""
    """The folder of its socket and its pid file."""
    traces: bool | None = None
    """Whether anything of an engine lies at these places; None where nobody could look."""


class Endpoint(msgspec.Struct, frozen=True):
    """The address of the engine, and the setting that it comes from."""

    url: str = ""
    scheme: str = ""
    """unix, tcp or ssh."""
    source: str = ""
    """What decided it."""
    named: bool = False
    """Whether the user chose it."""
    rootless: Rootless | None = None
    """The user whose rootless engine it is, None for the system's engine."""
    context: str | None = None

    @property
    def path(self) -> str:
        """The socket's path; empty for an engine that is reached in another way."""
        return self.url.removeprefix("unix://") if self.scheme == "unix" else ""

    @property
    def place(self) -> str:
        """The socket's path, or the port of this machine itself; empty for one elsewhere."""
        host = self.url.removeprefix("tcp://").rpartition(":")[0].strip("[]")
        is_here = self.scheme == "tcp" and (host in ("localhost", "::1") or host.startswith("127."))
        return self.url if is_here else self.path

    @property
    def is_default(self) -> bool:
        """Whether this is where an engine belongs: the system's, or that of a user who has one."""
        if self.path in DEFAULT_SOCKETS:
            return True
        rootless_engine = self.rootless
        has_engine = rootless_engine is not None and rootless_engine.traces is True
        return (
            rootless_engine is not None
            and has_engine
            and self.path == f"{rootless_engine.runtime}/docker.sock"
        )


class FindEndpoint(Question[Endpoint], frozen=True):
    """The endpoint that the docker client would use."""

    POLICY = Policy(
        "endpoint",
        what="the engine's address",
        collector="engine.endpoint:endpoint",
        lane="local",
        scope="tool",
        deadline=2,
        priority=0,
    )


class BrokenPlugin(msgspec.Struct, frozen=True):
    """A plugin of the docker command that cannot be run."""

    name: str
    path: str
    target: str = ""
    """Where the plugin's link leads; "" for a file."""
    failure: str = ""
    """missing: a link that leads nowhere. forbidden: a file that may not be executed."""


class ClosedSettings(msgspec.Struct, frozen=True):
    """A user's docker settings that this user may not read."""

    user: str
    path: str
    """The folder that may not be entered, or the file that may not be read."""
    owner: str
    """The owner of that folder or file."""


class CallerLogins(msgspec.Struct, frozen=True):
    """The stored logins of a user: of the one who called sudo, for whom the docker command runs as
    root, or of another one of the host."""

    user: str
    folder: str
    """The folder of that user's docker settings."""
    logins: tuple[str, ...]
    """Registries, as images name them."""


class ClientProxy(msgspec.Struct, frozen=True):
    """The proxy that a user's docker settings give to containers and builds, not to the engine."""

    file: str
    http: str = ""
    https: str = ""
    exceptions: str = ""
    """Hosts that are reached without it, with commas between them."""


class BrokenHelper(msgspec.Struct, frozen=True):
    """A credential helper whose program the kernel does not execute."""

    helper: str
    path: str
    kind: str
    """windows, processor, interpreter, empty or text."""
    detail: str = ""
    """The processor, as an ELF header has its number, or the interpreter that is missing."""


class UnreadStore(msgspec.Struct, frozen=True):
    """A password store that the helper `pass` cannot read."""

    store: str
    registry: str = ""
    """The registry of a login that cannot be decrypted; "" where no store was made."""
    recipient: str = ""
    """The key for which that login is encrypted, and which GnuPG does not know."""


class ClientSettings(msgspec.Struct, frozen=True):
    """The settings of the docker command of this user."""

    file: str = ""
    """The path of the client's configuration; "" without one."""
    user: str = ""
    malformed: str = ""
    """Why it holds no JSON object; "" if it does."""
    store: str = ""
    """The credential helper of all registries."""
    helpers: dict[str, str] = {}
    """The credential helpers of single registries, by registry."""
    absent: tuple[str, ...] = ()
    """The helpers whose program is not installed."""
    not_executable: dict[str, str] = {}
    """Of the absent helpers, the path of a program that is there and that nobody may execute."""
    lacking: tuple[tuple[str, str], ...] = ()
    """By helper, the program that it runs itself and that is not installed."""
    broken: tuple[BrokenHelper, ...] = ()
    """The helpers whose program is there and cannot run."""
    unread_store: UnreadStore | None = None
    without_bus: str = ""
    """The path of a helper that needs the session bus of a desktop, which this user has not."""
    by_default: bool = False
    """Whether nothing names that helper: the docker command takes it because it is there."""
    plugins: tuple[BrokenPlugin, ...] = ()
    """The plugins that do not work."""
    listens: bool = False
    """Whether a program listens at the default socket."""
    logins: tuple[str, ...] | None = None
    """Registries with a stored login, as images name them; None where that was not recorded."""
    closed: ClosedSettings | None = None
    """Settings of this user, or of the one who called sudo, that their user may not read."""
    caller: CallerLogins | None = None
    """None where nobody called sudo, or that user is not logged in anywhere."""
    of_caller: "ClientSettings | None" = None
    """The helpers of the user who called sudo; None where nobody did, or without a helper."""
    others: tuple[CallerLogins, ...] = ()
    """Other users of the host: those with a login, and the members of the group docker."""
    proxies: tuple[ClientProxy, ...] = ()
    """Of this user, and of the one who called sudo."""
    context: str = ""
    """The current context of the configuration, if no variable overrides it; "" for the default."""

    def useless_helper(self, registry: str) -> str:
        """The helper that keeps the login of a registry and cannot work; "" if it can."""
        name = self.helpers.get(registry) or self.store
        useless = {*self.absent, *(helper for helper, _ in self.lacking)}
        useless |= {broken.helper for broken in self.broken}
        if self.unread_store is not None and self.unread_store.registry in ("", registry):
            useless.add("pass")
        return name if name in useless else ""

    def lends_login(self, registry: str) -> bool:
        """Whether the user who called sudo is logged in at a registry, and this one is not."""
        has_own = registry in (self.logins or ())
        return self.caller is not None and registry in self.caller.logins and not has_own

    def lenders(self, registry: str) -> list[CallerLogins]:
        """Other users who are logged in at a registry."""
        return [user for user in self.others if registry in user.logins]

    def strangers(self, registry: str) -> list[CallerLogins]:
        """Other users who may use the engine, and are not logged in at a registry."""
        return [user for user in self.others if registry not in user.logins]


class ReadClientSettings(Question[ClientSettings], frozen=True):
    """The settings of the docker command of this user: the names of logins, never their secrets."""

    POLICY = Policy(
        "client.settings",
        what="the settings of the docker command",
        collector="engine.client_settings:settings",
        lane="local",
        scope="tool",
        deadline=2,
    )


class Locality(msgspec.Struct, frozen=True):
    """Whether the engine runs on this machine, and as which process."""

    same_host: bool
    why: str = ""
    engine_pid: int | None = None
    """None with same_host: no engine is alive, and this is where it should be."""


class FindLocality(Question[Locality], frozen=True):
    """Whether the engine runs on this machine, and as which process."""

    POLICY = Policy(
        "locality",
        what="whether the engine runs on this host",
        collector="engine.locality:locality",
        lane="local",
        scope="tool",
        deadline=4,
        priority=0,
    )
