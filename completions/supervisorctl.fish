# Completion of supervisorctl and supervisord for fish.

@ACTIONS@

# The options that a program names in its help.
function __supervisor_options
    set -l words (commandline -opc)
    $words[1] --help 2>/dev/null </dev/null | sed -n 's/^\(-[a-zA-Z]\/\)\{0,1\}\(--[a-z_-]*\).* -- \(.*\)/\2\t\3/p'
end

# The words of the line without the options: the action and what follows it.
function __supervisorctl_words
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word -c -s -u -p --configuration --serverurl --username --password
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Which kind of argument comes next.
function __supervisorctl_wants
    set -l words (__supervisorctl_words)
    test (count $words) -gt 0; or begin
        test $argv[1] = start
        return
    end
    for row in $__supervisorctl_actions
        set -l part (string split -m 2 : -- $row)
        if test $part[1] = $words[1]
            test $part[2] = signal -a (count $words) -gt 1; and set part[2] process
            test $part[2] = $argv[1]
            return
        end
    end
    return 1
end

function __supervisorctl_list
    for row in $__supervisorctl_actions
        set -l part (string split -m 2 : -- $row)
        printf '%s\t%s\n' $part[1] $part[3]
    end
end

# What `status` lists, with its groups; asked of the daemon that the options on the line name.
function __supervisorctl_processes
    set -l line (commandline -opc)
    set -l options
    set -l take 0
    for word in $line[2..-1]
        if test $take = 1
            set -a options (string replace -r '^~/' "$HOME/" -- $word) # nobody has expanded it yet
            set take 0
        else if contains -- $word -c -s -u -p --configuration --serverurl --username --password
            set -a options $word
            set take 1
        else if string match -qr -- '^(-[csup]|--[csup][a-z]*=)' $word
            set -a options $word
        else if not string match -q -- '-*' $word
            break
        end
    end
    $line[1] $options status 2>/dev/null </dev/null | awk '
        $2 ~ /^[A-Z]+$/ { print $1; if (split($1, part, ":") > 1) print part[1] ":*" } END { print "all" }' | sort -u
end

complete -c supervisorctl -n '__supervisorctl_wants start' -f -a '(__supervisorctl_list)'
complete -c supervisorctl -n '__supervisorctl_wants action' -f -a '(__supervisorctl_list)'
complete -c supervisorctl -n '__supervisorctl_wants process' -f -a '(__supervisorctl_processes)'
complete -c supervisorctl -n '__supervisorctl_wants signal' -f -a 'HUP INT TERM KILL QUIT USR1 USR2'
complete -c supervisorctl -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__supervisor_options)'
complete -c supervisorctl -s c -l configuration -r
complete -c supervisord -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__supervisor_options)'
complete -c supervisord -s c -l configuration -r
