"""Commands that change the configuration of a running nginx. Pure."""

import shlex


def nginx_settings(file: str, *directives: str) -> str:
    """The shell command that writes directives into a file of their own, and removes it where it
    has no effect.

    nginx may not read the file, may refuse it, or may have another value of the site's own for the
    first directive: then the place of that value is shown.
    """
    path = f"/etc/nginx/conf.d/{file}"
    first = directives[0]
    name = first.partition(" ")[0]
    lines = " ".join(f"'{directive};'" for directive in directives)
    write = f"printf '%s\\n' {lines} >{path}"
    alone = f"[ \"$(nginx -T 2>/dev/null | grep -o '{name} [^;]*')\" = '{first}' ]"
    command = f"nginx -T 2>/dev/null | grep -e '^# configuration file' -e {name}"
    return f"{write} && nginx -t && {alone} && nginx -s reload || {{ rm -f {path}; {command}; false; }}"


def edited_nginx(path: str, edit: str) -> str:
    """The shell command that changes a file in place, and changes it back where nginx does not
    accept it."""
    return (
        f'f={shlex.quote(path)}; b=$(mktemp) && cp "$f" $b || exit 1; sed \'{edit}\' $b >"$f" && nginx -t && '
        'nginx -s reload || { cat $b >"$f"; false; }'
    )
