#!/bin/sh
# udev_rule.sh FILE: a rule file that udev would take. It skips lines it does not
# understand, with no more than a line in its log; so each line's form is checked
# here: matches and assignments, and labels that are there. And what it says, in
# the order that udev goes through it: adapters send at once, other devices than
# ports are left alone; a port that is listed is for those who are logged in and
# not for ModemManager, one that is not gets nothing.
set -eu
awk '
function fail(what) { print FILENAME ":" NR ": " what; bad = 1 }
/^ *(#|$)/ { next }
{
    rest = $0
    content[++lines] = $0
    while (rest != "") {
        if (!match(rest, /^[A-Z]+({[A-Za-z_.]+})?(==|!=|\+=|:=|=)"[^"]*"/)) {
            fail("no match or assignment: " rest)
            break
        }
        item = substr(rest, 1, RLENGTH)
        rest = substr(rest, RLENGTH + 1)
        if (item ~ /^(ACTION|SUBSYSTEM|SUBSYSTEMS|DRIVER|ATTRS{[^}]*})=[^=]/)
            fail("can only be compared: " item)
        if (item ~ /^GOTO=/) wanted[substr(item, 6)] = NR
        if (item ~ /^GOTO=/ && substr(item, 6) in passed) fail("goes back")
        if (item ~ /^LABEL=/) {
            name = substr(item, 7)
            if (!(name in wanted)) fail("nothing goes to " name)
            delete wanted[name]
            passed[name] = 1
        }
        if (rest != "" && !sub(/^, */, "", rest)) fail("no comma: " rest)
    }
}
# The next line that is this, or has it; those that are asked for come in order.
function then_line(text, is_whole) {
    while (++at <= lines)
        if (is_whole ? content[at] == text : index(content[at], text)) return
    if (at == lines + 1) print FILENAME ": not there, or not in its place: " text
    bad = 1
}
END {
    then_line("SUBSYSTEM==\"usb-serial\", DRIVER==\"ftdi_sio\", ATTR{latency_timer}=\"1\"", 1)
    then_line("SUBSYSTEM!=\"tty\", GOTO=\"norkv_end\"", 1)
    then_line("GOTO=\"norkv_port\"", 0)
    then_line("GOTO=\"norkv_end\"", 1)
    then_line("LABEL=\"norkv_port\"", 1)
    then_line("TAG+=\"uaccess\"", 1)
    then_line("ENV{ID_MM_DEVICE_IGNORE}=\"1\"", 0)
    then_line("LABEL=\"norkv_end\"", 1)
    for (name in wanted) fail("no label " name " behind line " wanted[name])
    if (NR < 10) fail("the file is short")
    exit bad
}' "$1"
