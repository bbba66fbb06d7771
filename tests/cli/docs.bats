# README and docs/ must not say what the program does not do.
load helper

pages() { (cd "$ROOT" && ls README.md docs/*.md); }

# The command lines of ours that a page shows: in code blocks ("$ " before them or not) and in
# backticks. One per line, from "perfkit" on.
shown_commands() {
    awk '
        /^```/ { fenced = !fenced; next }
        fenced || /^    / {
            line = $0
            sub(/^ +/, "", line)
            sub(/^\$ /, "", line)
            if (line ~ /^perfkit [a-z]+: /) next # what it says
            if (line ~ /^perfkit( |$)/) print line
            next
        }
        {
            n = split($0, part, "`")
            for (i = 2; i <= n; i += 2) if (part[i] ~ /^perfkit( |$)/) print part[i]
        }' "$1"
}

# The options of a tool, hidden spellings left out: "-z" and "--duration", one per line.
options_of() { "$PERFKIT" "$1" --help | grep -oE '(^|[ ,])--?[A-Za-z][A-Za-z0-9-]*' | tr -d ' ,' | sort -u; }

is_tool() { grep -qx -- "$1" tools; }

setup() {
    perfkit_setup
    { "$PERFKIT" __completeNoDesc help '' | grep -v '^:'; echo man; } >tools
    local tool
    while read -r tool; do options_of "$tool" >"options.$tool"; done <tools
    sort -u options.* >options
}

# check_command LINE: its tool exists, and so does each option that stands before a "--" or a pipe.
check_command() {
    local line=${1%%|*} words tool word
    line=$(sed -E "s/'[^']*'|\"[^\"]*\"/x/g; s/[\`;&]//g" <<<"$line")
    line=${line%%"<TAB>"*}
    [[ $1 == *"<TAB>"* ]] && line=${line% *} # an unfinished word
    read -ra words <<<"${line%% -- *}"
    tool=${words[1]:-}
    case $tool in '' | -* | TOOL | __complete* | [A-Z…]*) return 0 ;; esac
    is_tool "$tool" || { echo "no such tool: $1"; return 1; }
    for word in "${words[@]:2}"; do
        case $word in
            --?*) word=${word%%=*} ;;
            -[A-Za-z]*) word=${word:0:2} ;;
            *) continue ;;
        esac
        word=${word%%[,.:)…]*}
        grep -qx -- "$word" "options.$tool" || { echo "no $word in: $1"; return 1; }
    done
}

@test "docs: the check itself finds an unknown tool and an unknown option" {
    check_command 'perfkit load -z 3s --no-tui http://h'
    run check_command 'perfkit lod -z 3s'
    [ "$status" -eq 1 ]
    run check_command 'perfkit load --duratoin 3s'
    [ "$status" -eq 1 ]
    run check_command 'perfkit load -y 3s'
    [ "$status" -eq 1 ]
    printf 'text `perfkit load -c 1` text\n\n    $ perfkit serve\n```\nperfkit load x\n```\n' >page.md
    [ "$(shown_commands page.md | wc -l)" -eq 3 ]
}

@test "docs: every command line shown exists, with its options" {
    local page line n=0
    while read -r page; do
        while read -r line; do
            check_command "$line" || { echo "$page"; return 1; }
            n=$((n + 1))
        done < <(shown_commands "$ROOT/$page")
    done < <(pages)
    [ "$n" -ge 8 ]
}

@test "docs: every option named in backticks is an option of some tool" {
    local page word n=0
    while read -r page; do
        while read -r word; do
            grep -qx -- "$word" options || { echo "$page: $word"; return 1; }
            n=$((n + 1))
        done < <(grep -oE '`--[a-z][a-z0-9-]*' "$ROOT/$page" | tr -d '`')
    done < <(pages)
    [ "$n" -ge 5 ]
}

@test "docs: every make target named exists" {
    local page word n=0
    make -C "$ROOT" --no-print-directory help | awk '$1 == "make" { print $2 }' >targets
    while read -r page; do
        while read -r word; do
            case $word in build/*) continue ;; esac
            grep -qx -- "$word" targets || { echo "$page: make $word"; return 1; }
            n=$((n + 1))
        done < <(grep -oE '(`|^    |^\$ )make [a-z/_-]+' "$ROOT/$page" | sed 's/.*make //')
    done < <(pages)
    [ "$n" -ge 5 ]
}

@test "docs: every link and every path named leads to something" {
    local page word n=0
    while read -r page; do
        while read -r word; do
            case $word in http*:* | '#'*) continue ;; esac
            [ -e "$ROOT/$(dirname "$page")/${word%%#*}" ] || { echo "$page: $word"; return 1; }
            n=$((n + 1))
        done < <(grep -oE '\]\([^)]+\)' "$ROOT/$page" | sed 's/^](//; s/)$//')
        while read -r word; do
            [ -e "$ROOT/$word" ] || { echo "$page: $word"; return 1; }
            n=$((n + 1))
        done < <(grep -oE '`(lib|cmd|tests|docs|completions)/[a-z_/.-]*`' "$ROOT/$page" | tr -d '`' |
            sed -E 's/[.,]$//; s/^(lib|cmd)(\/[a-z_]+\/[a-z_]+)$/\1\2.h/')
    done < <(pages)
    [ "$n" -ge 10 ]
}

@test "README opens with the two commands" {
    [ "$(grep -oE '^    make [a-z]+' "$ROOT/README.md" | head -n 2 | xargs)" = "make demo make check" ]
    [ "$(grep -n 'make demo' "$ROOT/README.md" | head -n 1 | cut -d: -f1)" -le 8 ]
}

@test "docs: every tool has its page and its screen in the README" {
    local tool
    for tool in $("$PERFKIT" help | sed -nE '/^Tools/,/^Helpers/s/^  ([a-z]+)  .*/\1/p'); do
        [ -s "$ROOT/docs/$tool.md" ]
        grep -q "^\$ perfkit $tool " "$ROOT/README.md"
    done
}

@test "docs: formats.md names the keys of load/1, all of them and no other" {
    # On both sides: the keys of the outer object.
    start_serve
    pk load -n 3 --json "$SERVE_URL"
    [ "$status" -eq 0 ]
    jq -r 'keys_unsorted[]' <<<"$output" | grep -vxE 'perfkit|schema' | sort >written
    sed -n '/^## load\/1/,/^## bench/p' "$ROOT/docs/formats.md" | grep '^| `' | cut -d'|' -f2 |
        grep -oE '[a-zA-Z]+' | sort >described
    diff described written
    # And of the objects in it: each is named somewhere in the section.
    sed -n '/^## load\/1/,/^## bench/p' "$ROOT/docs/formats.md" | grep -oE '[A-Za-z0-9_.]+' | sort -u >words
    jq -r 'del(.statusCodeDistribution, .errorDistribution, .responseTimeHistogram,
            .firstByteHistogram, .requests.errorClasses, .generator.counters)
        | [.. | objects | keys_unsorted[]] | unique[]' <<<"$output" | grep -vxE 'perfkit|schema' | sort -u | comm -23 - words >missing
    [ ! -s missing ] || { cat missing; return 1; }
}

@test "docs: formats.md names every schema that the program writes" {
    local schema n=0
    while read -r schema; do
        grep -q "^##.*$schema" "$ROOT/docs/formats.md" || { echo "$schema"; return 1; }
        n=$((n + 1))
    done < <(cd "$ROOT" && grep -rhoE '"[a-z-]+/[0-9]+"' --include='*.c' lib cmd | tr -d '"' | sort -u)
    [ "$n" -ge 2 ]
}
