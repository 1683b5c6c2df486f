#!/bin/sh
# readme_shows.sh README LANGUAGE FILE: the only code block of that language in
# README is FILE, to the byte.
awk -v start="^\`\`\`$2\$" '$0 ~ start { on = 1; next }
    /^```$/ { on = 0 }
    on { print }' "$1" | diff -u - "$3"
