"""Things that a line of a log names, whatever the program, as the first thing to look at.

A host name, a port, a program, the data that another program holds or has written, a path, a
device, a setting of the kernel, rights, memory. Paths and programs have modules of their own.
"""

import re

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.names.failed_names import failed_name
from diagnose.evidence.dns.names.name_search import name_variables
from diagnose.first_steps.named.named_paths import path_steps
from diagnose.first_steps.named.named_programs import program_steps
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import recognise_family
from diagnose.programs.families import FAMILIES
from diagnose.programs.telling_line import TellingLine

_UNRESOLVED = ("name-unresolved", "outside-name-unresolved")
"""The family of lines about names that do not resolve, in words of more programs."""
_PORT = LazyPattern(r"(?:\bport:? |(?<!\d\d:\d\d):)(?P<port>[1-9]\d{1,4})\b(?![.:]\d)")
_LOCKED = LazyPattern(
    r"\b(?:another|other) (?:instance|process|server)\b|\balready running\b|\bin use by\b"
    r"|\bwhile lock file\b|\block(?: is)? held by\b|\bunable to (?:lock|acquire (?:the )?lock)"
    r"|\b(?:failed|cannot|can't|could not) (?:to )?(?:obtain|acquire|get|lock)\b.{0,40}\block"
    r"|\block (?:DB directory|file)\b.{0,40}\b(?:exists|empty|held|unavailable)|\bdatabase is locked\b"
    r"|\balready locked\b",
    re.IGNORECASE,
)
"""Somebody else holds the lock: "database is locked", "another instance is running"."""
_OF_ANOTHER_VERSION = LazyPattern(
    r"\bdowngrad|\bincompatible (?:with|version|format)"
    r"|\b(?:created|written|data|database|schema|index)\b.{0,60}\b(?:newer|older|later) version\b"
    r"|\bcannot upgrade\b|\bupgrade .{0,40}not (?:supported|possible|allowed)"
    r"|\b(?:data|schema|store|storage|database|file)s?\b.{0,40}\b(?:format|version)\b.{0,60}"
    r"(?:not|un)\w* ?support|\bunsupported (?:data|schema|store|storage|file) ?(?:format|version)"
    r"|\bstore format for version"
    r"|\bversion\b.{0,60}\b(?:not compatible with|(?:higher|lower|newer|older) than)",
    re.IGNORECASE,
)
"""Another release wrote the data: "the database was created by a newer version"."""
_REFERENCE = LazyPattern(
    r"(?P<name>[a-z0-9](?:[\w./-]|:\d+/){0,200}?)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?"
)
_DEVICE = LazyPattern(
    r"""
    (?<![\w./-])/dev/(?:
          dri/\w{1,20}
        | tty(?:USB|ACM|AMA|S)\d{1,3}
        | video\d{1,3} | snd(?:/\w{1,20})? | net/tun | kvm | fuse | kfd
        | nvidia[a-z0-9-]{0,20} | i2c-\d{1,3} | spidev[\d.]{1,8} | gpiomem
        | gpiochip\d{1,3}
        | serial/by-id/[\w.:+-]{0,99}[\w+-]
        | bus/usb(?:/\d{1,3}){0,2} | hidraw\d{1,3} | watchdog\d?
      )(?![\w/])
    """,
    re.VERBOSE,
)
"""Devices that programs in containers ask for."""
_SETTING = LazyPattern(
    r"""
    (?<![\w./-])(?:
          net\.(?:core|ipv[46]|netfilter)\.[a-z0-9_]{2,40}(?:\.[a-z0-9_]{2,40}){0,3}
        | vm\.(?:max_map_count|overcommit_memory|swappiness|nr_hugepages|[a-z_]{2,20}_ratio)
        | fs\.(?:file-max|nr_open|aio-max-nr|inotify\.[a-z_]{2,30}|mqueue\.[a-z_]{2,30})
        | kernel\.(?:
                shm[a-z]{2,6} | sem | msg[a-z]{2,6} | pid_max | threads-max
              | perf_event_paranoid | unprivileged_userns_clone | yama\.ptrace_scope
              | keys\.[a-z_]{2,20}
            )
      )\b
    """,
    re.VERBOSE,
)
"""Settings of which servers complain; those of programs begin with the same words."""
_RIGHT_REFUSED = LazyPattern(
    r"operation not permitted|\bEPERM\b|\b(?:must be|are you|run as|be run as) root\b"
    r"|\bmust be suid\b|not supposed to be run as root|\bonly run as pid 1\b",
    re.IGNORECASE,
)
"""The kernel refused a right, or the program insists on being root or process 1."""
_OF_ANOTHER_LACK = LazyPattern(
    r"\bheap\b|\bmaxmemory\b|\bmemory_limit\b|\bgetaddrinfo\b"
    r"|\bCU(?:DA|BLAS)|\b(?:GPU|VRAM|HIP|ROCm)\b|\bErrorOutOfDeviceMemory\b",
    re.IGNORECASE,
)
"""Limits that a runtime or a server sets itself, the memory of a graphics card, and a code that
musl takes for lack of memory."""


def _host_name_steps(container: Container, text: str) -> PageVariables:
    """The page variables about the name that does not resolve, by the line."""
    if "dns" not in signs(text):
        return {}
    family = recognise_family(TellingLine(text), FAMILIES)
    is_named = family is not None and family.name in _UNRESOLVED
    host = family.values.get("host", "") if family is not None and is_named else ""
    return name_variables(container, failed_name(text) or host)


def _port_steps(container: Container, text: str) -> PageVariables:
    """The page variables about the port of the host that is taken, by the line.

    Empty in a network of the container's own: there only the program itself can use it.
    """
    match = _PORT.search(text) if "port-taken" in signs(text) else None
    if match is None or not container.shares_host_network:
        return {}
    return {"taken": f"sport = :{match['port']}"}


def _lock_steps(container: Container, text: str) -> PageVariables:
    """The page variables that show the other users of the same data: a volume, or a folder of the
    host.

    Empty where the container writes to several places.
    """
    if not _LOCKED.search(text) or "port-taken" in signs(text):
        return {}
    mount = only(container.writable_host_mounts)
    return {"locked_data": mount.name or mount.source} if mount is not None else {}


def _version_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that lists the versions of the container's image on this host."""
    image = _REFERENCE.fullmatch(container.config.image)
    is_of_version = _OF_ANOTHER_VERSION.search(text) is not None
    if image is None or not is_of_version or image["name"] == "sha256":
        return {}
    return {"versions_of": image["name"], "image_now": container.config.image}


def _device_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that compares the device with what the container was given."""
    match = _DEVICE.search(text)
    return {"asked_device": match[0], "given_to": container.name} if match is not None else {}


def _kernel_setting_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the setting, as `sysctl` takes it."""
    match = _SETTING.search(text.replace("/proc/sys/", " ").replace("/", "."))
    return {"wanted_setting": match[0], "set_for": container.name} if match is not None else {}


def _right_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that shows the rights of the container."""
    return {"rights_of": container.name} if _RIGHT_REFUSED.search(text) else {}


def _memory_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that compares the container's limit with the host's memory."""
    is_short = "oom" in signs(text) and not _OF_ANOTHER_LACK.search(text)
    return {"memory_of": container.name} if is_short else {}


_KINDS = (
    _host_name_steps,
    _port_steps,
    program_steps,
    _lock_steps,
    _version_steps,
    path_steps,
    _device_steps,
    _kernel_setting_steps,
    _right_steps,
    _memory_steps,
)
"""The first function that finds something counts."""
_MAY_PASS = frozenset({"unknown_name", "taken"})
"""Errors that may be over at another start."""


def named_thing_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the one thing that the line names; none where it names none."""
    return next(filter(None, (steps(container, text) for steps in _KINDS)), {})


def is_better_looked_at(container: Container, text: str) -> bool:
    """Whether the line names a thing that another start may not find either, and that a look
    decides."""
    steps = named_thing_steps(container, text)
    return "no-space" in signs(text) or (bool(steps) and not steps.keys() & _MAY_PASS)
