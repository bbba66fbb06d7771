#!/bin/sh
# A driver whose benchmarks each go wrong in another way, but for the first, which is measured well.
# With an argument the list itself goes wrong, in that way.

faults='fine zero negative nan tiny ages overflow mixed no_units no_iterations half silent exit signal
stdout stderr reply hang twice behind unknown unreal refused mute forever'

task=list function=
while IFS= read -r line; do
    case $line in
    'task '*) task=${line#* } ;;
    'function '*) function=${line#* } ;;
    end) break ;;
    esac
done

say() { printf '%s\n' "$@" >&3; }
# Works for a while, so that 500 us of units are no lie.
work() { i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; }

go_wrong() {
    case $1 in
    fine) work; say 'reply done' 'loop 1.5' 'iterations 10' 'unit 100 90 0' 'unit 120 90 20' end ;;
    zero) say 'reply done' 'iterations 10' 'unit 0 0 0' end ;;
    negative) say 'reply done' 'iterations 10' 'unit -100' end ;;
    nan) say 'reply done' 'iterations 10' 'unit nan' end ;;
    tiny) say 'reply done' 'iterations 1000000000' 'unit 100' end ;;
    ages) say 'reply done' 'iterations 10' 'unit 3600000000000' end ;;
    overflow) say 'reply done' 'iterations 10' 'unit 9223372036854775807' 'unit 9223372036854775807' 'unit 9' end ;;
    mixed) say 'reply done' 'iterations 10' 'unit 100 90' 'unit 100' end ;;
    no_units) say 'reply done' end ;;
    no_iterations) say 'reply done' 'unit 100' end ;;
    half) say 'reply done' 'iterations 10' 'unit 100'; printf 'unit 1' >&3 ;;
    silent) ;;
    exit) echo 'out of cheese'; say 'reply done'; exit 7 ;;
    signal) kill -KILL $$ ;;
    stdout) work; head -c 30000000 /dev/zero | tr '\0' x; say 'reply done' 'iterations 10' 'unit 100' end ;;
    stderr) head -c 30000000 /dev/zero | tr '\0' y >&2; printf '\nthe last words\n' >&2; exit 3 ;;
    reply) yes >&3 ;;
    hang) sleep 300 ;;
    twice) say 'reply done' 'iterations 10' 'iterations 10' 'unit 100' end ;;
    behind) say 'reply done' 'iterations 10' 'unit 100' end 'reply done' end ;;
    unknown) say 'reply done' 'iterations 10' 'colour red' 'unit 100' end ;;
    unreal) say 'reply done' 'iterations 99999999999999999999' 'unit 100' end ;;
    refused) say 'reply refused' 'why no moon today' end ;;
    mute) say 'reply refused' end ;;
    forever) yes ;;
    esac
}

if [ "$task" != list ]; then
    go_wrong "$function"
elif [ $# -gt 0 ]; then
    go_wrong "$1"
else
    say 'reply done'
    for fault in $faults; do say offer 'group faults' "function $fault"; done
    say end
fi
