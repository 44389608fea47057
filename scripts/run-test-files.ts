import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { suite } from 'node:test'
import { pathToFileURL } from 'node:url'
import { openQueue } from './test-queue.ts'

/** Each test has its own time limit; all of a file together have none that would end before theirs. */
const FILE_TIMEOUT_MS = 7_200_000

const TESTS = new URL('../test/', import.meta.url).href

/**
 * Runs test files of a queue in this process, one after the other, until it has run so many or none is left.
 *
 * What a file imports from `test/` is loaded anew for it, as in a process of its own: a fixture opens what it opens once
 * for each file, and its hooks are hooks of that file. Everything else is loaded once.
 */
export async function runTestFiles(directory: string, filesMax: number): Promise<void> {
  const queue = await openQueue(directory)
  let current = ''
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      const isFixture = found.url.startsWith(TESTS) && context.parentURL?.startsWith(TESTS) === true
      return isFixture
        ? { ...found, url: `${found.url}?${new URLSearchParams({ for: current }).toString()}` }
        : found
    },
  })
  for (let count = 0; count < filesMax; count += 1) {
    const file = queue.take()
    if (file === undefined) return
    current = file
    await suite(file, { timeout: FILE_TIMEOUT_MS }, async () => {
      await import(pathToFileURL(resolve(file)).href)
    })
  }
}
