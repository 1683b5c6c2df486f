# A device whose flash cannot be used: it answers, and each command says what is
# wrong and what to do.
. "$(dirname "$0")/lib.sh" "$@"

# expect_fault NAME DETAIL TEXT : info and stats tell the fault of store 0.
expect_fault()
{
    norkv --port "$PORT" info
    expect_done
    expect_out_has "^fault of store 0  *$3"
    norkv --port "$PORT" stats
    expect_done
    expect_out_has "^fault: $3"
    norkv --port "$PORT" stats --json
    expect_done
    expect_json "$1"$'\t'"$2" fault fault_detail
    norkv --port "$PORT" info --json
    expect_done
    expect_out_has "\"fault\":\"$1\",\"fault_detail\":$2,\"fault_text\":\"$3"
}

# Every command that needs the store says why it does nothing.
each_command_refuses()
{
    echo $'key,encoding,value\nk,text,v' >unit.csv
    for command in 'get k' 'put k v' 'del k' ls sectors verify 'backup -o b' \
        'collect full' 'erase-all --unit-id UNIT-7' 'apply unit.csv'; do
        norkv --port "$PORT" $command
        expect_error 1 "the store cannot be used: $1"
    done
    [ ! -e b ] || fail 'no backup is made of it'
}

test_each_fault_is_told_and_nothing_is_done()
{
    while read -r option name detail text; do
        start_sim --pty --fault "$option"
        grep -q "has the fault $name" device.err || fail "the simulator says $name"
        cp flash before
        expect_fault "$name" "$detail" "$text"
        each_command_refuses "$text"
        norkv --port "$PORT" echo --count 2
        expect_done
        stop_device
        expect_same_file before flash
    done <<'FAULTS'
no-flash:0xffffff NO_FLASH 16777215 no flash chip answers (JEDEC id ffffff)
wrong-flash:0xef4014 WRONG_FLASH 15679508 the flash chip is not .* (JEDEC id ef4014)
flash-too-small:524288 FLASH_TOO_SMALL 524288 the flash chip is smaller than .* (524288 bytes)
flash-protected:0x1c FLASH_PROTECTED 28 the flash chip is write-protected (status register 00001c)
self-test:3 SELF_TEST 3 the flash failed the self-test .* (check 3)
flash-error:14 FLASH_ERROR 14 the flash did not answer .* (UNAVAILABLE)
FAULTS
}

test_the_other_store_works()
{
    start_sim --pty --fault no-flash --store other=other
    norkv --port "$PORT" --store other put k v
    expect_done
    norkv --port "$PORT" --store other get k
    expect_out_has '^v$'
    norkv --port "$PORT" put k v
    expect_error 1 'put k: the store cannot be used: no flash chip'
    norkv --port "$PORT" --store other stats --json
    expect_json 'NONE' fault
}

test_garbage_is_told_and_kept_until_it_is_erased()
{
    head -c 65536 /dev/urandom >flash
    cp flash before
    start_sim --pty
    expect_fault FOREIGN_DATA 0 'mounting it found foreign data'
    norkv --port "$PORT" put k v
    expect_error 1 'put k: the store is read-only: .*erase-all takes'
    norkv --port "$PORT" collect heavy
    expect_error 1 'the store is read-only'
    norkv --port "$PORT" erase-all --unit-id OTHER
    expect_error 1 'another unit id'
    kill_device
    expect_same_file before flash
    start_sim --pty
    norkv --port "$PORT" erase-all --unit-id UNIT-7
    expect_done
    norkv --port "$PORT" info --json
    expect_out_has '"fault":"NONE"}'
    norkv --port "$PORT" put k v
    expect_done
}

test_a_cut_erase_is_told_from_garbage()
{
    start_sim --pty
    norkv --port "$PORT" put k v
    expect_done
    stop_device
    start_sim --pty --cut-at 4:untouched
    norkv --port "$PORT" --timeout 50s erase-all --unit-id UNIT-7
    expect_rc 1
    wait "$DEVICE_PID"
    start_sim --pty
    expect_fault ERASE_CUT 0 'an erase of all of it was cut short'
    norkv --port "$PORT" put k v
    expect_error 1 'the store is read-only: an erase .*erase-all finishes it'
    norkv --port "$PORT" erase-all --unit-id UNIT-7
    expect_done
    norkv --port "$PORT" put k v
    expect_done
}

run_tests
