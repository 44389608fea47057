import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { systemClock } from '../../../src/kernel/clock.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { peekJws } from '../../../src/kernel/crypto/jws.ts'
import { parseJson } from '../../../src/kernel/parse-json.ts'
import { receiptSchema } from '../../../src/protocol/proof/receipt.ts'
import { readTakenBack } from '../../../src/site/backup/kept-apart.ts'
import type { TakenBack } from '../../../src/site/backup/kept-apart.ts'
import { requireNewest } from '../../../src/site/backup/require-newest.ts'
import { objectTo, withdrawObjection } from '../../../src/site/consent/change-objections.ts'
import { restrictPerson } from '../../../src/site/rights/restrict-person.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'

test('of two restrictions that are made at the same time the safe has both, whichever is there first', async () => {
  await using bare = await bareSite()
  const { site } = bare
  // Of different data sets: a change of one is noted by one at a time.
  const people = testPeople(2)
  await bare.fill({ dataSet: 'athletes', people: people.slice(0, 1), hasGrants: false })
  await bare.fill({ dataSet: 'study', people: people.slice(1), hasGrants: false })
  const requestFor = async (key: string) => ({
    person: await bare.numberOf(key),
    issuer: memberIdSchema.parse('federation'),
    reason: 'accuracy_contested' as const,
    requestedBy: 'person',
  })
  const entered = Promise.withResolvers<void>()
  const open = Promise.withResolvers<void>()
  const slowLog: typeof site.log = {
    ...site.log,
    issue: async (tx, drafts) => {
      entered.resolve()
      await open.promise
      return site.log.issue(tx, drafts)
    },
  }
  const first = restrictPerson({ ...site, log: slowLog }, await requestFor('p-0'))
  await entered.promise
  let isOver = false
  const second = restrictPerson(site, await requestFor('p-1')).finally(() => {
    isOver = true
  })
  const isWaiting = async () => {
    const { rows } = await sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      site.db,
    )
    return rows.length > 0
  }
  while (!isOver && !(await isWaiting())) await systemClock.sleep(1)
  open.resolve()
  const made = await Promise.all([first, second])
  const kept = (await readTakenBack(site.backups.safe)).flatMap(({ restrictions }) => restrictions)
  assert.deepEqual(
    kept.map(({ restriction }) => restriction).toSorted(),
    made.map(({ restriction }) => restriction).toSorted(),
  )

  // An objection and its withdrawal have receipts of one kind: a restore is told of both, and makes only the first again.
  const objection = { people: [await bare.numberOf('p-0')], purpose: 'dpv:AcademicResearch' }
  await objectTo(site.consent, objection, { by: 'person' })
  await withdrawObjection(site.consent, objection, { by: 'person' })
  const receipts = await site.log.list({ after: -1, limit: 10, kind: 'objection' })
  const after = (await readTakenBack(site.backups.safe)).slice(-2)
  assert.deepEqual(
    after.map(({ objections, objectionReceipts }) => [objections.length, objectionReceipts]),
    [
      [1, [receipts[0]?.sequence]],
      [0, [receipts[1]?.sequence]],
    ],
  )
  const receiptsAfter = receipts.map(({ jws }) => receiptSchema.parse(parseJson(peekJws(jws)?.payload ?? '')))
  const marks = { sequence: 0, restriction: 0 }
  const since = { list: [], done: [], marks, receiptsAfter }
  const isNewest = (takenBack: readonly TakenBack[]) =>
    requireNewest(site.db, { ...since, takenBack }, { mayMiss: false })
  await isNewest(after)
  for (const some of [[], after.slice(1), after.slice(0, 1)])
    await assert.rejects(isNewest(some), /lacks (?:1 objection|2 objections), of which/)
  // Of lines from before receipts were noted nothing can be said.
  await isNewest(after.slice(0, 1).map((line) => ({ ...line, objectionReceipts: undefined })))
})
