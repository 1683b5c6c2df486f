# norkv sh, from a pipe and on a terminal, which script(1) gives it.
. "$(dirname "$0")/lib.sh" "$@"

# Runs sh with these lines from a pipe.
sh_from()
{
    printf '%s\n' "$@" >script
    norkv_from script sh
}

# Starts sh on a terminal, whose keys are descriptor 9; what that shows is in
# shown.
start_terminal()
{
    # libedit keeps what it copied of names of functions.
    echo 'leak:libedit' >leaks
    local LSAN_OPTIONS=suppressions=$TMP/leaks:print_suppressions=0
    local ASAN_OPTIONS=${ASAN_OPTIONS-}:fast_unwind_on_malloc=0
    export LSAN_OPTIONS ASAN_OPTIONS
    mkfifo keys
    # Without exec some shells stay in front of norkv, and die of its Ctrl-C.
    timeout -k 5 "$HANG" script -qefc "exec '$NORKV' sh" shown \
        <keys >/dev/null 2>&1 &
    SH_PID=$!
    pids+=("$SH_PID")
    exec 9>keys
}

end_terminal()
{
    wait "$SH_PID"
    RC=$?
    exec 9>&-
    rm keys
}

# Runs sh on a terminal, where these lines are typed, each when the prompt for
# it is there.
on_terminal()
{
    local line count=0

    start_terminal
    for line in "$@"; do
        count=$((count + 1))
        await_prompt $count
        printf '%b' "$line" >&9
    done
    end_terminal
}

# Waits for so many prompts, at most a minute.
await_prompt()
{
    local tries=0

    until [ "$(grep -o 'norkv> ' shown 2>/dev/null | wc -l)" -ge "$1" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 1200 ]; then
            fail "no prompt: $(cat shown)"
            return
        fi
        pause
    done
}

# The same, with Ctrl-C typed until then: nothing tells when a command is one
# that this ends.
interrupt_until_prompt()
{
    local tries=0

    until [ "$(grep -o 'norkv> ' shown | wc -l)" -ge "$1" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 300 ]; then
            fail "no prompt: $(cat shown)"
            return
        fi
        printf '\003' >&9
        sleep 0.2
    done
}

test_lines_from_a_pipe_are_commands()
{
    device
    sh_from '# a comment' '' 'put name "a value with  blanks"' \
        "put 'odd key' --hex 00ff # more" 'get name' 'get odd\ key --json' \
        'ls' exit 'put never 1'
    expect_done
    head -n 1 out | grep -q '^a value with  blanks{"key":"odd key",' ||
        fail 'the values'
    [ "$(tail -n 2 out)" = $'name\nodd key' ] || fail 'the list'
}

test_the_first_command_that_fails_ends_a_pipe()
{
    device
    sh_from 'put a 1' 'get none' 'put b 2'
    expect_rc 3
    grep -q '^norkv: line 2 failed' err || fail 'the line is told'
    norkv ls
    expect_out a
    sh_from 'put a "1'
    expect_rc 2
    grep -q 'quote is not closed' err || fail 'the quote'
    sh_from 'putt a 1'
    expect_rc 2
    grep -q "did you mean 'norkv put'" err || fail 'the command'
    sh_from 'get a --port x'
    expect_rc 2
    sh_from sh
    expect_rc 2
    sh_from 'put a -'
    expect_rc 2
    sh_from 'exit 3'
    expect_rc 2
    grep -q 'too many arguments: exit' err || fail 'exit takes none'
}

test_standard_output_can_be_named_in_a_pipe()
{
    device
    sh_from 'put a 1' 'get a -o -' 'get a --output -' 'get a -o-'
    expect_done
    printf 111 >value
    expect_same_file value out
}

test_lines_that_cannot_be_read_are_an_error()
{
    device
    printf 'put a 1\nput b\0never 2\n' >script
    norkv_from script sh
    expect_rc 2
    grep -q 'NUL' err || fail 'what is wrong'
    grep -q 'line 2 failed' err || fail 'the line'
    norkv ls
    expect_out a
    norkv_from "$TMP" sh
    expect_error 1 'cannot read standard input: Is a directory'
    timeout -k 5 "$HANG" "$NORKV" sh >out 2>err <&-
    RC=$?
    expect_error 1 'cannot read standard input'
}

test_options_of_the_shell_are_for_all_commands()
{
    device
    printf 'put k v\nget k\nimage create f\nhelp get\n' >script
    norkv_from script sh --json --store main
    expect_done
    [ "$(head -n 1 out | cut -c1-10)" = '{"key":"k"' ] || fail 'JSON'
    norkv_from script sh --store other
    expect_rc 1
    norkv_from script sh --port /dev/no-such-port
    expect_error 1 'no such port'
}

# Starts sh with lines from a pipe, descriptor 8, once the first has been done.
sh_on_pipe()
{
    export NORKV_PORT=$1 XDG_STATE_HOME=$TMP/state
    mkfifo lines
    "$NORKV" sh <lines >out 2>err &
    SH_PID=$!
    pids+=("$SH_PID")
    exec 8>lines
    echo 'put k v' >&8
    echo 'image create made --sectors 2' >&8
    until [ -e made ]; do pause; done
}

expect_sh_went_on()
{
    # The device has the pipe, too: its end would not show.
    echo exit >&8
    exec 8>&-
    wait "$SH_PID"
    RC=$?
    expect_rc 0
    grep -q '^v' out || fail 'the value'
}

# The port is opened once: a TCP line that is closed ends the device's turn.
test_a_lost_port_is_opened_again()
{
    start_sim --tcp 127.0.0.1:0
    sh_on_pipe "$PORT"
    stop_device
    start_sim --tcp "${PORT#tcp:}"
    echo 'get k' >&8
    expect_sh_went_on
    [ ! -s err ] || fail 'nothing to tell'
}

test_a_lost_port_is_waited_for()
{
    start_sim --pty
    ln -s "$PORT" port
    sh_on_pipe "$TMP/port"
    stop_device
    rm port
    echo 'get k --timeout 60' >&8
    await_text err 'waiting for the port'
    start_sim --pty
    ln -s "$PORT" port
    expect_sh_went_on
}

test_a_port_that_goes_away_in_a_backup_is_waited_for()
{
    start_sim --tcp 127.0.0.1:0 --baud 1200
    sh_on_pipe "$PORT"
    echo 'backup -v -o saved' >&8
    await_text err '> .*Digest'
    kill_device
    await_text err 'records were read; waiting for the port to go on'
    start_sim --tcp "${PORT#tcp:}"
    echo 'get k' >&8
    expect_sh_went_on
    grep -q '"key"' saved || fail 'the record'
}

test_a_terminal_has_prompt_history_and_completion()
{
    device
    norkv put config/speed 42
    on_terminal 'get con\t\n' 'get none\n' 'sta\t--js\t\n' ' get secret\n' \
        'put pin 1234\n' '\020\020\020\020\n' 'exit\n'
    expect_rc 0
    grep -q '^42' shown || fail 'the key'
    grep -q 'no such key' shown || fail 'the failure does not end it'
    grep -q '"max_keys":' shown || fail 'command and option'
    [ "$(stat -c %a state/norkv/history)" = 600 ] || fail 'mode of the file'
    grep -q '^get config/speed $' state/norkv/history || fail 'history'
    ! grep -q -e 1234 -e secret state/norkv/history || fail 'values stay out'
    norkv get pin
    expect_done
}

test_control_c_gives_up_a_line_and_control_d_ends()
{
    device
    on_terminal 'put k v\003' 'put l v\n' '\004'
    expect_rc 0
    norkv ls
    expect_out l
}

test_control_c_ends_a_command_and_not_the_shell()
{
    start_sim --pty
    export NORKV_PORT=$PORT XDG_STATE_HOME=$TMP/state
    start_terminal
    await_prompt 1
    kill -STOP "$DEVICE_PID"
    printf 'get k -v --timeout 50\n' >&9
    await_text shown 'Device.Open'
    printf '\003' >&9
    await_prompt 2
    kill -CONT "$DEVICE_PID"
    printf 'put l v\n' >&9
    await_prompt 3
    printf '\004' >&9
    end_terminal
    expect_rc 0
    norkv get l
    expect_done
}

# One that ends by itself at Ctrl-C leaves nothing behind.
test_control_c_ends_a_log_and_the_next_one_runs()
{
    device
    start_terminal
    await_prompt 1
    printf 'log\n' >&9
    interrupt_until_prompt 2
    printf 'log --count 1 --timeout 1\n' >&9
    await_text shown '0 of 1 lines came within'
    # Not Ctrl-D: before the prompt is there it would be lost.
    printf 'exit\n' >&9
    end_terminal
    expect_rc 0
}

# Takes connections at a TCP port until one is left waiting, and keeps them.
fill_port()
{
    "$PYTHON" -c '
import socket, sys, time
address = ("127.0.0.1", int(sys.argv[1]))
kept = [socket.create_server(address, backlog=0)]
for _ in range(4):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(address)
    kept.append(one)
print("full", flush=True)
time.sleep(600)' "$1" >filled &
    FILLER_PID=$!
    pids+=("$FILLER_PID")
    await_text filled full
}

# While the shell itself opens the port for it.
test_control_c_before_a_command_runs_does_not_end_the_shell()
{
    local address

    start_sim --tcp 127.0.0.1:0
    address=${PORT#tcp:}
    export NORKV_PORT=$PORT XDG_STATE_HOME=$TMP/state
    start_terminal
    await_prompt 1
    printf 'put k v\n' >&9
    await_prompt 2
    kill_device
    fill_port "${address##*:}"
    printf 'get k' >&9
    await_text shown 'get k'
    printf '\n' >&9
    sleep 0.3
    interrupt_until_prompt 3
    { kill -KILL "$FILLER_PID" && wait "$FILLER_PID"; } 2>/dev/null
    start_sim --tcp "$address"
    printf 'put l v\nexit\n' >&9
    end_terminal
    expect_rc 0
    norkv get l
    expect_done
}

test_a_port_that_goes_away_is_opened_again_on_a_terminal()
{
    start_sim --pty
    ln -s "$PORT" port
    export NORKV_PORT=$TMP/port XDG_STATE_HOME=$TMP/state
    start_terminal
    await_prompt 1
    printf 'put k 42\n' >&9
    await_prompt 2
    kill_device
    rm port
    printf 'get k --timeout 50\n' >&9
    await_text shown 'waiting for the port'
    start_sim --pty
    ln -s "$PORT" port
    await_text shown '^42'
    await_prompt 3
    printf '\004' >&9
    end_terminal
    expect_rc 0
}

run_tests
