#!/bin/sh
# Renders the sample towns of the training, three drives of each (`<seed>-<condition>`), into the folder $1.
# Seeds from 1100 are held out; seeds below 1000 are for judging and never rendered here.
set -e
vpr="node $(dirname "$0")/../../bin/vpr.mjs"
drive() { # seed condition number left frames
    [ -f "$out/$1-$2/poses.csv" ] && return
    rm -rf "$out/$1-$2" # of a run that was cut off
    $vpr sample render -o "$out/$1-$2" --seed "$1" --condition "$2" --drive "$3" --left="$4" \
        --frames "$5" --route $(($5 * 2)) --aliased 12 --width 192 --height 144
}
out=$1
for seed in 1100 1101; do
    drive $seed day 0 -1.5 120
    drive $seed dusk 1 -0.9 120
done
for number in 0 1 2 3 4; do
    for condition in morning overcast night winter; do
        seed=$((1000 + number * 4))
        case $condition in overcast) seed=$((seed + 1)) ;; night) seed=$((seed + 2)) ;; winter) seed=$((seed + 3)) ;; esac
        drive $seed day 0 -1.5 60
        drive $seed dusk 1 -0.9 60
        drive $seed $condition 2 -1.2 60
    done
done
