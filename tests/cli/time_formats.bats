# What `perfkit time` writes for programs: the JSON schema in docs/, hyperfine's files as others read
# them, and the same figures everywhere.
load time_helper

GOLDEN=$ROOT/tests/unit/golden
SCHEMA=$ROOT/docs/time.schema.json

python() {
    local python=/usr/bin/python3
    [ -x "$python" ] || python=python3
    run -- timeout 60 "$python" "$@"
    [ "$status" != 77 ] || skip "$output"
    [ "$status" = 0 ] || { printf '%s\n' "$output"; return 1; }
}
check() { python "$ROOT/tests/cli/bench_formats.py" "$@"; }

# What a script that was written for hyperfine does with its JSON.
STATISTICS='
import json, statistics, sys
for r in json.load(open(sys.argv[1]))["results"]:
    times = r["times"]
    assert abs(statistics.mean(times) - r["mean"]) <= 1e-12 * r["mean"], "mean"
    assert statistics.median(times) == r["median"], "median"
    assert min(times) == r["min"] and max(times) == r["max"], "range"
    if len(times) == 1: assert r["stddev"] is None
    else: assert abs(statistics.stdev(times) - r["stddev"]) <= 1e-9 * r["stddev"], "stddev"
    assert len(r["exit_codes"]) == len(r["memory_usage_byte"]) == len(times), "lists"
    print(r["command"], *r.get("parameters", {}).values(), len(times))
'

@test "time: hand-made results are as the schema says" {
    check schema "$SCHEMA" "$GOLDEN/time.json"
}

@test "time: a document with all kinds of runs is as the schema says" {
    pk time --json -i -r 4 --timeout 300ms -L code 0,3 'exit {code}' 'sleep {code}' 'echo {code}; sleep 0.01'
    [ "$status" = 0 ]
    printf '%s\n' "$output" >all.json
    check schema "$SCHEMA" all.json
    [ "$(jq -r '[.results[].failed] | join(" ")' all.json)" = '0 0 0 4 4 0' ]
    [ "$(jq -r '[.results[].timed_out] | join(" ")' all.json)" = '0 0 0 0 4 0' ]
    [ "$(jq -r '.results[3].wall.n, .results[3].wall.mean' all.json)" = $'0\nnull' ]
    [ "$(jq -r '[.results[3].runs[] | .exit_code, .counted] | unique | join(" ")' all.json)" = 'false 3' ]
    [ "$(jq -r '.results[3].parameters.code' all.json)" = 3 ]
}

@test "time: the document and the key perfkit of the export are the same" {
    pk time --json --export-json export.json --export-csv-runs runs.csv -r 3 -n a -n b true 'sleep 0.01'
    [ "$status" = 0 ]
    printf '%s\n' "$output" >document.json
    check schema "$SCHEMA" document.json
    [ "$(jq -S '.results' document.json)" = "$(jq -S '[.results[].perfkit]' export.json)" ]
    [ "$(jq -r '[.results[] | .command, .perfkit.command] | join(" ")' export.json)" = 'a true b sleep 0.01' ]
    # one row a run, the same doubles
    python - <<'END'
import csv, json
runs = [(r["name"], run) for r in json.load(open("document.json"))["results"] for run in r["runs"]]
rows = list(csv.DictReader(open("runs.csv")))
assert len(rows) == len(runs) == 6, len(rows)
for row, (name, run) in zip(rows, runs):
    assert row["command"] == name
    for key in ("wall", "user", "system", "launch", "shell", "round", "place", "faults_minor", "exit_code"):
        assert (row[key] == "") == (run[key] is None) and float(row[key] or 0) == (run[key] or 0), key
    assert row["counted"] == "true" and row["failed"] == "false"
    assert float(row["memory_byte"]) == run["memory_bytes"]
END
}

@test "time: scripts for hyperfine's JSON read ours, by either name" {
    local name
    for name in pk hf; do
        [ "$name" = pk ] && set -- time || set --
        "$name" "$@" -N -r 5 --export-json "$name.json" -P t 1 2 'sleep 0.0{t}' true
        [ "$status" = 0 ]
        python -c "$STATISTICS" "$name.json"
        [ "$output" = $'sleep 0.01 1 5\ntrue 1 5\nsleep 0.02 2 5\ntrue 2 5' ]
    done
    pk time -N -r 1 --export-json one.json true
    python -c "$STATISTICS" one.json
    [ "$(jq -r '[.results[] | keys[]] | unique | join(" ")' hf.json)" = \
        'command exit_codes max mean median memory_usage_byte min parameters stddev system times user' ]
}

@test "time: tables and CSV have the figures of the JSON" {
    pk time -r 5 -u millisecond --export-json r.json --export-csv r.csv --export-markdown r.md \
        --export-orgmode r.org --export-asciidoc r.adoc 'sleep 0.01' 'sleep 0.02; true'
    [ "$status" = 0 ]
    python - <<'END'
import csv, json
results = json.load(open("r.json"))["results"]
rows = list(csv.DictReader(open("r.csv")))
fastest = min(r["mean"] for r in results)
cells = [[c.strip() for c in line.strip("|\n ").split("|")] for line in open("r.md")][2:]
org = [[c.strip() for c in line.strip("|\n ").split("|")] for line in open("r.org")][2:]
adoc = open("r.adoc").read().split("\n\n")[1:]
for r, row, md, o, a in zip(results, rows, cells, org, adoc, strict=True):
    for key in ("mean", "stddev", "median", "user", "system", "min", "max"):
        assert float(row[key]) == r[key], key
    ms = lambda x: f"{x * 1000:.1f}"
    figures = [f"{ms(r['mean'])} ± {ms(r['stddev'])}", ms(r["min"]), ms(r["max"])]
    assert md[:4] == [f"`{r['command']}`"] + figures, md
    assert o[:4] == [f"={r['command']}="] + figures, o
    assert [l[2:].strip() for l in a.splitlines()[:4]] == [f"`{r['command']}`"] + figures, a
    assert md[4].split()[0] == f"{r['mean'] / fastest:.2f}" and md[4] == o[4]
END
}

@test "time: the page of a run has its verdict and its failed runs" {
    pk time -i -r 12 --report page.html 'sleep 0.01' 'sleep 0.02' 'exit 3'
    [ "$status" = 0 ]
    grep -q '<title>3 commands</title>' page.html
    grep -Eq '\+[0-9.]+ % slower \(' page.html
    grep -q '12 of 12 runs failed (exit code 3); not in the figures' page.html
    run grep -c -i -e '<script' -e 'src=' -e 'href="http' page.html
    [ "$output" = 0 ]
}
