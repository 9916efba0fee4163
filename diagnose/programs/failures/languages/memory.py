"""Heaps and runtimes that do not get the memory they ask for."""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import Given, Heap

_HEAP = "container.heap-above-limit"

MEMORY = (
    Failure(
        name="library-unmapped",
        mark="map segment",
        pattern=r"(?<!\w)(?P<path>/(?:usr/)?lib/[^\s:'\"]{1,200}): failed to map segment from shared object",
        cause="the program may not have the memory to load {path}: its limit (ulimit -v) is too low",
        cure="raise the limit that its start script sets with ulimit, or take it away",
        source="the loader's own message",
        look="memory",
    ),
    Failure(
        name="shared-memory-full",
        mark="dev/shm",
        pattern=r"(?:/dev/shm)\b[^\n]{0,160}\b(?:No space left on device|not enough space|is full)"
        r"|\bNo space left on device\b[^\n]{0,60}/dev/shm\b",
        cause="the container's /dev/shm is full: it has 64 MB unless it is given more",
        cure="recreate it with --shm-size=1g (shm_size in compose); Chrome does without by --disable-dev-shm-usage",
        source="puppeteer/puppeteer#1834",
        confirmed_by="container.option-missing",
        needs=("--shm-size=1g",),
    ),
    Failure(
        name="part-killed",
        mark="",
        pattern=r"Process exited with exit value \[\w+\]: 137\b|\bexited: \S{1,60} \(terminated by SIGKILL; not expected\)"
        r"|\b[\w-]{1,40}\.\d{1,3} {1,20}\| exited with code 137$|^exited with code 137$"  # foreman
        r"|^(?!.*\b(?:did not (?:exit|stop|terminate)|stop timeout|timed out)\b).*\b(?:terminated|killed) by signal 9\b|\bsignal 9 \(SIGKILL\)",
        cause="a process of the program was killed with SIGKILL: usually the kernel ended it because the "
        "memory of the host, or of the container's limit, was used up",
        cure="look into the kernel log for 'Killed process', and give it more memory or let it take less",
        source="SonarSource/docker-sonarqube#491",
        look="memory",
    ),
    Failure(
        name="worker-killed",
        mark="sigkill! perhaps out of memory",
        pattern=r"Worker \(pid:\s?\d+\) was sent SIGKILL! Perhaps out of memory",
        cause="one of its workers was killed with SIGKILL: usually by the kernel, because the memory of the host or of "
        "the container's limit was used up",
        cure="start fewer workers (--workers, WEB_CONCURRENCY) or raise the memory limit; the kernel log has "
        "'Killed process' if it was that",
        source="benoitc/gunicorn#2888",
        follows=True,
    ),
    Failure(
        name="model-context",
        mark="kv cache",
        pattern=r"max seq len \((?P<asked>\d+)\) is larger than the maximum number of tokens that can be stored in KV "
        r"cache \((?P<most>\d+)\)",
        cause="the model's context of {asked} tokens does not fit into the memory of the GPU, which has room for {most}",
        cure="give it --max-model-len={most}, or more of the GPU with --gpu-memory-utilization",
        source="vLLM's own message",
        remedy=Given("--max-model-len={most}"),
    ),
    Failure(
        name="jvm-reserve",
        mark="could not reserve enough space",
        pattern=r"Could not reserve enough space for (?P<size>\d+KB object heap|\S+)",
        cause="the Java heap that is asked for ({size}) does not fit into the memory that the container may use",
        cure="lower -Xmx, or raise the container's memory limit",
        confirmed_by=_HEAP,
    ),
    Failure(
        name="jvm-native",
        mark=(
            "insufficient memory for the java runtime",
            "os::commit_memory",
            "native memory allocation",
        ),
        pattern=r"insufficient memory for the Java Runtime Environment|\bos::commit_memory\([^\n]{0,80}\) failed"
        r"|\bNative memory allocation \((?:mmap|malloc)\) failed",
        cause="Java cannot get memory from the system",
        cure="lower -Xmx, or raise the container's memory limit; where threads fail, see the limit of processes",
        confirmed_by=_HEAP,
        look="memory",
    ),
    Failure(
        name="jvm-heap",
        mark=("java heap space", "gc overhead limit"),
        pattern=r"OutOfMemoryError: (?:Java heap space|GC overhead limit exceeded)",
        cause="the Java heap is full",
        cure="raise -Xmx and the container's memory limit with it",
        source="Java documentation, OutOfMemoryError",
        remedy=Heap(
            "JAVA_TOOL_OPTIONS",
            "-XX:MaxRAMPercentage=75",
            ("-Xmx", "MaxRAMPercentage", "MaxHeapSize"),
        ),
        look="memory",
    ),
    Failure(
        name="jvm-direct",
        mark="direct buffer memory",
        pattern=r"OutOfMemoryError: (?:Direct buffer memory|Cannot reserve \d+ bytes of direct buffer memory)",
        cause="Java's memory for buffers outside of its heap is full",
        cure="raise -XX:MaxDirectMemorySize, and the container's memory limit with it",
        source="Java documentation, OutOfMemoryError",
        look="memory",
    ),
    Failure(
        name="node-heap",
        mark="javascript heap out of memory",
        pattern=r"JavaScript heap out of memory",
        cause="Node.js has used up its heap",
        cure="raise --max-old-space-size below the container's memory limit",
        remedy=Heap(
            "NODE_OPTIONS",
            "--max-old-space-size={mib}",
            ("max-old-space-size", "max_old_space_size"),
            of_host=True,
        ),
        look="memory",
    ),
    Failure(
        name="memory-exhausted",
        mark=(
            "bad_alloc",
            "memoryerror",
            "out of memory",
            "outofmemoryexception",
            "cannot allocate memory",
            "memory allocation of",
            "heap initialization failed",
            "enomem",
        ),
        pattern=r"""(?x)
              ^\s*what\(\):\s+std::bad_alloc | \binstance\ of\ 'std::bad_alloc'
            | ^(?:[\w.]{1,60}\.)?MemoryError(?:$|:\ ) | \b_ArrayMemoryError:\ Unable\ to\ allocate\b
            | \bruntime:\ (?:out\ of\ memory|cannot\ allocate\ memory)\b | ^fatal\ error:\ out\ of\ memory
            | \bSystem\.OutOfMemoryException\b | \bGC\ heap\ initialization\ failed\b  # .NET
            | \bPHP\ Fatal\ error:\ {1,2}Out\ of\ memory\ \(allocated\b
            | ^memory\ allocation\ of\ \d+\ bytes\ failed\b  # Rust
            | \bspawn\ ENOMEM\b  # Node.js
        """,
        cause="the program asks for more memory than the system gives it: a limit (ulimit, the container's), or the "
        "memory of the host",
        cure="compare docker stats and free -m with what the program is set to take; raise the limit of the container "
        "with docker update --memory",
        source="C++'s, Python's, Go's, .NET's, PHP's, Rust's and Node.js' own messages",
        of_running=NEVER,
    ),
)
