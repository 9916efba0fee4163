"""A finished recording with other names.

Host, containers, services, networks, volumes, images, users, domains, addresses.

One word is one other word wherever it stands, in every answer and question, so that what belonged
together still does: a container's name in the list, in events, in logs and in a firewall's comment.
Ids of containers, images and networks stay: they are random, and bridges, cgroups and kernel lines
carry parts of them. A name that is a word of everybody (`search`, `web-1` is none) is renamed where
a field says that it is a name, and stays in free text, where it tells nothing and where programs
may read it as something else.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from os import urandom

from diagnose import word_sets
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion, RecordedQuestion
from diagnose.recording.answer_files import Recording
from diagnose.recording.recorder import RecordedAnswer
from diagnose.redact.names import TOKEN, unpacked
from diagnose.ticket import vocabulary
from diagnose.ticket.addresses import Addresses
from diagnose.ticket.identities import (
    IMAGE_KEYS,
    KINDS,
    NAME_KEYS,
    TASK,
    Identities,
    image_parts,
    registrable,
)

_STAYS = word_sets.vocabulary(
    "bridge host none default ingress docker_gwbridge docker0 localhost <none> . "
    "root nobody library"
)
_SPOT = re.compile(
    rf"(?P<token>{TOKEN})"
    r"|(?P<mac>(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Za-z:]))"
    r"|(?P<v6>(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{3,39}(?:\.\d{1,3}){0,3}(?![0-9A-Za-z:]))"
    r"|(?P<v4>(?<![0-9A-Za-z_.])(?<![A-Za-z]-)\d{1,3}(?:\.\d{1,3}){3}(?![0-9A-Za-z_]|\.\d))"
    r"|(?P<word>" + vocabulary.WORD.pattern + ")"
)
_ID = re.compile(r"[0-9a-f]{12,}")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/]{16,}={0,2}(?![A-Za-z0-9+/=_-])")
_PIECES = re.compile(r"([-_.])")
_REGISTER = re.compile(r"(?:[0-9a-f]{2}){4,}")
_SHORTEST_PIECE = 4


class Renaming:
    """The other names for what one recording names.

    key: of the addresses' renaming; random unless a test gives one.
    """

    def __init__(self, recording: Recording, key: bytes | None = None) -> None:
        identities = Identities(recording)
        self._known = vocabulary.known_words()
        self.names: dict[str, str] = {}
        for kind in KINDS:
            fresh = sorted(identities.names[kind] - _STAYS - self.names.keys())
            width = max(2, len(str(len(fresh))))
            for number, name in enumerate(fresh, 1):
                self.names[name] = self._new_name(kind, f"{number:0{width}}", name)
        for task in filter(None, map(TASK.fullmatch, identities.tasks)):
            self.names[task[0]] = (
                f"{self.names.get(task['service'], task['service'])}{task['rest']}"
            )
        self._folded = {name.lower(): name for name in self.names if len(name) >= _SHORTEST_PIECE}
        self.addresses = Addresses(key or urandom(32), sorted(identities.networks, key=str))
        self._texts: dict[str, str] = {}
        self._words: dict[str, str] = {}
        self._domains = {name for name in self.names if registrable(name) == name}
        self._backwards = {".".join(reversed(name.split("."))): name for name in self._domains}

    @staticmethod
    def _new_name(kind: str, number: str, name: str) -> str:
        """Numbered in the order of the old names, so that lists keep theirs.

        No dash, which may mean a replica's number.
        """
        tail = name.partition(".")[2] if kind == "domain" else ""
        return f"{kind}{number}" + (f".{tail}" if tail else "")

    @property
    def map(self) -> dict[str, dict[str, str]]:
        """Old to new, for whoever keeps it apart from the bundle."""
        changed = {old: new for old, new in self.addresses.seen.items() if old != new}
        return {"names": dict(self.names), "addresses": changed}

    def recording(self, recording: Recording) -> dict[AnyQuestion, RecordedAnswer]:
        """The recording with every name replaced, in questions, answers and failures."""
        ordered = sorted(recording.items(), key=lambda entry: entry[0].kind == "nftables")
        renamed: dict[AnyQuestion, RecordedAnswer] = {}
        for question, entry in ordered:
            if isinstance(entry.answer, Failed):
                answer: Json | Failed = Failed(entry.answer.reason, self.text(entry.answer.detail))
            elif question.kind == "nftables":
                answer = self._registers(self.value(entry.answer))
            else:
                answer = self.value(entry.answer)
            renamed[self._question(question)] = RecordedAnswer(answer, entry.duration_s)
        return {
            self._question(question): renamed[self._question(question)] for question in recording
        }

    def _question(self, question: AnyQuestion) -> AnyQuestion:
        """A question with other names in its arguments."""
        args = {}
        for key, old in question.args.items():
            if key in ("id", "name") and question.kind.startswith("api.image"):
                new = self.image(old)
            else:
                new = self.value(old, key)
            # Questions name lists in the order of their items: with other names the order is
            # another.
            args[key] = (
                sorted(new) if isinstance(old, list) and old == sorted(old, key=str) else new
            )
        return RecordedQuestion(
            question.kind, json.dumps(args, sort_keys=True, separators=(",", ":"))
        )

    def name(self, name: str) -> str:
        """The new value of a field that holds a name, an address or a path."""
        return self.names.get(name) or self.text(name)

    def value(self, value: Json, key: str = "") -> Json:
        """A JSON value with every name replaced; key: under which it stands."""
        if isinstance(value, str):
            return self._field(value, key)
        if isinstance(value, list):
            return [self.value(child, key) for child in value]
        if isinstance(value, dict):
            return {self._key(name, key): self.value(child, name) for name, child in value.items()}
        return value

    def _key(self, name: str, parent: str) -> str:
        """A key that is a name, a path or an address itself.

        Any other belongs to the shape of the answer.
        """
        if parent == "Networks":
            return self.names.get(name, name)
        return self.text(name) if any(sign in name for sign in "/:.") else name

    def _field(self, value: str, key: str) -> str:
        """A text by its key: names are replaced as a whole, other texts by their parts."""
        is_name = key in NAME_KEYS
        bare = value.strip("/")
        if is_name and bare in self.names:
            return value.replace(bare, self.names[bare])
        if is_name and ("/" in bare or ":" in bare):
            parts = re.split(r"([/:])", value)
            return "".join(self.names.get(part, self.text(part)) for part in parts)
        return self.image(value) if key in IMAGE_KEYS else self.text(value)

    def image(self, reference: Json) -> Json:
        """An image's reference; its tag and digest stay."""
        if not isinstance(reference, str) or reference.startswith("sha256:") or "<" in reference:
            return reference
        parts = image_parts(reference)
        names = (self.names.get(name, name) for name in parts.path.split("/"))
        return self.text(parts.registry) + "/".join(names) + parts.tail

    def text(self, text: str) -> str:
        """Any text with every name and address in it replaced."""
        new = self._texts.get(text)
        if new is None:
            new = _SPOT.sub(self._replaced_match, _BASE64.sub(self._renamed_base64, text))
            if len(text) < 500:
                self._texts[text] = new
        return new

    def _renamed_base64(self, match: re.Match[str]) -> str:
        """The base64 of a text with a name in it, of the text with the other name."""
        word = match[0]
        plain = None if word.islower() else unpacked(word)
        new = None if plain is None else self.text(plain)
        return word if new is None or new == plain else base64.b64encode(new.encode()).decode()

    def _replaced_match(self, match: re.Match[str]) -> str:
        """The other name of what a pattern has found: a word, an address, a hardware address."""
        match match.lastgroup:
            case "word":
                return self._word(match[0])
            case "v4":
                return self.addresses.rename(match[0])
            case "v6":
                return self._v6(match[0])
            case "mac":
                return self.addresses.rename_mac(match[0].lower())
        return match[0]

    def _v6(self, text: str) -> str:
        if text.lower().startswith("fe80:") and (mac := _mac_of(text)):
            self.addresses.seen[text] = _with_mac(text, self.addresses.rename_mac(mac))
        return self.addresses.rename(text)

    def _word(self, word: str) -> str:
        new = self._words.get(word)
        if new is None:
            new = self._words[word] = self._renamed_word(word)
        return new

    def _renamed_word(self, word: str) -> str:
        """The other name for a word, as a whole, by its domain, or by its pieces."""
        if word in self._known or _ID.fullmatch(word):
            return word
        if word in self.names and len(word) > 1:
            return self.names[word]
        if cased := self._name_in_other_case(word):
            return cased
        owned = registrable(word)
        if owned in self.names:
            head = word[: -len(owned)].rstrip(".")
            parts = [
                self.names.get(part, part) if part in self._known else self._label(part)
                for part in head.split(".")
            ]
            return ".".join([*parts, self.names[owned]]) if head else self.names[owned]
        pieces = _PIECES.split(word)
        return self._replaced_pieces(pieces) if len(pieces) > 1 else word

    def _name_in_other_case(self, word: str) -> str | None:
        """The other name for a name that is in other letters.

        `SHOP-DB` in a setting, `Shop-db` at a sentence's beginning.
        """
        low = word.lower()
        if word == low or low not in self._folded:
            return None
        if low in self._known or word in self._known:
            return None
        new = self.names[self._folded[low]]
        self.names[word] = new.upper() if word.isupper() else new.capitalize()
        return self.names[word]

    def _label(self, label: str) -> str:
        """A label below a renamed domain: its own number, since it names a host of the owner."""
        if label not in self.names:
            count = sum(1 for name in self.names.values() if name.startswith("label"))
            self.names[label] = f"label{count + 1:02}"
        return self.names[label]

    def _replaced_pieces(self, pieces: list[str]) -> str:
        """A word made of several (`shop-db.env`): the longest names in it replaced."""
        out = []
        at = 0
        while at < len(pieces):
            end, new = self._longest_name(pieces, at)
            out.append(new)
            at = end
        return "".join(out)

    def _longest_name(self, pieces: list[str], at: int) -> tuple[int, str]:
        """The end of the longest name that begins at a piece, and its replacement.

        The piece itself where no name begins with it.
        """
        for end in range(len(pieces), at, -1):
            new = self._replaced_name("".join(pieces[at:end]))
            if new is not None:
                return end, new
        return at + 1, pieces[at]

    def _replaced_name(self, part: str) -> str | None:
        """The replacement of a name. None for a text that is not a name."""
        backwards = self._backwards.get(part)
        if backwards:
            return ".".join(reversed(self.names[backwards].split(".")))
        is_long = len(part) >= _SHORTEST_PIECE
        if is_long and part in self.names and part not in self._known:
            return self.names[part]
        return self._name_in_other_case(part)

    def _registers(self, value: Json) -> Json:
        """The bytes of a packet filter's rules with other addresses.

        Those that the rest of the recording names are replaced.
        """
        old_to_new = {
            ipaddress.ip_address(old).packed.hex(): ipaddress.ip_address(new).packed.hex()
            for old, new in self.addresses.seen.items()
            if _is_address(old)
        }
        return _with_other_addresses(value, old_to_new)


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _with_other_addresses(value: Json, registers: Mapping[str, str]) -> Json:
    """The value with other addresses in the bytes of its registers, which are in hexadecimal."""
    if isinstance(value, str) and _REGISTER.fullmatch(value):
        return "".join(_bytes_replaced(value, registers))
    if isinstance(value, list):
        return [_with_other_addresses(child, registers) for child in value]
    if isinstance(value, dict):
        return {key: _with_other_addresses(child, registers) for key, child in value.items()}
    return value


def _bytes_replaced(register: str, registers: Mapping[str, str]) -> Iterator[str]:
    """Address by address, of IPv6 or IPv4, and byte by byte where there is none."""
    at = 0
    while at < len(register):
        sizes = (size for size in (32, 8) if register[at : at + size] in registers)
        size = next(sizes, None)
        if size is None:
            yield register[at : at + 2]
            at += 2
        else:
            yield registers[register[at : at + size]]
            at += size


def _mac_of(address: str) -> str | None:
    """The hardware address that a link-local address was made from (RFC 4291, appendix A)."""
    try:
        data = ipaddress.IPv6Address(address).packed[8:]
    except ValueError:
        return None
    if data[3:5] != b"\xff\xfe":
        return None
    return ":".join(f"{byte:02x}" for byte in bytes([data[0] ^ 2]) + data[1:3] + data[5:])


def _with_mac(address: str, mac: str) -> str:
    data = bytes.fromhex(mac.replace(":", ""))
    host_part = bytes([data[0] ^ 2]) + data[1:3] + b"\xff\xfe" + data[3:]
    return str(ipaddress.IPv6Address(ipaddress.IPv6Address(address).packed[:8] + host_part))
