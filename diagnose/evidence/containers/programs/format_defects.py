"""Reasons why the kernel cannot start a program, by its first bytes."""

import msgspec

from diagnose.evidence.containers.programs.program import Program


class FormatDefect(msgspec.Struct, frozen=True):
    """The reason why the kernel cannot start a program."""

    words: str
    first_bytes: str
    """The part of the program that shows the defect; "" where nothing does."""


def defect_of_format(program: Program, host: str) -> FormatDefect:
    """The reason in the program's format why this host cannot run the program.

    host: the host's architecture.
    """
    path = program.path
    machine = program.machine
    if machine and machine != host:
        host_clause = f", and this host is {host}" if host else ""
        return FormatDefect(f"{path} is built for {machine}{host_clause}", f"ELF, {machine}")
    if program.is_marked:
        words = f"{path} begins with a byte order mark, so that the kernel sees no #! line"
        return FormatDefect(words, "EF BB BF before #!")
    if program.is_read and not machine and not program.interpreter:
        return FormatDefect(f"{path} is a script without a #! line", "neither ELF nor #!")
    return FormatDefect(f"the kernel does not know the format of {path}", "")


def missing_part(program: Program) -> FormatDefect:
    """The interpreter, loader or library that the program needs and does not find."""
    path = program.path
    interpreter = program.interpreter
    if program.has_carriage_return:
        first_bytes = "#!" + interpreter.rstrip("\r") + "\\r"
        return FormatDefect(f"the #! line of {path} ends in a Windows line end", first_bytes)
    if interpreter:
        by_env = "" if "/" in interpreter else "... env "
        words = f"{path} needs {interpreter}, which is not there"
        return FormatDefect(words, f"#!{by_env}{interpreter}")
    if program.machine:
        loader_clause = f", {program.loader}," if program.loader else ""
        instead = f": the image has musl's, {program.other_libc}" if program.other_libc else ""
        words = f"the C library that {path} was built for{loader_clause} is missing{instead}"
        return FormatDefect(words, f"ELF, {program.machine}")
    return FormatDefect(f"what {path} needs to run is missing", "not read")
