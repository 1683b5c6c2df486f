# norkv on a terminal, which script(1) gives it.
. "$(dirname "$0")/lib.sh" "$@"

# Runs a line of the shell on a terminal of its own; what that showed is in
# $TMP/shown, the exit code in $RC.
on_terminal()
{
    timeout -k 5 "$HANG" script -qefc "$1" shown >/dev/null 2>&1 </dev/null
    RC=$?
}

test_a_terminal_shows_progress_and_clears_it()
{
    device
    norkv --port "$PORT" put k 1
    norkv --port "$PORT" put k 2
    on_terminal "'$NORKV' --port '$PORT' collect heavy >out"
    expect_rc 0
    expect_out 'heavy collection done'
    grep -q $'\rcollect  [0-9]* steps' shown || fail "shown: $(cat shown)"
    # The last that the terminal got is the emptied line.
    sed -e '/^Script /d' shown | tail -c 5 | grep -q $'\r\033\\[K' ||
        fail "not cleared: $(od -c shown | tail -n 5)"
}

test_a_terminal_shows_a_bar_with_rate_and_time_left()
{
    # 2 s at the least.
    start_sim --pty --baud 19200
    settings 1 50 >f.csv
    on_terminal "'$NORKV' --port '$PORT' apply f.csv >out"
    expect_rc 0
    expect_out 'wrote 50 settings, 0 were the same'
    grep -Eq $'\rapply  \\[#+\\.+\\]  ?[1-9][0-9]? %  [0-9]+ of 50 records  [1-9][0-9]* records/s  0:0[0-9] left\033' \
        shown || fail "shown: $(cat shown)"
}

test_frames_on_a_terminal_are_not_mixed_with_progress()
{
    device
    on_terminal "'$NORKV' --port '$PORT' collect heavy -v >out"
    expect_rc 0
    ! grep -q $'\rcollect  ' shown || fail 'expected no progress'
}

run_tests
