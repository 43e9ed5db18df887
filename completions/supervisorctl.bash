# Completion of supervisorctl and supervisord for bash.

@ACTIONS@

# The long options that a program names in its help.
_supervisor_options() { # PROGRAM
    "$1" --help 2>/dev/null </dev/null | sed -n 's/^\(-[a-zA-Z]\/\)\{0,1\}\(--[a-z_-]*\).*/\2/p'
}

# What `status` lists, with its groups; asked of the daemon that the options on the line name.
_supervisorctl_processes() { # PROGRAM OPTION...
    "$@" status 2>/dev/null </dev/null |
        awk '$2 ~ /^[A-Z]+$/ { print $1; if (split($1, part, ":") > 1) print part[1] ":*" } END { print "all" }' |
        sort -u
}

# What can stand behind an action.
_supervisorctl_arguments() { # ACTION PLACE PROGRAM OPTION...
    local action=$1 place=$2 row
    shift 2
    for row in "${_supervisorctl_actions[@]}"; do
        case $row in
        "$action":process:*) _supervisorctl_processes "$@" ;;
        "$action":signal:*)
            if [ "$place" = 1 ]; then echo HUP INT TERM KILL QUIT USR1 USR2; else _supervisorctl_processes "$@"; fi ;;
        "$action":action:*) echo "${_supervisorctl_actions[@]%%:*}" ;;
        esac
    done
}

# bash takes words apart at colons, and wants only what follows the last one.
_supervisor_reply() { # CURRENT CANDIDATE...
    local current=$1 prefix candidate
    shift
    prefix=
    case $current in *:*) [[ $COMP_WORDBREAKS == *:* ]] && prefix=${current%:*}: ;; esac
    COMPREPLY=()
    for candidate in "$@"; do
        if [[ $candidate == "$current"* ]]; then COMPREPLY+=("${candidate#"$prefix"}"); fi
    done
}

_supervisor_files() { # CURRENT
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$1"))
}

_supervisorctl() {
    local line=${COMP_LINE:0:COMP_POINT} words=() options=() current= i=1 candidates
    set -f
    read -ra words <<<"$line"
    case $line in *[[:space:]]) words+=("") ;; esac
    current=${words[${#words[@]} - 1]}
    while [ "$i" -lt $((${#words[@]} - 1)) ]; do # options come before the action
        case ${words[i]} in
        -[csup] | --configuration | --serverurl | --username | --password)
            if [ $((i + 1)) -ge $((${#words[@]} - 1)) ]; then
                set +f
                _supervisor_files "$current"
                return
            fi
            options+=("${words[i]}" "${words[i + 1]/#\~\//$HOME/}") # nobody has expanded it yet
            i=$((i + 2))
            ;;
        -*) case ${words[i]} in -[csup]* | --[csup]*=*) options+=("${words[i]}") ;; esac
            i=$((i + 1))
            ;;
        *) break ;;
        esac
    done
    if [ "$i" -lt $((${#words[@]} - 1)) ]; then
        candidates=$(_supervisorctl_arguments "${words[i]}" $((${#words[@]} - 1 - i)) "${words[0]}" "${options[@]}")
    elif [[ $current == -* ]]; then
        candidates=$(_supervisor_options "${words[0]}")
    else
        candidates=${_supervisorctl_actions[*]%%:*}
    fi
    _supervisor_reply "$current" $candidates
    set +f
}

_supervisord() {
    local current=${COMP_WORDS[COMP_CWORD]}
    case $current in
    -*) _supervisor_reply "$current" $(_supervisor_options "${COMP_WORDS[0]}") ;;
    *) _supervisor_files "$current" ;;
    esac
}

complete -F _supervisorctl supervisorctl
complete -F _supervisord supervisord
