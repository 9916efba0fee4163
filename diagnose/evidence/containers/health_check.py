"""A container's health check: its probe, its schedule, and its results. Pure."""

import posixpath
import re
import shlex

import msgspec

from diagnose.evidence.containers.addresses.host_lists import list_without
from diagnose.evidence.containers.addresses.probe_proxies import ELSEWHERE, probe_proxy
from diagnose.evidence.containers.addresses.probe_variables import expanded_command
from diagnose.evidence.containers.addresses.proxy_settings import ProxySetting, proxy_settings
from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import Health, Healthcheck, HealthProbe
from diagnose.evidence.containers.split_probes import whole_command
from diagnose.evidence.dns.resolvers import EMBEDDED
from diagnose.evidence.network.addresses import EVERYWHERE, EVERYWHERE6, WEB_PORTS, is_loopback
from diagnose.evidence.network.container_netns import ContainerNetns
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.phrases import unix

TIMED_OUT = -1
"""The exit code of a probe that the engine has ended, or that it could not begin."""
_LACKING = LazyPattern(
    r"""
      exec:\ "(?P<exec>[^"]{0,300})":\ (?:
            executable\ file\ not\ found
          | .{0,300}no\ such\ file\ or\ directory
          | .{0,300}permission\ denied
        )
    | (?:^|:\ |\d:\ )(?P<shell>[\w./-]{1,300}):[ ]
        (?:not\ found|command\ not\ found|No\ such\ file\ or\ directory|Permission\ denied)\s*$
    """,
    re.MULTILINE | re.VERBOSE,
)
"""A probe whose program is missing or may not be executed, in the words of the runtime (exec form)
and of the shell (shell form)."""
_NO_SCRIPT = LazyPattern(
    r"can't open file '(?P<python>[^'\n]{1,300})': \[Errno 2\]"
    r"|Cannot find module '(?P<node>/[^'\n]{1,300})'"
    r"|Could not open input file: (?P<php>[^\s]{1,300})"
    r"|No such file or directory -- (?P<ruby>[^\s]{1,300}) \(LoadError\)"
    r"|Can't open perl script \"(?P<perl>[^\"\n]{1,300})\""
    r"|Unable to access jarfile (?P<java>[^\s]{1,300})"
    r"|\b(?:sh|ash|dash)(?:: \d{1,3})?: (?:cannot|can't) open '?(?P<shell>[^\s':]{1,300})'?: No such file"
)
"""Errors of the interpreters about a script that does not exist."""
_OWN = r"(?:\b(?:ip6-)?localhost|\b127\.0\.0\.1|\b0\.0\.0\.0|\[?::1?\]?(?![\da-f]))"
_OWN_PORT = LazyPattern(
    rf"(?:{_OWN}:|/dev/tcp/{_OWN}/|\bn(?:c|cat|etcat)\b[^|;&]{{0,60}}?\s{_OWN}\s{{1,3}})(?P<port>\d{{2,5}})\b"
)
"""A port of its own container in the command of a probe: of a URL, of bash, or of netcat."""
_OWN_WEB = LazyPattern(rf"\b(?P<scheme>https?)://{_OWN}(?=[/?#\s'\"]|$)")
"""A URL of its own container without a port."""
_OWN_URL = LazyPattern(rf"https?://{_OWN}(?::\d{{2,5}})?(?:/[^\s'\"|;&<>]{{0,200}})?")
_PAGE = LazyPattern(r"/[^\s'\"|;&<>]{1,200}")
"""The path behind the port in a URL, beyond the start page."""
_STATUS = r"(?:\bHTTP/\d(?:\.\d)? |\berror:? |\bstatus(?: code)?[:= ]{1,3})"
_STATUS_4XX = LazyPattern(rf"{_STATUS}(?P<status>4\d\d)\b", re.IGNORECASE)
_STATUS_5XX = LazyPattern(rf"{_STATUS}5\d\d\b", re.IGNORECASE)
"""A status of the class 5xx in the words of wget, curl and the programs of images."""
_OF_HOSTS = (400, 403, 421)
"""The statuses with which servers refuse requests for another host than their own."""
_SHOWING = {"curl": "curl -sS -i -m 5", "wget": "wget -S -T 5 -O -"}
"""Tools of probes, with the options that show status and answer."""
_IS_IPV4 = LazyPattern(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}")
_NO_IPV6 = LazyPattern(r"connection refused|cannot assign requested address", re.IGNORECASE)
_OWN_HOST = LazyPattern(r"(?<![\w.-])(?:(?:ip6-)?localhost|\[::1?\]|::1?)(?=[:/\s'\"]|$)")
_EVERY = frozenset((*EVERYWHERE, *EVERYWHERE6))
_NANO = 1e9
_DEFAULT_S = 30.0
"""Seconds between two probes, and seconds that one may take."""
NOT_BEGUN = "OCI runtime exec failed"
"""Beside exit code -1: nothing ran that could have ended (seen at the limit of processes on engines
20.10.24 and 28.5.2)."""
_QUIET_TOOLS = {
    "curl": "curl -sS --fail",
    "wget": "wget -S --spider",
    "nc": "nc -v",
    "pgrep": "pgrep -a",
    "test": "a command that prints what it finds",
}
"""Tools that probes use, and their forms that print the result."""


class HealthCheck(msgspec.Struct, frozen=True):
    """The health check of a running container, and the results of its probes so far."""

    container: Container
    health: Health
    netns: ContainerNetns | None = None
    """The sockets inside; None where they could not be seen."""

    @property
    def _words(self) -> list[str]:
        return list(self._settings.test or [])

    @property
    def text(self) -> str:
        """The probe as a reader sees it, cut at its end."""
        return " ".join(self._words[1:])[:120]

    @property
    def command(self) -> str:
        """The probe as `--health-cmd` takes it, for a shell.

        Addresses and ports stand in place of the variables that hold them.
        """
        words = self._words[1:]
        if self.is_for_a_shell:
            return expanded_command(words[0], self.container.config)
        return shlex.join(words)

    @property
    def whole_command(self) -> str:
        """The probe as one text, where its shell runs the first word alone; "" elsewhere."""
        return whole_command(self._words)

    @property
    def is_for_a_shell(self) -> bool:
        """Whether the probe is one text, which a shell of the container runs."""
        return self._words[:1] == ["CMD-SHELL"] and len(self._words) > 1

    @property
    def command_by_ipv4(self) -> str:
        """The probe's command, with the container's own address in place of its name."""
        return _OWN_HOST.sub("127.0.0.1", self.command)

    @property
    def command_by_port(self) -> str:
        """The command at the one port that the container serves; "" where that is not known."""
        call = self._call
        port = self.only_port
        if call is None or not port:
            return ""
        if "port" in call.groupdict():
            start, end = call.span("port")
            moved = f"{self.command[:start]}{port}{self.command[end:]}"
            return re.sub(rf":{call['port']}(?!\d)", f":{port}", moved)
        if call["scheme"] == "https":
            return ""
        return f"{self.command[: call.end()]}:{port}{self.command[call.end() :]}"

    @property
    def interval_s(self) -> float:
        return _seconds(self._settings.interval)

    @property
    def timeout_s(self) -> float:
        return _seconds(self._settings.timeout)

    @property
    def longer_timeout(self) -> str:
        """The engine's own timeout, where the last probe ran into a shorter one; "" otherwise.

        A probe that takes longer than that hangs.
        """
        has_begun = NOT_BEGUN not in self.output
        is_slow = self.exit_code == TIMED_OUT and has_begun and self.timeout_s < _DEFAULT_S
        return f"{_DEFAULT_S:.0f}s" if is_slow else ""

    @property
    def start_period_s(self) -> float:
        """Seconds after the start in which a failed probe does not count."""
        return (self._settings.start_period or 0) / _NANO

    @property
    def has_failed_since_its_start(self) -> bool:
        """Whether no probe of this run has succeeded."""
        since = self.failing_since
        began = self.container.started_at
        if since is None or began is None:
            return False
        unseen = max(self.health.failing_streak - len(self.probes), 0)
        slack = 2 * self.interval_s + (unseen + 1) * self.timeout_s
        return since - began <= slack + self.start_period_s

    @property
    def _settings(self) -> Healthcheck:
        return self.container.config.healthcheck or Healthcheck()

    @property
    def probes(self) -> list[HealthProbe]:
        """The probes that the engine has kept, the last five."""
        return self.health.log or []

    @property
    def last(self) -> HealthProbe | None:
        return self.probes[-1] if self.probes else None

    @property
    def last_end(self) -> float | None:
        """Unix time at which the last probe ended; the container's start where none did."""
        ended = unix(self.last.end) if self.last is not None else None
        return ended if ended is not None else self.container.started_at

    @property
    def exit_code(self) -> int:
        """The exit code of the last probe; 0 where there was none."""
        return self.last.exit_code if self.last is not None else 0

    @property
    def output(self) -> str:
        """The output of the last probe."""
        return (self.last.output or "").strip() if self.last is not None else ""

    @property
    def lacks_program(self) -> str:
        """The program of the probe that the container does not have; "" where the probe ran."""
        lacking = _LACKING.search(self.output) if self.exit_code else None
        return (lacking["exec"] or lacking["shell"]) if lacking is not None else ""

    @property
    def lacks_script(self) -> str:
        """The file that its interpreter was to run and the container does not have.

        "" where it ran. A program's own missing file is something else: its name is not in the
        probe.
        """
        missing = _NO_SCRIPT.search(self.output) if self.exit_code else None
        path = str(missing[missing.lastgroup or 0]) if missing is not None else ""
        name = posixpath.basename(path).partition(".")[0]
        return path if name and name in self.command else ""

    @property
    def missing(self) -> str:
        """The program or the script of the probe that the container does not have."""
        return self.lacks_program or self.lacks_script

    @property
    def outputs(self) -> list[str]:
        """The output of each probe in the present series of failures.

        The last one may have had no time to print.
        """
        row = self.probes[-max(self.health.failing_streak, 1) :]
        return [probe.output or "" for probe in row]

    @property
    def failing_since(self) -> float | None:
        """Unix time of the first failure of the row.

        Beyond the engine's five kept probes by their own pace.
        """
        streak = self.health.failing_streak
        row = self.probes[-streak:] if streak else []
        starts = [began for probe in row if (began := unix(probe.start)) is not None]
        if not starts:
            return None
        pace = self.interval_s
        if len(starts) > 1:
            pace = (starts[-1] - starts[0]) / (len(starts) - 1)
        return starts[0] - (streak - len(starts)) * pace

    @property
    def talkative_tool(self) -> str:
        """The form of a silent probe's tool that prints its result; "" for another probe."""
        return "" if self.output else _QUIET_TOOLS.get(self._tool, "")

    @property
    def _tool(self) -> str:
        """The program of the command that sends its request; "" for an unknown one."""
        names = (posixpath.basename(word) for word in re.findall(r"[\w./-]+", self.text))
        return next((name for name in names if name in _QUIET_TOOLS), "")

    @property
    def refused_status(self) -> int:
        """The HTTP status of the 4xx kind with which its server answers the probe; 0 for none."""
        status = _STATUS_4XX.search(self.output) if self.exit_code else None
        return int(status["status"]) if status is not None else 0

    @property
    def unlisted_host(self) -> str:
        """The host of the probe that its server refuses and the variable lacks; or ""."""
        url = _OWN_URL.search(self.command)
        if self.refused_status not in _OF_HOSTS or url is None or ELSEWHERE.search(self.command):
            return ""
        host = url[0].partition("://")[2].partition("/")[0].partition(":")[0]
        return host if list_without(self.container, host) else ""

    @property
    def command_at_start_page(self) -> str:
        """The command with the start page as its target; "" where it already has that target."""
        call = self._call
        if call is None:
            return ""
        page = _PAGE.match(self.command, call.end())
        is_url = "://" in call[0] or self.command[: call.start()].endswith("://")
        if page is None or not is_url:
            return ""
        return f"{self.command[: page.start()]}/{self.command[page.end() :]}"

    @property
    def shown_request(self) -> str:
        """A command that repeats the request of a silent or 5xx probe, and shows the answer."""
        is_told = bool(self.output) and not _STATUS_5XX.search(self.output)
        return "" if is_told else self.own_request

    @property
    def own_request(self) -> str:
        """A command that repeats the probe's request and shows the answer; "" without a request."""
        url = _OWN_URL.search(self.command)
        if url is None or ELSEWHERE.search(self.command):
            return ""
        tool = _SHOWING.get(self._tool, "")
        return f"{tool} {shlex.quote(url[0])} 2>&1 | head -n 15" if tool else ""

    @property
    def _call(self) -> re.Match[str] | None:
        """The container's own address in the probe's command; one with a port comes first."""
        if ELSEWHERE.search(self.command):
            return None
        return _OWN_PORT.search(self.command) or _OWN_WEB.search(self.command)

    @property
    def unserved_port(self) -> int:
        """The port of its own container that the probe calls and where nothing listens.

        0 if there is none, or it is not known.
        """
        call = self._call
        if call is None or self.netns is None:
            return 0
        port = _port_of(call)
        is_web = "://" in self.command[: call.end()]
        protocols = ("tcp",) if is_web else ("tcp", "udp")
        return 0 if any(self.netns.sockets(protocol, port) for protocol in protocols) else port

    @property
    def ipv4_port(self) -> int:
        """The port of its own container that the probe calls over IPv6, and that only IPv4 serves.

        Where the connection was refused, which `nc -z` does not say; 0 if there is none.

        musl and busybox take ::1 for localhost first, and busybox's tools try no other address.
        Before engine 26 a container without IPv6 has no ::1 either.
        """
        call = self._call
        is_silent = self._tool == "nc" and self.exit_code == 1 and not self.output
        is_refused = is_silent or _NO_IPV6.search(self.output)
        if call is None or self.netns is None or not is_refused:
            return 0
        port = _port_of(call)
        sockets = self.netns.sockets("tcp", port)
        is_served = bool(sockets) and all(":" not in socket.address for socket in sockets)
        return port if is_served and not _IS_IPV4.search(call[0]) else 0

    @property
    def other_address(self) -> str:
        """The address at which its server listens, where the probe calls the loopback address.

        "" where it listens at that one too, or the connection was not refused.
        """
        call = self._call
        if call is None or self.netns is None or "refused" not in self.output.lower():
            return ""
        addresses = {socket.address for socket in self.netns.sockets("tcp", _port_of(call))}
        is_elsewhere = not any(is_loopback(address) or address in _EVERY for address in addresses)
        return min(addresses) if addresses and is_elsewhere else ""

    @property
    def proxy(self) -> ProxySetting | None:
        """The proxy to which the probe's request to its own container is sent, by the output."""
        return probe_proxy(self.container, self.command, self.output, self.exit_code)

    @property
    def command_without_proxy(self) -> str:
        """The probe without the variables that name a proxy."""
        names = " ".join(sorted(proxy.variable for proxy in proxy_settings(self.container)))
        return f"unset {names}; {self.command}"

    @property
    def only_port(self) -> int:
        """The one TCP port that the container serves; 0 where it serves none or several."""
        sockets = self.netns.listeners if self.netns is not None else ()
        ports = {
            socket.port
            for socket in sockets
            if socket.protocol == "tcp" and socket.address != EMBEDDED
        }
        return only(ports) or 0


def interval_s(container: Container) -> float:
    """The seconds that the engine waits before each run of a container's health check."""
    healthcheck = container.config.healthcheck
    return _seconds(healthcheck.interval if healthcheck is not None else None)


def _seconds(nanoseconds: int | None) -> float:
    """A time of a health check; the engine's default where none is set."""
    return nanoseconds / _NANO if nanoseconds else _DEFAULT_S


def _port_of(call: re.Match[str]) -> int:
    """The port that a probe calls, by its number or the default of its URL."""
    parts = call.groupdict()
    return int(parts["port"]) if "port" in parts else WEB_PORTS[parts["scheme"]]
