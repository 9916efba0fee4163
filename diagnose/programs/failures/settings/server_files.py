"""Configuration files of servers: a word comes twice, a block is cut off, or belongs elsewhere."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import CommentedOut, TypedLike

_AT = r"in (?P<path>/[^:\s]{1,300}):(?P<line>\d{1,7})"
"""The place at which nginx finds a fault."""

SERVER_FILES = (
    Failure(
        name="nginx-twice",
        mark="directive is duplicate",
        pattern=rf'"(?P<word>[a-z_]+)" directive is duplicate {_AT}',
        cause="nginx reads {word} twice in the same block: line {line} of {path} is the second time, and the first one "
        "is above it or in a file that is included",
        cure="take the line out of {path}, or the first one",
        source="nginx' own message; chibisafe/chibisafe#273",
        remedy=CommentedOut("{word}"),
    ),
    Failure(
        name="nginx-block-twice",
        mark="duplicate ",
        pattern=rf'duplicate (?P<word>upstream|location|listen options) ?"?(?P<of>[^"\n]{{0,120}}?)"? ?{_AT}',
        cause="nginx reads the {word} {of} twice: line {line} of {path} is the second time, often from a second file or "
        "a copy of the file in the same folder",
        cure="remove the copy, or that block of {path}",
        source="nginx' own message",
    ),
    Failure(
        name="nginx-default-twice",
        mark="duplicate default server",
        pattern=rf"a duplicate default server for (?P<address>\S{{1,80}}) {_AT}",
        cause="two files make themselves the default for {address}: one of them is that of the image, or a copy",
        cure="take default_server out of {path}, or remove the file that is not wanted from that folder",
        source="nginx' own message",
    ),
    Failure(
        name="nginx-cut-off",
        mark=("unexpected end of file", 'unexpected "}"'),
        pattern=rf'unexpected (?:end of file, expecting (?P<expected>"[;}}]"(?: or "}}")?)|"}}") {_AT}',
        cause="a brace or a semicolon is missing or too much in {path}, at or before line {line}",
        cure="correct the block that ends there",
        source="nginx' own message",
    ),
    Failure(
        name="nginx-part-alone",
        mark='no "events" section',
        pattern=r'no "events" section in configuration',
        cause="nginx' main file is only a part of one: it has no events block, as a file for conf.d or an empty one",
        cure="mount that file at /etc/nginx/conf.d/default.conf, and leave /etc/nginx/nginx.conf to the image",
        source="nginx' own message",
    ),
    Failure(
        name="nginx-names-long",
        mark="server_names_hash",
        pattern=r"could not build (?:the )?server_names_hash, you should increase (?P<key>server_names_hash_\w+)",
        cause="the host names of the servers are too long or too many for nginx' table",
        cure="put `server_names_hash_bucket_size 128;` into the http block, as a file of its own in /etc/nginx/conf.d",
        source="nginx documentation, server names",
    ),
    Failure(
        name="nginx-module-lost",
        mark='dlopen() "',
        pattern=r'dlopen\(\) "(?P<module>/[^"\s]{1,200}\.so)" failed',
        cause="nginx' main file loads the module {module}, which this image does not have, or has for another release",
        cure="take its load_module line out, or run the image that has the module",
        source="nginx' own message",
        build="another",
    ),
    Failure(
        name="nginx-parameter",
        mark=("invalid parameter", "parameter requires", "may not have port"),
        pattern=rf'\[emerg\][^\n]{{0,40}}(?:invalid parameter "(?P<word>[^"\n]{{1,120}})"'
        rf'|the "(?P<word_module>\w+)" parameter requires \w+|upstream "(?P<word_upstream>[^"\n]{{1,120}})" may not have port \d+)'
        rf" {_AT}",
        cause="nginx does not take {word} in line {line} of {path}: it belongs to another release or module, or a "
        "semicolon or a space is missing before it",
        cure="correct the line; of an upstream that has a block of its own, the block has the port",
        source="nginx' own message",
    ),
    Failure(
        name="redis-directive-of-another",
        mark="bad directive or wrong number",
        pattern=r"Bad directive or wrong number of arguments.{0,40}Reading the configuration file, at line (?P<line>\d+); "
        r">>> '(?P<text>[\w-]{1,60}) ",
        cause="this version of Redis does not take {text} in its configuration (line {line}): another version has it, or it has "
        "more or fewer values there",
        cure="run the version of Redis that the file was written for, or take the line out",
        source="redis/docker-library-redis#239",
        remedy=CommentedOut("{text}"),
    ),
    Failure(
        name="redis-dir",
        mark="reading the configuration file",
        pattern=r"""(?x)
            (?P<why>No\ such\ file\ or\ directory|Permission\ denied);.{0,40}
            Reading\ the\ configuration\ file,\ at\ line\ \d+;\ >>>\ '"?dir\ "?(?P<path>/[^\s'"]{0,200})
        """,
        cause="Redis cannot use {path}, the folder of its data ({why})",
        cure="mount the volume there, and give it to the user that Redis runs as (chown)",
        source="Redis' own message",
        confirmed_by="container.mount-forbidden",
        look="mounts",
    ),
    Failure(
        name="redis-line",
        mark="reading the configuration file",
        pattern=r"""(?x)
            (?P<why>
                  wrong\ number\ of\ arguments
                | argument\ must\ be\ [^\n;]{1,80}
                | Invalid\ [^\n;]{1,80}
                | unbalanced\ quotes[^\n;]{0,60}
                | [A-Za-z][^\n;]{2,119}[^\n;.]
              )\.?;.{0,40}Reading\ the\ configuration\ file,\ at\ line\ (?P<line>\d+);\ >>>\ '
              (?P<text>[\w-]{1,60})
        """,
        cause="Redis does not read the line {text} of its configuration (line {line}): {why}",
        cure="correct the line; a variable in it may be empty, or a value with a space may lack its quotes",
        source="Redis' own message",
    ),
    Failure(
        name="mysql-group-missing",
        mark="without preceding group",
        pattern=r"Found option without preceding group in config file:? (?P<path>/\S+?) at line:? (?P<line>\d+)",
        cause="{path} has an option before any group",
        cure="begin the file with the line [mysqld]",
        source="MySQL's own message",
    ),
    Failure(
        name="php-fpm-pool",
        mark="no pool defined",
        pattern=r"No pool defined\. at least one pool section must be specified in config file",
        cause="PHP-FPM finds no file with a pool: the folder of its pools is empty, or a mount hides it",
        cure="leave /usr/local/etc/php-fpm.d (php/X.Y/fpm/pool.d) to the image, and mount single files into it",
        source="PHP-FPM's own message",
    ),
    Failure(
        name="php-session-address",
        mark=("session_start(): open(", "session_start(): failed to read session data: files"),
        pattern=r"""(?x)
            session_start\(\):\ open\((?P<url>\w{2,12}://[^\s,()]{1,200}?)/sess_[\w,-]{1,128},
            | session_start\(\):\ Failed\ to\ read\ session\ data:\ files
                \ \(path:\ (?P<url_path>\w{2,12}://[^\s()]{1,200})\)
            """,
        cause="PHP keeps its sessions in files, and session.save_path names {url}, an address and not a folder: no "
        "session is kept, and each login is lost",
        cure="set session.save_handler to what belongs to that address (redis, memcached), or take session.save_path "
        "out of php.ini; then restart the container",
        source="nextcloud/server#33476",
        turns_away=True,
    ),
    Failure(
        name="apache-variables",
        mark=("must be a valid directory", "is not defined"),
        pattern=r"(?:DefaultRuntimeDir|ServerRoot) must be a valid directory, absolute or relative|Config variable \$\{APACHE_\w+\} is not defined",
        cause="Apache was started without the variables of its distribution: apache2 by itself does not read "
        "/etc/apache2/envvars",
        cure="start it with apachectl -D FOREGROUND (apache2ctl), or with apache2-foreground in the image of PHP",
        source="Debian's apache2 package",
    ),
    Failure(
        name="django-hosts",
        mark="you must set settings.allowed_hosts",
        pattern=r"You must set settings\.ALLOWED_HOSTS if DEBUG is False",
        cause="Django runs without DEBUG, and its ALLOWED_HOSTS is empty: the variable that the settings take it from is "
        "not set",
        cure="set it to the names by which the site is called, divided by commas",
        source="Django's own message",
        remedy=TypedLike(r"ALLOWED_HOSTS"),
    ),
    Failure(
        name="sshd-keys",
        mark="no hostkeys available",
        pattern=r"sshd: no hostkeys available",
        cause="sshd has no keys of its own: its package makes them only at an installation with an init system",
        cure="run ssh-keygen -A before sshd in the start script, or mount a folder with keys at /etc/ssh",
        source="OpenSSH's own messages",
        look="image",
    ),
    Failure(
        name="php-fpm-entry",
        mark="unknown entry '",
        pattern=r"\[(?P<path>/[^\]:\n]{1,200}):(?P<line>\d{1,6})\] unknown entry '(?P<word>[^'\n]{1,80})'",
        cause="PHP-FPM does not know {word} in line {line} of {path}: it is misspelt, or belongs to another version",
        cure="correct the line, or put a ; before it",
        source="PHP-FPM's own message",
    ),
    Failure(
        name="apache-file",
        mark="does not exist or is empty",
        pattern=r"(?P<word>\w{4,40}): file '(?P<path>/[^'\n]{1,200})' does not exist or is empty",
        cause="Apache finds no {path}, which its directive {word} names, or that file is empty",
        cure="mount the file there, or correct the path behind {word}",
        source="Apache's own message",
        look="certificate",
    ),
    Failure(
        name="openldap-tls",
        mark="tls init def ctx failed",
        pattern=r"\bmain: TLS init def ctx failed: (?P<code>-?\d{1,6})",
        cause="OpenLDAP cannot use its certificate, its key or its list of authorities: one is missing, is another one's, "
        "or cannot be read by the user openldap",
        cure="look at the three files that TLSCertificateFile and its neighbours name (LDAP_TLS_CRT_FILENAME and others), "
        "or start it without TLS (LDAP_TLS=false)",
        source="OpenLDAP's own message",
        look="certificate",
    ),
    Failure(
        name="emqx-settings",
        mark="call_hocon_failed",
        pattern=r"\bcall_hocon_failed\b",
        cause="EMQX cannot read its settings: a key or a value in emqx.conf, in cluster.hocon of its data or in a variable "
        "EMQX_... is wrong, or of another release",
        cure="read the lines above, which name the key, and correct it",
        source="EMQX' own start script",
    ),
    Failure(
        name="nginx-uri-part",
        mark="cannot have uri part in location",
        pattern=r'"(?P<word>\w{4,20})" cannot have URI part in location given by regular expression',
        cause="nginx does not take an address with a path behind {word} in a location that is a pattern (~), a named one (@) or "
        "lies inside an if",
        cure="take the path and its slash from the address behind {word}, or make the location a plain prefix",
        source="nginx documentation, proxy_pass",
    ),
)
"""In the order in which a line is compared with them."""
