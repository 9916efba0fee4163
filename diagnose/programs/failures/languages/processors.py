"""Instructions, architectures and system calls that the processor or the kernel refuses."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import LIBRARIES, Uncovered

_CPU = "container.cpu-unsupported"
_SYSCALL = "container.syscall-refused"

PROCESSOR = (
    Failure(
        name="binary-read-as-script",
        mark=(": 1: syntax error: ", ": line 1: syntax error: "),
        pattern=r"^(?P<path>/[\w./@+-]{1,200}): (?:line )?1: Syntax error: (?:unexpected |\"\(\"|\"\)\"|word|Unterminated quoted string)",
        cause="the shell reads {path} as a script and fails at its first line: it is a program for another kind of "
        "processor, or a file that is not a script",
        cure="take the build for this host's processor (uname -m): file PATH shows what it is",
        source="dash's and busybox' own messages",
        look="builds",
    ),
    Failure(
        name="worker-instruction",
        mark="worker (pid:",
        pattern=r"Worker \(pid:\s?\d+\) was sent (?:code 132|SIGILL)!",
        cause="one of its workers met an instruction that this processor does not have: a library of the image is "
        "built for newer ones",
        cure="take a build of that library, or of the image, for older processors, or choose a newer CPU type (host) for "
        "the virtual machine",
        source="gunicorn's own message; nickjj/docker-flask-example#21",
        look="machine",
    ),
    Failure(
        name="worker-crashed",
        mark="worker (pid:",
        pattern=r"Worker \(pid:\s?\d+\) was sent (?:code 139|SIGSEGV)!",
        cause="one of its workers crashed in a library that is not written in Python (segmentation fault)",
        cure="run the build of the image that worked before, or another release of the library that is loaded last",
        source="gunicorn's own message",
        look="builds",
    ),
    Failure(
        name="binary-of-another-machine",
        mark="elf",
        pattern=r"(?P<path>/[\w./@+-]{1,200}): (?:line )?1: [^\w\s]{0,4}ELF\b[^\n]{0,80}not found",
        cause="the kernel cannot run {path}, which is built for another kind of processor, and the shell "
        "takes it for a script",
        cure="put the build for this host's processor there (uname -m)",
        source="busybox' and dash's own messages",
        build="another",
    ),
    Failure(
        name="binary-of-another-processor",
        mark=(
            "cannot execute binary file: exec",
            "not a valid dynamic program",
            "qemu: uncaught target signal",
        ),
        pattern=r"(?<![\w/])(?P<path>/[\w./@+-]{1,200}): cannot execute binary file: Exec format error"
        r"|(?<![\w/])(?P<path_musl>/[\w./@+-]{1,200}): Not a valid dynamic program"
        r"|qemu: uncaught target signal \d+ \([\w ]{3,30}\)",
        cause="the program is built for another kind of processor than the host's: the kernel does not run it, or an "
        "emulator (QEMU) does so badly",
        cure="take the build for this host's processor (uname -m): docker pull --platform=linux/arm64 or linux/amd64",
        source="Linux documentation, execve; tonistiigi/binfmt#215",
        build="another",
    ),
    Failure(
        name="glibc-cpu",
        mark="cpu does not support x86-64",
        pattern=r"CPU does not support x86-64-v(?P<level>\d)",
        cause="the image is built for processors of level x86-64-v{level}, and this one is older",
        cure="run an image that is built for older processors, or choose a newer CPU type for the virtual machine",
        confirmed_by=_CPU,
        needs=("sse4_2", "popcnt", "ssse3"),
        look="machine",
    ),
    Failure(
        name="mongo-avx",
        mark="requires a cpu with avx",
        pattern=r"MongoDB 5\.0\+ requires a CPU with AVX support",
        cause="MongoDB 5 and later need a processor with AVX, and this one does not show it",
        cure="run mongo:4.4, or choose a CPU type with AVX for the virtual machine (host)",
        source="docker-library/mongo#485",
        confirmed_by=_CPU,
        needs=("avx",),
        look="machine",
    ),
    Failure(
        name="bun-avx",
        mark="cpu lacks",
        pattern=r"CPU lacks (?P<level>AVX\w*) support",
        cause="the program is built for processors with {level}, and this one does not show it",
        cure="run the baseline build of the program, or choose a CPU type with AVX for the virtual machine (host)",
        source="oven-sh/bun#67",
        confirmed_by=_CPU,
        needs=("avx",),
        look="machine",
    ),
    Failure(
        name="native-image-cpu",
        mark="cpu features that are required by the image",
        pattern=r"does not support all of the following CPU features that are required by the image: \[(?P<level>[^\]\n]{1,300})\]",
        cause="the program is compiled for processors with all of {level}, and this one does not show them",
        cure="compile it with -march=compatibility, or choose a newer CPU type (host) for the virtual machine",
        source="GraalVM documentation, native image",
        confirmed_by=_CPU,
        needs=("avx2",),
        look="machine",
    ),
    Failure(
        name="tensorflow-avx",
        mark="instructions, but these aren't",
        pattern=r"compiled to use (?P<level>AVX\w*) instructions, but these aren't available",
        cause="the program is built for processors with {level}",
        cure="choose a CPU type with AVX for the virtual machine (host)",
        confirmed_by=_CPU,
        needs=("avx",),
        look="machine",
    ),
    Failure(
        name="clickhouse-cpu",
        mark="instruction check fail",
        pattern=r"Instruction check fail\. The CPU does not support (?P<level>\S+) instruction set",
        cause="the program is built for processors with {level}",
        cure="choose a newer CPU type for the virtual machine (host)",
        confirmed_by=_CPU,
        needs=("sse4_2", "ssse3", "popcnt"),
        look="machine",
    ),
    Failure(
        name="numpy-baseline",
        mark="baseline optimizations",
        pattern=r"NumPy was built with baseline optimizations: \((?P<level>[^)]*)\) but your machine doesn't support",
        cause="NumPy is built for newer processors ({level})",
        cure="choose a newer CPU type for the virtual machine (host), or an older NumPy",
        confirmed_by=_CPU,
        needs=("sse4_2", "popcnt", "ssse3"),
        look="machine",
    ),
    Failure(
        name="page-size",
        mark="unsupported system page size",
        pattern=r"Unsupported system page size",
        cause="the program was built for memory pages of 4 KiB, and this kernel has larger ones",
        cure="boot a kernel with 4 KiB pages, or use an image that is built for larger pages",
        look="machine",
    ),
    Failure(
        name="glibc-build-on-musl",
        mark="symbol not found",
        pattern=r"\b(?:Error relocating )?(?P<file>[\w./+-]{2,200}): "
        r"(?:__\w{2,30}_chk|__register_atfork|__res_\w{2,20}|fcntl64|gnu_get_libc_version|backtrace): symbol not found",
        cause="{file} was built for a Linux with glibc, and this image has another C library (musl, as Alpine's images "
        "do)",
        cure="use an image on Debian in place of the one on Alpine, or install the package that is built for musl in the "
        "image itself",
        source="musl's own message",
        build="another",
        look="builds",
    ),
    Failure(
        name="glibc-too-old",
        mark=("not found (required by", "version `glibc"),
        pattern=r"version `(?P<version>GLIBC(?:XX)?_[\d.]+)' not found \(required by (?P<program>[^)]+)\)"
        r"|^(?P<program_first>[\w./-]{1,200}): /\S{1,200}: version `(?P<version_last>GLIBC(?:XX)?_[\d.]+)' not found$",
        cause="{program} was built on a newer distribution ({version}) than the image's",
        cure="build it in the image's own distribution, or use a newer base image",
        source="DefGuard/defguard#488",
        build="another",
    ),
    Failure(
        name="qt-of-newer-kernel",
        mark="libqt",
        pattern=r"(?P<library>libQt[56]Core\.so\.\d): cannot open shared object file",
        cause="the image has no {library}, or the loader passes over it, as it is marked for a newer kernel than this "
        "host has; an old libseccomp of the host has the same effect",
        cure="see whether the image has it (find / -name '{library}*'). If not, install it; if so, update the kernel of "
        "the host and its Docker with libseccomp, or run an older build of the image",
        source="linuxserver/docker-qbittorrent, its documentation; Qt's own mark (.note.ABI-tag)",
        build="earlier",
        look="machine",
    ),
    Failure(
        name="shared-library",
        mark="shared librar",
        pattern=r"error while loading shared libraries: (?P<library>\S+): cannot open shared object file"
        r"|Error loading shared library (?P<library_musl>(?!ld-linux|lib(?:c|dl|m|pthread)\.so)\S+?): No such file or directory"
        r"|Error loading shared library (?P<library_libc>\S+?): No such file or directory(?! \(needed by \S+\.node\b)",
        cause="the image lacks a library that the program is linked with, or has it where the loader does not look: {library}",
        cure="install the library in the image; a program of glibc does not run on Alpine without gcompat",
        turns_away=True,
        remedy=Uncovered(LIBRARIES),
        build="another",
    ),
    Failure(
        name="java-class-version",
        mark="class file version",
        pattern=r"compiled by a more recent version of the Java Runtime \(class file version (?P<built_class>\d{2})",
        cause="the program was compiled for Java {built}, and the image has an older one",
        cure="use an image with Java {built} or later, such as eclipse-temurin:{built}, or the build of the program for "
        "the older one",
        build="another",
        look="builds",
    ),
    Failure(
        name="dotnet-not-loaded",
        mark="failed to create coreclr",
        pattern=r"Failed to create CoreCLR, HRESULT: (?P<code>0x[0-9A-F]{8})",
        cause=".NET itself does not start in this image ({code}): it is built badly, needs a newer host, or a limit of "
        "memory or processes leaves no room for it",
        cure="run the build that worked before; with --security-opt=seccomp=unconfined it starts where the host's "
        "Docker is older than the image",
        source="jellyfin/jellyfin#2616",
        build="another",
        look="machine",
    ),
    Failure(
        name="dotnet-invariant",
        mark="globalization-invariant mode",
        pattern=r"Only the invariant culture is supported in globalization-invariant mode",
        cause="the program asks .NET for a culture, and .NET runs in its invariant mode, which has none: Microsoft's images "
        "on Alpine switch that on",
        cure="install icu-libs in the image, and set DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=false",
        source=".NET documentation, globalization-invariant mode",
        build="another",
    ),
    Failure(
        name="dotnet-icu",
        mark="valid icu package",
        pattern=r"Couldn't find a valid ICU package",
        cause=".NET cannot find the ICU libraries in this image",
        cure="install icu-libs, or set DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1",
        source="dotnet/dotnet-docker#986",
        confirmed_by="container.option-missing",
        needs=("--env=DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1",),
    ),
)

SYSTEM_CALLS = (
    Failure(
        name="thread-refused",
        mark="",
        pattern=r"pthread_create failed(?:: Operation not permitted| \(EPERM\))"
        r"|Can't initialize Background Jobs\. Error message: Operation not permitted"
        r"|(?:creat|start)\w*\b(?!.{0,20}\b(?:RT|real-?time)\b).{0,20}\bthread\b.{0,40}(?:Operation not permitted|\(?errno:? 1\b|\bEPERM\b)",
        cause="a new system call (clone3) is refused: the engine's seccomp filter is older than the image's C library",
        cure="upgrade Docker to 20.10.10 or later with a libseccomp of 2.5; until then --security-opt seccomp=unconfined",
        source="bytebase/bytebase#3096",
        confirmed_by=_SYSCALL,
    ),
    Failure(
        name="thread-refused-rust",
        mark="spawn",
        pattern=r"can't spawn (?:a new )?worker thread: Operation not permitted|failed to spawn thread: Os \{ code: 1,",
        cause="a new system call (clone3) is refused: the engine's seccomp filter is older than the image's C library",
        cure="upgrade Docker to 20.10.10 or later with a libseccomp of 2.5; until then --security-opt seccomp=unconfined",
        source="qdrant/qdrant#2149",
        confirmed_by=_SYSCALL,
    ),
    Failure(
        name="thread-refused-node",
        mark="uv_thread_create",
        pattern=r"Assertion .*uv_thread_create\(",
        cause="Node.js cannot start a thread: a new system call (clone3) is refused, or the limit of processes is reached",
        cure="upgrade Docker to 20.10.10 or later with a libseccomp of 2.5; until then --security-opt seccomp=unconfined",
        source="nodejs/node#57293",
        confirmed_by=_SYSCALL,
    ),
    Failure(
        name="clock-refused",
        mark="",
        pattern=r"clock_gettime(?:64)?\b.{0,40}Operation not permitted|can't initialize time|init_interp_main: can't initialize time"
        r"|^sudo: error in event loop: Operation not permitted",
        cause="a new system call (clock_gettime64) is refused: the engine's libseccomp is older than the image's C library",
        cure="install libseccomp 2.4.4 or later on the host",
        confirmed_by=_SYSCALL,
    ),
    Failure(
        name="rust-clock",
        mark="library/std/src/sys/",
        pattern=r"panicked at .{0,5}library/std/src/sys/(?:pal/)?unix/time\.rs",
        cause="a new system call for the time is refused: the engine's libseccomp or the kernel is older than the image's C library",
        cure="install libseccomp 2.4.4 or later on the host; an old kernel needs an older image",
        source="dani-garcia/vaultwarden#4120",
        confirmed_by=_SYSCALL,
    ),
    Failure(
        name="access-refused",
        mark="operation not permitted",
        pattern=r"^make: (?P<program>/bin/sh|\S+): Operation not permitted",
        cause="a new system call (faccessat2) is refused: the engine's seccomp filter is older than the image's C library",
        cure="upgrade runc to 1.0.0-rc93 and libseccomp to 2.4.4 or later",
        confirmed_by=_SYSCALL,
    ),
    Failure(
        name="poll-refused",
        mark="iopause",
        pattern=r"unable to iopause: Operation not permitted",
        cause="a new system call (ppoll_time64) is refused: the engine's libseccomp is older than the image's C library",
        cure="install libseccomp 2.4.4 or later on the host",
        source="homebridge/docker-homebridge#434",
        confirmed_by=_SYSCALL,
    ),
    Failure(
        name="io-uring-refused",
        mark="io_uring",
        # MariaDB warns of it, and falls back to ordinary I/O
        pattern=r"^(?!.*\[Warning\]).*io_uring_(?:queue_init|setup)\b.{0,60}(?:Operation not permitted|errno (?:1|38)\b|EPERM)",
        cause="io_uring is refused: the seccomp profile of Docker 25 and later blocks it",
        cure="let the program use ordinary I/O, or recreate it with a seccomp profile that allows io_uring",
        confirmed_by=_SYSCALL,
    ),
)
