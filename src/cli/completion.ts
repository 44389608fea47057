import type { Command } from 'commander'
import { show } from './session.ts'
import type { Session } from './session.ts'
import { say } from './terminal.ts'
import { perform, verb } from './verb.ts'

/** `hedgerow completion`: a script by which bash completes verbs and options. */
export function addCompletionVerb(program: Command, session: Session): void {
  verb(program, {
    name: 'completion',
    summary: 'print a script by which bash completes verbs and options',
    example:
      'hedgerow completion > ~/.local/share/bash-completion/completions/hedgerow\neval "$(hedgerow completion)"',
  }).action(({ json }: { json?: boolean }) =>
    perform(session, () => {
      const value = Object.fromEntries(wordsOf(program).map(({ path, words }) => [path, words]))
      show(session, { json, value, print: () => say(session.terminal, completionScript(program)) })
      return Promise.resolve()
    }),
  )
}

/** The verbs are written into the script: nothing is started while somebody types. */
export function completionScript(program: Command): string {
  const cases = wordsOf(program).map(({ path, words }) => `    "${path}") echo "${words.join(' ')}" ;;`)
  return `# bash completion of hedgerow; made by "hedgerow completion".
_hedgerow_words() {
  case "$1" in
${cases.join('\n')}
  esac
}
_hedgerow() {
  local path="" word next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    [ -n "$(_hedgerow_words "$next")" ] && path="$next"
  done
  COMPREPLY=($(compgen -W "$(_hedgerow_words "$path")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _hedgerow hedgerow ./hedgerow`
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
