# The picture of the line in docs/performance.md.
#
# gnuplot -c plot_line.gp FIGURES PNG
figures = ARG1

set terminal pngcairo noenhanced size 1200,620 font "DejaVu Sans,12" background "white"
set output ARG2

# The shares, without what is the same in each name.
shares = sprintf("< sed -n 's/^line\\.\\(.*\\)\\.share \\(.*\\)/\\1 \\2/p' '%s'", \
    figures)

set title "Key and value bytes, of what the line carries: records of 44 bytes, 1 ms each way" \
    font "DejaVu Sans Bold,14"
set border 3 lc rgb "#404040"
set tics nomirror out
set grid ytics lc rgb "#dddddd" lt 1
set ylabel "percent"
set yrange [0:105]
set xtics rotate by -35 font ",10"
set boxwidth 0.7
set bmargin 9
set rmargin 12
plot shares using 0:2:xtic(1) with boxes fs solid 0.85 noborder \
         lc rgb "#1f5fa8" notitle, \
     shares using 0:2:(sprintf("%.0f", $2)) with labels offset 0,0.6 \
         font ",10" tc rgb "#404040" notitle
