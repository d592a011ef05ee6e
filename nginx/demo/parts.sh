# shellcheck shell=bash
# The demo's processes: start one, ask whether it lives, stop it. Sourced by nginx/demo/demo.
# A part's file in $VAR/parts holds its pid and its start time, so that another program's process,
# which may get the same pid later, is never taken for ours.

# Reads the fields of /proc/PID/stat from the state on into the array `process`:
# 0 state, 3 session, 19 start time. The name before them, in brackets, may hold anything.
read_process() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra process <<<"${stat##*) }"
    [ "${process[0]}" != Z ]
}

# Prints the pid of a part that lives.
part_pid() {
    local pid started process
    { read -r pid started <"$VAR/parts/$1"; } 2>/dev/null || return 1
    read_process "$pid" && [ "${process[19]}" = "$started" ] && printf '%s' "$pid"
}

# start_part NAME COMMAND...: in a session of its own, so that Ctrl-C reaches only the script,
# which then stops the parts in order. Fd 9 is the lock, which must not outlive the script.
start_part() {
    local name=$1 process
    shift
    env -C "$VAR" setsid "$@" >>"$VAR/log/$name.log" 2>&1 </dev/null 9>&- &
    read_process $! || die "$name has ended: $(last_line "$name")"
    printf '%s %s\n' $! "${process[19]}" >"$VAR/parts/$name"
}

# wait_for NAME SECONDS COMMAND...: until the command succeeds; the part must live meanwhile.
wait_for() {
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        part_pid "$name" >/dev/null || die "$name has ended: $(last_line "$name")"
        ((SECONDS < deadline)) || die "$name does not answer: $(last_line "$name")"
        sleep 0.05
    done
}

last_line() {
    local log=$VAR/log/$1.log
    printf '%s (%s)' "$(grep -v '^[[:space:]]*$' "$log" 2>/dev/null | tail -n 1)" "$log"
}

# Lists, in the array `members`, the processes of the session that a part led, the part itself
# among them. They work in $VAR, which tells them from a later session of the same number.
read_members() {
    local folder process
    members=()
    for folder in /proc/[0-9]*; do
        read_process "${folder#/proc/}" || continue
        [ "${process[3]}" = "$1" ] || continue
        case "$(readlink "$folder/cwd")/" in
        "$VAR"/*) members+=("${folder#/proc/}") ;;
        esac
    done
}

# Takes from `members` those that have ended.
keep_living() {
    local pid process living=()
    for pid in "${members[@]}"; do
        ! read_process "$pid" || living+=("$pid")
    done
    members=("${living[@]}")
}

# stop_part NAME SIGNAL SECONDS [SIGNAL SECONDS...]: asks in that order, forces as a last resort.
# The part passes the signal on to its children; those whose parent is dead are asked themselves.
stop_part() {
    local name=$1 leader members tries
    shift
    { read -r leader _ <"$VAR/parts/$name"; } 2>/dev/null || return 0
    read_members "$leader"
    while [ "${#members[@]}" -gt 0 ]; do
        if [ $# -eq 0 ]; then
            say "$name did not stop when asked, killing it"
            kill -KILL "${members[@]}" 2>/dev/null || true
            set -- KILL 5
        elif ! part_pid "$name" >/dev/null; then
            kill "-$1" "${members[@]}" 2>/dev/null || true
        else
            kill "-$1" "$leader" 2>/dev/null || true
        fi
        for ((tries = $2 * 20; tries > 0 && ${#members[@]} > 0; tries--)); do
            sleep 0.05
            keep_living
            [ "${#members[@]}" -gt 0 ] || read_members "$leader" # they may have had children meanwhile
        done
        shift 2
    done
    rm -f "$VAR/parts/$name"
}
