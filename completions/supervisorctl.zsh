#compdef supervisorctl supervisord
# Completion of supervisorctl and supervisord for zsh.

local -a _supervisorctl_actions
@ACTIONS@

# The long options that a program names in its help.
_supervisor_options() {
    local -a options
    options=(${(f)"$($1 --help 2>/dev/null </dev/null | sed -n 's/^\(-[a-zA-Z]\/\)\{0,1\}\(--[a-z_-]*\).*/\2/p')"})
    compadd -a options
}

# What `status` lists, with its groups; asked of the daemon that the options on the line name.
_supervisorctl_processes() {
    local -a names
    names=(${(f)"$("$@" status 2>/dev/null </dev/null | awk '
        $2 ~ /^[A-Z]+$/ { print $1; if (split($1, part, ":") > 1) print part[1] ":*" } END { print "all" }')"})
    compadd -a -- names
}

_supervisorctl_main() {
    local -a options described
    local i=2 action row
    while ((i < CURRENT)); do # options come before the action
        case $words[i] in
        -[csup] | --configuration | --serverurl | --username | --password)
            if ((i + 1 >= CURRENT)); then _files; return; fi
            options+=($words[i] ${words[i+1]/#\~\//$HOME/}) # nobody has expanded it yet
            ((i += 2))
            ;;
        -[csup]* | --[csup]*=*) options+=($words[i]); ((i += 1)) ;;
        -*) ((i += 1)) ;;
        *) break ;;
        esac
    done
    if ((i >= CURRENT)); then
        if [[ $words[CURRENT] == -* ]]; then _supervisor_options $words[1]; return; fi
        for row in $_supervisorctl_actions; do described+=("${row%%:*}:${row##*:}"); done
        _describe action described
        return
    fi
    action=$words[i]
    for row in $_supervisorctl_actions; do
        case $row in
        ${action}:process:*) _supervisorctl_processes $words[1] $options ;;
        ${action}:signal:*)
            if ((i + 1 == CURRENT)); then compadd HUP INT TERM KILL QUIT USR1 USR2
            else _supervisorctl_processes $words[1] $options; fi ;;
        ${action}:action:*) compadd -- ${_supervisorctl_actions%%:*} ;;
        esac
    done
}

if [[ $service == supervisord ]]; then
    if [[ $words[CURRENT] == -* ]]; then _supervisor_options $words[1]; else _files; fi
else
    _supervisorctl_main
fi
