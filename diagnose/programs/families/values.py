"""Values that a program cannot read as what it takes them for, in the words of many languages."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure

_WHERE = "in the variables, the command or the configuration of the container"
_HTML = r"(?:<!doctype|<html|<\?xml)"
"""The beginning of an HTML page."""

VALUES = (
    Failure(
        name="page-for-json",
        mark=("'<'", "token <", "'<", "value: <", "<!doctype", "<html"),
        pattern=rf"""(?x)
            \bUnexpected\ token\ '<',\ \"{_HTML} | \bUnexpected\ token\ <\ in\ JSON\b  # Node.js
            | \binvalid\ character\ '<'\ looking\ for\ beginning\ of\ value\b  # Go
            | \bunexpected\ (?:character|token):?\ (?:at\ )?'{_HTML}  # Ruby
            | \bUnexpected\ character\ \('<'\ \(code\ 60\)  # Jackson
            | (?<!\w)'<'\ is\ an\ invalid\ start\ of\ a\ value\b  # .NET
            | \bUnexpected\ character\ encountered\ while\ parsing\ value:\ <  # Newtonsoft
            | \bUnrecognized\ token\ '<'  # Bun
        """,
        cause="the program gets a web page (HTML) where it expects JSON: the address that it calls leads to a login, "
        "an error page or another server, or lacks a part of its path",
        cure="ask for that address from the host, and correct it in the program's settings; of a "
        "file, put the real one instead of the page",
        source="harness/harness#2716; the parsers' own messages",
        look="addresses",
    ),
    Failure(
        name="not-utf-8",
        mark=(
            "utf",
            "unicode",
            "codec",
            "continuation byte",
            "control characters",
            "malformedinput",
            "special characters",
        ),
        pattern=r"""(?x)
            'utf-?8'\ codec\ can't\ decode\ byte | 'ascii'\ codec\ can't\ decode\ byte  # Python
            | \binvalid\ (?:leading\ |trailing\ )?UTF-8\b | \binvalid\ continuation\ byte\b
            | \bdid\ not\ contain\ valid\ UTF-8\b  # Rust
            | \binvalid\ byte\ sequence\ (?:in|for\ encoding\ \"?)\ ?UTF-?8\b  # Ruby, PostgreSQL
            | \bmalformed\ UTF-8\b | \bMalformedInputException:\ Input\ length\b
            | \byaml:\ control\ characters\ are\ not\ allowed\b
            | \bunacceptable\ character\ \#x[0-9a-f]+:\ (?:special\ characters|control)
        """,
        of_running=NEVER,
        cause="the program reads a value, a file or an answer that is not UTF-8: it was saved in another encoding, "
        "such as Latin-1 or UTF-16, or is not text",
        cure="correct the value, or save the file as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 makes a copy of it",
        source="svalouch/rctmon#26; the languages' own messages",
        look="encoding",
    ),
    Failure(
        name="port-unnamed",
        of_running=NEVER,
        mark=("missing port in address", "default addr for network"),
        pattern=r"\baddress (?P<address>[\w.\[\]:-]{1,200}): missing port in address\b"
        r"|\bdefault addr for network '(?P<address_mysql>[^'\n]{1,200})' unknown\b",
        cause="the address {address} in the program's settings lacks a part: its port, or for MySQL the form "
        "tcp(host:port)",
        cure="write it as host:port; in the address of a Go program's MySQL as user:password@tcp(host:port)/database",
        source="Go's and go-sql-driver's own messages",
    ),
    Failure(
        name="placeholder-kept",
        of_running=NEVER,
        mark="${",
        pattern=r"""(?x)
            \bFailed\ to\ bind\ properties\ under\ '(?P<key>[\w.\[\]-]{1,120})'.{0,160}?
                \bValue:\ "?\$\{(?P<name>\w{1,80})\}
            | \b(?:ENOTFOUND|EAI_AGAIN)\ \$\{(?P<name_node>\w{1,80})\}
            | \bNo\ help\ topic\ for\ '\$\{(?P<name_command>\w{1,80})\}'
        """,
        cause="the program's settings or its command still have the placeholder of the variable {name}, not a value: "
        "it is not set in the container, or no shell reads the command",
        cure="set {name} for the container; where it stands in a command, start that with sh -c",
        source="barmiro/SYSH#1; Spring Boot's and urfave/cli's own messages",
    ),
    Failure(
        name="property-unbound",
        of_running=NEVER,
        mark="bind properties",
        pattern=r"""(?x)
            \bFailed\ to\ bind\ properties\ under\ '(?P<key>[\w.\[\]-]{1,120})'
                (?:\ to\ (?P<type>[\w.$<>,\ ]{1,160}\w))?
        """,
        cause="the program does not take the value of its property {key}: the variable that it is set by is "
        "empty or of another kind, or a variable of the same name is meant for something else, as a link "
        "of Docker sets some",
        cure="look at the variable of that name in capitals, with _ for each dot, and give it a value of the kind "
        "that the line names, or remove it",
        source="Spring Boot's own message; arbindo/mimock#175, spring-projects/spring-boot#12357",
    ),
    Failure(
        name="duration-malformed",
        of_running=ABOUT_SETTINGS,
        mark="duration",
        pattern=r"""(?x)
            \btime:\ (?:missing|unknown)\ unit\ (?:\S{1,20}\ )?in\ duration\ \\?"(?P<value>[^"\\\n]{0,60})  # Go
            | \b(?:invalid|not\ a\ valid)\ duration(?:\ string|\ value)?:?\ ?\\?["'`](?P<value_named>[^"'`\\\n]{0,60})
            | \bDurationParseException\b.{0,80}?["'](?P<value_java>[^"'\n]{0,60})
        """,
        cause='the program takes "{value}" for a duration, and does not read it as one: the unit is missing or unknown',
        cure=f"write it with its unit, such as 30s, 5m or 12h, where it is set: {_WHERE}",
        source="Go's and Prometheus' own messages; grafana/tutorial-environment#1",
    ),
    Failure(
        name="boolean-malformed",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bstrconv\.ParseBool:\ parsing\ \\?"(?P<value>[^"\\\n]{0,60})
            | \bInvalid\ truth\ value:?\ ['"]?(?P<value_python>[^'"\n]{1,60})
            | \bprovided\ string\ was\ not\ `true`\ or\ `false`:?\ ?['"]?(?P<value_rust>[^'"\n]{0,60})
            | \bvalue\ ['"](?P<value_named>[^'"\n]{1,60})['"]\ (?:cannot|can't|could\ not)\ be\ (?:parsed|converted
                |interpreted)
                \ (?:as|into|to)\ (?:a\ )?bool(?:ean)?\b
        """,
        cause='the program takes "{value}" for a yes or a no, and does not read it as one',
        cure=f"write true or false, without quotes that become a part of the value, where it is set: {_WHERE}",
        source="Go's, Python's and Rust's own messages",
    ),
    Failure(
        name="number-malformed",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bstrconv\.(?:Atoi|Parse(?:Float|Int|Uint)):\ parsing\ \\?"(?P<value>[^"\\\n]{0,60})  # Go
            | \binvalid\ literal\ for\ int\(\)\ with\ base\ \d+:\ b?['"](?P<value_python>[^'"\n]{0,60})
            | \bcould\ not\ convert\ string\ to\ float:\ ['"](?P<value_float>[^'"\n]{0,60})
            | \b(?:NumberFormatException:\ Cannot\ parse\ |For\ input\ string:\ )"?(?P<value_java>[^"\n]{0,60})
            | \binput\ string\ '(?P<value_dotnet>[^'\n]{0,60})'\ was\ not\ in\ a\ correct\ format
            | "(?P<value_erlang>[^"\n]{1,60})"\ cannot\ be\ converted\ to\ a\(n\)\ (?:float|integer)\b
            | \binvalid\ value\ for\ (?:Float|Integer)\(\):\ "(?P<value_ruby>[^"\n]{0,60})
            | \bvalue\ ['"](?P<value_named>[^'"\n]{1,60})['"]\ (?:cannot|can't|could\ not)\ be\ (?:parsed|converted
                |interpreted)
                \ (?:as|into|to)\ (?:an?\ )?(?:decimal|float|int(?:eger)?|number)\b
        """,
        cause='the program takes "{value}" for a number, and it is none',
        cure=f"write a number, without quotes, spaces or a unit, where it is set: {_WHERE}",
        source="Go's, Python's, Java's, .NET's and Ruby's own messages; azukaar/Cosmos-Server#107",
    ),
    Failure(
        name="number-unnamed",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bParse(?:Int|Float)Error\s?\{\ kind:\ (?:Empty|Invalid)\w*|\binvalid\ digit\ found\ in\ string\b  # Rust
            | \bcannot\ parse\ integer\ from\ empty\ string\b
            | \bInput\ string\ was\ not\ in\ a\ correct\ format\b  # .NET
            | \bERR_SOCKET_BAD_PORT\b.{0,80}\bNaN\b
            | \bArgumentError\b.{0,40}\berlang\.binary_to_(?:float|integer)\b
        """,
        cause="the program takes a value of its settings for a number, and that is none, or is empty; it does not "
        "say which",
        cure="look at each variable that should hold a number: its value may be empty, a placeholder, or have "
        "quotes, a space or a unit too much",
        source="Rust's, .NET's and Node.js' own messages; codetheweb/aoede#3",
    ),
    Failure(
        name="ip-malformed",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bAn\ invalid\ IP\ address\ was\ specified | (?<!\bfrom\ )\binvalid\ IP\ address(?:\ syntax)?\b(?!\ from\b)
            | \bdoes\ not\ appear\ to\ be\ an\ IPv4\ or\ IPv6\ (?:address|network|interface)
            | \bParseAddr\(\\?" | \bAddrParseError\b
            | \binvalid\ CIDR\ address: | \bexpected\ IP\ in\ URL\ for\ binding
        """,
        cause="the program takes a value of its settings for an IP address, and that is none: a name, an empty value, "
        "or a list in one word",
        cure=f"write an address where it is set: {_WHERE}; names of containers are not addresses",
        source=".NET's, Python's, Go's and Rust's own messages; immense/Remotely#575",
    ),
    Failure(
        name="address-relative",
        of_running=NEVER,
        mark="",
        pattern=r"\bRelativeUrlWithoutBase\b|\brelative URL without a base\b|\bunsupported protocol scheme \\?\"\\?\""
        r"|\bfirst path segment in URL cannot contain colon\b|\bNo connection adapters were found for '(?!https?:)"
        r"|\bURL is missing an 'http://' or 'https://' protocol|\bOnly absolute URLs are supported\b"
        r"|\bMalformedURLException: no protocol:|\bTypeError: Failed to parse URL from\b"
        r"|\bUriFormatException: Invalid URI: The (?:format of the URI could not be determined|URI is empty)"
        r"|\bno Host in request URL\b|\bMissingSchema: Invalid URL\b|\bNo scheme supplied\b",
        cause="an address in the program's settings is empty, or lacks its scheme (https://)",
        cure="look at each variable that should hold an address, and begin it with http:// or https://",
        source="Rust's, Go's, Python's, Java's, .NET's and Node.js' own messages; ermak-dev/cloudpub#6",
    ),
    Failure(
        name="address-for-name",
        turns_away=True,
        mark="://",
        pattern=r"""(?x)
            \bgetaddrinfo\(host='(?P<address>\w{2,12}://[^'\n]{1,200})'
            | \bgetaddrinfo\ (?:EAI_AGAIN|ENOTFOUND)\ (?P<address_node>\w{2,12}://\S{1,200})
            | \blookup\ (?P<address_go>\w{2,12}://\S{1,200}?):?\ (?:on\ \S{1,60}\ )?no\ such\ host
            | \b(?:could\ not\ translate|[Cc]ould\ not\ resolve|[Uu]nknown)\ host(?:\ name)?:?\ \\?["'`]?
                (?P<address_named>\w{2,12}://[^\s"'`\\]{1,200})
        """,
        cause="the program's settings have a whole address, {address}, where it takes the bare name of a host",
        cure="write only the name of the host there: without what stands before ://, and the port in its own "
        "setting",
        source="fluent-bit's, Node.js', Go's and libpq's own messages",
    ),
    Failure(
        name="field-required",
        of_running=NEVER,
        mark="field required",
        pattern=r"\b(?P<field_before>\w[\w.]{0,120}); (?i:field required) [(\[]type=(?:value_error\.)?missing\b"
        r"|(?i:field required) [(\[]type=(?:value_error\.)?missing\b[^;\n]{0,200}; "
        r"(?P<field>(?!For further)\w[\w .>-]{0,120}\w)",
        cause="the program's settings lack a value that it needs: {field}",
        cure="add it to the settings file, or set the variable of that name, as the documentation of this version "
        "has it",
        source="Pydantic's own message",
    ),
    Failure(
        name="field-missing",
        of_running=NEVER,
        mark=("missing field", "keyerror"),
        pattern=r"\bmissing field `(?P<field>[\w.-]{1,80})`"
        r"|^(?:[\w.]{1,80}: )?KeyError: ['\"](?P<field_python>[\w.-]{1,80})(?: [\w .-]{1,80})?['\"]",
        cause='the program looks for "{field}" in what it reads and cannot find it: in its configuration, or in a '
        "file or an answer of another version of the program",
        cure="where the line names a file of settings, add {field} to it as the documentation of this version has "
        "it; else run the versions of both parts that belong together",
        source="serde's and Python's own messages; fkie-cad/cwe_checker#219",
        build="another",
    ),
    Failure(
        name="arguments-of-setting",
        of_running=ABOUT_SETTINGS,
        mark="argument",
        pattern=r"""(?x)
            \bwrong\ argument\ count\ or\ unexpected\ line\ ending\ after\ '(?P<key>[\w.-]{1,60})'  # Caddy
            | \bparsing\ caddyfile\ tokens\ for\ '(?P<key_caddy>[\w.-]{1,60})':\ wrong\ argument\ count
            | \binvalid\ number\ of\ arguments\ in\ \\?"(?P<key_nginx>[\w.-]{1,60})\\?"\ directive
            | \b(?:directive|option|setting)\ ['"`]?(?P<key_named>[\w.-]{1,60})['"`]?\ (?:takes|expects|requires|needs)
                \ (?:at\ least\ |exactly\ |only\ )?(?:an?|one|two|three|no|\d)\ arguments?\b
            | \b(?P<key_apache>[A-Z]\w{2,60})\ (?:takes|requires)\ (?:at\ least\ )?(?:one|two|three|\d|an|\d-\d)
                \ arguments?\b
        """,
        cause="the line of {key} in the program's configuration has too few words or too many: a variable in it is "
        "empty, or a value with a space has no quotes",
        cure="correct the line of {key}; of a file with variables look at what they hold in the container",
        source="Caddy's, nginx' and Apache's own messages; searxng/searxng-docker#337",
    ),
)
"""Before the families of settings, whose words are wider."""
