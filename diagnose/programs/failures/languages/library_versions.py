"""Libraries and language runtimes of versions that do not fit each other, or the program."""

from diagnose.programs.failures.recognition import Failure

LIBRARY_VERSIONS = (
    Failure(
        name="node-imports",
        mark="",
        pattern=r"Cannot use import statement outside a module"
        r"|(?:require|module|exports|__dirname|__filename) is not defined in ES module scope",
        cause="Node.js takes the file for the other kind of module: it is an ES module (import) without "
        '"type": "module" in package.json, or one of the older kind (require) with it',
        cure="set or remove that line of package.json, or name the file .mjs or .cjs; for TypeScript run the "
        "built files, and build to the kind that package.json says",
        source="Node.js documentation, packages",
        build="another",
    ),
    Failure(
        name="erlang-release",
        mark="terminating in do_boot",
        pattern=r"init terminating in do_boot\W{1,4}\{load_failed",
        cause="the release does not fit the Erlang that runs it: it was built without the runtime, and the image has "
        "another version",
        cure="build the release with include_erts: true, or in the image in which it runs",
        source="Recruitee/mix_docker#25",
        build="another",
        look="builds",
    ),
    Failure(
        name="mix-dependencies",
        mark="could not find application file",
        pattern=r"could not find application file: (?P<file>\w{1,60}\.app)\b",
        cause="the dependencies of the program ({file}) are missing, or were built in another container: a mount of the "
        "code hides those of the image",
        cure="remove the folders deps and _build from the mounted code, and run mix deps.get and mix compile in the "
        "container",
        source="phoenixframework/phoenix#637",
        look="data",
    ),
    Failure(
        name="node-global",
        mark="is not defined",
        pattern=r"ReferenceError: (?P<name>fetch|structuredClone|FormData|Headers|Request|Response|Blob|File"
        r"|WebSocket|ReadableStream|crypto|CustomEvent) is not defined",
        cause="this Node.js does not have {name}: the program is written for a later version",
        cure="take an image with a later Node.js: fetch is there from 18 on, crypto and CustomEvent from 19, "
        "File from 20, WebSocket from 22",
        source="Node.js documentation, globals",
        build="newer",
        look="builds",
    ),
    Failure(
        name="corepack-keys",
        mark="cannot find matching keyid",
        pattern=r"Cannot find matching keyid",
        cause="the image's corepack knows only keys that the npm registry no longer signs with, and so refuses to "
        "download the package manager",
        cure="take a newer Node.js image, or put npm install -g corepack@latest before it in the Dockerfile",
        source="nodejs/corepack#612",
        build="newer",
        look="builds",
    ),
    Failure(
        name="corepack-disabled",
        mark="packagemanager",
        pattern=r"defines \\?\"packageManager\\?\": \\?\"(?P<wants>[\w@.+-]+)\\?\"\. However the current global "
        r"version of \w+ is (?P<has>\d+(?:\.\d+)*)",
        cause="the project asks for {wants}, and the image runs version {has}: corepack, which would fetch the "
        "other one, is not enabled",
        cure="put corepack enable into the Dockerfile, and build the image again",
        source="Yarn's own message",
        build="another",
    ),
    Failure(
        name="numpy-binary",
        mark="numpy",
        pattern=r"numpy\.(?:dtype|ndarray|ufunc) size changed, may indicate binary incompatibility"
        r"|numpy\.core\.multiarray failed to import|module that was compiled using NumPy 1\.x cannot be run in"
        r"|module compiled against ABI version \w+ but this version of numpy is",
        cause="a package was built for another NumPy than the one that is installed: usually for NumPy 1, "
        "and NumPy 2 is there",
        cure="pin numpy<2 in the requirements, or take newer releases of the packages that use it, and build the "
        "image again",
        source="NumPy documentation, migration to 2.0",
        build="earlier",
        look="image",
    ),
    Failure(
        name="python-later",
        mark="typeerror: ",
        pattern=r"TypeError: (?:unsupported operand type\(s\) for \|: '(?:type|NoneType|\w*Meta|types\.\w+)' and '"
        r"|'(?:type|ABCMeta)' object is not subscriptable)",
        cause="the source is written for a later Python than the image has: types such as int | None need 3.10, "
        "list[str] needs 3.9",
        cure="take an image with a later Python",
        source="Python documentation, PEP 604 and PEP 585",
        build="newer",
        look="builds",
    ),
    Failure(
        name="python-earlier",
        mark="module",
        pattern=r"""(?x)
              No\ module\ named\ '(?P<name>
                    imp | distutils | asyncore | asynchat | smtpd | cgi | crypt
                  | telnetlib | pipes | imghdr | sndhdr | audioop | nntplib | uu | xdrlib
                )(?:\.\w+)?'
            | module\ '(?P<name_owner>
                    collections | inspect | asyncio | configparser | time | fractions
                  | base64 | gettext | html | unittest | pkgutil | typing | locale
                )'\ has\ no\ attribute\ '(?:
                    Callable | Mapping | MutableMapping | Iterable | Sequence | Hashable
                  | getargspec | coroutine | async | SafeConfigParser | clock | gcd
                  | encodestring | decodestring | HTMLParser | makeSuite | ImpImporter
                  | io | format | get_event_loop
                )'
        """,
        cause="the program, or a library of it, is written for an earlier Python: this one no longer has what it "
        "takes from {name}",
        cure="pin the image to the Python that it was written for (imp, distutils and asyncore went with 3.12, cgi, crypt and "
        "telnetlib with 3.13, Callable of collections and its like with 3.10), or take a newer release of that library",
        source="Python documentation, what is new",
        build="earlier",
    ),
    Failure(
        name="pydantic-moved",
        mark="pydantic",
        pattern=r"PydanticImportError: `(?P<name>[^`]{1,80})` has (?:been moved|been removed)"
        r"|PydanticUserError: .{0,80}\b(?:removed|no longer|deprecated|[Vv]2)\b",
        cause="pydantic 2 is installed, and the program, or a library of it, is written for pydantic 1",
        cure="pin pydantic<2 in the requirements, or move to pydantic-settings, and build the image again",
        source="pydantic documentation, migration guide",
        build="earlier",
    ),
    Failure(
        name="argument-unknown",
        mark="got an unexpected keyword argument",
        pattern=r"(?P<function>[\w.]{1,80})\(\) got an unexpected keyword argument '(?P<argument>\w{1,60})'",
        cause="two Python libraries of the image do not fit each other, or one does not fit the program: one gives "
        "{function} the argument {argument}, which the other does not take in its installed version",
        cure="pin the library of the last line's file above to its previous version (proxies: "
        "httpx<0.28), and build the image again",
        source="openai/openai-python#1902",
        explains_only=True,
        build="earlier",
        look="image",
    ),
    Failure(
        name="java-class-file",
        mark="class file major version",
        pattern=r"Unsupported class file major version (?P<version>\d+)",
        cause="a library of the program reads compiled classes, and is older than the Java of this image, or than "
        "the one that built the program (class file version {version})",
        cure="run it on the Java that it was made for (version 52 is Java 8, 55 is 11, 61 is 17, 65 is 21), or "
        "update that library, such as Spring's or Gradle's ASM",
        source="ASM's own message",
        build="another",
        look="builds",
    ),
    Failure(
        name="java-modules",
        mark="module java.",
        pattern=r"module (?P<module>java\.[\w.]+) does not \"?(?:opens|exports?) (?P<package>[\w.]+)",
        cause="the program, or a library of it, reaches into Java's own package {package}, which Java 16 and "
        "later refuse",
        cure="run it on Java 11 or 8, update the library, or give Java the option "
        "--add-opens={module}/{package}=ALL-UNNAMED, as in JAVA_TOOL_OPTIONS",
        source="OpenJDK, JEP 403",
        build="another",
    ),
    Failure(
        name="java-heap-order",
        mark="heap size",
        pattern=r"Initial heap size set to a larger value than the maximum heap size"
        r"|Incompatible (?:minimum|initial) and maximum heap sizes? specified",
        cause="Java is configured to begin with a larger heap (-Xms) than it may ever have (-Xmx)",
        cure="lower -Xms or raise -Xmx in the command, in JAVA_OPTS or in JAVA_TOOL_OPTIONS; where -Xmx is not set, "
        "it is a quarter of the memory",
        source="OpenJDK's own message",
    ),
    Failure(
        name="beam-later",
        mark="beam file was compiled for a later version",
        pattern=r"compiled for a later version of the run-?time system than the current",
        cause="the program was compiled with a later Erlang/OTP than the image runs",
        cure="run it on an image with the Erlang/OTP that built it, or build it again with that of the image",
        source="sqlitebrowser/dbhub.io#129",
        build="another",
        look="builds",
    ),
    Failure(
        name="chrome-driver",
        mark="only supports chrome version",
        pattern=r"This version of (?P<driver>\w+) only supports Chrome version (?P<wants>\d+)",
        cause="the browser and {driver} have different versions: this one drives Chrome {wants} alone",
        cure="install {driver} of the browser's version in the image, or take a Selenium image that has both",
        source="ChromeDriver's own message",
        build="another",
        look="builds",
    ),
    Failure(
        name="playwright-browsers",
        mark="",
        pattern=r"Executable doesn't exist at /\S*(?:ms-playwright|puppeteer)\S*"
        r"|Could not find (?:Chrome|Chromium|Firefox|browser) \((?:ver|rev)\. ",
        cause="the browser that this release of Playwright or Puppeteer asks for is not in the image",
        cure="take the image mcr.microsoft.com/playwright of the same version as the package, or run "
        "npx playwright install --with-deps (npx puppeteer browsers install chrome) in the Dockerfile as the user that "
        "runs the program",
        source="Playwright's own message",
        build="another",
    ),
    Failure(
        name="mongo-driver",
        mark="wire version",
        pattern=r"Server at (?P<peer>[\w.:-]+) reports (?:(?:max|min)imum )?wire version \d+, but this version of "
        r"(?P<driver>.{1,60}?) requires at (?P<bound>least|most) \d+ \((?P<wants>MongoDB [\d.]+)\)",
        cause="the program's MongoDB driver and the server at {peer} do not fit: the driver asks for "
        "at {bound} {wants}",
        cure="run a MongoDB of that version, upgrading major version by major version, or build the program with "
        "a driver of the server's time",
        source="MongoDB's Node.js, Python and Java drivers' own messages",
        build="another",
    ),
    Failure(
        name="cgo-disabled",
        mark="cgo_enabled=0",
        pattern=r"compiled with 'CGO_ENABLED=0'",
        cause="the Go program was built without C (CGO_ENABLED=0), and its SQLite driver needs that",
        cure="build it with CGO_ENABLED=1 and a C compiler in the build image, or with a driver in pure Go",
        source="mattn/go-sqlite3 README",
        build="another",
        look="builds",
    ),
    Failure(
        name="lucene-older",
        mark="indexformattoooldexception",
        pattern=r"IndexFormatTooOldException",
        cause="the index was written by an older version (of Lucene, as in Solr or Elasticsearch) that this one no "
        "longer reads: it reads that of one major version before",
        cure="run the image of the version between on the data and let it rewrite the index, or index the "
        "documents again",
        source="Solr Reference Guide, major changes",
        build="another",
        look="builds",
    ),
    Failure(
        name="kibana-version",
        mark="incompatible with the following elasticsearch nodes",
        pattern=r"This version of (?P<program>[\w ]+?) \(v?(?P<has>[\d.]+)\) is incompatible with the following "
        r"Elasticsearch nodes in your cluster: v?(?P<other>[\d.]+)",
        cause="{program} is of version {has}, and the Elasticsearch that it calls of {other}: it waits until they fit",
        cure="run the images of both in the same version",
        source="Elastic documentation, installing the Elastic Stack",
        turns_away=True,
        build="another",
    ),
    Failure(
        name="venv-foreign",
        mark="virtual environment",
        pattern=r"[Vv]irtual environment (?:directory |at )?`?(?P<path>/[^\s`']{1,200}?)`? (?:directory )?"
        r"(?:cannot be used|is not a (?:valid|compatible))",
        cause="the virtual environment {path} was not made in this image: a mount or a copy brings the host's own, "
        "or an empty folder in its place",
        cure="keep .venv out of the mount with a volume at {path}, and out of the image with .dockerignore",
        source="uv's own message; astral-sh/uv documentation, Docker",
        build="another",
    ),
    Failure(
        name="bundler-older",
        mark="with this lockfile",
        pattern=r"You must use Bundler (?P<least>[\d.]{1,12}) or greater with this lockfile",
        cause="the image has a Bundler that is older than {least}, by which Gemfile.lock was written",
        cure="install that Bundler in the image (gem install bundler), and build it again",
        source="Bundler's own message",
        build="another",
        look="builds",
    ),
    Failure(
        name="ruby-yaml-alias",
        mark="psych::",
        pattern=r"\bPsych::(?:AliasesNotEnabled|BadAlias)\b(?::[^\n]{0,40}\bUnknown alias: (?P<alias>[\w.-]{1,60}))?",
        cause="a YAML file of the program uses an alias (&, *), which the reader of this Ruby (3.1 or later) does not take by "
        "itself: the program is older than the Ruby in its image",
        cure="run a build with the Ruby that the program was made for, or a newer release of the program",
        source="Ruby's Psych, release 4",
        build="another",
    ),
)
