"""Page variables with edits of a file of nginx."""

from diagnose.evidence.network.proxies.nginx.configurations import HopFile
from diagnose.evidence.network.proxies.nginx.hops import NginxHop
from diagnose.evidence.network.proxies.nginx.untold_programs import UntoldProgram
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables
from diagnose.programs.nginx_settings import edited_nginx

SCHEME = "proxy_set_header X-Forwarded-Proto $scheme;"
SCHEME_BEFORE = "proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;"
HOST_OF_CLIENTS = "proxy_set_header Host $http_host;"
_HOST = "proxy_set_header Host "
_PLAIN = LazyPattern(r"[\w.:/$-]{1,120}")
"""A target that a shell and sed take literally."""


def edit_of(program: UntoldProgram, added: str) -> PageVariables:
    """The page variables that write the missing lines before proxy_pass.

    A location without headers of its own would lose those of its site by a first one.
    """
    hop = program.hop
    may_add = hop.has_own_headers or not hop.headers
    if added.startswith(_HOST) and "host" in hop.headers:
        return lines_before(hop, program.file, added, may_add=False) | _other_host(program, added)
    words = lines_before(hop, program.file, added, may_add=may_add)
    if hop.misnames_upgrade and "Upgrade" in added:
        edit = "s|Upgrade  *[$]connection_upgrade;|Upgrade $http_upgrade;|"
        return {**words, **nginx_edit(hop, program.file, edit)}
    if not hop.ends_tls and "x-forwarded-proto" in hop.headers and "Proto" in added:
        header = hop.headers["x-forwarded-proto"].replace("$", "[$]")
        edit = f"s|X-Forwarded-Proto  *{header};|X-Forwarded-Proto $http_x_forwarded_proto;|"
        if may_add and _PLAIN.fullmatch(hop.target):
            words = {**words, **nginx_edit(hop, program.file, edit)}
    return words


def _other_host(program: UntoldProgram, added: str) -> PageVariables:
    """The page variables that change the header Host of one location, and of no other one in the
    file."""
    hop = program.hop
    header = hop.headers["host"]
    place = hop.location
    if not (hop.has_own_headers and _PLAIN.fullmatch(header) and _PLAIN.fullmatch(place)):
        return {}
    old = header.replace("$", "[$]")
    block = place.replace(".", "[.]")
    new = added.removeprefix(_HOST)
    edit = f"\\|location  *{block}  *{{|,/}}/s|Host  *{old};|Host {new}|"
    return nginx_edit(hop, program.file, edit)


def lines_before(
    hop: NginxHop, file: HopFile, added: str, *, may_add: bool = True
) -> PageVariables:
    """The page variables that write lines before the proxy_pass of a location."""
    words = {"added": added}
    if hop.proxy is not None:
        words["proxy"] = hop.proxy.name
    if not (may_add and _PLAIN.fullmatch(hop.target)):
        return words
    old = hop.target.replace(".", "[.]").replace("$", "[$]")
    return {**words, **nginx_edit(hop, file, f"s|proxy_pass  *{old};|{added} &|")}


def nginx_edit(hop: NginxHop, file: HopFile, edit: str) -> PageVariables:
    """The page variables that make a change in the file of a location; empty where none may be
    made.

    edit: for sed. The container may not write a file that is mounted for reading: the host does.
    """
    if not file.path_inside:
        return {}
    if hop.proxy is None:
        return {"host_file": file.on_host, "edit": edit}
    if not file.is_read_only:
        return {"script": edited_nginx(file.path_inside, edit)}
    return {"mounted_file": file.on_host, "edit": edit} if file.on_host else {}
