#!/bin/sh
# docs/memory.md shows what the build prints.
#
# memory_documented.sh REPORT PAGE [--write]   --write puts it there
set -eu
report=$1
page=$2
printed=$("$report")

if [ "${3:-}" = --write ]; then
    new=$(awk -v printed="$printed" '
        /^```/ { inside = !inside; print; if (inside) print printed; next }
        !inside' "$page")
    printf '%s\n' "$new" > "$page"
    exit 0
fi
shown=$(awk '/^```/ { inside = !inside; next } inside' "$page")
if [ "$shown" != "$printed" ]; then
    echo "$page shows other figures than $report prints;" >&2
    echo "bring it up to date: $0 $report $page --write" >&2
    exit 1
fi
