"""The looks of a value, whatever name it has: generated, a word, a path, a duration, a placeholder.

A rule that is sure of its place (a value under `password=`) asks `exempt` only. A rule that is not
sure (a word after "password") also asks for a value that is not a word of a language: `is_mixed`.
"""

import binascii
import itertools
import re
from functools import lru_cache

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.patterns import CLOSE, OPEN, TOKEN, verbose
from diagnose.word_sets import vocabulary

_SWITCH = vocabulary(
    "true false yes no on off none null nil undefined 0 1 enabled disabled required "
    "optional auto default unset (none) (unset) (null) <none> <nil> <unset> n/a"
)
_METHODS = vocabulary(
    "none basic digest plain login md5 scram scram-sha-1 scram-sha-256 scram-sha-512 ldap ldaps "
    "oauth oauth2 oidc openid saml "
    "kerberos krb5 gssapi ntlm jwt trust peer ident cert token bearer internal external anonymous "
    "cram-md5 local shared "
    "password pam radius reject mtls tls x509 apikey api-key iam aws sasl cookie session keycloak "
    "htpasswd simple form native "
    "proxy tokens ssl secure insecure publickey keyboard-interactive hostbased agent sys unix"
)
"""Ways to log in: what `auth` names when it names no secret."""

_PLACEHOLDER = re.compile(
    r"""
      \$\{\w+\} | \$\{\w+:?\?[^{}]*\}?                        # a shell's variable, and one that must be set
    | \$\(\w+\) | \$[A-Z_][A-Z0-9_]*            # a shell's variables
    | (?:\$\((?:cat\ |<)\ ?|`cat\ )/[\w./-]{1,200}[)`]        # a file that a shell reads
    | \{\{[^{}]*\}\} | \$\{\{[^{}]*\}\}                     # a template's
    | %\(\w+\)s | %[sdv] | %[A-Z_]+% | @[A-Z_]+@            # formats, Windows, autoconf
    | [*•]+ | \.{3,} | x{3,} | X{3,}                        # starred out
    | [\[<(]?(?i:redacted|hidden|masked|filtered|removed|secret\ hidden)[\]>)]?
    | <[A-Za-z][\w .-]*>                                    # <your-token>
    | (?i:your)[-_][\w-]{2,60}[-_](?i:here)                 # your_api_key_here
    """,
    re.VERBOSE,
)
_HELD = re.compile(f"(?:{OPEN}\\d+{CLOSE})+")
_TOKEN = re.compile(TOKEN)
_PATH = re.compile(
    r"""
      (?:[\w.-]{1,60}:)?                                    # perhaps the name of a kind before the path
      (?:~|\.{1,2}|/(?:run|etc|var|opt|home|root|usr|srv|mnt|data|tmp|secrets?|config|app|certs?|vault|dev|proc|sys|ssl|keys?
        |conf|etcd|bitnami|docker|workspace|code|src|lib|files?))
      (?:/[\w.@+-]+)+/?
    | file:/\S+ | /dev/null
    | [\w-]++(?:/[\w-]++)*+\.(?:pem|key|crt|txt|json|ya?ml|jks|p12)
    """,
    re.VERBOSE,
)
_URL = LazyPattern(r"[A-Za-z][A-Za-z0-9+.-]{0,23}://[^\s]+")
"""No scheme is longer than `mysql+mysqlconnector`: a key may stand before one."""
_RANDOM = LazyPattern(
    r"(?=[^\s\d]*\d)(?=[^\sA-Za-z]*[A-Za-z])[A-Za-z0-9+/_.~=-]{16,}|[A-Za-z0-9+/]{24,}={0,2}"
)
"""Long enough for a key, of a key's characters, with letters and digits (or very long)."""
_SHORT_KEY = LazyPattern(r"[A-Za-z0-9]{10,15}")
"""Too short for a key by its looks alone, but not under a name such as `SUMOLOGIC_KEY`."""
_TAG_OR_DIGEST = verbose(
    r"""
      sha(?:1|256|512):[0-9a-f]+                            # sha256:...
    | [\w.-]++(?:/[\w.-]++)++(?::[\w.-]++)?                 # team/app:1.2
    | v?\d++(?:\.\d++)++[\w.+-]{0,60}                        # v1.2.3-rc1
    """
)
_DIGEST = LazyPattern(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{40}")
_DENSE = LazyPattern(r"(?!AAAA|sha\d)[A-Za-z0-9+/_-]{24,}={0,2}")
_DENSITY = 0.42
"""Changes between upper case, lower case and digits per character: 0.6 in a generated key, a third
in CamelCase."""
_PUBLIC_ADDRESS = LazyPattern(r"0x[0-9a-fA-F]{40}")
"""An address of a blockchain, which is public."""
_TO_STANDARD = str.maketrans("-_", "+/")
_BLANKS = str.maketrans("\n\r\t\0", "    ")
_WORDLIKE = LazyPattern(r"[A-Z]?[a-z]{1,14}|[A-Z]{1,15}|\d{1,9}|[a-z]{1,10}[-_.][a-z]{1,10}")
_SEGMENT = LazyPattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
"""A word of a CamelCase name."""
_SPEAKABLE = LazyPattern(
    r"(?i)(?=[^aeiouy]{0,3}[aeiouy])(?:[^aeiouy]{0,4}+[aeiouy]{1,3}+){1,8}+[^aeiouy]{0,4}"
)
"""A word that can be spoken: vowels, and never five consonants in a row."""
_JOINS = LazyPattern(r"[-_./=+~]+")
_PART_OF_A_NAME = LazyPattern(r"(?:[A-Z]?[a-z]{1,14}|[A-Z]{1,12}){1,3}\d{0,4}|v?\d{1,8}")
_DURATION = LazyPattern(
    r"\d{1,9}(?:\.\d{1,3})?\s?(?:ns|us|µs|ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w"
    r"|weeks?|y|years?)"
)
"""10s, 1.5 h, 3 weeks"""
_HOST = LazyPattern(
    r"(?:[a-z][a-z0-9-]{0,40}\.){1,6}(?:com|org|net|io|dev|local|localdomain|internal|intranet|lan"
    r"|corp|home|svc|example|test|cloud|app|"
    r"eu|de|uk|fr|us)(?::\d{1,5})?"
)
"""A host name by its last part, with or without a port."""
_MODULE = LazyPattern(r"[\w.-]{1,80}:v?\d{1,6}(?:\.\d{1,6})+[\w.-]{0,40}")
"""A library with its version, as Maven and Gradle write it."""
_PROTOCOL = LazyPattern(r"(?i)(?:tls|ssl|ntlm|oauth|smb|snmp)v?\d(?:\.\d)?")
_METHOD_SET = LazyPattern(
    r"(?i)(?:method|type|mode|scheme|kind|mechanism|provider|backend|plugin)s?[=:].*"
)


def is_token(text: str) -> str | None:
    """The kind of secret that a placeholder of ours stands for.

    None when the text is no such placeholder.
    """
    return text.split(":")[1] if _TOKEN.fullmatch(text) else None


def unexplained(value: str) -> bool:
    """Whether a value is a generated key by its looks alone.

    No id, digest, public key, address or base64 of a text.
    """
    if not _DENSE.fullmatch(value) or _PUBLIC_ADDRESS.fullmatch(value):
        return False
    return is_dense(value) and unpacked(value) is None


def is_dense(value: str) -> bool:
    """Whether upper case, lower case and digits take turns as in a generated key."""
    classes = [_class_of(character) for character in value]
    changes = sum(here != after for here, after in itertools.pairwise(classes))
    return len(set(classes)) == 3 and changes > _DENSITY * len(value)


def _class_of(character: str) -> str:
    if character.isupper():
        return "A"
    return "a" if character.islower() else "0"


def unpacked(value: str) -> str | None:
    """The text that a value is the base64 of, in either alphabet.

    None when the bytes are not text.
    """
    bare = value.rstrip("=").translate(_TO_STANDARD)
    try:
        plain = binascii.a2b_base64(bare + "=" * (-len(bare) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return plain if plain and plain.translate(_BLANKS).isprintable() else None


@lru_cache(maxsize=2048)
def is_scrambled(value: str) -> bool:
    """Whether letters of both cases are a generated key rather than CamelCase.

    Few of them form words that can be spoken.
    """
    if not 10 <= len(value) <= 200 or not value.isascii() or not value.isalpha():
        return False
    if value.isupper() or value.islower() or value.istitle():
        return False
    segments: list[str] = _SEGMENT.findall(value)
    spoken = sum(
        len(segment) for segment in segments if len(segment) >= 3 and _SPEAKABLE.fullmatch(segment)
    )
    return spoken < 0.6 * len(value)


def random_looking(value: str) -> bool:
    """Whether a value reads like a generated key.

    Not like a word, a name of words, a path, an image or a version.
    """
    if not _RANDOM.fullmatch(value) or len(set(value)) < 8:
        return False
    if _TAG_OR_DIGEST.fullmatch(value) or _DIGEST.fullmatch(value):
        return False
    if value.isalpha() and len(value) < 60:
        return is_scrambled(value) or value.islower() or value.isupper()
    return len(value) > 200 or not _is_name_of_words(value)


def _is_name_of_words(value: str) -> bool:
    """Whether a value joins several parts of which each reads like a part of a name."""
    parts = [part for part in _JOINS.split(value) if part]
    return len(parts) != 1 and all(_PART_OF_A_NAME.fullmatch(part) for part in parts)


def is_mixed(value: str) -> bool:
    """Whether a word of a text is not a word of a language.

    It mixes upper case, lower case and digits, or looks like a generated key.
    """
    if _TAG_OR_DIGEST.fullmatch(value):
        return False
    if not any(char.isdigit() for char in value):
        return is_scrambled(value)
    return random_looking(value) or (
        any(char.isupper() for char in value) and any(char.islower() for char in value)
    )


def is_url(value: str) -> bool:
    """Whether a value is a URL: its secret, if any, is a part of it."""
    return "://" in value and _URL.fullmatch(value) is not None


def is_distinctive(value: str) -> bool:
    """Whether a value can be distinguished from ordinary words and numbers wherever it stands.

    `postgres` as a password cannot: it is also an image, a user and a word in the log.
    """
    return len(value) >= 6 and not _WORDLIKE.fullmatch(value)


_OF_A_SECRET_FILE = ("id", "source", "src", "type", "target")
"""Keys of `--secret id=NAME,src=FILE`, which says where a secret is and not what it is."""
_LONGEST_SHAPE = 100
"""Characters of a duration, a host or a module's name."""


def exempt(kind: str, name: str, value: str) -> bool:
    """Whether a value under a secret's name is not a secret.

    Empty, a switch, a reference, a path, a count, a placeholder.
    """
    if kind == "random" and not _is_random_key(name, value):
        return True
    if _stands_for_nothing(value):
        return True
    if name.lstrip("-") == "secret" and value.partition("=")[0] in _OF_A_SECRET_FILE:
        return True
    if name in ("PWD", "OLDPWD"):
        return value[0] in "/.~"
    return _is_exempt_by_kind(kind, name, value)


def _is_exempt_by_kind(kind: str, name: str, value: str) -> bool:
    """Whether a value is none of the secrets of this kind."""
    if kind == "auth":
        return _is_method(value)
    if kind == "pin":
        return _is_no_pin(value)
    if kind == "password":
        return False
    if kind == "key" and value.isdigit() and len(value) < 6:
        return True
    if _is_harmless_shape(kind, value):
        return True
    return kind == "token" and _is_count_or_method(name, value)


def _is_harmless_shape(kind: str, value: str) -> bool:
    """Whether a value is a duration, a host or the name of a module."""
    if len(value) > _LONGEST_SHAPE:
        return False
    # under the name of an API key a host is a mistake or looks like one: `DOCKER_API_KEY`
    shapes = (_DURATION, _MODULE) if kind == "api-key" else (_DURATION, _HOST, _MODULE)
    return any(shape.fullmatch(value) for shape in shapes)


def _is_count_or_method(name: str, value: str) -> bool:
    is_count = "tokens" in name.lower() and value.replace(".", "", 1).isdigit()
    return is_count or value in _METHODS


def _is_random_key(name: str, value: str) -> bool:
    if _SHORT_KEY.fullmatch(value) and (is_scrambled(value) or is_dense(value)):
        return True
    if not random_looking(value.removeprefix("base64:")):
        account, _, key = value.partition(":")  # of Algolia: 0VJ9I1WV78:key
        is_id = account.isalnum() and any(character.isdigit() for character in account)
        return is_id and random_looking(key)
    return name.lower() != "key" or bool(value.strip("0123456789abcdef"))


def _stands_for_nothing(value: str) -> bool:
    """Whether a value is empty, a switch, a mark for something else, or a path."""
    if len(value) < 12 and value.strip().lower() in _SWITCH:
        return True
    if not value.strip() or (len(value) < 4 and not any(char.isalnum() for char in value)):
        return True
    return any(form.fullmatch(value) for form in (_TOKEN, _HELD, _PLACEHOLDER, _PATH))


def _is_method(value: str) -> bool:
    """Whether what stands under `auth` says how a login works, not what it is done with."""
    if _PROTOCOL.fullmatch(value) or _METHOD_SET.fullmatch(value):
        return True
    return all(part in _METHODS for part in re.split(r"[\s,;|:]+", value.lower()))


def _is_no_pin(value: str) -> bool:
    return not (value.isdigit() and len(value) >= 4)
