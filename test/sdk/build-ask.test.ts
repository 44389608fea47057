import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant, later, systemClock } from '../../src/kernel/clock.ts'
import { openSealed } from '../../src/kernel/crypto/jwe.ts'
import { verifyJws } from '../../src/kernel/crypto/jws.ts'
import { generateKeyPair, keyIdOf } from '../../src/kernel/crypto/keys.ts'
import { digestOfJson } from '../../src/kernel/digest.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { idSource } from '../../src/kernel/id.ts'
import { money } from '../../src/kernel/money.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { askSchema, sealedQuestionSchema } from '../../src/protocol/ask.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { buildAsk } from '../../src/sdk/build-ask.ts'
import type { AskRequest } from '../../src/sdk/build-ask.ts'

const signing = generateKeyPair('Ed25519')
const galway = generateKeyPair('X25519')
const zurich = generateKeyPair('X25519')
const QUESTION = { sql: `select count(*) from athletes where sport = 'marker-4711'`, parameters: [] }

function request(changes: Partial<AskRequest> = {}): AskRequest {
  return {
    acquirer: 'northcare',
    purpose: 'dpv:AcademicResearch',
    legalBasis: 'eu-gdpr:A6-1-a',
    mode: 'aggregate',
    offer: 'athletes',
    releaseTo: { jurisdiction: 'IE' },
    question: QUESTION,
    maxPrice: money(1250, 'EUR'),
    expires: later(instant(Date.parse('2026-11-24T10:00:00Z')), 60_000),
    ...changes,
  }
}

function build(changes: Partial<AskRequest> = {}) {
  return buildAsk(request(changes), {
    sealingKeys: new Map([
      ['galway', galway.publicJwk],
      ['zurich', zurich.publicJwk],
    ]),
    key: signing,
    ids: idSource(systemClock, systemRandom),
    random: systemRandom,
  })
}

test('buildAsk() signs what the network may see, and nothing of the question is in it', async () => {
  const { ask, jws } = await build()
  const verified = verifyJws(jws, {
    typ: TYP.ask,
    keyFor: (keyId) => (keyId === keyIdOf(signing.publicJwk) ? signing.publicJwk : undefined),
  })
  assert.ok(verified.ok)
  assert.deepEqual(askSchema.parse(JSON.parse(verified.value.payload)), ask)
  assert.doesNotMatch(verified.value.payload, /marker-4711|select/)
  assert.deepEqual(ask.sites, ['any'])
})

test('buildAsk() seals the question to each site, which alone can open it and finds the digest that was signed', async () => {
  const { ask } = await build()
  for (const [site, key] of [
    ['galway', galway],
    ['zurich', zurich],
  ] as const) {
    const sealed = ask.question.sealed[site] ?? ''
    const opened = openSealed(sealed, { key, typ: TYP.question })
    const question = sealedQuestionSchema.parse(JSON.parse(new TextDecoder().decode(opened)))
    assert.deepEqual(question.question, QUESTION)
    assert.equal(digestOfJson(question), ask.question.digest)
    assert.equal(
      openSealed(sealed, { key: site === 'galway' ? zurich : galway, typ: TYP.question }),
      undefined,
    )
  }
})

test('buildAsk() gives the same question another digest each time, so that a guess cannot be checked', async () => {
  const [first, second] = [await build(), await build()]
  assert.notEqual(first.ask.question.digest, second.ask.question.digest)
  assert.notEqual(first.ask.question.digest, digestOfJson(QUESTION))
  assert.notEqual(first.ask.id, second.ask.id)
})

test('buildAsk() names every field that is wrong before anything is sent', async () => {
  await assert.rejects(
    build({ purpose: 'research', releaseTo: { jurisdiction: 'Ireland' } }),
    (thrown: unknown) => {
      assert.ok(thrown instanceof Fault)
      assert.deepEqual(
        thrown.errors.map(({ field }) => field),
        ['purpose', 'releaseTo.jurisdiction'],
      )
      return true
    },
  )
})
