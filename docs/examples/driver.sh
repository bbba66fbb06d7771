#!/bin/sh
# A driver for `perfkit bench --driver docs/examples/driver.sh`, in POSIX shell (and date +%N, which
# GNU and busybox have). It measures two ways to take the folder off a path: inside the shell, and
# by a process. The protocol is in docs/driver-protocol.md.

# ---- what is measured: functions of the shell, called once per iteration ----

path=/usr/share/doc/perfkit/README.md
bench_expansion() { name=${path##*/}; }
bench_process() { name=$(basename "$path"); }

# ---- the job: lines of a key and a value ----

while IFS= read -r line; do
    case $line in
    'protocol 1') ;;
    'protocol '*) # one that came after this script
        printf '%s\n' 'reply refused' 'why this driver speaks protocol 1' end >&3
        exit 0 ;;
    'task '*) task=${line#* } ;;
    'function '*) function=${line#* } ;;
    'worker-ns '*) worker_ns=${line#* } ;;
    'warm-ns '*) warm_ns=${line#* } ;;
    'unit-ns '*) unit_ns=${line#* } ;;
    end) break ;;
    esac
done

if [ "$task" = list ]; then
    printf '%s\n' 'reply done' \
        offer 'group basename' 'function expansion' \
        offer 'group basename' 'function process' end >&3
    exit 0
fi

# ---- measuring ----

# The clock is a process of a millisecond or two, so a unit is longer than perfkit asks for. What
# one costs is in every unit once, which makes the result a few per cent too large.
[ "$unit_ns" -ge 40000000 ] || unit_ns=40000000

time_of() { # ITERATIONS: sets `took`
    i=0
    start=$(date +%s%N)
    while [ "$i" -lt "$1" ]; do
        "bench_$function"
        i=$((i + 1))
    done
    took=$(($(date +%s%N) - start))
}

time_loop() { # the same without the work
    i=0
    start=$(date +%s%N)
    while [ "$i" -lt "$1" ]; do
        i=$((i + 1))
    done
    took=$(($(date +%s%N) - start))
}

case $task in
once)
    time_of 1
    ;;
for) # for a profiler
    until=$(($(date +%s%N) + worker_ns))
    while [ "$(date +%s%N)" -lt "$until" ]; do time_of 100; done
    ;;
measure)
    n=1
    time_of $n
    while [ "$took" -lt $((unit_ns / 2)) ]; do
        n=$((n * 2))
        time_of $n
    done
    spent=$took
    while [ "$spent" -lt "$warm_ns" ]; do
        time_of $n
        spent=$((spent + took))
    done
    time_loop 10000
    loop_ns=$((took / 10000))
    units=
    spent=0
    while [ -z "$units" ] || [ "$spent" -lt "$worker_ns" ]; do
        time_of $n
        spent=$((spent + took))
        units="${units}unit $took
"
    done
    ;;
esac

{
    echo 'reply done'
    [ "$task" = measure ] && printf 'loop %s\niterations %s\n%s' "$loop_ns" "$n" "$units"
    echo end
} >&3
