#!/bin/sh
# Starts diagnose @VERSION@ with the Python and the C library of this folder. The loader is called by its path, so that no library path
# enters the environment, and the host's own programs find their own libraries.
here=$0
while [ -h "$here" ]; do # a link in PATH
    target=$(readlink "$here")
    case $target in /*) here=$target ;; *) here=${here%/*}/$target ;; esac
done
case $here in */*) here=${here%/*} ;; *) here=. ;; esac
# What the host preloads is made for the host's C library.
unset LD_PRELOAD LD_AUDIT
exec "$here/lib/ld.so" --inhibit-cache --library-path "$here/lib" "$here/bin/python3" -I -m diagnose "$@"
