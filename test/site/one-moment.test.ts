import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { instant } from '../../src/kernel/clock.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/faults.ts'
import type { Database } from '../../src/kernel/postgres/database.ts'
import { openPostgres } from '../../src/kernel/postgres/open-postgres.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { siteDirectory } from '../../src/site/config.ts'
import { VaultMark, markForEver } from '../../src/site/one-moment.ts'
import { rotateMasterKey } from '../../src/site/rotate-master-key.ts'
import { rotateOperatorKey } from '../../src/site/site-keys.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { bareSite } from '../../src/testing/test-site.ts'
import type { BareSite } from '../../src/testing/test-site.ts'

/*
 * One part of a site is put back as it was some time ago: only the vault, only the record, only the keys. Measure of success: a site
 * that opens, with people who were erased, or with numbers that are given twice.
 */

let bare: BareSite
let copies: string
before(async () => {
  bare = await bareSite()
  copies = await mkdtemp(join(tmpdir(), 'hedgerow-moments-'))
  await bare.fill({ dataSet: 'athletes', people: testPeople(3) })
})
after(async () => {
  await bare[Symbol.asyncDispose]()
  await rm(copies, { recursive: true, force: true })
})

const apart = (message: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof Fault)
  assert.equal(thrown.code, 'fault.parts_apart')
  assert.match(thrown.message, message)
  return true
}

type Part = 'vault' | 'keys'
const partOf = (part: Part) => siteDirectory(bare.root)[part]
async function keep(part: Part, name: string): Promise<void> {
  await cp(partOf(part), join(copies, name), { recursive: true })
}
async function putBack(part: Part, name: string): Promise<void> {
  await rm(partOf(part), { recursive: true })
  await cp(join(copies, name), partOf(part), { recursive: true })
}

describe('a part that is put back alone', () => {
  test('the vault', async () => {
    await bare.reopen(() => keep('vault', 'older'))
    await assert.rejects(
      bare.reopen(async () => {
        await keep('vault', 'newest')
        await putBack('vault', 'older')
      }),
      apart(
        /^The vault and the record are of different moments: the vault is older \(\d+ in the vault, \d+ in the record\)$/,
      ),
    )
    // Nor is one that is made anew, where there was one.
    await assert.rejects(
      bare.reopen(() => rm(partOf('vault'), { recursive: true })),
      apart(/the vault is older \(0 in the vault/),
    )
    await bare.reopen(() => putBack('vault', 'newest'))
    assert.equal(await bare.site.vault.personCount(), 3)
  })

  test('the vault while the site went on: a change is enough', async () => {
    const { site } = bare
    const { clock, asleep } = roundByRound()
    const closing = new AbortController()
    const failures: string[] = []
    const ends: Fault[] = []
    const events = { failed: (what: string) => void failures.push(what) }
    const { vaultMark: mark, vault } = site
    const marking = markForEver({
      mark,
      vault,
      clock,
      events,
      signal: closing.signal,
      end: (fault) => ends.push(fault),
    })
    const first = await vault.mark()
    const round = async () => {
      const wake = await asleep()
      wake()
      await Promise.race([asleep(), marking])
    }
    await round()
    assert.equal(await vault.mark(), first, 'nothing has changed')
    await vault.skipNumbers(10)
    await round()
    assert.notEqual(await vault.mark(), first)
    // A record of before is put back under the site that runs.
    await noteMark(site.db, { mark: first ?? '' })
    for (let count = 0; count < 12 && ends.length === 0; count += 1) await round()
    closing.abort()
    await marking
    assert.match(ends[0]?.message ?? '', /the record is older/)
    assert.deepEqual(failures, [])
    await noteMark(site.db, { mark: (await vault.mark()) ?? '' })
  })

  test('the record', async () => {
    const older = await bare.site.vault.mark()
    await bare.reopen()
    const newest = await bare.site.vault.mark()
    await assert.rejects(
      bare.reopen(() => atRecord((db) => noteMark(db, { mark: older ?? '' }))),
      apart(/the record is older/),
    )
    // One that knows of no vault, as before there were marks.
    await assert.rejects(
      bare.reopen(() => atRecord((db) => sql`delete from vault_mark`.execute(db))),
      apart(/the record is older \(\d+ in the vault, 0 in the record\)/),
    )
    // One of another site that has come as far.
    const [count] = newest?.split(' ') ?? []
    await assert.rejects(
      bare.reopen(() => atRecord((db) => noteMark(db, { mark: `${count} 0000000000000000` }))),
      apart(/are not of one site/),
    )
    await bare.reopen(() => atRecord((db) => noteMark(db, { mark: newest ?? '' })))
  })

  test('the keys', async () => {
    await bare.reopen(() => keep('keys', 'first'))
    await bare.reopen(async () => {
      await rotateOperatorKey(partOf('keys'))
      await keep('keys', 'second')
    })
    await assert.rejects(
      bare.reopen(() => putBack('keys', 'first')),
      apart(/^The keys and the record are of different moments: the operator's key in the site's folder/),
    )
    await bare.reopen(() => putBack('keys', 'second'))
    await bare.reopen(async () => {
      const { root, settings } = bare
      await rotateMasterKey({ root, settings, log: silentLog, clock: bare.site.clock, random: systemRandom })
      await keep('keys', 'third')
    })
    await assert.rejects(
      bare.reopen(() => putBack('keys', 'second')),
      apart(/the master key in the site's folder is not the one/),
    )
    await bare.reopen(() => putBack('keys', 'third'))
  })
})

/** A clock by which whoever sleeps wakes when told: `asleep` resolves with how. */
function roundByRound() {
  let sleeping = Promise.withResolvers<() => void>()
  const clock: Clock = {
    now: () => instant(0),
    sleep: (_, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve(), { once: true })
        sleeping.resolve(() => {
          sleeping = Promise.withResolvers()
          resolve()
        })
      }),
  }
  return { clock, asleep: () => sleeping.promise }
}

async function atRecord(act: (db: Database) => Promise<unknown>): Promise<void> {
  const { root, settings } = bare
  await using postgres = await openPostgres({
    directory: root,
    url: settings.databaseUrl,
    name: 'site',
    log: silentLog,
  })
  await act(postgres.db)
}

async function noteMark(db: Database, { mark, pending }: { mark: string; pending?: string }): Promise<void> {
  await sql`delete from vault_mark`.execute(db)
  await sql`insert into vault_mark (mark, pending) values (${mark}, ${pending ?? null})`.execute(db)
}

/** Where a change of the mark is cut off: before or after each of its three writes. */
const CUTS = [
  'no',
  'before the record',
  'after the record',
  'before the vault',
  'after the vault',
  'before it is noted',
  'after it is noted',
] as const

test('a change of the mark that is cut off anywhere, again and again, bricks no site, and no older vault fits', async () => {
  const { db } = bare.site
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...CUTS), { minLength: 1, maxLength: 6 }), async (cuts) => {
      await sql`delete from vault_mark`.execute(db)
      let own: string | undefined
      const older: (string | undefined)[] = []
      for (const cut of [...cuts, 'no'] as const) {
        const isCut = await VaultMark.open({
          db: cutting(db, cut),
          random: systemRandom,
          vault: {
            mark: () => Promise.resolve(own),
            keepMark: (mark) => {
              if (cut === 'before the vault') return Promise.reject(new Error('cut off'))
              older.push(own)
              own = mark
              return cut === 'after the vault' ? Promise.reject(new Error('cut off')) : Promise.resolve()
            },
          },
        }).then(
          () => false,
          (error: unknown) => {
            assert.ok(!(error instanceof Fault), String(error))
            return true
          },
        )
        assert.equal(isCut, cut !== 'no')
      }
      for (const mark of older) {
        const vault = { mark: () => Promise.resolve(mark), keepMark: () => Promise.resolve() }
        await assert.rejects(VaultMark.open({ db, random: systemRandom, vault }), apart(/the vault is older/))
      }
    }),
    { numRuns: 15 },
  )
  await noteMark(db, { mark: (await bare.site.vault.mark()) ?? '' })
})

/** The record with a line that breaks before or after one of its two writes. */
function cutting(db: Database, cut: (typeof CUTS)[number]): Database {
  const write = { record: 'insert into vault_mark', noted: 'update vault_mark' }[cut.split(' ').at(-1) ?? '']
  if (write === undefined) return db
  const cutHere = new WeakSet<object>()
  return db.withPlugin({
    transformQuery({ node, queryId }) {
      if (!JSON.stringify(node).includes(write)) return node
      if (cut.startsWith('before')) throw new Error('cut off')
      cutHere.add(queryId)
      return node
    },
    transformResult: ({ result, queryId }) =>
      cutHere.has(queryId) ? Promise.reject(new Error('cut off')) : Promise.resolve(result),
  })
}
