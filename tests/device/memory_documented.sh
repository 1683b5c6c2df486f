#!/bin/sh
# docs/memory.md shows what the build prints: memory_documented.sh REPORT PAGE
set -eu
shown=$(awk '/^```/ { inside = !inside; next } inside' "$2")
printed=$("$1")
if [ "$shown" != "$printed" ]; then
    echo "$2 shows other figures than $1 prints:" >&2
    echo "$printed" >&2
    exit 1
fi
