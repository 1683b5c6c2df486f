# norkv restore: the records of a backup are put, or nothing is done.
. "$(dirname "$0")/lib.sh" "$@"

open_device()
{
    device "$@"
    ask_device
}

# backup PRODUCT UNIT PREFIX KEY=VALUE... : the text of a backup's file, of the
# store STORE, which lacks DAMAGED entries
backup()
{
    STORE=${STORE-main} DAMAGED=${DAMAGED-0} "$PYTHON" -c '
import json, os, sys
def digest(record):
    value = 0xCBF29CE484222325
    for byte in record:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value
def varint(size):
    return bytes([size]) if size < 128 else bytes([size % 128 | 128, size // 128])
product, unit, prefix = sys.argv[1:4]
records = [[part.encode() for part in record.split("=", 1)] for record in sys.argv[4:]]
print(json.dumps({
    "format": "norkv-backup", "version": 1, "product": product, "unit_id": unit,
    "firmware": "1", "store": 0, "store_name": os.environ["STORE"],
    "prefix_hex": prefix.encode().hex(), "time": "2026-11-26T07:00:00Z",
    "changed": False, "partial": False, "damaged": int(os.environ["DAMAGED"]),
    "record_count": len(records), "bytes": sum(len(k + v) for k, v in records),
    "digest": "%016x" % (sum(digest(varint(len(k)) + varint(len(v)) + k + v)
                             for k, v in records) % 2**64),
    "records": [{"key_hex": k.hex(), "value_hex": v.hex()} for k, v in records],
}, separators=(",", ":")))' "$@"
}

ours()
{
    backup "$PRODUCT" "$UNIT" '' "$@"
}

expect_refused()
{
    expect_error 1 "$1"
    norkv ls
    expect_done
    expect_out "${2-}"
}

test_records_are_put_and_verified()
{
    open_device
    ours mac=aabbcc name=pump-1 empty= >file
    norkv restore file
    expect_done
    expect_out 'wrote 3 records, 0 were the same, deleted 0 keys'
    norkv get name
    printf pump-1 >value
    expect_same_file value out
    norkv ls
    expect_out $'empty\nmac\nname'
    norkv restore file --json
    expect_done_showing read digest
    expect_json $'3\t0\t3\t0\tfalse' records written same deleted dry_run
}

test_a_dry_run_tells_and_writes_nothing()
{
    open_device
    norkv put old 1
    norkv put same 2
    norkv put differs 3
    ours differs=4 new=5 same=2 >file
    norkv restore file --dry-run --replace
    expect_done
    expect_out $'delete old\nwrite differs\nwrite new\nwould write 2 records, 1 are the same, would delete 1 keys'
    norkv restore file --dry-run --json
    expect_done_showing read
    expect_json $'write\tdiffers\t1\t-\t-\nwrite\tnew\t1\t-\t-\n-\t-\t-\t2\ttrue' \
        action key size written dry_run
    norkv ls
    expect_out $'differs\nold\nsame'
}

test_other_keys_stay_unless_replaced()
{
    open_device
    norkv put old 1
    ours new=5 >file
    norkv restore file
    expect_done
    norkv ls
    expect_out $'new\nold'
    norkv restore file --replace
    expect_done
    expect_out 'wrote 0 records, 1 were the same, deleted 1 keys'
    norkv ls
    expect_out new
    norkv put old 1
    ours new=6 >file
    norkv restore file --replace --json
    expect_done_showing read delete restore digest
    expect_json $'1\t1\t0\t1\tfalse' records written same deleted dry_run
}

# Milliseconds since the machine started.
uptime_ms()
{
    local seconds

    read -r seconds _ </proc/uptime
    echo "${seconds/./}0"
}

# Parts that follow each other took no longer than the whole, to which the uptime's
# clock adds its 10 ms; one that begins early takes in another's time.
test_the_parts_of_its_progress_follow_each_other()
{
    local began_ms whole_ms parts_ms

    needs 'a line so slow that deleting takes a second'
    seq 100 160 | sed 's/./3&/g; s/.*/put & 31/' >script
    norkv image create flash
    norkv image exec flash script
    expect_done
    open_device --baud 19200
    ours new=5 >file
    began_ms=$(uptime_ms)
    norkv restore file --replace --json
    whole_ms=$(($(uptime_ms) + 10 - began_ms))
    expect_done_showing read delete restore digest
    parts_ms=$("$HELPERS/json_members" progress elapsed_ms <err |
        awk '{ last[$1] = $2 } END { for (part in last) sum += last[part]
            print sum }')
    [ "$parts_ms" -le "$whole_ms" ] ||
        fail "parts of $parts_ms ms in $whole_ms ms: $(cat err)"
}

test_replacing_stays_within_the_files_prefix()
{
    open_device
    norkv put net/old 1
    norkv put serial SN-1
    backup "$PRODUCT" "$UNIT" net/ net/new=1 >file
    norkv restore file --replace
    expect_done
    norkv ls
    expect_out $'net/new\nserial'
}

test_a_backup_that_lacks_entries_replaces_nothing_unasked()
{
    open_device
    norkv put old 1
    DAMAGED=1 ours new=5 >file
    norkv restore file --replace
    expect_refused 'is not whole.*--replace would delete what it lacks' old
    norkv restore file
    expect_rc 0
    grep -q 'lacks 1 entries' err || fail 'expected a warning'
    norkv restore file --replace --force
    expect_rc 0
    norkv ls
    expect_out new
}

test_another_units_backup_needs_force()
{
    open_device
    backup "$PRODUCT" UNIT-8 '' serial=SN-8 >file
    norkv restore file
    expect_refused "is of unit 'UNIT-8', but that of .* is '$UNIT'.*--force.*nothing was written"
    backup valve "$UNIT" '' serial=SN-8 >file
    norkv restore file
    expect_refused "is of product 'valve', but that of .* is '$PRODUCT'"
    norkv restore file --force
    expect_rc 0
    expect_out 'wrote 1 records, 0 were the same, deleted 0 keys'
    grep -q "is of product 'valve'" err || fail 'expected a warning'
    norkv restore file --dry-run
    expect_rc 0
    grep -q "is of product 'valve'" err || fail 'expected a warning'
}

test_a_backup_of_another_store_needs_force()
{
    needs 'a second store'
    open_device --store "cal=$TMP/cal"
    STORE=main ours serial=SN-7 >file
    norkv restore file --store cal
    expect_refused "is of store 'main', but that of .* is 'cal'.*--force.*nothing was written"
    norkv ls --store cal
    expect_out ''
    STORE=cal ours serial=SN-7 >file
    norkv restore file --store cal
    expect_rc 0
}

test_a_damaged_file_is_refused_whole()
{
    open_device
    ours a=1 b=2 >file
    sed 's/"value_hex":"31"/"value_hex":"33"/' file >bad
    norkv restore bad
    expect_refused 'bad.*nothing was written'
    head -c 200 file >bad
    norkv restore bad
    expect_refused 'bad.*nothing was written'
    norkv restore nosuch
    expect_refused 'nosuch.*'
}

test_what_the_device_does_not_take_is_told_before()
{
    local size i records=()

    open_device $(for_sim --max-frame 160 --max-keys 4)
    size=$((MAX_VALUE + 61))
    ours a=1 big="$(printf "%0${size}d" 0)" >file
    norkv restore file
    expect_refused "key 'big': the value has $size bytes, .* takes $((size - 1)) at most; nothing was written"
    norkv put x 1
    norkv put y 2
    # With these two one more than there are places.
    for ((i = 2; i <= MAX_KEYS; i++)); do
        records+=("k$i=$i")
    done
    ours "${records[@]}" >file
    norkv restore file
    expect_refused "there would be $((MAX_KEYS + 1)), more than the $MAX_KEYS.*--replace; nothing was written" $'x\ny'
    norkv restore file --replace
    expect_done
    norkv ls
    seq 2 "$MAX_KEYS" | sed 's/^/k/' | sort >wanted
    expect_same_file wanted out
}

test_a_store_without_room_is_left_alone()
{
    local records=() i

    open_device $(for_sim --sector-size 512 --sectors 3)
    norkv put keep 1
    for ((i = 0; i <= SECTORS * SECTOR_SIZE / MAX_VALUE; i++)); do
        records+=("key$i=$(printf "%0${MAX_VALUE}d" "$i")")
    done
    ours "${records[@]}" >file
    norkv restore file
    expect_refused 'has no room for it: [0-9]* bytes are too many.*nothing was written' keep
}

many()
{
    local i

    records=()
    for i in {1000..1069}; do
        records+=("key$i=value-of-$i-$(printf '%040d' "$i")")
    done
    ours "${records[@]}" >file
}

# Waits until the command with the process pid has sent such a frame.
await_frame()
{
    until grep -q "$1" err; do
        kill -0 "$pid" 2>/dev/null || {
            fail "it ended before it sent $1"
            break
        }
        sleep 0.02
    done
}

# restore_with_a_pulled_cable FRAME OPTION...: restores file; once such a frame is
# told, the device goes, and comes back at the same port.
restore_with_a_pulled_cable()
{
    local frame=$1 address=${NORKV_PORT#tcp:} pid

    shift
    "$NORKV" --port "$NORKV_PORT" restore file -v "$@" >out 2>err </dev/null &
    pid=$!
    pids+=("$pid")
    await_frame "$frame"
    kill_device
    start_sim --tcp "$address"
    wait "$pid"
    RC=$?
}

test_a_pulled_cable_is_waited_for()
{
    needs 'a line slow enough to be cut in the middle of a restore'
    start_sim --tcp 127.0.0.1:0 --baud 1200
    export NORKV_PORT=$PORT
    ask_device
    many
    restore_with_a_pulled_cable '> .*Restore' --json
    expect_rc 0
    expect_json $'70\t70\t0\t0\tfalse' records written same deleted dry_run
    grep -q 'of 70 records are stored; waiting for the port' err ||
        fail 'expected to be told that it waits'
    sed '1,/waiting for the port/d' err | grep -q '^{"progress":"restore".*"done":70,"total":70,' ||
        fail 'expected progress after that'
    norkv --port "$PORT" ls
    [ "$(wc -l <out)" -eq 70 ] || fail 'expected 70 keys'
}

test_a_cable_pulled_while_it_reads_is_waited_for()
{
    needs 'a line slow enough to be cut in the middle of a restore'
    seq 100 170 | sed 's/./3&/g; s/.*/put & 31/' >script
    norkv image create flash
    norkv image exec flash script
    start_sim --tcp 127.0.0.1:0 --baud 2400
    export NORKV_PORT=$PORT
    ask_device
    ours 100=2 >file
    restore_with_a_pulled_cable '< .*Backup'
    expect_rc 0
    expect_out 'wrote 1 records, 0 were the same, deleted 0 keys'
    grep -q 'records were read; waiting for the port' err ||
        fail 'expected to be told that it waits'
}

test_a_cable_pulled_while_it_verifies_is_waited_for()
{
    needs 'a line slow enough to be cut in the middle of a restore'
    start_sim --tcp 127.0.0.1:0 --baud 1200
    export NORKV_PORT=$PORT
    ask_device
    ours k=v >file
    norkv --port "$PORT" put k v
    expect_rc 0
    restore_with_a_pulled_cable '> .*Digest'
    expect_rc 0
    expect_out 'wrote 0 records, 1 were the same, deleted 0 keys'
    grep -q '0 of 0 records are stored; waiting for the port' err ||
        fail 'expected to be told that it waits'
}

test_a_port_that_does_not_come_back_ends_in_time()
{
    local pid

    needs 'a line slow enough to be cut in the middle of a restore'
    start_sim --tcp 127.0.0.1:0 --baud 4800
    export NORKV_PORT=$PORT
    ask_device
    many
    "$NORKV" --port "$PORT" restore file -v --timeout 20 >out 2>err </dev/null &
    pid=$!
    pids+=("$pid")
    await_frame '> .*Restore'
    kill_device
    wait "$pid"
    RC=$?
    expect_rc 1
    grep -q 'of 70 records are stored: restore again' err ||
        fail 'expected what became of it'
}

run_tests
