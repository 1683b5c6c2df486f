# The example that talks to two devices at once, on two simulators.
# bash two_devices.sh EXAMPLE NORKV-SIM
set -eu
example=$1
sim=$2
folder=$(mktemp -d)
pids=()
clean_up()
{
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap clean_up EXIT
for name in a b; do
    "$sim" --flash "$folder/$name.bin" --pty --link "$folder/$name" \
        >/dev/null 2>"$folder/$name.log" &
    pids+=($!)
done
for name in a b; do
    for _ in $(seq 1000); do
        [ -e "$folder/$name" ] && break
        sleep 0.02
    done
done
"$example" "$folder/a" "$folder/b" | sort >"$folder/out"
printf '%s: hello\n' "$folder/a" "$folder/b" | diff - "$folder/out"
if "$example" "$folder/none" 2>"$folder/err"; then
    echo "a port that is not there is no failure" >&2
    exit 1
fi
grep -q "no such port" "$folder/err"
