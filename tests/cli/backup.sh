# norkv backup and norkv diff: a store's records in a file, and compared with it.
. "$(dirname "$0")/lib.sh" "$@"

# Some settings, with keys and values of any bytes: 52 bytes and the LARGE ones.
some_settings()
{
    ask_device
    LARGE=$(smaller 1900 "$MAX_VALUE")
    norkv put serial SN-1
    norkv put net/mac --hex 00aabbccddee
    norkv put net/name 'pump "7"'
    norkv put empty ''
    norkv put --key-hex ff00 --hex fe
    head -c "$LARGE" /dev/urandom >large
    norkv put large --file large
    expect_done
}

# JSON that python reads prints: members of the head, or of one record.
ask()
{
    "$PYTHON" -c '
import json, sys
backup = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$@" >out 2>err
    RC=$?
    expect_done
}

test_all_records_come_in_one_file()
{
    device
    some_settings
    norkv backup
    expect_done
    cp out piped
    norkv backup -o file
    expect_done
    expect_out "backed up 6 records, $((52 + LARGE)) bytes"
    [ "$(wc -l <file)" -eq 8 ] || fail 'expected a line a record'
    sed 's/"time":"[^"]*"//' file >file.bare
    sed 's/"time":"[^"]*"//' piped >piped.bare
    expect_same_file file.bare piped.bare
    ask file '[backup[n] for n in ("unit_id", "store", "record_count", "changed", "damaged")]'
    expect_out "['$UNIT', 0, 6, False, 0]"
    ask file '[r["key_hex"] for r in backup["records"]]'
    expect_out "['656d707479', '6c61726765', '6e65742f6d6163', '6e65742f6e616d65', '73657269616c', 'ff00']"
    ask file '[r.get("text") for r in backup["records"] if r["key_hex"] == "6e65742f6e616d65"]'
    expect_out "['pump \"7\"']"
    "$PYTHON" -c '
import json
for r in json.load(open("file"))["records"]:
    if r.get("key") == "large":
        open("copy", "wb").write(bytes.fromhex(r["value_hex"]))'
    expect_same_file large copy
    grep -q '"time":"20[0-9-]*T[0-9:]*Z"' file || fail 'expected the time'
}

test_a_prefix_that_no_key_has_is_told_of()
{
    device
    norkv put k v
    norkv backup file
    expect_rc 0
    [ "$(<err)" = "norkv: no key begins with 'file': the backup is empty; its file is named by -o" ] ||
        fail 'it says so'
    norkv backup -o file net/
    expect_rc 0
    expect_out 'backed up 0 records, 0 bytes'
    [ "$(<err)" = "norkv: no key begins with 'net/': the backup is empty" ] ||
        fail 'it says so'
    norkv del k
    norkv backup -o file
    expect_done
}

test_a_prefix_is_kept_in_the_file()
{
    device
    some_settings
    norkv backup net/ -o file
    expect_done
    ask file '(backup["prefix_hex"], [r["key"] for r in backup["records"]])'
    expect_out "('6e65742f', ['net/mac', 'net/name'])"
    norkv backup --key-hex ff -o file
    expect_done
    ask file '[r["key_hex"] for r in backup["records"]]'
    expect_out "['ff00']"
    norkv put other x
    norkv diff file
    expect_done
    expect_out ''
}

test_each_store_has_its_own()
{
    needs 'a second store'
    device --store calibration="$TMP/second"
    norkv put k main
    norkv --store calibration put k other
    for store in calibration 1; do
        norkv --store $store backup -o file
        expect_done
        ask file '(backup["store"], backup["store_name"], backup["records"][0]["text"])'
        expect_out "(1, 'calibration', 'other')"
    done
    norkv diff file
    expect_rc 1
    expect_out '~ k'
    norkv --store calibration diff file
    expect_done
}

test_a_summary_is_one_object()
{
    device
    some_settings
    norkv backup -o file --json
    expect_rc 0
    expect_json $'file\t6\t'$((52 + LARGE))$'\tfalse\t0' file record_count bytes changed damaged
    norkv backup --json
    expect_done_showing digest backup
    mv out file
    norkv diff file
    expect_done
}

test_an_empty_store_is_a_backup()
{
    device
    norkv backup -o file
    expect_done
    expect_out 'backed up 0 records, 0 bytes'
    norkv diff file
    expect_done
    norkv put k v
    norkv diff file
    expect_rc 1
    expect_out '+ k'
}

test_a_backup_that_fails_leaves_the_old_file()
{
    device
    echo old >file
    kill_device
    norkv backup -o file --timeout 1
    expect_error 1 .
    [ "$(cat file)" = old ] || fail 'expected the old file'
    device
    norkv backup -o missing/file
    expect_error 1 'missing/file'
    if [ -w /dev/full ]; then
        timeout "$HANG" "$NORKV" backup 2>err >/dev/full
        RC=$?
        expect_rc 1
        grep -q 'cannot write standard output' err || fail 'expected why'
    fi
    norkv backup --store 9
    expect_error 1 'no store 9'
}

test_diff_shows_what_differs_sorted()
{
    device
    some_settings
    norkv backup -o file
    norkv diff file
    expect_done
    expect_out ''
    norkv put serial SN-2
    norkv del empty
    norkv put added 1
    norkv put --key-hex 00 x
    norkv diff file
    expect_rc 1
    [ ! -s err ] || fail 'expected nothing on standard error'
    expect_out $'+ hex:00\n+ added\n- empty\n~ serial'
    norkv diff file s
    expect_rc 1
    expect_out '~ serial'
    norkv diff file net/
    expect_done
    norkv diff file --json
    expect_rc 1
    expect_json $'added\t00\t-\t78\t-
added\t6164646564\t-\t31\t-
missing\t656d707479\t\t-\t-
changed\t73657269616c\t534e2d31\t534e2d32\t-
-\t-\t-\t-\tfalse' change key_hex file_value_hex device_value_hex same
    expect_progress digest diff
    norkv_from file diff -
    expect_rc 1
}

# The digests agree: no record crosses the line.
# 1 would mean that something differs.
test_a_diff_that_cannot_be_written_is_trouble()
{
    [ -w /dev/full ] || return 0
    device
    norkv put k v
    norkv backup -o file
    "$NORKV" diff file --json >/dev/full 2>err
    RC=$?
    expect_rc 2
    norkv put k w
    "$NORKV" diff file >/dev/full 2>err
    RC=$?
    expect_error 2 'cannot write standard output: No space left'
    echo 'diff file' >script
    "$NORKV" sh <script >/dev/full 2>err
    RC=$?
    expect_rc 2
    grep -q 'cannot write standard output: No space left' err ||
        fail 'expected to be told'
}

test_diff_reads_nothing_when_nothing_differs()
{
    device
    some_settings
    norkv backup -o file
    norkv diff file -v
    expect_rc 0
    grep -q 'Digest' err || fail 'expected a digest'
    ! grep -q 'Backup' err || fail 'expected no backup'
    norkv diff file --json
    expect_done_showing digest
}

test_a_damaged_file_is_refused()
{
    device
    some_settings
    norkv backup -o file
    head -c 500 file >cut
    norkv diff cut
    expect_error 2 "'cut' line .*cut; nothing was compared"
    sed 's/"534e2d31"/"534e2d39"/; s/SN-1/SN-9/' file >changed
    norkv diff changed
    expect_error 2 "'changed': .*digest"
    norkv diff missing
    expect_error 2 missing
    : >empty
    norkv diff empty
    expect_error 2 'cut'
    # 256 MiB are read before it is too large, which takes long here.
    HANG=300 norkv diff /dev/zero
    expect_error 2 .
    norkv backup net/ -o net
    norkv diff net serial
    expect_error 2 'another prefix'
    norkv diff
    expect_error 2 'too few'
    kill_device
    norkv diff file --timeout 1
    expect_error 2 .
}

# Only what can be read is there, and the exit code says so.
test_a_store_that_did_not_mount_whole_gives_what_it_has()
{
    device_with_too_small_a_table
    norkv backup -o file
    expect_rc 1
    grep -q 'did not mount whole: the backup has what could be read' err ||
        fail 'it says so'
    ask file 'backup["partial"]'
    expect_out True
    norkv diff file
    expect_rc 0
    grep -q 'did not mount whole' err || fail 'it says so'
}

# What takes a slow line some seconds is put over a fast one.
forty_keys()
{
    local i

    for i in {10..49}; do
        echo "put key$i value-of-$i"
    done >script
    start_sim --pty
    norkv_from script --port "$PORT" sh
    expect_rc 0
    stop_device
}

test_a_port_that_goes_away_is_waited_for()
{
    local address pid

    forty_keys
    start_sim --tcp 127.0.0.1:0 --baud 9600
    address=${PORT#tcp:}
    "$NORKV" --port "$PORT" backup -v -o saved >out 2>err </dev/null &
    pid=$!
    pids+=("$pid")
    await_text err '^> .*Backup'
    kill_device
    await_text err 'records were read; waiting for the port to go on'
    start_sim --tcp "$address"
    wait "$pid"
    RC=$?
    expect_rc 0
    [ "$(grep -c '"key"' saved)" -eq 40 ] || fail 'expected 40 records'
    norkv --port "$PORT" diff saved
    expect_rc 0
}

test_a_link_to_a_port_is_followed_anew()
{
    local pid

    forty_keys
    start_sim --pty --baud 9600
    ln -s "$PORT" port
    "$NORKV" --port "$TMP/port" backup -v -o saved >out 2>err </dev/null &
    pid=$!
    pids+=("$pid")
    await_text err '^> .*Backup'
    kill_device
    rm port
    await_text err 'records were read; waiting for the port to go on'
    start_sim --pty
    ln -s "$PORT" port
    wait "$pid"
    RC=$?
    expect_rc 0
    [ "$(grep -c '"key"' saved)" -eq 40 ] || fail 'expected 40 records'
    norkv --port "$TMP/port" diff saved
    expect_rc 0
}

test_another_unit_is_not_taken_for_the_one_that_went()
{
    local address pid

    forty_keys
    start_sim --tcp 127.0.0.1:0 --baud 9600
    address=${PORT#tcp:}
    "$NORKV" --port "$PORT" backup -v -o saved --timeout 20 >out 2>err \
        </dev/null &
    pid=$!
    pids+=("$pid")
    await_text err '^> .*Backup'
    kill_device
    await_text err 'records were read; waiting for the port to go on'
    start_sim --tcp "$address" --unit-id UNIT-8
    wait "$pid"
    RC=$?
    expect_rc 1
    [ "$(grep -c '^> .*Device/Open' err)" -ge 2 ] ||
        fail 'expected the unit to be asked who it is'
    [ ! -e saved ] || fail 'expected no file'
}

run_tests
