# shellcheck shell=bash
# shellcheck disable=SC2034 # variables for who sources this file
# What the scripts of this directory share. Source it; it runs nothing.

# What is left behind holds messages and tokens: it is for its owner only.
umask 077

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
run=$root/.run
# Where the private Redis answers.
socket=$run/redis.sock

say() { printf '%s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# ---- What must be installed --------------------------------------------------------------------------------------

# Debian's names; beside each what else shows that it is there, for systems without dpkg.
packages_build=(libhiredis-dev libsqlite3-dev libargon2-dev pkg-config)
packages_run=(redis-server haproxy curl)
# strace proves the order of sync and acknowledgement, Python runs the README's client in an environment of its
# own, and shellcheck reads these scripts.
packages_test=(redis-server redis-tools haproxy curl strace python3 python3-venv shellcheck)

is_installed() {
    if command -v dpkg-query >/dev/null; then
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]] && return 0
    fi
    case $1 in
    libhiredis-dev) pkg-config --exists hiredis 2>/dev/null ;;
    libsqlite3-dev) pkg-config --exists sqlite3 2>/dev/null ;;
    libargon2-dev) pkg-config --exists libargon2 2>/dev/null ;;
    python3-venv) python3 -c 'import ensurepip' 2>/dev/null ;;
    redis-tools) command -v redis-cli >/dev/null ;;
    protobuf-compiler) command -v protoc >/dev/null ;;
    *) command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 ]] ;;
    esac
}

# Installs those of the named packages that are missing, and says so first.
need_packages() {
    local missing=() package
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]} == 0)) && return
    if ! command -v apt-get >/dev/null; then
        die "these are missing, by their Debian names: ${missing[*]}. There is no apt-get here; install what your system calls them."
    fi
    local sudo=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "run as root: apt-get install -y --no-install-recommends ${missing[*]}"
        sudo=(sudo)
    fi
    say "installing with apt-get: ${missing[*]}"
    without_starting_services "${sudo[@]}" apt_install "${missing[@]}"
}

# A server that a package brings would start as a service of the system. We start our own, so packages are kept from
# starting theirs while they are being installed: by the policy file that Debian has for it, which goes afterwards. A
# policy that is already there is the administrator's and stays as it is. Services that already run are not touched.
without_starting_services() {
    local sudo=() policy=/usr/sbin/policy-rc.d mine=no
    while [[ $1 != apt_install ]]; do
        sudo+=("$1")
        shift
    done
    shift
    if [[ ! -e $policy ]]; then
        mine=yes
        # shellcheck disable=SC2064 # the path of now is meant
        trap "${sudo[*]} rm -f $policy" EXIT
        printf '%s\n' '#!/bin/sh' '# Made by ops/up of Baton for the length of one installation.' \
            'case "$*" in *redis-server*|*haproxy*) exit 101 ;; esac' 'exit 0' |
            "${sudo[@]}" tee "$policy" >/dev/null
        "${sudo[@]}" chmod 755 "$policy"
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || warn "apt-get update failed; trying with what is known"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 ||
        die "apt-get could not install: $*"
    if [[ $mine == yes ]]; then
        "${sudo[@]}" rm -f "$policy"
        trap - EXIT
    fi
    # The services that we brought would start with the next boot.
    local package
    for package in "$@"; do
        if [[ $package == redis-server || $package == haproxy ]] && [[ -d /run/systemd/system ]]; then
            "${sudo[@]}" systemctl disable --quiet "$package" 2>/dev/null || true
            say "the system's own service $package is left switched off (systemctl enable --now $package starts it)"
        fi
    done
}

need_swift() {
    local wanted_major=6 wanted_minor=2 version
    if ! command -v swift >/dev/null && [[ -x ${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}/swift ]]; then
        PATH=${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}:$PATH
    fi
    command -v swift >/dev/null ||
        die "there is no swift. Baton needs Swift $wanted_major.$wanted_minor or newer: https://www.swift.org/install/linux"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    [[ $version =~ ^([0-9]+)\.([0-9]+) ]] || die "'swift --version' says no version"
    if ((BASH_REMATCH[1] < wanted_major || (BASH_REMATCH[1] == wanted_major && BASH_REMATCH[2] < wanted_minor))); then
        die "Swift $version is too old. Baton needs $wanted_major.$wanted_minor or newer: https://www.swift.org/install/linux"
    fi
}

# build debug|release: builds the command and sets `baton` to its path.
build() {
    local minutes=4 began=$SECONDS
    [[ $1 == debug ]] || minutes=9
    if [[ ! -d $root/.build/$1 ]]; then
        say "building baton ($1) for the first time: about $minutes minutes on two cores; the steps show below"
    else
        say "building baton ($1)"
    fi
    (cd "$root" && swift build -c "$1" --product baton && swift build -c "$1" --product BatonFaultShim) >&2 ||
        die "the build failed"
    ((SECONDS - began < 10)) || say "built in $((SECONDS - began)) s"
    baton=$(cd "$root" && swift build -c "$1" --show-bin-path)/baton
}

# The last version of each schema before this one's: what an upgrade begins with.
older_commit=179be20

# build_older COMMIT: an earlier version of the program, in debug, kept by its commit. Sets `older`, or returns 1 where
# the history does not go back so far.
build_older() {
    local commit folder
    commit=$(cd "$root" && git rev-parse --verify --quiet "$1^{commit}") || return 1
    folder=$run/older/$commit
    older=$folder/.build/debug/baton
    [[ -x $older ]] && return
    say "building the version of ${commit:0:7}; this takes some minutes, once"
    mkdir -p "$folder"
    (cd "$root" && git archive "$commit") | tar -x -C "$folder"
    (cd "$folder" && swift build --product baton) >&2 || die "the earlier version did not build"
}

# ---- Processes ---------------------------------------------------------------------------------------------------

# A started process is remembered by its id and its start time, so that another process which got the same id later is
# never taken for it.
start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The command's name, in parentheses, may hold anything; what follows it does not.
    read -ra stat <<<"${stat##*) }"
    # A zombie is dead.
    [[ ${stat[0]} != Z ]] && printf '%s\n' "${stat[19]}"
}

# start NAME COMMAND...: in the background, detached from this terminal, with its output in .run/NAME.log.
start() {
    local name=$1 pid
    shift
    setsid "$@" >>"$run/$name.log" 2>&1 </dev/null 9>&- &
    pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid" || echo gone)" >"$run/$name.pid"
}

# The id of a started process, if it still runs.
pid_of() {
    local pid started
    [[ -f $run/$1.pid ]] || return 1
    read -r pid started <"$run/$1.pid" || return 1
    [[ $pid =~ ^[0-9]+$ && $(start_time "$pid") == "$started" ]] && printf '%s\n' "$pid"
}

is_running() { pid_of "$1" >/dev/null; }

# Names of all that was ever started here, nodes in their order.
started_names() {
    local file
    for file in "$run"/node-*.pid; do
        [[ -e $file ]] && basename "$file" .pid
    done | sort -t - -k 2 -n
    for file in balancer redis; do
        [[ -e $run/$file.pid ]] && printf '%s\n' "$file"
    done
    return 0
}

# stop SECONDS NAME...: SIGTERM to all, then wait; who is not gone in time gets SIGKILL.
stop() {
    local seconds=$1 name pid deadline
    shift
    for name in "$@"; do
        if pid=$(pid_of "$name"); then
            say "stopping $name (pid $pid)"
            kill -TERM "$pid" 2>/dev/null || true
        fi
    done
    deadline=$((SECONDS + seconds))
    for name in "$@"; do
        while pid=$(pid_of "$name"); do
            if ((SECONDS >= deadline)); then
                warn "$name did not stop within $seconds s; killing it"
                kill -KILL "$pid" 2>/dev/null || true
                deadline=$((SECONDS + 5))
            fi
            sleep 0.1
        done
        rm -f "$run/$name.pid"
    done
}

uptime_of() {
    local started boot ticks
    started=$(start_time "$1") || return 1
    ticks=$(getconf CLK_TCK)
    read -r boot _ </proc/uptime
    printf '%s\n' "$((${boot%.*} - started / ticks))"
}

is_listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# One at a time: a second `ops/up` beside the first would start everything twice. Not inherited by what is started.
only_one() {
    mkdir -p "$run"
    exec 9>"$run/lock"
    flock -w 5 9 || die "another ops/up or ops/down is at work here"
}

# remember NAME=VALUE...; recall sets them.
remember() { printf '%s\n' "$@" >"$run/cluster"; }
recall() {
    local name value
    [[ -f $run/cluster ]] || return 1
    while IFS='=' read -r name value; do
        case $name in
        port | nodes | configuration) printf -v "cluster_$name" '%s' "$value" ;;
        esac
    done <"$run/cluster"
}

health() { curl -s --max-time 2 "http://127.0.0.1:$1/health/ready" 2>/dev/null; }

# ---- The balancer ------------------------------------------------------------------------------------------------

# balancer_configuration PORT CONNECTIONS NODE_PORT...: HAProxy's.
balancer_configuration() {
    local port=$1 connections=$2 number=0 node_port
    shift 2
    cat <<END
# Made by ops/up, anew each time.
global
    maxconn $connections

defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    # A WebSocket is a tunnel. A node pings after 20 s of silence and gives up after 45 s; this must be longer.
    timeout tunnel 5m
    timeout http-request 10s
    retries 2
    option redispatch
    # A request that opens a WebSocket must be the first on its connection to the node, so that connections to nodes
    # are neither shared nor kept for the client's next request.
    option http-server-close
    http-reuse never

frontend clients
    bind 127.0.0.1:$port
    # What a client says about its address is not believed; ours is what the nodes see.
    http-request del-header X-Forwarded-For
    option forwardfor
    # Only what is for clients is passed on. Metrics, the admin page and whatever else a node answers are for inside, from
    # the nodes' own ports.
    acl for_clients path_beg /v1/
    acl for_clients path /health/live /health/ready
    http-request return status 404 content-type application/json string '{"error":{"code":"not_found","message":"there is no such path"}}' unless for_clients
    default_backend nodes

backend nodes
    # The connections live long, so that the number open tells the load.
    balance leastconn
    option httpchk
    http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host localhost
    http-check expect status 200
    # A node that evacuates is not ready: it gets no new clients, and says goodbye to its old ones itself.
    default-server check inter 500ms fall 2 rise 1
END
    for node_port in "$@"; do
        number=$((number + 1))
        printf '    server node-%s 127.0.0.1:%s\n' "$number" "$node_port"
    done
}
