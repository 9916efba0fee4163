"""Meanings of exit codes: signals by name, and the codes that shells and Docker give a meaning."""

import signal

_ENDS_NOTHING = frozenset(
    {"SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"}
)
"""Signals that stop a program or that it ignores: an exit code above 128 that stands for one of
them is a code of the program's own, as 150 is of .NET."""
_NAMES = {
    number.value: number.name for number in signal.Signals if number.name not in _ENDS_NOTHING
}
_MEANINGS = {
    "SIGILL": "illegal instruction",
    "SIGTRAP": "trace or breakpoint trap",
    "SIGABRT": "aborted by the program itself",
    "SIGBUS": "bus error: a mapped file or shared memory is gone or full",
    "SIGFPE": "arithmetic error",
    "SIGKILL": "killed",
    "SIGSEGV": "segmentation fault",
    "SIGPIPE": "wrote to a closed pipe",
    "SIGTERM": "asked to end",
    "SIGINT": "interrupted",
    "SIGHUP": "hung up",
    "SIGSYS": "a system call was refused (seccomp)",
    "SIGXCPU": "CPU time limit",
    "SIGXFSZ": "file size limit",
}
"""The meaning of a signal that ends a program."""
_SENT = frozenset({"SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"})
"""Signals by which users and programs end another one. The kernel sends those of a broken pipe, a
timer or a limit."""
FAULTS = frozenset({4, 5, 6, 7, 8, 11, 31})
"""Signals of a fault in the program itself: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV,
SIGSYS."""

CANNOT_EXECUTE = 126
"""A shell's code where the last program was found and could not be executed."""


def signal_of(code: int) -> str:
    """The signal of an exit code above 128; "" for any other code."""
    return _NAMES.get(code - 128, "") if 128 < code < 128 + 65 else ""


def is_fault(code: int) -> bool:
    """Whether the program ended by a fault of its own."""
    return code - 128 in FAULTS


def is_own(code: int) -> bool:
    """Whether the program ended with an error by itself, and by no signal that others send.

    git ends with 128, and .NET with 150 where the image has another version of it.
    """
    return code > 0 and signal_of(code) not in _SENT


def described(code: int) -> str:
    """An exit code with its meaning: 139 (SIGSEGV, segmentation fault); 1.

    126 and 127 have a meaning only for a shell: other programs end with them as well.
    """
    name = signal_of(code)
    if name:
        meaning = _MEANINGS.get(name)
        return f"{code} ({name}, {meaning})" if meaning else f"{code} ({name})"
    if code == CANNOT_EXECUTE:
        return "126 (to a shell: the command cannot be executed)"
    if code == 127:
        return "127 (to a shell: the command was not found)"
    return str(code)
