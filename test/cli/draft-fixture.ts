import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { typedHere } from './typed-here.ts'

/** Of this test file alone. */
export const directory = await mkdtemp(join(tmpdir(), 'hedgerow-draft-'))
/** Where a draft may write while it is made. */
export const home = join(directory, 'home')
after(() => rm(directory, { recursive: true, force: true }))

let count = 0

/** Drafts from a file with these contents; what was printed, and the draft. */
export async function drafted(content: string | Uint8Array, ending: string, ...options: readonly string[]) {
  count += 1
  const file = join(directory, `draft_${count}.${ending}`)
  const out = join(directory, `draft_${count}.yaml`)
  await writeFile(file, content)
  const run = await typedHere(home, ['dataset', 'draft', file, '--out', out, ...options])
  assert.deepEqual(await readdir(home).catch(() => []), [], 'nothing of the file is left')
  return { ...run, outFile: out, text: await readFile(out, 'utf8').catch(() => undefined) }
}
