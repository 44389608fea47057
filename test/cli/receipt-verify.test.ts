import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import { logOrigin, signCheckpoint } from '../../src/protocol/proof/checkpoint.ts'
import { leafHash, rootOf } from '../../src/protocol/proof/merkle.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

/** A receipt that is the only leaf of its log, by a site made for the test. */
function loneReceipt() {
  const key = generateKeyPair('Ed25519')
  const receipt = signJws(
    canonicalJson({
      kind: 'decline',
      site: 'galway',
      sequence: 0,
      time: '2026-11-24T10:00:00.000Z',
      reason: 'declined.purpose',
      acquirer: 'northcare',
    }),
    { typ: TYP.receipt, key },
  )
  const origin = logOrigin('galway')
  const root = rootOf([leafHash(new TextEncoder().encode(receipt))])
  const bundle = {
    receipt,
    log: { origin, index: 0, inclusionProof: [], checkpoint: signCheckpoint({ origin, size: 1, root }, key) },
  }
  const keys = { signing: key.publicJwk, sealing: generateKeyPair('X25519').publicJwk }
  return { bundle, pinned: { sites: { galway: { first: keys, present: keys, rotations: [] } } } }
}

test('receipt verify needs nothing but the file and the keys, and tells a changed receipt', async (context) => {
  const home = await temporaryHome(context)
  const { bundle, pinned } = loneReceipt()
  const [file, changed, keys, otherKeys] = ['r.json', 'changed.json', 'keys.json', 'other-keys.json'].map(
    (name) => join(home, name),
  )
  assert.ok(file && changed && keys && otherKeys)
  await writeFile(file, JSON.stringify(bundle))
  const [head = '', payload = '', signature = ''] = bundle.receipt.split('.')
  const lie = Buffer.from(
    Buffer.from(payload, 'base64url').toString().replace('declined.purpose', 'approved'),
  ).toString('base64url')
  await writeFile(changed, JSON.stringify([{ ...bundle, receipt: `${head}.${lie}.${signature}` }]))
  await writeFile(keys, JSON.stringify(pinned))
  await writeFile(otherKeys, JSON.stringify(loneReceipt().pinned))

  const good = await typedHere(home, ['receipt', 'verify', file, '--keys', keys])
  assert.equal(good.code, 0, good.error)
  assert.match(
    good.out,
    /r\.json:\n {2}verifies {2}decline 0 of galway · 2026-11-24 10:00:00 UTC · declined\.purpose · northcare/,
  )
  const json = await typedHere(home, ['receipt', 'verify', file, '--keys', keys, '--json'])
  assert.equal((JSON.parse(json.out) as { isVerified: boolean }[])[0]?.isVerified, true)

  const bad = await typedHere(home, ['receipt', 'verify', file, changed, '--keys', keys])
  assert.equal(bad.code, 1)
  assert.match(bad.out, /changed\.json:\n {2}The signature of the receipt does not verify/)
  const stranger = await typedHere(home, ['receipt', 'verify', file, '--keys', otherKeys])
  assert.equal(stranger.code, 1)
  assert.match(stranger.out, /signed with a key that is not one of its signer/)
})

test('receipt verify says what is wrong with a file that holds no receipts', async (context) => {
  const home = await temporaryHome(context)
  await mkdir(home, { recursive: true })
  const keys = join(home, 'keys.json')
  await writeFile(keys, '{"sites":{}}')
  await writeFile(join(home, 'x.json'), '{"a":1}')
  const run = await typedHere(home, ['receipt', 'verify', join(home, 'x.json'), '--keys', keys])
  assert.equal(run.code, 2)
  assert.match(run.error, /expected receipts with their proofs/)
})
