# fish completion for policyctl(1): the program itself is asked, with the line as it is so far.
function __policyctl_candidates
    set -l program (commandline -opc)[1]
    set -l line (commandline -cp)
    for candidate in ($program __complete "$line" 2>/dev/null)
        if test "$candidate" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $candidate
        end
    end
end
complete -c policyctl -f -a '(__policyctl_candidates)'
