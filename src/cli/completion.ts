import { Argument } from 'commander'
import type { Command } from 'commander'
import { show } from './session.ts'
import type { Session } from './session.ts'
import { say } from './terminal.ts'
import { perform, verb } from './verb.ts'

/** Shells that a script is made for. */
const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** `hedgerow completion`: a script by which a shell completes verbs and options. */
export function addCompletionVerb(program: Command, session: Session): void {
  verb(program, {
    name: 'completion',
    summary: 'print a script by which bash, zsh or fish completes verbs and options',
    example:
      'hedgerow completion > ~/.local/share/bash-completion/completions/hedgerow\nhedgerow completion zsh > ~/.zsh/completions/_hedgerow\nhedgerow completion fish > ~/.config/fish/completions/hedgerow.fish',
  })
    .addArgument(new Argument('[shell]', 'which shell').choices(SHELLS).default('bash'))
    .action((shell: Shell, { json }: { json?: boolean }) =>
      perform(session, () => {
        const value = Object.fromEntries(wordsOf(program).map(({ path, words }) => [path, words]))
        show(session, { json, value, print: () => say(session.terminal, completionScript(program, shell)) })
        return Promise.resolve()
      }),
    )
}

/** The verbs are written into the script: nothing is started while somebody types. */
function completionScript(program: Command, shell: Shell): string {
  const script = SCRIPTS[shell](wordsOf(program))
  const made = `# ${shell} completion of hedgerow; made by "hedgerow completion ${shell}".`
  // By its first line zsh knows the file of a function.
  return shell === 'zsh' ? `#compdef hedgerow ./hedgerow\n${made}\n${script}` : `${made}\n${script}`
}

type Following = ReturnType<typeof wordsOf>

const SCRIPTS: Readonly<Record<Shell, (words: Following) => string>> = {
  bash: (words) => `${posixWords(words)}
_hedgerow() {
${posixVerbs('"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  COMPREPLY=($(compgen -W "$(_hedgerow_words "$verbs")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _hedgerow hedgerow ./hedgerow`,
  zsh: (words) => `${posixWords(words)}
_hedgerow() {
${posixVerbs('"${(@)words[2,CURRENT-1]}"')}
  compadd -- \${=$(_hedgerow_words "$verbs")} || _files
}
if [ "$funcstack[1]" = "_hedgerow" ]; then _hedgerow; else compdef _hedgerow hedgerow ./hedgerow; fi`,
  fish: (words) => `function _hedgerow_words
  switch "$argv[1]"
${words.map(({ path, words: following }) => `    case "${path}"; printf "%s\\n" ${following.join(' ')}`).join('\n')}
  end
end
function _hedgerow
  set -l verbs ""
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$verbs $word")
    test -n "$(_hedgerow_words $next)"; and set verbs $next
  end
  _hedgerow_words "$verbs"
end
complete -c hedgerow -a "(_hedgerow)"`,
}

function posixWords(words: Following): string {
  const cases = words.map(({ path, words: following }) => `    "${path}") echo "${following.join(' ')}" ;;`)
  return `_hedgerow_words() {\n  case "$1" in\n${cases.join('\n')}\n  esac\n}`
}

/** Finds in `verbs` which verb was typed, past values; `typed` gives the words before the one that is completed. */
function posixVerbs(typed: string): string {
  return `  local verbs="" word next
  for word in ${typed}; do
    next="\${verbs:+$verbs }$word"
    [ -n "$(_hedgerow_words "$next")" ] && verbs="$next"
  done`
}

/** What may follow each verb: its own verbs, or its options. */
function wordsOf(
  command: Command,
  path: readonly string[] = [],
): readonly { readonly path: string; readonly words: readonly string[] }[] {
  const verbs = command.commands.map((inner) => inner.name())
  const options = command.options.flatMap(({ long }) => (long ? [long] : []))
  return [
    { path: path.join(' '), words: [...verbs, ...options, '--help'] },
    ...command.commands.flatMap((inner) => wordsOf(inner, [...path, inner.name()])),
  ]
}
