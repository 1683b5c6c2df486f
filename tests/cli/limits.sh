# What a device does not take, or not any more.
. "$(dirname "$0")/lib.sh" "$@"

test_a_value_too_large_for_the_device()
{
    device
    ask_device
    is_board || [ "$MAX_VALUE" -eq 1922 ] || fail "it takes $MAX_VALUE bytes"
    norkv put k old
    head -c $((MAX_VALUE + 64)) /dev/zero >value
    norkv put "$(printf '%063d' 1)" --file value
    expect_error 1 "$((MAX_VALUE + 64)) bytes, the device takes $MAX_VALUE under this key"
    head -c $((2 * MAX_VALUE)) /dev/zero >value
    norkv put k --file value
    expect_error 1 "$((2 * MAX_VALUE)) bytes, the device takes $((MAX_VALUE + 62)) under this key"
    head -c $((MAX_VALUE + 62)) value >fits
    norkv put f --file fits
    expect_done
    head -c 65535 /dev/zero >value
    norkv put k --file value
    expect_error 1 "'value' is too large: it may have 65534 bytes"
    norkv_from value put k -
    expect_error 1 'standard input'
    norkv get k
    printf old >value
    expect_same_file value out
}

test_a_value_that_fits_the_frame_but_no_sector()
{
    needs 'sectors smaller than a frame'
    device --sector-size 512 --sectors 4
    head -c 600 /dev/zero >value
    norkv put k --file value
    expect_error 1 '600 bytes, the device takes 495 under this key'
    head -c 495 value >fits
    norkv put k --file fits
    expect_done
}

test_a_full_store_keeps_what_it_has()
{
    local i

    device $(for_sim --sector-size 512 --sectors 3)
    ask_device
    head -c "$MAX_VALUE" /dev/urandom >value
    for ((i = 1; i <= MAX_KEYS; i++)); do
        echo "put key$i --file value"
    done >script
    norkv_from script sh
    expect_rc 1
    grep -q 'full' err || fail 'it is full'
    i=$(sed -n 's/^norkv: line \([0-9]*\) failed.*/\1/p' err)
    [ "$i" -gt 2 ] || fail 'some fit'
    for k in 1 2 $((i / 2)) $((i - 1)); do
        norkv get "key$k"
        expect_done
        expect_same_file value out
    done
    norkv ls
    [ "$(wc -l <out)" -eq $((i - 1)) ] || fail "expected $((i - 1)) keys"
    norkv put "key$i" --file value
    expect_error 1 'full'
    norkv get "key$i"
    expect_error 3 'no such key'
    norkv del key1
    expect_done
    norkv put "key$i" --file value
    expect_done
}

test_a_full_table_of_keys()
{
    device $(for_sim --max-keys 2)
    ask_device
    settings 1 "$MAX_KEYS" >f.csv
    norkv apply f.csv
    expect_done
    norkv put c 3
    expect_error 1 'keys'
    norkv put k1 3
    expect_done
}

# Whatever the device cannot find may be there: nobody must be told that it is
# not, nor to erase it.
test_a_table_of_keys_smaller_than_the_store()
{
    local found=0 i

    device_with_too_small_a_table
    for ((i = 1; i <= KEYS; i++)); do
        echo "get k$i"
    done >script
    # The first that is missing ends it.
    norkv_from script sh
    expect_rc 1
    grep -q "get k[0-9]*: the store is read-only: the flash holds more than the $PLACES keys .*\
nothing is lost, a firmware with a larger table" err || fail 'it says so'
    norkv ls
    expect_rc 1
    found=$(wc -l <out)
    [ "$found" -ge "$PLACES" ] && [ "$found" -lt "$KEYS" ] ||
        fail 'some keys are found'
    [ "$(wc -l <err)" -eq 1 ] || fail 'one line on stderr'
    grep -q "scan: the store is read-only: the flash holds more than the $PLACES keys" err ||
        fail 'it says so'
    norkv get "$(head -n 1 out)"
    expect_rc 0
    for command in 'put new x' 'del new' 'collect full'; do
        norkv $command
        expect_error 1 "the flash holds more than the $PLACES keys"
    done
    norkv verify
    expect_error_after_output 1 "not all: .*the flash holds more than the $PLACES keys"
    expect_out_has '^checked .* entries, 0 damaged places$'
    norkv verify --json
    expect_rc 1
    expect_json $'0\tTABLE_TOO_SMALL\t'"$PLACES" losses fault fault_detail
    kill_device
    expect_same_file large flash
    is_board || {
        device
        norkv ls
        expect_done
        [ "$(wc -l <out)" -eq "$KEYS" ] || fail 'all keys are there'
    }
}

test_a_flash_of_something_else()
{
    device
    ask_device
    stop_device
    head -c "$(wc -c <flash)" /dev/urandom >before
    cp before flash
    device
    norkv get k
    expect_error 1 'get k: the store is read-only: .*foreign data.*erase-all'
    norkv ls
    expect_error 1 'scan: the store is read-only'
    norkv put k v
    expect_error 1 'put k: the store is read-only'
    kill_device
    expect_same_file before flash
    device
    norkv erase-all --unit-id "$UNIT"
    expect_done
    norkv get k
    expect_error 3 'no such key'
    norkv put k v
    expect_done
}

run_tests
