# What the command line takes and refuses before any device is asked.
. "$(dirname "$0")/lib.sh" "$@"

test_each_command_explains_itself()
{
    for command in ports info get put del ls stats sectors verify sh collect erase-all apply \
        log echo image help; do
        norkv help $command
        expect_done
        expect_out_has "^norkv $command"
        cp out wanted
        norkv $command --help
        expect_done
        expect_same_file wanted out
    done
    for command in create get put del ls dump check exec; do
        norkv help image $command
        expect_done
        expect_out_has "^norkv image $command FILE"
        cp out wanted
        norkv image $command --help
        expect_done
        expect_same_file wanted out
    done
}

test_the_manual_has_every_command_and_option()
{
    local manual=$GOLDEN/../../docs/cli.md

    { "$NORKV" help; "$NORKV" help image; } |
        sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p' >words
    for command in get put ls apply erase-all log echo 'image create' \
        'image get' 'image check' 'image exec'; do
        "$NORKV" help $command
    done | sed -n 's/^ .*\(--[a-z-]*\) .*/\1/p' >>words
    [ "$(sort -u words | wc -l)" -gt 35 ] || fail 'the words were found'
    while read -r word; do
        grep -q -e "[[\`, ]$word[]\`, ]" "$manual" ||
            fail "docs/cli.md does not have '$word'"
    done <words
}

test_help_lists_every_command()
{
    norkv --help
    expect_done
    for command in ports info get put del ls stats sectors verify sh collect erase-all apply \
        log echo image help; do
        expect_out_has "^  $command "
    done
    expect_out_has 'Exit codes: 0 done, 1 failed, 2 usage, 3 key not found'
    cp out wanted
    norkv help
    expect_same_file wanted out
}

test_version_is_that_of_the_library()
{
    norkv --version
    expect_done
    expect_out_has '^norkv [0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9]*$'
}

test_no_command_is_a_usage_error()
{
    norkv
    expect_error 2 'norkv help'
    norkv image
    expect_error 2 'norkv help image'
}

test_a_mistyped_command_gets_the_nearest_named()
{
    norkv infp
    expect_error 2 "did you mean 'norkv info'"
    norkv image dmup f
    expect_error 2 "did you mean 'norkv image dump'"
    norkv frobnicate
    expect_error 2 "norkv help"
    norkv help frobnicate
    expect_error 2 "unknown command"
}

test_a_mistyped_option_gets_the_nearest_named()
{
    norkv info --prot x
    expect_error 2 "did you mean --port"
    norkv info --frobnicate
    expect_error 2 "unknown option '--frobnicate'"
    norkv info -x
    expect_error 2 "unknown option '-x'"
    norkv get -k
    expect_error 2 "unknown option '-k'.*a key or value that begins with - goes behind --"
    norkv info --port
    expect_error 2 '\-\-port needs a value'
    norkv info --json=1
    expect_error 2 '\-\-json takes no value'
}

test_an_option_of_another_command_is_refused()
{
    norkv --port x get k --file f
    expect_error 2 "'get' takes no --file"
    norkv image ls f --port x
    expect_error 2 "'image ls' takes no --port"
    norkv info --port x --sectors 4
    expect_error 2 "'info' takes no --sectors"
    norkv info --port x --key-hex
    expect_error 2 "'info' takes no --key-hex"
}

test_too_few_and_too_many_arguments_are_told_with_the_usage()
{
    norkv --port x get
    expect_error 2 'too few arguments: norkv get KEY'
    norkv --port x get a b
    expect_error 2 'too many arguments: norkv get KEY'
    norkv image put f
    expect_error 2 'too few arguments: norkv image put FILE KEY VALUE'
}

test_numbers_and_times_are_checked()
{
    for time in 0 -1 1h ten 1e3 0x10 '' . 1.2.3 ms 90000s; do
        norkv info --port x --timeout "$time"
        expect_error 2 'timeout'
    done
    for number in 99999999999 ''; do
        norkv stats --port x --store "$number"
        expect_error 2 'store'
    done
    norkv stats --port x --store ''
    expect_error 2 'the number or the name of a store'
    for number in -1 x 1.5 99999999999 '' ' 1'; do
        norkv info --port x --baud "$number"
        expect_error 2 'baud'
    done
    norkv echo --port x --interval 1h
    expect_error 2 "\-\-interval '1h' is no time"
    norkv info --port x --timeout 1441m
    expect_error 2 'from 1 ms to a day'
    norkv info --port x --baud 4294967296
    expect_error 2 'is no number from 1 to 4294967295'
    for number in 0 -1 x '' 99999999999; do
        norkv log --port x --count "$number"
        expect_error 2 'count'
        norkv echo --port x --size "$number"
        expect_error 2 'size'
    done
    norkv echo --port x --size 3901
    expect_error 2 'fits no packet: give 1 to 3900'
    norkv echo --port x --count 10000001
    expect_error 2 'too many: give 1 to 10000000'
    norkv info --port x --baud 0
    expect_error 2 'baud'
}

test_times_take_every_unit()
{
    for time in 300ms 0.3s 0.3 0.005m .3; do
        norkv info --port /dev/no-such-port --timeout "$time"
        expect_error 1 'no such port'
    done
}

test_a_port_must_be_named()
{
    for command in info 'get k' 'put k v' 'del k' ls stats sectors verify collect; do
        norkv $command
        expect_error 2 'NORKV_PORT'
    done
    expect_error 2 'no port was named; there are.*: give --port PORT, --serial-number SN'
    norkv erase-all
    expect_error 2 '\-\-unit-id'
    norkv erase-all --unit-id x
    expect_error 2 'NORKV_PORT'
}

test_a_port_is_chosen_by_what_it_is()
{
    norkv info --serial-number no-such-number
    expect_error 1 'no port fits serial number no-such-number; there are.*plugged in'
    norkv info --vid-pid fFfF:0001 --serial-number x
    expect_error 1 'no port fits ffff:0001 serial number x; there are'
    # What is given here counts for more than the environment.
    NORKV_PORT=/dev/no-such-port norkv info --vid-pid ffff:0001
    expect_error 1 'no port fits ffff:0001'
    norkv info --port x --serial-number y
    expect_error 2 '\-\-port names the port already'
    for ids in '' 1 0403 0403: 0403:60011 403:6001 0403-6001 0000:0001 \
        ' 403:6001' 0x03:6001 +403:6001; do
        norkv info --vid-pid "$ids"
        expect_error 2 'no pair of USB ids: write four hex digits'
    done
}

test_control_lines_are_kept_on_or_off()
{
    for state in keep on off; do
        norkv info --port /dev/no-such-port --dtr $state --rts $state
        expect_error 1 'no such port'
    done
    norkv info --port x --dtr up
    expect_error 2 "\-\-dtr 'up': write keep, on or off"
    norkv info --port x --rts ''
    expect_error 2 "\-\-rts '': write keep, on or off"
    norkv ports --dtr on
    expect_error 2 "'ports' takes no --dtr"
    for line in dtr rts; do
        norkv info --port tcp:127.0.0.1:1 --$line on
        expect_error 2 'only a serial port has the lines DTR and RTS'
    done
}

test_a_key_too_long_or_empty_is_refused()
{
    norkv --port /dev/no-such-port get "$(printf '%064d' 0)"
    expect_error 2 '64 bytes: give one of 1 to 63'
    norkv --port /dev/no-such-port put '' v
    expect_error 2 '0 bytes: give one of 1 to 63'
    norkv --port /dev/no-such-port get --key-hex 6g
    expect_error 2 'is not hex'
    norkv --port /dev/no-such-port get --key-hex "$(printf '%0128d' 0)"
    expect_error 2 '64 bytes: give one of 1 to 63'
    norkv --port /dev/no-such-port get "$(printf '%063d' 0)"
    expect_error 1 'no such port'
    norkv image create f
    for command in 'ls --port x' 'backup --port x' 'image ls f'; do
        norkv $command "$(printf '%064d' 0)"
        expect_error 2 "^norkv: prefix '0*' has 64 bytes: give one of 0 to 63"
    done
}

test_a_put_needs_one_value()
{
    norkv --port /dev/no-such-port put k
    expect_error 2 'no value'
    norkv --port /dev/no-such-port put k v --hex 00
    expect_error 2 'more than one value'
    norkv --port /dev/no-such-port put k --file f --hex 00
    expect_error 2 'more than one value'
    norkv --port /dev/no-such-port put k --hex 0
    expect_error 2 'is not hex'
    norkv --port /dev/no-such-port put k --file ./no-such-file
    expect_error 1 "cannot read './no-such-file': No such file"
}

test_collect_knows_three_kinds()
{
    norkv --port /dev/no-such-port collect some
    expect_error 2 'partial, full or heavy'
}

test_ports_lists_without_a_device()
{
    norkv ports
    expect_rc 0
    norkv ports --json
    expect_rc 0
    "$HELPERS/json_members" port <out >json || fail 'an object a line'
}

run_tests
