import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryHome } from '../../cli/run-cli.ts'
import { typedHere } from '../../cli/typed-here.ts'
import { aFamily } from './a-family.ts'
import type { Family } from './a-family.ts'
import { testWallet } from './a-wallet.ts'
import type { PresentationFacts, TestWallet } from './a-wallet.ts'

let family: Family
let wallet: TestWallet
before(async () => {
  wallet = await testWallet()
  family = await aFamily((_, index) => (index < 10 ? { birthDate: '' } : {}), {
    age: { attesters: [wallet.attester] },
  })
})
after(() => family[Symbol.asyncDispose]())

test('a wallet proves an age without a birth date, until its credential ends', async () => {
  const young = (await family.as('p-0')).principal('me')
  assert.equal((await young.view())[0]?.decides, 'guardian')
  const challenge = await young.challenge()
  const [view] = await young.prove(
    await wallet.present({ ...challenge, ages: { 14: true, 16: true, 18: false } }),
  )
  assert.deepEqual([view?.decides, view?.band], ['self', '16_to_17'])
  const [evidence] = view?.evidence ?? []
  assert.deepEqual(
    [evidence?.kind, evidence?.assurance, evidence?.atLeast, evidence?.below],
    ['wallet', 'high', 16, 18],
  )
  family.clock.move(31)
  assert.equal((await young.view())[0]?.decides, 'guardian')
  family.clock.move(-31)
})

test('a proof by another attester, key, challenge, site or time is none, and nothing is kept of it', async () => {
  const young = (await family.as('p-1')).principal('me')
  const { audience, nonce } = await young.challenge()
  const { nonce: ofAnother } = await (await family.as('p-0')).principal('me').challenge()
  const wrong: Readonly<Record<string, Partial<PresentationFacts>>> = {
    'another attester': { iss: 'https://elsewhere.example' },
    'a forged signature': { signer: wallet.otherKey },
    'a credential that is over': { expires: '-1h' },
    'another holder': { holder: wallet.otherKey },
    'the challenge of another person': { nonce: ofAnother },
    'another site': { audience: 'dresden' },
    'a binding from before': { ageSeconds: 3_600 },
    'a token of another kind': { typ: 'jwt' },
    'ages that were written over': { ages: { 16: false }, forgedAges: { 16: true } },
    'a birth date': { birthDate: '2001-02-28' },
    'no age': { ages: {} },
  }
  for (const [what, facts] of Object.entries(wrong)) {
    const presentation = await wallet.present({ audience, nonce, ...facts })
    await assert.rejects(young.prove(presentation), { status: 400 }, what)
  }
  for (const nonsense of ['x', 'a~b~c', '~~', `${await wallet.present({ audience, nonce })}~`])
    await assert.rejects(young.prove(nonsense), { status: 400 })
  assert.deepEqual((await young.view())[0]?.evidence, [])
})

test('a proof counts once, also with another signature or under another key, and brings back nothing that was ended', async () => {
  const young = (await family.as('p-4')).principal('me')
  const { audience, nonce } = await young.challenge()
  const presentation = await wallet.present({ audience, nonce })
  const evidence = (await young.prove(presentation))[0]?.evidence[0]?.evidence ?? ''
  await family.issuer.principal('p-4').endEvidence(evidence)
  assert.equal((await young.view())[0]?.decides, 'guardian')
  for (const told of [presentation, withTheOtherSignature(presentation)])
    await assert.rejects(young.prove(told), { status: 400, message: /replayed/ })
  assert.equal((await young.view())[0]?.decides, 'guardian')
  const [view] = await young.prove(await wallet.present({ audience, nonce }))
  assert.equal(view?.decides, 'self')
})

/** Of ECDSA on P-256 (r, s) and (r, n - s) are good for the same text. */
function withTheOtherSignature(presentation: string): string {
  const at = presentation.lastIndexOf('.') + 1
  const signature = Buffer.from(presentation.slice(at), 'base64url')
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const s = n - BigInt(`0x${signature.subarray(32).toString('hex')}`)
  const other = Buffer.from(s.toString(16).padStart(64, '0'), 'hex')
  return presentation.slice(0, at) + Buffer.concat([signature.subarray(0, 32), other]).toString('base64url')
}

test('a guardian’s wallet, the issuer and the operator prove nothing of a child', async () => {
  await family.establish('p-2', 'parent-2')
  await assert.rejects((await family.as('parent-2')).principal('p-2').challenge(), { status: 404 })
  for (const seat of [family.issuer, family.operator])
    await assert.rejects(seat.principal('p-2').prove('a~b~c'), { status: 403 })
})

test('the command line shows the challenge and takes the proof', async (context) => {
  const home = await temporaryHome(context)
  const door = ['--site', family.site.name, '--url', family.site.url]
  const environment = { HEDGEROW_PERSON_TOKEN: await family.provider.token({ sub: 'p-3' }) }
  const challenge = await typedHere(home, ['person', 'prove-age', ...door, '--json'], { environment })
  const { audience, nonce } = JSON.parse(challenge.out) as { audience: string; nonce: string }
  const file = join(home, 'presentation.txt')
  await writeFile(file, await wallet.present({ audience, nonce }))
  const proven = await typedHere(home, ['person', 'prove-age', ...door, '--proof', file], { environment })
  assert.equal(proven.code, 0, proven.error)
  assert.match(proven.out, /decides: the person alone/)
})
