# perfkit compare of two profiles.
load helper

folded() {
    printf 'main;hot 700\nmain;cold 300\n' >before.folded
    printf 'main;hot 500\nmain;cold 420\nmain;new 80\n' >after.folded
}

@test "compare: profiles: the functions that changed, told from chance" {
    folded
    pk compare before.folded after.folded
    [ "$status" -eq 0 ]
    [[ $output == "before  before.folded: 1000 samples"$'\n'"after   after.folded: 1000 samples"* ]]
    [[ $(tr -s ' ' <<<"$output") == *"700 70.00 % 500 50.00 % -20.00 +- 4.20 -20.00 +- 4.20 less hot"* ]]
    [[ $(tr -s ' ' <<<"$output") == *"0 0.00 % 80 8.00 % +8.00 +- 1.70 +8.00 +- 1.70 more new"* ]]
    pk compare before.folded after.folded --top 1 --by total
    [ "${lines[2]#total before}" != "${lines[2]}" ]
    [ "${lines[4]}" = "and 3 more functions" ]
}

@test "compare: profiles: few samples prove little" {
    printf 'main;hot 7\nmain;cold 3\n' >few.folded
    printf 'main;hot 5\nmain;cold 5\n' >other.folded
    pk compare few.folded other.folded
    [ "$status" -eq 0 ]
    [[ $output == *"may be chance  hot"* ]]
    run grep -E 'more|less' <<<"$output"
    [ "$status" -eq 1 ]
}

@test "compare: profiles: a flame graph of the difference, which can be compared itself" {
    folded
    pk compare before.folded after.folded -o diff.svg --color always
    [ "$status" -eq 0 ]
    [[ $stderr == "diff.svg: "* ]]
    grep -q 'Differential Flame Graph' diff.svg
    pk compare diff.svg after.folded --json
    [ "$status" -eq 0 ]
    jq -e '.schema == "flame-compare/1" and .before.samples == 1000 and
        ([.functions[] | .self.change, .total.change] | all(. == 0)) and
        ([.functions[].significant] | any | not)' <<<"$output"
}

@test "compare: profiles: what does not go together is one line" {
    folded
    pk compare before.folded after.folded before.folded
    one_line_error "one other profile"
    pk compare before.folded baseline
    one_line_error "one other profile"
    pk compare before.folded after.folded --fail-on regressed
    one_line_error "--fail-on is for benchmarks"
    pk compare a b --top 3
    one_line_error "--top is for profiles"
    printf '<svg></svg>' >empty.svg
    pk compare before.folded empty.svg
    one_line_error "empty.svg: no frame"
    pk compare before.folded after.folded -o no/such/diff.svg
    [ "$status" -eq 2 ]
}

@test "flame --diff prints the same changes" {
    folded
    pk compare before.folded after.folded
    local table=$output
    pk flame --diff before.folded after.folded --top 20 -o diff.svg
    [ "$status" -eq 0 ]
    [[ $output == "$table"$'\n'"diff.svg: "* ]]
}

@test "flame: folded stacks whose weights are periods are so many samples" {
    printf 'main;hot 7000007\nmain;cold 2000002\n' >periods.folded
    pk flame --folded periods.folded -o x.svg
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "9 samples" ]
}
