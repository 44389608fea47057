import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { askIdSchema, dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { reserveAnswer } from '../../../src/site/asks/reserve-answer.ts'
import type { Reservation } from '../../../src/site/asks/reserve-answer.ts'
import { endAgeEvidence, giveAgeEvidence, tellMove } from '../../../src/site/principals/tell-of-person.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'

const dataSet = dataSetIdSchema.parse('athletes')

test('a run that began before evidence of age came, or a move, is not let out over that person', async () => {
  await using bare = await bareSite()
  await bare.fill({ dataSet, people: testPeople(30) })
  const { site } = bare
  const [person, other] = [await bare.numberOf('p-7'), await bare.numberOf('p-8')]
  let asks = 0
  /** What a run came to that saw consent as it stood at `sequence`, over these people. */
  const reserved = async (sequence: number, people: readonly number[]) => {
    asks += 1
    const outcome = await reserveAnswer(
      { db: site.db, log: site.log, mirror: site.mirror, untilTimeClass: () => Promise.resolve() },
      reservation(asks, { sequence, people: Bitset.of(people), now: site.clock.now() }),
    )
    return outcome === 'changed' ? 'again' : 'let out'
  }
  const changes: Record<string, () => Promise<unknown>> = {
    'evidence that says younger': () =>
      giveAgeEvidence(site, { person, facts: { kind: 'declared', below: 13, by: 'issuer:federation' } }),
    'the end of evidence': async () => {
      const facts = { kind: 'declared', atLeast: 18, by: 'issuer:federation' } as const
      const evidence = await giveAgeEvidence(site, { person, facts })
      const before = site.mirror.sequence
      await endAgeEvidence(site, { person, evidence, by: 'issuer:federation' })
      return before
    },
    'a move': () =>
      tellMove(site, { person, facts: { country: 'DE', isConfirmed: true, by: 'issuer:federation' } }),
  }
  for (const [what, change] of Object.entries(changes)) {
    const start = site.mirror.sequence
    const began = (await change()) ?? start
    const sequence = typeof began === 'number' ? began : start
    assert.equal(await reserved(sequence, [person, other]), 'again', `${what}: of the person`)
    assert.equal(await reserved(sequence, [other]), 'let out', `${what}: of others`)
    assert.equal(await reserved(site.mirror.sequence, [person, other]), 'let out', `${what}: a run after it`)
  }
})

function reservation(
  number: number,
  { sequence, people, now }: { sequence: number; people: Bitset; now: Reservation['answer']['decidedAt'] },
): Reservation {
  const askId = askIdSchema.parse(`ask_${String(number).padStart(26, '0')}`)
  const ask = digestOf(askId)
  return {
    answer: {
      askId,
      askDigest: ask,
      acquirer: 'northcare',
      decision: { decision: 'approved' },
      decisionJws: 'a.b.c',
      releaseJwe: 'sealed',
      decidedAt: now,
    },
    receipts: [
      { kind: 'ask', ask, askId },
      { kind: 'release', ask, askId },
    ],
    uses: [
      {
        askId,
        dataSet,
        acquirer: 'northcare',
        purpose: 'dpv:AcademicResearch',
        mode: 'aggregate',
        columns: ['height'],
        reason: 'approved',
        releaseTo: 'IE',
        time: now,
        priceMinor: 0n,
        subjectsMinor: 0n,
        currency: 'EUR',
        people,
      },
    ],
    consentSequence: sequence,
  }
}
