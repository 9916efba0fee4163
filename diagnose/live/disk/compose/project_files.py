"""The functions with which workers of the helper process read the files of a compose project."""

# Called by many questions; pathlib triples their cost.
# ruff: noqa: PTH113, PTH116, PTH118

import os
from collections.abc import Iterable, Mapping

from diagnose.live.disk.opening import read_text, why_unread
from diagnose.mappings import first_of
from diagnose.model import Json

_LONGEST = 1 << 18
"""Bytes of a file that are read."""
_MOST_ENV_FILES = 5
"""Env files of one project that are searched for dollar signs."""


def lost_dollars(args: Json) -> Json:
    """See `collectors.lost_dollars`. A file that cannot be read has none."""
    from diagnose.live.disk.compose.dollars import (
        lost_variables,  # only where a program refuses a secret
    )

    texts = _texts(args["paths"])
    env_files = _texts(_env_files(texts, args.get("folder", ""))[:_MOST_ENV_FILES])
    return lost_variables({**env_files, **texts})


def blank_references(args: Json) -> Json:
    """See `collectors.blank_references`. A file that cannot be read has none."""
    from diagnose.live.disk.compose.references import (
        blank_commands,  # only where a container of compose failed
    )

    return blank_commands(_texts(args["paths"]))


def emptied_texts(args: Json) -> Json:
    """See `collectors.emptied_texts`. A file that cannot be read has none."""
    from diagnose.live.disk.compose.emptied_texts import (
        emptied_texts as search,  # only where a container has such a value
    )

    return search(_texts(args["paths"]), list(args["texts"]))


def compose_files(args: Json) -> Json:
    """See `collectors.compose_files`. A file that cannot be looked at is left out."""
    folder = args["folder"]
    texts = _texts(args["paths"])
    files = []
    for path in dict.fromkeys([*texts, f"{folder}/.env", *_env_files(texts, folder)]):
        try:
            files.append({"path": path, "mtime": os.stat(path).st_mtime})
        except OSError:
            continue
    return files


def compose_variables(args: Json) -> Json:
    """See `collectors.compose_variables`. A file that cannot be read gives nothing."""
    from diagnose.live.disk.compose.variables import variables  # only where such a file is newer

    texts = _texts(args["paths"])
    if len(texts) < len(args["paths"]):
        return []
    return variables(
        texts, args["folder"], args["service"], lambda path: _texts([path]).get(path, "")
    )


def compose_service(args: Json) -> Json:
    """See `compose.compose_service`."""
    from diagnose.live.disk.compose.parts import service_parts  # only for what has failed

    texts = _texts(args["paths"])
    return (
        service_parts(texts.values(), args["service"]) if len(texts) == len(args["paths"]) else {}
    )


def compose_volumes(args: Json) -> Json:
    """See `compose.compose_volumes`."""
    from diagnose.live.disk.compose.parts import volume_parts  # only where a file is newer

    texts = _texts(args["paths"])
    return volume_parts(texts) if len(texts) == len(args["paths"]) else []


def differing_contents(args: Json) -> Json:
    """See `compose.differing_contents`."""
    from diagnose.live.disk.compose.contents import written_contents  # only where a file is newer
    from diagnose.live.disk.compose.variables import assigned_values

    texts = _texts(args["paths"])
    if len(texts) < len(args["paths"]):
        return []
    dotenv = f"{args['folder']}/.env"
    variables = assigned_values(_texts([dotenv]).get(dotenv, ""))
    contents = written_contents(texts, args["service"], variables)
    present = {path: read_text(path, _LONGEST, args["layer"]) for path in contents}
    return [path for path, text in present.items() if text not in (None, contents[path])]


def compose_project(args: Json) -> Json:
    """See `compose.compose_project`."""
    from diagnose.live.disk.compose.faults import compose_faults
    from diagnose.live.disk.compose.needs import needed_parts
    from diagnose.live.disk.compose.project import (  # only where compose has made containers
        includes_others,
        project_services,
    )
    from diagnose.live.disk.compose.unused_keys import unused_keys

    folder = args["folder"]
    texts = _texts(args["paths"])
    if len(texts) < len(args["paths"]):
        closed = _closed_file(args["paths"])
        odd = next(filter(None, map(why_unread, args["paths"])), "")
        return {"unread": odd} if odd and not closed else {"closed": closed}
    too_long = next((path for path, text in texts.items() if len(text) >= _LONGEST), "")
    if too_long:
        return {"unread": f"{too_long}: larger than {_LONGEST >> 10} KiB"}
    services = project_services(texts, folder)
    if services is None:
        why = _why_unparsed(texts)
        return {
            "unread": why,
            "faults": compose_faults(texts, folder),
            "changed": _times_of_change(texts),
        }
    override = _texts(_unused_overrides(args["paths"]))
    return {
        "services": services,
        "includes": includes_others(texts),
        "changed": _times_of_change(texts),
        "override": first_of(override, ""),
        "overridden": project_services(override, folder) or [],
        "faults": compose_faults(texts, folder),
        "needs": needed_parts(texts),
        "unused_keys": unused_keys(texts, folder),
    }


def _times_of_change(paths: Iterable[str]) -> dict[str, Json]:
    return {path: os.stat(path).st_mtime for path in paths}


def _why_unparsed(texts: Mapping[str, str]) -> str:
    """The first of these files that is not YAML, or more than is read."""
    from diagnose.yaml_text import OversizedError, read_nodes

    for path, text in texts.items():
        try:
            read_nodes(text)
        except OversizedError as error:
            return f"{path}: {error}"
        except ValueError:
            return f"{path}: no valid YAML"
    return f"{' and '.join(texts)}: no valid YAML"


def _closed_file(paths: Iterable[str]) -> str:
    """The first of these files that this user may not read; "" for none."""
    for path in paths:
        try:
            os.stat(path)
        except PermissionError:
            return path
        except OSError:
            continue
        if not os.access(path, os.R_OK, effective_ids=True):
            return path
    return ""


def _unused_overrides(paths: list[str]) -> list[str]:
    """The overrides that compose would have read of its own accord, had nobody named a file."""
    names = [f"{name}.{end}" for name in ("compose", "docker-compose") for end in ("yaml", "yml")]
    folder, name = os.path.split(paths[0])
    if len(paths) > 1 or name not in names:
        return []
    overrides = (os.path.join(folder, other.replace(".y", ".override.y")) for other in names)
    return [path for path in overrides if os.path.isfile(path)][:1]


def _env_files(texts: Mapping[str, str], folder: str) -> list[str]:
    """The env files that the compose files among these texts name; `.env` files name none."""
    from diagnose.live.disk.compose.env_files import (  # only for containers of compose
        names_in_text,
        paths_of,
    )

    return paths_of((name for text in texts.values() for name in names_in_text(text)), folder)


def _texts(paths: Iterable[str]) -> dict[str, str]:
    """The beginnings of the files that can be read, by path."""
    texts = {path: read_text(path, _LONGEST) for path in paths}
    return {path: text for path, text in texts.items() if text is not None}
