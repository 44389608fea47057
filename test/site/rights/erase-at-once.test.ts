import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KyselyPlugin } from 'kysely'
import { digestOf } from '../../../src/kernel/digest.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { erasePerson } from '../../../src/site/rights/erase-person.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import { testPeople } from '../../../src/testing/test-population.ts'

// "At once" means: no work that grows with how many people and rows there are. The time itself is measured by bench/erasure.ts.

/** Statements that the record was sent, and rows that it gave or changed. */
interface Work {
  statements: number
  rows: number
}

function counting(work: Work): KyselyPlugin {
  return {
    transformQuery({ node }) {
      work.statements += 1
      return node
    },
    transformResult({ result }) {
      work.rows += Math.max(result.rows.length, Number(result.numAffectedRows ?? 0n))
      return Promise.resolve(result)
    },
  }
}

/** What erasing one person takes at a site with so many. */
async function workOfErasing(people: number): Promise<Work> {
  await using bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people: testPeople(people) })
  const work: Work = { statements: 0, rows: 0 }
  const db = bare.site.db.withPlugin(counting(work))
  const files = async () => (await readdir(join(bare.site.root, 'vault'))).toSorted()
  const before = await files()
  const erased = await erasePerson(
    { ...bare.site, db, consent: { ...bare.site.consent, db } },
    {
      person: await bare.numberOf('p-7'),
      issuer: memberIdSchema.parse('federation'),
      reason: 'request',
      requestedBy: 'operator',
      nameMark: digestOf('p-7'),
    },
  )
  assert.equal(erased.state, 'deleted')
  assert.deepEqual(await files(), before, 'the vault is not copied')
  return work
}

test('the first step of an erasure does the same work among few and among many', async () => {
  const [few, many] = [await workOfErasing(20), await workOfErasing(600)]
  assert.ok(few.statements > 10 && few.rows > 0, JSON.stringify(few))
  assert.deepEqual(many, few)
})
