#!/usr/bin/env bash
# The figures of the line are the same in each run, and keep within their limits.
#
# line_figures.sh BENCH_LINE TEST_LINE
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" >"$folder/one" &
"$1" >"$folder/other"
wait $!
diff "$folder/one" "$folder/other"
"$2" --figures <"$folder/one"
