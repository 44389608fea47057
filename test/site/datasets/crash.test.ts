import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { silentLog } from '../../../src/kernel/log.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { ok } from '../../../src/kernel/result.ts'
import { importFile, spoolDirectory } from '../../../src/site/datasets/import-file.ts'
import type { ImportProgress } from '../../../src/site/datasets/import-file.ts'
import { resumeImports } from '../../../src/site/datasets/resume-imports.ts'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'
import { aManifest } from '../vault/a-manifest.ts'
import { openParts } from './an-import-site.ts'

const ROWS = 60_000
const CHILD = fileURLToPath(new URL('import-child.ts', import.meta.url))
let root = ''
let path = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'hedgerow-crash-'))
  path = join(root, 'long.csv')
  const lines = Array.from(
    { length: ROWS },
    (_, row) => `w${(row * 7919) % 500},2026-01-01,${row},1.5,true,walk\n`,
  )
  await writeFile(path, `wearer,at,steps,heart_rate,is_worn,activity\n${lines.join('')}`)
})
after(() => rm(root, { recursive: true, force: true }))

const manifest = aManifest()

/** Runs the child until it says so much, and kills it. */
async function killedWhen(
  { url, directory, hangAt = '' }: { url: string; directory: string; hangAt?: string },
  isEnough: (line: string) => boolean,
): Promise<void> {
  const child = spawn(process.execPath, [CHILD, url, directory, path, hangAt], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let said = ''
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += String(text)
    if (said.split('\n').some(isEnough)) {
      child.kill('SIGKILL')
      break
    }
  }
  await exited
}

/** What a site finds after it was killed, and what it has once the file was sent again. */
async function recover(url: Awaited<ReturnType<typeof testDatabaseUrl>>, directory: string) {
  await using postgres = await connect(url, { name: 'test', log: silentLog, stop: () => Promise.resolve() })
  await using parts = await openParts(postgres.db, directory)
  await mkdir(spoolDirectory(directory), { recursive: true })
  await writeFile(join(spoolDirectory(directory), 'left-behind'), 'x')
  const resumed = await resumeImports(parts)
  const { dataSet } = manifest
  const aside = await parts.vault.rowsAside({ dataSet, batch: 'long' })
  const countRows = async () => {
    const outcome = await parts.vault.run(
      { sql: 'select count(*), sum(steps), count(distinct steps), count(distinct "_p") from ds_watch' },
      { timeoutMs: 10_000, rowsMax: 10 },
    )
    assert.ok(outcome.ok)
    return outcome.value.rows()[0]
  }
  const found = await countRows()
  const progress: ImportProgress[] = []
  const outcome = await importFile(
    { ...parts, partRows: 10_000 },
    {
      dataSet,
      format: 'csv',
      batch: 'long',
      file: { path },
      mayStore: () => ok(undefined),
      onProgress: (step) => progress.push(step),
    },
  )
  assert.ok(outcome.ok)
  const receipts = await parts.receipts.list({ after: -1, limit: 100, kind: 'ingest' })
  return {
    resumed,
    aside,
    found,
    imported: outcome.value,
    progress,
    rows: await countRows(),
    receipts: receipts.length,
  }
}

const ALL = [BigInt(ROWS), (BigInt(ROWS) * BigInt(ROWS - 1)) / 2n, BigInt(ROWS), 500n]

test('an import that is killed between parts goes on where it stopped', async () => {
  const url = await testDatabaseUrl('site')
  const directory = join(root, 'parts')
  await killedWhen({ url: url.reveal(), directory, hangAt: 'part' }, (line) => line === 'hanging')
  const after = await recover(url, directory)
  assert.deepEqual(after.resumed, { finished: 0, waiting: 1 })
  assert.ok(after.aside >= 30_000 && after.aside < ROWS, `${after.aside} rows were set aside`)
  assert.equal(after.found?.[0], 0n)
  assert.ok(after.progress.every(({ step, rows }) => step !== 'storing' || rows > after.aside))
  assert.deepEqual(after.rows, ALL)
  assert.equal(after.imported.isNew, true)
  assert.equal(after.imported.newPeople, 500)
  assert.equal(after.receipts, 1)
})

test('an import that is killed between vault and record is written down at the next start', async () => {
  const url = await testDatabaseUrl('site')
  const directory = join(root, 'record')
  await killedWhen({ url: url.reveal(), directory, hangAt: 'receipt' }, (line) => line === 'hanging')
  const after = await recover(url, directory)
  assert.deepEqual(after.resumed, { finished: 1, waiting: 0 })
  assert.deepEqual(after.found, ALL)
  assert.equal(after.imported.isNew, false)
  assert.equal(after.imported.newPeople, 500)
  assert.deepEqual(after.rows, ALL)
  assert.equal(after.receipts, 1)
})

test('an import that is killed anywhere takes all rows once in the end', async () => {
  for (const moment of ['checking', 'numbering', 'storing', 'done']) {
    const url = await testDatabaseUrl('site')
    const directory = join(root, moment)
    await killedWhen({ url: url.reveal(), directory }, (line) => line.startsWith(moment))
    const after = await recover(url, directory)
    assert.ok(
      after.found?.[0] === 0n || after.found?.[0] === BigInt(ROWS),
      `${moment}: part of a batch was there`,
    )
    assert.deepEqual(after.rows, ALL, moment)
    assert.equal(after.receipts, 1, moment)
  }
})
