# Shared by the tests of the command line: bash FILE NORKV NORKV-SIM HELPERS
# GOLDEN runs the functions test_* of FILE, each in a folder and a process of
# its own, and says which failed.
set -u

NORKV=$1
SIM=$2
HELPERS=$3
GOLDEN=$4
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

# Exactly this on standard output, with a newline behind it if it is not empty.
expect_out()
{
    local want=$1

    [ -z "$want" ] || want=$want$'\n'
    printf '%s' "$want" | cmp -s - "$TMP/out" || fail "expected output '$1'"
}

expect_out_has()
{
    grep -q -e "$1" "$TMP/out" || fail "expected '$1' in the output"
}

# Exit code, nothing on standard output, and one line on standard error, from
# norkv, with this in it.
expect_error()
{
    [ "$RC" -eq "$1" ] || fail "expected exit code $1"
    [ "$(wc -l <"$TMP/err")" -eq 1 ] || fail "expected one line on stderr"
    grep -q '^norkv: .' "$TMP/err" || fail "expected a line from norkv"
    grep -qi -e "$2" "$TMP/err" || fail "expected '$2' on stderr"
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
    [ "$(cat "$TMP/json")" = "$want" ] ||
        fail "expected $* to be '$want', not '$(cat "$TMP/json")'"
}

expect_same_file()
{
    cmp -s "$1" "$2" || fail "$1 and $2 differ"
}

# Waits until a file has a line that begins with "listening on", at most a
# minute, and sets PORT to the rest of the first.
await_port()
{
    local tries=0

    until PORT=$(sed -n 's/^listening on //p' "$1" | head -n 1) &&
        [ -n "$PORT" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 1200 ] || ! kill -0 "$2" 2>/dev/null; then
            fail "no port: $(cat "$1")"
            return 1
        fi
        sleep 0.05
    done
}

# start_sim LINE... : LINE is --pty or --tcp ADDRESS; more options may follow.
# Sets PORT and SIM_PID. The flash file is $TMP/flash.
start_sim()
{
    : >"$TMP/sim.out"
    "$SIM" --flash "$TMP/flash" --unit-id UNIT-7 "$@" \
        >"$TMP/sim.out" 2>"$TMP/sim.err" </dev/null &
    SIM_PID=$!
    pids+=("$SIM_PID")
    await_port "$TMP/sim.out" "$SIM_PID"
}

# Ends it cleanly.
stop_sim()
{
    kill -TERM "$SIM_PID"
    wait "$SIM_PID"
    SIM_RC=$?
    [ "$SIM_RC" -eq 0 ] || fail "norkv-sim ended with $SIM_RC: $(cat "$TMP/sim.err")"
}

# Cuts its power.
kill_sim()
{
    kill -KILL "$SIM_PID"
    wait "$SIM_PID" 2>/dev/null
}

# start_odd_device KIND : a device that is none; sets PORT.
start_odd_device()
{
    : >"$TMP/odd.out"
    "$HELPERS/odd_device" "$@" >"$TMP/odd.out" 2>"$TMP/odd.err" </dev/null &
    pids+=($!)
    await_port "$TMP/odd.out" $!
}

clean_up()
{
    for pid in "${pids[@]}"; do
        kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    rm -rf "$TMP"
}

run_test()
{
    TMP=$(mktemp -d) || exit 1
    pids=()
    failed=0
    RC=-1
    : >"$TMP/out"
    : >"$TMP/err"
    trap clean_up EXIT
    cd "$TMP" || exit 1
    "$1"
    exit "$failed"
}

# Runs what the file defines. Called at its end.
run_tests()
{
    local all=0 bad=0

    for name in $(declare -F | sed -n 's/^declare -f \(test_\)/\1/p'); do
        all=$((all + 1))
        if (run_test "$name"); then
            echo "ok     ${name#test_}"
        else
            bad=$((bad + 1))
            echo "FAILED ${name#test_}"
        fi
    done
    echo "$all tests, $bad failed"
    [ "$all" -gt 0 ] && [ "$bad" -eq 0 ]
}
