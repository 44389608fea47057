import { CommanderError } from 'commander'
import type { Command } from 'commander'
import { buildProgram } from '../../src/cli/main.ts'
import { processSession } from '../../src/cli/session.ts'

/** A command as a page has it: where, and its words behind `hedgerow`. */
export interface WrittenCommand {
  readonly place: string
  readonly words: readonly string[]
}

/** The words of a command as a shell gives them, up to where it is piped on or its output is sent elsewhere. */
export function typedWords(command: string): readonly string[] {
  const words = [...command.matchAll(/"(?:\\.|[^"\\])*"|'[^']*'|[|>&;#]|[^\s"'|>&;#]+/g)].map(
    ([word]) => word,
  )
  const end = words.findIndex((word) => /^[|>&;#]$/.test(word))
  // What a page leaves out stands for more of the same.
  const typed = words.slice(0, end === -1 ? undefined : end).filter((word) => word !== '…')
  return typed.map((word) => word.replaceAll(/^["']|["']$/g, ''))
}

/** Which of some commands the program does not take: verbs, options, choices, arguments; each with what it says. */
export async function wrongCommands(commands: readonly WrittenCommand[]): Promise<readonly string[]> {
  const program = await emptyProgram()
  const wrong: string[] = []
  for (const { place, words } of commands) {
    try {
      await program.parseAsync(words, { from: 'user' })
    } catch (thrown) {
      if (!(thrown instanceof CommanderError)) throw thrown
      if (thrown.exitCode !== 0) wrong.push(`${place}: hedgerow ${words.join(' ')}: ${thrown.message}`)
    }
  }
  return wrong
}

/** The program, each verb of which does nothing: what is left is whether it takes what was typed. */
async function emptyProgram(): Promise<Command> {
  const program = await buildProgram(processSession({}, new AbortController().signal))
  const empty = (command: Command) => {
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    if (command.commands.length === 0) command.action(() => undefined)
    for (const inner of command.commands) empty(inner)
  }
  empty(program)
  return program
}
