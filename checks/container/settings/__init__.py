"""An option, a variable, a device or a kernel setting is wrong."""
