# The picture in docs/performance.md.
#
# gnuplot -c plot.gp FIGURES REFERENCE WEAR PNG
figures = ARG1
reference = ARG2
wear = ARG3

set terminal pngcairo size 1800,1080 font "DejaVu Sans,13" background "white"
set output ARG4

# The values of one figure by number of keys, as a command to read from.
select(file, side, workload, figure) = sprintf( \
    "< awk '{ split($1, p, \".\") } p[1] == \"%s\" && p[2] == \"%s\" && p[4] == \"%s\" { print substr(p[3], 2), $2 }' '%s'", \
    side, workload, figure, file)
ours(workload, figure) = select(figures, "engine", workload, figure)
theirs(workload, figure) = select(reference, "reference", workload, figure)

# The values of one figure of worst_put by percent live.
worst(kind, figure) = sprintf( \
    "< awk '{ split($1, p, \".\") } p[2] ~ /^worst_put_%s_f/ && p[4] == \"%s\" { print substr(p[2], length(p[2]) - 1), $2 }' '%s'", \
    kind, figure, figures)

blue = "#1f5fa8"
orange = "#d9720f"
green = "#2c8a4b"
grey = "#8a8a8a"

set style line 1 lc rgb blue lw 2.5 pt 7 ps 1.3
set style line 2 lc rgb orange lw 2.5 pt 5 ps 1.3
set style line 3 lc rgb blue lw 2 dt 2 pt 6 ps 1.3
set style line 4 lc rgb orange lw 2 dt 2 pt 4 ps 1.3
set style line 5 lc rgb green lw 2.5 pt 9 ps 1.5
set style line 6 lc rgb grey lw 2 dt 3

# Before there are ranges, which would apply.
stats wear using 2 nooutput name "wear"

set border 3 lc rgb "#404040"
set tics nomirror out
set grid ytics lc rgb "#dddddd" lt 1
set title font "DejaVu Sans Bold,14"
set key top right spacing 1.25 samplen 2.5 font ",12"
set bmargin 4.2
set lmargin 10
set rmargin 3

set multiplot layout 2,3 title \
    "norkv: keys of 12 bytes, values of 32, sectors of 4 KiB" \
    font "DejaVu Sans Bold,17" offset 0,-0.2

# By number of keys.
set logscale x 4
set xrange [45:24000]
set xtics (64, 256, 1024, 4096, 16384)
set xlabel "keys (the flash holds 2.5 times as many entries)"

set title "Programmed for each byte of payload"
set ylabel "bytes"
set yrange [1.3:3.2]
set label 1 "least possible: 1.455" at 60,1.455 offset 0,-0.8 \
    textcolor rgb grey font ",11"
plot ours("overwrite_uniform", "programmed_per_payload") \
         with linespoints ls 1 title "uniform overwrites", \
     theirs("overwrite_uniform", "programmed_per_payload") \
         with linespoints ls 3 title "the same, pw\\_kvs", \
     ours("overwrite_hot90", "programmed_per_payload") \
         with linespoints ls 2 title "90 % to 10 % of the keys", \
     theirs("overwrite_hot90", "programmed_per_payload") \
         with linespoints ls 4 title "the same, pw\\_kvs", \
     64.0 / 44 with lines ls 6 notitle
unset label 1

set title "Read by a mount"
set ylabel "share of the partition"
set yrange [0:2.2]
plot ours("mount_full", "read_share") with linespoints ls 1 \
         title "mount", \
     ours("mount_fast", "read_share") with linespoints ls 5 \
         title "with fast\\_mount", \
     theirs("mount_full", "read_share") with linespoints ls 3 \
         title "pw\\_kvs"

set title "Time of a call, simulated flash on a PC"
set ylabel "nanoseconds"
set logscale y
set yrange [10:1000000]
set format y "10^{%T}"
plot ours("overwrite_uniform", "ns") with linespoints ls 2 title "put", \
     ours("mount_full", "ns_per_key") with linespoints ls 5 \
         title "mount, for each key", \
     ours("get_hit", "ns") with linespoints ls 1 title "get", \
     ours("get_miss", "ns") with linespoints ls 3 title "get of no such key"
unset logscale
set format y

# Wear.
set title "Wear: 10 % of 1024 keys overwritten, 90 % never"
set xlabel "sectors, from the least worn to the most"
set ylabel "erases, 1 is the mean"
set xtics 0,10,40
set xrange [0.2:40.8]
set yrange [0:2.2]
set object 1 rectangle from 0.2,0 to 40.8,1.6 fc rgb "#eeeeee" \
    fs solid noborder behind
set label 1 "pw\\_kvs: from 0 to 1.6" at 1.2,1.6 offset 0,-0.8 \
    textcolor rgb "#606060" font ",11"
set boxwidth 0.75
plot sprintf("< sort -n -k 2 '%s'", wear) using ($0 + 1):($2 / wear_mean) \
         with boxes fs solid 0.85 lc rgb blue title \
         sprintf("a sector; %.0f erases on average", wear_mean), \
     1 with lines ls 6 notitle
unset object 1
unset label 1

# The longest put, by part: a cluster of three bars for each fill.
set xlabel "percent of 40 sectors that are live"
set ylabel "milliseconds of the flash"
set xtics ("50" 0, "60" 1, "70" 2, "80" 3)
set key top left reverse Left
width = 0.26
set boxwidth width * 0.92
kinds = "busy steps4 idle"
colours = orange . " " . green . " " . blue
names = "'never idle' 'never idle, steps\\_per\\_write = 4' 'idle between puts'"
do for [part in "spi mcu"] {
    set title part eq "spi" \
        ? "The longest put: SPI NOR (W25Q256JV)" \
        : "The longest put: flash of an MCU (nRF52840)"
    figure = "modelled_ms_" . part
    set xrange [*:*]
    set yrange [*:*]
    stats worst("[a-z0-9]*", figure) using 2 nooutput name "worst"
    set xrange [-0.6:3.6]
    set yrange [0:worst_max * 1.45]
    plot for [i = 0:2] worst(word(kinds, i + 1), figure) \
             using ($0 + (i - 1) * width):2 \
             with boxes fs solid 0.85 noborder lc rgb word(colours, i + 1) \
             title word(names, i + 1), \
         for [i = 0:2] worst(word(kinds, i + 1), figure) \
             using ($0 + (i - 1) * width):2:(sprintf("%.3g", $2)) \
             with labels offset 0,0.6 font ",10" tc rgb "#404040" notitle
}
unset multiplot
