import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { instant } from '../../../src/kernel/clock.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { decideEligibility } from '../../../src/site/consent/eligibility.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import { revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { dataSetActs } from '../../../src/site/doors/data-set-acts.ts'
import { endGuardianship } from '../../../src/site/principals/end-guardianship.ts'
import { establishGuardianship } from '../../../src/site/principals/establish-guardianship.ts'
import { findPower } from '../../../src/site/principals/guardian-power.ts'
import { giveAgeEvidence, tellMove } from '../../../src/site/principals/tell-of-person.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { csvOf, testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'
import { Childhood, START, beginning, birthDateOf, dayText, daysLater, happening } from './a-childhood.ts'
import type { Beginning, Happening } from './a-childhood.ts'
import { DOCUMENT } from './a-family.ts'

const FEDERATION = memberIdSchema.parse('federation')
const dataSet = dataSetIdSchema.parse('children')
const clock = new ManualClock(START)
let bare: BareSite
let runs = 0
/** How often somebody under age was used, and somebody not, so that the property is not empty. */
const seen = { used: 0, unused: 0 }

before(async () => {
  bare = await bareSite(clock)
})
after(() => bare[Symbol.asyncDispose]())

/** One child at the site, and the law about it. */
class Child {
  readonly law: Childhood
  readonly key: string
  readonly number: number
  readonly #guardianships = new Map<number, string>()

  constructor(
    start: { birthDate: string; country: string },
    { key, number }: { key: string; number: number },
  ) {
    this.law = new Childhood(start)
    this.key = key
    this.number = number
  }

  async live(happened: Happening): Promise<void> {
    const { site } = bare
    const now = clock.now()
    switch (happened.what) {
      case 'pass':
        return clock.advance(happened.days * 86_400_000)
      case 'establish':
        return this.#establish(happened)
      case 'end': {
        const guardianship = this.#guardianships.get(happened.guardian)
        if (guardianship === undefined) return
        await endGuardianship(site, { guardianship, by: 'operator' })
        return this.law.end(happened.guardian)
      }
      case 'guardian gives':
        return this.#guardianGives(happened.guardian)
      case 'child gives':
        await giveGrants(site.consent, [this.#grant('self')], { by: 'person' })
        return this.law.saysItself()
      case 'withdraw':
        await revokeGrants(site.consent, [{ dataSet, person: this.key }], { by: 'person' })
        return this.law.withdraw()
      case 'move': {
        const { country, isConfirmed } = happened
        const fromDay = dayText(now, happened.inDays)
        const facts = { country, fromDay, isConfirmed, by: 'person' }
        await tellMove(site, { person: this.number, facts })
        return this.law.move(country, fromDay, isConfirmed)
      }
      case 'evidence':
        return this.#evidence(happened)
    }
  }

  async #establish(happened: Extract<Happening, { what: 'establish' }>): Promise<void> {
    const { guardian, authority, days } = happened
    const until = days === undefined ? undefined : daysLater(clock.now(), days)
    const facts = { guardian: `${this.key}-g${guardian}`, authority, until, document: DOCUMENT, by: 'issuer' }
    const child = { number: this.number, issuer: FEDERATION, key: this.key }
    const made = await establishGuardianship(bare.site, { child, facts }).catch(unlessRefused)
    if (!made) return
    this.#guardianships.set(guardian, made.guardianship)
    this.law.establish(guardian, { authority, until: until ?? Infinity })
  }

  /** As the door does it: whoever has no power now, the one from before included, gets nowhere. */
  async #guardianGives(guardian: number): Promise<void> {
    const identities = [{ issuer: FEDERATION, person: `${this.key}-g${guardian}` }]
    const child = { issuer: FEDERATION, person: this.key }
    const power = await findPower(bare.site, { identities, child })
    if (!power) return
    const change = { by: `guardian:${power.guardianship}`, guardianship: power.guardianship }
    const given = await giveGrants(bare.site.consent, [this.#grant('guardian')], change).catch(unlessRefused)
    if (given) this.law.says(guardian)
  }

  async #evidence(happened: Extract<Happening, { what: 'evidence' }>): Promise<void> {
    const { kind, atLeast, below, days } = happened
    const expires = daysLater(clock.now(), kind === 'document' ? days : Math.min(days, 300))
    const facts = { kind, atLeast, below, expires, document: DOCUMENT, by: 'issuer' }
    const given = await giveAgeEvidence(bare.site, { person: this.number, facts }).catch(unlessRefused)
    if (given === undefined) return
    const on = dayText(clock.now(), 0)
    this.law.claim({ isTrusted: kind === 'document', atLeast, below, on, expires })
  }

  #grant(givenBy: 'self' | 'guardian') {
    return grantRequestSchema.parse(testGrant(dataSet, this.key, { givenBy }))
  }

  async isUsed(): Promise<boolean> {
    const { site } = bare
    const manifest = site.manifests().get(dataSet)
    assert.ok(manifest)
    const now = instant(clock.now())
    const decided = decideEligibility(
      {
        mirror: site.mirror,
        cache: site.eligibilityCache,
        siteCountry: site.territory,
        principals: await site.principals(now),
        people: await site.vault.people(dataSet),
        restricted: site.restricted,
        isAssessed: () => true,
      },
      {
        acquirer: 'northcare',
        purpose: 'dpv:AcademicResearch',
        legalBasis: 'eu-gdpr:A6-1-a',
        mode: 'aggregate',
        subjectsPriceMinor: 5,
        minimumGroup: 1,
        now,
      },
      { manifest, columns: ['height'] },
    )
    return decided.ok && decided.value.eligible.has(this.number)
  }
}

function unlessRefused(error: unknown): undefined {
  if (error instanceof Fault && error.code !== 'fault.internal') return undefined
  throw error
}

async function childOf(beginning: Beginning): Promise<Child> {
  runs += 1
  const start = { birthDate: birthDateOf(beginning, clock.now()), country: beginning.country }
  const key = `c-${runs}`
  const [person] = testPeople(1, () => ({ id: key, ...start }))
  assert.ok(person)
  await bare.fill({ dataSet, people: [person], batch: key, hasGrants: false })
  return new Child(start, { key, number: await bare.numberOf(key) })
}

test('what a guardian granted ends where a file tells that they are a child, though none of its rows are taken', async (t) => {
  const born = { daysAgo: 12 * 366 } as const
  const child = await childOf({ born, country: 'IE' })
  await child.live({ what: 'establish', guardian: 0, authority: 'sole', days: undefined })
  await child.live({ what: 'guardian gives', guardian: 0 })
  assert.ok(await child.isUsed())
  const people = testPeople(1, () => ({
    id: `${child.key}-g0`,
    birthDate: dayText(clock.now(), -born.daysAgo),
  }))
  const append = t.mock.method(bare.site.vault, 'append', () => Promise.reject(new Error('the disk is full')))
  const file = new Blob([csvOf(people)]).stream()
  const { signal } = new AbortController()
  const bringing = dataSetActs(bare.site).importBatch({ dataSet, batch: 'torn', format: 'csv', file, signal })
  await assert.rejects(bringing, /the disk is full/)
  assert.equal(append.mock.callCount(), 1)
  assert.equal(await child.isUsed(), false)
})

const isLong = process.env['HEDGEROW_FAULTS'] === '1'
/** Four hundred lives take longer than a test is given otherwise. */
const patience = isLong ? { timeout: 900_000 } : {}

test(
  'nobody is ever used without the yes of everybody who must give it, whatever happens to them',
  patience,
  async () => {
    await fc.assert(
      fc.asyncProperty(
        beginning,
        fc.array(happening, { minLength: 5, maxLength: 25 }),
        async (start, life) => {
          const child = await childOf(start)
          for (const happened of life) {
            await child.live(happened)
            const isUsed = await child.isUsed()
            seen[isUsed ? 'used' : 'unused'] += 1
            assert.ok(!isUsed || child.law.mayBeUsed(clock.now()), `used after ${JSON.stringify(happened)}`)
          }
        },
      ),
      {
        numRuns: isLong ? 400 : 30,
        examples: [
          // A word of somebody of whom nothing is known made them sixteen once.
          [
            { born: 'unknown', country: '' },
            [
              { what: 'evidence', kind: 'declared', atLeast: 16, below: 17, days: 1 },
              { what: 'child gives' },
            ],
          ],
          // Two documents that cannot both be right: nobody knows, so a guardian decides.
          [
            { born: 'unknown', country: 'IE' },
            [
              { what: 'establish', guardian: 0, authority: 'sole', days: undefined },
              { what: 'evidence', kind: 'document', atLeast: undefined, below: 17, days: 500 },
              { what: 'evidence', kind: 'document', atLeast: 18, below: undefined, days: 500 },
              { what: 'guardian gives', guardian: 0 },
            ],
          ],
        ],
      },
    )
    assert.ok(seen.used > 10 && seen.unused > 10, JSON.stringify(seen))
  },
)
