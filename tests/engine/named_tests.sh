#!/usr/bin/env bash
# Checks that what README.md and docs/format.md name is there:
# - each test in backquotes in README.md is a test of some test_*.c that runs it;
# - each of the 17 rows of "Better than the reference" names a test;
# - the table of docs/format.md has the same 17 rows, and its images exist;
# - the programs' table in README.md has every program.
#
# named_tests.sh ROOT
set -u
cd "$1/tests/engine" || exit 1
failures=0

complain() {
    echo "$*"
    failures=$((failures + 1))
}

# Names in backquotes in the text given as input, one a line.
quoted() {
    grep -oE '`[A-Za-z0-9_*./-]+`' | tr -d '`' | sort -u
}

# The tests that the programs run, one a line.
run=$(cat test_*.c | tr -d ' \n' |
    grep -oE '(TEST[A-Z_]*|cmocka_unit_test[a-z_]*)\([a-z0-9_]+[,)]' |
    sed -E 's/^[A-Za-z_]*\(//; s/[,)]$//' | sort -u)

# Whether a test of this name is run; * stands for some of its letters.
is_test() {
    grep -qxE "${1//\*/[a-z0-9_]+}" <<<"$run"
}

# Whether something that README.md names in backquotes exists.
exists() {
    case $1 in
    test_* | *.[ch]) [ -e "${1%.c}.c" ] || [ -e "../support/${1##*/}" ] ;;
    nkv_*) grep -qw "$1" ../../engine/include/norkv/*.h ;;
    *_*_*) is_test "$1" || [ -e "../golden/$1.bin" ] ||
        grep -q "\"$1\"" test_*.c cut_cases.c ;;
    *) true ;;
    esac
}

while read -r name; do
    exists "$name" || complain "README.md names $name, which is not there"
done < <(quoted <README.md)

better=$(sed -n '/^## Better than the reference/,$p' README.md)
differs=$(sed -n '/^## Where and why we differ/,$p' ../../docs/format.md)
for number in $(seq 17); do
    row=$(grep -E "^\| $number " <<<"$better" || true)
    found=0
    while read -r name; do
        case $name in
        test_*) [ -e "$name.c" ] && found=1 ;;
        *) is_test "$name" && found=1 ;;
        esac
    done < <(quoted <<<"$row")
    [ "$found" -eq 1 ] || complain "README.md has no test for $number"
    grep -qE "^\| $number \|" <<<"$differs" ||
        complain "docs/format.md has no row $number"
done
[ "$(grep -cE '^\| [0-9]+ \|' <<<"$differs")" -eq 17 ] ||
    complain "docs/format.md does not have 17 rows"

while read -r name; do
    case $name in
    pw_kvs) ;;
    *_*) [ -e "../golden/$name.bin" ] ||
        complain "docs/format.md names the image $name, which is not there" ;;
    esac
done < <(quoted <<<"$differs")

for program in test_*.c; do
    grep -qF "\`${program%.c}\`" README.md ||
        complain "README.md does not name ${program%.c}"
done
[ "$failures" -eq 0 ]
