import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { instant, later, systemClock } from '../../src/kernel/clock.ts'
import { openSealed } from '../../src/kernel/crypto/jwe.ts'
import { signJws, verifyJws } from '../../src/kernel/crypto/jws.ts'
import { generateKeyPair, keyIdOf, keyPairOf } from '../../src/kernel/crypto/keys.ts'
import { digestOfJson } from '../../src/kernel/digest.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { idSource } from '../../src/kernel/id.ts'
import { money } from '../../src/kernel/money.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { askSchema, sealedQuestionSchema } from '../../src/protocol/ask.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { buildAsk } from '../../src/sdk/build-ask.ts'
import type { AskRequest } from '../../src/sdk/build-ask.ts'
import { blocksOf, textOf } from '../docs/pages.ts'

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

test('the example of docs/reference/asks-on-the-wire.md is what we make and open', () => {
  const page = textOf('docs/reference/asks-on-the-wire.md')
  const example = (info: string) => blocksOf(page).find((block) => block.info === info)?.text ?? ''
  const value = (what: string) => new RegExp(`^\\| ${what}.* \\| \`(.*)\` \\|$`, 'm').exec(page)?.[1]
  const asked = JSON.parse(example('json ask')) as object
  const ask = askSchema.parse(asked)
  const question = JSON.parse(example('json question')) as object
  assert.deepEqual(sealedQuestionSchema.parse(question), question)
  assert.equal(digestOfJson(question), ask.question.digest)
  // RFC 8037, A.1 and A.6.
  const signer = keyPairOf({
    kty: 'OKP',
    crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  })
  const site = keyPairOf({
    kty: 'OKP',
    crv: 'X25519',
    x: '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08',
    d: 'XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os',
  })
  const [, , signature] = signJws(canonicalJson(asked), { typ: TYP.ask, key: signer }).split('.')
  const opened = openSealed(ask.question.sealed['galway'] ?? '', { key: site, typ: TYP.question })
  assert.deepEqual(
    [value('key id of the Ed25519'), value('signature by it'), value('key id of the X25519')],
    [signer.keyId, signature, site.keyId],
  )
  assert.deepEqual(JSON.parse(new TextDecoder().decode(opened)), question)
})
