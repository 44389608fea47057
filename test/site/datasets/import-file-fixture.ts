import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after } from 'node:test'
import { Fault } from '../../../src/kernel/faults.ts'
import type { CsvForm } from '../../../src/protocol/csv-form.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { aManifest } from '../vault/a-manifest.ts'
import { anImportSite, bytesOf } from './an-import-site.ts'

/* Files of a watch, good and bad, for one site of this process. */

/** The site. */
export const site = await anImportSite()
after(() => site[Symbol.asyncDispose]())

/** The first line of a file. */
export const HEADER = 'wearer,at,steps,heart_rate,is_worn,activity\n'

/** A file that is taken. */
export const GOOD = `${HEADER}ann,2026-01-01T10:00:00Z,12,61.5,true,walk\nbob,2026-01-01 10:01,,,,\nann,2026-01-01 12:02:00+02:00,4000,70,0,run\n`

let count = 0

/** A data set of its own, so that tests do not see one another's rows. */
export function freshManifest(changes: Parameters<typeof aManifest>[0] = {}): Manifest {
  count += 1
  return aManifest({ dataSet: `watch_${count}`, ...changes })
}

/** What a data set has, by its columns. */
export async function rowsFrom(
  manifest: Manifest,
  columns = '"at", steps, heart_rate, is_worn, activity',
): Promise<unknown> {
  const sql = `select ${columns} from ds_${manifest.dataSet} order by all`
  const outcome = await site.parts.vault.run({ sql }, { timeoutMs: 10_000, rowsMax: 100_000 })
  assert.ok(outcome.ok)
  return outcome.value.rows()
}

/** The rows of `GOOD`. */
export const GOOD_ROWS = [
  ['2026-01-01T10:00:00.000Z', 12n, 61.5, true, 'walk'],
  ['2026-01-01T10:01:00.000Z', null, null, null, null],
  ['2026-01-01T10:02:00.000Z', 4000n, 70, false, 'run'],
]

interface Refusal {
  readonly says: RegExp
  readonly format?: 'csv' | 'ndjson' | 'parquet'
  readonly form?: CsvForm
  readonly fields?: readonly string[]
  readonly changes?: NonNullable<Parameters<typeof aManifest>[0]>
}

/** The file is refused by these words, and leaves nothing. */
export async function refuses(
  content: string | Uint8Array,
  { says, format = 'csv', form, fields, changes }: Refusal,
): Promise<void> {
  const manifest = freshManifest(changes)
  await assert.rejects(
    site.import(manifest, { format, form, file: { stream: bytesOf(content) } }),
    (fault: unknown) => {
      assert.ok(fault instanceof Fault, String(fault))
      assert.equal(fault.code, 'fault.import_malformed', fault.message)
      assert.match(fault.message, says)
      assert.doesNotMatch(
        JSON.stringify([fault.message, fault.errors, String(fault.cause), fault.stack]),
        /MARKER/,
      )
      if (fields)
        assert.deepEqual(
          fault.errors.map(({ field }) => field),
          fields,
        )
      return true
    },
  )
  assert.deepEqual(await rowsFrom(manifest), [])
  assert.deepEqual(await readdir(join(site.directory, 'vault', 'spool')), [])
}
