#!/usr/bin/env bash
# The engine's code, RAM and stack keep within their limits.
#
# engine_size.sh ROOT TEST_FIGURES
set -euo pipefail

if ! command -v arm-none-eabi-gcc >/dev/null; then
    echo "skipped: there is no arm-none-eabi-gcc (scripts/bootstrap --bench)"
    exit 77
fi
"$1/scripts/engine-size" | "$2" --size
