# fish completion for policyctl(1): commands and options are asked of the program itself, destinations of the store.
function __policyctl_candidates
    set -l line (commandline -cp)
    policyctl "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
    switch "$line"
        case '*domain set *' '*domain remove *' '*domain show *' '*domain list *' '*pin *' '*query *' '*check *' '*probe *' '*explain *' '*audit *'
            policyctl --format tsv domain list 2>/dev/null | cut -f1
    end
end
complete -c policyctl -a '(__policyctl_candidates)'
