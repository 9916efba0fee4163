"""First steps where a line names a device."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_DEVICE = LazyPattern(
    r"(?<![\w./-])/dev/(?:dri/\w{1,20}|tty(?:USB|ACM|AMA|S)\d{1,3}|video\d{1,3}|snd(?:/\w{1,20})?|net/tun"
    r"|kvm|fuse|kfd|nvidia[a-z0-9-]{0,20}|i2c-\d{1,3}|spidev[\d.]{1,8}|gpiomem|gpiochip\d{1,3}"
    r"|serial/by-id/[\w.:+-]{1,100}|bus/usb(?:/\d{1,3}){0,2}|hidraw\d{1,3}|watchdog\d?)(?![\w/])"
)
"""Devices that programs in containers ask for."""


def device_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that compares the device with what the container was given."""
    match = _DEVICE.search(text)
    return {"asked_device": match[0], "given_to": container.name} if match is not None else {}
