"""Secrets that are new in each run: other shapes than the corpus, put together from parts that know
nothing of the redaction."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Any

from tests.corpus import Case, put, template

_SERVICES = (
    "billing",
    "Mail",
    "ORDERS",
    "x2",
    "legacy",
    "Search",
    "kafka",
    "s3",
    "ldap",
    "grafana",
    "ci",
    "backup",
)
_NOUNS = [
    "password",
    "PASSWORD",
    "Passwd",
    "pwd",
    "Pass",
    "secret",
    "SECRET",
    "apiKey",
    "api_key",
    "API_KEY",
    "access_token",
    "AccessToken",
    "TOKEN",
    "token",
    "refreshToken",
    "authToken",
    "privateKey",
    "private_key",
    "client_secret",
    "ClientSecret",
    "signing_key",
    "encryptionKey",
    "master-key",
    "credentials",
    "passphrase",
    "admin_pass",
    "rootPassword",
    "bearer_token",
    "session_secret",
    "sharedSecret",
    "webhook_secret",
    "license_key",
]
_JOINS = ("_", "-", ".", "")


def _name(rnd: random.Random) -> str:
    noun = rnd.choice(_NOUNS)
    join = rnd.choice(_JOINS)
    noun = noun[0].upper() + noun[1:] if not join else noun
    name = rnd.choice(_SERVICES) + join + noun
    return name.upper().replace("-", "_").replace(".", "_") if rnd.random() < 0.3 and join else name


def _value(rnd: random.Random) -> str:
    alphabets = (
        string.ascii_letters + string.digits,
        string.ascii_lowercase + string.digits,
        string.hexdigits[:16],
        string.ascii_letters + string.digits + "!#%*+-.:=^_~",
        string.ascii_letters,
    )
    while True:
        value = "".join(rnd.choices(rnd.choice(alphabets), k=rnd.randint(8, 48)))
        if value[0].isalnum() and value[-1].isalnum() and (len(value) > 15 or not value.isalpha()):
            return value


def _word(rnd: random.Random) -> str:
    return "".join(rnd.choices(string.ascii_letters + string.digits, k=rnd.randint(9, 24)))


def _in_env(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = _value(rnd)
    return "api.container", "Config.Env[]", f"{_name(rnd)}={value}", value


def _in_json_env(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = _value(rnd)
    inner = json.dumps(
        {"svc": {"opts": {_name(rnd): value}, "port": 1}}, indent=rnd.choice((None, 1))
    )
    return "api.container", "Config.Env[]", f"APP_CONFIG={inner}", value


def _in_label(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = _value(rnd)
    key = f"com.acme.{_name(rnd)}".replace(".", "\\.")
    return "api.container", f"Config.Labels.{key}", value, value


def _in_flag(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = _value(rnd)
    flag = (
        "--"
        + rnd.choice(_SERVICES).lower()
        + "-"
        + rnd.choice(("password", "secret", "token", "api-key", "passphrase"))
    )
    words = [
        "/app",
        "serve",
        *([f"{flag}={value}"] if rnd.random() < 0.5 else [flag, value]),
        "--port",
        "80",
    ]
    if rnd.random() < 0.5:
        return "api.container", "Config.Cmd", words, value
    return "api.container", "Config.Cmd", ["sh", "-c", " ".join(words)], value


def _in_url(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = _word(rnd)
    scheme = rnd.choice(
        (
            "postgresql+asyncpg",
            "mariadb",
            "rediss",
            "amqps",
            "ftp",
            "smb",
            "ldaps",
            "mqtt",
            "nats",
            "clickhouse",
        )
    )
    url = f"{scheme}://{rnd.choice(_SERVICES)}:{value}@host-{rnd.randint(1, 9)}.internal:{rnd.randint(1000, 9999)}/x"
    return rnd.choice(
        (
            ("api.container", "Config.Env[]", f"UPSTREAM={url}", value),
            ("api.container", "State.Error", f"dial {url}: timeout", value),
            ("text", "", f"2026-11-23 ERROR cannot reach {url} (attempt 3)", value),
            ("api.info", "HttpProxy", url, value),
        )
    )


def _in_log(rnd: random.Random) -> tuple[str, str, Any, str]:
    name, value = _name(rnd), _value(rnd)
    shapes: tuple[Callable[[], str], ...] = (
        lambda: f'ts=1 level=debug {name}="{value}" ok=true',
        lambda: json.dumps({"msg": "boot", name: value, "n": 1}),
        lambda: json.dumps({"msg": json.dumps({"cfg": {name: value}})}),
        lambda: f"[config] {name} = {value}",
        lambda: f"loaded {{'{name}': '{value}', 'debug': True}}",
        lambda: f"  {name}: '{value}'",
        lambda: f"<{name}>{value}</{name}>",
    )
    return "text", "", f"line one\n{rnd.choice(shapes)()}\nline three", value


def _in_header(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = "".join(rnd.choices(string.ascii_letters + string.digits, k=rnd.randint(20, 60)))
    header = rnd.choice(
        (
            "X-Auth-Key",
            "X-Access-Token",
            "X-Api-Token",
            "X-Shared-Secret",
            "Authorization: Bearer",
            "Authorization: ApiKey",
            "X-Client-Secret",
        )
    )
    line = f"{header} {value}" if ": " in header else f"{header}: {value}"
    return (
        "text",
        "",
        rnd.choice(("> {}", "curl -sH '{}' http://x/y", 'headers: {{"{}"}}', "{}")).format(line),
        value,
    )


def _in_basic(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = base64.b64encode(f"{rnd.choice(_SERVICES)}:{_word(rnd)}".encode()).decode()
    return rnd.choice(
        (
            ("text", "", f"Authorization: Basic {value}", value),
            (
                "file:/root/.docker/config.json",
                "",
                json.dumps({"auths": {"r.example": {"auth": value}}}),
                value,
            ),
        )
    )


def _in_ini(rnd: random.Random) -> tuple[str, str, Any, str]:
    name, value = _name(rnd), _word(rnd)
    line = rnd.choice(("{} = {}", "{}={}", '{} = "{}"', "{}: {}", "{}='{}'")).format(name, value)
    path = rnd.choice(("/etc/app.conf", "/srv/x/.env", "/srv/x/compose.yaml"))
    return f"file:{path}", "", f"[main]\nport = 1\n{line}\nlast = 2\n", value


def _in_query(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = _word(rnd)
    key = rnd.choice(
        (
            "api_key",
            "apikey",
            "token",
            "access_token",
            "auth_token",
            "password",
            "client_secret",
            "pwd",
            "secret",
        )
    )
    return "text", "", f'10.0.0.1 - - "GET /v1/x?page=2&{key}={value}&z=1 HTTP/1.1" 200', value


def _mixed(rnd: random.Random) -> str:
    """What no language has as a word, so that a sentence around it is enough to tell."""
    return (
        rnd.choice(string.ascii_uppercase)
        + rnd.choice(string.ascii_lowercase)
        + rnd.choice(string.digits)
        + _word(rnd)
    )


def _in_sentence(rnd: random.Random) -> tuple[str, str, Any, str]:
    value, user = _mixed(rnd), rnd.choice(_SERVICES)
    shapes = (
        f"A temporary password is provided for this session: {value}",
        f"Generated password for user {user}: {value}",
        f"Password for the {user} user (reset with `bin/reset -u {user}`):\n  {value}",
        f"Your new API token is: {value}",
        f"Log in with {user} / {value}",
        f"{user} credentials are '{user}:{value}'",
    )
    return "text", "", f"starting\n{rnd.choice(shapes)}\nready", value


def _in_base64(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = _mixed(rnd)
    plain = rnd.choice(
        (json.dumps({"user": "app", _name(rnd): value}), f"{rnd.choice(_SERVICES)}:{value}")
    )
    encoded = base64.b64encode(plain.encode()).decode()
    return rnd.choice(
        (
            ("api.container", "Config.Env[]", f"SETTINGS={encoded}", encoded),
            ("text", "", f"loaded {encoded} from disk", encoded),
        )
    )


def _in_list(rnd: random.Random) -> tuple[str, str, Any, str]:
    value = _word(rnd)
    tool = rnd.choice(
        (
            ["redis-cli", "-a", value],
            ["mysqladmin", f"-p{value}", "ping"],
            ["curl", "-su", f"bob:{value}"],
        )
    )
    text = f"services:\n  x:\n    healthcheck:\n      test: {json.dumps(['CMD', *tool])}\n"
    return "file:/srv/x/compose.yaml", "", text, value


_MAKERS = (
    _in_env,
    _in_json_env,
    _in_label,
    _in_flag,
    _in_url,
    _in_log,
    _in_header,
    _in_basic,
    _in_ini,
    _in_query,
    _in_sentence,
    _in_base64,
    _in_list,
)


def cases(seed: int, count: int) -> Iterator[Case]:
    """New cases; the same ones for the same seed."""
    rnd = random.Random(seed)
    for n in range(count):
        maker = _MAKERS[n % len(_MAKERS)]
        question, place, text, secret = maker(rnd)
        args: dict[str, Any] = {}
        if question.startswith("file:"):
            args, question, answer = {"path": question[5:]}, "file.read", {"text": text}
        else:
            answer = text if question == "text" else put(template(question), place, text)
        yield Case(
            f"{maker.__name__[4:]}-{n}",
            "fresh",
            question,
            args,
            place,
            str(text),
            (secret,),
            answer,
        )
