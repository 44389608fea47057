import assert from 'node:assert/strict'
import { cp, mkdir, readFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { receiptSchema } from '../../../src/protocol/proof/receipt.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { backupDirectory } from '../../../src/site/backup/backups.ts'
import { readManifest, signManifest } from '../../../src/site/backup/backup-manifest.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import { requireNewest } from '../../../src/site/backup/require-newest.ts'
import { readReserved, reservingNumbers } from '../../../src/site/backup/reserve-numbers.ts'
import type { RestoreStep } from '../../../src/site/backup/restore-backup.ts'
import { readForgotten } from '../../../src/site/rights/forgotten-list.ts'
import { testRestore } from '../../../src/testing/test-backup.ts'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'
import { later } from '../../../src/kernel/clock.ts'
import { DAY_MS, bare, entry, copyOfSafe } from './restore-fixture.ts'

test('a second restore into the same place is refused, and so is one into any directory with something in it', async () => {
  await using place = await testRestore(bare, entry)
  await place.restore()
  await assert.rejects(place.restore(), { code: 'fault.conflict' })
  await using other = await testRestore(bare, entry)
  await mkdir(other.into, { recursive: true })
  await writeFile(join(other.into, 'note.txt'), 'mine')
  await assert.rejects(other.restore(), { code: 'fault.conflict' })
  assert.deepEqual(await readdir(other.into), ['note.txt'])
  await using third = await testRestore(bare, entry)
  await assert.rejects(third.restore({ databaseUrl: new Secret(place.databaseUrl) }), {
    code: 'fault.conflict',
  })
  await assert.rejects(readdir(third.into), { code: 'ENOENT' })
})

const STEPS: readonly RestoreStep[] = ['opened', 'files', 'record', 'vault', 'replayed']

test('a restore that breaks off at any step leaves nothing that could serve, and the next one is whole', async () => {
  await using place = await testRestore(bare, entry)
  const fresh = async () => new Secret((await testDatabaseUrl()).reveal())
  for (const step of STEPS) {
    const onStep = (at: RestoreStep) => {
      if (at === step) throw new Error('crash')
    }
    await assert.rejects(place.restore({ onStep, databaseUrl: await fresh() }), /crash/)
    await assert.rejects(readdir(place.into), { code: 'ENOENT' }, step)
    assert.deepEqual(await readdir(join(place.into, '..')), [], step)
  }
  const stop = new AbortController()
  const stopping = { signal: stop.signal, onStep: () => stop.abort(), databaseUrl: await fresh() }
  await assert.rejects(place.restore(stopping), { name: 'AbortError' })
  assert.deepEqual(await readdir(join(place.into, '..')), [])
  // What a process that was killed leaves is in the way of nobody.
  await mkdir(join(place.into, '..', '.galway.restoring', 'keys'), { recursive: true })
  await place.restore({ databaseUrl: await fresh() })
  assert.deepEqual(await readdir(join(place.into, '..')), ['galway'])
})

test('a changed byte in any file, a missing file and another manifest are refused', async () => {
  const from = join(bare.root, 'copy')
  const files = await readdir(backupDirectory(entry), { recursive: true, withFileTypes: true })
  const names = files.filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  assert.ok(names.length > 15)
  for (const [index, path] of names.entries()) {
    await cp(backupDirectory(entry), from, { recursive: true })
    const copy = join(from, path.slice(backupDirectory(entry).length))
    const bytes = await readFile(copy)
    const at = Math.floor(bytes.length / 2)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    if (index % 3 === 0) await rm(copy)
    else if (index % 3 === 1) await truncate(copy, at)
    else await writeFile(copy, bytes)
    await using place = await testRestore(bare, entry)
    await assert.rejects(place.restore({ from }), { code: 'fault.backup_damaged' }, path)
    await assert.rejects(readdir(place.into), { code: 'ENOENT' })
    await rm(from, { recursive: true })
  }
})

test('another key, another safe and a safe without this backup open nothing', async () => {
  await using place = await testRestore(bare, entry)
  const keyFile = join(bare.root, 'other.key')
  await writeFile(keyFile, `${Buffer.alloc(32, 7).toString('base64url')}\n`, { mode: 0o600 })
  await assert.rejects(place.restore({ keyFile }), { code: 'fault.backup_damaged' })
  await writeFile(join(bare.root, 'open.key'), await readFile(keyFile), { mode: 0o644 })
  await assert.rejects(place.restore({ keyFile: join(bare.root, 'open.key') }), { code: 'fault.key_exposed' })
  await assert.rejects(place.restore({ safe: join(bare.root, 'nowhere') }), { code: 'fault.backup_safe' })
  const safe = await copyOfSafe('without')
  await rm(join(safe, 'backups', `${entry.backup}.json`))
  await assert.rejects(place.restore({ safe }), { code: 'fault.backup_safe' })
  await writeFile(join(safe, 'safe.json'), JSON.stringify({ site: 'zurich' }))
  await assert.rejects(place.restore({ safe }), { code: 'fault.backup_safe' })
})

test('a manifest that the site’s key signed and is not the one of the backup is refused, and so are tables without all rows', async () => {
  await using place = await testRestore(bare, entry)
  const from = join(bare.root, 'signed')
  await cp(backupDirectory(entry), from, { recursive: true })
  const { manifest } = await readManifest(from)
  const tables = { ...manifest.tables, consent_grant: (manifest.tables['consent_grant'] ?? 0) + 1 }
  const expiresAt = later(manifest.expiresAt, DAY_MS)
  const { text, digest } = signManifest({ ...manifest, tables, expiresAt }, bare.site.keys.signing)
  await writeFile(join(from, 'manifest.jws'), `${text}\n`)
  await assert.rejects(place.restore({ from }), {
    code: 'fault.backup_damaged',
    message: /is not the one of "backup_/,
  })
  const safe = await copyOfSafe('resigned')
  const file = join(safe, 'backups', `${entry.backup}.json`)
  const known: unknown = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...(known as object), manifest: digest }))
  await assert.rejects(place.restore({ from, safe }), {
    code: 'fault.backup_damaged',
    message: /the table "consent_grant" has (\d+) rows, the manifest names \d+$/,
  })
  await rm(from, { recursive: true })
})

test('a list of erased people that is missing or older than the log is refused', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('older')
  await writeFile(join(safe, 'forgotten.ndjson'), '')
  await assert.rejects(place.restore({ safe }), /lacks the erasure "sha-256:/)
  await rm(join(safe, 'forgotten.ndjson'))
  await using second = await testRestore(bare, entry)
  await assert.rejects(second.restore({ safe }), { code: 'fault.backup_safe' })
  await using third = await testRestore(bare, entry)
  const forgottenList = bare.site.forgottenList
  assert.equal((await third.restore({ safe, forgottenList })).erasures, 1)
  // Receipts of before name an erasure by its id.
  const [list, mayMiss] = [await readForgotten(forgottenList), { mayMiss: true }] as const
  const receipt = (erasure: string) =>
    receiptSchema.parse({
      site: 'galway',
      sequence: 1,
      time: '2026-11-28T00:00:00Z',
      kind: 'erasure',
      erasure,
    })
  assert.ok(list)
  const kept = { takenBack: [], done: [], marks: { sequence: 0, restriction: 0 }, list }
  await requireNewest(
    bare.site.db,
    { ...kept, receiptsAfter: [receipt(list[0]?.erasure ?? 'none')] },
    mayMiss,
  )
  const other = { ...kept, receiptsAfter: [receipt('erasure_01J00000000000000000000000')] }
  await assert.rejects(requireNewest(bare.site.db, other, mayMiss), { code: 'fault.backup_safe' })
})

test('a correction that was under way when the backup was taken is in its record, and lacks no line of the safe', async () => {
  const { db } = bare.site
  const correction = 'cor_under_way'
  const { rows } = await sql<{ id: bigint }>`
    insert into correction (correction, person, issuer, data_set, columns, state, requested_by, requested_ms)
    values (${correction}, 1, 'world-sport', 'athletes', '{height}', 'begun', 'operator', 0) returning id`.execute(
    db,
  )
  const receiptOf = (name: string) => ({
    list: [],
    takenBack: [],
    done: [],
    marks: { sequence: 0, restriction: 0 },
    receiptsAfter: [
      receiptSchema.parse({
        site: 'galway',
        sequence: 1,
        time: '2026-11-28T00:00:00Z',
        kind: 'correction',
        correction: name,
      }),
    ],
  })
  try {
    await requireNewest(db, receiptOf(correction), { mayMiss: false })
    await assert.rejects(
      requireNewest(db, receiptOf('cor_of_nobody'), { mayMiss: false }),
      /lacks 1 correction,/,
    )
  } finally {
    await sql`delete from correction where id = ${rows[0]?.id ?? 0n}`.execute(db)
  }
})

test('receipts that a later checkpoint tells of and nobody has are refused, or declared in a signed receipt', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('behind')
  const names = (await readdir(safe)).filter((name) => name.startsWith('receipts-'))
  const last = join(safe, names.toSorted().at(-1) ?? '')
  const lines = (await readFile(last, 'utf8')).trimEnd().split('\n')
  await writeFile(last, `${lines.slice(0, -2).join('\n')}\n`)
  await assert.rejects(place.restore({ safe }), /2 receipts after number/)
  // Then the lists of the safe may lack something too.
  await rm(join(safe, 'done-since.ndjson'))
  await using again = await testRestore(bare, entry)
  const restored = await again.restore({ safe, mayMiss: true })
  assert.deepEqual([restored.logMissing, restored.toImport], [2, []])
  const site = await again.open()
  const [said] = await site.log.list({ after: restored.logKnown - 1, limit: 1, kind: 'restore' })
  assert.match(Buffer.from((said?.jws ?? '').split('.')[1] ?? '', 'base64url').toString(), /"logMissing":2/)
  // A hole in the middle is no gap at the end.
  await writeFile(last, `${lines.filter((_, index) => index !== 1).join('\n')}\n`)
  await using third = await testRestore(bare, entry)
  await assert.rejects(third.restore({ safe, mayMiss: true }), { code: 'fault.backup_safe' })
})

test('receipts in the safe that the site did not sign a checkpoint over are found out', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('forged')
  const names = (await readdir(safe)).filter((name) => name.startsWith('receipts-'))
  const last = join(safe, names.toSorted().at(-1) ?? '')
  const lines = (await readFile(last, 'utf8')).trimEnd().split('\n')
  const signature = lines[1]?.split('.')[2] ?? ''
  const forged = [...(lines[0]?.split('.').slice(0, 2) ?? []), signature].join('.')
  await writeFile(last, `${[forged, ...lines.slice(1)].join('\n')}\n`)
  await assert.rejects(place.restore({ safe }), { code: 'fault.log_damaged' })
})

/** Spoils a copy of the safe, and gives what a restore with it is refused with; nothing of the site is there then. */
async function refusal(
  name: string,
  spoil: (path: (file: string) => string) => Promise<unknown>,
): Promise<{ code?: string; message: string }> {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe(name)
  await spoil((file) => join(safe, file))
  const thrown = await place.restore({ safe }).then(
    () => assert.fail(`Restored with ${name}`),
    (error: Error & { code?: string }) => error,
  )
  assert.deepEqual(await readdir(join(place.into, '..')), [], name)
  await rm(safe, { recursive: true })
  return thrown
}

const PEOPLE = `backups/${entry.backup}.people`

for (const [what, says, spoil] of [
  [
    'that lacks a line of what was taken back, and what was done',
    /^Cannot restore: the safe is not the newest; of the time after the backup it lacks 1 withdrawal, 1 objection, 1 restriction, 1 import, of which/,
    async (path) => {
      await rm(path('done-since.ndjson'))
      const file = path('taken-back.ndjson')
      const lines = (await readFile(file, 'utf8')).split('\n')
      const lost = [/"revoked":\[\d/, /"objections":\[\{/, /"restrictions":\[\{/].map((pattern) =>
        lines.findLastIndex((line) => pattern.test(line)),
      )
      await writeFile(file, lines.filter((_, index) => !lost.includes(index)).join('\n'))
    },
  ],
  [
    'with a person less than the backup',
    /has the keys of \d+ people, and the backup was made with/,
    async (path) => {
      const { size } = await stat(path(PEOPLE))
      await truncate(path(PEOPLE), size - 64)
    },
  ],
  [
    'in which a bit of a key has turned',
    /has keys of people that the master key in the backup does not open/,
    async (path) => {
      const bytes = await readFile(path(PEOPLE))
      bytes[64 * 20 + 30] = (bytes[64 * 20 + 30] ?? 0) ^ 1
      await writeFile(path(PEOPLE), bytes)
    },
  ],
  [
    'without the numbers of people',
    /it has 0 numbers of people, and the backup 40/,
    (path) => rm(path('numbers.json')),
  ],
] as const satisfies readonly (readonly [
  string,
  RegExp,
  (path: (file: string) => string) => Promise<unknown>,
])[])
  test(`a safe ${what} is refused`, async () => {
    const { code, message } = await refusal('spoilt', spoil)
    assert.match(message, says)
    assert.equal(code, 'fault.backup_safe')
  })

test('of numbers of people only whole blocks are believed', async () => {
  const directory = await copyOfSafe('numbers')
  for (const below of [65_537, 1])
    await writeFile(join(directory, 'numbers.json'), JSON.stringify({ below })).then(() =>
      assert.rejects(readReserved({ directory }), { code: 'fault.backup_safe' }),
    )
  await writeFile(join(directory, 'numbers.json'), '{"below":131072}')
  assert.equal(await readReserved({ directory }), 131_072)
  // Before it gives any: of those that come by a file, and of those that come together.
  const reservedAt: number[] = []
  const looking = async () => {
    reservedAt.push(await readReserved({ directory }))
    return []
  }
  const { vault: own } = bare.site
  const empty = {
    ...own,
    personCount: () => Promise.resolve(0),
    numberPeople: looking,
    takeTogether: looking,
  }
  const vault = await reservingNumbers(empty as unknown as typeof own, { directory })
  const expected = { first: 131_071, newcomers: [new Uint8Array(), new Uint8Array()] }
  await vault.takeTogether({ expected } as unknown as Parameters<typeof own.takeTogether>[0])
  await vault.numberPeople(Array.from({ length: 196_609 }, () => new Uint8Array()))
  assert.deepEqual(reservedAt, [196_608, 262_144])
})

test('links out of a backup, files of another backup and another site’s name are refused', async () => {
  await using place = await testRestore(bare, entry)
  const from = join(bare.root, 'spoilt')
  const elsewhere = join(bare.root, 'elsewhere')
  const later = backupDirectory(await makeBackup(bare.site))
  await cp(backupDirectory(entry), elsewhere, { recursive: true })
  const link = async (target: string, path: string) => {
    await rm(join(from, path), { recursive: true })
    await symlink(target, join(from, path))
  }
  for (const [says, spoil] of [
    [/"[^"]*vault.sealed": it is a link/, () => link(join(elsewhere, 'vault.sealed'), 'vault.sealed')],
    [/"[^"]*vault.sealed": it is a link, or no file/, () => link('/dev/zero', 'vault.sealed')],
    [/"[^"]*record\/[^"]*": it is a link/, () => link(join(elsewhere, 'record'), 'record')],
    [/"[^"]*manifest.jws": it is a link/, () => link(join(elsewhere, 'manifest.jws'), 'manifest.jws')],
    [
      /is not the file that the manifest names/,
      () => cp(join(later, 'vault.sealed'), join(from, 'vault.sealed')),
    ],
    [
      /is not the file that the manifest names/,
      () => cp(join(later, 'record'), join(from, 'record'), { recursive: true }),
    ],
    [
      /is not the file that the manifest names/,
      () => cp(join(later, 'manifest.jws'), join(from, 'manifest.jws')),
    ],
    [
      /is not the file that the manifest names/,
      () => cp(join(from, 'site/keys/operator.jwk.sealed'), join(from, 'site/keys/signing.jwk.sealed')),
    ],
  ] as const) {
    await cp(backupDirectory(entry), from, { recursive: true })
    await spoil()
    await assert.rejects(place.restore({ from }), (thrown: { code?: string; message?: string }) => {
      assert.match(String(thrown.message), says)
      return thrown.code === 'fault.backup_damaged'
    })
    await rm(from, { recursive: true })
  }
  await assert.rejects(place.restore({ site: 'zurich' }), {
    code: 'fault.conflict',
    message: /^Cannot restore "zurich": the backup in "[^"]*" is of the site "galway"$/,
  })
  assert.deepEqual(await readdir(join(place.into, '..')), [])
})
