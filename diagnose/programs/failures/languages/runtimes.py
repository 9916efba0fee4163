"""Errors of language runtimes about commands and builds."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Dropped, Filtered, Job

_OPTION = "container.option-missing"

_ZONE = r"[A-Z][A-Za-z]+(?:/[A-Z][\w+-]*)+"
"""A place such as Europe/Berlin: an abbreviation has no slash."""

RUNTIMES = (
    Failure(
        name="java-crashed",
        mark=("java runtime environment", "at pc="),
        pattern=r"A fatal error has been detected by the Java Runtime Environment"
        r"|\# (?:SIG(?:SEGV|BUS|ILL|FPE)|EXCEPTION_\w{1,40}) \(0x[0-9a-f]+\) at pc=",
        cause="the Java runtime itself has crashed, in a library that is not Java, or in its own code: "
        "the line below `Problematic frame` names it",
        cure="use another release of that library or of the image; the file hs_err_pid*.log in the "
        "program's working directory has the rest",
        source="OpenJDK's own message",
        build="another",
        look="builds",
    ),
    Failure(
        name="zone-unknown",
        mark="zone",
        pattern=rf"""(?x)
            \bunknown\ time\ zone:?\ (?P<zone>{_ZONE})  # Go
            | no\ time\ zone\ found\ with\ key\ (?P<zone_python>{_ZONE})
            | cannot\ locate\ (?:time\ )?zone:?\ (?P<zone_chrono>{_ZONE})
            | parameter\ "(?:log_)?timezone":\ "(?P<zone_postgres>{_ZONE})"
            | invalid\ time\ ?zone(?:\ identifier)?:?\ ['\"]?(?P<zone_ruby>{_ZONE})
        """,
        cause="the program does not know the time zone {zone}: its image has no time zone database "
        "(the package tzdata; old names such as US/Eastern are in tzdata-legacy), or the name is misspelt",
        cure="mount the host's database read-only with "
        "--volume=/usr/share/zoneinfo:/usr/share/zoneinfo:ro, or install the package in the image",
        source="golang/go#24844, Go's, Python's, C++'s, PostgreSQL's and Ruby's own messages",
        confirmed_by="container.option-missing",
        needs=("--volume=/usr/share/zoneinfo:/usr/share/zoneinfo:ro",),
    ),
    Failure(
        name="ruby-version",
        mark="your gemfile specified",
        pattern=r"Your Ruby version is (?P<has>[\d.]+), but your Gemfile specified (?P<wants>[^ (]+)",
        cause="the image has Ruby {has}, and the application is written for {wants}",
        cure="use an image with Ruby {wants}, or correct the line `ruby` of the Gemfile",
        build="another",
    ),
    Failure(
        name="option-required",
        mark="--",
        pattern=r"^(?!.{0,200}\bWARNING\b).*?(?<![\w-])(?P<option>--[a-z][\w-]+)['\"]? (?:flag |option )?"
        r"(?:is required|must be (?:set|specified|provided|given)|is missing)"
        r"|\bno (?P<option_none>--[a-z][\w-]+) (?:flags?|options?) (?:given|provided|specified)\b",
        cause="the program needs the option {option}, which its command does not have",
        cure="add {option} to the command, or set the variable that stands for it",
        source="etcd's own message",
    ),
    Failure(
        name="refuses-root",
        mark="root",
        # a warning or advice against it refuses nothing
        pattern=r"""(?x)
              ^(?!
                  .*\b(?:
                        warn\w* | should | recommend\w* | discouraged
                      | Do\ not\ run\ Composer | privileged\ port
                      | when\ \w+\ is\ not\ running
                    )\b
                ).*?(?:\bnot\b|cannot|refus|never|how\ to).{0,60}\b
                (?:run|running|start\w*|execut\w+)\b.{0,40}\b(?:as|by)\ ['"]?root\b
            | ['"]?root['"]?\ execution\ .{0,60}not\ permitted
            | \brunning\ as\ root\ is\ not\b
            | \b(?:FATAL|ERROR:\ You)\ (?:\w{1,30}\ )?should\ not\ run\ (?:\w{1,30}\ )?as\ root\b | \bcan't\ run\ as\ root\b
        """,
        cause="the program refuses to run as root",
        cure="give the container the program's own user with --user, or start it by the image's "
        "own entrypoint, which changes to that user",
        source="MariaDB's, PostgreSQL's, Elasticsearch's and Gitea's own messages",
        confirmed_by="container.option-in-the-way",
        needs=("user",),
    ),
    Failure(
        name="package-version",
        mark="requires ",
        # a server of that version is none of the image
        pattern=r"requires (?!Redis|Valkey|PostgreSQL|MySQL|MariaDB)(?P<package>[\w.-]+) (?:version )?(?P<least>\d[\w.]*) or "
        r"(?:higher|newer|later|above|greater)",
        cause="the program needs {package} {least} or newer, which the image does not have",
        cure="install it in the image, and rebuild",
        source="gunicorn's own message",
        build="another",
        look="image",
    ),
    Failure(
        name="kestrel-https",
        mark="unable to configure https endpoint",
        pattern=r"Unable to configure HTTPS endpoint\. No server certificate was specified",
        cause="the .NET program is configured for HTTPS, and has no certificate",
        cure="leave https:// out of ASPNETCORE_URLS and serve HTTP behind a proxy, or mount a "
        "certificate and name it with ASPNETCORE_Kestrel__Certificates__Default__Path",
        remedy=Filtered("ASPNETCORE_URLS", "https:", ";"),
    ),
    Failure(
        name="jdbc-driver",
        mark="claims to not accept jdbcurl",
        pattern=r"Driver (?P<driver>[\w.$]{1,120}) claims to not accept jdbcUrl, (?P<scheme>jdbc:\w{1,30})",
        cause="the driver {driver} does not fit the address, which begins with {scheme}: what chooses "
        "the driver, such as the active profile, is for another database",
        cure="set SPRING_PROFILES_ACTIVE to the profile for that database, or "
        "SPRING_DATASOURCE_DRIVER_CLASS_NAME to the class of its driver",
        source="apache/dolphinscheduler#16691",
    ),
    Failure(
        name="keycloak-https",
        mark="key material not provided",
        pattern=r"Key material not provided to setup HTTPS",
        cause="Keycloak serves only HTTPS in production mode, and has no certificate",
        cure="behind a proxy set KC_HTTP_ENABLED=true; else mount a certificate",
        source="keycloak/keycloak#12803",
        confirmed_by="container.option-missing",
        needs=("--env=KC_HTTP_ENABLED=true",),
    ),
    Failure(
        name="node-module-kind",
        mark="err_require_esm",
        pattern=r"ERR_REQUIRE_ESM",
        cause="a library of Node.js is an ES module now, and the program loads it in the old way: "
        "the library was updated but the program was not, or Node.js is too old",
        cure="pin the library to its previous version, or take Node.js 22 or later",
        source="Node.js documentation, ERR_REQUIRE_ESM",
        build="another",
        look="image",
    ),
    Failure(
        name="node-binary",
        mark=".node",
        pattern=r"(?P<file>/[^\s:]+\.node): (?:invalid ELF header|file too short|wrong ELF class"
        r"|cannot open shared object)"
        r"|Error loading shared library (?:ld-linux|lib(?:c|dl|m|pthread)\.so)\S*: No such file or directory"
        r" \(needed by (?P<file_musl>/[^\s:)]+\.node)\)",
        cause="{file} was built for another system or processor: "
        "node_modules was copied or mounted from another machine",
        cure="delete node_modules on the host, "
        "or keep it out of the mount with a volume, and install it in the image",
        source="kelektiv/node.bcrypt.js#824",
        remedy=Job("npm rebuild", ("",)),
        look="image",
    ),
    Failure(
        name="node-version",
        mark="different node.js version",
        pattern=r"was compiled against a different Node\.js version",
        cause="a module in node_modules was built for another version of Node.js",
        cure="install the modules again with the image's own Node.js: npm rebuild",
        remedy=Job("npm rebuild", ("",)),
        look="image",
    ),
    Failure(
        name="npm-script",
        mark="missing script",
        pattern=r'Missing script: "?(?P<script>[\w:.-]+)"?',
        cause="package.json has no script {script}",
        cure="correct the command, or the script in package.json",
        build="another",
        look="scripts",
    ),
    Failure(
        name="npm-package",
        mark="package.json",
        pattern=r"(?:ENOENT|Could not read package\.json).{0,80}?'?(?P<file>/[^\s']*package\.json)",
        cause="there is no {file}: the working directory is wrong, or a mount hides the application",
        cure="compare the working directory and the mounts with the image",
        build="another",
    ),
    Failure(
        name="java-jar",
        mark=("jarfile", "jar manifest missing"),
        pattern=r"Unable to access jarfile (?P<file>\S+)|\bJAR manifest missing : (?P<file_agent>/\S+)",
        cause="Java finds no {file}, or may not read it: "
        "it is not in the image, or a mount hides its folder",
        cure="compare the path with the image and the mounts",
        build="another",
        look="image",
    ),
    Failure(
        name="java-class",
        mark="main class",
        pattern=r"Could not find or load main class (?P<name>\S+)",
        cause="Java cannot find the class {name}: the class path is wrong, or an option with a "
        "space was split",
        cure="correct the command, or the class path",
        build="another",
        look="image",
    ),
    Failure(
        name="java-manifest",
        mark="no main manifest",
        pattern=r"no main manifest attribute, in (?P<file>\S+)",
        cause="{file} is a library, not a program: the build made the plain archive",
        cure="use the executable archive of the build (Spring Boot: bootJar)",
        build="another",
        look="image",
    ),
    Failure(
        name="java-cgroup",
        mark="cgroup",
        pattern=r"CgroupInfo\.getMountPoint\(\)\" because \"anyController\" is null"
        r"|CgroupV2Subsystem.{0,80}NullPointerException",
        cause="this Java is too old for the host's cgroups: "
        "its runtime cannot read them and fails at start",
        cure="use a newer Java of the same release (8u372, 11.0.16, 17.0.4 or later); "
        "until then -XX:-UseContainerSupport",
        source="JDK-8287073",
        confirmed_by=_OPTION,
        needs=("--env=JAVA_TOOL_OPTIONS=-XX:-UseContainerSupport",),
    ),
    Failure(
        name="java-option",
        mark="unrecognized vm option",
        pattern=r"Unrecognized VM option '(?P<option>[^']+)'",
        cause="this Java does not know the option {option}",
        cure="remove the option from JAVA_OPTS, JAVA_TOOL_OPTIONS or the command",
        remedy=Dropped("{option}"),
    ),
    Failure(
        name="node-options",
        mark="not allowed in node_options",
        pattern=r"(?P<option>--?[\w-]{1,80}(?:=\S{0,80})?) is not allowed in NODE_OPTIONS",
        cause="this Node.js does not take {option} from NODE_OPTIONS: it does not know the option, or takes it on its "
        "command line alone",
        cure="remove the option from NODE_OPTIONS",
        source="Node.js documentation, NODE_OPTIONS",
        remedy=Dropped("{option}"),
    ),
    Failure(
        name="java-heap-size",
        mark="heap size: ",
        pattern=r"Invalid (?:maximum|initial) heap size: (?P<option>-Xm[xs]\S{0,40})",
        cause="Java cannot read the size in {option}, or it is more than a processor can address",
        cure="write a whole number and one letter, as in -Xmx2g or -Xmx512m, in the command, in JAVA_OPTS or in "
        "JAVA_TOOL_OPTIONS",
        source="OpenJDK's own message",
    ),
    Failure(
        name="python-own-name",
        mark="cannot import name",
        pattern=r"cannot import name '(?P<name>[^']+)' from '(?P<module>[^']+)' "
        r"\((?P<file>(?!\S*(?:site|dist)-packages/|/usr/lib|\S*/lib/python)[^\s)]{1,200}\.py)\)",
        cause="the program's own file {file} defines no {name}, which another file of it imports: the files belong to two "
        "versions, or this version is broken",
        cure="correct the import and build the image again, or run the build before; with a mount over the code, the "
        "mounted files are the ones to look at",
        source="hexbay/ocean_ctf#6",
        build="earlier",
        look="image",
    ),
    Failure(
        name="python-name",
        mark="cannot import name",
        pattern=r"cannot import name '(?P<name>[^']+)' from (?:partially initialized module )?'(?P<module>[^']+)'",
        cause="the installed version of {module} has no {name}: "
        "a dependency was updated, but the program that uses it was not",
        cure="pin the version of the package that has {module}, and rebuild the image",
        build="another",
        look="image",
    ),
    Failure(
        name="shm-too-small",
        mark="shared memory (shm)",
        pattern=r"insufficient shared memory \(shm\)",
        cause="the container's /dev/shm is too small: it has 64 MB unless it is given more",
        cure="recreate it with --shm-size=1g (shm_size in compose), or with --ipc=host",
        source="pytorch/pytorch#2244",
        confirmed_by=_OPTION,
        needs=("--shm-size=1g",),
    ),
    Failure(
        name="browser-page-crashed",
        mark="crash",
        pattern=r"\b(?:session deleted because of page crash|(?:Page|Target|tab) crashed\b)",
        cause="a page of its browser crashed, as Chrome's do where /dev/shm is too small: it has 64 MB "
        "unless it is given more",
        cure="recreate it with --shm-size=1g (shm_size in compose), or start Chrome with "
        "--disable-dev-shm-usage",
        source="joyzoursky/docker-python-chromedriver#26; puppeteer/puppeteer#1321",
        confirmed_by=_OPTION,
        needs=("--shm-size=1g",),
    ),
    Failure(
        name="encoding-ascii",
        mark="",
        pattern=r"""(?x)
            Unicode(?:En|De)codeError:\ 'ascii'\ codec\ can't
            | \binvalid\ byte\ sequence\ in\ US-ASCII\b
            | Malformed\ input\ or\ input\ contains\ unmappable\ characters
            | \bPython\ 3\ was\ configured\ to\ use\ ASCII\b
            | \bhPutChar:\ invalid\ argument\ \((?:invalid|cannot\ encode)\ character
        """,
        cause="no variable of the container names a locale with UTF-8, and the program takes text for ASCII",
        cure="set LC_ALL=C.UTF-8 (for Python, PYTHONUTF8=1 does as well)",
        source="cube-js/cube#10378; Python's, Ruby's, Java's, Click's and Haskell's own messages",
        confirmed_by=_OPTION,
        needs=("--env=LC_ALL=C.UTF-8",),
    ),
    Failure(
        name="dotnet-framework",
        mark=("update .net", "framework '", "compatible framework", "libhostfxr"),
        pattern=r"You must install or update \.NET to run this application|\bpossible to find any compatible framework version\b"
        r"|\brequired library libhostfxr\.so could not be found"
        r"|The framework '[\w.]{1,60}', version '[\w.-]{1,30}'.{0,20} was not found",
        cause="the image has another version of .NET than the program was built for",
        cure="use the runtime image of that version",
        build="another",
        look="builds",
    ),
    Failure(
        name="mattermost-site-url",
        mark="site_url.app_error",
        pattern=r"is_valid\.site_url\.app_error",
        cause="Mattermost does not accept its site URL: it is not a full address with http:// or https://",
        cure="set MM_SERVICESETTINGS_SITEURL to the full address",
        source="mattermost/docker#85",
    ),
    Failure(
        name="dotnet-dll",
        mark="",
        pattern=r"Could not execute because the (?:application|specified command)"
        r"|Did you mean to run dotnet SDK commands\?"
        r"|The application '[^']{1,200}\.dll' does not exist",
        cause="the command names a .NET program that is not in the image",
        cure="correct the name of the .dll in the command",
        build="another",
        look="image",
    ),
    Failure(
        name="own-name-java",
        mark="unknownhostexception",
        # getLocalHost repeats the name before the resolver's answer; another lookup does not
        pattern=r"UnknownHostException: (?P<host>[\w.-]{1,64}): (?P=host): (?:Name|Temporary|No address|unknown)",
        cause="the program looks up its own host name {host}, which is in no /etc/hosts of its "
        "container: on the host's network that is the host's name",
        cure="recreate it with --add-host={host}:127.0.0.1, or write the name into /etc/hosts of the host",
        source="moby/moby#30805; Java's own message",
        confirmed_by=_OPTION,
        needs=("--add-host={host}:127.0.0.1",),
    ),
    Failure(
        name="java-fonts",
        mark="font",
        pattern=r"sun\.awt\.FontConfiguration\.(?:head|getVersion)|Fontconfig head is null"
        r"|libfontmanager\.so: (?:libfreetype|Error loading)",
        cause="Java draws text, and the image has neither fontconfig nor a font",
        cure="install fontconfig and a font in the image, such as ttf-dejavu",
        source="adoptium/temurin-build#693; Java's own message",
        build="another",
    ),
    Failure(
        name="kafka-unformatted",
        mark="meta.properties",
        pattern=r"No readable meta\.properties files found",
        cause="the folder of Kafka's log was never formatted: no cluster id is stored there, as in a "
        "new or an emptied volume",
        cure="format it once with kafka-storage.sh format, or let the start script of the image do that: "
        "give no entrypoint or command of your own, and set CLUSTER_ID",
        source="Apache Kafka's documentation, KRaft",
        look="data",
    ),
    Failure(
        name="imagemagick-policy",
        mark="security policy",
        pattern=r"not allowed by the security policy [`'](?P<coder>\w{1,20})'",
        cause="policy.xml of ImageMagick in the image forbids {coder}",
        cure="if the files come from people whom you trust, allow it in /etc/ImageMagick-*/policy.xml of "
        "the image; Ghostscript has to be installed for PDF",
        source="ImageMagick's documentation, security policy",
        build="another",
    ),
    Failure(
        name="arguments-too-long",
        mark="argument list too long",
        pattern=r"\bexec:? [\w\"/.-]{1,200}:? argument list too long",
        cause="a variable or a word of the command is longer than 128 KiB, which Linux lets none be, or "
        "all together are longer than its limit",
        cure="mount the long text as a file instead of a variable",
        source="lensesio/lenses-docker#26; execve(2)",
    ),
    Failure(
        name="text-busy",
        mark="text file busy",
        pattern=r"(?P<path>/[^\s:\"]{1,200})\"?: [Tt]ext file busy",
        cause="{path} cannot be executed while it is open for writing: the step before has just copied "
        "or changed it",
        cure="write it in the image, not at each start; or rename it into its place when it is written",
        source="execve(2)",
        may_pass=True,
    ),
)
