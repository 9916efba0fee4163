"""Programs that keep the sessions of their users in a server of Redis, by their settings."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.workers.worker_roles import has_name
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_texts import FindTexts

_OF_SESSIONS = LazyPattern(r"(?:^|_)SESSIONS?(?:_|$)")
_IS_PLACE = LazyPattern(r"(?:ADDR|ADDRESS|DSN|HOST|HOSTNAME|SERVER|UR[IL])$")
_KINDS = ("redis", "valkey")
_AUTHELIA = LazyPattern(r"(?:^|/)authelia(?:[:@]|$)")
_ITS_FILE = "/config/configuration.yml"


def keeps_sessions_in(host: Host, program: Container, server: Container) -> bool:
    """Whether a program keeps its sessions in a server.

    A variable for sessions names the server, or says `redis` where another variable names it. A
    file is read of Authelia alone.
    """
    for name, value in program.config.environment:
        if _OF_SESSIONS.search(name) is None:
            continue
        if _IS_PLACE.search(name) is not None and has_name(value, server):
            return True
        if _IS_PLACE.search(name) is None and value.lower() in _KINDS:
            return _names_it(program, server)
    is_authelia = _AUTHELIA.search(program.config.image) is not None
    return is_authelia and _names_in_file(host, program, server)


def _names_it(program: Container, server: Container) -> bool:
    """Whether a variable with a place names the server."""
    places = [value for name, value in program.config.environment if _IS_PLACE.search(name)]
    return any(has_name(value, server) for value in places)


def _names_in_file(host: Host, program: Container, server: Container) -> bool:
    """Whether the settings of Authelia have the server: it keeps nothing but sessions there."""
    texts = [
        text
        for name in sorted(server.dns_names)
        for text in (f"host: {name}\n", f"host: '{name}'\n", f'host: "{name}"\n')
    ]
    root = f"/proc/{program.state.pid}/root"
    return bool(host.answer_or(FindTexts(_ITS_FILE, texts, root=root), []))
