import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import type { WireManifest } from '../../../src/sdk/issuer.ts'
import { revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { describeDataSet } from '../../../src/site/datasets/describe-data-set.ts'
import type { SiteContext } from '../../../src/site/site-context.ts'
import { around, once } from '../../../src/testing/around.ts'
import { testAsker } from '../../../src/testing/test-asker.ts'
import { csvOf, testManifest, testPeople } from '../../../src/testing/test-population.ts'
import type { TestPerson } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

/*
 * What an ask goes by changes while it is answered: the terms of a data set, or its rows. Measure of success: two answers over
 * the same people that differ by what one of them has.
 */

const COUNT = 60
let bare: BareSite
before(async () => {
  bare = await bareSite()
})
after(() => bare[Symbol.asyncDispose]())

/** Scores within 0 to 100, but of so many people 180. */
function scored(far: number): readonly TestPerson[] {
  return testPeople(COUNT, (_, index) => ({ score: index < far ? 180 : 20 + (index % 30) }))
}

function sumUpTo(most: number, rows: readonly TestPerson[]): number {
  return rows.reduce((sum, { score }) => sum + Math.min(score, most), 0)
}

function bounded(dataSet: string, greatest: number, more: Partial<WireManifest> = {}): Manifest {
  const manifest = testManifest(dataSet, more)
  const columns = manifest.columns.map((column) =>
    column.name === 'score' ? { ...column, bounds: [0, greatest] } : column,
  )
  return manifestSchema.parse({ ...manifest, columns })
}

let dataSets = 0

/** A data set with everybody in it, and somebody who asked nothing yet. */
async function world(people: readonly TestPerson[], manifest: Partial<WireManifest> = {}) {
  dataSets += 1
  const dataSet = `athletes_${dataSets}`
  await bare.fill({ dataSet, people, manifest })
  const asker = testAsker(bare, `asker-${dataSets}`)
  const sumOf = async (parts: SiteContext = bare.site, name = 'score') => {
    const told = await asker.ask(`select sum(score) as ${name} from "${dataSet}"`, { offer: dataSet, parts })
    return told.rows?.[0]?.[0] ?? told.reason
  }
  return { dataSet, sumOf, describe: (terms: Manifest) => describeDataSet(bare.site, terms) }
}

for (const isTold of [true, false])
  test(`an ask that was planned by terms of before is planned again${isTold ? '' : ', though nobody said yet that they changed'}`, async () => {
    const people = scored(1)
    const { dataSet, sumOf, describe } = await world(people)
    const change = once(async () => {
      await describe(bounded(dataSet, 1_000))
      if (isTold) await bare.site.offersChanged()
    })
    const { partitions } = bare.site
    const parts = { ...bare.site, partitions: around(partitions, 'look', { before: change }) }
    assert.deepEqual(
      [await sumOf(parts), await sumOf(bare.site, 'again')],
      [sumUpTo(1_000, people), sumUpTo(1_000, people)],
    )
  })

test('rows that come while terms change are summed by one of them only', async () => {
  const people = scored(0)
  const person = { key: 'id', birthDate: 'birth_date', rowsMax: 2 }
  const { dataSet, sumOf } = await world(people, { person })
  const { site } = bare
  // One row more of somebody, with another value by the new terms; then somebody asks who asked nothing before.
  const more = people.slice(0, 1).map((one) => ({ ...one, score: 180 }))
  const told: unknown[] = []
  let coming: Promise<void> | undefined
  const come = once(async () => {
    const file = { stream: new Blob([csvOf(more)]).stream() }
    coming = bare.bring({ dataSet, batch: 'more', file }).then(async () => {
      told.push(await sumOf())
    })
    await Promise.race([coming, untilSomebodyWaits(site)])
  })
  const vault = around(site.vault, 'numbersUnderTerms', { after: come })
  await describeDataSet({ ...site, vault }, bounded(dataSet, 1_000, { person }))
  await site.offersChanged()
  await (coming ?? assert.fail('nobody came'))
  told.push(await sumOf(site, 'again'))
  assert.deepEqual(told, [sumUpTo(1_000, [...people, ...more]), sumUpTo(1_000, [...people, ...more])])
})

/** Resolves when a transaction waits for another one. */
async function untilSomebodyWaits({ db }: SiteContext): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      db,
    )
    if (rows.length > 0) return
  }
}

for (const dryRun of [false, true])
  test(`a price over the limit is told of nobody who has withdrawn, nor of rows of before${dryRun ? ', by a dry run' : ''}`, async () => {
    const people = testPeople(10)
    const { dataSet } = await world(people)
    const { site } = bare
    const asker = testAsker(bare, `poor-${dryRun}`)
    let runs = 0
    const meanwhile = (name: string, act: () => Promise<unknown>) => {
      const partitions = around(site.partitions, 'hold', {
        after: async () => {
          runs += 1
          if (runs === 1) await act()
        },
      })
      const asked = { offer: dataSet, most: 1, dryRun, parts: { ...site, partitions } }
      return asker.ask(`select count(*) as ${name} from "${dataSet}"`, asked)
    }
    const moved = { dataSet, people: new Bitset(), cause: 'moves' }
    const change = () => site.db.transaction().execute((tx) => site.partitions.noteChange(tx, moved))
    assert.deepEqual([(await meanwhile('first', change)).reason, runs], ['declined.limit', 2])
    runs = 0
    const withdraw = () =>
      revokeGrants(site.consent, [{ dataSet: dataSetIdSchema.parse(dataSet), person: 'p-0' }], {
        by: 'issuer:federation',
      })
    assert.equal((await meanwhile('second', withdraw)).reason, 'declined.nobody_eligible')
  })
