"""A bundle for one reader: encrypted by `age` or `gpg`, signed by `ssh-keygen`.

The programs are the system's own. The archive goes through their stdin and stdout, so that its
clear text is never in a file. gpg is kept from asking a key server.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from diagnose.mappings import first_of

_OF_AGE = re.compile(r"age1[a-z0-9]{10,}|ssh-(?:ed25519|rsa) [A-Za-z0-9+/=]{20,}(?: .*)?")
_FINGERPRINT = re.compile(r"(?:0x)?[0-9A-Fa-f]{40}(?:[0-9A-Fa-f]{24})?")
_OF_GPG = re.compile(r"(?:0x)?[0-9A-Fa-f]{16}|[^\s<>@-][^\s<>@]*@[^\s<>@]+")
_GPG = ("--batch", "--no-tty", "--no-auto-key-locate", "--disable-dirmngr", "--encrypt")
NAMESPACE = "file"
"""What `ssh-keygen -Y verify -n` has to be given."""


class SealError(Exception):
    """The bundle could not be encrypted or signed; one sentence says why."""


class Cipher(msgspec.Struct, frozen=True):
    """The program that encrypts, its arguments, and the end of the file's name."""

    program: str
    arguments: tuple[str, ...]
    ending: str


def cipher(recipients: Sequence[str]) -> Cipher:
    """How to encrypt to all of these.

    A recipient is an age key (age1..., ssh-ed25519 ...), a file of such keys, or the fingerprint,
    the long id or the address of a key that gpg knows. SealError for anything else.
    """
    of_age: list[str] = []
    of_gpg: list[str] = []
    for recipient in recipients:
        if _OF_AGE.fullmatch(recipient):
            of_age += ["--recipient", recipient]
        elif _FINGERPRINT.fullmatch(recipient) or _OF_GPG.fullmatch(recipient):
            of_gpg.append(recipient)
        elif Path(recipient).is_file():
            of_age += ["--recipients-file", str(Path(recipient).absolute())]
        else:
            raise SealError(
                f"{recipient!r} is not a recipient: name an age key (age1..., ssh-ed25519 ...), "
                "a file of them, or the fingerprint or address of a key that gpg knows"
            )
    if of_age and of_gpg:
        raise SealError("all recipients have to be of age, or all of gpg")
    if of_age:
        return Cipher("age", ("--encrypt", *of_age), ".age")
    # a whole fingerprint is assurance enough; for an address gpg's own trust decides
    is_sure = all(_FINGERPRINT.fullmatch(recipient) for recipient in of_gpg)
    trust = ("--trust-model", "always") if is_sure else ()
    recipient_words = [word for recipient in of_gpg for word in ("--recipient", recipient)]
    return Cipher("gpg", (*_GPG, *trust, *recipient_words), ".gpg")


def encrypted(data: bytes, by: Cipher) -> bytes:
    """The data as only its recipients read it. SealError where the program fails or is missing."""
    return _output_of(by.program, by.arguments, data, "encrypted")


def signature(data: bytes, key: Path) -> bytes:
    """The signature of the data by an ssh key, as `ssh-keygen -Y verify` reads it.

    key: a private key, or a public one whose private half an agent holds. SealError.
    """
    arguments = ("-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key.absolute()))
    return _output_of("ssh-keygen", arguments, data, "signed")


def _output_of(program: str, arguments: Sequence[str], data: bytes, what: str) -> bytes:
    """The output of a program for the data. Raises SealError with its complaint."""
    from diagnose.live import Refused
    from diagnose.live.commands import pipe

    try:
        end = pipe.through(program, arguments, data)
    except Refused as refused:
        raise SealError(f"it could not be {what}: {refused.failed.detail}") from None
    except OSError as error:
        raise SealError(f"it could not be {what}: {program}: {error.strerror}") from None
    if end.code or not end.output:
        lines = [line.strip() for line in end.complaint.splitlines() if line.strip()]
        complaint = next((line for line in lines if line.startswith(f"{program}: ")), "")
        reason = complaint or first_of(lines, f"{program} gives no reason")
        raise SealError(f"it could not be {what}: {reason}")
    return end.output
