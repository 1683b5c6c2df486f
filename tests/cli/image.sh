# The commands on a flash file.
. "$(dirname "$0")/lib.sh" "$@"

image()
{
    norkv image "$@"
}

# A file whose last put was torn: torn.bin.
make_torn()
{
    image create torn.bin --sectors 4
    image put torn.bin a 1
    image put torn.bin b 2
    # Half a program unit of a third entry, as a power cut leaves it.
    printf '\265\360\262\132\001\002' |
        dd of=torn.bin bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# Where the free bytes of a file begin that has a and b in it.
first_free()
{
    LC_ALL=C grep -abo "b2" "$1" | head -n 1 | cut -d: -f1 |
        { read -r at; echo $((at / 32 * 32 + 32)); }
}

test_create_makes_an_erased_file_of_the_geometry()
{
    image create f.bin
    expect_done
    expect_out ''
    head -c 65536 /dev/zero | tr '\000' '\377' >wanted
    expect_same_file wanted f.bin
    image create g.bin --sectors 3 --sector-size 512 --json
    expect_done
    expect_json $'g.bin\t1536\t512\t3' file size sector_size sectors
    head -c 1536 wanted >wanted3
    expect_same_file wanted3 g.bin
    image ls f.bin
    expect_done
    expect_out ''
}

test_create_leaves_a_file_that_is_there()
{
    echo precious >f.bin
    image create f.bin
    expect_error 1 "'f.bin' is there already: --force"
    [ "$(cat f.bin)" = precious ] || fail 'the file is as it was'
    image create f.bin --force --sectors 2
    expect_done
    [ "$(wc -c <f.bin)" -eq 8192 ] || fail 'the file is new'
}

test_create_refuses_geometries_that_no_store_has()
{
    image create f.bin --sectors 1
    expect_error 2 'sectors'
    image create f.bin --sector-size 100
    expect_error 2 'sector-size'
    image create f.bin --program-unit 3
    expect_error 2 'program-unit'
    image create f.bin --copies 4 --sectors 4
    expect_error 2 'copies'
    image create f.bin --format xyz
    expect_error 2 'format'
    image create f.bin --format 5ab2f0b5:md5
    expect_error 2 'format'
    [ ! -e f.bin ] || fail 'nothing was made'
}

test_values_come_back_byte_for_byte()
{
    image create f.bin
    for size in 0 1 15 16 17 255 256 4000 4075; do
        head -c $size /dev/urandom >value
        image put f.bin "k$size" --file value
        expect_done
        image get f.bin "k$size"
        expect_done
        expect_same_file value out
        image get f.bin "k$size" -o copy
        expect_done
        expect_same_file value copy
    done
    image put f.bin text 'a value'
    image put f.bin hex --hex 00ff
    printf in >value
    norkv_from value image put f.bin in -
    image get f.bin in --json
    expect_json $'in\t696e\t696e\tin\t2' key key_hex value_hex text size
    image ls f.bin t
    expect_out text
    image ls f.bin hex -l
    expect_out_has ' 2 hex$'
    image del f.bin text
    expect_done
    image get f.bin text
    expect_error 3 "'f.bin': key 'text': NOT_FOUND"
    image del f.bin text
    expect_error 3 'NOT_FOUND'
}

test_keys_of_any_bytes_are_sorted_and_shown()
{
    image create f.bin
    for key in 62 61 6161 00 ff80 c3a9; do
        image put f.bin --key-hex $key v
        expect_done
    done
    image ls f.bin
    expect_out $'hex:00\na\naa\nb\né\nhex:ff80'
    image ls f.bin --key-hex ff
    expect_out hex:ff80
    image dump f.bin
    expect_out $'hex:00\tv\na\tv\naa\tv\nb\tv\né\tv\nhex:ff80\tv'
    image dump f.bin --json
    expect_json $'-\t00\t76\t4
a\t61\t76\t2
aa\t6161\t76\t3
b\t62\t76\t1
é\tc3a9\t76\t6
-\tff80\t76\t5' key key_hex value_hex version
    image put f.bin nl $'two\nlines'
    image dump f.bin
    expect_out_has $'^nl\thex:74776f0a6c696e6573$'
}

test_writes_as_json_tell_the_version()
{
    image create f.bin
    image put f.bin a 1 --json
    expect_json $'a\t61\t1\t1' key key_hex version size
    image put f.bin a 1 --json
    expect_json $'a\t1' key version
    image del f.bin a --json
    expect_json $'a\t2' key version
}

test_a_put_of_what_is_there_leaves_the_file_alone()
{
    image create f.bin
    image put f.bin a 1
    ln f.bin same
    image put f.bin a 1
    expect_done
    [ f.bin -ef same ] || fail 'the file was replaced by its like'
}

test_writes_replace_the_file_and_keep_its_mode_and_links_to_it()
{
    image create f.bin
    chmod 600 f.bin
    ln f.bin old
    cp f.bin before
    ln -s f.bin link
    image put link a 1
    expect_done
    [ -L link ] || fail 'the link is there'
    [ "$(stat -c %a f.bin)" = 600 ] || fail 'the mode is kept'
    expect_same_file before old
    image get f.bin a
    expect_done
    [ "$(echo *)" = 'before err f.bin link old out' ] ||
        fail "nothing is left behind: $(echo *)"
}

test_a_folder_that_cannot_be_written_leaves_the_file_alone()
{
    if [ "$(id -u)" -eq 0 ]; then
        # root may write anywhere but below a file.
        image create out/f.bin
        expect_error 1 "cannot write 'out/f.bin'"
        return
    fi
    mkdir folder
    image create folder/f.bin
    cp folder/f.bin before
    chmod 500 folder
    image put folder/f.bin a 1
    expect_error 1 "cannot write 'folder/f.bin'"
    expect_same_file before folder/f.bin
    chmod 700 folder
}

test_reading_never_changes_the_file()
{
    make_torn 4160
    cp torn.bin before
    for command in 'ls torn.bin' 'ls torn.bin -l --json' 'dump torn.bin' \
        'dump torn.bin --no-repair' 'check torn.bin' 'check torn.bin --json' \
        'get torn.bin a' 'get torn.bin a --no-repair'; do
        image $command
        expect_rc 0
        expect_same_file before torn.bin
    done
}

test_a_torn_tail_is_damage_but_no_loss()
{
    image create clean.bin --sectors 4
    image put clean.bin a 1
    image put clean.bin b 2
    make_torn "$(first_free clean.bin)"
    image check torn.bin --json
    expect_rc 0
    [ ! -s err ] || fail 'nothing on stderr'
    expect_json $'DATA_LOSS\tOK\t2\t0\t2\t64\t16' \
        status repaired_status keys tombstones transaction_count live_bytes \
        corrupt_bytes
    expect_out_has '"damage":\[{"sector":[0-9]*,"offset":[0-9]*,"kind":"torn"'
    image check torn.bin
    expect_out_has '^bare scan  *DATA_LOSS$'
    expect_out_has '^damage: sector [0-9]*, offset [0-9]*: torn'
    image put torn.bin c 3
    expect_done
    echo maintain full >script
    image exec torn.bin script
    expect_out $'OK\nOK'
    image check torn.bin --json
    expect_json $'OK\tOK\t3\t[]' status repaired_status keys damage
}

test_a_lost_entry_is_told_and_named()
{
    local at

    image create f.bin --sectors 4
    image put f.bin a 1
    image put f.bin key-two 22
    image put f.bin c 3
    at=$(grep -abo 'key-two22' f.bin | cut -d: -f1)
    printf 'X' | dd of=f.bin bs=1 seek=$((at + 7)) conv=notrunc 2>/dev/null
    image check f.bin --json
    expect_rc 1
    [ "$(wc -l <err)" -eq 1 ] || fail 'one line on stderr'
    expect_json $'DATA_LOSS\tOK\t2\t64\t32' status repaired_status keys \
        live_bytes corrupt_bytes
    expect_out_has '"kind":"corrupt","key_hex":"6b65792d74776f"'
    image ls f.bin
    expect_done
    expect_out $'a\nc'
}

test_with_two_copies_nothing_is_lost()
{
    local at

    image create f.bin --sectors 4 --copies 2
    image put f.bin key-one 11 --copies 2
    at=$(grep -abo 'key-one11' f.bin | head -n 1 | cut -d: -f1)
    printf 'X' | dd of=f.bin bs=1 seek=$((at + 7)) conv=notrunc 2>/dev/null
    image check f.bin --json --copies 2
    expect_done
    expect_json $'DATA_LOSS\tOK\t1' status repaired_status keys
    expect_out_has '"kind":"missing_copy","key_hex":"6b65792d6f6e65"'
    image get f.bin key-one --copies 2
    printf 11 >value
    expect_same_file value out
}

test_foreign_data_is_left_alone()
{
    image create f.bin --format 11223344
    image put f.bin a 1 --format 11223344
    cp f.bin before
    image ls f.bin
    expect_error 1 "'f.bin': FAILED_PRECONDITION"
    image get f.bin a
    expect_error 1 'FAILED_PRECONDITION'
    image put f.bin a 2
    expect_error 1 'FAILED_PRECONDITION'
    image del f.bin a
    expect_error 1 'FAILED_PRECONDITION'
    image check f.bin --json
    expect_rc 1
    expect_json $'FAILED_PRECONDITION\tFAILED_PRECONDITION' status \
        repaired_status
    expect_out_has '"kind":"foreign"'
    expect_same_file before f.bin
    image ls f.bin --format 5ab2f0b5 --format 0x11223344:crc16
    expect_done
    expect_out a
}

test_a_file_of_garbage_is_left_alone()
{
    head -c 65536 /dev/urandom >f.bin
    cp f.bin before
    for command in 'ls f.bin' 'dump f.bin' 'get f.bin a' 'put f.bin a 1' \
        'del f.bin a'; do
        image $command
        expect_error 1 "'f.bin': FAILED_PRECONDITION"
    done
    image check f.bin
    expect_rc 1
    expect_same_file before f.bin
}

test_a_file_of_a_wrong_size_is_a_usage_error()
{
    for size in 0 1 4095 4097 65535; do
        head -c $size /dev/zero >f.bin
        for command in 'ls f.bin' 'dump f.bin' 'check f.bin' 'get f.bin a' \
            'put f.bin a 1' 'del f.bin a'; do
            image $command
            expect_error 2 "'f.bin': it has $size bytes"
        done
    done
    head -c 4096 /dev/zero >f.bin
    image ls f.bin
    expect_error 2 '2'
    head -c 8192 /dev/zero >f.bin
    image ls f.bin --sectors 4
    expect_error 2 '8192 bytes'
    [ "$(wc -c <f.bin)" -eq 8192 ] || fail 'the file is as it was'
}

test_a_missing_file_says_how_to_make_one()
{
    for command in 'ls f.bin' 'dump f.bin' 'check f.bin' 'get f.bin a' \
        'put f.bin a 1' 'del f.bin a' 'exec f.bin -'; do
        image $command
        expect_error 1 "no flash file 'f.bin': 'norkv image create f.bin'"
    done
    [ ! -e f.bin ] || fail 'nothing was made'
    image ls .
    expect_error 1 "cannot read '.': Is a directory"
}

test_bad_keys_and_values_leave_the_file_alone()
{
    image create f.bin
    cp f.bin before
    image put f.bin "$(printf '%064d' 0)" v
    expect_error 2 '64 bytes: give one of 1 to 63'
    head -c 4080 /dev/zero >value
    image put f.bin key --file value
    expect_error 1 '4080 bytes, a sector holds 4077'
    image put f.bin key
    expect_error 2 'no value'
    expect_same_file before f.bin
}

test_a_full_store_keeps_what_it_has()
{
    local i=0

    image create f.bin --sectors 3 --sector-size 512
    head -c 200 /dev/urandom >value
    RC=0
    while [ "$RC" -eq 0 ] && [ $i -lt 20 ]; do
        i=$((i + 1))
        cp f.bin before
        image put f.bin "key$i" --file value --sector-size 512
    done
    expect_error 1 'RESOURCE_EXHAUSTED'
    expect_same_file before f.bin
    [ $i -gt 2 ] || fail 'some fit'
    for k in $(seq $((i - 1))); do
        image get f.bin "key$k" --sector-size 512
        expect_done
        expect_same_file value out
    done
    image del f.bin key1 --sector-size 512
    expect_done
}

test_the_index_holds_all_keys_unless_told_otherwise()
{
    local i

    image create f.bin
    for i in $(seq 1 600); do
        echo "put 6b${i//?/3&} 00"
    done >script
    image exec f.bin script
    expect_done
    image ls f.bin
    expect_done
    [ "$(wc -l <out)" -eq 600 ] || fail 'all keys are listed'
    image ls f.bin --max-keys 600
    expect_done
    image ls f.bin --max-keys 500
    expect_rc 1
    grep -q 'RESOURCE_EXHAUSTED' err || fail 'the status is told'
    image check f.bin --max-keys 600
    expect_done
    image check f.bin --max-keys 500
    expect_error_after_output 1 "'f.bin': RESOURCE_EXHAUSTED: more keys than --max-keys"
    expect_out_has '^after repair  *RESOURCE_EXHAUSTED$'
}

test_an_erase_that_was_cut_short_is_told()
{
    start_sim --pty
    norkv --port "$PORT" put k v
    stop_device
    start_sim --pty --cut-at 4:untouched
    norkv --port "$PORT" --timeout 50s erase-all --unit-id UNIT-7
    wait "$DEVICE_PID"
    DEVICE_PID=
    image check flash
    expect_error_after_output 1 "'flash': FAILED_PRECONDITION: an erase of all of it was cut short: "
    image check flash --json
    expect_rc 1
    expect_json $'FAILED_PRECONDITION\tFAILED_PRECONDITION' \
        status repaired_status
    image ls flash
    expect_error 1 'an erase of all of it was cut short: '
}

test_a_device_and_a_file_hold_the_same()
{
    start_sim --pty
    for i in 1 2 3; do
        norkv --port "$PORT" put "key$i" "value$i"
        expect_done
    done
    norkv --port "$PORT" ls -l
    cp out wanted
    # It can be looked at while the device runs, but not be written.
    image ls flash -l
    expect_done
    expect_same_file wanted out
    image put flash key4 v
    expect_error 1 "'flash' is in use by norkv-sim"
    image create flash --force
    expect_error 1 "'flash' is in use by norkv-sim"
    stop_device
    image put flash key4 v
    expect_done
    start_sim --pty
    norkv --port "$PORT" get key4
    printf v >value
    expect_same_file value out
}

test_a_closed_standard_output_is_an_error()
{
    image create f.bin
    image put f.bin a 1
    for command in 'ls f.bin' 'dump f.bin' 'dump f.bin --json' 'get f.bin a' \
        'check f.bin'; do
        timeout "$HANG" "$NORKV" image $command 2>err >&-
        RC=$?
        : >out
        expect_error 1 'standard output'
        timeout "$HANG" "$NORKV" image $command 2>err >/dev/full
        RC=$?
        expect_error 1 'standard output: No space left'
    done
}

test_a_folder_that_cannot_be_listed_takes_files()
{
    # Root may list any: where it can, the test becomes nobody.
    local as_nobody=()
    [ "$(id -u)" -ne 0 ] || as_nobody=(setpriv --reuid=65534 --clear-groups)
    norkv image create im --sectors 2
    cp "$NORKV" norkv
    mkdir folder
    mv im folder/im
    chmod 711 .
    [ "$(id -u)" -ne 0 ] || chown 65534 folder folder/im
    chmod 333 folder
    run "${as_nobody[@]}" "$TMP/norkv" image put "$TMP/folder/im" k v
    expect_done
    run "${as_nobody[@]}" "$TMP/norkv" image get "$TMP/folder/im" k
    expect_done
    expect_out_has '^v$'
    chmod 700 folder
}

run_tests
