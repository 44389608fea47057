import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { silentLog } from '../../../src/kernel/log.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { ok } from '../../../src/kernel/result.ts'
import { manifestDigest } from '../../../src/site/datasets/data-set-store.ts'
import { importRows } from '../../../src/site/datasets/import-rows.ts'
import { resumeImports } from '../../../src/site/datasets/resume-imports.ts'
import type { ColumnValues } from '../../../src/protocol/rights/restriction.ts'
import { openCell } from '../../../src/site/vault/keys/person-keys.ts'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'
import { aManifest } from '../vault/a-manifest.ts'
import { openParts } from './an-import-site.ts'
import { TOGETHER, rowsOfBatch } from './together-batches.ts'

const CHILD = fileURLToPath(new URL('together-child.ts', import.meta.url))
const manifest = aManifest()
const { dataSet } = manifest
let root = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'hedgerow-together-'))
})
after(() => rm(root, { recursive: true, force: true }))

async function killedAt(
  url: string,
  { directory, step }: { directory: string; step: string },
): Promise<void> {
  const child = spawn(process.execPath, [CHILD, url, directory, step], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let said = ''
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += String(text)
    if (said.includes('hanging')) {
      child.kill('SIGKILL')
      break
    }
  }
  await exited
  assert.match(said, /hanging/)
}

/** What a site finds after it was killed, and what it has once somebody else came and then all was sent again. */
async function recover(url: Awaited<ReturnType<typeof testDatabaseUrl>>, directory: string) {
  await using postgres = await connect(url, { name: 'test', log: silentLog, stop: () => Promise.resolve() })
  await using parts = await openParts(postgres.db, directory)
  const importing = async (batch: string, rows: readonly ColumnValues[]) => {
    const outcome = await importRows(parts, {
      manifest,
      policy: manifestDigest(manifest),
      batch,
      rows,
      mayStore: () => ok(undefined),
    })
    assert.ok(outcome.ok)
    return outcome.value
  }
  const { vault, keys, db } = parts
  const resumed = await resumeImports(parts)
  const found = await vault.rowCount(dataSet)
  // Gets the number that was to be somebody else's.
  await importing('other', [{ wearer: 'other', at: '2026-01-01T00:00:00Z', steps: 99 }])
  const again = await Promise.all(TOGETHER.map((batch) => importing(batch, rowsOfBatch(batch))))
  await vault.inMotion.settled([dataSet])
  const steps = new Map<string, readonly number[]>()
  for (const number of await vault.numbers(dataSet)) {
    const key = await keys.keyOf(db, number)
    const [sealed] = await vault.listSealedKeys(number)
    const place = { dataSet, column: manifest.person.key }
    const name = sealed && key && openCell(sealed.sealed, { key: key.reveal(), place })
    const rows = await vault.listRows(dataSet, number)
    steps.set(
      String(name),
      rows
        .column(1)
        .map(Number)
        .toSorted((one, next) => one - next),
    )
  }
  const receipts = await parts.receipts.list({ after: -1, limit: 100, kind: 'ingest' })
  return { resumed, found, again, steps, receipts: receipts.length }
}

/** Of the first batch, which came alone, two rows; of those that came together all or none. */
const STEPS = [
  { step: 'begun', resumed: { finished: 0, waiting: 0 }, found: 2 },
  { step: 'meant', resumed: { finished: 0, waiting: 11 }, found: 2 },
  { step: 'taken', resumed: { finished: 11, waiting: 0 }, found: 24 },
  { step: 'done', resumed: { finished: 0, waiting: 0 }, found: 24 },
]

for (const { step, resumed, found } of STEPS) {
  test(`batches that came together and were cut off when they were ${step} are each there once in the end`, async () => {
    const url = await testDatabaseUrl('site')
    const directory = join(root, step)
    await killedAt(url.reveal(), { directory, step })
    const after = await recover(url, directory)
    assert.deepEqual(after.resumed, resumed)
    assert.equal(after.found, found)
    assert.ok(after.again.every(({ rows }) => rows === 2))
    assert.equal(after.receipts, TOGETHER.length + 1)
    const expected = new Map<string, readonly number[]>([['other', [99]]])
    for (const index of TOGETHER.keys())
      expected.set(
        `w${index}`,
        [index, (index + 11) % TOGETHER.length].toSorted((one, next) => one - next),
      )
    assert.deepEqual(after.steps, expected)
  })
}
