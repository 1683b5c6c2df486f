#!/usr/bin/env bash
# readme_session.sh README NORKV NORKV_SIM: the sessions in README are what a
# terminal shows. Its console blocks are: the simulator's start, work on the
# device, and, after the power went, work on its flash.
set -uo pipefail
readme=$(realpath "$1")
bin=$(mktemp -d)
simulator=0
finish() {
    [ "$simulator" -eq 0 ] || kill -KILL "$simulator" 2>/dev/null
    rm -rf "$bin"
}
trap finish EXIT
ln -s "$(realpath "$2")" "$bin/norkv"
ln -s "$(realpath "$3")" "$bin/norkv-sim"
PATH=$bin:$PATH
mkdir "$bin/desk"
cd "$bin/desk"

# block N: the Nth console block.
block() {
    awk -v wanted="$1" '/^```console$/ { n++; on = n == wanted; next }
        /^```$/ { on = 0 }
        on { print }' "$readme"
}

# What a terminal shows when the commands of a block are typed into it.
play() {
    local line
    while IFS= read -r line; do
        case $line in
        '$ '*)
            printf '%s\n' "$line"
            eval "${line#??}" 2>&1 </dev/null
            ;;
        esac
    done
}

# The file whose content the device session shows first.
block 2 | awk '/^\$ / { on = $0 == "$ cat unit.csv"; next } on { print }' \
    >unit.csv

: >sim.log
eval "exec $(block 1 | sed -n 's/^\$ //p')" >sim.log 2>&1 &
simulator=$!
for _ in $(seq 600); do
    grep -q '^listening on ' sim.log && break
    sleep 0.1
done
failed=0
block 1 | sed 1d | diff -u - sim.log || failed=1
block 2 >wanted
play <wanted >got
diff -u wanted got || failed=1
kill -KILL "$simulator"
wait "$simulator" 2>/dev/null
simulator=0
block 3 >wanted
play <wanted >got
diff -u wanted got || failed=1
[ -s wanted ] || { echo "README has no such block" >&2; failed=1; }
exit "$failed"
