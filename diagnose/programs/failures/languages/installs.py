"""Errors of start scripts that install packages or look for their project."""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import Typed

QUESTIONS = ("npx-asks", "angular-asks", "debconf-asks")
"""The rows of a program that asks, and waits for an answer that nobody types."""
INSTALLS = (
    Failure(
        name="node-file-kind",
        mark="unknown file extension",
        pattern=r"Unknown file extension \"(?P<extension>\.\w{1,10})\" for (?P<file>/\S{1,300})",
        cause="Node.js does not run a file {extension} ({file}): the command starts the source where it means what the "
        "build makes of it, or lacks the program that runs such a file",
        cure="start the built file (as dist/index.js), or let tsx or ts-node run the source",
        source="Node.js' own message",
        look="scripts",
    ),
    Failure(
        name="package-unfound",
        mark=("unable to locate package", "(no such package)", "has no installation candidate"),
        pattern=r"Unable to locate package (?P<package>[\w.+-]{1,80})"
        r"|\b(?P<package_alpine>[\w.+-]{1,80}) \(no such package\)"
        r"|Package '?(?P<package_apt>[\w.+-]{1,80})'? has no installation candidate",
        cause="the start installs {package}, and the package lists that it has do not name it: they were not fetched, "
        "or the package has another name in this distribution",
        cure="run apt-get update (apk update) before it, or correct the name; a package that is installed in the image "
        "needs no network at the start",
        follows=True,
        source="apt's and apk's own messages",
    ),
    Failure(
        name="package-release-unfound",
        mark="no matching distribution found for",
        pattern=r"No matching distribution found for (?P<package>[\w.+\[\]-]{1,80}(?:[=<>~!]=?[\w.*]{1,30})?)",
        cause="the start installs {package}, and pip finds no such release for this Python: the container does not "
        "reach the internet, or the release is made for another version",
        cure="see the lines above this one: where names do not resolve, it is the network; otherwise correct the "
        "release, or take the Python that it is made for",
        source="pip's own message",
    ),
    Failure(
        name="gemfile-missing",
        mark="could not locate gemfile",
        pattern=r"Could not locate Gemfile",
        cause="Ruby finds no Gemfile in its working directory: the image lacks it, a mount hides it, or the working "
        "directory is another one",
        cure="see what is mounted over that folder: an empty one on the host hides what the image has; correct the "
        "folder or --workdir",
        source="Bundler's own message",
        look="image",
    ),
    Failure(
        name="repository-missing",
        mark="not a git repository",
        pattern=r"\bnot a git repository\b",
        cause="the start runs Git, and its folder is not a checkout: .git was left out of the image, or is not mounted",
        cure="mount the whole checkout, or take the call of Git out of the start",
        source="Git's own message",
        of_running=NEVER,
        goes_on=True,
        look="image",
    ),
    Failure(
        name="registry-unreached",
        mark="network request to",
        pattern=r"network request to https?://(?P<host>[\w.-]{1,100})\S{0,200} failed, reason:",
        cause="npm does not reach {host}: the container has no way to the internet, or a proxy is not named to it",
        cure="ask for the same address from the host; packages that are installed in the image need no network at the "
        "start",
        source="npm's own message",
        may_pass=True,
    ),
    Failure(
        name="project-file-missing",
        mark=(
            "could not open input file",
            "could not open requirements file",
            "couldn't find a package.json",
        ),
        pattern=r"Could not open input file: (?P<file>[\w./-]{1,200})"
        r"|Could not open requirements file: \[Errno 2\] No such file or directory: '(?P<file_pip>[^']{1,200})'"
        r"|Couldn't find a (?P<file_node>package\.json) file in",
        cause="the program finds no {file} in its working directory: the image lacks it, a mount hides it, or the "
        "working directory is another one",
        cure="see what is mounted over that folder: an empty one on the host hides what the image has; correct the "
        "folder or --workdir",
        source="PHP's, pip's and yarn's own messages",
        look="image",
    ),
    Failure(
        name="settings-file-missing",
        mark="was not found and is not optional",
        pattern=r"The configuration file '(?P<file>[^'\n]{1,200})' was not found and is not optional"
        r"(?:\. The expected physical path was '(?P<path>/[^']{1,300})')?",
        cause="the program finds no {file} in its working directory, or where its settings name it",
        cure="mount the file there, or correct --workdir",
        source=".NET's own message",
    ),
    Failure(
        name="bundle-import",
        mark=("module not found: error: can't resolve", "failed to resolve import"),
        pattern=r"Module not found: Error: Can't resolve '(?P<module>[^'\n]{1,200})'"
        r"|Failed to resolve import \"(?P<module_vite>[^\"\n]{1,200})\"",
        cause="the program's code asks for {module}, which is not installed: node_modules belongs to another state of the "
        "project, or a volume hides it",
        cure="install it again in the container; a volume over node_modules keeps the old ones until it is removed",
        source="webpack's and Vite's own messages",
        build="another",
    ),
    Failure(
        name="program-not-there",
        mark=" enoent",
        pattern=r"\bspawn (?P<command>[\w.+-]{1,60}) ENOENT\b",
        cause="the program runs {command}, which the image does not have",
        cure="take an image that has it, or install it in the image",
        source="Node.js' own message",
        of_running=NEVER,
        build="another",
        look="image",
    ),
    Failure(
        name="steam-subscription",
        mark="(no subscription)",
        pattern=r"Failed to install app '(?P<app>\d+)' \(No subscription\)",
        cause="Steam gives the server {app} only to accounts that own the game, or the number is that of the game",
        cure="log in with an account that has it in the settings of the image, or correct the number",
        source="Steam's own message",
    ),
    Failure(
        name="steam-room",
        mark="state is 0x",
        pattern=r"App '(?P<app>\d+)' state is (?P<state>0x(?:202|606|602)) after update job",
        cause="Steam did not install the server {app} (state {state}): there is no room for it (0x202), or it may not write or reach "
        "the internet",
        cure="see docker exec with df -h for room, and who owns the folder of the server",
        source="Steam's own message",
    ),
    Failure(
        name="words-as-one-command",
        mark="command. see ",
        pattern=r"""^(?:[\w.-]{1,30}: )?['"`\u2018\u201c](?P<words>[^'"`\u2018\u2019\u201c\u201d\n]{1,80})"""
        r"""['"`\u2019\u201d] is not an? (?:[\w.-]{1,30} )?(?:sub-?)?command\. See """,
        cause='the program has no command "{words}"; several words in one pair of quotes are one word to it',
        cure="correct the command of the container; each word is an item of its own in a list in compose",
        source="Git's, Docker's and MinIO's own messages; jgoerner/beyond-jupyter#3",
    ),
    Failure(
        name="init-program-missing",
        mark=(
            "[fatal tini (",
            "[dumb-init] ",
            "su-exec: ",
            "failed to ",
            "fatal: unable to ",
            "sh: ",
            "env: ",
            "exec: ",
        ),
        pattern=r"""(?x)
              \[FATAL\ tini\ \(\d+\)\]\ exec\ (?P<program>[^\s-]\S{0,200})
                \ failed:\ No\ such\ file\ or\ directory
            | \[dumb-init\]\ (?P<program_dumb>\S{1,200}):\ No\ such\ file\ or\ directory
            | \bsu-exec:\ (?P<program_su>[^\s:]{1,200}):\ No\ such\ file\ or\ directory
            | \b(?:chroot|nice|nohup|setpriv|stdbuf|timeout):\ failed\ to[ ]
                (?:execute|run\ command)\ ['‘]?(?P<program_run>[^\s'’:]{1,200})['’]?
                :\ No\ such\ file\ or\ directory
            | \b(?:exec|s6-[\w-]{1,30}):\ fatal:\ unable\ to\ exec[ ]
                (?P<program_exec>[^\s:]{1,200}):\ No\ such\ file\ or\ directory
            | ^(?:/(?:usr/)?bin/)?(?:ba|da|a)?sh:\ (?:(?:line\ )?\d{1,6}:\ )?
                (?P<program_shell>(?!\S{0,200}\bnode_modules/)/[\w./@+-]{1,200})
                :\ (?:not\ found|No\ such\ file\ or\ directory|cannot\ execute:\ required\ file\ not\ found)$
            | ^env:\ [‘']?(?P<program_env>/[\w./@+-]{1,200})[’']?:\ No\ such\ file\ or\ directory$
            | \bexec:\ "(?P<program_stat>/[^"\s]{1,200})":\ stat\ /\S{1,200}:\ no\ such\ file\ or\ directory
            | \bchpst:\ fatal:\ unable\ to\ run:\ (?P<program_chpst>[^\s:]{1,200})
                :\ file\ does\ not\ exist
        """,
        of_running=NEVER,
        cause="what starts the container's program (a shell, an init, a command that changes the "
        "user) cannot find {program} in the image, or what its first line names to run it",
        cure="correct the command of the container, or run an image that has the program; a script needs LF as its line "
        "ends, and an interpreter that the image has",
        source="tini's, dumb-init's, su-exec's, coreutils' and s6's own messages",
        look="image",
    ),
    Failure(
        name="init-program-unfit",
        mark=("[fatal tini (", "[dumb-init] "),
        pattern=r"\[FATAL tini \(\d+\)\] exec (?P<program>[^\s-]\S{0,200}) failed: Exec format error"
        r"|\[dumb-init\] (?P<program_dumb>\S{1,200}): Exec format error",
        cause="the kernel cannot run {program}: it is built for another processor, is empty, or has no first line with #!",
        cure="pull the image again for this host's processor (uname -m), or write its first line",
        source="tini's and dumb-init's own messages; Linux documentation, execve",
        build="another",
        look="machine",
    ),
    Failure(
        name="s6-script-denied",
        mark="unable to exec run",
        pattern=r"s6-supervise(?: \S{1,60})? \(child\): fatal: unable to exec run: Permission denied",
        cause="s6 may not execute the run script of a service, so that the service never starts: it has no right to be "
        "executed in the image, or its folder is mounted with noexec",
        cure="make it executable in the image (chmod +x, below /etc/services.d or /etc/s6-overlay), and build it again",
        source="just-containers/s6-overlay#158",
    ),
    Failure(
        name="gated-model",
        mark="gated repo",
        pattern=r"(?:access(?:ing)? (?:to )?a gated repo|Cannot access gated repo)"
        r"(?:[^\n]{0,200}?huggingface\.co/(?:api/models/)?(?P<model>[\w.-]{1,60}/[\w.-]*\w))?",
        cause="the model is given only to accounts of Hugging Face that its owners let in, and the program shows no token "
        "of one",
        cure="ask for access on the model's page, and set HF_TOKEN to a token of that account",
        source="Hugging Face documentation, gated models",
        remedy=Typed("HF_TOKEN"),
    ),
    Failure(
        name="php-code-syntax",
        mark="php parse error",
        pattern=r"PHP Parse error:\s+(?:syntax error, )?(?P<what>[^\n]{1,80}?) in (?P<file>/\S{1,200}) on line (?P<line>\d+)",
        cause="PHP cannot read {file} ({what}, line {line}): the code is written for a later PHP than this image has, "
        "or the file is damaged",
        cure="take the PHP that the program asks for, or correct the file",
        source="PHP's own message",
        build="another",
    ),
    Failure(
        name="s6-run-unfit",
        mark=("s6-supervise ", "runsv "),
        pattern=r"""(?x)
              s6-supervise\ (?P<program>[\w.@-]{1,80})(?:\ \(child\))?:\ (?:
                    fatal:\ unable\ to\ exec\ run
                  | warning:\ unable\ to\ spawn\ \./run(?:\ \(waiting\ \d{1,4}\ seconds\))?
                ):\ (?P<why>[A-Z][\w ]{5,40})
            | \brunsv\ (?P<program_runit>[\w.@-]{1,80}):\ (?:fatal|warning)
                :\ unable\ to\ start\ \./run:\ (?P<why_runit>[a-z][\w ]{5,40})
        """,
        cause="the supervisor cannot run the file run of its service {program} ({why}): it has no first line with #!, has the line ends "
        "of Windows, names an interpreter that the image lacks, or is not executable",
        cure="correct that file where it comes from: the sources of the image, or the folder that is mounted over it",
        source="just-containers/s6-overlay#449, just-containers/s6-overlay#515",
        turns_away=True,
    ),
    Failure(
        name="pm2-errored",
        mark=("too many unstable restarts", "no application online"),
        pattern=r"had too many unstable restarts \(\d{1,4}\)|Exiting PM2 - no application online",
        cause="PM2 has given up its application, which ended again and again right after its start",
        cure="see in the lines above why it ends: docker logs shows them all",
        source="PM2's own message",
        follows=True,
    ),
    Failure(
        name="sidekiq-application",
        mark="please point sidekiq to",
        pattern=r"Please point Sidekiq to a Rails application",
        cause="Sidekiq finds no config/application.rb in the folder where it starts: the working directory is another one, or "
        "a mount hides the application",
        cure="start it in the folder of the application (working_dir), or name it with -r",
        source="Sidekiq's own message",
        look="image",
    ),
    Failure(
        name="nest-dependency",
        mark="nest can't resolve dependencies",
        pattern=r"Nest can't resolve dependencies of the (?P<class>\w{1,80})",
        cause="the program's own parts do not fit together: what its class {class} asks for is in none of the modules that it "
        "imports",
        cure="run the build of the image that worked before; its authors have to add the provider or the import",
        source="NestJS documentation, common errors",
        build="earlier",
        look="builds",
    ),
    Failure(
        name="deno-lock",
        mark="expected hash in the lock file",
        pattern=r"does not match the expected hash in the lock file",
        cause="Deno's lock file was written for other contents of a module than the server has now",
        cure="see whether that module was meant to change; then write the file again (deno cache --reload --lock-write) and "
        "build the image with it",
        source="Deno documentation, integrity checking",
        look="builds",
    ),
    Failure(
        name="zones-absent",
        mark="missing location in call to",
        pattern=r"time: missing Location in call to",
        cause="the image has no list of time zones, which the program reads at its start",
        cure="add the package tzdata to the image, or mount /usr/share/zoneinfo of the host read-only at the same path",
        source="Go documentation, time.LoadLocation",
        build="another",
        look="image",
    ),
    Failure(
        name="init-option-first",
        mark=("[fatal tini (", "(catatonit:"),
        pattern=r"\[FATAL tini \(\d{1,9}\)\] exec (?P<word>-\S{0,80}) failed: "
        r"|\(catatonit:\d{1,9}\): failed to exec pid1: No such file or directory",
        cause="the container's own init is given no program that it finds: its command begins with an option or with a second "
        "--, or names a program that the image does not have",
        cure="write the whole command with the program first; of an image whose entrypoint ends with tini -- give only the "
        "program and its options",
        source="tini's and catatonit's own messages",
    ),
    Failure(
        name="command-list-broken",
        mark=": [",
        pattern=r"^(?:/bin/)?(?:ba|da|a)?sh: (?:line )?\d{1,4}: (?P<word>\[[\w\"'./-]{1,60},?): (?:command )?not found",
        cause="a shell takes {word} for the program: the list behind CMD or ENTRYPOINT is not valid JSON, as with single "
        "quotes or a comma too many, so that it is run as one line of a shell",
        cure='write it with double quotes in the Dockerfile, as in CMD ["npm", "start"], and build the image again; until then '
        "give the container its command",
        source="Dockerfile reference, shell and exec form",
        build="another",
    ),
    Failure(
        name="composer-php",
        mark="your php version (",
        pattern=r"requires php (?P<least>\S{1,40}) -> your php version \((?P<has>[\d.]{1,12})",
        cause="a library asks for PHP {least}, and the image has PHP {has}",
        cure="take the image of a PHP that fits, or write composer.lock again with composer update under the PHP of the image",
        source="Composer's own message",
        build="another",
        look="builds",
    ),
    Failure(
        name="composer-file",
        mark="could not find a composer.json file in",
        pattern=r"Composer could not find a composer\.json file in (?P<folder>/\S{1,200})",
        cause="there is no composer.json in {folder}: the working directory is another one, or a mount hides the project",
        cure="mount the project at the working directory (--volume=$PWD:/app for composer's image), or correct it",
        source="Composer's own message",
        look="image",
    ),
    Failure(
        name="switched-program-missing",
        mark="exec failed: no such file",
        pattern=r"^error: exec failed: no such file or directory$",
        cause="gosu has changed the user and cannot find the program behind it, or what the "
        "first line of that script names: a script with the line ends of Windows has the "
        "same message",
        cure="look at the path in the container's command, and at the first line of that script (head -n 1 FILE | cat -A: ^M "
        "at its end is the line end of Windows)",
        source="tianon/gosu's own message",
        look="scripts",
    ),
    Failure(
        name="java-archive",
        mark=("corrupt jarfile", "zip end header not found", "error in opening zip file"),
        pattern=r"\bInvalid or corrupt jarfile (?P<file>\S{1,300})|\bZipException: (?:zip END header not found|error in opening zip file)",
        cause="a jar or war of the program is not a complete archive: its download or build was cut short, it is a page or a "
        "pointer of Git LFS that was saved in its place, or the file is empty",
        cure="look at its size and its first bytes (head -c 100), then download or build it again",
        source="Java's own message",
        build="another",
        look="image",
    ),
    Failure(
        name="npx-asks",
        mark="need to install the following packages",
        pattern=r"^Need to install the following packages:",
        cause="npx waits for an answer: it asks before it installs a package, and nobody types",
        cure="set npm_config_yes=true",
        source="npx's own message",
        confirmed_by="container.variable-missing",
        needs=("npm_config_yes",),
    ),
    Failure(
        name="angular-asks",
        mark="would you like to share",
        pattern=r"Would you like to share (?:anonymous|pseudonymous) usage data",
        cause="the command of Angular waits for an answer: it asks whether it may report its use, and nobody types",
        cure="set NG_CLI_ANALYTICS=false",
        source="Angular's own message",
        confirmed_by="container.variable-missing",
        needs=("NG_CLI_ANALYTICS",),
    ),
    Failure(
        name="debconf-asks",
        mark="please select the",
        pattern=r"^Please select the (?:geographic area in which you live|city or region corresponding)",
        cause="the installation of a package waits for an answer about the time zone, and nobody types",
        cure="set DEBIAN_FRONTEND=noninteractive",
        source="tzdata's own message",
        confirmed_by="container.variable-missing",
        needs=("DEBIAN_FRONTEND",),
    ),
)
"""In the order in which a line is compared with them."""
