#!/bin/sh
# Written by diagnose setup, which puts a collection in and takes it out; the number below counts the lines here.
# Unpacks the archive behind this script to memory, runs the tool in it, and removes it again. Ends as the tool ends.
set -u
place=$(mktemp -d /dev/shm/diagnose.XXXXXX) || exit 3
trap 'rm -rf "$place"' EXIT
trap 'exit 3' HUP INT TERM
tail -n +11 "$0" | tar -xzf - -C "$place" || exit 3
"$place"/diagnose/diagnose "$@"
exit $?
