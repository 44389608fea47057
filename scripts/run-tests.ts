/**
 * Runs test files, many to a process: loading our modules costs each process up to a second, and the PostgreSQL of its
 * tests another half. `node scripts/run-tests.ts [--FLAG…] [PATTERN…]`: flags of `node --test`; without a pattern all files.
 *
 * The files lie in one queue, those that take longest first, and each process takes the next one until it has run
 * `FILES_EACH`. There a file is a suite: it runs by itself, with its own hooks, before the next one is loaded.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layQueue } from './test-queue.ts'

/** After so many files a process makes room for another, and what they left in its memory goes with it. */
const FILES_EACH = 12

/** They go first, in this order, so that the end is of many short ones. */
const LONGEST: readonly string[] = [
  'test/attacks/random-questions.test.ts',
  'test/docs/commands.test.ts',
  'test/demo/run-demo.test.ts',
  'test/demo/server-ends.test.ts',
  'test/demo/studies/study-answers.test.ts',
  'test/cli/command-line.test.ts',
]

/**
 * A file with one of these words runs in a process of its own: it looks at all files of the PostgreSQL, measures the memory of a
 * process in which nothing else has been, or works in another directory.
 */
const ALONE = /\bpostgresDirectory\b|\bmemoryUsage\(\)\.rss\b|\bprocess\.chdir\b/

async function main(): Promise<number> {
  const given = process.argv.slice(2)
  const patterns = given.filter((argument) => !argument.startsWith('--'))
  const found = globSync(patterns.length === 0 ? ['test/**/*.test.ts'] : patterns).toSorted()
  // Of no file at all the runner would look for tests by itself.
  if (found.length === 0) throw new Error(`There is no test file: ${patterns.join(', ')}`)
  const gone = patterns.length === 0 ? LONGEST.filter((file) => !found.includes(file)) : []
  if (gone.length > 0) throw new Error(`LONGEST names what is not there: ${gone.join(', ')}`)
  const alone = found.filter((file) => ALONE.test(readFileSync(file, 'utf8')))
  const inQueue = [...LONGEST, ...found].filter((file) => found.includes(file) && !alone.includes(file))
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-tests-'))
  try {
    const files = [...new Set(inQueue)]
    const queue = await layQueue(directory, files)
    const entries = await writeEntries(directory, Math.ceil(files.length / FILES_EACH))
    const flags = given.filter((argument) => !patterns.includes(argument))
    // Those alone first: one of them takes as long as many.
    const code = await runEach([...alone, ...entries], flags)
    const left = await queue.left()
    for (const file of left)
      process.stderr.write(`Not run, because a process ended before its time: ${file}\n`)
    return left.length > 0 ? 1 : code
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** What the test runner takes for test files: each is a process that takes from the queue. */
async function writeEntries(directory: string, count: number): Promise<readonly string[]> {
  const module = JSON.stringify(new URL('run-test-files.ts', import.meta.url).href)
  const text = `import { runTestFiles } from ${module}\nawait runTestFiles(${JSON.stringify(directory)}, ${FILES_EACH})\n`
  const entries = Array.from({ length: count }, (_, index) => join(directory, `process-${index + 1}.mjs`))
  for (const entry of entries) await writeFile(entry, text)
  return entries
}

async function runEach(entries: readonly string[], flags: readonly string[]): Promise<number> {
  const runner = spawn(process.execPath, [...process.execArgv, '--test', ...flags, ...entries], {
    stdio: 'inherit',
  })
  const [code] = await once(runner, 'exit')
  return typeof code === 'number' ? code : 1
}

process.exitCode = await main()
