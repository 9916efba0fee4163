"""Checks of headers that a proxy does not pass on, or sets in a way that the program refuses.

network.https-not-passed-on, network.upgrade-not-passed-on, network.http-version-refused,
network.host-name-refused.
"""

from diagnose.evidence.network.proxies.nginx.untold_programs import UntoldProgram, UntoldPrograms
from diagnose.evidence.network.proxies.nginx.web_symptoms import Symptom
from diagnose.first_steps.network.nginx_edits import HOST_OF_CLIENTS, SCHEME, SCHEME_BEFORE, edit_of
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check

_UPGRADE = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade";'
)
_VERSION_ALONE = "proxy_http_version 1.1;"
_VERSION = 'proxy_http_version 1.1; proxy_set_header Connection "";'
_SEEN = {
    "login": "logs its clients in, but does not recognise them at their next request",
    "sign-in": "sends its clients elsewhere to sign in, and none returns",
    "origin": "refuses the forms of its own pages",
    "upgrade": "refuses requests for WebSocket",
    "version": "refuses requests for their version of HTTP (status 426)",
    "signature": "refuses signed addresses (status 403)",
    "misdirected": "has no site for the requested name (status 421)",
}
"""The behaviour of a program behind a proxy, by the symptom of a missing header."""


@check("network.upgrade-not-passed-on", severity=Severity.warning)
def upgrade_not_passed_on(untold_programs: UntoldPrograms) -> CheckResult:
    """nginx does not pass on that its clients ask for WebSocket.

    Pages load, and what they show live does not: chats, terminals, notifications. nginx leaves out
    the header Upgrade unless its configuration sets it. The last lines of logs show requests at a
    usual path of WebSocket, each of which is refused with 400, 404, 405 or 426, or what a program
    says of the missing header. The configuration of the nginx before it is read then, with its
    included files: it counts only if no header Upgrade is set in the location that takes the path,
    or another value than the client's one, or if nginx calls the program by HTTP/1.0 there. The
    usual log of an nginx of the host is read too.
    """
    for program in untold_programs:
        if program.symptom.kind == "upgrade" and program.hop.passes_upgrades_on:
            fault = (
                "uses HTTP/1.0 towards it, which has no WebSocket: proxy_http_version is not 1.1"
            )
            yield _untold_finding(program, fault, _VERSION_ALONE)
        elif program.symptom.kind == "upgrade" and program.hop.misnames_upgrade:
            fault = "sets the header Upgrade to $connection_upgrade, which is for Connection"
            yield _untold_finding(program, fault, "proxy_set_header Upgrade $http_upgrade;")
        elif program.symptom.kind == "upgrade":
            fault = "does not pass on the header Upgrade, by which a client asks for it"
            yield _untold_finding(program, fault, _UPGRADE)


@check("network.http-version-refused", severity=Severity.warning)
def http_version_refused(untold_programs: UntoldPrograms) -> CheckResult:
    """A program refuses the version of HTTP in which nginx calls it.

    nginx before 1.29.7 calls the servers behind it by HTTP/1.0 unless proxy_http_version says 1.1.
    Envoy, which stands before many programs, and others take no HTTP/1.0: they answer with 426
    (Upgrade Required). The last lines of logs show four or more such requests, and none at these
    places that was served. The configuration of the nginx before it is read then, with its included
    files. Places of WebSocket have a check of their own: `network.upgrade-not-passed-on`.
    """
    for program in untold_programs:
        if program.symptom.kind == "version":
            fault = "uses HTTP/1.0 towards it: proxy_http_version is not 1.1 there"
            yield _untold_finding(program, fault, _VERSION)


@check("network.host-name-refused", severity=Severity.warning)
def host_name_refused(untold_programs: UntoldPrograms) -> CheckResult:
    """A program refuses the host name by which nginx calls it.

    nginx tells the server behind it the name in proxy_pass, unless its configuration sets the
    header Host. The signature of an address of S3 holds only for the name that clients ask for: a
    store that learns another name refuses each of them with 403. A site that is called by its own
    name, and gets that of the proxy's clients, answers 421 (Misdirected Request). The last lines of
    logs show four or more such requests, and none that was served. Signed addresses whose time is
    over do not count. The configuration of the nginx before it is read then, with its included
    files.
    """
    for program in untold_programs:
        hop = program.hop
        if program.symptom.kind == "signature":
            host_header = hop.headers.get("host")
            header = (
                f"sets the header Host to {host_header}" if host_header else "sets no header Host"
            )
            fault = f"{header}, so the requested name is not the one that was signed"
            yield _untold_finding(program, fault, HOST_OF_CLIENTS)
        elif program.symptom.kind == "misdirected":
            host_header = hop.headers["host"]
            fault = f"calls it as {hop.own_name}, but passes on the name that clients typed ({host_header})"
            yield _untold_finding(program, fault, f"proxy_set_header Host {hop.own_name};")


@check("network.https-not-passed-on", severity=Severity.warning)
def https_not_passed_on(untold_programs: UntoldPrograms) -> CheckResult:
    """nginx does not tell a program that its clients come by HTTPS.

    The program then makes addresses with http://, keeps cookies for HTTPS back, and takes forms of
    its own pages for those of another site. The last lines of logs show it: logins that are
    granted and not known by the next request, redirects to another site's sign-in from which
    nobody comes back, or forms that are refused for their origin. The configuration of nginx is
    read then, with its included files. It counts if the nginx that ends HTTPS does not set
    X-Forwarded-Proto, or if an inner one overwrites it with $scheme, which is http there.
    """
    for program in untold_programs:
        if program.symptom.kind not in ("login", "sign-in", "origin", "loop"):
            continue
        if program.hop.ends_tls:
            fault = "terminates HTTPS without telling it: it sets no header X-Forwarded-Proto"
            yield _untold_finding(program, fault, SCHEME)
        else:
            scheme_header = program.hop.headers["x-forwarded-proto"]
            fault = (
                f"sets X-Forwarded-Proto to {scheme_header}, which is http there, although clients use "
                "HTTPS to the proxy in front of it"
            )
            yield _untold_finding(program, fault, SCHEME_BEFORE)


def _untold_finding(untold: UntoldProgram, fault: str, added: str) -> Finding:
    symptom = untold.symptom
    hop = untold.hop
    program = hop.program or symptom.container
    return Finding.about(
        program,
        sentence(
            f"{program} {_SEEN[symptom.kind]} ({_times_lately(symptom)})", f"{hop.label} {fault}"
        ),
        present(
            {
                "log": shortened(symptom.line, 160),
                "where that is set": _place(untold),
                "names of the site": list(hop.names[:4]),
            }
        ),
        discriminator=symptom.kind,
        touches=subjects_of([hop.proxy]),
        recheck=(program.run,),
        variables=edit_of(untold, added),
    )


def _times_lately(symptom: Symptom) -> str:
    """The number of failed requests, and the path of one, as a clause."""
    asked_clause = f": {shortened(symptom.path, 60)}" if symptom.path else ""
    return f"{count(symptom.times, 'time')} recently{asked_clause}"


def _place(program: UntoldProgram) -> str:
    """The file, and the location in it."""
    file = program.file.on_host or program.file.path_inside
    return f"{program.hop.directive} in {file}" if file else program.hop.directive
