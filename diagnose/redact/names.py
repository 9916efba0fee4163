"""What a name says about its value, and what a value says about itself.

The vocabulary follows detect-secrets 1.5 (`KeywordDetector.DENYLIST`) and gitleaks (`generic-api-key` with its allow-list:
`public_key`, `key_id`, `token_file`, `token_url` and the like name no secret), read for names of environment variables, flags, labels,
headers and keys in configuration.
"""

from __future__ import annotations

import binascii
import itertools
import re
from collections.abc import Callable
from functools import cache, lru_cache


def lazy(pattern: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """A pattern that is compiled when it is first needed: most runs meet few kinds of secrets, and compiling all costs 35 ms."""
    return cache(lambda: re.compile(pattern, flags))


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


OPEN, CLOSE = "\ue000", "\ue001"
"""Private-use characters around the place of a secret that is already replaced, while a text is worked on."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# The last word of a name says what the value is: a token's lifetime is no token.
_ABOUT = words(
    "file files path paths dir directory folder name names id ids uid gid url urls uri uris endpoint endpoints host hosts "
    "hostname addr address ip port ports ttl expiry expires expire expired expiration exp lifetime duration timeout interval "
    "length len size min max count limit limits algorithm alg algo type types kind policy enabled enable disabled disable "
    "required require optional version format prefix suffix header headers field fields param params parameter provider "
    "issuer audience method methods mode store storage cache rotation days hours minutes seconds secs sec ms millis "
    "milliseconds env var variable label labels regex pattern rounds cost strength retries attempts history age class "
    "driver plugin plugins manager service services server backend usage budget window validity leeway check checks "
    "validation validator strategy scheme schema encoding charset chars map mapping ref reference source src template "
    "location bucket region arn realm db database user username users usernames email group groups role roles module proxy "
    "domain domains origin origins cert certs certificate certificates ca pub public fingerprint thumbprint checksum digest "
    "sum stdin sock socket rule rules middleware middlewares entrypoints samesite secure httponly status state error errors "
    "message reason exists valid present changed updated created opts options flags level image tag title description "
    "prompt hint per reset parallelism grant grants scope scopes mount mounts target strict app application pass_env "
    "separator delimiter weight priority quota rate resolver extension extensions program command cmd helper helpers hasher "
    "encoder decoder filter generator handler factory encryption hashing"
)
_OWNERS = words("db database user email app application service server")
"""What a secret is for, after its own word: `PASSWORD_DB`, `DB_PASS_APP`, `TOKEN_SERVICE`."""
# A number, a switch or something made for everybody's eyes, whatever follows.
_NOT = words("public pub max min num number total per allow disallow minimum maximum")
_STRONG = (
    ("passphrase", "password"),
    ("password", "password"),
    ("passwd", "password"),
    ("passwort", "password"),
    ("contrasen", "password"),
    ("kennwort", "password"),
    ("wachtwoord", "password"),
    ("requirepass", "password"),
    ("masterauth", "password"),
    ("connectionstring", "secret"),
    ("privatekey", "private-key"),
    ("privkey", "private-key"),
    ("apikey", "api-key"),
    ("secretkey", "secret"),
    ("accesskey", "api-key"),
    ("accountkey", "api-key"),
    ("authkey", "api-key"),
    ("licensekey", "api-key"),
    ("servicekey", "api-key"),
    ("secret", "secret"),
    ("credential", "credential"),
    ("token", "token"),
)
_WORD = {
    "pass": "password",
    "pwd": "password",
    "psw": "password",
    "passcode": "password",
    "pw": "password",
    "creds": "credential",
    "cred": "credential",
    "salt": "secret",
    "pepper": "secret",
    "psk": "secret",
    "jwt": "token",
    "bearer": "token",
    "otpauth": "secret",
    "authorization": "auth",
    **dict.fromkeys(words("passe mdp senha clave haslo heslo parola passord adgangskode salasana"), "password"),
}
_FOREIGN = ("contraseñ", "hasło", "lösenord", "şifre", "пароль", "密码", "密碼", "口令", "パスワード", "비밀번호")
"""Password, in letters that are not ASCII."""
_LAST = {
    "auth": "auth",
    "cookie": "cookie",
    "pin": "pin",
    "community": "password",
    "seed": "random",
    "sas": "secret",
    "pat": "token",
    "access": "random",
    "encrypt": "random",
}
_KEY_OF = words(
    "api secret private priv access auth account encryption encrypt signing sign master shared session license licence app "
    "jwt hmac crypto cipher data token service admin write read root unseal recovery fernet cookie webhook deploy ingest "
    "integration db database storage client consumer server security instrumentation subscription aes rsa vapid user hash "
    "ssl tls ssh wg wireguard age barrier"
)
_KEY_NOT = words(
    "gpg pgp foreign partition sort cache routing group index object hot row map keyboard bucket sandbox issue project "
    "i18n shard dedup idempotency host known authorized trusted verify verification recv"
)
# What a generated value is, beside a secret.
_HARMLESS = words(
    "sha sha1 sha256 sha512 md5 hash commit rev revision etag nonce site measurement publishable integrity sri cert crt ca "
    "cluster node machine instance build trace span request session serial hostkey"
)
_NOT_A_TOKEN = lazy(r"tokeni[sz]|secretar|tokenlimit|(?:load|import)credential")

_SWITCH = words(
    "true false yes no on off none null nil undefined 0 1 enabled disabled required optional auto default unset "
    "(none) (unset) (null) <none> <nil> <unset> n/a"
)
_METHODS = words(
    "none basic digest plain login md5 scram scram-sha-1 scram-sha-256 scram-sha-512 ldap ldaps oauth oauth2 oidc openid saml "
    "kerberos krb5 gssapi ntlm jwt trust peer ident cert token bearer internal external anonymous cram-md5 local shared "
    "password pam radius reject mtls tls x509 apikey api-key iam aws sasl cookie session keycloak htpasswd"
)
_PLACEHOLDER = re.compile(
    r"""\$\{\w+\}|\$\(\w+\)|\$[A-Z_][A-Z0-9_]*|\{\{[^{}]*\}\}|\$\{\{[^{}]*\}\}|%\(\w+\)s|%[sdv]|%[A-Z_]+%|@[A-Z_]+@
      |[*•]+|\.{3,}|x{3,}|X{3,}|[\[<(]?(?i:redacted|hidden|masked|filtered|removed|secret\ hidden)[\]>)]?|<[A-Za-z][\w .-]*>""",
    re.VERBOSE,
)
_HELD = re.compile(f"(?:{OPEN}\\d+{CLOSE})+")
TOKEN = r"<redacted:[a-z0-9-]+:[0-9a-f]{6,24}>"  # noqa: S105 - the shape of what stands for one
"""What stands for a secret: its kind and a fingerprint of 3, 6 or 12 bytes."""
_TOKEN = re.compile(TOKEN)
_PATH = re.compile(
    r"(?:[\w.-]+:)?(?:~|\.{1,2}|/(?:run|etc|var|opt|home|root|usr|srv|mnt|data|tmp|secrets?|config|app|certs?|vault|dev|proc|sys|ssl|keys?|"
    r"conf|etcd|bitnami|docker|workspace|code|src|lib|files?))(?:/[\w.@+-]+)+/?|file:/\S+|/dev/null|[\w-]+(?:/[\w-]+)*\.(?:pem|key|crt|txt|json|ya?ml|jks|p12)"
)
_URL = lazy(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]+")
_RANDOM = lazy(r"(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[A-Za-z0-9+/_.~=-]{16,}|[A-Za-z0-9+/]{24,}={0,2}")
_TAG_OR_DIGEST = lazy(r"sha(?:1|256|512):[0-9a-f]+|[\w.-]+(?:/[\w.-]+)+(?::[\w.-]+)?|v?\d+(?:\.\d+)+[\w.+-]*")
_DIGEST = lazy(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{40}")
_DENSE = lazy(r"(?!AAAA|sha\d)[A-Za-z0-9+/_-]{24,}={0,2}")
_DENSITY = 0.42
"""Changes between upper case, lower case and digits per character: 0.6 in a generated key, a third in CamelCase."""
_TO_STANDARD = str.maketrans("-_", "+/")
_BLANKS = str.maketrans("\n\r\t\0", "    ")
_WORDLIKE = lazy(r"[A-Z]?[a-z]{1,14}|[A-Z]{1,15}|\d{1,9}|[a-z]{1,10}[-_.][a-z]{1,10}")


def is_token(text: str) -> str | None:
    """The kind of secret that `text` stands for, or None when it is no token of ours."""
    return text.split(":")[1] if _TOKEN.fullmatch(text) else None


@lru_cache(maxsize=8192)
def kind_of(name: str) -> str | None:
    """What kind of secret a value under this name is: None for none, "random" where only a random-looking value would be one.

    Read are environment variables, flags, header names, JSON keys and dotted label keys (their last segment, which says what
    the value is).
    """
    if len(name) > 200:
        name = name[-200:]
    segment = name.strip("-\"'[] ").rstrip("_.")
    if "." in segment:
        head, _, tail = segment.rpartition(".")
        segment = head.rpartition(".")[2] if tail in ("value", "plain", "default", "data", "content") else tail
    if not segment.isascii() and any(word in segment.lower() for word in _FOREIGN):
        return "password"
    if name.endswith("sonar.login"):
        return "token"
    parts = [word.lower() for word in _WORDS.findall(segment)]
    while len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    if not parts:
        return None
    last = parts[-1]
    flat = "".join(parts)
    if last in _ABOUT and parts[-2:] != ["secret", "id"] and parts[-3:] != ["root", "token", "id"]:
        return _owned(parts[-2]) if len(parts) > 1 and last in _OWNERS else None
    if segment.startswith("BUNDLE_") and "__" in segment and last in ("com", "org", "net", "io", "dev"):
        return "credential"
    if not _NOT.isdisjoint(parts) or _NOT_A_TOKEN().search(flat):
        return None
    for part, kind in _STRONG:
        if part in flat and _KEY_NOT.isdisjoint(parts[:-1] if kind == "api-key" else ()):
            return kind
    for word in parts:
        if word in _WORD:
            return _WORD[word]
    if last in _LAST:
        return _LAST[last]
    if last.endswith(("pass", "pwd", "pw", "community")) and last not in ("bypass", "compass"):
        return "password"
    if last in ("key", "keys", "base", "data") and "key" in (last, last[:-1], parts[-2] if len(parts) > 1 else ""):
        if not _KEY_OF.isdisjoint(parts):
            return "key" if _KEY_NOT.isdisjoint(parts) else None
        return "random" if _KEY_NOT.isdisjoint(parts) else None
    if last.endswith("key") and last[:-3] in _KEY_OF:
        return "key"
    if last in ("signature", "sig", "webhook", "dsn", "cookies", "otp", "totp"):
        return "random"
    return None


def _owned(word: str) -> str | None:
    """The kind of what stands under this word and its owner: a token's may be a name as well, unless it looks generated."""
    if kind_of(word) == "password":
        return "password"
    return "random" if word in ("secret", "token") else None


def unexplained(name: str, value: str) -> bool:
    """Whether a value is a generated key that its name says nothing of: no id, digest, public key or base64 of a text."""
    parts = {word.lower() for word in _WORDS.findall(name)}
    if not _DENSE().fullmatch(value) or not parts.isdisjoint(_HARMLESS | _NOT) or parts & _ABOUT:
        return False
    classes = ["A" if c.isupper() else "a" if c.islower() else "0" for c in value]
    changes = sum(one != other for one, other in itertools.pairwise(classes))
    return len(set(classes)) == 3 and changes > _DENSITY * len(value) and unpacked(value) is None


def unpacked(value: str) -> str | None:
    """The text that a value is the base64 of, in either alphabet; None where it is no text."""
    try:
        plain = binascii.a2b_base64(
            value.rstrip("=").translate(_TO_STANDARD) + "=" * (-len(value.rstrip("=")) % 4)
        ).decode()
    except (binascii.Error, ValueError):
        return None
    return plain if plain and plain.translate(_BLANKS).isprintable() else None


def random_looking(value: str) -> bool:
    """Whether a value reads like a generated key rather than a word, a path, an image or a version."""
    if not _RANDOM().fullmatch(value) or _TAG_OR_DIGEST().fullmatch(value):
        return False
    return len(set(value)) >= 8 and not _DIGEST().fullmatch(value)


def is_mixed(value: str) -> bool:
    """Whether a word of a text is no word of a language: upper case, lower case and digits, or a generated key."""
    if _TAG_OR_DIGEST().fullmatch(value) or not any(c.isdigit() for c in value):
        return False
    return random_looking(value) or (any(c.isupper() for c in value) and any(c.islower() for c in value))


def exempt(kind: str, name: str, value: str) -> bool:
    """Whether a value under a secret's name is no secret after all: empty, a switch, a reference, a path, a count, a token."""
    if kind == "random" and (
        not random_looking(value.removeprefix("base64:"))
        or (name.lower() == "key" and not value.strip("0123456789abcdef"))
    ):
        return True
    if len(value) < 12 and value.strip().lower() in _SWITCH:
        return True
    if (
        not value.strip()
        or _TOKEN.fullmatch(value)
        or _HELD.fullmatch(value)
        or _PLACEHOLDER.fullmatch(value)
        or _PATH.fullmatch(value)
    ):
        return True
    if name.lstrip("-") == "secret" and value.partition("=")[0] in ("id", "source", "src", "type", "target"):
        return True
    if len(value) < 4 and not any(c.isalnum() for c in value):
        return True
    if name in ("PWD", "OLDPWD"):
        return value[0] in "/.~"
    if kind == "auth":
        return all(part in _METHODS for part in re.split(r"[\s,;|:]+", value.lower()))
    if kind == "pin":
        return not (value.isdigit() and len(value) >= 4)
    if kind == "key" and value.isdigit() and len(value) < 6:
        return True
    return kind == "token" and value.replace(".", "", 1).isdigit() and "tokens" in name.lower()


def names_users(name: str) -> bool:
    """Whether a value under this name is an account, or several, perhaps with their passwords."""
    last = _WORDS.findall(name)[-1:]
    return bool(last) and last[0].lower() in ("user", "users", "username", "login", "account")


def is_url(value: str) -> bool:
    """Whether a value is a URL: its secret, if any, is a part of it."""
    return "://" in value and _URL().fullmatch(value) is not None


def is_distinctive(value: str) -> bool:
    """Whether a value can be told from ordinary words and numbers wherever it stands.

    `postgres` as a password cannot: it is also an image, a user and a word in the log.
    """
    return len(value) >= 6 and not _WORDLIKE().fullmatch(value)
