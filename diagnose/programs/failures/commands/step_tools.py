"""Errors of the tools of a build step where the sources, the versions or the image do not fit."""

from diagnose.programs.failures.recognition import Failure

_NODE = (
    Failure(
        name="step-lock-outdated",
        mark=("can only install packages", "from lock file", "lockfile", "pnpm-lock"),
        pattern=r"`npm ci` can only install packages when|npm (?:ERR!|error) Missing: \S{1,100} from lock file"
        r"|lockfile needs to be updated|ERR_PNPM_OUTDATED_LOCKFILE",
        cause="package.json and its lock file do not say the same, and the build takes the lock file as it is",
        cure="run npm install (yarn install, pnpm install) where the sources are, commit the lock file, and build again",
    ),
    Failure(
        name="step-lock-missing",
        mark="existing package-lock",
        pattern=r"`npm ci` command can only install with an existing package-lock",
        cause="npm ci needs package-lock.json, which is not in the image at this step",
        cure="COPY package*.json ./ before RUN npm ci, and see that .dockerignore does not leave the file out",
    ),
    Failure(
        name="step-peers-conflict",
        mark="eresolve",
        pattern=r"npm (?:ERR!|error) (?:code )?ERESOLVE",
        cause="two packages of package.json need different versions of a third one, which npm 7 and later refuse",
        cure="raise or lower one of the two (the lines above name them); npm ci --legacy-peer-deps installs as npm 6 did",
    ),
    Failure(
        name="step-script-missing",
        mark="missing script",
        pattern=r"[Mm]issing script:? \"?(?P<script>[\w:.-]{1,60})",
        cause='package.json in the image has no script "{script}"',
        cure="npm run lists the scripts; see which package.json is copied, and into which folder (WORKDIR)",
    ),
    Failure(
        name="step-heap-full",
        mark="heap out of memory",
        pattern=r"JavaScript heap out of memory",
        cause="the JavaScript program of the step needs more memory than Node allows itself",
        cure="ENV NODE_OPTIONS=--max-old-space-size=4096 before that step, if the machine that builds has so much",
    ),
    Failure(
        name="step-module-missing",
        mark=("error ts2307", "can't resolve", 'could not resolve "'),
        pattern=r"error TS2307: Cannot find module '(?P<module>[^'\n]{1,200})'|Module not found: Error: Can't resolve '(?P<module_webpack>[^'\n]{1,200})'"
        r"|Could not resolve \"(?P<module_esbuild>[^\"\n]{1,200})\"",
        cause="the sources import {module}, which is not in the image: a file that was not copied or that .dockerignore leaves out, other "
        "capital letters than on the developer's disk, or a package that only devDependencies have",
        cure="ls the path in a step before (RUN ls -l); write its name exactly as the file has it; install devDependencies for the build",
    ),
)

_COMPILERS = (
    Failure(
        name="step-compiler-missing",
        mark=(
            "not found: make",
            "gcc' failed",
            "linker `cc`",
            "find python python",
            "no acceptable c compiler",
            "can't find rust",
            "rust compiler",
        ),
        pattern=r"""(?x)
              Error:\ not\ found:\ make
            | command\ '(?:/\S{0,60})?\w{0,30}gcc'\ failed:\ No\ such\ file
            | linker\ `cc`\ not\ found
            | gyp\ ERR!\ find\ Python\ Python\ is\ not\ set
            | no\ acceptable\ C\ compiler\ found
            | (?:can't\ find|needs?)\ (?:a\ )?Rust\ compiler
        """,
        cause="the step compiles a package, and the image has no compiler for it",
        cure="install one in a step before (Debian: apt-get install -y build-essential python3; "
        "Alpine: apk add build-base python3; Rust: cargo), take the full image instead of "
        "-slim or -alpine, or a version of the package that comes compiled",
    ),
    Failure(
        name="step-headers-missing",
        mark=("fatal error: ", "pg_config", "mysql_config", "were not met"),
        pattern=r"fatal error: [\w./-]{1,100}\.h(?:pp)?: No such file|(?:pg_config|mysql_config)(?: executable)? not found"
        r"|Package requirements \([^)\n]{1,100}\) were not met",
        cause="the step compiles against a library whose headers are not in the image",
        cure="install its development package (Debian: python3-dev, libpq-dev, default-libmysqlclient-dev, libonig-dev; Alpine: python3-dev, "
        "postgresql-dev, oniguruma-dev)",
    ),
    Failure(
        name="step-wheel-not-built",
        mark=(
            "could not build wheels",
            "failed building wheel",
            "did not run successfully",
            "metadata-generation-failed",
            "gem native extension",
        ),
        pattern=r"""(?x)
              Could\ not\ build\ wheels\ for[ ]
            | Failed\ building\ wheel\ for[ ]
            | (?:
                    pip\ subprocess\ to\ install\ build\ dependencies
                  | Getting\ requirements\ to\ build\ wheel
                  | python\ setup\.py\ \w{3,12}
                )\ did\ not\ run\ successfully
            | metadata-generation-failed
            | Failed\ to\ build\ gem\ native\ extension
        """,
        cause="a package is not offered compiled for this image, and could not be compiled; the lines above say what it lacked",
        cure="raise its version, or take an image for which it comes compiled (-slim instead of "
        "-alpine, an older Python)",
    ),
    Failure(
        name="step-gem-not-installed",
        mark="bundler cannot continue",
        pattern=r"installing (?P<gem>[\w.-]{1,80}) \([\w.]{1,30}\), and Bundler cannot continue",
        cause="the gem {gem} could not be compiled or fetched; the lines above say what it lacked",
        cure="install the headers that it needs in a step before (pg: libpq-dev, mysql2: default-libmysqlclient-dev, nokogiri: build-essential)",
    ),
    Failure(
        name="step-compiler-killed",
        mark=("sigkill", "killed signal terminated"),
        pattern=r"signal: 9, SIGKILL|Killed signal terminated program",
        cause="the kernel killed the compiler: the machine that builds had no memory left",
        cure="build with fewer jobs (cargo build -j1, make -j1), with swap, or on a machine with more memory",
    ),
)

_LANGUAGES = (
    Failure(
        name="step-pip-guards-system",
        mark="externally-managed-environment",
        pattern=r"externally-managed-environment",
        cause="the distribution's own Python takes no packages from pip (Debian 12, Ubuntu 23.04, Alpine 3.19 and later)",
        cure="RUN python3 -m venv /venv and /venv/bin/pip install, with ENV PATH=/venv/bin:$PATH; or build on the image python",
    ),
    Failure(
        name="step-requirements-missing",
        mark="requirements file",
        pattern=r"Could not open requirements file:[^\n]{0,60}'(?P<file>[^'\n]{1,200})'",
        cause="the image has no {file} at this step",
        cure="COPY {file} . before RUN pip install, and look at WORKDIR and .dockerignore",
    ),
    Failure(
        name="step-go-module-missing",
        mark=("go.mod file not found", "no required module"),
        pattern=r"go\.mod file not found|no required module provides package ",
        cause="go finds no go.mod in the folder of the step, or go.mod does not list what the sources import",
        cure="COPY go.mod go.sum ./ (and WORKDIR) before it; run go mod tidy where the sources are, and commit both files",
    ),
    Failure(
        name="step-go-too-old",
        mark="requires go",
        pattern=r"requires go >= (?P<needs>[\d.]{1,20}) \(running go (?P<has>[\d.]{1,20})",
        cause="the sources need Go {needs}, and the image has {has}",
        cure="FROM golang:{needs}, or a later one",
    ),
    Failure(
        name="step-go-checksum",
        mark="checksum mismatch",
        pattern=r"verifying (?P<module>\S{1,200}): checksum mismatch",
        cause="the module {module} is not the one that go.sum was made for: its tag was moved, or a proxy serves another one",
        cure="go clean -modcache and go mod tidy where the sources are; GOPRIVATE for modules of your own",
    ),
    Failure(
        name="step-cargo-too-old",
        mark=("lock file version", "requires rustc", "edition2024"),
        pattern=r"lock file version `?\d+`? (?:was found, but|requires)|requires rustc [\d.]{1,20}|feature `edition2024` is required",
        cause="the sources were made with a newer Rust than the image has",
        cure="FROM rust: with a later version, or rust:latest",
    ),
    Failure(
        name="step-java-release",
        mark=("invalid target release", "unsupported class file major", "release version"),
        pattern=r"invalid target release: \d{1,2}|release version \d{1,2} not supported|Unsupported class file major version \d{2}",
        cause="the sources are for another Java than the image has",
        cure="FROM an image with the JDK that the build file names (maven.compiler.release, sourceCompatibility), or change it there",
    ),
    Failure(
        name="step-project-missing",
        mark=(
            "there is no pom",
            "msb1003",
            "does not contain a gradle build",
            "could not find a package.json",
            "enoent",
        ),
        pattern=r"there is no POM in this directory \(/|MSB1003: Specify a project|does not contain a Gradle build"
        r"|npm (?:ERR!|error) enoent [^\n]{0,60}open '/[^'\n]{1,200}package\.json'",
        cause="the folder of the step holds no project: it was not copied, or into another folder",
        cure="RUN ls -la in a step before shows what is there; compare COPY and WORKDIR, and .dockerignore",
    ),
    Failure(
        name="step-wrapper-not-found",
        mark=("gradlew", "mvnw"),
        pattern=r"(?P<script>[\w./]{0,60}(?:gradlew|mvnw)): (?P<why>not found|No such file|Permission denied)",
        cause="the script {script} cannot run ({why}): its lines end as on Windows, so that "
        "its interpreter is not found, or it has no x bit",
        cure="RUN sed -i 's/\\r$//' {script} && chmod +x {script} in a step before; in Git: *.sh, gradlew and mvnw with eol=lf in .gitattributes",
    ),
    Failure(
        name="step-php-extension",
        mark="php extension",
        pattern=r"requires PHP extension (?P<extension>ext-[\w-]{1,40})",
        cause="a package needs the PHP extension {extension}, which the image does not have",
        cure="RUN docker-php-ext-install NAME in a step before (its headers first, such as libpng-dev for gd)",
    ),
    Failure(
        name="step-composer-conflict",
        mark="installable set of packages",
        pattern=r"requirements could not be resolved to an installable set of packages",
        cause="composer finds no set of versions that fit one another and the image's PHP; the list below 'Problem 1' says which",
        cure="take the PHP that composer.json asks for (FROM php:VERSION), or run composer update where the sources are",
    ),
    Failure(
        name="step-gem-locked",
        mark="your bundle is locked to",
        pattern=r"Your bundle is locked to (?P<gem>[\w.-]{1,80}) \((?P<version>[\w.]{1,30})\)",
        cause="Gemfile.lock names {gem} {version}, which no server of the Gemfile has any more, or not for this platform",
        cure="bundle update {gem} and bundle lock --add-platform x86_64-linux where the sources are, and commit the file",
    ),
)

_SHELL = (
    Failure(
        name="step-program-not-there",
        mark="not found",
        pattern=r"(?:^|\s)(?:/bin/)?(?:ba|a|da)?sh: (?:(?:line )?\d{1,4}: )?(?P<program>[\w.+-]{1,60}): (?:command )?not found",
        cause="the image has no program {program} at this step",
        cure="install it in a step before; what npm or pip installs is run with npx {program} or needs its folder in PATH",
    ),
    Failure(
        name="step-path-not-there",
        mark=("cannot stat", "cannot access", "no such file or directory"),
        pattern=r"\b(?:cp|mv|chmod|chown|ls|cat|tar|rm|sed|ln)\b: (?:cannot (?:stat|access|open|remove|create \w+ file) )?'?(?P<path>[^\s':]{1,200})'?: "
        r"No such file or directory",
        cause="the step works on {path}, which the image does not have there",
        cure="RUN ls -la in a step before shows what is there; compare COPY, WORKDIR and .dockerignore; with several stages, COPY --from",
    ),
    Failure(
        name="step-make-target",
        mark="no rule to make target",
        pattern=r"No rule to make target ['`](?P<target>[^'\n]{1,200})'",
        cause="make finds no way to {target}: a file that was not copied, or a Makefile of another version",
        cure="RUN ls -la in a step before shows what is there; compare COPY, WORKDIR and .dockerignore",
    ),
)

PACKAGE_TOOLS = (*_NODE, *_COMPILERS, *_LANGUAGES)
"""Words that only a tool of builds has: they are known without the builder's words around them."""
TOOLS = (*PACKAGE_TOOLS, *_SHELL)
"""The first row that fits counts."""
