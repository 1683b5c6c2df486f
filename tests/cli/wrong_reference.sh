# The golden images that the reference implementation gets wrong: what must
# happen on writing to them.
. "$(dirname "$0")/lib.sh" "$@"

# golden NAME : copies the image to f.bin, and sets FLAGS.
golden()
{
    cp "$GOLDEN/$1.bin" f.bin
    read -r -a FLAGS < <("$HELPERS/golden_check" --flags "$GOLDEN" "$1")
    [ ${#FLAGS[@]} -gt 0 ] || fail "no flags for $1"
}

run_script()
{
    norkv image exec f.bin script "${FLAGS[@]}"
    expect_done
}

# Prints puts of N values to the key, with a remount after each tenth.
puts_of()
{
    for i in $(seq "$2"); do
        printf 'put %s %04x\n' "$1" "$i"
        [ $((i % 10)) -ne 0 ] || echo remount
    done
}

expect_all_ok()
{
    ! grep -qv '^OK' out || fail "not all are OK: $(grep -v '^OK' out | head -n 1)"
}

test_raised_alignment_takes_puts_of_new_and_old_keys()
{
    golden align_raised
    { echo 'get 6b657931'; echo 'get 6b32'; echo 'get 6b3379'
      puts_of 6b657931 30; puts_of 6e6577 30
      echo 'get 6b657931'; echo 'get 6b32'; echo 'get 6b3379'
      echo 'get 6e6577'; } >script
    run_script
    expect_all_ok
    grep '^OK .' out >got
    printf 'OK %s\n' 76616c756531 76616c756532 000102 001e 76616c756532 \
        000102 001e >wanted
    expect_same_file wanted got
}

test_a_collection_cut_short_does_not_stop_writes_for_good()
{
    golden brick_gc_cut
    { for i in 1 2 3 4 5 6 7 8 9 10; do
        puts_of 636e74 10
        echo 'put 78 78'
        echo 'del 78'
      done
      echo 'get 63666731'; echo 'get 63666732'; echo 'get 636e74'; } >script
    run_script
    expect_all_ok
    tail -n 3 out >got
    printf 'OK %s\n' 1111111111111111111111111111111111111111 \
        2222222222222222222222222222222222222222 000a >wanted
    expect_same_file wanted got
}

test_an_entry_that_crosses_a_sector_is_corrupt_and_harms_nothing()
{
    golden crosses_sector
    { puts_of 6e6577 40; echo 'get 6e6577'; echo 'get 66696c6c'
      echo 'get 63726f7373'; } >script
    norkv image dump f.bin "${FLAGS[@]}" --json
    "$HELPERS/json_members" key_hex value_hex <out | sed -n \
        's/^66696c6c\t/OK /p' >wanted
    run_script
    tail -n 2 out | head -n 1 >got
    expect_same_file wanted got
    [ "$(tail -n 1 out)" = NOT_FOUND ] || fail 'the crossing entry is none'
    [ "$(tail -n 3 out | head -n 1)" = 'OK 0028' ] || fail 'writes work'
    [ "$(grep -cv '^OK' out)" -eq 1 ] || fail 'all puts work'
}

test_a_dirty_tail_is_not_programmed()
{
    golden dirty_tail_hidden
    { puts_of 6e6577 40; echo 'get 6b657931'; echo 'get 6b32'
      echo 'get 6b3379'; } >script
    run_script
    expect_all_ok
    norkv image ls f.bin "${FLAGS[@]}"
    expect_out $'a-longer-key-name\nk2\nk3y\nkey1\nnew'
}

test_the_entry_behind_a_gap_stays()
{
    golden erased_gap
    { echo 'get 6b32'; puts_of 6e6577 100; echo 'get 6b657931'
      echo 'get 6b32'; } >script
    run_script
    expect_all_ok
    grep '^OK .' out >got
    printf 'OK %s\n' 76616c756532 76616c756531 76616c756532 >wanted
    expect_same_file wanted got
}

test_a_key_behind_the_erased_part_of_a_sector_stays_deleted()
{
    golden half_erased_sector
    { for i in $(seq 20); do
        puts_of "6e$(printf '%02x' $((i % 3)))" 10
        echo 'get 676f6e65'
      done; echo 'get 6b'; } >script
    run_script
    [ "$(grep -c NOT_FOUND out)" -eq 20 ] || fail 'gone never comes back'
    [ "$(tail -n 1 out)" = 'OK 76' ] || fail 'the other key is there'
    [ "$(grep -cv '^OK' out)" -eq 20 ] || fail 'all else is OK'
}

test_two_keys_with_one_hash_are_two_keys()
{
    golden hash_collision
    { echo 'get 4434'; echo 'get 6446553653'; puts_of 4434 20
      puts_of 6446553653 21; echo 'get 4434'; echo 'get 6446553653'
      echo 'del 4434'; echo remount; echo 'get 6446553653'
      echo 'get 4434'; } >script
    run_script
    grep '^OK .' out >got
    printf 'OK %s\n' 6f6e65 74776f 0014 0015 0015 >wanted
    expect_same_file wanted got
    [ "$(tail -n 1 out)" = NOT_FOUND ] || fail 'the deleted one is gone'
}

test_a_store_without_a_free_sector_only_reads()
{
    golden no_free_sector_full
    for key in 6b657930 6b657931 6b657932 6b657933; do
        echo "get $key"
    done >script
    printf 'put 6e 31\nput 6b657930 32\n' >>script
    norkv image exec f.bin script "${FLAGS[@]}"
    expect_done
    case $(head -n 1 out) in
    OK | RESOURCE_EXHAUSTED) ;;
    *) fail 'mounting says another status' ;;
    esac
    [ "$(sed -n 2,5p out | grep -c '^OK 7676')" -eq 4 ] || fail 'all keys read'
    [ "$(tail -n 2 out | grep -c '^RESOURCE_EXHAUSTED$')" -eq 2 ] ||
        fail 'puts say that the store is full'
    expect_same_file "$GOLDEN/no_free_sector_full.bin" f.bin
}

test_ids_go_on_behind_the_largest()
{
    golden txid_rollover
    { echo 'get 6b'; puts_of 6b 25; echo 'get 6b'; puts_of 6e 5
      echo remount; echo 'get 6b'; } >script
    run_script
    expect_all_ok
    grep '^OK .' out >got
    printf 'OK %s\n' 6e6577 0019 0019 >wanted
    expect_same_file wanted got
}

test_an_upgrade_with_little_room_ends_in_the_new_format()
{
    golden upgrade_needs_gc
    norkv image dump f.bin "${FLAGS[@]}" --json
    "$HELPERS/json_members" key_hex value_hex <out >before
    [ "$(wc -l <before)" -eq 40 ] || fail 'all keys are there before'
    echo 'maintain heavy' >script
    run_script
    expect_all_ok
    # Only the new format is known now.
    norkv image dump f.bin --json --sector-size 512 --format 41a2db83:crc16
    expect_done
    "$HELPERS/json_members" key_hex value_hex <out >after
    expect_same_file before after
    norkv image check f.bin --json --sector-size 512 --format 41a2db83:crc16
    expect_done
    expect_json $'OK\t40\t[]' status keys damage
}

run_tests
