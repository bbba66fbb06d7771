# The rules of the house that can be read off the source. Prints "file:line: what", exit 1 if any.
#
#   awk -f tests/rules.awk FILE...      paths from the top of the tree: lib/ROOM/x.c cmd/x.c tests/..
#
# Code is judged without its comments and string literals. Functions are found as .clang-format
# lays them out: they begin in column 0 with a line that ends in "{" and end with "}" in column 0.

function words(text, set,    list, n, i) {
    n = split(text, list, " ")
    for (i = 1; i <= n; i++) set[list[i]] = 1
}

BEGIN {
    file_lines_max = 700
    function_lines_max = 70

    # A room includes only rooms to its right (docs/architecture.md).
    right["base"] = "base"
    right["cli"] = "cli base"
    right["stats"] = "stats base"
    right["timing"] = "timing base"
    right["report"] = "report stats timing base"
    right["profile"] = "profile " right["report"]
    tools = "bench load serve flame alloc"
    n = split(tools, tool, " ")
    for (i = 1; i <= n; i++) right[tool[i]] = tool[i] " " right["profile"]
    right["session"] = "session " tools " " right["profile"]
    right["cmd"] = "cmd cli " right["session"]

    # Who may know which library; "cmd/version.c" names them all.
    home["microhttpd.h"] = "serve"
    home["gnutls"] = "serve"
    home["curl"] = "load"
    home["openssl"] = "load bench" # TLS; content hashes
    home["cjson"] = "report"
    home["elfutils"] = home["gelf.h"] = home["libelf.h"] = home["dwarf.h"] = "profile"
    home["libiberty"] = "profile"
    home["bpf"] = "alloc"

    # The library takes options and fills results: it does not print, end the program, or look at
    # its surroundings behind the caller's back.
    words("printf vprintf puts putchar perror exit _exit _Exit quick_exit abort getenv secure_getenv setenv putenv setlocale system popen getopt getopt_long", not_in_lib)
    words("stdout stderr stdin", streams)
    # Nobody uses these: no bounds, hidden state, or errors that cannot be told from results.
    words("sprintf vsprintf strcpy stpcpy strcat strncpy strncat gets gmtime localtime ctime asctime strtok rand srand random tmpnam tempnam mktemp alloca gethostbyname gethostbyaddr system popen signal vfork", banned)
    # The second Ctrl-C ends the program at once, from the handler.
    allowed["lib/base/interrupt.c", "_exit"] = 1
    # A child inherits our environment; posix_spawn wants it handed over.
    allowed["lib/base/process.c", "environ"] = 1
    # A copy of ours that cannot become a command leaves nothing behind.
    allowed["lib/base/held.c", "_exit"] = 1
    # The worker is a program of its own, and shares its standard output with what it measures.
    allowed["lib/bench/worker_main.c", "stdout"] = 1
    # The example is written out for a user, and never linked.
    allowed["lib/bench/example/bench_example.c", "abort"] = 1
    # So is the launcher, whose child ends so when it cannot become what it should.
    allowed["lib/bench/launcher_main.c", "_exit"] = 1
    # The hook is loaded into other programs, and has only the environment to be told by.
    allowed["lib/alloc/hook_process.c", "environ"] = allowed["lib/alloc/hook_process.c", "getenv"] = 1
    # What it stands in for; and there is no exception to throw where there is no C++ library.
    allowed["lib/alloc/hook_process.c", "_exit"] = allowed["lib/alloc/hook_new.c", "abort"] = allowed["lib/alloc/hook_process.c", "_Exit"] = 1
    allowed["lib/alloc/hook_patch.c", "_exit"] = allowed["lib/alloc/hook_patch.c", "_Exit"] = 1
    # The process that attaches is a copy of ours, and ends so.
    allowed["lib/alloc/inject.c", "_exit"] = 1
    # Text becomes a number in one place, which checks all of it.
    words("atoi atol atoll atof strtol strtoul strtoll strtoull strtoimax strtoumax strtod strtof strtold sscanf fscanf scanf", numbers)
}

function complain(what) {
    print FILENAME ":" FNR ": " what
    found = 1
}

# The line without comments and strings; in_comment goes on to the next line.
function code_of(line,    out, c, two, i, quote) {
    out = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; i++ }
        } else if (quote != "") {
            if (c == "\\") i++
            else if (c == quote) { quote = ""; out = out c }
        } else if (two == "//") {
            break
        } else if (two == "/*") {
            in_comment = 1
            i++
        } else {
            if (c == "\"" || c == "'") quote = c
            out = out c
        }
    }
    return out
}

function check_include(line,    target, part) {
    if (match(line, /^#[ ]*include[ ]*"[^"]*"/)) {
        target = line
        sub(/^[^"]*"/, "", target)
        sub(/".*/, "", target)
        # The suite and the example are objects like any user's.
        if (is_test || (FILENAME ~ /^lib\/bench\/(suite|example)\// && target == "perfkit.h")) return
        if (target ~ /\.\./ || target !~ /\//) {
            if (room != "cmd" || target ~ /\.\./) complain("include \"" target "\": name it by its room")
            return
        }
        split(target, part, "/")
        if (index(" " right[room] " ", " " part[1] " ") == 0)
            complain("room " room " may not include \"" target "\"")
    } else if (match(line, /^#[ ]*include[ ]*<[^>]*>/)) {
        target = line
        sub(/^[^<]*</, "", target)
        sub(/>.*/, "", target)
        split(target, part, "/")
        if (part[1] in home && !is_test && !index(" " home[part[1]] " ", " " room " ") && FILENAME !~ /^cmd\/version\.c$/)
            complain("only room " home[part[1]] " may include <" target ">")
    }
}

function check_words(code,    name, before, rest, called) {
    rest = code
    before = ""
    while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
        if (RSTART > 1) before = substr(rest, RSTART - 1, 1)
        name = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        called = rest ~ /^ *\(/ && before != "." && before != ">"
        if (name ~ /^__(DATE|TIME|TIMESTAMP)__$/) complain(name " makes every build differ")
        if (called && name in banned && !(name == "signal" && rest ~ /^\([A-Z]+, SIG_(IGN|DFL)\)/))
            complain(name "() is banned")
        if (called && name in numbers && !is_test && FILENAME !~ /^lib\/base\/units\.c$/)
            complain(name "(): numbers are read by base/units")
        if (is_lib && called && name in not_in_lib && !(name in banned) && !((FILENAME, name) in allowed))
            complain(name "() has no place in lib/")
        if (is_lib && name in streams && !((FILENAME, name) in allowed)) complain(name " has no place in lib/")
        if (is_lib && name == "environ" && !((FILENAME, name) in allowed))
            complain("environ has no place in lib/")
        before = substr(name, length(name), 1)
    }
}

function end_of_file() {
    if (current != "" && lines > file_lines_max) {
        print current ":" lines ": " lines " lines, more than " file_lines_max
        found = 1
    }
}

FNR == 1 {
    end_of_file()
    current = FILENAME
    in_comment = 0
    function_at = 0
    is_lib = FILENAME ~ /^lib\//
    is_test = FILENAME ~ /^tests\//
    split(FILENAME, path, "/")
    room = is_lib ? path[2] : path[1]
    if (!is_test && !(room in right)) complain("no such room: " room)
}

{
    lines = FNR
    check_include($0)
    if ($0 ~ /(^|[^A-Z])(TODO|FIXME)([^A-Z]|$)/) complain("unfinished: " $0)
    code = code_of($0)
    if (code !~ /^#[ ]*include/) check_words(code)
    if (code ~ /^[A-Za-z_][^=]*\([^=]*\{$/) function_at = FNR
    if (code ~ /^[A-Za-z_].*\($/ || code ~ /^[A-Za-z_][^;={]*,$/) pending = FNR
    if (code ~ /^ .*\) \{$/ && pending) { function_at = pending; pending = 0 }
    if (code ~ /^\}/ || code ~ /;$/) pending = 0
    if (code ~ /^\}/ && function_at) {
        if (FNR - function_at + 1 > function_lines_max)
            complain("a function of " FNR - function_at + 1 " lines, more than " function_lines_max)
        function_at = 0
    }
}

END {
    end_of_file()
    exit found
}
