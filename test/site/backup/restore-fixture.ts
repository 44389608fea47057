import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { after } from 'node:test'
import { formatInstant, later } from '../../../src/kernel/clock.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { countrySchema, dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import { peoplePath } from '../../../src/site/backup/safe.ts'
import type { BackupEntry } from '../../../src/site/backup/safe.ts'
import { insertBasis, insertBasisPeople } from '../../../src/site/consent/basis-store.ts'
import { endBasis, uncoverPeople } from '../../../src/site/consent/change-bases.ts'
import { changeGrants } from '../../../src/site/consent/change-grants.ts'
import { objectTo, withdrawObjection } from '../../../src/site/consent/change-objections.ts'
import { revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { endContract } from '../../../src/site/contracts/change-contracts.ts'
import { answerChange, subProcessorActs } from '../../../src/site/contracts/sub-processor-acts.ts'
import { readSubProcessors } from '../../../src/site/contracts/sub-processor-store.ts'
import { endGuardianship } from '../../../src/site/principals/end-guardianship.ts'
import { insertGuardianship } from '../../../src/site/principals/guardianship-store.ts'
import type { ErasureRecord } from '../../../src/site/rights/erasure-store.ts'
import { liftRestriction, restrictPerson } from '../../../src/site/rights/restrict-person.ts'
import { ShiftedClock, eraseByKey } from '../../../src/testing/test-backup.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

/*
 * A site of which there is one backup, and at which people were erased and have withdrawn since: the same for all tests of a
 * file.
 */

/** The data set of the site. */
export const athletes = dataSetIdSchema.parse('athletes')

/** The issuer. */
export const federation = memberIdSchema.parse('federation')

/** What the key and every text of the person begin with who was erased after the backup. */
export const MARKER = 'zqbackup7gone'

/** A day. */
export const DAY_MS = 86_400_000

const people = testPeople(40, (_, index) =>
  index === 7
    ? { id: `${MARKER}-key`, name: `${MARKER} name`, country: `${MARKER}-plain`, note: `${MARKER} note` }
    : {},
)

/** The clock of the site and of its restores. */
export const clock = new ShiftedClock()

/** The site that is lost. */
export const bare: BareSite = await bareSite(clock)
after(() => bare[Symbol.asyncDispose]())

await bare.fill({ dataSet: 'athletes', people })
await beginBases()
await subProcessorActs(bare.site).announceSubProcessor({
  contract: bare.site.contracts.standing()[0]?.id ?? '',
  name: 'Rack GmbH',
  country: countrySchema.parse('DE'),
  task: 'machines',
  from: '2099-01-01',
})

await takeBackAndLift()

/** Its backup, from before the erasure. */
export const entry: BackupEntry = await makeBackup(bare.site)
await cp(peoplePath(bare.site.backups.safe, entry.backup), join(bare.root, 'people-before'))

/** The erasure. */
export const erased: ErasureRecord = await eraseByKey(bare, `${MARKER}-key`)
await revokeGrants(bare.site.consent, [{ dataSet: athletes, person: 'p-2' }], { by: 'issuer:federation' })
await objectTo(
  bare.site.consent,
  { people: [await bare.numberOf('p-3')], purpose: 'dpv:AcademicResearch' },
  { by: 'person' },
)
await restrictPerson(bare.site, {
  person: await bare.numberOf('p-4'),
  issuer: federation,
  reason: 'accuracy_contested',
  requestedBy: 'person',
})
await bare.fill({
  dataSet: 'athletes',
  people: testPeople(3, (_, index) => ({ id: `late-${index}` })),
  batch: 'late',
})
await endBasis(
  bare.site.consent,
  { basis: 'basis_ended', reason: 'the contract has ended' },
  { by: 'operator' },
)
await uncoverPeople(
  bare.site.consent,
  { basis: 'basis_listed', people: [await bare.numberOf('p-10')] },
  { by: 'operator' },
)
await endGuardianship(bare.site, { guardianship: 'guardianship_one', by: 'operator' })
const [contract] = bare.site.contracts.standing()
const [refused] = await readSubProcessors(bare.site.db)
await answerChange(bare.site, refused ?? assert.fail('None was announced'), {
  answer: 'objected',
  reason: 'no',
  by: 'issuer:federation',
})
await endContract(bare.site, { contract: contract?.id ?? '', reason: 'it was replaced' }, { by: 'operator' })
await bare.site.log.publish()
await bare.site.archiver.follow()

/** Two records of a basis, one with people listed, and somebody's guardian, as the stores have them. */
async function beginBases(): Promise<void> {
  const { consent } = bare.site
  const now = clock.now()
  const facts = {
    kind: 'contract',
    dataSets: ['athletes'],
    purposes: ['dpv:AcademicResearch'],
    reference: 'c-1',
    validFrom: formatInstant(now),
    validUntil: formatInstant(later(now, DAY_MS)),
    people: 'listed',
  }
  const people = [await bare.numberOf('p-10'), await bare.numberOf('p-11')]
  await changeGrants(consent, {
    body: {},
    facts: { by: 'operator' },
    act: async (tx, { last }) => {
      for (const [index, id] of ['basis_ended', 'basis_listed'].entries()) {
        const sequence = last + 1 + index
        await insertBasis(tx, { id, sequence, facts, now, by: 'operator' })
        await insertBasisPeople(tx, { basis: id, sequence, people, isCovered: true, now, by: 'operator' })
      }
      return { change: { sequence: last + 2, newTerms: [], given: [], revoked: [] }, unchanged: 0 }
    },
  })
  await bare.site.db.transaction().execute((tx) =>
    insertGuardianship(tx, {
      guardianship: 'guardianship_one',
      person: people[0] ?? 0,
      issuer: federation,
      personName: Buffer.from('sealed'),
      authority: 'sole',
      document: digestOf('a document'),
      from: now,
      establishedAt: now,
      establishedBy: 'issuer:federation',
    }),
  )
}

/** Who objects and is restricted after the backup was so before, to another purpose and for another reason, and is no longer. */
async function takeBackAndLift(): Promise<void> {
  const objection = { people: [await bare.numberOf('p-3')], purpose: 'dpv:Marketing' }
  await objectTo(bare.site.consent, objection, { by: 'person' })
  await withdrawObjection(bare.site.consent, objection, { by: 'person' })
  await restrictPerson(bare.site, {
    person: await bare.numberOf('p-4'),
    issuer: federation,
    reason: 'unlawful',
    requestedBy: 'person',
  })
  await liftRestriction(bare.site, { person: await bare.numberOf('p-4'), by: 'person' })
}

/** A copy of its safe, to be spoilt. */
export async function copyOfSafe(name: string): Promise<string> {
  const target = join(bare.root, `safe-${name}`)
  await cp(bare.site.backups.safe.directory, target, { recursive: true })
  return target
}
