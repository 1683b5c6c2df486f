# norkv sh, from a pipe and on a terminal, which script(1) gives it.
. "$(dirname "$0")/lib.sh" "$@"

# Runs sh with these lines from a pipe.
sh_from()
{
    printf '%s\n' "$@" >script
    norkv_from script sh
}

# Runs sh on a terminal, where these lines are typed, each when the prompt for
# it is there. What that shows is in shown.
on_terminal()
{
    local line count=0

    # libedit keeps what it copied of names of functions.
    echo 'leak:libedit' >leaks
    local LSAN_OPTIONS=suppressions=$TMP/leaks:print_suppressions=0
    local ASAN_OPTIONS=${ASAN_OPTIONS-}:fast_unwind_on_malloc=0
    export LSAN_OPTIONS ASAN_OPTIONS
    mkfifo keys
    # Without exec some shells stay in front of norkv, and die of its Ctrl-C.
    timeout -k 5 "$HANG" script -qefc "exec '$NORKV' sh" shown \
        <keys >/dev/null 2>&1 &
    pids+=($!)
    exec 9>keys
    for line in "$@"; do
        count=$((count + 1))
        await_prompt $count
        printf '%b' "$line" >&9
    done
    wait "${pids[-1]}"
    RC=$?
    exec 9>&-
    rm keys
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
        sleep 0.05
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

# The port is opened once: the end of the device is the end of it.
test_a_lost_port_is_opened_again()
{
    device
    export NORKV_PORT=$TMP/line
    mkfifo lines
    "$NORKV" sh <lines >out 2>err &
    local pid=$!

    pids+=($pid)
    exec 8>lines
    echo 'put k v' >&8
    echo 'image create made --sectors 2' >&8
    until [ -e made ] || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
    kill_device
    device
    echo 'get k' >&8
    exec 8>&-
    wait $pid
    RC=$?
    expect_rc 1
    grep -q 'the port is lost: the next command opens it again' err ||
        fail 'the loss is told'
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

run_tests
