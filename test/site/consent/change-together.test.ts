import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import type { KyselyPlugin } from 'kysely'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { loadGrantMirror } from '../../../src/site/consent/change-grants.ts'
import type { ConsentContext } from '../../../src/site/consent/change-grants.ts'
import { objectTo, withdrawObjection } from '../../../src/site/consent/change-objections.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import type { GrantMirror } from '../../../src/site/consent/grant-mirror.ts'
import { revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { instant } from '../../../src/kernel/clock.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import type { Fault } from '../../../src/kernel/faults.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'

const PEOPLE = 6
const PURPOSES = ['dpv:AcademicResearch', 'dpv:Marketing'] as const
const LATER = instant(Date.parse('2090-01-01T00:00:00Z'))
const dataSet = dataSetIdSchema.parse('athletes')
const by = { by: 'issuer:federation' }

let bare: BareSite
let numbers: readonly number[]
before(async () => {
  bare = await bareSite()
  await bare.fill({ dataSet, people: testPeople(PEOPLE), hasGrants: false })
  numbers = await Promise.all(Array.from({ length: PEOPLE }, (_, person) => bare.numberOf(`p-${person}`)))
})
after(() => bare[Symbol.asyncDispose]())

interface Step {
  readonly what: 'give' | 'revoke' | 'object' | 'withdraw'
  readonly person: number
  readonly purpose: (typeof PURPOSES)[number]
}

const step = fc.record<Step>({
  what: fc.constantFrom('give', 'revoke', 'object', 'withdraw'),
  person: fc.nat(PEOPLE - 1),
  purpose: fc.constantFrom(...PURPOSES),
})

function change(context: ConsentContext, { what, person, purpose }: Step) {
  const key = `p-${person}`
  const objection = { people: [numbers[person] ?? -1], purpose, dataSet }
  switch (what) {
    case 'give':
      return giveGrants(
        context,
        [grantRequestSchema.parse(testGrant(dataSet, key, { purposes: [purpose] }))],
        by,
      )
    case 'revoke':
      return revokeGrants(context, [{ dataSet, person: key }], by)
    case 'object':
      return objectTo(context, objection, by)
    case 'withdraw':
      return withdrawObjection(context, objection, by)
  }
}

/** Who allows and who objects to what, as a mirror has it. */
function inForce(mirror: GrantMirror) {
  const allowed = mirror.termsOf(dataSet).map(({ id, terms: { purposes } }) => {
    const into = new Bitset()
    mirror.collect(id, { into, now: LATER })
    return [purposes.join(), [...into]] as const
  })
  const objecting = PURPOSES.map((purpose) => [purpose, [...mirror.objectors(dataSet, purpose)]] as const)
  return { allowed: new Map(allowed.filter(([, people]) => people.length > 0)), objecting }
}

/** What one caller after another would leave, for each person: a set of purposes allowed, and one of those objected to. */
class Wanted {
  readonly #allowed = new Map<number, Set<string>>()
  readonly #objecting = new Map<number, Set<string>>()

  /** Gives how many acts that is. */
  apply({ what, person, purpose }: Step): number {
    const sets = what === 'give' || what === 'revoke' ? this.#allowed : this.#objecting
    const own = sets.get(person) ?? new Set()
    sets.set(person, own)
    const before = own.size
    if (what === 'give' || what === 'object') own.add(purpose)
    else if (what === 'withdraw') own.delete(purpose)
    else own.clear()
    return Math.abs(own.size - before)
  }

  inForce() {
    const peopleOf = (sets: ReadonlyMap<number, ReadonlySet<string>>, purpose: string) =>
      [...sets]
        .filter(([, own]) => own.has(purpose))
        .map(([person]) => numbers[person] ?? -1)
        .toSorted((one, other) => one - other)
    const allowed = PURPOSES.map((purpose) => [purpose, peopleOf(this.#allowed, purpose)] as const)
    return {
      allowed: new Map(allowed.filter(([, people]) => people.length > 0)),
      objecting: PURPOSES.map((purpose) => [purpose, peopleOf(this.#objecting, purpose)] as const),
    }
  }
}

async function countOf(table: 'receipt' | 'entries'): Promise<number> {
  const counted =
    table === 'receipt'
      ? sql`select count(*)::int as count from receipt`
      : sql`select last::int as count from consent_sequence`
  const { rows } = await counted.execute(bare.site.db)
  return (rows[0] as { count: number }).count
}

test('changes that come at the same time leave what one after the other leaves, each answered for itself', async () => {
  const { consent, mirror, db } = bare.site
  const wanted = new Wanted()
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uniqueArray(step, { maxLength: PEOPLE, selector: ({ person }) => person }), {
        minLength: 1,
        maxLength: 4,
      }),
      async (rounds) => {
        for (const round of rounds) {
          const [entries, receipts] = [await countOf('entries'), await countOf('receipt')]
          const answers = await Promise.all(round.map((one) => change(consent, one)))
          const expected = round.map((one) => wanted.apply(one))
          assert.deepEqual(
            answers.map(({ changed }) => changed),
            expected,
          )
          const made = expected.reduce((sum, one) => sum + one, 0)
          assert.equal((await countOf('entries')) - entries, made)
          assert.equal((await countOf('receipt')) - receipts, made)
        }
        assert.deepEqual(inForce(mirror), wanted.inForce())
        assert.deepEqual(inForce(await loadGrantMirror(db)), inForce(mirror))
      },
    ),
    { numRuns: 15 },
  )
})

test('two changes about the same person that come at the same time are made one after the other', async () => {
  const { consent } = bare.site
  const objecting = { what: 'object', person: 1, purpose: PURPOSES[1] } as const
  await change(consent, { ...objecting, what: 'withdraw' })
  const answers = await Promise.all([
    change(consent, objecting),
    change(consent, objecting),
    change(consent, { ...objecting, what: 'withdraw' }),
    change(consent, { ...objecting, what: 'withdraw' }),
    change(consent, objecting),
  ])
  assert.deepEqual(
    answers.map(({ changed }) => changed),
    [1, 0, 1, 0, 1],
  )
  const sequences = answers.map(({ sequence }) => sequence)
  assert.deepEqual(
    sequences,
    sequences.toSorted((one, other) => one - other),
  )
})

test('what is asked for twice at the same time is done once', async () => {
  const { consent } = bare.site
  const person = 2
  const purpose = PURPOSES[0]
  await change(consent, { what: 'revoke', person, purpose })
  await change(consent, { what: 'withdraw', person, purpose })
  for (const what of ['give', 'object', 'withdraw', 'revoke'] as const) {
    const one = { what, person, purpose }
    const answers = await Promise.all([change(consent, one), change(consent, one), change(consent, one)])
    assert.deepEqual(
      answers.map(({ changed }) => changed),
      [1, 0, 0],
      what,
    )
  }
})

/** The consent of the site with a count of how often receipts were signed for several changes. */
function counting() {
  const { consent } = bare.site
  const counted = { signings: [] as number[] }
  const receipts: ConsentContext['receipts'] = {
    ...consent.receipts,
    sign: (first, drafts) => {
      counted.signings.push(drafts.length)
      return consent.receipts.sign(first, drafts)
    },
  }
  return { counted, context: { ...consent, receipts } }
}

test('objections of several callers are signed and written together, and one that cannot be is no matter of theirs', async () => {
  const { context, counted } = counting()
  const purpose = 'dpv:FraudPreventionAndDetection'
  const object = (people: readonly number[]) => objectTo(context, { people, purpose, dataSet }, by)
  const together = await Promise.all(numbers.slice(0, 4).map((person) => object([person])))
  assert.deepEqual([counted.signings, together.map(({ changed }) => changed)], [[4], [1, 1, 1, 1]])
  // A number that is nobody's has no key, under which a receipt could be about anybody.
  const outcomes = await Promise.allSettled([
    object([numbers[4] ?? -1]),
    object([9_999]),
    object([numbers[5] ?? -1]),
  ])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(
    [...bare.site.mirror.objectors(dataSet, purpose)],
    [...numbers].toSorted((one, other) => one - other),
  )
})

test('calls that change nothing, or add nothing to what stands, undo no group', async () => {
  const { context, counted } = counting()
  const purpose = PURPOSES[0]
  for (const person of numbers.keys()) await change(context, { what: 'withdraw', person, purpose })
  await change(context, { what: 'revoke', person: 3, purpose })
  await change(context, { what: 'give', person: 4, purpose })
  counted.signings.length = 0
  const answers = await Promise.all([
    change(context, { what: 'object', person: 0, purpose }),
    change(context, { what: 'withdraw', person: 1, purpose }),
    change(context, { what: 'object', person: 2, purpose }),
    change(context, { what: 'revoke', person: 3, purpose }),
    change(context, { what: 'object', person: 5, purpose }),
  ])
  assert.deepEqual(
    answers.map(({ changed }) => changed),
    [1, 0, 1, 0, 1],
  )
  assert.deepEqual(counted.signings, [3])
  // That a grant stands already is seen only where all are written; the others are found by halves.
  for (const person of [0, 1, 2, 3]) await change(context, { what: 'revoke', person, purpose })
  counted.signings.length = 0
  const given = await Promise.all(
    [0, 1, 2, 3, 4].map((person) => change(context, { what: 'give', person, purpose })),
  )
  assert.deepEqual(
    given.map(({ changed }) => changed),
    [1, 1, 1, 1, 0],
  )
  assert.ok(counted.signings.includes(3), String(counted.signings))
})

test('calls under keys are made together too, and each key stands for one answer', async () => {
  const { context, counted } = counting()
  const purpose = PURPOSES[0]
  const revoke = (person: number, key: string) =>
    revokeGrants(context, [{ dataSet, person: `p-${person}` }], { ...by, idempotencyKey: key })
  for (const person of [0, 1, 2]) {
    await change(context, { what: 'revoke', person, purpose })
    await change(context, { what: 'give', person, purpose })
  }
  counted.signings.length = 0
  const answers = await Promise.all([0, 1, 2].map((person) => revoke(person, `first ${person}`)))
  assert.deepEqual([counted.signings, answers.map(({ changed }) => changed)], [[3], [1, 1, 1]])
  // The same again gives the same answer and takes back nothing that was given since, alone or among others.
  for (const person of [0, 1, 2]) await change(context, { what: 'give', person, purpose })
  const again = await Promise.all([revoke(0, 'first 0'), revoke(1, 'first 1'), revoke(2, 'second 2')])
  assert.deepEqual(again.slice(0, 2), answers.slice(0, 2))
  const allowed = new Set(inForce(context.mirror).allowed.get(purpose))
  assert.deepEqual(
    [0, 1, 2].map((person) => allowed.has(numbers[person] ?? -1)),
    [true, true, false],
  )
  // One key with two bodies at the same time: one of them is taken, and the other is nobody else's matter.
  const outcomes = await Promise.allSettled([revoke(0, 'third'), revoke(1, 'third'), revoke(2, 'third of 2')])
  assert.deepEqual(
    outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as Fault).code : outcome.value.changed,
    ),
    [1, 'fault.idempotency_conflict', 0],
  )
})

test('of a commit that nobody heard of, nobody is told that nothing changed', async () => {
  const { consent, mirror } = bare.site
  const purpose = PURPOSES[1]
  for (const person of [0, 1, 2]) await change(consent, { what: 'withdraw', person, purpose })
  const revocation = [[{ dataSet, person: 'p-4' }], { ...by, idempotencyKey: 'unheard' }] as const
  await change(consent, { what: 'revoke', person: 4, purpose })
  await change(consent, { what: 'give', person: 4, purpose })
  // As when the line breaks after the record has committed.
  const broken: ConsentContext = {
    ...consent,
    db: consent.db.withPlugin(breakingOnce('change_consent_once')),
  }
  const outcomes = await Promise.allSettled([
    ...[0, 1, 2].map((person) => change(broken, { what: 'object', person, purpose })),
    revokeGrants(broken, ...revocation),
  ])
  assert.deepEqual(
    outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as Fault).code : outcome.value,
    ),
    Array.from({ length: 4 }, () => 'fault.database_unreachable'),
  )
  assert.equal((await revokeGrants(consent, ...revocation)).changed, 1)
  // Said again it is learnt first, by the mirror too.
  assert.equal((await change(consent, { what: 'object', person: 0, purpose })).changed, 0)
  for (const person of [0, 1, 2]) assert.ok(mirror.objectors(dataSet, purpose).has(numbers[person] ?? -1))
})

/** Lets a statement be carried out and breaks the line before its answer, once. */
function breakingOnce(text: string): KyselyPlugin {
  let breaking: unknown
  let isBroken = false
  return {
    transformQuery({ node, queryId }) {
      if (!isBroken && JSON.stringify(node).includes(text)) breaking = queryId
      return node
    },
    transformResult({ result, queryId }) {
      if (isBroken || queryId !== breaking) return Promise.resolve(result)
      isBroken = true
      return Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    },
  }
}

test('many entries that come at the same time are written some hundreds at a time', async () => {
  const { consent } = bare.site
  const sizes: number[] = []
  const context: ConsentContext = {
    ...consent,
    subjectOf: (subjects) => {
      sizes.push(subjects.length)
      return Promise.resolve(subjects.map(({ text }) => digestOf(text)))
    },
  }
  const purpose = 'dpv:ServiceProvision'
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, call) => {
      const people = Array.from({ length: 60 }, (_person, index) => 100 + call * 60 + index)
      return objectTo(context, { people, purpose, dataSet }, by)
    }),
  )
  assert.ok(answers.every(({ changed }) => changed === 60))
  assert.deepEqual(sizes, [240, 240, 60])
})
