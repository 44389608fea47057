import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The directory of larger data sets and public test vectors that may lie beside the checkout: `HEDGEROW_SHARED`, else
 * `../shared`. `undefined` when there is none; a test that needs it then skips itself and says so.
 */
export function sharedDirectory(): string | undefined {
  const directory = process.env.HEDGEROW_SHARED ?? fileURLToPath(new URL('../../shared', import.meta.url))
  return existsSync(join(directory, 'data')) ? directory : undefined
}
