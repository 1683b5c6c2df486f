# Every command, on a device.
. "$(dirname "$0")/lib.sh" "$@"

test_info_tells_who_the_device_is()
{
    device
    ask_device
    is_board || [ "$PRODUCT $UNIT $MAX_FRAME" = 'norkv-sim UNIT-7 2048' ] ||
        fail "it is $PRODUCT $UNIT"
    ! is_board || [ "$PRODUCT" = "norkv-$DEVICE" ] || fail "it is $PRODUCT"
    norkv info
    expect_done
    expect_out_has "^unit id  *$UNIT\$"
    norkv info --json
    expect_done
    expect_json $'1\t63' protocol_version max_key
    norkv --json --port "$PORT" info
    expect_done
    expect_json "$PORT" port
}

test_values_come_back_byte_for_byte()
{
    device
    ask_device
    for size in 0 1 15 16 17 255 256 $((MAX_VALUE / 2)) "$MAX_VALUE"; do
        head -c $size /dev/urandom >value
        norkv put "key-$size" --file value
        expect_done
        expect_out ''
        norkv get "key-$size"
        expect_done
        expect_same_file value out
        norkv_from value put "in-$size" -
        expect_done
        norkv get "in-$size" -o copy
        expect_done
        expect_out ''
        expect_same_file value copy
    done
    norkv put text 'a value'
    norkv get text
    printf 'a value' >value
    expect_same_file value out
    norkv put hex --hex 00FFfe
    norkv get hex
    printf '\000\377\376' >value
    expect_same_file value out
    norkv put minus -- -5
    norkv get minus
    printf -- '-5' >value
    expect_same_file value out
}

test_get_as_json_has_hex_and_text()
{
    device
    norkv put serial 'SN-1 "é"'
    norkv get serial --json
    expect_done
    expect_json $'serial\t73657269616c\t534e2d312022c3a922\tSN-1 "é"\t1\t9' \
        key key_hex value_hex text version size
    norkv put raw --hex ff00
    norkv get raw --json
    expect_json $'raw\tff00\t-\t2' key value_hex text size
    norkv get raw --json -o file
    expect_json $'raw\t-\tfile\t2' key value_hex file size
    printf '\377\000' >value
    expect_same_file value file
}

test_put_and_del_as_json_tell_the_version()
{
    device
    norkv --json put a 1
    expect_json $'a\t61\t1\t1' key key_hex version size
    norkv --json put a 22
    expect_json $'a\t2\t2' key version size
    norkv --json put a 22
    expect_json $'a\t2\t2' key version size
    norkv --json del a
    expect_json $'a\t3' key version
}

test_a_missing_key_has_an_exit_code_of_its_own()
{
    device
    norkv get nothing
    expect_error 3 'nothing: no such key'
    norkv del nothing
    expect_error 3 'nothing: no such key'
    norkv put nothing something
    norkv del nothing
    expect_done
    norkv get nothing
    expect_error 3 'no such key'
}

# What ls shows is copied.
test_a_key_that_is_given_as_it_is_shown_is_told_of()
{
    device
    norkv put --key-hex ff78 v
    for command in get del; do
        norkv $command hex:ff78
        expect_error 3 'no such key.*; a key shown as hex:... is given with --key-hex, without hex:'
        norkv $command --key-hex ff79
        expect_error 3 'no such key (NOT_FOUND)$'
    done
    stop_device
    norkv image get flash hex:ff78
    is_board || expect_error 3 'is given with --key-hex, without hex:'
}

test_a_file_that_get_writes_is_replaced_whole()
{
    device
    norkv put k new
    echo old >file
    chmod 640 file
    ln file other
    norkv get k -o file
    expect_done
    [ "$(cat file)" = new ] || fail 'the file is new'
    [ "$(cat other)" = old ] || fail 'the old file was not written to'
    [ "$(stat -c %a file)" = 640 ] || fail 'the mode is kept'
    norkv get none -o file
    expect_error 3 'no such key'
    [ "$(cat file)" = new ] || fail 'a failing get leaves the file alone'
    norkv get k -o no-folder/file
    expect_error 1 "cannot write 'no-folder/file'"
    [ "$(ls | grep -c file)" -eq 1 ] || fail 'nothing is left behind'
}

test_a_value_goes_where_output_says()
{
    device
    norkv put k new
    # - is standard output, as it is standard input elsewhere.
    norkv get k -o -
    expect_done
    [ "$(cat out)" = new ] || fail 'the value is on standard output'
    [ ! -e ./- ] || fail 'there is no file of this name'
    norkv get k -o - --json
    expect_json $'k\t6e6577' key value_hex
    # A descriptor is written to where it stands.
    for name in /dev/stdout /dev/fd/1 /proc/self/fd/1; do
        printf 'old ' >log
        timeout "$HANG" "$NORKV" get k -o $name >>log 2>err
        RC=$?
        expect_rc 0
        [ "$(cat log)" = 'old new' ] || fail "$name is appended to"
    done
    timeout "$HANG" "$NORKV" get k -o /dev/stdout 2>err | cat >log
    [ "$(cat log)" = new ] || fail '/dev/stdout is a pipe'
    # A link stays one, whether its target is there or not.
    mkdir folder
    ln -s folder/target link
    ln -s ../link folder/second
    for i in 1 2; do
        norkv get k -o folder/second
        expect_done
        [ -L link ] && [ -L folder/second ] || fail 'the links are kept'
        [ "$(cat folder/target)" = new ] || fail 'the target is written'
    done
    ln -s loop loop
    norkv get k -o loop
    expect_error 1 "cannot write 'loop': Too many levels"
}

test_ls_sorts_by_bytes_and_shows_what_is_not_text_in_hex()
{
    device
    for key in 62 61 6161 00 ff80 c3a9 0a 6865783a61 7f; do
        norkv put --key-hex $key v
        expect_done
    done
    norkv ls
    expect_done
    expect_out $'hex:00\nhex:0a\na\naa\nb\nhex:6865783a61\nhex:7f\né\nhex:ff80'
    norkv ls a
    expect_out $'a\naa'
    norkv ls --key-hex ff
    expect_out 'hex:ff80'
    norkv ls nothing
    expect_out ''
    norkv ls a -l
    expect_out_has '^ *2  *1 a$'
    norkv ls --json --key-hex c3
    expect_json $'é\tc3a9\t6\t1' key key_hex version size
    norkv ls --json --key-hex ff
    expect_json $'-\tff80' key key_hex
}

test_a_table_of_keys_is_listed()
{
    local count

    device $(for_sim --max-keys 500)
    ask_device
    count=$(smaller "$MAX_KEYS" 400)
    settings 1 "$count" >unit.csv
    norkv apply unit.csv
    expect_done
    norkv ls
    expect_done
    seq "$count" | sed 's/^/k/' | sort >wanted
    expect_same_file wanted out
}

test_stats_tell_what_happened()
{
    device
    ask_device
    is_board || [ "$MAX_KEYS" -eq 256 ] || fail 'the table has 256 places'
    norkv put k 1
    norkv put k 2
    norkv stats
    expect_done
    expect_out_has '^  keys  *1$'
    norkv stats --json
    expect_json $'1\t2\t'$((32 * COPIES))$'\t'$((32 * COPIES))$'\tOK' keys \
        transaction_count live_bytes stale_bytes mount_status
}

test_stats_tell_what_fits()
{
    device $(for_sim --max-keys 3)
    ask_device
    settings 2 "$MAX_KEYS" >unit.csv
    norkv apply unit.csv
    expect_done
    norkv stats
    expect_out_has '^  largest new value  *[1-9][0-9]*$'
    norkv put k1 1
    norkv stats
    expect_out_has '^  largest new value  *none$'
    norkv stats --json
    expect_json $'null\t'"$((SECTOR_SIZE * COPIES))"$'\t0\t0\t0\t0' value_room \
        reserved_bytes retired_sectors entries_lost calls_refused stray_frames
}

test_sectors_tell_what_each_holds()
{
    device $(for_sim --sectors 20)
    ask_device
    is_board || [ "$SECTORS" -eq 20 ] || fail '20 sectors were ordered'
    norkv put k 1
    norkv put k 2
    norkv sectors
    expect_done
    [ "$(wc -l <out)" -eq $((SECTORS + 1)) ] || fail 'expected a line a sector'
    expect_out_has '^     0  open  *64  *32  *0  *0$'
    expect_out_has "^  *$((SECTORS - 1))  erased  *0  *0  *0  *2\$"
    norkv sectors --json
    expect_done
    [ "$(head -n 1 out)" = '{"sector":0,"state":"open","used_bytes":64,"live_bytes":32,"erases":0,"age":0}' ] ||
        fail "sector 0"
    [ "$(wc -l <out)" -eq "$SECTORS" ] || fail 'expected an object a sector'
}

# Damage under a running device, which has the file open.
test_verify_finds_what_is_damaged()
{
    needs 'a flash that is changed while the device runs'
    device
    norkv put first 1
    norkv put second 2
    norkv put third 3
    norkv verify
    expect_done
    expect_out 'checked 16 sectors: 3 intact entries, 0 damaged places'
    printf 'X' | dd of=flash bs=1 seek=48 conv=notrunc 2>dd.err
    norkv verify
    expect_error_after_output 1 'lost or foreign'
    expect_out_has '^damage: sector 0, offset 32: corrupt'
    expect_out_has '^checked 16 sectors: 2 intact entries, 1 damaged places$'
    norkv verify --json
    expect_rc 1
    [ "$(head -n 1 out)" = "$(sed -n '/"kind":"corrupt"/p' out)" ] ||
        fail 'the finding comes first'
    tail -n 1 out >last
    mv last out
    expect_json $'16\t2\t1\t1\tNONE' sectors entries findings losses fault
    grep '^{"progress":"verify","unit":"sectors"' err | tail -n 1 >out
    expect_json $'16\t16' done total
}

test_collect_frees_what_is_stale()
{
    device
    norkv put k 1
    norkv put k 2
    for kind in '' partial full heavy; do
        norkv collect $kind
        expect_done
        norkv collect $kind --json
        expect_rc 0
    done
    expect_json heavy kind
    mv err out
    # The first report, any in between, and the last one.
    "$HELPERS/json_members" progress unit <out >json
    expect_rc $?
    [ "$(sort -u json)" = $'collect\tsteps' ] || fail "progress: $(cat json)"
    [ "$(wc -l <json)" -ge 2 ] || fail 'expected a first and a last report'
    norkv stats --json
    expect_json $'1\t0' keys stale_bytes
    norkv get k
    printf 2 >value
    expect_same_file value out
}

test_erase_all_must_know_the_unit()
{
    device
    ask_device
    norkv put k v
    norkv erase-all --unit-id UNIT-8
    expect_error 1 'unit id'
    norkv get k
    expect_done
    norkv erase-all --unit-id "$UNIT"
    expect_done
    norkv ls
    expect_done
    expect_out ''
    norkv put k w
    norkv erase-all --unit-id "$UNIT" --json
    expect_done_showing erase-all
    expect_json "$UNIT"$'\ttrue' unit_id erased
}

test_a_store_that_is_not_there_is_told()
{
    device
    ask_device
    norkv --store 3 get k
    expect_error 1 'store'
    norkv --store 0 put k v
    expect_done
    norkv --store 3 ls
    expect_error 1 "the device has no store 3: it has 0 'main'"
    norkv --store man ls
    expect_error 1 "the device has no store 'man': it has 0 'main'"
    norkv --store main get k -o copy
    expect_done
    norkv --store main --json erase-all --unit-id "$UNIT"
    expect_done_showing erase-all
    expect_json $'0\ttrue' store erased
}

test_verbose_shows_frames_and_their_meaning()
{
    device
    norkv put k v -v
    expect_rc 0
    expect_out ''
    grep -q '^> .*Store/Put.*key=k' err || fail 'the request is explained'
    grep -q '^< .*RESPONSE.*Store/Put' err || fail 'the answer is explained'
    grep -q '^   7e a5 03 .* 7e$' err || fail 'the frames are there in hex'
}

test_echo_tests_the_line()
{
    local most=2000

    device
    ask_device
    norkv echo
    expect_done
    expect_out_has '^received  *20$'
    expect_out_has '^lost  *0$'
    expect_out_has '^median time, ms  *[0-9][0-9]*\.[0-9][0-9][0-9]$'
    expect_out_has '^device: receive overruns  *0$'
    ! is_board || most=$(smaller $((MAX_FRAME - 48)) 3900)
    norkv echo --json --count 7 --size "$most" --interval 1ms
    expect_done
    expect_json $'7\t7\t0\t'"$most"$'\t0\t0\t0' sent received lost size \
        bad_frames device_bad_frames device_overruns
    norkv echo --size $((most + 1))
    expect_error 2 "too large for the device's frames: give $most at most\|packet"
    # A device whose power is cut meanwhile.
    "$NORKV" echo --count 100000 -v --json >"$TMP/out" 2>"$TMP/err" &
    local tester=$!
    pids+=($tester)
    until grep -q 'EchoService/Echo' "$TMP/err"; do
        kill -0 $tester 2>/dev/null || break
        pause
    done
    kill_device
    wait $tester
    RC=$?
    expect_rc 1
    expect_json 1 lost
    grep -q '^norkv: 1 of [0-9]* lost, the last: .*the port is gone' "$TMP/err" ||
        fail 'what happened is told'
}

test_echo_tells_times_and_throughput()
{
    local shortest median longest rate

    device
    norkv echo --json --count 9
    expect_done
    read -r shortest median longest rate < <("$HELPERS/json_members" min_us \
        median_us max_us bytes_per_second <out)
    [ "$shortest" -gt 0 ] && [ "$shortest" -le "$median" ] &&
        [ "$median" -le "$longest" ] ||
        fail "times are $shortest, $median, $longest"
    [ "$rate" -gt 0 ] || fail "the rate is $rate"
}

test_echo_counts_what_the_line_loses()
{
    local median rate

    start_relay lossy
    # Answers of this size are those that the relay looks at.
    norkv echo --json --count 20 --size 500
    expect_rc 1
    expect_json $'20\t16\t4\t0' sent received lost bad_frames
    # What came back counts, and the time that was waited for the rest.
    read -r median rate < <("$HELPERS/json_members" median_us bytes_per_second <out)
    [ "$rate" -gt 0 ] && [ "$rate" -lt $((500 * 1000000 / median)) ] ||
        fail "the rate is $rate, the median time $median us"
    [ "$(wc -l <err)" -eq 1 ] || fail 'one line on stderr'
    grep -q '^norkv: 4 of 20 lost, the last: .' err || fail 'it says so'
}

test_echo_ends_with_its_result_when_interrupted()
{
    device
    # Background jobs of a shell ignore SIGINT; SIGTERM does the same here.
    "$NORKV" echo --count 100000 --interval 20ms -v --json \
        >"$TMP/out" 2>"$TMP/err" &
    local tester=$!
    pids+=($tester)
    until grep -q 'EchoService/Echo' "$TMP/err"; do
        kill -0 $tester 2>/dev/null || break
        pause
    done
    terminate $tester
    expect_rc 0
    expect_json 0 lost
}

# What it does with them ends with it.
test_a_command_of_sh_behind_an_echo_can_be_interrupted()
{
    # The puts take minutes.
    start_sim --pty --baud 2400
    head -c 1500 /dev/zero >value
    {
        echo 'echo --count 1 --size 1'
        printf 'put k%s --file value --timeout 600s -v\n' {1..20}
    } >script
    "$NORKV" --port "$PORT" sh <script >"$TMP/out" 2>"$TMP/err" &
    local shell=$!
    pids+=($shell)
    await_text err 'Store/Put'
    terminate $shell
    expect_rc $((128 + 15))
    expect_out_has '^sent  *1$'
}

test_log_waits_for_what_is_said()
{
    device
    norkv log --timeout 200ms
    expect_done
    expect_out ''
    norkv log --timeout 200ms --count 3
    expect_error 1 '0 of 3 lines came within --timeout'
}

test_logs_of_the_device_are_shown()
{
    start_relay log
    norkv log --count 1 --json
    expect_done
    expect_json $'log\trelay: hello' kind text
    norkv log --count 1
    expect_done
    expect_out 'relay: hello'
    # Beside answers, which they do not disturb.
    norkv put k v -v
    expect_rc 0
    grep -q '^< .*log: relay: hello$' err || fail 'the one that stands alone'
    grep -q '^< .*log: relay: an answer$' err || fail 'the one with an answer'
    printf v >value
    norkv get k
    expect_done
    expect_same_file value out
}

test_options_stand_before_and_behind_the_command()
{
    local port

    device
    port=$NORKV_PORT
    unset NORKV_PORT
    norkv --port "$port" --timeout 20s put k v
    expect_done
    norkv get --timeout 20 k --port "$port"
    expect_done
    export NORKV_PORT=/dev/no-such-port
    norkv get k --port "$port"
    expect_done
}

test_call_reaches_any_method()
{
    device
    norkv call pw.rpc.EchoService/Echo --hex 0a026869
    expect_done
    expect_out 0a026869
    norkv call pw.rpc.EchoService/Echo --hex 0a026869 --json
    expect_done
    expect_out_has '"0a026869"'
    printf '\x0a\x02hi' >request
    norkv call pw.rpc.EchoService/Echo --file request -o response
    expect_done
    cmp -s request response || fail "the response is another"
    norkv call pw.rpc.EchoService/Echo --file request -o again --json
    expect_done
    expect_json $'again\t4\t-' file size response_hex
    cmp -s request again || fail "the response is another"
    norkv call pw.rpc.EchoService/Echo --file request -o - --json
    expect_done
    expect_json $'-\t0a026869' file response_hex
    norkv put k v
    norkv call norkv.v1.Store/Scan
    expect_done
    expect_out_has 6b
    norkv call no.such.Service/Method
    expect_error 1 "the device has no such service or method"
    norkv call norkv.v1.Store/Get --hex 12027a7a
    expect_error 1 "NOT_FOUND"
    norkv call Echo
    expect_error 2 "no SERVICE/METHOD"
    norkv call pw.rpc.EchoService/Echo --hex 0
    expect_error 2 "hex"
}

test_values_survive_a_power_cut_of_the_device()
{
    device
    norkv put a 1
    norkv put b 2
    kill_device
    device
    norkv ls
    expect_done
    expect_out $'a\nb'
    norkv del a
    expect_done
    stop_device
    device
    norkv ls
    expect_out b
}

# Until every sector was erased, and some of what stays was moved.
test_overwrites_go_round_the_flash()
{
    local size i round=0 erases=0

    device
    ask_device
    size=$(smaller $((SECTOR_SIZE / 2)) "$MAX_VALUE")
    head -c "$size" /dev/urandom >stays
    norkv put stays --file stays
    expect_done
    while [ "$erases" -lt $((SECTORS + 1)) ] && [ $round -lt 20 ]; do
        round=$((round + 1))
        for ((i = 1; i <= SECTORS; i++)); do
            head -c "$size" /dev/urandom >"value$i"
            echo "put k$((i % 5)) --file value$i"
        done >script
        norkv_from script sh
        expect_done
        norkv stats --json
        read -r erases < <("$HELPERS/json_members" erases <out)
    done
    expect_json $'6\t0\t0\t0\tOK' keys read_errors program_errors erase_errors \
        mount_status
    [ "$erases" -gt "$SECTORS" ] || fail "only $erases erases"
    for again in no yes; do
        for ((i = SECTORS; i > SECTORS - 5; i--)); do
            norkv get "k$((i % 5))"
            expect_done
            expect_same_file "value$i" out
        done
        norkv get stays
        expect_same_file stays out
        norkv verify
        expect_done
        [ $again = yes ] || { kill_device; device; }
    done
}

# What is sent there by others, or arrives damaged.
send()
{
    if is_board || [ "$DEVICE" = pty ]; then
        cat "$@" >"$PORT"
    else
        cat "$@" >"/dev/tcp/127.0.0.1/${PORT##*:}"
    fi
}

# A frame of this size, without an escape in it, that is whole: nobody has a
# call like that.
frame_of()
{
    "$PYTHON" -c '
import sys, zlib
size = int(sys.argv[1])
content = b"\xa5\x03" + b"x" * (size - 6)
for tail in range(256):
    whole = content[:-1] + bytes([tail])
    whole += zlib.crc32(whole).to_bytes(4, "little")
    if not set(b"\x7d\x7e") & set(whole):
        break
sys.stdout.buffer.write(b"\x7e" + whole + b"\x7e")' "$1"
}

# counters NAME... : numbers of the device's line, apart by tabs
counters()
{
    "$NORKV" stats --json 2>/dev/null | "$HELPERS/json_members" "$@"
}

test_bad_frames_are_counted_and_do_no_harm()
{
    local bad oversize overruns

    device
    ask_device
    printf v >v
    norkv put k --file v
    expect_done
    { printf 'login: root\r\n\0\0\377'
      # A wrong checksum, too short a frame, a wrong escape, none at all.
      printf '\x7e\xa5\x03hello\x00\x00\x00\x00\x7e\x7e\xa5\x7e'
      printf '\x7e\xa5\x03\x7d\x7dhello\x7e\x7e\x7e'; } >noise
    send noise
    norkv get k
    expect_done
    expect_same_file v out
    read -r bad oversize overruns < <(counters bad_frames oversize_frames overruns)
    [ "$bad" -ge 3 ] || fail "only $bad bad frames"
    [ "$oversize" -eq 0 ] && [ "$overruns" -eq 0 ] || fail 'too much came'
    # Larger than any frame may be, and one that never ends.
    { frame_of $((MAX_FRAME + 1)); frame_of $((2 * MAX_FRAME))
      printf '\x7e\xa5\x03half'; } >noise
    send noise
    norkv get k
    expect_done
    expect_same_file v out
    read -r bad oversize overruns < <(counters bad_frames oversize_frames overruns)
    [ $((oversize + overruns)) -gt 0 ] || fail 'no large frame is counted'
    norkv ls
    expect_out k
    norkv stats --json
    expect_json $'1\tOK' keys mount_status
}

run_tests
