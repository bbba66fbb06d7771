# Judges runs of perfkit load against conformance_server. Reads, in this order:
#   cases       GET /cases
#   deviations  "ENGINE SCHEME CASE -> OUTCOME [| OUTCOME ...]  # why"; SCHEME may be *, an OUTCOME
#               may end in *, which stands for the rest
#   counts      what the server printed at its end
#   results     a line per run: PATH CONNECTIONS SENT RESPONSES STATUSES BODY_BYTES HEAD_BYTES RETRIED
#               OPENED ERRORS SUSPICIOUS (lists joined by "+", empty ones "-")
# Prints a line for each run whose outcome is neither the expected one nor a known deviation, and
# for each deviation that did not occur; at last how many runs it judged.
#   awk -v engine=E -v scheme=S -f conformance.awk cases deviations counts results

# What the client says, in the words of the cases.
function outcome(    s, class_) {
    class_ = errors
    sub(/=.*/, "", class_)
    if (responses == 0 && errors !~ /\+/) return class_
    if (statuses ~ /\+/) return "statuses " statuses
    if (kind == "half" && responses * 2 == sent && errors !~ /\+/)
        return "half " statuses " " body_bytes / responses " " class_
    if (responses != sent) return "some " responses " of " sent " " statuses " " errors
    s = statuses " " body_bytes / responses
    if (kind == "retry" && retried > 0) return "retry " s
    s = "ok " s " " (connections_seen <= connections ? "keepalive" \
        : connections_seen == sent ? "close" : connections_seen " connections")
    if (suspicious == sent) s = s " suspicious"
    else if (suspicious > 0) s = s " suspicious " suspicious
    if (expected ~ / retries$/) s = s " retries"
    else if (retried > 0) s = s " retried"
    return s
}

# Where client and server count differently. Requests that were sent and never read (the server had
# closed) are missing at the server where timing decides about that ("retries").
function disagreement(    s) {
    if (opened != connections_seen) s = s " opened " opened " connections, not " connections_seen
    if (responses == sent && answers != sent) s = s " got " responses " answers of " answers
    if (expected !~ / retries$/ && requests != sent + retried)
        s = s " sent " sent "+" retried " requests, not " requests
    if (expected ~ / retries$/ && (requests < sent || requests > sent + retried))
        s = s " sent " sent ".." sent + retried " requests, not " requests
    if (responses == sent && counts_heads && head_bytes + body_bytes != sent_bytes) \
        s = s " counts " head_bytes "+" body_bytes " bytes, not " sent_bytes
    return s ? " but" s : ""
}

function known(got,    n, i, one, list) {
    n = split(deviation[path_part[2]], list, / *\| */)
    for (i = 1; i <= n; i++) {
        one = list[i]
        if (one ~ /\*$/ ? index(got, substr(one, 1, length(one) - 1)) == 1 : got == one) return 1
    }
    return 0
}

FILENAME == ARGV[1] {
    e = $6
    for (i = 7; i <= NF; i++) e = e " " $i
    expectation[$1] = e
    next
}
FILENAME == ARGV[2] {
    sub(/ *#.*/, "")
    if ($1 != engine || ($2 != "*" && $2 != scheme)) next
    name = $3
    if (!(name in expectation)) { print "no such case: " name; next }
    sub(/^.*-> */, "")
    deviation[name] = $0
    next
}
FILENAME == ARGV[3] {
    if ($1 != scheme) next
    for (i = 3; i < NF; i += 2) seen[$2, $i] = $(i + 1)
    next
}
{
    split($1, path_part, "/")
    expected = kind = expectation[path_part[2]]
    sub(/ .*/, "", kind)
    connections = $2; sent = $3; responses = $4; statuses = $5; body_bytes = $6; head_bytes = $7
    retried = $8; opened = $9; errors = $10; suspicious = $11
    counts_heads = kind == "ok" && expected !~ /suspicious/ && path_part[2] !~ /^idle-/
    requests = seen[$1, "requests"]; answers = seen[$1, "answers"]
    connections_seen = seen[$1, "connections"]; sent_bytes = seen[$1, "sent_bytes"]
    got = outcome() disagreement()
    runs++
    if (got == expected) next
    if (path_part[2] in deviation && known(got)) { occurred[path_part[2]] = 1; next }
    print scheme " " $1 ": expected " expected \
        (path_part[2] in deviation ? " or " deviation[path_part[2]] : "") ", got " got
}
END {
    for (name in deviation)
        if (!(name in occurred) && deviation[name] !~ /\|/) print scheme " " name ": keeps the rules now, the deviation is gone"
    print runs " runs"
}
