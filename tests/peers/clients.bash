# The load generators that are compared: how each is found, called and read. Sourced by run and by
# tests/cli/peers.bats. One thread each, one request at a time per connection.

client_names=(wrk h1 curl h2load ab hey oha)
declare -A client_title=([wrk]=wrk [h1]='perfkit, engine h1' [curl]='perfkit, engine curl'
    [h2load]='h2load --h1' [ab]='ab -k' [hey]=hey [oha]=oha)
declare -A client_install=([wrk]='apt-get install wrk' [h2load]='apt-get install nghttp2-client'
    [ab]='apt-get install apache2-utils' [hey]='apt-get install hey' [oha]='cargo install oha')

# client_program NAME: where it is; fails when it is not there. WRK, H2LOAD, AB, HEY, OHA name
# others than those in PATH.
client_program() {
    local variable=${1^^}
    case $1 in
        h1 | curl) echo "$perfkit" ;;
        *) command -v "${!variable:-$1}" ;;
    esac
}

# client_command NAME CONNECTIONS SECONDS URL: sets `command`. wrk takes whole seconds only; a
# limit of time makes ab forget its count unless that comes behind it.
client_command() {
    local name=$1 connections=$2 seconds=$3 url=$4
    command=("$(client_program "$name")")
    case $name in
        wrk) command+=(-t 1 -c "$connections" -d "${seconds}s") ;;
        h1 | curl)
            command+=(load --engine "$name" --threads 1 --insecure --no-tui --json
                -c "$connections" -z "${seconds}s")
            ;;
        h2load) command+=(--h1 -t 1 -c "$connections" -D "$seconds") ;;
        ab) command+=(-q -k -c "$connections" -t "$seconds" -n 2000000) ;;
        hey) command+=(-cpus 1 -c "$connections" -z "${seconds}s") ;;
        oha) command+=(--no-tui --insecure --output-format json -c "$connections" -z "${seconds}s") ;;
    esac
    command+=("$url")
}

# client_answers NAME <OUTPUT: prints "GOOD BAD", good answers and everything it calls an error by
# its own count. What was in flight at the end is neither.
client_answers() {
    case $1 in
        wrk)
            awk '$2 == "requests" && $3 == "in" { good = $1 }
                /Socket errors:/ { gsub(/[^0-9 ]/, ""); for (i = 1; i <= NF; i++) bad += $i }
                /Non-2xx or 3xx responses:/ { other = $NF }
                END { print good - other, bad + other }'
            ;;
        h2load)
            awk '/^requests:/ { bad += $10 + $12 + $14 }
                /^status codes:/ { good = $3; bad += $5 + $7 + $9 }
                END { print good + 0, bad + 0 }'
            ;;
        ab)
            awk '/^Complete requests:/ { good = $3 }
                /^Failed requests:/ { bad += $3 }
                /^Non-2xx responses:/ { bad += $3 }
                END { print good - bad, bad + 0 }'
            ;;
        hey)
            awk '/^Error distribution/ { errors = 1 }
                match($1, /^\[[0-9]+\]$/) {
                    n = errors ? substr($1, 2) : $2
                    if ($1 == "[200]" && !errors) good += n; else bad += n
                }
                END { print good + 0, bad + 0 }'
            ;;
        *)
            jq -r '.statusCodeDistribution["200"] as $good
                | ([.statusCodeDistribution[]] | add) as $all
                | ([.errorDistribution | to_entries[] | select(.key != "aborted due to deadline")
                    | .value] | add) as $errors
                | "\($good // 0) \(($all // 0) - ($good // 0) + ($errors // 0))"'
            ;;
    esac
}

# check_answers NAME GOOD BAD SERVED CONNECTIONS: nothing went wrong, and the client counted what
# the server served. The server may have served one more per connection: what was in flight when
# the client stopped.
check_answers() {
    if (($3 > 0)); then
        echo "$1: $3 errors beside $2 good answers" >&2
    elif (($2 == 0)); then
        echo "$1: not one good answer" >&2
    elif (($2 > $4 || $4 > $2 + $5)); then
        echo "$1 counted $2 answers, the server $4 requests of $5 connections" >&2
    else
        return 0
    fi
    return 1
}
