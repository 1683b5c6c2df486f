# norkv image exec: scripts of operations.
. "$(dirname "$0")/lib.sh" "$@"

exec_text()
{
    printf '%b' "$1" >script
    shift
    norkv image exec f.bin script "$@"
}

test_each_line_gives_its_status()
{
    norkv image create f.bin
    exec_text 'put 6b 7631\nget 6b\nput 65 -\nget 65\nget 7a\ndel 6b\ndel 6b
get 6b\nmaintain partial\nmaintain full\nmaintain heavy\nremount\nget 65\nget -
put - 00\n'
    expect_done
    expect_out $'OK\nOK\nOK 7631\nOK\nOK -\nNOT_FOUND\nOK\nNOT_FOUND\nNOT_FOUND
OK\nOK\nOK\nOK\nOK -\nINVALID_ARGUMENT\nINVALID_ARGUMENT'
    exec_text 'maintain partial\n'
    expect_out $'OK\nNOT_FOUND'
}

test_the_file_is_replaced_once_at_the_end()
{
    norkv image create f.bin
    cp f.bin before
    ln f.bin old
    exec_text 'put 61 31\nput 62 32\n'
    expect_done
    expect_same_file before old
    norkv image dump f.bin
    expect_out $'a\t1\nb\t2'
}

test_a_script_that_only_reads_leaves_the_file()
{
    norkv image create f.bin
    exec_text 'put 61 31\n'
    ln f.bin same
    exec_text 'get 61\nremount\nget 61\n'
    expect_done
    expect_out $'OK\nOK 31\nOK\nOK 31'
    [ f.bin -ef same ] || fail 'the file was replaced'
}

test_standard_input_can_be_the_script()
{
    norkv image create f.bin
    printf 'put 61 31' >script
    norkv_from script image exec f.bin -
    expect_done
    expect_out $'OK\nOK'
    norkv image exec f.bin -
    expect_done
    expect_out OK
}

test_blanks_comments_and_upper_case_are_taken()
{
    norkv image create f.bin
    exec_text '# a comment\n\n  put\t6B   AB \r\n#\nget 6b'
    expect_done
    expect_out $'OK\nOK\nOK ab'
}

test_a_malformed_line_is_named_and_nothing_is_done()
{
    local line

    norkv image create f.bin
    cp f.bin before
    while IFS='|' read -r line what; do
        exec_text "put 61 31\n$line\nput 62 32\n"
        expect_error 2 "'script' line 2: $what"
        [ ! -s out ] || fail 'nothing was printed'
        expect_same_file before f.bin
    done <<'LINES'
frob 61|unknown command 'frob'
put 61|write it as: put KEYHEX VALUEHEX
put 61 31 32|write it as: put KEYHEX VALUEHEX
put 6 31|'6' is not hex
put 61 3g|'3g' is not hex
get|write it as: get KEYHEX
get 61 62|write it as: get KEYHEX
del|write it as: del KEYHEX
maintain|write it as: maintain partial|full|heavy
maintain some|write it as: maintain partial
maintain full now|write it as: maintain partial
remount now|write it as: remount
PUT 61 31|unknown command 'PUT'
LINES
    norkv image exec f.bin no-such-script
    expect_error 1 "cannot read 'no-such-script'"
}

test_a_key_or_a_value_too_long_is_a_status()
{
    norkv image create f.bin
    exec_text "put $(printf '%0128d' 0) 31\nget $(printf '%0128d' 0)
put 61 $(printf '%09000d' 0)\nput 61 $(printf '%08158d' 0)\n"
    expect_done
    expect_out $'OK\nINVALID_ARGUMENT\nINVALID_ARGUMENT\nINVALID_ARGUMENT\nOK'
}

test_foreign_data_is_a_status_and_stays()
{
    norkv image create f.bin --format 11223344
    norkv image put f.bin a 1 --format 11223344
    cp f.bin before
    exec_text 'put 62 32\ndel 61\nremount\nmaintain full\n'
    expect_done
    expect_out $'FAILED_PRECONDITION\nFAILED_PRECONDITION\nFAILED_PRECONDITION
FAILED_PRECONDITION\nFAILED_PRECONDITION'
    expect_same_file before f.bin
}

test_without_repair_writes_wait_for_maintenance()
{
    cp "$GOLDEN/torn_delete.bin" f.bin
    exec_text 'put 6e 31\nget 6e\n' --no-repair --sector-size 512
    expect_done
    expect_out $'DATA_LOSS\nFAILED_PRECONDITION\nNOT_FOUND'
    expect_same_file "$GOLDEN/torn_delete.bin" f.bin
    exec_text 'maintain full\nput 6e 31\nremount\nget 6e\n' --no-repair \
        --sector-size 512
    expect_done
    expect_out $'DATA_LOSS\nOK\nOK\nOK\nOK 31'
}

test_a_full_store_is_a_status()
{
    norkv image create f.bin --sectors 2 --sector-size 512
    { for i in 61 62 63; do
        printf 'put %s %s\n' $i "$(head -c 250 /dev/zero | od -An -v -tx1 | tr -d ' \n')"
    done; echo 'get 61'; } >script
    norkv image exec f.bin script --sector-size 512
    expect_done
    expect_out_has '^RESOURCE_EXHAUSTED$'
    [ "$(wc -l <out)" -eq 5 ] || fail 'a line each'
}

test_json_gives_an_object_a_line()
{
    norkv image create f.bin
    exec_text 'put 6b 7631\nget 6b\nget 7a\nmaintain full\n' --json
    expect_done
    expect_json $'mount\tOK\t-\nput\tOK\t-\nget\tOK\t7631\nget\tNOT_FOUND\t-
maintain\tOK\t-' command status value_hex
}

run_tests
