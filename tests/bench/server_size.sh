#!/usr/bin/env bash
# The server's code keeps within its limits.
#
# server_size.sh ROOT TEST_LINE
set -euo pipefail

if ! command -v arm-none-eabi-gcc >/dev/null; then
    echo "skipped: there is no arm-none-eabi-gcc (scripts/bootstrap --bench)"
    exit 77
fi
# 77 is its own word for a skip.
figures=$("$1/scripts/server-size")
"$2" --size <<<"$figures"
