# norkv apply: a whole file is written, or nothing of it.
. "$(dirname "$0")/lib.sh" "$@"

unit()
{
    mkdir -p unit
    head -c 256 /dev/urandom >unit/cal.bin
    printf -- '-----BEGIN CERTIFICATE-----\nMIIB"quoted"\n-----END-----\n' \
        >unit/cert.pem
    cat >unit/unit.csv <<'CSV'
key,encoding,value,note
serial,text,SN-0001,on the label
mac,hex,00AAbbCCddEE,
cal,file,cal.bin,from the bench
cert,text,"-----BEGIN CERTIFICATE-----
MIIB""quoted""
-----END-----
",several lines
region,text," EU, UK ",blanks stay
empty,text,,
CSV
}

# What is wrong with the file must be told, and nothing be written.
expect_refused()
{
    expect_error 1 "$1"
    norkv ls
    expect_done
    expect_out "${2-}"
}

test_each_setting_is_written_byte_for_byte()
{
    unit
    device
    norkv apply unit/unit.csv
    expect_done
    expect_out 'wrote 6 settings, 0 were the same'
    norkv get cal
    expect_same_file unit/cal.bin out
    norkv get cert
    expect_same_file unit/cert.pem out
    norkv get region
    printf ' EU, UK ' >value
    expect_same_file value out
    norkv get empty
    : >value
    expect_same_file value out
    norkv get mac --json
    expect_json 00aabbccddee value_hex
    norkv ls
    expect_out $'cal\ncert\nempty\nmac\nregion\nserial'
}

test_paths_are_relative_to_the_file()
{
    unit
    device
    mkdir elsewhere
    cd elsewhere || exit 1
    norkv apply ../unit/unit.csv
    cd "$TMP" || exit 1
    expect_done
    norkv get cal
    expect_same_file unit/cal.bin out
    printf 'key,encoding,value\ncal,file,%s\n' "$TMP/unit/cert.pem" >abs.csv
    norkv apply abs.csv
    expect_done
    norkv get cal
    expect_same_file unit/cert.pem out
}

test_applying_again_changes_nothing()
{
    unit
    device
    norkv apply unit/unit.csv
    norkv stats --json
    "$HELPERS/json_members" transaction_count bytes_programmed <out >before
    norkv apply unit/unit.csv
    expect_done
    expect_out 'wrote 0 settings, 6 were the same'
    norkv stats --json
    "$HELPERS/json_members" transaction_count bytes_programmed <out >after
    expect_same_file before after
}

test_json_tells_of_each_setting_and_sums_up()
{
    unit
    device
    norkv apply unit/unit.csv --json
    expect_done_showing apply
    expect_json $'serial\t2\t7\tOK\t1\t-
mac\t3\t6\tOK\t2\t-
cal\t4\t256\tOK\t3\t-
cert\t5\t55\tOK\t4\t-
region\t9\t8\tOK\t5\t-
empty\t10\t0\tOK\t6\t-
-\t-\t-\t-\t-\t6' key line size status version written
}

test_what_is_there_already_does_not_count_as_written()
{
    unit
    device
    # One is there, of one there is another value, of one a tombstone.
    norkv put region ' EU, UK '
    norkv put serial SN-0000
    norkv put mac 1
    norkv del mac
    norkv apply unit/unit.csv --json
    expect_done_showing apply
    expect_json $'serial\tfalse\t-\t-\t-
mac\tfalse\t-\t-\t-
cal\tfalse\t-\t-\t-
cert\tfalse\t-\t-\t-
region\ttrue\t-\t-\t-
empty\tfalse\t-\t-\t-
-\t-\t6\t5\t1' key unchanged settings written same
    norkv put cal other
    norkv apply unit/unit.csv
    expect_out 'wrote 1 settings, 5 were the same'
    norkv apply unit/unit.csv --json
    tail -n 1 out >last
    mv last out
    expect_json $'6\t0\t6\tfalse' settings written same dry_run
}

test_a_dry_run_writes_nothing()
{
    unit
    device
    norkv apply unit/unit.csv --dry-run
    expect_done
    expect_out 'checked 6 settings, wrote none'
    norkv apply unit/unit.csv --dry-run --json
    expect_json $'6\t0\ttrue' settings written dry_run
    norkv ls
    expect_out ''
}

test_columns_are_found_by_name()
{
    device
    printf '\357\273\277note,value,key,encoding\r\nx,76,k,hex\r\n\r\n' >f.csv
    norkv apply f.csv
    expect_done
    norkv get k
    printf v >value
    expect_same_file value out
}

test_keys_can_be_given_in_hex()
{
    device
    printf 'key,encoding,value\n00ff,text,v\n' >f.csv
    norkv apply f.csv --key-hex
    expect_done
    norkv ls
    expect_out hex:00ff
}

test_standard_input_can_be_the_file()
{
    device
    printf 'key,encoding,value\nk,text,v\n' >f.csv
    norkv_from f.csv apply -
    expect_done
    norkv ls
    expect_out k
}

test_a_truncated_file_is_refused_whole()
{
    local size line row

    unit
    device
    size=$(wc -c <unit/unit.csv)
    # The ends of rows, where a cut cannot be seen.
    for row in 2 3 4 8 9 10; do
        head -n $row unit/unit.csv | wc -c
    done >row_ends
    # tests/cli/parse_test.c cuts everywhere.
    for cut in $(seq 0 23 $((size - 1)) | grep -vxFf row_ends); do
        head -c "$cut" unit/unit.csv >unit/cut.csv
        norkv apply unit/cut.csv
        expect_error 1 "'unit/cut.csv' line [0-9]*: "
    done
    norkv ls
    expect_out ''
    head -c 130 unit/unit.csv >unit/cut.csv
    line=$(grep -n '^cert' unit/cut.csv | cut -d: -f1)
    norkv apply unit/cut.csv
    expect_refused "line $line: the quote that opens here is never closed"
    printf 'key,encoding,value\na,text,1\nb,text\n' >cut.csv
    norkv apply cut.csv
    expect_refused "line 3: 2 of 3 columns"
    printf 'key,encoding,value\na,text,1\nb,text,tw' >cut.csv
    norkv apply cut.csv
    expect_refused "line 3: the file ends inside this line"
}

test_what_makes_no_sense_is_refused_with_its_line()
{
    local row

    device
    norkv put stays there
    while IFS='|' read -r row what; do
        printf 'key,encoding,value\ngood,text,1\n%b\n' "$row" >f.csv
        norkv apply f.csv
        expect_refused "'f.csv' line 3: $what" stays
    done <<'ROWS'
k,base64,eHg=|unknown encoding 'base64': write text, hex or file
k,hex,abc|'abc' is not hex
k,hex,zz|'zz' is not hex
,text,v|the key has 0 bytes
0123456789012345678901234567890123456789012345678901234567890123,text,v|the key has 64 bytes
good,text,2|key 'good' is in line 2 already
k,text,a,b|4 columns where the first line has 3
k,text,"a"b|a quote in the wrong place
k,file,|encoding file needs a path
ROWS
    : >f.csv
    norkv apply f.csv
    expect_refused 'the file is empty' stays
    echo key,encoding,value >f.csv
    norkv apply f.csv
    expect_refused 'no settings follow' stays
    printf 'key,value\nk,v\n' >f.csv
    norkv apply f.csv
    expect_refused "line 1: no column 'encoding'" stays
    printf 'key,encoding,value,key\nk,text,v,k\n' >f.csv
    norkv apply f.csv
    expect_refused "line 1: column 'key' is there 2 times" stays
    norkv apply no-such-file.csv
    expect_refused "cannot read 'no-such-file.csv': No such file" stays
    printf 'key,encoding,value\ngood,text,1\nk,file,none.bin\n' >f.csv
    norkv apply f.csv
    expect_refused "'f.csv' line 3: cannot read 'none.bin': No such file.*; nothing was written" stays
    norkv apply .
    expect_refused "cannot read '.': Is a directory" stays
}

test_what_the_device_does_not_take_is_refused_before_anything_is_written()
{
    device $(for_sim --max-keys 3)
    ask_device
    head -c $((MAX_VALUE + 61)) /dev/zero >big.bin
    printf 'key,encoding,value\ngood,text,1\nbig,file,big.bin\n' >f.csv
    norkv apply f.csv
    expect_refused "line 3: key 'big': the value has $((MAX_VALUE + 61)) bytes"
    norkv put other 1
    settings 1 "$MAX_KEYS" >f.csv
    norkv apply f.csv
    expect_refused "more than the $MAX_KEYS" other
    { settings 2 "$MAX_KEYS"; echo other,text,2; } >f.csv
    norkv apply f.csv
    expect_done
}

test_a_value_that_fits_the_frame_but_no_sector_is_refused()
{
    needs 'sectors smaller than a frame'
    device --sector-size 512 --sectors 4
    head -c 600 /dev/zero >big.bin
    printf 'key,encoding,value\ngood,text,1\nbig,file,big.bin\n' >f.csv
    norkv apply f.csv
    expect_refused "line 3: key 'big': the value has 600 bytes"
    head -c 493 /dev/zero >big.bin
    norkv apply f.csv
    expect_done
}

test_a_store_that_fills_up_on_the_way_says_where()
{
    local count

    device $(for_sim --sector-size 512 --sectors 3)
    ask_device
    count=$((SECTORS * SECTOR_SIZE / MAX_VALUE + 1))
    settings 1 "$count" "$MAX_VALUE" >f.csv
    norkv apply f.csv
    expect_error 1 "'f.csv' line [0-9]*: key 'k[0-9]*': .*full.* of $count settings were written, 0 were the same: apply again"
    norkv get k1
    expect_same_file value out
    norkv apply f.csv
    expect_error 1 "; [0-9]* of $count settings were written, [1-9][0-9]* were the same: apply again"
    norkv apply f.csv --json
    expect_rc 1
    "$HELPERS/json_members" status <out >json || fail 'an object a line'
    grep -q RESOURCE_EXHAUSTED json || fail 'the status of each is told'
}

test_json_means_the_same_as_csv()
{
    unit
    cat >unit/unit.json <<'JSON'
[
  {"key": "serial", "text": "SN-0001", "note": {"any": ["thing"]}},
  {"key": "mac", "hex": "00AAbbccDDEE"},
  {"key": "cal", "file": "cal.bin"},
  {"key": "cert", "text": "-----BEGIN CERTIFICATE-----\nMIIB\"quoted\"\n-----END-----\n"},
  {"key": "region", "text": " EU, UK "},
  {"key": "empty", "text": ""},
  {"key": "nul", "text": "a\u0000b\u00e9"}
]
JSON
    device
    norkv apply unit/unit.json --dry-run
    expect_done
    expect_out 'checked 7 settings, wrote none'
    norkv apply unit/unit.json --json
    expect_done_showing apply
    "$HELPERS/json_members" element key <out >json
    [ "$(sed -n 2p json)" = $'2\tmac' ] || fail "element 2: $(cat json)"
    tail -n 1 out >last
    mv last out
    expect_json $'7\t7' settings written
    norkv get cal
    expect_same_file unit/cal.bin out
    norkv get cert
    expect_same_file unit/cert.pem out
    norkv get nul
    printf 'a\000b\303\251' >value
    expect_same_file value out
    # All but one of them is there already, as the CSV file has it.
    norkv apply unit/unit.csv
    expect_done
    norkv get mac --json
    expect_json $'00aabbccddee\t2' value_hex version
}

test_the_type_of_a_file_is_its_suffix_or_what_is_told()
{
    device
    echo '[{"key":"6b","hex":"01"}]' >f.csv
    norkv apply f.csv
    expect_refused "'f.csv' line 1: a quote in the wrong place"
    norkv apply f.csv --type json --key-hex
    expect_done
    norkv_from f.csv apply --type json -
    expect_done
    norkv apply f.csv --type xml
    expect_error 2 "type 'xml': give csv or json"
    printf 'key,encoding,value\nb,text,1\n' >f.json
    norkv apply f.json
    expect_error 1 "'f.json' line 1: no JSON"
    norkv apply f.json --type csv
    expect_done
    norkv ls
    expect_out $'6b\nb\nk'
}

test_bad_json_is_refused_whole()
{
    local good='{"key":"a","text":"1"}'

    device
    while IFS='|' read -r rest message; do
        printf '[%s,%s' "$good" "$rest" >f.json
        norkv apply f.json
        expect_refused "$message.*; nothing was written"
    done <<'JSON'
{"key":"b","te|line 1: no JSON
1]|element 2: no object
{"text":"1"}]|element 2: no key
{"key":"b"}]|element 2: 0 of text, hex and file are there: give one
{"key":"b","text":"1","hex":"01"}]|element 2: 2 of text
{"key":"b","text":1}]|element 2: 'text' is no string
{"key":["b"],"text":"1"}]|element 2: 'key' is no string
{"key":"b","hex":"0"}]|element 2: '0' is not hex
{"key":"","text":"1"}]|element 2: the key has 0 bytes
{"key":"a","text":"2"}]|element 2: key 'a' is in element 1 already
{"key":"b","file":""}]|element 2: encoding file needs a path
{"key":"b","key":"c","text":"1"}]|line 1: no JSON
{"key":"b","text":"1"}] x|line 1: no JSON
JSON
    echo '[]' >f.json
    norkv apply f.json
    expect_refused 'the array is empty'
    echo '{"key":"a","text":"1"}' >f.json
    norkv apply f.json
    expect_refused 'no array'
    printf '[%s,\n%s' "$good" '{"key":"b","file":"none"}]' >f.json
    norkv apply f.json
    expect_refused "'f.json' element 2: cannot read 'none': No such file.*; nothing was written"
    ask_device
    printf '[{"key":"b","text":"%s"}]' "$(printf "%0$((MAX_VALUE + 63))d" 0)" >f.json
    norkv apply f.json
    expect_refused "'f.json' element 1: key 'b': the value has $((MAX_VALUE + 63)) bytes"
}

# Several are under way at once: the second is not held back until the first is
# answered.
test_settings_are_sent_ahead_of_answers()
{
    local second answer

    start_sim --pty --baud 115200
    settings 1 50 >f.csv
    norkv --port "$PORT" apply f.csv -v
    expect_rc 0
    expect_out 'wrote 50 settings, 0 were the same'
    second=$(grep -n '^> .*Store/Put' err | sed -n '2s/:.*//p')
    answer=$(grep -n '^< .*RESPONSE.*Store/Put' err | sed -n '1s/:.*//p')
    [ -n "$second" ] && [ -n "$answer" ] && [ "$second" -lt "$answer" ] ||
        fail "line '$second' sends the second, '$answer' answers the first"
}

test_progress_is_told()
{
    # 2 s at the least.
    start_sim --pty --baud 19200
    settings 1 50 >f.csv
    norkv --port "$PORT" apply f.csv --json
    expect_done_showing apply
    expect_full_progress
}

test_a_device_that_dies_in_the_middle_keeps_what_it_acknowledged()
{
    local i

    needs 'a power cut at a given operation'
    device --cut-at 60
    { echo key,encoding,value
      for i in $(seq 50); do echo "k$i,text,value of $i"; done; } >f.csv
    norkv apply f.csv --json --timeout 50s
    expect_rc 1
    [ "$(grep -cv '^{"progress":"apply",' err)" -eq 1 ] || fail 'one line on stderr'
    "$HELPERS/json_members" key status <out | sed -n 's/\tOK$//p' >acknowledged
    [ -s acknowledged ] || fail 'some were written'
    wait "$DEVICE_PID"
    DEVICE_PID=
    device
    while read -r key; do
        norkv get "$key"
        expect_done
        printf 'value of %s' "${key#k}" >value
        expect_same_file value out
    done <acknowledged
    norkv apply f.csv
    expect_done
    norkv ls --json
    [ "$(wc -l <out)" -eq 50 ] || fail 'all are there now'
}

run_tests
