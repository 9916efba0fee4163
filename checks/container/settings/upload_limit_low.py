"""container.upload-limit-low: one of two limits for uploads is far lower than the other."""

from diagnose.evidence.containers.settings.upload_limits import OF_NGINX, UploadLimit, UploadLimits
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

_SIZE_OF_NGINX = LazyPattern(r"[1-9]\d{0,5}[kKmMgG]|[1-9]\d{6,11}")
"""A size that nginx takes; a small plain number may mean megabytes."""


@check(
    "container.upload-limit-low",
    severity=Severity.advice,
    aloud=("refuses uploads that other settings allow", "refuse uploads that other settings allow"),
)
def upload_limit_low(upload_limits: UploadLimits) -> CheckResult:
    """A server refuses uploads that the settings of its neighbour allow.

    nginx passes at most 1 MB on unless client_max_body_size says otherwise, and PHP takes files of
    2 MB and requests of 8 MB. One of them was raised, and the other one not: the lower limit
    counts. A program says its limit by a variable such as MAX_UPLOAD_SIZE, or by PHP's settings. It
    is advice, since small uploads work. It is not said aloud where the higher limit comes from an
    image alone. The check says nothing where not all settings could be read.
    """
    for limit in upload_limits:
        yield _finding(limit)


def _finding(limit: UploadLimit) -> Finding:
    file_clause = f"{limit.place}, " if limit.place.startswith("/") else ""
    default = "" if file_clause or not limit.place else f" ({limit.place})"
    return Finding.about(
        limit.container,
        f"{_refuser(limit)} refuses uploads above {limit.value}{default}: {_allower(limit)}",
        {limit.name: f"{file_clause}{limit.value}{default}", limit.other_name: limit.other_value},
        discriminator=limit.name,
        recheck=(limit.container.run,),
        touches=subjects_of([limit.other]),
        variables=_steps(limit),
        is_quiet=not limit.is_asked_for,
    )


def _refuser(limit: UploadLimit) -> str:
    if limit.name != OF_NGINX:
        return f"PHP in {limit.container}"
    return f"nginx in {limit.proxy}" if limit.proxy is not None else "nginx on this host"


def _allower(limit: UploadLimit) -> str:
    """The server with the higher limit, and its setting, as a sentence says it."""
    if limit.other_name == OF_NGINX:
        server = f"nginx in {limit.other}" if limit.other is not None else "nginx on this host"
        return f"{server} in front of it lets {limit.other_value} pass"
    if limit.name != OF_NGINX:
        return f"its {limit.other_name} is {limit.other_value}"
    return f"{limit.other} behind it takes {limit.other_value} ({limit.other_name})"


def _steps(limit: UploadLimit) -> PageVariables:
    if limit.name == OF_NGINX:
        places = {"file": limit.file, "proxy": limit.proxy.name if limit.proxy is not None else ""}
        edit = _edit_of_nginx(limit) if limit.file and limit.proxy is not None else ""
        return present({"nginx_limit": limit.other_value, **places, "limit_edit": edit})
    return {"php_limit": limit.other_value, "setting": limit.name, **_ini_steps(limit)}


def _edit_of_nginx(limit: UploadLimit) -> str:
    """The edit by sed that gives each site of the file the program's limit.

    "" where nginx was given a limit, which may stand in another file, and where the program counts
    in other units.
    """
    has_default = bool(limit.place)
    if not has_default or not _SIZE_OF_NGINX.fullmatch(limit.other_value):
        return ""
    return f"s|server[[:space:]]*{{|&\\n    {OF_NGINX} {limit.other_value};|"


def _ini_steps(limit: UploadLimit) -> PageVariables:
    """The page variables of a file with both limits, where PHP's own images read such files."""
    folder = limit.container.config.value_of("PHP_INI_DIR")
    if not folder:
        return {}
    ini = f"/root/{limit.container.name}-uploads.ini"
    return {"ini": ini, "ini_mount": f"{ini}:{folder}/conf.d/zz-uploads.ini:ro"}
