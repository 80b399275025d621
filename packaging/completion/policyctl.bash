# bash completion for policyctl(1): commands and options are asked of the program itself, destinations of the store.
_policyctl() {
    local current=${COMP_WORDS[COMP_CWORD]} line=${COMP_LINE:0:COMP_POINT} words
    # The colon of [mx.example.com]:587 is no end of a word.
    declare -F _get_comp_words_by_ref >/dev/null && _get_comp_words_by_ref -n : -c current
    words=$(policyctl "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
    case " $line" in
        *" domain set "* | *" domain remove "* | *" domain show "* | *" domain list "* | *" pin "[a-z]*" "* | *" query "* | *" check "* | *" probe "* | *" explain "* | *" audit "*)
            [[ $current == -* ]] || words+=$'\n'$(policyctl --format tsv domain list 2>/dev/null | cut -f1)
            ;;
    esac
    local IFS=$'\n' word
    COMPREPLY=()
    for word in $words; do
        [[ -n $word && $word == "$current"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
    done
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
    return 0
}
complete -o default -F _policyctl policyctl
