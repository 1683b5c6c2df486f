#!/usr/bin/env bash
# Builds a board's firmware by its preset, with warnings as errors.
#
# build.sh ROOT BOARD
set -euo pipefail

for tool in arm-none-eabi-gcc qemu-system-arm ninja; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: there is no $tool (scripts/bootstrap --firmware)"
        exit 77
    fi
done
cd "$1"
cmake --preset "$2" -DNORKV_WERROR=ON
cmake --build --preset "$2"
