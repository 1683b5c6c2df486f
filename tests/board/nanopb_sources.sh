#!/usr/bin/env bash
# scripts/nanopb-sources where there is no network, in a copy of the project's
# folders. What the network brings is tested by whoever builds firmware first.
#
# nanopb_sources.sh ROOT
set -euo pipefail
root=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/scripts" "$tmp/none"
cp "$root/scripts/nanopb-sources" "$tmp/scripts/"
# Nothing to be found in a cache, and no apt to ask.
export XDG_CACHE_HOME=$tmp/none
apt=$tmp/apt
mkdir "$apt"
printf '#!/bin/sh\nexit 1\n' >"$apt/apt-get"
chmod +x "$apt/apt-get"
export PATH=$apt:$PATH
unset NORKV_NANOPB

fail() {
    echo "FAILED: $*"
    exit 1
}

# refused TEXT ARGUMENT...: fails with one line that has the text, and puts
# nothing there.
refused() {
    local text=$1
    shift
    ! "$tmp/scripts/nanopb-sources" "$@" 2>"$tmp/err" || fail "took $*"
    grep -q "$text" "$tmp/err" || fail "not '$text': $(cat "$tmp/err")"
    [ ! -e "$tmp/build/nanopb/SOURCE" ] || fail "something is there after $*"
}

is_complete() {
    local file
    for file in pb.h SOURCE; do
        [ -s "$tmp/build/nanopb/$file" ] || fail "there is no $file"
    done
}

refused "there is no '$tmp/nothing'" "$tmp/nothing"
refused "give its path"
refused "usage" one two
tar -czf "$tmp/other.tar.gz" -C "$root" README.md
refused "SHA-256 is not that" "$tmp/other.tar.gz"
mkdir "$tmp/some"
touch "$tmp/some/pb_common.c"
refused "has no pb.h" "$tmp/some"

# A folder of the user's, which then serves without being named again.
echo "/* pb.h */" >"$tmp/some/pb.h"
(cd "$tmp" && scripts/nanopb-sources some)
is_complete
"$tmp/scripts/nanopb-sources"
cmp -s "$tmp/some/pb.h" "$tmp/build/nanopb/pb.h" || fail "another pb.h"
rm -r "$tmp/build"
NORKV_NANOPB=$tmp/some "$tmp/scripts/nanopb-sources"
is_complete

# What was cut short is not taken for complete.
rm "$tmp/build/nanopb/pb.h" "$tmp/build/nanopb/SOURCE"
refused "give its path"

# The archive itself, if it was ever fetched on this machine.
archive=$(echo "$HOME"/.cache/norkv/*.tar.gz)
if [ -f "$archive" ]; then
    rm -r "$tmp/build"
    "$tmp/scripts/nanopb-sources" "$archive"
    is_complete
    rm -r "$tmp/build"
    mkdir "$tmp/none/norkv"
    cp "$archive" "$tmp/none/norkv/"
    "$tmp/scripts/nanopb-sources"
    is_complete
    rm -r "$tmp/build"
    echo damaged >"$tmp/none/norkv/$(basename "$archive")"
    refused "give its path"
else
    echo "not tested: the archive, which is not in a cache here"
fi
