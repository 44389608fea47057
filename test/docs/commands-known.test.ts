import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typedWords, wrongCommands } from './commands-of.ts'
import type { WrittenCommand } from './commands-of.ts'
import { blocksOf, pages, textOf } from './pages.ts'

/** The commands of `hedgerow` in the shell blocks of a page, with their lines. */
function commandsOf(page: string): readonly WrittenCommand[] {
  return blocksOf(textOf(page))
    .filter(({ info }) => /^sh\b/.test(info))
    .flatMap(({ text, line }) => {
      const lines = text.replaceAll(/\\\n\s*/g, ' ').split('\n')
      return lines
        .map((command) => /(?:^|\s)(?<!-u )(?:\.\/)?hedgerow\s+(.*)$/.exec(command)?.[1])
        .filter((command) => command !== undefined && !command.startsWith('completion'))
        .map((command = '') => ({ place: `${page}:${line}`, words: typedWords(command) }))
    })
}

test('every command on every page is one that the program takes: verbs, options, choices, arguments', async () => {
  const commands = pages().flatMap(commandsOf)
  assert.ok(commands.length > 150, `only ${commands.length} commands were found`)
  assert.deepEqual(await wrongCommands(commands), [])
})
