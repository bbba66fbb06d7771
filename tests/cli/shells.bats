# Completion as people meet it: real shells in a terminal, keys typed, the screen read. One tmux
# server of our own, one window per shell; each test starts from an empty screen.
load helper

SHELLS="bash zsh fish"

tmux_() { command tmux -L "$TMUX_NAME" -f /dev/null "$@"; }

setup_file() {
    command -v tmux >/dev/null || return 0
    export TMUX_NAME=pk$$ PLACE=$BATS_FILE_TMPDIR/place
    local bin=$BATS_FILE_TMPDIR/bin shell
    mkdir -p "$bin" "$PLACE/fake" "$PLACE/sub" "$PLACE/home"
    ln -s "$(realpath "$PERFKIT")" "$bin/perfkit"
    ln -s perfkit "$bin/flamegraph"
    cd "$PLACE" || return 1
    touch data.pem other.txt 'with blank.txt'
    # Answers as the real program does not, or not yet: perfkit __complete KIND CUR.
    cat >fake/perfkit <<'FAKE'
#!/usr/bin/env bash
case $2 in
    rest) echo :64 ;;
    dirs) echo :16 ;;
    suffix) printf 'pem\ncrt\n:8\n' ;;
    order) printf 'zz\tthe first\nmm\tthe second\naa\tthe third\n:36\n' ;;
    nospace) printf 'key=\n:6\n' ;;
    blank) printf 'a value\twith a blank\n:4\n' ;;
    hostile) printf '$(touch ran)`touch ran`;"'"'"'\n:4\n' ;;
    error) printf 'one\n:1\n' ;;
    broken) echo 'no directive' ;;
    typed) printf '[%s]' "${@:2}" >seen; echo :4 ;;
esac
FAKE
    chmod +x fake/perfkit
    # A home without anybody's settings; not the tests' own streams, which would never close.
    local common=(env -i "HOME=$PLACE/home" "PATH=$bin:$PATH" TERM=screen LC_ALL=C.UTF-8 PS1='pk> ')
    tmux_ new-session -d -s idle -x 120 -y 45 -c "$PLACE" "${common[@]}" cat 3>&- 4>&-
    for shell in $SHELLS; do
        command -v "$shell" >/dev/null || continue
        case $shell in
            bash) set -- bash --norc --noprofile ;;
            zsh) set -- zsh -f ;;
            fish) set -- fish --no-config ;;
        esac
        tmux_ new-window -d -t idle: -n "$shell" -c "$PLACE" "${common[@]}" "$@"
    done
}

teardown_file() {
    [[ -n ${TMUX_NAME:-} ]] || return 0
    tmux_ kill-server 2>/dev/null || true
}

# The window of $shell without trailing blank lines.
screen() { tmux_ capture-pane -p -t "idle:$shell" | sed -e 's/ *$//' -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }

# type TEXT: into the window of $shell, as it is. press KEY...: by tmux' names.
type_() { tmux_ send-keys -t "idle:$shell" -l -- "$1"; }
press() { tmux_ send-keys -t "idle:$shell" "$@"; }

screen_matches() { [[ $(screen) =~ $1 ]]; }

# shows REGEX: the screen comes to match it, soon.
shows() {
    wait_until "${SCREEN_S:-10}" screen_matches "$1" && return 0
    printf '%s: the screen does not match %s:\n' "$shell" "$1"
    screen
    return 1
} 2>&1

# shows_not REGEX: it does not match now. After `shows` of what comes with it or behind it.
shows_not() {
    screen_matches "$1" || return 0
    printf '%s: the screen matches %s:\n' "$shell" "$1"
    screen
    return 1
}

# An empty line on an empty screen. Ctrl-C may come while a completion is at work, which then draws
# no prompt, and what is typed right behind one may be lost: so it is tried until it has worked.
fresh() {
    local SCREEN_S=2 tries
    for tries in {1..10}; do
        screen_matches $'(^|\n)pk>$' || press C-c
        shows $'(^|\n)pk>$' >/dev/null || continue
        type_ clear
        press Enter
        shows '^pk>$' >/dev/null && return 0
    done
    echo "$shell: no empty line to be had:"
    screen
    return 1
} 2>&1

# does TEXT: as a command, until it is done.
does() {
    type_ "$1" && press Enter && shows $'(^|\n)pk>$'
}

# line REGEX: the line being typed, behind the prompt, comes to match.
line() { shows "(^|"$'\n'")pk> $1"; }

# The first prompt of a shell, and our script read, in the way its people are told to.
prepare() {
    SCREEN_S=30 # a first start on a busy machine
    case $shell in
        bash) type_ 'source <(perfkit completion bash)' ;;
        zsh)
            mkdir -p "$PLACE/zfunc"
            "$PERFKIT" completion zsh >"$PLACE/zfunc/_perfkit"
            type_ "PS1='pk> '; fpath=($PLACE/zfunc \$fpath); autoload -U compinit; compinit -u -D"
            ;;
        fish)
            type_ 'function fish_prompt; echo "pk> "; end; perfkit completion fish | source'
            ;;
    esac
    press Enter
    type_ 'echo rea"dy"'
    press Enter
    shows $'(^|\n)ready' || return 1
    SCREEN_S=10
    touch "$BATS_FILE_TMPDIR/prepared.$shell"
}

# each_shell FUNCTION: runs it for every shell that is here, as $shell, on an empty line.
each_shell() {
    local shell tried=0
    command -v tmux >/dev/null || skip "no tmux"
    for shell in $SHELLS; do
        command -v "$shell" >/dev/null || continue
        [[ -e $BATS_FILE_TMPDIR/prepared.$shell ]] || prepare || return 1
        fresh || return 1
        "$1" || return 1
        tried=1
    done
    ((tried)) || skip "none of $SHELLS"
}

@test "shells: bash, zsh, fish and tmux are here to be tested" {
    local program missing=
    for program in $SHELLS tmux; do command -v "$program" >/dev/null || missing+=" $program"; done
    [ -z "$missing" ] || skip "not installed:$missing"
}

tool_name() {
    type_ 'perfkit lo' && press Tab && line 'perfkit load$'
}
@test "shells: the name of a tool" { each_shell tool_name; }

option_list() {
    type_ 'perfkit load --con' && press Tab Tab || return 1
    shows '--connections +.*one request at a time' || return 1
    shows '--connect-to +.*another place' && shows_not '--insecure'
}
@test "shells: options with their descriptions" { each_shell option_list; }

one_option() {
    type_ 'perfkit load --insec' && press Tab && type_ x && line 'perfkit load --insecure x$'
}
@test "shells: a single option is finished, without its description, and a blank follows" {
    each_shell one_option
}

enum_list() {
    type_ 'perfkit load --output-format ' && press Tab Tab || return 1
    shows 'text .*for people' && shows 'json .*schema' && shows 'quiet ' && shows_not 'data.pem' || return 1
    fresh && type_ 'perfkit load --output-format=q' && press Tab && line 'perfkit load --output-format=quiet$'
}
@test "shells: values of an option, behind a blank and behind =" { each_shell enum_list; }

url_list() {
    # the whole URL from what stands before its last digit, then more of it
    type_ "perfkit load ${SERVE_URL%?}" && press Tab || return 1
    line "perfkit load $SERVE_URL/\$" || return 1
    type_ 'echo?a=b:c' && press Tab && type_ ' --insec' && press Tab && type_ x
    line "perfkit load $SERVE_URL/echo\\?a=b:c --insecure x\$"
}
@test "shells: the URL of a running server; a URL with : ? and = stays as it is" {
    start_serve
    each_shell url_list
}

url_described() {
    type_ 'perfkit load http://127.0.0.1:' && press Tab Tab || return 1
    shows "$first/ .*perfkit, pid" && shows "$second/ .*perfkit, pid"
}
@test "shells: several servers are told apart by their descriptions" {
    local first second
    start_serve
    first=${SERVE_URL##*:}
    start_serve
    second=${SERVE_URL##*:}
    each_shell url_described
}

process_list() {
    type_ "perfkit flame -p pksleep" && press Tab && type_ '--no-inl' && press Tab && type_ x || return 1
    line "perfkit flame -p pksleeper$$ --no-inline x\$" || return 1
    # by its number: on the line where it is the only one, else in a list
    fresh && type_ "perfkit flame -p ${TARGET_PID%?}" && press Tab Tab && shows "$TARGET_PID" || return 1
    # a link of another name, registered as its own --completions does
    fresh && case $shell in
        bash) type_ 'source <(flamegraph --completions bash)' ;;
        zsh) type_ 'compdef _perfkit flamegraph' ;;
        fish) type_ 'flamegraph --completions fish | source' ;;
    esac || return 1
    press Enter && fresh && type_ 'flamegraph --palette aq' && press Tab && type_ x && line 'flamegraph --palette aqua x$'
}
@test "shells: processes, for flame; its link" {
    cp "$(command -v sleep)" "pksleeper$$"
    "./pksleeper$$" 60 3>&- &
    TARGET_PID=$!
    track "$TARGET_PID"
    each_shell process_list
}

value_with_colon() {
    type_ "perfkit load --connect-to=a:1:b:2 -H 'x: y' --header='z: é' --insec" && press Tab && type_ x || return 1
    line "perfkit load --connect-to=a:1:b:2 -H 'x: y' --header='z: é' --insecure x\$"
}
@test "shells: values with : = blanks and quotes on the line" { each_shell value_with_colon; }

# tab_runs_nothing TEXT: TAB is pressed twice behind it; a letter typed then shows when that is over.
tab_runs_nothing() {
    fresh && type_ "$1" && press Tab Tab && type_ Q && shows Q || return 1
    [ -z "$(ls "$PLACE" | grep ran)" ] || { echo "$shell: TAB has run a command in: $1"; return 1; }
}
substitution() {
    rm -f "$PLACE"/ran*
    # the completion works, and it is not by running them
    type_ 'perfkit load $(touch ran) `touch ran` "$(touch ran)" --insec' && press Tab || return 1
    line '.*--insecure$' || return 1
    tab_runs_nothing 'perfkit load $(touch ran) --' || return 1
    tab_runs_nothing 'perfkit load $(touch ran) --output-format ' || return 1
    # In the word under the cursor, behind =, in an open quote, as the tool. In zsh TAB by itself
    # expands such a word (also behind `true`): here it is to complete and nothing else.
    if [[ $shell == zsh ]]; then fresh && does 'bindkey "^I" complete-word' || return 1; fi
    tab_runs_nothing 'perfkit load $(touch ran)' || return 1
    tab_runs_nothing 'perfkit load --output-format=$(touch ran)' || return 1
    tab_runs_nothing 'perfkit load --output=`touch ran`' || return 1
    tab_runs_nothing 'perfkit load "$(touch ran)' || return 1
    tab_runs_nothing "perfkit load '\$(touch ran)" || return 1
    tab_runs_nothing 'perfkit $(touch ran) --con' || return 1
    tab_runs_nothing 'perfkit load ${x:=$(touch ran)} --con' || return 1
    if [[ $shell == zsh ]]; then fresh && does 'bindkey "^I" expand-or-complete'; fi
}
@test "shells: TAB runs nothing that stands on the line" { each_shell substitution; }

inside_a_word() {
    if [[ $shell == zsh ]]; then # which goes to the end of the word first, unless it is told not to
        does 'setopt complete_in_word' && fresh || return 1
        type_ 'perfkit load --inre' && press Left Left && press Tab && line 'perfkit load --insecure$'
        return
    fi
    if [[ $shell == fish ]]; then # which takes the whole word
        type_ 'perfkit load --inse' && press Left Left && press Tab && line 'perfkit load --insecure$'
        return
    fi
    type_ 'perfkit load --insectui' && press Left Left Left && press Tab || return 1
    line 'perfkit load --insecure ?tui$'
}
@test "shells: the cursor inside a word" { each_shell inside_a_word; }

by_alias() {
    case $shell in
        bash) does 'alias pk=perfkit; complete -o default -F _perfkit pk' || return 1 ;;
        zsh | fish) does 'alias pk=perfkit' || return 1 ;; # they look behind it themselves
    esac
    fresh && type_ 'pk lo' && press Tab && line 'pk load$' || return 1
    fresh && type_ 'pk load --insec' && press Tab && line 'pk load --insecure$'
}
@test "shells: an alias" { each_shell by_alias; }

by_path() {
    type_ './fake/../fake/perfkit blank ' && press Tab && line './fake/../fake/perfkit blank .*a.* value' || return 1
    mkdir -p "$PLACE/home/bin"
    ln -sf "$PLACE/fake/perfkit" "$PLACE/home/bin/perfkit"
    fresh && type_ '~/bin/perfkit nospace ' && press Tab && line '~/bin/perfkit nospace key=$'
}
@test "shells: a program that is called by its path answers itself" { each_shell by_path; }

files() {
    type_ 'perfkit load --body-file da' && press Tab && line 'perfkit load --body-file data.pem$' || return 1
    fresh && type_ 'perfkit load --body-file=oth' && press Tab && line 'perfkit load --body-file=other.txt$' || return 1
    fresh && type_ 'perfkit load --body-file wi' && press Tab && line "perfkit load --body-file '?with\\\\? blank.txt" || return 1
    # where only one suffix fits; where none does, all files
    fresh && type_ 'perfkit load --cacert ' && press Tab && type_ x && line 'perfkit load --cacert (data.pem ?x|x)' || return 1
    fresh && type_ 'perfkit load --cacert oth' && press Tab && line 'perfkit load --cacert other.txt$' || return 1
    # no files where none belong
    fresh && type_ 'perfkit load -c ' && press Tab && type_ x && line 'perfkit load -c x$'
}
@test "shells: files, by suffix, and none where none belong" { each_shell files; }

directories() {
    type_ './fake/perfkit dirs su' && press Tab && line './fake/perfkit dirs sub/$' || return 1
    fresh && type_ './fake/perfkit dirs --static=su' && press Tab && line './fake/perfkit dirs --static=sub/$' || return 1
    fresh && type_ './fake/perfkit dirs da' && press Tab && type_ x && line './fake/perfkit dirs dax$'
}
@test "shells: directories alone" { each_shell directories; }

suffixes() {
    type_ './fake/perfkit suffix --cert=da' && press Tab && line './fake/perfkit suffix --cert=data.pem$' || return 1
    fresh && type_ './fake/perfkit suffix su' && press Tab && line './fake/perfkit suffix sub/$'
}
@test "shells: files by suffix behind =, and directories on the way to them" { each_shell suffixes; }

order() {
    type_ './fake/perfkit order ' && press Tab Tab && shows 'zz .*mm .*aa '
}
@test "shells: our order is kept" { each_shell order; }

no_blank() {
    type_ './fake/perfkit nospace k' && press Tab && type_ v && line './fake/perfkit nospace key=v$'
}
@test "shells: no blank behind a value that goes on" { each_shell no_blank; }

blank_in_value() {
    type_ './fake/perfkit blank a' && press Tab && line "./fake/perfkit blank '?a\\\\? value" || return 1
    # in quotes that are still open
    fresh && type_ './fake/perfkit blank "a v' && press Tab && line './fake/perfkit blank "a value"?'
}
@test "shells: a value with a blank is quoted" { each_shell blank_in_value; }

hostile_value() {
    rm -f "$PLACE/ran"
    type_ './fake/perfkit hostile ' && press Tab && line './fake/perfkit hostile .*touch' && does '' || return 1
    fresh && type_ './fake/perfkit hostile "' && press Tab && line './fake/perfkit hostile .*touch' || return 1
    # bash and zsh leave the quote open behind a lone match that they cannot be sure of
    [[ $(screen) == *'"' ]] || type_ '"'
    does '' || return 1
    [ ! -e "$PLACE/ran" ] || { echo "$shell has run an offered value"; return 1; }
}
@test "shells: a value from a hostile source is inserted as text" { each_shell hostile_value; }

words_arrive() {
    rm -f "$PLACE/seen"
    type_ "./fake/perfkit typed 'a b' c\\ d \"e'f\" --g=h:i 'j k" && press Tab || return 1
    wait_until 10 test -s "$PLACE/seen" || return 1
    [ "$(cat "$PLACE/seen")" = "[typed][a b][c d][e'f][--g=h:i][j k]" ] || { echo "$shell: $(cat "$PLACE/seen")"; return 1; }
}
@test "shells: the program sees words without their quotes, also of one that is open" { each_shell words_arrive; }

silence() {
    type_ './fake/perfkit error o' && press Tab && type_ x && line './fake/perfkit error ox$' || return 1
    fresh && type_ './fake/perfkit broken n' && press Tab && type_ x && line './fake/perfkit broken nx$'
}
@test "shells: an error or a broken answer offers nothing" { each_shell silence; }

wrapped() {
    if [[ $shell == bash ]]; then
        [[ -r /usr/share/bash-completion/bash_completion ]] || return 0
        does 'source /usr/share/bash-completion/bash_completion' && fresh || return 1
    fi
    type_ './fake/perfkit rest --x -- perfkit load --insec' && press Tab || return 1
    line './fake/perfkit rest --x -- perfkit load --insecure$' || return 1
    fresh && type_ './fake/perfkit rest -- perfki' && press Tab && line './fake/perfkit rest -- perfkit$'
}
@test "shells: behind -- the wrapped command completes itself" { each_shell wrapped; }

bash_alone() {
    [[ $shell == bash ]] || return 0
    # without bash-completion the first word is a command, and files follow
    does 'unset -f _command_offset _comp_command_offset' && fresh || return 1
    type_ './fake/perfkit rest -- perfki' && press Tab && line './fake/perfkit rest -- perfkit$' || return 1
    # with = and : no word breaks
    fresh && does 'COMP_WORDBREAKS=" "' && fresh || return 1
    type_ 'perfkit load --output-format=q' && press Tab && line 'perfkit load --output-format=quiet$' || return 1
    fresh && type_ 'perfkit load --body-file=oth' && press Tab && line 'perfkit load --body-file=other.txt$' || return 1
    # entries that are to be inserted have no descriptions
    fresh && type_ 'perfkit load --output-format ' && press Escape '*' && line 'perfkit load --output-format text json quiet$'
}
@test "shells: bash without bash-completion, with other word breaks, inserting all" { each_shell bash_alone; }

zsh_sourced() {
    [[ $shell == zsh ]] || return 0
    does 'unfunction _perfkit; source <(perfkit completion zsh)' && fresh || return 1
    type_ 'perfkit load --insec' && press Tab && line 'perfkit load --insecure$'
}
@test "shells: zsh with the script sourced" { each_shell zsh_sourced; }
