import { open, readFile, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { replaceFile, syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { whenMissing } from '../../kernel/when-missing.ts'

/**
 * The vault's file has generations: a compaction writes the next one beside it and then says, in one durable step,
 * that it is the one in force. Each has a path of its own (the first is `vault.duckdb`, then `g2/vault.duckdb`, …), so
 * that neither the file nor the log of one is ever taken for that of another.
 */

/** The catalogue of the vault's file, which the engine names after it. */
export const VAULT_CATALOGUE = 'vault'

const POINTER = 'generation'

/** Where the file of a generation lies. */
export function generationPath(directory: string, generation: number): string {
  const name = `${VAULT_CATALOGUE}.duckdb`
  return generation === 1 ? join(directory, name) : join(directory, `g${generation}`, name)
}

/** Where a snapshot lies until whoever took it has read it: in the vault's own directory, so inside the perimeter. */
export function snapshotPath(directory: string): string {
  return join(directory, 'snapshot', `${VAULT_CATALOGUE}.duckdb`)
}

/** The generation in force. */
export async function readGeneration(directory: string): Promise<number> {
  const text = await readFile(join(directory, POINTER), 'utf8').catch(whenMissing('1'))
  if (/^[1-9]\d{0,8}\n?$/.test(text)) return Number(text)
  throw new Fault('fault.directory_version', {
    what: `Cannot open the vault: "${join(directory, POINTER)}" does not name a generation`,
  })
}

/** Puts a generation in force: the one step in which it takes the place of the one before. */
export async function writeGeneration(directory: string, generation: number): Promise<void> {
  await syncFile(generationPath(directory, generation))
  await syncDirectory(dirname(generationPath(directory, generation)))
  await replaceFile(join(directory, POINTER), `${generation}\n`, { mode: 0o600 })
  await syncDirectory(directory)
}

/** Makes an empty place for the file of a generation. */
export async function makeRoom(directory: string, generation: number): Promise<string> {
  await removeGeneration(directory, generation)
  const path = generationPath(directory, generation)
  makeDirectory(dirname(path))
  return path
}

/** Removes a generation's file, its log and its directory. */
export async function removeGeneration(directory: string, generation: number): Promise<void> {
  const path = generationPath(directory, generation)
  if (generation > 1) await rm(dirname(path), { recursive: true, force: true })
  else for (const name of [path, `${path}.wal`]) await rm(name, { force: true })
  await syncDirectory(directory)
}

/** Removes all generations but one: what a compaction that was killed left behind, half written or replaced. */
export async function removeOthers(directory: string, kept: number): Promise<void> {
  const names = await readdir(directory)
  const found = names.flatMap((name) => /^g(\d{1,9})$/.exec(name)?.[1] ?? [])
  const others = [1, ...found.map(Number)].filter((generation) => generation !== kept)
  for (const generation of others) {
    if (generation > 1 || names.includes(`${VAULT_CATALOGUE}.duckdb`))
      await removeGeneration(directory, generation)
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
