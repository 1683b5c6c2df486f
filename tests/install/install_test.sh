#!/bin/sh
# install_test.sh BUILD COMPILER [FLAG...]: what BUILD installs can be used from
# where it was put, the library both ways.
set -eu
build=$1
shift
source=$(dirname "$0")/use_client.c
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

cmake --install "$build" --prefix "$prefix" >"$prefix/log"
"$prefix/bin/norkv" --version
sh "$(dirname "$0")/udev_rule.sh" "$prefix/lib/udev/rules.d/60-norkv.rules"
"$prefix/bin/norkv-sim" --help >"$prefix/help"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name norkv.pc)")
export PKG_CONFIG_PATH

flags=$(pkg-config --cflags --libs norkv)
# shellcheck disable=SC2086
"$@" -std=c11 "$source" -o "$prefix/shared" $flags
LD_LIBRARY_PATH=$(pkg-config --variable=libdir norkv) "$prefix/shared"

flags=$(pkg-config --static --cflags --libs norkv | sed 's/-lnorkv /-l:libnorkv.a /')
# shellcheck disable=SC2086
"$@" -std=c11 "$source" -o "$prefix/static" $flags
"$prefix/static"
