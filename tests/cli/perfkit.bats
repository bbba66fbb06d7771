# The program around its tools: which tool a line means, what it says, how it ends.
load helper

# The listed tools and helpers, one a line.
tools() { "$PERFKIT" __completeNoDesc '' | grep -v '^:'; }

@test "perfkit: alone it shows the tools on one screen, each with an example that exists" {
    pk
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "${#lines[@]}" -le 24 ]
    [ "$(awk 'length > 80' <<<"$output")" = "" ]
    # the tools stand before every helper
    local order
    order=$(grep -oE '^  [a-z]+' <<<"$output" | tr -d ' ' | tr '\n' ' ')
    [[ $order == "bench time serve load "* ]]
    [[ $output == *"perfkit load -z 3s http://127.0.0.1:3000"* ]]
    [ "$(tools | tr '\n' ' ')" = "$order" ]
    [[ $output != *__complete* && $output != *" man "* ]]
}

@test "perfkit: help, --help and -h say the same" {
    local alone
    alone=$("$PERFKIT")
    local form
    for form in help --help -h; do
        pk "$form"
        [ "$status" -eq 0 ]
        [ "$output" = "$alone" ]
        [ -z "$stderr" ]
    done
}

@test "perfkit: a tool's help is the same in every spelling, anywhere on the line" {
    local tool help
    for tool in $(tools); do
        help=$("$PERFKIT" help "$tool")
        [[ $help == "perfkit $tool: "*"Usage: perfkit $tool "*"Examples:"*"--help"* ]]
        for form in "$tool --help" "$tool -h" "$tool help" "$tool --bogus -c 0 --help" "$tool -h x y z"; do
            # shellcheck disable=SC2086 # these are words
            pk $form
            [ "$status" -eq 0 ]
            [ "$output" = "$help" ]
            [ -z "$stderr" ]
        done
    done
    # behind "--" it is a word like any other
    pk completion -- --help
    one_line_error "--help"
    # a peer's name leads to the tool that understands it
    pk help oha
    [ "$status" -eq 0 ]
    [ "$output" = "$("$PERFKIT" help load)" ]
}

@test "perfkit: help keeps to the width that there is" {
    local columns
    for columns in 60 80 100; do
        COLUMNS=$columns pk load --help
        [ "$status" -eq 0 ]
        [ "$(awk -v c="$columns" 'length > c && !/^  perfkit|^  .*--[a-z-]+( <.*>)?$/' <<<"$output")" = "" ]
        [ "$(awk -v c="$columns" 'length > c - 15' <<<"$output")" != "" ]
    done
    COLUMNS=500 pk load --help
    [ "$(awk 'length > 100' <<<"$output")" = "" ]
    COLUMNS=nonsense pk load --help
    [ "$output" = "$("$PERFKIT" load --help)" ]
}

@test "perfkit: help is coloured on request alone when it goes into a pipe" {
    pk load --help
    [[ $output != *$'\e'* ]]
    local plain=$output
    TERM=xterm CLICOLOR_FORCE=1 pk load --help
    [[ $output == *$'\e[1;4mLoad:\e[0m'* ]]
    [ "$(sed $'s/\e\\[[0-9;]*m//g' <<<"$output")" = "$plain" ]
    NO_COLOR=1 CLICOLOR_FORCE=1 pk load --help
    [ "$output" = "$plain" ]
}

@test "perfkit: an unknown tool is one line with a guess, exit 2" {
    pk lod
    one_line_error
    [ "$stderr" = "perfkit: unknown tool lod; did you mean perfkit load?" ]
    # the guess is not run, nor is what a name starts with
    pk versio
    one_line_error "did you mean perfkit version?"
    pk qqqqqq
    one_line_error
    [ "$stderr" = "perfkit: unknown tool qqqqqq; perfkit help lists the tools" ]
    pk oha
    one_line_error "perfkit load"
    pk help lod
    one_line_error
    [ "$stderr" = "perfkit help: lod: no such tool; did you mean load?" ]
    pk --vresion
    one_line_error
    [ "$stderr" = "perfkit: unknown option --vresion; did you mean --version?" ]
    pk -x load
    one_line_error "unknown option -x"
    pk '' x
    one_line_error "unknown tool"
}

@test "perfkit: wrong options are one line: what, where, how to fix" {
    pk load -c 0 http://127.0.0.1:1
    one_line_error
    [[ $stderr == "perfkit load: -c 0: must be at least 1; use a number from 1 to "* ]]
    pk load --conections 3 http://127.0.0.1:1
    one_line_error
    [ "$stderr" = "perfkit load: unknown option --conections; did you mean --connections?" ]
    pk load --qqqqqq http://127.0.0.1:1
    one_line_error
    [ "$stderr" = "perfkit load: unknown option --qqqqqq; see perfkit load --help" ]
    pk load -n 5 -z 3s http://127.0.0.1:1
    one_line_error
    [[ $stderr == "perfkit load: -"[nz]" and -"[nz]" exclude each other; give one of them" ]]
    pk load -c
    one_line_error "perfkit load: -c: needs a value; write -c <"
    pk load --insecure=yes http://127.0.0.1:1
    one_line_error "perfkit load: --insecure=yes: takes no value; write --insecure alone"
    pk load --color=allways http://127.0.0.1:1
    one_line_error "did you mean always?"
    pk load $'http://x\n/\e[31m' -c 0
    one_line_error
    [[ $stderr != *$'\e'* ]]
}

@test "perfkit: a link named perfkit-TOOL is that tool" {
    local tool
    for tool in $(tools); do
        ln -s "$PERFKIT" "perfkit-$tool"
        run --separate-stderr "./perfkit-$tool" --help
        [ "$status" -eq 0 ]
        [[ $output == "perfkit-$tool: "*"Usage: perfkit-$tool "* ]]
    done
    run --separate-stderr ./perfkit-load -c 0
    one_line_error "perfkit-load: -c 0: must be"
    run --separate-stderr ./perfkit-load --version
    [ "$output" = "$("$PERFKIT" --version)" ]
    run --separate-stderr ./perfkit-load load
    one_line_error
    # only the name counts, not the way to it
    mkdir bin && ln -s ../perfkit-load bin/second && ln -s second bin/perfkit-completion
    run --separate-stderr bin/perfkit-completion bash
    [ "$status" -eq 0 ]
    [[ $output == "# bash completion"* ]]
}

@test "perfkit: any other name is perfkit itself" {
    local name
    for name in pk perfkit-nothing perfkit- perfkitload; do
        ln -s "$PERFKIT" "$name"
        run --separate-stderr "./$name" version
        [ "$status" -eq 0 ]
        [ "$output" = "$("$PERFKIT" version)" ]
        run --separate-stderr "./$name" lod
        one_line_error "perfkit: unknown tool lod"
    done
    # as a login shell is called
    run --separate-stderr bash -c 'exec -a -perfkit-load "$PERFKIT" -c 0'
    one_line_error "perfkit-load: -c 0"
    run --separate-stderr bash -c 'exec -a "" "$PERFKIT" version'
    [ "$output" = "$("$PERFKIT" version)" ]
}

@test "perfkit: called as oha, errors and exit codes are in oha's manner" {
    ln -s "$PERFKIT" oha
    run --separate-stderr ./oha -c nonsense http://127.0.0.1:1
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "error: -c nonsense: "* ]]
    run --separate-stderr ./oha --qqqqqq
    [ "$status" -eq 2 ]
    [ "$stderr" = "error: unknown option --qqqqqq; see oha --help" ]
    run --separate-stderr ./oha -D ./missing http://127.0.0.1:1
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "Error: "*missing*"No such file"* ]]
    run --separate-stderr ./oha --help
    [ "$status" -eq 0 ]
    [[ $output == "oha: "*"Usage: oha "*"  oha -z 3s http"* && $output != *"perfkit load"* ]]
    run --separate-stderr ./oha --version
    [ "$status" -eq 0 ]
    [[ $output =~ ^oha\ \(perfkit\ [0-9.]+\)$ ]]
    # no word at all: the help, on stderr
    run --separate-stderr ./oha
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ $stderr == "oha: "*"Usage: oha "* ]]
}

@test "perfkit: a full disk behind stdout is an error" {
    [ -c /dev/full ] || skip "no /dev/full here"
    local words
    for words in "" "help load" "load --help" version "version --verbose" "completion zsh" "man load" "--version"; do
        # shellcheck disable=SC2086
        run --separate-stderr bash -c '"$PERFKIT" "$@" >/dev/full' bash $words
        one_line_error "standard output: cannot write everything: No space left on device; "
    done
}

@test "perfkit: a closed stdout is an error, not a file that is opened later" {
    run --separate-stderr bash -c '"$PERFKIT" version >&-'
    one_line_error "standard output: cannot write everything"
    # a closed stderr loses the line, not the exit code
    run --separate-stderr bash -c '"$PERFKIT" lod 2>&-'
    [ "$status" -eq 2 ]
    [ -z "$output$stderr" ]
}

@test "perfkit: a reader that has read enough ends it quietly" {
    local words
    for words in "help load" "man load" "completion bash"; do
        # The reader is gone before the first byte is written.
        run --separate-stderr bash -c 'exec 5> >(exit 0); wait $!; "$PERFKIT" "$@" >&5' bash $words
        [ "$status" -eq 0 ]
        [ -z "$stderr" ]
    done
}

@test "perfkit: --version, -V, version and a tool's --version agree" {
    local version
    version=$("$PERFKIT" version)
    [[ $version =~ ^perfkit\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    local form
    for form in --version -V "load --version" "load -V" "serve -V" "help --version"; do
        # shellcheck disable=SC2086
        pk $form
        [ "$status" -eq 0 ]
        [ "$output" = "$version" ]
        [ -z "$stderr" ]
    done
}

@test "perfkit: version --verbose names the libraries that are loaded, with their versions" {
    pk version --verbose
    [ "$status" -eq 0 ]
    [ "$output" = "$("$PERFKIT" version -v)" ]
    [[ ${lines[0]} == "$("$PERFKIT" version)" ]]
    local name
    for name in libmicrohttpd libcurl cJSON zlib; do
        grep -qE "^  $name +[0-9]+\.[0-9.]+ +[a-z]+: " <<<"$output"
    done
    grep -qE '^ +TLS +[A-Za-z]+/[0-9]' <<<"$output"
    if ldd "$PERFKIT" | grep -q libgnutls; then
        grep -qE '^  GnuTLS +[0-9.]+ +serve: ' <<<"$output"
    else
        grep -qE '^  GnuTLS +missing .*libgnutls28-dev' <<<"$output"
    fi
    grep -qE '^  libdw, libelf +[0-9.]+ +flame: ' <<<"$output"
    # It is linked statically: no file says whether the build had it.
    grep -qE '^  libiberty +(flame: readable|missing .*libiberty-dev)' <<<"$output"
    # and no library that the program does not use
    for name in libmicrohttpd:libmicrohttpd libcurl:libcurl cJSON:libcjson zlib:libz libdw:libdw; do
        ldd "$PERFKIT" | grep -q "${name#*:}"
    done
}

@test "perfkit: every tool has a man page without a fault" {
    local tool
    for tool in "" $(tools); do
        # shellcheck disable=SC2086
        pk man $tool
        [ "$status" -eq 0 ]
        [[ $output == ".TH PERFKIT"* && $output == *".SH \"EXIT STATUS\""* ]]
        printf '%s\n' "$output" >page.1
        if command -v mandoc >/dev/null; then
            # No date stands in a page, so that the same source always makes the same page.
            run mandoc -Tlint -W warning page.1
            echo "$output"
            [ -z "$(grep -v 'missing date' <<<"$output")" ]
        fi
        if command -v groff >/dev/null; then
            run groff -ww -man -Tutf8 page.1
            [ "$status" -eq 0 ]
            [ -z "$(groff -ww -man -Tutf8 page.1 2>&1 >/dev/null)" ]
        fi
    done
    pk man nothing
    one_line_error "no tool with a man page"
    pk man man
    one_line_error "no tool with a man page"
}

@test "perfkit: the man page has every option of the help" {
    local tool option
    for tool in $(tools); do
        pk man "$tool"
        for option in $("$PERFKIT" "$tool" --help | grep -oE '^ +(-[A-Za-z], )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+'); do
            [[ $output == *"\\fB${option//-/\\-}\\fR"* ]] || { echo "$tool: no $option"; return 1; }
        done
    done
}
