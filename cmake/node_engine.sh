#!/bin/sh
# node_engine.sh FILE: writes what native modules must have been made for into FILE, and leaves it alone where it says so.
set -eu
engine=$(node -p "process.versions.modules + ' ' + process.platform + ' ' + process.arch")
[ -e "$1" ] && [ "$(cat "$1")" = "$engine" ] || printf '%s\n' "$engine" >"$1"
