"""Page variables that lead a proxy of the host to its server again."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.proxies.host_proxies import HostProxyFailure
from diagnose.first_steps.network.nginx_edits import lines_before
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.remedies import Inside

_USUAL = "/etc/nginx/conf.d/"


def _is_upload(failure: Recognised | None) -> bool:
    return failure is not None and failure.name == "nginx-upload"


def is_chosen_limit(failure: HostProxyFailure, recognised: Recognised | None) -> bool:
    """Whether somebody has set the size of uploads there: some are refused on purpose."""
    hop = failure.refusing
    return hop is not None and _is_upload(recognised) and "client_max_body_size" in hop.settings


def host_proxy_steps(
    failure: HostProxyFailure, container: Container, recognised: Recognised | None
) -> PageVariables:
    """The page variables of the first command, by the obstacle between the proxy and its server."""
    remedy = recognised.remedy if recognised is not None else None
    if not failure.is_published:
        inside = failure.moved.port if failure.moved is not None else failure.port
        return {"unpublished": container.name, "publish": f"127.0.0.1:{failure.port}:{inside}"}
    if not container.is_running:
        return {"stopped": container.name}
    if is_chosen_limit(failure, recognised):
        return {}  # a second line of that name is an error
    if failure.refusing is not None and failure.file is not None and _is_upload(recognised):
        return lines_before(failure.refusing, failure.file, "client_max_body_size 100m;")
    if isinstance(remedy, Inside) and failure.program == "nginx":
        command = remedy.command.replace(_USUAL, failure.drop_in or _USUAL)
        return {"on_host": command}
    if not failure.log.path:
        return {"upstream": failure.place, "unit": f"{failure.program}.service"}
    place = failure.log.mark or failure.place
    return {"upstream": failure.place, "log": failure.log.path, "place": place}
