"""The events that wake a watch.

The kernel and the engine report changes, so that nothing is asked while nothing happens.

| source | what it reports | topic |
|---|---|---|
| the engine's events, which a process follows (`EventStream`) | containers, networks | containers |
| rtnetlink: links, addresses, routes, rules, forwarding | the host's network | network |
| nfnetlink: changes of nftables and of iptables over it | the packet filter | network |
| pressure stall information: triggers of /proc/pressure | programs that wait | pressure |
| inotify on /etc/docker and /etc | daemon.json, resolv.conf | files |

Rules of iptables-legacy change without a notice. Everything is read-only, but for the trigger that
a PSI file takes. There is no thread: whoever waits may fork.
"""

import contextlib
import ctypes
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Literal

from diagnose.live import Live, Refused
from diagnose.live.kernel.modules import is_loaded
from diagnose.questions.run import Options

Topic = Literal["containers", "network", "pressure", "files", "engine"]

_NETLINK_ROUTE = 0
_NETLINK_NETFILTER = 12
_SOL_NETLINK = 270
_ADD_MEMBERSHIP = 1
_ROUTE_GROUPS = (1, 5, 7, 8, 9, 11, 19, 24, 25)
"""Groups of linux/rtnetlink.h: links, IPv4 addresses, routes and rules, IPv6 addresses, routes and
rules, netconf of both."""
_NFTABLES_GROUP = 7
_NEW_LINK = 16
_AF_BRIDGE = 7
_MESSAGE = struct.Struct("=IHHIIB")
"""struct nlmsghdr, and the first byte of what follows: a family of addresses."""
_PSI = {"memory": b"some 200000 2000000\0", "io": b"some 1000000 2000000\0"}
"""Triggers: programs waited for memory 10 % of two seconds, or for disks half of them."""
_IN_CHANGED = 0x00000008 | 0x00000080 | 0x00000100 | 0x00000200
"""IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE, IN_DELETE of linux/inotify.h."""
FILES = {"/etc/docker": (b"daemon.json",), "/etc": (b"resolv.conf",)}
EVENTS = {
    "type": ["container", "network", "volume", "daemon"],
    "event": [
        "start", "die", "oom", "health_status", "destroy", "pause", "unpause", "connect",
        "disconnect", "create", "reload", "update",
    ],
}  # fmt: skip
"""The engine sends these alone: health checks make three exec events each, which would wake a watch
for ever."""
RETRY_S = 1.0


class Wake:
    """Waits for changes. Sources that cannot be had are left out; `missing` names them."""

    def __init__(self, options: Options) -> None:
        self.missing: list[str] = []
        self._selector = selectors.DefaultSelector()
        self._life = -1
        self._ours = -1
        self._follow_engine(options)
        self._listen("rtnetlink", _NETLINK_ROUTE, _ROUTE_GROUPS)
        if is_loaded("nf_tables"):
            self._listen("nfnetlink", _NETLINK_NETFILTER, (_NFTABLES_GROUP,))
        self._pressure = _Pressure(self.missing)
        self._watch_files()

    def wait(self, seconds: float) -> frozenset[Topic]:
        """The topics that changed, as soon as one has; none after `seconds`."""
        topics: set[Topic] = set()
        ends = time.monotonic() + seconds
        while not topics and (seconds_left := ends - time.monotonic()) > 0:
            for key, _ in self._selector.select(min(seconds_left, self._pressure.patience)):
                topics |= key.data(key.fileobj)
            if self._pressure.has_fired():
                topics.add("pressure")
        return frozenset(topics)

    def close(self) -> None:
        """End the process that follows the engine."""
        for handle in (self._ours, self._life):
            with contextlib.suppress(OSError):
                os.close(handle)

    # -- the engine ----------------------------------------

    def _follow_engine(self, options: Options) -> None:
        """Start a process that follows the engine's events and wakes this one."""
        reads, writes = os.pipe()
        lives, life = os.pipe()
        if os.fork() == 0:
            os.close(reads)
            os.close(life)
            _follow(options, writes, lives)
        os.close(writes)
        os.close(lives)
        os.set_blocking(reads, False)
        self._ours = reads
        self._life = life
        self._selector.register(reads, selectors.EVENT_READ, self._engine_topics)

    def _engine_topics(self, handle: int) -> set[Topic]:
        """The topics of the letters that a helper has sent; the engine where it has ended."""
        words = os.read(handle, 65536)
        if not words:
            self._selector.unregister(handle)
            return {"engine"}
        topics: set[Topic] = set()
        if b"e" in words:
            topics.add("engine")
        if b"c" in words:
            topics.add("containers")
        return topics

    # -- the kernel ----------------------------------------

    def _listen(self, name: str, protocol: int, groups: tuple[int, ...]) -> None:
        """Listen to these groups of netlink; a listener that cannot be made is named as missing."""
        try:
            listener = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
            )
            listener.bind((0, 0))  # the kernel passes over a socket without an address
            for group in groups:
                listener.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        except OSError as error:
            self.missing.append(f"{name}: {error.strerror}")
            return
        listener.setblocking(False)
        of_listener = _route_topics if protocol == _NETLINK_ROUTE else _filter_topics
        self._selector.register(listener, selectors.EVENT_READ, of_listener)

    def _watch_files(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        handle = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if handle < 0:
            self.missing.append("inotify")
            return
        for folder in FILES:
            library.inotify_add_watch(handle, folder.encode(), _IN_CHANGED)
        self._selector.register(handle, selectors.EVENT_READ, _file_topics)


def _route_topics(listener: socket.socket) -> set[Topic]:
    """The topic of the network, if it has changed. An overrun queue (ENOBUFS) means that it did.

    A bridge reports each new state of a port on its own, up to 30 seconds after a container
    started: that is not a change. Who joins or leaves a bridge is reported in other messages too.
    """
    is_change = False
    try:
        while True:
            is_change |= any(map(_matters, _messages(listener.recv(65536))))
    except BlockingIOError:
        pass
    except OSError:
        is_change = True
    return {"network"} if is_change else set()


def _messages(data: bytes) -> Iterator[tuple[int, int]]:
    """Type and family of each netlink message."""
    at = 0
    while at + _MESSAGE.size <= len(data):
        length, kind, _, _, _, family = _MESSAGE.unpack_from(data, at)
        yield kind, family
        at += max(_MESSAGE.size, (length + 3) & ~3)


def _matters(message: tuple[int, int]) -> bool:
    return message != (_NEW_LINK, _AF_BRIDGE)


def _filter_topics(listener: socket.socket) -> set[Topic]:
    """All that waits is read and forgotten: the next round asks again."""
    with contextlib.suppress(BlockingIOError, OSError):
        while True:
            listener.recv(65536)
    return {"network"}


def _file_topics(handle: int) -> set[Topic]:
    data = os.read(handle, 65536)
    names = {name for names in FILES.values() for name in names}
    return {"files"} if any(name in data for name in names) else set()


class _Pressure:
    """Triggers on /proc/pressure: they are polled for POLLPRI, which a selector does not know."""

    def __init__(self, missing: list[str]) -> None:
        import select

        self._poll = select.poll()
        self._priority = select.POLLPRI
        self.handles: list[int] = []
        for name, trigger in _PSI.items():
            try:
                handle = os.open(f"/proc/pressure/{name}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
                os.write(handle, trigger)
            except OSError as error:
                missing.append(f"pressure of {name}: {error.strerror}")
                continue
            self._poll.register(handle, self._priority)
            self.handles.append(handle)

    @property
    def patience(self) -> float:
        """How long the other sources may be waited for before the triggers are looked at again."""
        return 2.0 if self.handles else 3600.0

    def has_fired(self) -> bool:
        """Whether a trigger fired since it was looked at last."""
        if self.handles:
            return any(happened & self._priority for _, happened in self._poll.poll(0))
        return False


def _follow(options: Options, writes: int, lives: int) -> None:
    """The process that follows the engine.

    A letter for each change, until the other process is gone. Never returns.
    """
    os.setsid()
    threading.Thread(target=_end_with, args=(lives,), daemon=True).start()
    is_lost = False
    while True:
        try:
            for letter in _letters(options):
                if is_lost:
                    os.write(writes, b"e")
                is_lost = False
                os.write(writes, letter)
        except BrokenPipeError:
            os._exit(0)
        except (Refused, OSError, ValueError):
            pass
        if not is_lost:
            is_lost = True
            with contextlib.suppress(OSError):
                os.write(writes, b"e")
        time.sleep(RETRY_S)


def _letters(options: Options) -> Iterator[bytes]:
    """An empty letter once the engine is followed, then one for each event."""
    from diagnose.live.engine.event_stream import EventStream

    stream = EventStream(Live(options), EVENTS)
    yield b""
    for _ in stream:
        yield b"c"


def _end_with(lives: int) -> None:
    os.read(lives, 1)
    os._exit(0)
