# bash completion for policyctl(1): the program itself is asked, with the line as it is so far.
_policyctl() {
    local line=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]} candidate quote='' typed='' breaks=''
    COMPREPLY=()
    case $current in \'* | \"*) quote=${current:0:1} ;; esac
    # Readline takes the colon of [mx.example.com]:587 and the sign of --level=may for the end of a word: what stands before it in the word is
    # typed already.
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
    if [[ -n $breaks ]]; then
        typed=${line##*[[:space:]]}
        typed=${typed//\\/}
        case $typed in *["$breaks"]*) typed=${typed%"${typed##*["$breaks"]}"} ;; *) typed='' ;; esac
    fi
    while IFS=$'\t' read -r candidate _; do
        case $candidate in
            '') ;;
            :files) compopt -o default -o filenames 2>/dev/null ;;
            *)
                candidate=${candidate#"$typed"}
                [[ -n $quote ]] || printf -v candidate %q "$candidate"
                [[ $candidate == *= ]] && compopt -o nospace 2>/dev/null
                COMPREPLY+=("$candidate")
                ;;
        esac
    done < <("${COMP_WORDS[0]}" __complete "$line" 2>/dev/null)
}
complete -F _policyctl policyctl
