# What the scripts beside this file share; they source it. Bash.
set -euo pipefail
umask 022
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$top/test/tools
# The make that calls a script hands down its variables; a make called from here must not see them
# (DOCS, for one, means a list of files to install to PGXS).
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
# Nor do the caller's language and connection matter here.
export LANG=C.UTF-8 LC_ALL=C.UTF-8 PG_CONFIG=${PG_CONFIG-}
unset LANGUAGE
for name in "${!PG@}"; do case $name in PG_*) ;; *) unset "$name" ;; esac; done

say() { echo "==> $*"; }
die() { echo "${0##*/}: $*" >&2; exit 1; }

# A server refuses to run as root, so root's servers and tests belong to the user that Debian made for them. (runuser
# would leave a watching parent behind.)
is_root() { [ "$(id -u)" = 0 ]; }
owner=$(is_root && echo postgres || id -un)
as_owner() {
    if ! is_root; then "$@"; return; fi
    setpriv --reuid="$owner" --regid="$owner" --init-groups env HOME="${work:-/}" "$@"
}
can_root() { is_root || sudo -n true 2>/dev/null; }
as_root() { if is_root; then "$@"; else sudo -n "$@"; fi; }

# stage WORDS COMMAND…: one line on the screen, the command's output in a log that is shown only when it fails.
stage() {
    say "$1"; shift
    local log
    log=$(mktemp /var/tmp/discovery-log.XXXXXX)
    "$@" >"$log" 2>&1 </dev/null || { tail -n 30 "$log"; die "failed; the whole log is $log"; }
    rm -f "$log"
}

# server_fits CONFIG: is that the pg_config of a whole server, 15 or newer, with the headers to build for it?
server_fits() {
    local version
    version=$("$1" --version 2>/dev/null) && version=${version#PostgreSQL } && [ "${version%%[!0-9]*}" -ge 15 ] &&
        [ -e "$("$1" --pgxs)" ] && [ -e "$("$1" --includedir-server)/postgres.h" ] && [ -x "$("$1" --bindir)/initdb" ]
}

# Prints the path of the pg_config to use: the caller's, else that in PATH, else the newest that Debian packages hold.
find_pg_config() {
    local config
    if [ -n "$PG_CONFIG" ]; then
        server_fits "$PG_CONFIG" && realpath -s "$(command -v "$PG_CONFIG")"
        return
    fi
    for config in pg_config $(printf '%s\n' /usr/lib/postgresql/*/bin/pg_config | sort -rV); do
        if server_fits "$config"; then realpath -s "$(command -v "$config")"; return; fi
    done
    return 1
}
use_server() {
    PG_CONFIG=$(find_pg_config) ||
        die "no PostgreSQL 15 or newer with its server headers found by PG_CONFIG='$PG_CONFIG'"
    id -u "$owner" >/dev/null 2>&1 ||
        die "a server cannot run as root, and there is no user $owner: run this as somebody else"
}

# private NAME: makes a fresh directory that only the owner reaches, and puts its path into $work. It is in /var/tmp,
# since a checkout may lie where the owner cannot read.
private() {
    work=$(cd / && as_owner mktemp -d "/var/tmp/discovery-$1.XXXXXX")
    cd "$work"
    as_owner mkdir tree pg log tmp
    export TMPDIR=$work/tmp
}

# The files of the checkout, without what is built: those git knows or would add, else all.
list_tree() {
    cd "$top"
    if [ -e .git ] && command -v git >/dev/null; then
        git -c safe.directory='*' ls-files -z --cached --others --exclude-standard
    else
        find . -type d \( -name .git -o -path ./build -o -path ./coverage \) -prune -o \
            ! -type d ! -name '*.o' ! -name '*.bc' ! -name '*.so' -print0
    fi | while IFS= read -r -d '' file; do
        # What is deleted but still in git's index is none of the tree.
        if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
    done
}
pack_tree() { list_tree | tar -C "$top" --null -T - -cf -; }
# copy_tree DIRECTORY
copy_tree() { pack_tree | as_owner tar -C "$1" -xf -; }

# A copy of the installed server, which finds its files relative to its programs. The extension goes in there: no root
# needed, nothing of the machine's own server touched, and two runs do not meet.
copy_server() {
    local bin include
    bin=$("$PG_CONFIG" --bindir) && include=$("$PG_CONFIG" --includedir) &&
        tar -C / -cf - ".$bin" ".$("$PG_CONFIG" --pkglibdir)" ".$("$PG_CONFIG" --sharedir)" |
        as_owner tar -C "$work/pg" -xf - &&
        as_owner mkdir -p "$work/pg${include%/*}" && as_owner ln -s "$include" "$work/pg$include" || return
    PG_CONFIG=$work/pg$bin/pg_config
    PATH=$work/pg$bin:$PATH
}

# give_to_owner FILE: what root writes into a checkout belongs to whoever owns that
give_to_owner() { ! is_root || chown -R --reference="$top" "$1"; }

# make_tree TARGET…: in the private copy of the tree, for the private copy of the server
make_tree() { as_owner make -s -C "$work/tree" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" "$@"; }

# Builds the extension there and installs it, with the flags of COVERAGE and INSTRUMENT; with WRAP, puts that command
# before the server.
build_extension() {
    make_tree INSTRUMENT="${INSTRUMENT-} ${COVERAGE:+--coverage}" ${INSTRUMENT:+with_llvm=no} all install || return
    [ -n "${WRAP-}" ] || return 0
    # What initdb runs needs no watching.
    local server=${PG_CONFIG%/*}/postgres
    as_owner mv "$server" "$server.bin"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\ncase $1 in --boot | --single | -V | -C) exec "$0.bin" "$@" ;; esac\nexec %s "$0.bin" "$@"\n' \
        "$WRAP" | as_owner tee "$server" >/dev/null
    as_owner chmod +x "$server"
}

# Ends whatever still runs in there (a server's working directory is its data directory), and removes it unless told to
# keep it.
leave_private() {
    local signal process found
    [ -n "${work-}" ] || return 0
    cd /
    for signal in TERM QUIT KILL; do
        found=
        for process in /proc/[0-9]*; do
            case $(readlink "$process/cwd" || :) in
                "$work" | "$work"/*) kill "-$signal" "${process#/proc/}" 2>/dev/null && found=1 ;;
            esac
        done
        [ -z "$found" ] || sleep 1
    done
    [ "${1-}" = keep ] || rm -rf "$work"
    work=
}
