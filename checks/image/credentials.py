"""Logins at registries that the docker command cannot read."""

import posixpath
from collections.abc import Iterator

from msgspec.structs import replace

from diagnose.evidence.containers.programs.program import MACHINES
from diagnose.evidence.engine.client import BrokenHelper, ClientSettings, UnreadStore
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Ping
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import HOST, CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import and_more
from diagnose.registry import check

REGISTRIES_SHOWN = 3
_PLAIN = LazyPattern(r"[\w-]+(?:\.\w+)?")
"""A name that means itself in a pattern of sed."""
_PASS = "pass"  # noqa: S105 - a program's name
"""The helper that keeps logins in the password store of a user."""


@check("image.client-config-unreadable", severity=Severity.warning)
def client_config_unreadable(client: ClientSettings, daemon: Daemon | None) -> CheckResult:
    """The docker command cannot read its configuration, and ignores stored logins.

    A full disk or a power cut leaves config.json empty or torn, and a login with sudo leaves it to
    root. The docker command warns once and continues as if nobody had logged in; contexts and
    proxies of the file are lost as well. A user who may not use the engine's socket runs docker as
    root, who can read everything: then the owner of the file does not matter.
    """
    closed = client.closed
    if closed is not None and (daemon is None or daemon.reason != "forbidden"):
        yield Finding(
            subject=HOST,
            summary=(
                f'the docker command of user "{closed.user}" has no logins: it may not read '
                f"{closed.path}, which belongs to {closed.owner}"
            ),
            evidence={f"stat({closed.path})": f"owner {closed.owner}"},
            variables={"closed": closed.path, "user": closed.user},
            discriminator=closed.path,
        )
    if client.malformed:
        yield Finding(
            subject=HOST,
            summary=(
                f'the docker command of user "{client.user}" has no logins: it cannot read '
                f"{client.file} ({client.malformed})"
            ),
            evidence={client.file: client.malformed},
            variables={"path": client.file},
        )


@check("image.credential-helper-missing", severity=Severity.warning)
def credential_helper_missing(client: ClientSettings, ping: Ping | None) -> CheckResult:
    """The docker command needs a credential helper that is missing or cannot work.

    Docker Desktop and the SDKs of clouds write such a helper into config.json; the file outlives
    them, or is copied to another host. On engine 28 `docker run` of an image that is not here fails
    before it asks the registry, and so do compose and builds; `docker pull` continues without the
    login.

    Only programs that lie in no folder of PATH, and in no other usual folder, count. One that is
    there may be refused by the kernel: a program of Windows under WSL, or of another processor.

    The helper `pass` runs another program, which has to be there too, and needs a store whose key
    GnuPG knows. The helper `secretservice` needs the session bus of a desktop, and the docker
    command takes it by itself where nothing is configured and some package has brought it (seen
    with docker-credential-helpers 0.6.4). That is advice before engine 28: nobody has logged in,
    and images without a login are pulled.
    """
    if client.without_bus:
        is_harmless = client.by_default and (ping is None or ping.version < _ASKS_FIRST)
        yield _no_bus_finding(client, Severity.advice if is_harmless else None)
    yield from _helper_findings(client)
    if client.of_caller is not None:
        user = client.of_caller.user
        for finding in _helper_findings(client.of_caller):
            yield replace(finding, discriminator=f"{user} {finding.discriminator}")


def _helper_findings(client: ClientSettings) -> Iterator[Finding]:
    """The findings about the helpers of one user."""
    for helper in client.absent:
        yield _missing_helper_finding(client, helper, f"docker-credential-{helper}")
    for helper, program in client.lacking:
        yield _missing_helper_finding(client, helper, program)
    for broken in client.broken:
        yield _broken_helper_finding(client, broken)
    if client.unread_store is not None:
        yield _unread_store_finding(client, client.unread_store)


def _missing_helper_finding(client: ClientSettings, helper: str, missing: str) -> Finding:
    """The finding about a helper that is not installed. missing: the program, the helper's own or
    one that it runs."""
    program = f"docker-credential-{helper}"
    path = client.not_executable.get(helper, "")
    if missing != program:
        problem = f"{program}, which runs the program {missing}, and that is not installed"
    elif path:
        problem = f"{program}, and {path} may not be executed"
    else:
        problem = f"{program}, which is not installed"
    evidence = {"file": path} if path else {"PATH": f"no {missing}"}
    return Finding(
        subject=HOST,
        summary=f"{_refused_images(client, helper)}: {client.file} names the program {problem}",
        evidence={**_helper_setting(client, helper), **evidence},
        variables={"helper": missing, **_way_out(client, helper, path)},
        discriminator=helper,
    )


def _broken_helper_finding(client: ClientSettings, broken: BrokenHelper) -> Finding:
    """The finding about a helper whose program the kernel refuses, although it is there and may be
    executed."""
    refusal = {
        "windows": "is a program of Windows, and nothing here runs such programs",
        "processor": f"is built for {_processor(broken.detail)}, and this host is another machine",
        "interpreter": f"needs {broken.detail}, which is not here",
        "empty": "is an empty file",
    }.get(broken.kind, "is neither a program nor a script with a #! line")
    return Finding(
        subject=HOST,
        summary=f"{_refused_images(client, broken.helper)}: {broken.path} {refusal}",
        evidence={**_helper_setting(client, broken.helper), "cannot be executed": broken.path},
        variables={
            "helper": f"docker-credential-{broken.helper}",
            **_way_out(client, broken.helper, ""),
        },
        discriminator=broken.helper,
    )


def _processor(number: str) -> str:
    return MACHINES.get(int(number), f"machine {number}") if number.isdecimal() else number


def _unread_store_finding(client: ClientSettings, store: UnreadStore) -> Finding:
    """The finding about the helper `pass`, which finds no login that GnuPG can decrypt."""
    helper = {"helper": "docker-credential-pass"}
    if not store.recipient:
        return Finding(
            subject=HOST,
            summary=(
                f"{_refused_images(client, _PASS)}: the password store {store.store} was never "
                "made, and the helper pass keeps logins there"
            ),
            evidence={**_helper_setting(client, _PASS), f"{store.store}/.gpg-id": "missing"},
            variables={**helper, **_way_out(client, _PASS, "")},
            discriminator=_PASS,
        )
    return Finding(
        subject=HOST,
        summary=(
            f'user "{client.user}" cannot use the login of {store.registry}: it is encrypted for '
            f"the key {store.recipient}, which GnuPG does not know here"
        ),
        evidence={**_helper_setting(client, _PASS), store.store: f"no key {store.recipient}"},
        variables={**helper, "locked_registry": store.registry, "store": store.store},
        discriminator=_PASS,
    )


def _refused_images(client: ClientSettings, helper: str) -> str:
    """The images that a user cannot pull for lack of a helper, as the beginning of a sentence.

    The docker command asks the helper before it pulls a public image, too.
    """
    registries = ""
    if client.store != helper:
        registries = f" of {and_more(_registries_of(client, helper), REGISTRIES_SHOWN)}"
    return f'user "{client.user}" can neither pull nor push images{registries}'


def _helper_setting(client: ClientSettings, helper: str) -> dict[str, Json]:
    """The setting that names a helper."""
    if client.store == helper:
        return {f"{client.file} credsStore": helper}
    return {f"{client.file} credHelpers": ", ".join(_registries_of(client, helper))}


def _registries_of(client: ClientSettings, helper: str) -> list[str]:
    return sorted(name for name, other in client.helpers.items() if other == helper)


def _way_out(client: ClientSettings, helper: str, path: str) -> PageVariables:
    """The page variables for a helper. path: its program, where nobody may execute it."""
    if path:
        return {"unexecutable": path}
    name = {"name": helper} if _PLAIN.fullmatch(helper) else {}
    return {"path": client.file, **name}


_ASKS_FIRST = (28,)
"""The first docker command that needs the helper's answer before it runs an image that is not on
the host."""


def _no_bus_finding(client: ClientSettings, severity: Severity | None) -> Finding:
    """The finding about the helper of a desktop on a host without one."""
    program = posixpath.basename(client.without_bus)
    if client.by_default:
        origin = "nothing configures it, and the docker command takes it because it is installed"
        source = {client.without_bus: "is installed", "credsStore": "not set"}
        variables = {"by_default": client.without_bus}
    else:
        origin = f"{client.file} names it"
        source = {client.file: program}
        variables = {"path": client.file, "name": program.removeprefix("docker-credential-")}
    return Finding(
        subject=HOST,
        summary=(
            f'user "{client.user}" cannot log in to registries: {program} needs the session bus of '
            f"a desktop, and there is none; {origin}"
        ),
        evidence={**source, "DBUS_SESSION_BUS_ADDRESS, DISPLAY": "not set"},
        variables={"helper": program, **variables},
        discriminator="session bus",
        severity=severity,
    )
