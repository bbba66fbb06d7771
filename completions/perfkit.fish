# fish completion for perfkit. Everything there is to know is in the program, which is asked by
# `perfkit __complete WORD... CUR`: lines of "value TAB description", then ":BITS". The words are
# handed over as they are; nothing that stands on the line is ever evaluated.

# The files for $argv[1], with the option that stands before it put back; $argv[2..] are suffixes:
# files with one of them, or all if there is none.
function __perfkit_files
    set -l opt $argv[1]
    set -l found (__fish_complete_path $argv[2])
    set -l suffixes (string join '|' -- (string escape --style=regex -- $argv[3..-1]))
    if test -n "$suffixes"
        set -l fitting (string match -r -- '^[^\t]*(?:/|\.(?:'$suffixes'))(?:\t.*)?$' $found)
        test (count $fitting) -gt 0; and set found $fitting
    end
    test (count $found) -gt 0; and printf '%s\n' "$opt"$found
end

function __perfkit_complete
    set -l words (commandline -opc)
    set -l raw (commandline -ct)
    # Without its quotes, of which one may still be open.
    set -l cur (string unescape -- "$raw"; or string unescape -- "$raw'"; or string unescape -- "$raw\"")
    set -l exe (string replace -r -- '^~/' "$HOME/" "$words[1]")
    command -q -- $exe; or set exe perfkit # an alias
    set -l out (command $exe __complete $words[2..-1] "$cur" 2>/dev/null)
    string match -qr -- '^:\d+$' "$out[-1]"; or return
    set -l bits (string sub -s 2 -- $out[-1])
    set -e out[-1]
    test (math "bitand($bits, 1)") -gt 0; and return
    set -l opt (string match -r -- '^--[^=]*=' "$cur")
    set -l value (string replace -- "$opt" '' "$cur")
    if test (math "bitand($bits, 64)") -gt 0
        complete -C (string replace -r -- '^.*? -- ' '' (commandline -cp))
    else if test (math "bitand($bits, 8)") -gt 0
        __perfkit_files "$opt" "$value" $out
    else if test (math "bitand($bits, 16)") -gt 0
        set -l found (__fish_complete_directories "$value" '')
        test (count $found) -gt 0; and printf '%s\n' "$opt"$found
    else if test (count $out) -gt 0
        printf '%s\n' "$opt"$out
    else if test (math "bitand($bits, 4)") -eq 0
        __perfkit_files "$opt" "$value"
    end
end

complete -c perfkit -k -f -a '(__perfkit_complete)'
