"""Commands that change the configuration of a running nginx. Pure."""

import shlex


def nginx_settings(file: str, *directives: str) -> str:
    """Directives in a file of their own, which goes again where it has no effect.

    nginx may not read the file, refuse it, or have another value of the site's own for the first
    directive: then it is shown where that one stands.
    """
    path = f"/etc/nginx/conf.d/{file}"
    name = directives[0].partition(" ")[0]
    lines = " ".join(f"'{directive};'" for directive in directives)
    write = f"printf '%s\\n' {lines} >{path}"
    alone = f"[ \"$(nginx -T 2>/dev/null | grep -o '{name} ' | wc -l)\" -eq 1 ]"
    command = f"nginx -T 2>/dev/null | grep -e '^# configuration file' -e {name}"
    return f"{write} && nginx -t && {alone} && nginx -s reload || {{ rm -f {path}; {command}; false; }}"


def edited_nginx(path: str, edit: str) -> str:
    """Changes a file in its place, and changes it back where nginx does not take it."""
    return (
        f'f={shlex.quote(path)}; b=$(mktemp) && cp "$f" $b || exit 1; sed \'{edit}\' $b >"$f" && nginx -t && '
        'nginx -s reload || { cat $b >"$f"; false; }'
    )
