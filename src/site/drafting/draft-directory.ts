import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory } from '../../kernel/directory-lock.ts'
import { makeDirectory } from '../../kernel/make-directory.ts'

const PREFIX = 'draft-'

/** A directory of one draft, in which a file may be written anew; it is removed when it is disposed of. */
export interface DraftDirectory extends AsyncDisposable {
  readonly path: string
}

/**
 * Makes a directory for a draft below `parent`. What a draft that was killed left there is removed first: it may be all of somebody's
 * data. One that is still held by a draft is left alone.
 */
export async function draftDirectory(parent: string): Promise<DraftDirectory> {
  makeDirectory(parent)
  for (const name of await readdir(parent)) if (name.startsWith(PREFIX)) await removeLeft(join(parent, name))
  const path = await mkdtemp(join(parent, PREFIX))
  await lockDirectory(path)
  return { path, [Symbol.asyncDispose]: () => remove(path) }
}

/** With its lock, so that nobody takes it for one that was left before all of it is gone. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 })
}

async function removeLeft(path: string): Promise<void> {
  // Not yet held by whoever has just made it.
  if ((await readdir(path).catch(() => [])).length === 0) return
  const held = await lockDirectory(path).catch(() => undefined)
  if (held !== undefined) await remove(path)
}
