#!/bin/sh
# udev_rule.sh FILE: a rule file that udev would take. It skips lines it does not
# understand, with no more than a line in its log; so each line's form is checked
# here: matches and assignments, and labels that are there.
set -eu
awk '
function fail(what) { print FILENAME ":" NR ": " what; bad = 1 }
/^ *(#|$)/ { next }
{
    rest = $0
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
        if (item ~ /^LABEL=/) {
            name = substr(item, 7)
            if (!(name in wanted)) fail("nothing goes to " name)
            delete wanted[name]
        }
        if (rest != "" && !sub(/^, */, "", rest)) fail("no comma: " rest)
    }
}
END {
    for (name in wanted) fail("no label " name " behind line " wanted[name])
    if (NR < 10) fail("the file is short")
    exit bad
}' "$1"
