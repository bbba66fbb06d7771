# Folded stacks in which functions that perf and perfkit name differently, both rightly, have one
# name. What remains different then is a difference in figures.
#
# Of the aliases of one function perf takes a local name before a weak one, perfkit the other way
# round, and the function around inlined ones perf names by the debug information, perfkit by the
# symbol table. Versions and clones of a symbol are that symbol. An inlined lambda, whose debug
# information has no linkage name, perf calls as the symbol around it. Code that the kernel has made
# since has no name, and perf knows no module of it either.

function united(name) {
    sub(/ \[clone .*/, "", name)
    sub(/@@?[A-Z]+_[0-9.]+$/, "", name)
    if (sub(/^__GI_/, "", name)) sub(/^__/, "", name)
    if (name ~ /^std::_Function_handler<.*>::_M_invoke$/) return "_M_invoke"
    if (name == "__libc_start_main_impl") return "__libc_start_main"
    if (name ~ /^(libc_|c)free$/) return "free"
    if (name == "libc_malloc") return "malloc"
    if (name == "[[kernel.kallsyms]]") return "[unknown]"
    sub(/^__mempcpy_|^__memcpy_/, "__memmove_", name)
    return name
}

match($0, / [0-9.]+$/) {
    n = split(substr($0, 1, RSTART - 1), frames, ";")
    stack = ""
    for (i = 1; i <= n; i++) {
        name = united(frames[i])
        if (name == "_M_invoke" && i > 1 && frames[i - 1] ~ /^__invoke_impl<.*lambda/) name = "operator"
        stack = stack (i > 1 ? ";" : "") name
    }
    print stack substr($0, RSTART)
}
