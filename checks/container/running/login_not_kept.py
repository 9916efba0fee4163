"""container.login-not-kept: a program does not know its clients after they have logged in."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.untold_programs import UntoldPrograms
from diagnose.evidence.network.proxies.web_address import web_address
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import count, joined, sentence, shortened
from diagnose.registry import check

_TLS_PORT = 443


@check(
    "container.login-not-kept",
    severity=Severity.warning,
    caused_by=("network.https-not-passed-on",),
)
def login_not_kept(untold_programs: UntoldPrograms, namespaces: Namespaces | None) -> CheckResult:
    """A program does not know its clients after they have logged in.

    The access log shows at least four logins that are granted. After each of them the same client
    is refused, or led back to the login page. Usually the cookie of the login does not come back:
    it is marked Secure, and browsers keep it over HTTPS alone; or it is for another host name.
    Where an nginx before the program is the cause, another check names it. A wrong password looks
    different: the login itself is refused.
    """
    for symptom in untold_programs.forgotten_logins:
        container = symptom.container
        address = web_address(container, namespaces)
        finding = Finding.about(
            container,
            sentence(
                f"{container} lets its clients log in, and does not know them at their next request "
                f"({count(symptom.times, 'time')} lately: {shortened(symptom.path, 60)})",
                _why(container),
            ),
            {"log": shortened(symptom.line, 160)},
            stable=(container.life,),
        )
        yield finding.with_variables(
            present({"url": f"{address}{symptom.path}" if address else ""})
        )
    return None


def _why(container: Container) -> str:
    ports = [port.host_port for port in container.published_by("tcp")]
    if ports and _TLS_PORT not in ports:
        shown = joined([str(port) for port in sorted(set(ports))])
        return (
            f"a cookie that is marked Secure does not come back over plain HTTP, as at port {shown}"
        )
    return "the cookie of the login most likely does not come back"
