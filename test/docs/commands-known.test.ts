import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommanderError } from 'commander'
import type { Command } from 'commander'
import { buildProgram } from '../../src/cli/main.ts'
import { processSession } from '../../src/cli/session.ts'
import { blocksOf, pages, textOf } from './pages.ts'

/** The words of a command as a shell gives them, up to where it is piped on or its output is sent elsewhere. */
function wordsOf(command: string): readonly string[] {
  const words = [...command.matchAll(/"(?:\\.|[^"\\])*"|'[^']*'|[|>&;#]|[^\s"'|>&;#]+/g)].map(
    ([word]) => word,
  )
  const end = words.findIndex((word) => /^[|>&;#]$/.test(word))
  // What a page leaves out stands for more of the same.
  const typed = words.slice(0, end === -1 ? undefined : end).filter((word) => word !== '…')
  return typed.map((word) => word.replaceAll(/^["']|["']$/g, ''))
}

/** The commands of `hedgerow` in the shell blocks of a page, with their lines. */
function commandsOf(page: string): readonly { readonly place: string; readonly words: readonly string[] }[] {
  return blocksOf(textOf(page))
    .filter(({ info }) => /^sh\b/.test(info))
    .flatMap(({ text, line }) => {
      const lines = text.replaceAll(/\\\n\s*/g, ' ').split('\n')
      return lines
        .map((command) => /(?:^|\s)(?<!-u )(?:\.\/)?hedgerow\s+(.*)$/.exec(command)?.[1])
        .filter((command) => command !== undefined && !command.startsWith('completion'))
        .map((command = '') => ({ place: `${page}:${line}`, words: wordsOf(command) }))
    })
}

/** The program, each verb of which does nothing: what is left is whether it takes what was typed. */
function emptyProgram(): Command {
  const program = buildProgram(processSession({}, new AbortController().signal))
  const empty = (command: Command) => {
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    if (command.commands.length === 0) command.action(() => undefined)
    for (const inner of command.commands) empty(inner)
  }
  empty(program)
  return program
}

test('every command on every page is one that the program takes: verbs, options, choices, arguments', async () => {
  const commands = pages().flatMap(commandsOf)
  assert.ok(commands.length > 150, `only ${commands.length} commands were found`)
  const program = emptyProgram()
  const wrong: string[] = []
  for (const { place, words } of commands) {
    try {
      await program.parseAsync(words, { from: 'user' })
    } catch (thrown) {
      if (!(thrown instanceof CommanderError)) throw thrown
      if (thrown.exitCode !== 0) wrong.push(`${place}: hedgerow ${words.join(' ')}: ${thrown.message}`)
    }
  }
  assert.deepEqual(wrong, [])
})
