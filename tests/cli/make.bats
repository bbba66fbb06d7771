# What the Makefile promises. Builds go to copies of the tree, so that a running check, which uses
# the tree's own build/, is not disturbed.
load helper

copy_tree() { # TO
    mkdir -p "$1"
    (cd "$ROOT" && cp -a Makefile README.md LICENSE lib cmd completions docs tests .clang-format .clang-tidy "$1")
}

setup() {
    perfkit_setup
    unset MAKEFLAGS MFLAGS MAKELEVEL CC CFLAGS SANITIZE COVERAGE WITHOUT FUZZ
}

# What these show does not depend on the build under test: the release run is enough.
is_plain() { [[ $(dirname "$PERFKIT") == "$ROOT/build/release" ]]; }

@test "make help lists every target that is meant for people" {
    run make -C "$ROOT" --no-print-directory help
    [ "$status" -eq 0 ]
    local target
    for target in all deps demo check fuzz coverage compare lint format man install install-applets \
        uninstall clean help; do
        grep -qE "^  make $target +[a-z]" <<<"$output" || { echo "no $target"; return 1; }
    done
}

@test "make: a second one prints nothing; what .incbin reads is a dependency" {
    is_plain || skip "on the release build only"
    run make -C "$ROOT" --no-print-directory
    [ "$status" -eq 0 ]
    run make -C "$ROOT" --no-print-directory
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    run make -C "$ROOT" --no-print-directory -n -W completions/perfkit.bash
    [[ $output == *cmd/completion.c* ]]
    run make -C "$ROOT" --no-print-directory -n -W lib/base/error.h
    [[ $output == *lib/base/error.c* ]]
}

@test "make: compile_commands.json has the real command of every source" {
    is_plain || skip "on the release build only"
    local n
    n=$(cd "$ROOT" && ls lib/*/*.c cmd/*.c | grep -vc '\.bpf\.c$') # that one is for the kernel
    [ "$(jq length "$ROOT/build/compile_commands.json")" -eq "$n" ]
    [ "$(jq -r '[.[] | select((.command | contains("-Wconversion")) and .directory != "")] | length' \
        "$ROOT/build/compile_commands.json")" -eq "$n" ]
    # One of them runs as it stands.
    local command
    command=$(jq -r '.[] | select(.file == "lib/base/error.c") | .command' "$ROOT/build/compile_commands.json")
    (cd "$ROOT" && sh -c "${command% -MMD *} -c lib/base/error.c -o $BATS_TEST_TMPDIR/error.o")
    [ -s error.o ]
}

@test "make install, install-applets and uninstall: right places, nothing left" {
    is_plain || skip "on the release build only"
    local dest=$PWD/dest prefix=/opt/pk
    make -C "$ROOT" --no-print-directory install-applets DESTDIR="$dest" PREFIX=$prefix
    cmp "$PERFKIT" "$dest$prefix/bin/perfkit"
    [ "$(stat -c %a "$dest$prefix/bin/perfkit")" = 755 ]
    cmp "$ROOT/lib/bench/perfkit.h" "$dest$prefix/include/perfkit.h"
    cmp "$ROOT/completions/perfkit.bash" "$dest$prefix/share/bash-completion/completions/perfkit"
    cmp "$ROOT/completions/_perfkit" "$dest$prefix/share/zsh/site-functions/_perfkit"
    cmp "$ROOT/completions/perfkit.fish" "$dest$prefix/share/fish/vendor_completions.d/perfkit.fish"

    # Every tool has its page and its link, and the link is that tool.
    local tool
    while read -r tool; do
        [ -s "$dest$prefix/share/man/man1/perfkit-$tool.1" ]
        "$dest$prefix/bin/perfkit-$tool" --help | sed "s/perfkit-$tool/perfkit $tool/g" >by-link
        "$PERFKIT" "$tool" --help | sed "s/perfkit-$tool/perfkit $tool/g" | diff - by-link
    done < <("$PERFKIT" __completeNoDesc help '' | grep -v '^:')
    "$dest$prefix/bin/oha" --help | grep -q oha

    # Somebody else's program of a peer's name stays.
    rm "$dest$prefix/bin/oha"
    echo theirs >"$dest$prefix/bin/oha"
    echo other >"$dest$prefix/share/man/man1/other.1"
    make -C "$ROOT" --no-print-directory uninstall DESTDIR="$dest" PREFIX=$prefix
    [ "$(cd "$dest" && find . -type f -o -type l | sort | xargs)" = \
        "./opt/pk/bin/oha ./opt/pk/share/man/man1/other.1" ]
}

@test "make install: the zsh directory can be another" {
    is_plain || skip "on the release build only"
    make -C "$ROOT" --no-print-directory install DESTDIR="$PWD/d" PREFIX=/usr \
        ZSHDIR=/usr/share/zsh/vendor-completions
    [ -s d/usr/share/zsh/vendor-completions/_perfkit ]
    [ ! -e d/usr/share/zsh/site-functions ]
}

@test "make man: no page has a fault that mandoc finds" {
    local tool
    { echo; "$PERFKIT" __completeNoDesc help '' | grep -v '^:'; } >tools
    while read -r tool; do
        # shellcheck disable=SC2086
        "$PERFKIT" man $tool >page.1
        run mandoc -T lint -W warning page.1
        # A page has a version and no date: two builds of one source are the same.
        output=$(grep -v 'missing date' <<<"$output" || true)
        [ -z "$output" ] || { echo "$tool: $output"; return 1; }
    done <tools
}

@test "make: two checkouts in different places give identical bytes" {
    is_plain || skip "on the release build only"
    copy_tree "$PWD/some/where else/perfkit" # a blank must do no harm either
    make -C "$PWD/some/where else/perfkit" --no-print-directory -j2 all >/dev/null
    make -C "$ROOT" --no-print-directory >/dev/null
    cmp "some/where else/perfkit/build/release/perfkit" "$ROOT/build/release/perfkit"
    cmp "some/where else/perfkit/build/perfkit" "$ROOT/build/release/perfkit"
}

@test "make WITHOUT='gnutls libiberty libbpf' builds a program that says what is missing" {
    is_plain || skip "on the release build only"
    copy_tree "$PWD/tree"
    make -C tree --no-print-directory -j2 WITHOUT="gnutls libiberty libbpf" all >/dev/null
    local built=tree/build/release-without-gnutls-without-libiberty-without-libbpf/perfkit
    [ ! -e tree/build/perfkit ]
    objdump -p "$built" | grep NEEDED >needed
    grep -q libmicrohttpd needed
    run ! grep -e gnutls -e libbpf needed
    run --separate-stderr "$built" version --verbose
    [ "$status" -eq 0 ]
    [[ $output == *"GnuTLS "*"missing"*"libgnutls28-dev"* ]]
    [[ $output == *"libiberty "*"missing"*"libiberty-dev"* ]]
    [[ $output == *"libbpf "*"missing"*"libbpf-dev"* ]]
    run --separate-stderr "$built" serve --listen 127.0.0.1:0 --tls
    one_line_error GnuTLS
}

@test "make: a missing library is named with its package and the way to get it" {
    copy_tree "$PWD/tree"
    # pkg-config that knows nothing but zlib.
    mkdir bin
    printf '#!/bin/sh\ncase "$*" in *--exists*zlib) exit 0;; *) exit 1;; esac\n' >bin/pkg-config
    chmod +x bin/pkg-config
    PATH=$PWD/bin:$PATH run --separate-stderr make -C tree --no-print-directory
    [ "$status" -eq 2 ]
    [[ $stderr == *"libmicrohttpd is missing (Debian: libmicrohttpd-dev); "*"make deps"* ]]
    [[ $stderr == *"libcurl4-openssl-dev"* && $stderr == *"libcjson-dev"* && $stderr != *zlib1g-dev* ]]
}

@test "make deps: nothing missing, nothing said; only what is missing is asked of apt-get" {
    copy_tree "$PWD/tree"
    mkdir bin
    # A machine where all is installed but jq. apt-get notes what it is asked for.
    cat >bin/dpkg-query <<'SH'
#!/bin/sh
for last; do :; done
case $last in jq) [ -e "$STATE/jq" ] && printf installed || exit 1 ;; *) printf installed ;; esac
SH
    cat >bin/apt-get <<'SH'
#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >>"$STATE/asked"
case "$*" in *install*) [ -e "$STATE/broken" ] && exit 100; : >"$STATE/jq" ;; esac
exit 0
SH
    printf '#!/bin/sh\nexit 100\n' >bin/apt-cache # no lists yet
    printf '#!/bin/sh\necho sudo >>"$STATE/asked"; exec "$@"\n' >bin/sudo
    chmod +x bin/*
    export STATE=$PWD PATH=$PWD/bin:$PATH
    run make -C tree --no-print-directory deps
    [ "$status" -eq 0 ]
    [[ $output == *"DEPS"*" jq" ]]
    [ "$(grep -c install asked)" -eq 1 ]
    grep -q '^noninteractive .*update$' asked
    grep -q 'install .* jq$' asked
    [ "$(id -u)" -ne 0 ] || ! grep -q sudo asked
    run make -C tree --no-print-directory deps
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    rm jq && : >broken
    run make -C tree --no-print-directory deps
    [ "$status" -eq 2 ]
    [[ $output == *"could not install: jq"* ]]
}

@test "make deps: without apt-get the packages are named for other systems" {
    copy_tree "$PWD/tree"
    mkdir bin
    local tool
    for tool in sh make sed grep mkdir rm cat printf tr echo nproc id env dirname basename; do
        ln -s "$(command -v "$tool" || echo "/bin/$tool")" "bin/$tool"
    done
    PATH=$PWD/bin run make -C tree --no-print-directory deps
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"missing: libmicrohttpd libcurl openssl libcjson zlib libdw libelf cmocka"* ]]
    [[ $output == *"Fedora: dnf install gcc"*"Arch:   pacman -S gcc"*"Alpine: apk add gcc"* ]]
}

@test "make: each kind of build has its own folder" {
    local folder
    folder_of() { make -C "$ROOT" --no-print-directory -n "$@" all | grep -oE 'build/[a-z-]+/flags' | sort -u; }
    [ "$(folder_of)" = build/release/flags ]
    [ "$(folder_of CC=clang)" = build/release-clang/flags ]
    [ "$(folder_of SANITIZE=address,undefined)" = build/san-address-undefined/flags ]
    [ "$(folder_of SANITIZE=thread CC=clang)" = build/san-thread-clang/flags ]
    [ "$(folder_of COVERAGE=1)" = build/coverage/flags ]
    [ "$(folder_of WITHOUT=gnutls)" = build/release-without-gnutls/flags ]
}

@test "the demo: server, curl, load, and the server is gone afterwards" {
    run timeout 120 env DEMO_S=1 "$ROOT/tests/demo" "$PERFKIT"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"listening on http://127.0.0.1:"*'$ curl '*"Success rate:"*"100.00%"*'$ kill '* ]]
    local pid
    pid=$(sed -n 's/^\$ kill //p' <<<"$output")
    run ! kill -0 "$pid"
}

@test "the demo fails when a step fails, and leaves no server" {
    mkdir bin
    # A perfkit whose load fails.
    printf '#!/bin/sh\n[ "$1" = load ] && exit 3\nexec "%s" "$@"\n' "$PERFKIT" >bin/perfkit
    chmod +x bin/perfkit
    run timeout 60 "$ROOT/tests/demo" bin/perfkit
    [ "$status" -eq 3 ]
    run ! pgrep -f "^$PERFKIT serve .*$PWD"
}
