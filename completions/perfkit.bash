# bash completion for perfkit. Everything there is to know is in the program, which is asked by
# `perfkit __complete WORD... CUR`: lines of "value TAB description", then ":BITS". The words are
# handed over as they are; nothing that stands on the line is ever evaluated.

# Splits $1 like the shell would, without expanding anything, into `words` (without quotes, the last
# one being what is under the cursor, perhaps empty). Where a quote is still open, `quote` is it and
# `before` what the last word holds in front of it. Not COMP_WORDS: that is split at : and = too.
_perfkit_split() {
    local text=$1 word='' begun='' c i
    words=() quote='' before=''
    for ((i = 0; i < ${#text}; i++)); do
        c=${text:i:1}
        if [[ $c == "$quote" ]]; then
            quote=''
        elif [[ $quote == "'" ]]; then
            word+=$c
        elif [[ $c == "\\" && (-z $quote || ${text:i+1:1} == [\"\\\$\`]) ]]; then
            ((i++))
            word+=${text:i:1} begun=1
        elif [[ -n $quote ]]; then
            word+=$c
        elif [[ $c == [\"\'] ]]; then
            quote=$c before=$word begun=1
        elif [[ $c == [[:space:]] ]]; then
            [[ -n $begun ]] && words+=("$word")
            word='' begun=''
        else
            word+=$c begun=1
        fi
    done
    words+=("$word")
}

# The command behind "--": bash-completion knows how to complete it, where it is installed.
_perfkit_wrapped() {
    local i offset
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -- ]] && break
    done
    for offset in _comp_command_offset _command_offset; do
        declare -F "$offset" >/dev/null || continue
        "$offset" $((i + 1))
        return
    done
    ((COMP_CWORD == i + 1)) && mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    compopt -o default
}

# Files for what was typed after `prefix`: all, directories only (bits & 16), or those with one of
# the suffixes in `lines` (bits & 8), and all if there is none.
_perfkit_files() {
    local part=${cur#"$prefix"} path suffix
    local -a found=()
    part=${part/#'~/'/$HOME/}
    if ((bits & 8)); then
        while IFS= read -r path; do
            for suffix in "${lines[@]}"; do
                [[ -d $path || $path == *."$suffix" ]] && found+=("$path") && break
            done
        done < <(compgen -f -- "$part")
    elif ((bits & 16)); then
        mapfile -t found < <(compgen -d -- "$part")
    fi
    if ((!(bits & 16))) && ((${#found[@]} == 0)); then
        mapfile -t found < <(compgen -f -- "$part")
    fi
    compopt -o filenames +o default
    ((${#found[@]})) && COMPREPLY=("${found[@]/#/$prefix}")
}

# A value as it has to be typed; fails if it cannot be.
_perfkit_quoted() {
    case $quote in
    '') printf -v REPLY %q "$1" ;;
    "'")
        [[ $1 != *\'* ]] || return 1
        REPLY=$1
        ;;
    *)
        REPLY=${1//\\/\\\\}
        REPLY=${REPLY//\"/\\\"}
        REPLY=${REPLY//\$/\\\$}
        REPLY=${REPLY//\`/\\\`}
        ;;
    esac
}

# Bash has no descriptions, so the list shows them behind the values: only when there is a list, and
# not when its entries are to be inserted (COMP_TYPE % and *).
_perfkit_describe() {
    local width=0 columns=${COLUMNS:-80} i entry
    for entry in "${COMPREPLY[@]}"; do
        ((${#entry} > width)) && width=${#entry}
    done
    for i in "${!COMPREPLY[@]}"; do
        [[ -n ${descriptions[i]} ]] || continue
        printf -v entry '%-*s  (%s)' "$width" "${COMPREPLY[i]}" "${descriptions[i]}"
        ((${#entry} < columns)) || entry="${entry:0:columns-5}...)"
        COMPREPLY[i]=$entry
    done
}

_perfkit() {
    local cur prefix='' quote before cut='' breaks line bits exe REPLY
    local -a words lines descriptions=()
    COMPREPLY=()
    _perfkit_split "${COMP_LINE:0:COMP_POINT}"
    cur=${words[${#words[@]} - 1]}
    exe=${words[0]/#'~/'/$HOME/}
    type -P -- "$exe" >/dev/null || exe=perfkit # an alias
    mapfile -t lines < <(command "$exe" __complete "${words[@]:1}" 2>/dev/null)
    line=${lines[*]: -1} bits=1 # an answer that does not end in :BITS is none
    [[ $line == :[0-9]* ]] && bits=${line#:}
    if ((bits & 1)); then
        compopt +o default
        return
    fi
    unset 'lines[-1]'
    if ((bits & 64)); then
        _perfkit_wrapped
        return
    fi

    # Readline replaces what follows an open quote, or else the last word break.
    [[ $cur == --*=* ]] && prefix=${cur%%=*}=
    breaks=${COMP_WORDBREAKS//[!:=]/}
    if [[ -n $quote ]]; then
        cut=$before
    elif [[ -n $breaks && $cur == *["$breaks"]* ]]; then
        cut=${cur%"${cur##*["$breaks"]}"}
    fi

    if ((bits & 8 || bits & 16)) || { ((!(bits & 4))) && [[ -n $prefix && $cut != "$prefix" ]]; }; then
        _perfkit_files
        COMPREPLY=("${COMPREPLY[@]#"$cut"}")
        return
    fi
    ((bits & 4)) && compopt +o default
    ((bits & 2)) && compopt -o nospace
    ((bits & 32)) && compopt -o nosort 2>/dev/null # since bash 4.4
    for line in "${lines[@]}"; do
        line=$line$'\t'
        REPLY=$prefix${line%%$'\t'*}
        _perfkit_quoted "${REPLY#"$cut"}" || continue
        COMPREPLY+=("$REPLY")
        line=${line#*$'\t'}
        descriptions+=("${line%$'\t'}")
    done
    ((${#COMPREPLY[@]} > 1 && COMP_TYPE != 37 && COMP_TYPE != 42)) && _perfkit_describe
}

complete -o default -F _perfkit perfkit
