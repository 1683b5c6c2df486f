# What can be wrong with a port, a device, a value or an output: one line that
# says so, the right exit code, no hang, nothing lost.
. "$(dirname "$0")/lib.sh" "$@"

# norkv_within TEXT ARGUMENT... : with longer and longer deadlines, until what
# norkv says has the text: a loaded machine may need them.
norkv_within()
{
    local text=$1 limit

    shift
    for limit in 300ms 3s 50s; do
        norkv --timeout $limit "$@"
        ! grep -qi -e "$text" err || break
    done
}

# Every command that talks to a device, against one that does not answer.
each_command_fails()
{
    echo $'key,encoding,value\nk,text,v' >unit.csv
    for command in info 'get k' 'put k v' 'del k' ls stats 'collect full' \
        'erase-all --unit-id x' 'apply unit.csv'; do
        norkv_within "$1" --port "$PORT" $command
        expect_error 1 "$1"
        grep -q "$PORT" err || fail 'the port is named'
        [ ! -s out ] || fail 'nothing goes to standard output'
    done
}

test_no_such_port()
{
    norkv --port /dev/no-such-port info
    expect_error 1 "/dev/no-such-port: no such port; 'norkv ports' lists"
    norkv --port "$TMP/no-link" get k
    expect_error 1 'no such port'
    touch file
    norkv --port "$TMP/file" get k
    expect_error 2 "no serial port; 'norkv ports' lists"
    norkv --port /dev/null get k
    expect_rc 2
    norkv --port tcp:127.0.0.1:1 info
    expect_error 1 'refused'
    norkv --port tcp:127.0.0.1 info
    expect_error 2 'port'
    norkv --port tcp:127.0.0.1:65537 info
    expect_error 2 '1 to 65535'
    norkv --port tcp:no-such-host.invalid:5 --timeout 5s info
    expect_error 1 'no-such-host.invalid'
}

test_what_a_console_says_is_shown()
{
    for line in pty tcp; do
        start_odd_device $line text
        norkv --port "$PORT" log --count 5 --timeout 50s
        expect_done
        [ "$(wc -l <out)" -eq 5 ] || fail 'five lines came'
        expect_out_has 'boot: rev 3, reset by watchdog$'
        norkv --port "$PORT" log --count 2 --timestamps --json
        expect_done
        expect_json $'text\ntext' kind
        norkv --port "$PORT" log --count 1 --timestamps
        expect_done
        expect_out_has '^ *[0-9][0-9]*\.[0-9][0-9][0-9]  .'
        norkv_within 'text came' --port "$PORT" get k
        expect_error 1 'text came but no answer, last "'
        norkv_within '^< .* s  text: .*boot' --port "$PORT" -v get k
        expect_rc 1
        grep -q '^< .* s  text: .*boot: rev 3' err || fail '-v shows the text'
    done
}

test_echo_of_a_silent_device()
{
    start_odd_device tcp silent
    norkv --port "$PORT" --timeout 2s echo
    expect_error 1 'not a byte came back'
}

# Before there is a result an interrupt ends it at once.
test_echo_of_a_silent_device_can_be_interrupted()
{
    local begin=$SECONDS

    start_odd_device tcp silent
    "$NORKV" --port "$PORT" --timeout 600s -v echo >out 2>err &
    local tester=$!
    pids+=($tester)
    await_text err 'Device/Open'
    terminate $tester
    expect_rc $((128 + 15))
    [ $((SECONDS - begin)) -lt "$HANG" ] || fail 'it went on'
    expect_out ''
}

test_log_ends_when_the_port_is_gone()
{
    start_odd_device pty silent
    "$NORKV" --port "$PORT" log >out 2>err &
    local reader=$!
    pids+=($reader)
    until ls -l /proc/$reader/fd | grep -q "$PORT\$"; do
        kill -0 $reader 2>/dev/null || break
        pause
    done
    kill -KILL "${pids[0]}"
    wait $reader
    RC=$?
    expect_error 1 'the port is gone'
}

test_a_port_that_is_in_use()
{
    start_odd_device pty silent
    "$NORKV" --port "$PORT" -v --timeout 50s get k 2>holder.err &
    pids+=($!)
    local tries=0
    # What it sends first says that it has the port.
    until [ -s holder.err ] || [ $tries -gt 500 ]; do
        tries=$((tries + 1))
        pause
    done
    norkv --port "$PORT" --timeout 300ms put k v
    expect_error 1 'in use'
    grep -q "$PORT" err || fail 'the port is named'
    grep -q "$!" err || fail 'the program that holds it is named'
}

test_a_tcp_port_that_another_client_uses()
{
    start_sim --tcp 127.0.0.1:0
    norkv --port "$PORT" put k v
    expect_done
    # Connected, and quiet; refused as long as the one before is not gone.
    while [ "$RC" -eq 0 ]; do
        exec 6<>"/dev/tcp/127.0.0.1/${PORT##*:}"
        norkv --port "$PORT" --timeout 20s get k
    done
    for i in 1 2 3 4 5; do
        norkv --port "$PORT" --timeout 20s get k
        expect_error 1 "$PORT: get k: the other end hung up, saying .*another \
client is connected.*end that one first"
    done
    exec 6>&-
    norkv --port "$PORT" --timeout 20s get k
    until [ "$RC" -eq 0 ] || [ "$RC" -eq 124 ]; do
        norkv --port "$PORT" --timeout 20s get k
    done
    expect_done
}

test_a_silent_device_on_tcp()
{
    start_odd_device tcp silent
    each_command_fails 'no answer\|silent\|nothing'
}

test_a_silent_device_on_a_pty()
{
    start_odd_device pty silent
    each_command_fails 'no answer\|silent\|nothing'
}

test_a_device_that_does_not_even_read()
{
    start_odd_device pty deaf
    each_command_fails '.'
}

test_a_large_value_to_a_device_that_does_not_read()
{
    start_odd_device tcp deaf
    head -c 60000 /dev/zero >value
    norkv --port "$PORT" --timeout 700ms put k --file value
    expect_error 1 "$PORT"
}

test_a_device_that_prints_text()
{
    for line in tcp pty; do
        start_odd_device $line text
        each_command_fails 'no norkv\|text\|frame'
    done
}

test_a_web_server()
{
    start_odd_device tcp http
    each_command_fails 'no norkv\|text\|frame'
}

test_a_line_that_echoes()
{
    for line in tcp pty; do
        start_odd_device $line echo
        each_command_fails 'sends back what is sent to it (look for'
    done
}

test_a_line_full_of_noise()
{
    start_odd_device tcp noise
    each_command_fails '.'
}

test_a_line_that_is_closed_at_the_first_byte()
{
    start_odd_device tcp hangup
    norkv --port "$PORT" --timeout 5s get k
    expect_error 1 'closed\|gone\|hung up'
}

# Puts keys until the device dies, and keeps those acknowledged.
put_until_it_dies()
{
    local i

    for i in $(seq 200); do
        norkv --port "$PORT" --timeout 50s put "key$i" "value $i"
        [ "$RC" -eq 0 ] || break
        echo "$i" >>acknowledged
    done
    expect_error 1 "$PORT"
}

test_a_device_that_dies_in_mid_call()
{
    local variant line

    for variant in untouched torn half whole; do
        for line in '--pty' '--tcp 127.0.0.1:0'; do
            rm -f flash acknowledged
            start_sim $line --cut-at 23:$variant
            put_until_it_dies
            wait "$DEVICE_PID"
            [ $? -eq 9 ] || fail 'the power was cut'
            start_sim $line
            while read -r i; do
                norkv --port "$PORT" get "key$i"
                expect_done
                printf 'value %s' "$i" >value
                expect_same_file value out
            done <acknowledged
            norkv --port "$PORT" put again works
            expect_done
            stop_device
        done
    done
}

test_a_closed_standard_output()
{
    start_sim --pty
    norkv --port "$PORT" put k v
    for command in 'get k' 'get k --json' ls stats info collect; do
        timeout "$HANG" "$NORKV" --port "$PORT" $command 2>err >&-
        RC=$?
        : >out
        expect_error 1 'standard output'
    done
    timeout "$HANG" "$NORKV" help 2>err >&-
    RC=$?
    expect_error 1 'standard output'
    # What prints nothing needs none.
    timeout "$HANG" "$NORKV" --port "$PORT" put k w 2>err >&-
    RC=$?
    expect_rc 0
    norkv --port "$PORT" get k
    printf w >value
    expect_same_file value out
}

test_a_full_disk()
{
    start_sim --pty
    norkv --port "$PORT" put k v
    for command in 'get k' 'get k --json' ls stats info; do
        timeout "$HANG" "$NORKV" --port "$PORT" $command 2>err >/dev/full
        RC=$?
        : >out
        expect_error 1 'standard output: No space left'
    done
    norkv --port "$PORT" get k -o /dev/full
    expect_error 1 "'/dev/full': No space left"
}

test_a_reader_that_went_away()
{
    start_sim --pty
    norkv --port "$PORT" put k v
    # The fifo's reader closes before anything is written.
    mkfifo pipe
    : <pipe &
    exec 7>pipe
    wait $!
    timeout "$HANG" "$NORKV" --port "$PORT" get k 2>err >&7
    RC=$?
    exec 7>&-
    : >out
    expect_error 1 'standard output: Broken pipe'
}

test_closed_standard_input_and_error()
{
    start_sim --pty
    timeout "$HANG" "$NORKV" --port "$PORT" put k - <&- 2>err >out
    RC=$?
    expect_error 1 'standard input'
    timeout "$HANG" "$NORKV" --port "$PORT" put k v 2>&- >out
    RC=$?
    : >err
    expect_rc 0
    timeout "$HANG" "$NORKV" --port "$PORT" get none 2>&- >out
    RC=$?
    expect_rc 3
}

run_tests
