"""Complaints about devices that a container or its host lacks: files in /dev, graphics cards,
modules of the kernel."""

from diagnose.programs.failures.recognition import NEVER, Failure

_MANY = "many programs"
_OPTION = "container.option-missing"
_DEVICE = r"/dev/(?:tty\w+|dri(?:/\w+)?|video\d+|snd(?:/\w+)?|bus/usb\S*|serial/\S+|kvm|fuse|nvidia\w*|i2c-\d+|gpiomem)"

DEVICES = (
    Failure(
        name="device-denied",
        mark="/dev/",
        pattern=rf"""(?x)
            (?:permission\ denied|EACCES|not\ permitted).{{0,60}}?(?P<device>{_DEVICE})
            | (?P<device_first>(?>{_DEVICE})).{{0,60}}?(?:permission\ denied|EACCES|not\ permitted)
        """,
        cause="the program's user may not open the device {device}",
        cure="recreate it with --group-add of the group that owns the device: "
        "stat -c %g {device} on the host",
        source=_MANY,
    ),
    Failure(
        name="device-missing",
        mark="/dev/",
        pattern=rf"""(?x)
            (?:no\ such\ (?:file|device)|not\ found|cannot\ (?:open|find
                |lock)|can't\ open|could\ not\ (?:open|find)|does\ not\ exist
                |no\ \w+\ display\ found|failed\ to\ open).{{0,80}}?(?P<device>{_DEVICE})
            | (?P<device_first>(?>{_DEVICE}))['\"]?.{{0,60}}?(?:no\ such\ (?:file
                |device)|not\ found|does\ not\ exist|cannot\ be\ opened)
        """,
        cause="the program needs the device {device}, which its container does not have",
        cure="recreate it with --device={device}",
        source=_MANY,
        confirmed_by=_OPTION,
        needs=("--device={device}",),
    ),
    Failure(
        name="video-acceleration",
        mark=("vaapi", "init_hw_device", "qsv", "libva"),
        pattern=r"""(?x)
            \bFailed\ to\ initiali[sz]e\ VAAPI\ connection\b
            | \bFailed\ to\ set\ value\ '(?:qsv|vaapi)=\S{1,80}'\ for\ option\ 'init_hw_device'
            | \blibva:\ vaGetDriverName\w{0,20}\(\)\ failed\b
        """,
        cause="the program decodes or encodes video by the graphics card, and finds none that it can use: its "
        "container has no /dev/dri, its user may not open it, or the driver that its settings name is another one",
        cure="recreate it with --device=/dev/dri and --group-add of the group that owns renderD128; where it has both, "
        "correct the driver (LIBVA_DRIVER_NAME, i965 for older and iHD for newer cards of Intel)",
        source="Frigate's documentation, hardware acceleration; FFmpeg's and libva's own messages",
        confirmed_by=_OPTION,
        needs=("--device=/dev/dri",),
    ),
    Failure(
        name="gpu-missing",
        mark="",
        pattern=r"""(?x)
            found\ no\ NVIDIA\ driver
            | no\ CUDA-capable\ device
            | no\ CUDA\ GPUs\ are\ available
            | failed\ to\ infer\ device\ type
            | libcuda\.so\.1:\ cannot\ open
            | CUDA\ driver\ initiali[sz]ation\ failed
            | nvml:\ driver\ not\ loaded
            | could\ not\ load\ dynamic\ library\ 'libcuda
            | no\ NVIDIA\ GPU\ (?:found|detected)
            | CUDA\ (?:is\ )?not\ available | \bTorch\ is\ not\ able\ to\ use\ GPU\b
        """,
        cause="the program needs a GPU, and its container has none",
        cure="recreate it with --gpus=all; the host needs the driver and the NVIDIA Container Toolkit",
        source="PyTorch's, vLLM's and CUDA's own messages",
        confirmed_by=_OPTION,
        needs=("--gpus=all",),
    ),
    Failure(
        name="gpu-unfit",
        of_running=NEVER,
        mark=("no kernel image", "no device code compatible"),
        pattern=r"\bno kernel image is available for execution on the device"
        r"|\bhas no device code compatible with CUDA arch\b",
        cause="the image's build of its library (PyTorch, CUDA) has no code for this graphics card: it is too new or "
        "too old for it",
        cure="run the image with another release of CUDA, as its documentation lists them for the card",
        source="PyTorch's own message",
        build="another",
        look="machine",
    ),
    Failure(
        name="gpu-driver-unseen",
        mark="insufficient for cuda runtime",
        pattern=r"\bCUDA driver version is insufficient for CUDA runtime\b",
        cause="the container has no NVIDIA driver that CUDA finds, or one that is older than this image's CUDA needs",
        cure="recreate it with --gpus=all; where it has the card, update the driver of the host, or run a build "
        "with an older CUDA",
        source="CUDA's own message; SYSTRAN/faster-whisper#1259",
        confirmed_by=_OPTION,
        needs=("--gpus=all",),
        look="graphics",
    ),
    Failure(
        name="gpu-driver-old",
        mark="driver",
        pattern=r"""(?x)
            \bNVIDIA\ driver\ on\ your\ system\ is\ too\ old\b
        """,
        cause="the NVIDIA driver of the host is older than the CUDA in this image needs",
        cure="update the driver of the host, or run a build of the image with an older CUDA",
        source="PyTorch's and CUDA's own messages",
        build="another",
        look="graphics",
    ),
    Failure(
        name="gpu-withdrawn",
        mark="failed to initialize nvml: unknown error",
        pattern=r"Failed to initialize NVML: Unknown Error",
        cause="the container has lost its GPU while it ran: a reload of systemd or docker update replaced its "
        "device rules",
        cure="restart the container; for good, set native.cgroupdriver=cgroupfs in daemon.json, or name the "
        "devices with --device",
        source="NVIDIA/nvidia-docker#1730",
        confirmed_by="container.device-withdrawn",
    ),
    Failure(
        name="gpu-driver-changed",
        mark="driver/library version mismatch",
        pattern=r"Driver/library version mismatch",
        cause="the NVIDIA driver of the host was upgraded, and the kernel still runs the old module",
        cure="reboot the host, or unload and load its module (rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia; "
        "modprobe nvidia) with no program on the GPU",
        source="NVIDIA/nvidia-docker#584",
        look="graphics",
    ),
    Failure(
        name="gpu-unknown",
        of_running=NEVER,
        mark="cuda",
        pattern=r"\bCUDA failed with error unknown error|\bCUDA unknown error\b|\bCUDA error: unknown error\b",
        cause="the graphics card cannot be used, and CUDA says no more: as a rule the host has not loaded a module of "
        "its driver (nvidia_uvm), or the driver has changed since it booted",
        cure="run nvidia-smi on the host and modprobe nvidia_uvm, then start the container again; after an update of "
        "the driver reboot the host",
        source="jhj0517/Whisper-WebUI#192; PyTorch's own message",
        look="graphics",
    ),
    Failure(
        name="gpu-memory",
        mark=("cuda", "blas_status_alloc_failed", "cache blocks"),
        pattern=r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED"
        r"|No available memory for the cache blocks",  # vLLM
        cause="the memory of the GPU is full: "
        "the model is too large for it, or another program holds a part",
        cure="nvidia-smi on the host shows who holds it; use a smaller model or batch",
        source="PyTorch's own message",
        look="graphics",
    ),
    Failure(
        name="kernel-module",
        mark="",
        pattern=r"""(?x)
            modprobe:\ (?:FATAL:\ )?Module\ (?P<module>\w+)\ not\ found
            | \bip6?tables\b[^\n]{0,120}\bmodprobe:\ can't\ change\ directory\ to\ '/lib/modules'
            | do\ you\ need\ to\ insmod
            | unable\ to\ access\ interface:\ (?:protocol|operation)\ not\ supported
            | RTNETLINK\ answers:\ (?:operation|protocol)\ not\ supported
            | \bunable\ to\ initialize\ table\ '(?P<module_table>\w+)'  # iptables
            | \bThe\ (?P<module_active>\w+)\ module\ is\ not\ active\b  # linuxserver.io
            | (?P<module_named>\w+)\ kernel\ module\ (?:is\ )?(?:not|missing)
            | kernel\ module\ .{0,30}not\ (?:loaded|found)
        """,
        cause="the program needs a module of the host's kernel that is not loaded",
        cure="load it on the host, and keep it in /etc/modules-load.d: modprobe wireguard for "
        "WireGuard, modprobe -a ip_tables iptable_nat for iptables of the legacy kind",
        source="linuxserver/docker-wireguard#61",
    ),
)
