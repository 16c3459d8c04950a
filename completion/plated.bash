# Completion of plated's programs for bash. What can be said is asked of the programs themselves (--help), so that it is never
# out of date; here stands only what some kinds of value can be.

declare -gA _plated_said=() # what was asked once

_plated_ask() { # PROGRAM [VERB]: its --help, in REPLY
    [[ -v _plated_said[$*] ]] || _plated_said[$*]=$("$@" --help 2>/dev/null </dev/null)
    REPLY=${_plated_said[$*]}
}

_plated_options() { # of a --help: "--option VALUE", or "--option" alone, a line each
    awk 'match($0, /^ +-/) && RLENGTH < 10 {
        sub(/^ +/, ""); sub(/  .*/, "")
        for (n = split($0, option, ", "); n > 0; n--)
            if (option[n] ~ /^--/) { sub(/\[?=/, " ", option[n]); print option[n] }
    }' <<<"$1"
}

_plated_verbs() { sed -n '/^Verbs /,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$1"; }

_plated_words() { # of "left|right", wherever it stands
    tr -d '[]' <<<"$1" | tr ' ' '\n' | grep -F '|' | tr '|' '\n' | grep -x '[a-z][a-z0-9]*'
}

_plated_values() { # OPTION VALUE: the words that it can be; none: a file, or anything
    case $1,$2 in
    *,SIDE) echo left right both none ;;
    --exercise,*) plate-sim --list 2>/dev/null </dev/null | sed -n 's/^\([a-z_]*\): .*/\1/p' | grep -vx 'disturbances\|protocols' ;;
    *) _plated_words "$2" ;;
    esac
}

_plated() {
    local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local option='' verb='' value='' words='' verbs options i
    if [[ $cur == = ]]; then # bash makes three words of --option=value
        option=$before cur=
    elif [[ $before == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $before == --* ]]; then
        option=$before
    fi
    _plated_ask "$program"
    verbs=$(_plated_verbs "$REPLY")
    for ((i = COMP_CWORD - 1; i > 0; i--)); do
        grep -qxF -e "${COMP_WORDS[i]}" <<<"$verbs" && verb=${COMP_WORDS[i]}
    done
    [[ -z $verb ]] || _plated_ask "$program" "$verb"
    options=$(_plated_options "$REPLY")
    [[ -z $option ]] || value=$(sed -n "s/^$option //p" <<<"$options" | head -n 1)
    if [[ -n $value ]]; then
        words=$(_plated_values "$option" "$value")
    elif [[ $cur == -* ]]; then
        words=$(cut -d ' ' -f 1 <<<"$options")
    elif [[ -n $verbs && -z $verb ]]; then
        words=$verbs
    else
        words=$(_plated_words "${REPLY%%$'\n'*}")
    fi
    if [[ -n $words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}

complete -o filenames -F _plated plated platectl plate-sim plate-trace plate-report
