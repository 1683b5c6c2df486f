# norkv restore: the records of a backup are put, or nothing is done.
. "$(dirname "$0")/lib.sh" "$@"

device()
{
    start_sim --pty "$@"
    export NORKV_PORT=$PORT
}

hex_of()
{
    printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'
}

# Adds the hash of a record of text to SUM: FNV-1a over sizes, key and value,
# of less than 128 bytes each.
add_to_sum()
{
    local hash=$((0xCBF29CE484222325)) i code

    hash=$(((hash ^ ${#1}) * 0x100000001B3))
    hash=$(((hash ^ ${#2}) * 0x100000001B3))
    for ((i = 0; i < ${#1} + ${#2}; i++)); do
        printf -v code %d "'${3:i:1}"
        hash=$(((hash ^ code) * 0x100000001B3))
    done
    SUM=$((SUM + hash))
}

# backup PRODUCT UNIT PREFIX KEY=VALUE... : the text of a backup's file
backup()
{
    local product=$1 unit=$2 prefix=$3 bytes=0 records='' key value

    shift 3
    SUM=0
    for record in "$@"; do
        key=${record%%=*}
        value=${record#*=}
        add_to_sum "$key" "$value" "$key$value"
        bytes=$((bytes + ${#key} + ${#value}))
        records+="${records:+,}{\"key_hex\":\"$(hex_of "$key")\","
        records+="\"value_hex\":\"$(hex_of "$value")\"}"
    done
    printf '{"format":"norkv-backup","version":1,"product":"%s",' "$product"
    printf '"unit_id":"%s","firmware":"1","store":0,' "$unit"
    printf '"store_name":"%s","prefix_hex":"%s",' "${STORE-main}" "$(hex_of "$prefix")"
    printf '"time":"2026-11-26T07:00:00Z","changed":false,"partial":false,"damaged":%d,' "${DAMAGED-0}"
    printf '"record_count":%d,"bytes":%d,"digest":"%016x",' $# "$bytes" "$SUM"
    printf '"records":[%s]}\n' "$records"
}

ours()
{
    backup norkv-sim UNIT-7 '' "$@"
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
    device
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
    expect_done
    expect_json $'3\t0\t3\t0\tfalse' records written same deleted dry_run
}

test_a_dry_run_tells_and_writes_nothing()
{
    device
    norkv put old 1
    norkv put same 2
    norkv put differs 3
    ours differs=4 new=5 same=2 >file
    norkv restore file --dry-run --replace
    expect_done
    expect_out $'delete old\nwrite differs\nwrite new\nwould write 2 records, 1 are the same, would delete 1 keys'
    norkv restore file --dry-run --json
    expect_json $'write\tdiffers\t1\t-\t-\nwrite\tnew\t1\t-\t-\n-\t-\t-\t2\ttrue' \
        action key size written dry_run
    norkv ls
    expect_out $'differs\nold\nsame'
}

test_other_keys_stay_unless_replaced()
{
    device
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
}

test_replacing_stays_within_the_files_prefix()
{
    device
    norkv put net/old 1
    norkv put serial SN-1
    backup norkv-sim UNIT-7 net/ net/new=1 >file
    norkv restore file --replace
    expect_done
    norkv ls
    expect_out $'net/new\nserial'
}

test_a_backup_that_lacks_entries_replaces_nothing_unasked()
{
    device
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
    device
    backup norkv-sim UNIT-8 '' serial=SN-8 >file
    norkv restore file
    expect_refused "is of unit 'UNIT-8', but that of .* is 'UNIT-7'.*--force.*nothing was written"
    backup valve UNIT-7 '' serial=SN-8 >file
    norkv restore file
    expect_refused "is of product 'valve', but that of .* is 'norkv-sim'"
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
    device --store "cal=$TMP/cal"
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
    device
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
    local long

    device --max-frame 160 --max-keys 4
    long=$(printf '%0127d' 0)
    ours a=1 big="$long" >file
    norkv restore file
    expect_refused "key 'big': the value has 127 bytes, .* takes [0-9]* at most; nothing was written"
    norkv put x 1
    norkv put y 2
    ours a=1 b=2 c=3 >file
    norkv restore file
    expect_refused 'there would be 5, more than the 4.*--replace; nothing was written' $'x\ny'
    norkv restore file --replace
    expect_done
    norkv ls
    expect_out $'a\nb\nc'
}

test_a_store_without_room_is_left_alone()
{
    local records=() i

    device --sector-size 512 --sectors 3
    norkv put keep 1
    for i in {10..30}; do
        records+=("key$i=$(printf '%060d' "$i")")
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

test_a_pulled_cable_is_waited_for()
{
    local pid address

    start_sim --tcp 127.0.0.1:0 --baud 9600
    address=${PORT#tcp:}
    many
    "$NORKV" --port "$PORT" restore file >out 2>err </dev/null &
    pid=$!
    pids+=("$pid")
    sleep 3
    kill_sim
    start_sim --tcp "$address"
    wait "$pid"
    RC=$?
    expect_rc 0
    expect_out 'wrote 70 records, 0 were the same, deleted 0 keys'
    grep -q 'of 70 records are stored; waiting for the port' err ||
        fail 'expected to be told that it waits'
    norkv --port "$PORT" ls
    [ "$(wc -l <out)" -eq 70 ] || fail 'expected 70 keys'
}

test_a_cable_pulled_while_it_verifies_is_waited_for()
{
    local pid address

    start_sim --tcp 127.0.0.1:0 --baud 1200
    address=${PORT#tcp:}
    ours k=v >file
    norkv --port "$PORT" put k v
    expect_rc 0
    "$NORKV" --port "$PORT" restore file -v >out 2>err </dev/null &
    pid=$!
    pids+=("$pid")
    until grep -q '> .*Digest' err; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.02
    done
    kill_sim
    start_sim --tcp "$address"
    wait "$pid"
    RC=$?
    expect_rc 0
    expect_out 'wrote 0 records, 1 were the same, deleted 0 keys'
    grep -q '0 of 0 records are stored; waiting for the port' err ||
        fail 'expected to be told that it waits'
}

test_a_port_that_does_not_come_back_ends_in_time()
{
    local pid

    start_sim --tcp 127.0.0.1:0 --baud 9600
    many
    "$NORKV" --port "$PORT" restore file --timeout 8 >out 2>err </dev/null &
    pid=$!
    pids+=("$pid")
    sleep 3
    kill_sim
    wait "$pid"
    RC=$?
    expect_rc 1
    grep -q 'of 70 records are stored: restore again' err ||
        fail 'expected what became of it'
}

run_tests
