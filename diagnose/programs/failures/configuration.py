"""Mistakes in configuration files, commands and builds.

As web servers and language runtimes report them.
"""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

_OPTION = "container.option-missing"

WEB_SERVERS = (
    Failure(
        "nginx-certificate",
        "cannot load certificate",
        r'cannot load certificate(?: key)? "(?P<path>[^"]+)".{0,120}?No such file',
        (
            "nginx finds no certificate at {path}: it was not issued yet, "
            "or is a link to a folder that is not mounted (certbot's live/ leads to archive/)"
        ),
        "mount the whole folder /etc/letsencrypt, "
        "or start nginx without that server block until the certificate is there",
        "jlesage/docker-nginx-proxy-manager#276",
    ),
    Failure(
        "nginx-directive",
        "unknown directive",
        r'unknown directive "(?P<word>[^"]+)" in (?P<file>\S+)',
        "nginx does not know the word {word} in {file}: "
        "misspelt, or of a module that the image does not have",
        "correct the file; docker exec or docker run with nginx -t checks it",
        "the program's own message",
    ),
    Failure(
        "php-fpm-user",
        "cannot get",
        r"cannot get (?:uid|gid) for (?:user|group) '(?P<user>[^']+)'",
        "the pool of PHP-FPM runs as {user}, and the image has no such user",
        "set user and group in the pool's file to www-data, or add the user to the image",
        "the program's own message",
    ),
    Failure(
        "supervisor-gave-up",
        "entered fatal state",
        r"gave up: (?P<program>\S+) entered FATAL state",
        "supervisord has given up starting {program}, and goes on without it",
        "see why {program} ends; supervisorctl start tries again",
        "the program's own message",
    ),
    Failure(
        "address-not-there",
        "cannot assign requested address",
        r"(?:bind|listen)\b.{0,60}?(?P<address>\d+\.\d+\.\d+\.\d+)\S*.{0,40}[Cc]annot assign requested address",
        "the program is configured to listen at {address}, "
        "an address that its container does not have",
        "let it listen at 0.0.0.0",
        "the program's own message",
    ),
)

RUNTIMES = (
    Failure(
        "node-binary",
        ".node",
        r"(?P<file>/[^\s:]+\.node): (?:invalid ELF header|file too short|wrong ELF class"
        r"|cannot open shared object)",
        "{file} was built for another system or processor: "
        "node_modules was copied or mounted from another machine",
        "delete node_modules on the host, "
        "or keep it out of the mount with a volume, and install it in the image",
        "kelektiv/node.bcrypt.js#824",
    ),
    Failure(
        "node-version",
        "different node.js version",
        r"was compiled against a different Node\.js version",
        "a module in node_modules was built for another version of Node.js",
        "install the modules again with the image's own Node.js: npm rebuild",
        "the program's own message",
    ),
    Failure(
        "npm-script",
        "missing script",
        r'Missing script: "?(?P<script>[\w:.-]+)"?',
        "package.json has no script {script}",
        "correct the command, or the script in package.json",
        "the program's own message",
    ),
    Failure(
        "npm-package",
        "package.json",
        r"(?:ENOENT|Could not read package\.json).{0,80}?'?(?P<file>/[^\s']*package\.json)",
        "there is no {file}: the working directory is wrong, or a mount hides the application",
        "compare the working directory and the mounts with the image",
        "the program's own message",
    ),
    Failure(
        "java-jar",
        "jarfile",
        r"Unable to access jarfile (?P<file>\S+)",
        "Java finds no {file}, or may not read it: "
        "it is not in the image, or a mount hides its folder",
        "compare the path with the image and the mounts",
        "the program's own message",
    ),
    Failure(
        "java-class",
        "main class",
        r"Could not find or load main class (?P<name>\S+)",
        "Java does not find the class {name}: "
        "the class path is wrong, or an option with a space was split",
        "correct the command, or the class path",
        "the program's own message",
    ),
    Failure(
        "java-manifest",
        "no main manifest",
        r"no main manifest attribute, in (?P<file>\S+)",
        "{file} is a library, not a program: the build made the plain archive",
        "take the executable archive of the build (Spring Boot: bootJar)",
        "the program's own message",
    ),
    Failure(
        "java-cgroup",
        "cgroup",
        r"CgroupInfo\.getMountPoint\(\)\" because \"anyController\" is null"
        r"|CgroupV2Subsystem.{0,80}NullPointerException",
        "this Java is too old for the host's cgroups: "
        "its runtime cannot read them and fails at start",
        "use a newer Java of the same release (8u372, 11.0.16, 17.0.4 or later); "
        "until then -XX:-UseContainerSupport",
        "JDK-8287073",
        _OPTION,
        ("--env=JAVA_TOOL_OPTIONS=-XX:-UseContainerSupport",),
    ),
    Failure(
        "java-option",
        "unrecognized vm option",
        r"Unrecognized VM option '(?P<option>[^']+)'",
        "this Java does not know the option {option}",
        "remove the option from JAVA_OPTS, JAVA_TOOL_OPTIONS or the command",
        "the program's own message",
    ),
    Failure(
        "python-name",
        "cannot import name",
        r"cannot import name '(?P<name>[^']+)' from (?:partially initialized module )?'(?P<module>[^']+)'",
        "the installed version of {module} has no {name}: "
        "a dependency was updated without its user",
        "pin the version of the package that has {module}, and rebuild the image",
        "the program's own message",
    ),
    Failure(
        "shm-too-small",
        "shared memory (shm)",
        r"insufficient shared memory \(shm\)",
        "the container's /dev/shm is too small: it has 64 MB unless it is given more",
        "recreate it with --shm-size=1g (shm_size in compose), or with --ipc=host",
        "pytorch/pytorch#2244",
        _OPTION,
        ("--shm-size=1g",),
    ),
    Failure(
        "dotnet-framework",
        "install or update .net",
        r"You must install or update \.NET to run this application",
        "the image has another version of .NET than the program was built for",
        "take the runtime image of that version",
        "the program's own message",
    ),
    Failure(
        "dotnet-dll",
        "could not execute because",
        r"Could not execute because the (?:application|specified command)",
        "the command names a .NET program that is not in the image",
        "correct the name of the .dll in the command",
        "the program's own message",
    ),
)
