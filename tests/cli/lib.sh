# Shared by the tests of the command line: bash FILE NORKV NORKV-SIM HELPERS
# GOLDEN [DEVICE] runs the functions test_* of FILE, each in a folder and a
# process of its own, and says which failed.
#
# DEVICE is what the tests call "device": norkv-sim on a pseudo terminal (pty, the
# default) or on TCP (tcp), or a board in QEMU (microbit, ast1030). A case that
# needs what a board has not says so with `needs`: it is skipped there, counted,
# and told at the end and in the results file of scripts/test. The others ask the
# device for its sizes (ask_device).
set -u

NORKV=$1
SIM=$2
HELPERS=$3
GOLDEN=$4
DEVICE=${5-pty}
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
# The first on the path may be a wrapper that takes long to find the real one.
PYTHON=${NORKV_PYTHON-python3}
# No command may take longer: a hang, not a slow machine.
HANG=60
export LC_ALL=C
# What script(1) runs its command with, whoever runs the tests.
export SHELL=/bin/sh
unset NORKV_PORT

fail()
{
    failed=1
    echo "    failed at line ${BASH_LINENO[1]}: $*"
    echo "      exit code $RC"
    sed 's/^/      stdout: /' "$TMP/out" | cut -c1-300 | head -n 5
    sed 's/^/      stderr: /' "$TMP/err" | cut -c1-600 | head -n 5
}

# Runs a command; its output is in $TMP/out and $TMP/err, its exit code in $RC.
run()
{
    timeout -k 5 "$HANG" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
    RC=$?
}

norkv()
{
    run "$NORKV" "$@"
}

# norkv with standard input from a file
norkv_from()
{
    local input=$1

    shift
    timeout -k 5 "$HANG" "$NORKV" "$@" >"$TMP/out" 2>"$TMP/err" <"$input"
    RC=$?
}

expect_rc()
{
    [ "$RC" -eq "$1" ] || fail "expected exit code $1"
}

# The command did it, and had nothing to say on standard error.
expect_done()
{
    [ "$RC" -eq 0 ] || fail "expected exit code 0"
    [ ! -s "$TMP/err" ] || fail "expected nothing on standard error"
}

# expect_progress NAME... : on standard error there is nothing but progress in
# JSON, of these one behind the other: a first and a last object of each at least.
expect_progress()
{
    local name

    for name; do
        [ "$(grep -c "^{\"progress\":\"$name\"," "$TMP/err")" -ge 2 ] ||
            fail "expected the progress of $name"
    done
    [ "$(sed 's/^{"progress":"\([a-z-]*\)",.*/\1/' "$TMP/err" | uniq)" = \
        "$(printf '%s\n' "$@")" ] ||
        fail "expected the progress of $* alone on standard error"
}

# expect_done_showing NAME... : the command did it, and showed its progress.
expect_done_showing()
{
    [ "$RC" -eq 0 ] || fail "expected exit code 0"
    expect_progress "$@"
}

# expect_full_progress : objects of progress on standard error have all there is
# to tell, and the last tells that all is done.
expect_full_progress()
{
    "$HELPERS/json_members" done total rate left_ms \
        < <(grep '^{' "$TMP/err") >"$TMP/json"
    awk '$1 > 0 && $1 < $2 && $3 > 0 && $4 > 0 { full = 1 } { done = $1 == $2 }
        END { exit !(full && done) }' "$TMP/json" ||
        fail "the progress is not full: $(cat "$TMP/json")"
}

# Exactly this on standard output, with a newline behind it if it is not empty.
expect_out()
{
    local want=$1 found

    [ -z "$want" ] || want=$want$'\n'
    # Read to its end: a NUL, which bash cannot hold, would be one too early.
    ! IFS= read -r -d '' found <"$TMP/out" && [ "$found" = "$want" ] ||
        fail "expected output '$1'"
}

expect_out_has()
{
    grep -q -e "$1" "$TMP/out" || fail "expected '$1' in the output"
}

# has TEXT PATTERN : grep's patterns. Most are plain text, but for a dot, which
# stands for itself too, and need no process.
has()
{
    [[ $2 != *[]\\*^$[]* && $1 == *"$2"* ]] ||
        grep -qi -e "$2" <<<"${1%$'\n'}"
}

# Exit code, nothing on standard output, and one line on standard error, from
# norkv, with this in it.
expect_error()
{
    local lines

    [ "$RC" -eq "$1" ] || fail "expected exit code $1"
    mapfile lines <"$TMP/err"
    [ "${#lines[@]}" -eq 1 ] && [[ ${lines[0]} == *$'\n' ]] ||
        fail "expected one line on stderr"
    [[ ${lines[0]-} == 'norkv: '[!$'\n']* ]] ||
        fail "expected a line from norkv"
    has "${lines[0]-}" "$2" || fail "expected '$2' on stderr"
}

# As expect_error, but standard output may have something.
expect_error_after_output()
{
    [ "$RC" -eq "$1" ] || fail "expected exit code $1"
    [ "$(wc -l <"$TMP/err")" -eq 1 ] || fail "expected one line on stderr"
    grep -q "^norkv: .*$2" "$TMP/err" || fail "expected '$2' on stderr"
}

# Members of the JSON objects in the output, tab-separated, a line each.
expect_json()
{
    local want=$1

    shift
    "$HELPERS/json_members" "$@" <"$TMP/out" >"$TMP/json" 2>&1 ||
        fail "the output is not one JSON object a line: $(head -n 1 "$TMP/json")"
    [ "$(<"$TMP/json")" = "$want" ] ||
        fail "expected $* to be '$want', not '$(<"$TMP/json")'"
}

expect_same_file()
{
    cmp -s "$1" "$2" || fail "$1 and $2 differ"
}

# What waits asks often: without a process for each time.
exec {silent}<> <(:)
pause()
{
    read -r -t 0.05 -u "$silent"
}

# Sets PORT to what a file's first "listening on" is followed by.
find_port()
{
    local line

    PORT=
    while IFS= read -r line; do
        case $line in
        'listening on '*)
            PORT=${line#listening on }
            return 0
            ;;
        esac
    done <"$1"
    return 1
}

# Waits until a file tells a port, at most a minute or until process $2 has
# ended, and sets PORT.
await_port()
{
    local tries=0

    until find_port "$1"; do
        tries=$((tries + 1))
        if [ $tries -gt 1200 ] || ! kill -0 "$2" 2>/dev/null; then
            fail "no port: $(cat "$1")"
            return 1
        fi
        pause
    done
}

# start_sim LINE... : LINE is --pty or --tcp ADDRESS; more options may follow.
# Sets PORT and DEVICE_PID. The flash file is $TMP/flash.
start_sim()
{
    needs 'a line of the simulator'
    start_program "$SIM" --flash "$TMP/flash" --unit-id UNIT-7 "$@"
}

# Runs what says where it listens; its process is DEVICE_PID.
start_program()
{
    : >"$TMP/device.out"
    TMPDIR=$TMP "$@" >"$TMP/device.out" 2>"$TMP/device.err" </dev/null &
    DEVICE_PID=$!
    await_port "$TMP/device.out" "$DEVICE_PID"
}

is_board()
{
    [ "$DEVICE" != pty ] && [ "$DEVICE" != tcp ]
}

# Prints its arguments unless the device is a board: options of norkv-sim that
# make a case quicker, or larger, than a board's sizes would.
for_sim()
{
    is_board || echo "$@"
}

# needs WHAT : ends a case on a board, which has it not.
needs()
{
    is_board || return 0
    echo "needs $1" >"$TMP/skipped"
    exit 77
}

# device [OPTION...] : starts the device with the flash of $TMP/flash, erased when
# there is none; OPTIONs are of norkv-sim. Sets PORT, NORKV_PORT and DEVICE_PID;
# where PORT is a terminal, $TMP/line is a link to it.
device()
{
    case $DEVICE in
    pty) start_sim --pty "$@" ;;
    tcp) start_sim --tcp 127.0.0.1:0 "$@" ;;
    *)
        [ $# -eq 0 ] || fail "a board has no options: $*"
        start_program "$PYTHON" "$ROOT/scripts/run-board" "$DEVICE" \
            --image "$TMP/flash"
        ;;
    esac
    export NORKV_PORT=$PORT
    [ "${PORT#/}" = "$PORT" ] || ln -sfn "$PORT" "$TMP/line"
}

# terminate PID : interrupts a norkv in the background with SIGTERM and sets RC,
# as norkv does.
terminate()
{
    kill -TERM "$1"
    wait "$1"
    RC=$?
}

# Ends it cleanly, and looks whether it had to complain.
stop_device()
{
    local rc

    [ -n "$DEVICE_PID" ] || return
    kill -TERM "$DEVICE_PID"
    wait "$DEVICE_PID"
    rc=$?
    DEVICE_PID=
    [ "$rc" -eq 0 ] || fail "the device ended with $rc: $(cat "$TMP/device.err")"
}

# Cuts its power. A board's firmware is never told of its end: run-board stops
# the processor wherever it is, and keeps the flash.
kill_device()
{
    # Nobody gets a terminal of this name until the test ends.
    [ "${PORT#/}" = "$PORT" ] || exec {line_held}<>"$PORT"
    if is_board; then
        stop_device
        return
    fi
    kill -KILL "$DEVICE_PID"
    wait "$DEVICE_PID" 2>/dev/null
    DEVICE_PID=
}

# Sets what the device says of itself. MAX_VALUE is the largest value under the
# longest key, of 63 bytes: a shorter key leaves that many bytes more.
ask_device()
{
    norkv info --json
    IFS=$'\t' read -r PRODUCT UNIT MAX_VALUE MAX_FRAME < <(
        "$HELPERS/json_members" product unit_id max_value max_frame <"$TMP/out")
    norkv stats --json
    IFS=$'\t' read -r MAX_KEYS SECTORS SECTOR_SIZE COPIES < <(
        "$HELPERS/json_members" max_keys sector_count sector_size copies \
            <"$TMP/out")
    expect_done
}

# The smaller of two numbers.
smaller()
{
    echo $(($1 < $2 ? $1 : $2))
}

# settings FIRST LAST [SIZE] : a CSV file of so many keys, k1 and so on, each with
# its name and "is", or with SIZE bytes of the file value.
settings()
{
    local i

    [ $# -lt 3 ] || head -c "$3" /dev/urandom >value
    echo key,encoding,value
    for ((i = $1; i <= $2; i++)); do
        [ $# -lt 3 ] && echo "k$i,text,k$i is" || echo "k$i,file,value"
    done
}

# Starts the device on a store of more keys than its table has places for: KEYS
# of them, k1 and so on, each with its name and "is". PLACES are in the table.
device_with_too_small_a_table()
{
    device
    ask_device
    stop_device
    PLACES=$MAX_KEYS
    is_board || PLACES=3
    # A table has places for tombstones too.
    KEYS=$((2 * PLACES + 27))
    norkv image create large --sectors "$SECTORS" --sector-size "$SECTOR_SIZE"
    # In hex: k is 6b, a digit d 3d.
    seq "$KEYS" | sed 's/./3&/g; s/.*/put 6b& 6b&206973/' >script
    norkv image exec large script --sector-size "$SECTOR_SIZE"
    expect_done
    cp large flash
    device $(for_sim --max-keys 3)
}

# start_helper NAME PROGRAM... : a program that says where it listens; sets PORT.
start_helper()
{
    local name=$1

    shift
    : >"$TMP/$name.out"
    "$@" >"$TMP/$name.out" 2>"$TMP/$name.err" </dev/null &
    pids+=($!)
    await_port "$TMP/$name.out" $!
}

# start_odd_device LINE KIND : a device that is none; sets PORT.
start_odd_device()
{
    start_helper odd "$HELPERS/odd_device" "$@"
}

# start_relay KIND : norkv-sim behind a line that does something to what it says;
# sets PORT to the line's.
start_relay()
{
    start_sim --tcp 127.0.0.1:0
    start_helper relay "$PYTHON" "$ROOT/tests/cli/relay.py" "${PORT#tcp:}" "$1"
    export NORKV_PORT=$PORT
}

# Waits until a file has a line with this, at most a minute.
await_text()
{
    local tries=0

    until grep -q -e "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        if [ $tries -gt 1200 ]; then
            fail "$1 does not say '$2': $(tail -n 5 "$1")"
            return 1
        fi
        pause
    done
}

clean_up()
{
    local signal=KILL

    # run-board is to end QEMU.
    ! is_board || signal=TERM
    [ -z "$DEVICE_PID" ] || { kill -$signal "$DEVICE_PID" && wait "$DEVICE_PID"; } 2>/dev/null
    for pid in "${pids[@]}"; do
        kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    [ ! -e "$TMP/skipped" ] || cp "$TMP/skipped" "$REASON"
    rm -rf "$TMP"
}

run_test()
{
    TMP=$(mktemp -d) || exit 1
    pids=()
    DEVICE_PID=
    failed=0
    RC=-1
    export XDG_STATE_HOME=$TMP/state
    : >"$TMP/out"
    : >"$TMP/err"
    trap clean_up EXIT
    cd "$TMP" || exit 1
    "$1"
    ! is_board || stop_device
    exit "$failed"
}

# Whether there are QEMU and the board's firmware.
can_run_board()
{
    local firmware=build/$DEVICE/device/boards/$DEVICE/firmware.elf

    if ! command -v qemu-system-arm >/dev/null; then
        echo 'skipped: there is no qemu-system-arm (scripts/bootstrap)'
        return 1
    fi
    if [ ! -e "$ROOT/$firmware" ]; then
        echo "skipped: there is no $firmware"
        return 1
    fi
}

# A line for tests/summary.
note_result()
{
    [ -z "${NORKV_RESULTS-}" ] || (IFS=$'\t' && echo "$*") >>"$NORKV_RESULTS"
}

# Runs what the file defines. Called at its end.
run_tests()
{
    local all=0 bad=0 skipped=0 name
    local file=${0##*/}

    file=${file%.sh}
    if is_board && ! can_run_board; then
        exit 77
    fi
    REASON=$(mktemp) || exit 1
    trap 'rm -f "$REASON"' EXIT
    for name in $(declare -F | sed -n 's/^declare -f test_//p'); do
        [ -z "${NORKV_CASE-}" ] || [ "$NORKV_CASE" = "$name" ] || continue
        all=$((all + 1))
        (run_test "test_$name")
        case $? in
        0) echo "ok      $name" ;;
        77)
            skipped=$((skipped + 1))
            echo "skipped $name: $(cat "$REASON")"
            note_result skip "$DEVICE" "$file" "$name" "$(cat "$REASON")"
            ;;
        *)
            bad=$((bad + 1))
            echo "FAILED  $name"
            ;;
        esac
    done
    echo "$file on $DEVICE: $all cases, $skipped skipped, $bad failed"
    note_result cli "$DEVICE" "$file" "$all" "$skipped" "$bad"
    [ "$all" -gt 0 ] && [ "$bad" -eq 0 ]
}
