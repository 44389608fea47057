import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { systemClock } from '../../../src/kernel/clock.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import type { RowChunk, Vault, VaultValue } from '../../../src/site/vault/vault.ts'

/* Vaults of a test file, each in a directory of its own that is removed at the end, and rows for them. */

const directories: string[] = []
after(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true })
})

/** An empty directory. */
export async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-vault-'))
  directories.push(directory)
  return directory
}

/** A vault with nothing in it. */
export async function freshVault(): Promise<Vault> {
  return openVault({ directory: await freshDirectory(), clock: systemClock })
}

/** The data set of `aManifest`. */
export const watch = dataSetIdSchema.parse('watch')

/** As much as any statement here needs. */
export const LIMITS = { timeoutMs: 5_000, rowsMax: 1_000 }

/** Rows as `append` takes them, in one chunk. */
export function rowsOf(...rows: readonly (readonly VaultValue[])[]): RowChunk[] {
  return [{ rowCount: rows.length, values: (column) => rows.map((row) => row[column] ?? null) }]
}

/** A row of `watch`: a person, and how many steps they took. */
export const minute = (person: number, steps: number): readonly VaultValue[] => [
  person,
  '2026-01-01T00:00:00.000Z',
  steps,
  61.5,
  true,
  'walk',
]

/** The rows that a statement gives. */
export async function rowsFrom(
  vault: Vault,
  sql: string,
  limits = LIMITS,
): Promise<readonly (readonly VaultValue[])[]> {
  const outcome = await vault.run({ sql }, limits)
  assert.ok(outcome.ok)
  return outcome.value.rows()
}
