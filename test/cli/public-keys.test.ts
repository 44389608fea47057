import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { WrongUse } from '../../src/cli/failures.ts'
import { readPublicKeys } from '../../src/cli/public-keys.ts'

const KEYS = {
  signing: { kty: 'OKP', crv: 'Ed25519', x: 'AEHk7msCwgOiZ84y2BO8CROwJUysShxwaGKufFu7V24' },
  sealing: { kty: 'OKP', crv: 'X25519', x: 'Pp4u37ViExbn2y0WVUCsyRCLc3HFzMEKbPG2Q2UxM3k' },
}

test('readPublicKeys() takes what "member keys" and what "site init --json" print', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-keys-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'keys.json')
  for (const printed of [KEYS, { site: 'brook', isNew: true, keys: KEYS, hasEvidence: true }]) {
    await writeFile(file, JSON.stringify(printed))
    assert.deepEqual(await readPublicKeys(file), KEYS)
  }
})

test('readPublicKeys() refuses private keys, swapped keys and what is no JSON', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-keys-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'keys.json')
  const wrong = [
    { ...KEYS, signing: { ...KEYS.signing, d: KEYS.sealing.x } },
    { signing: KEYS.sealing, sealing: KEYS.signing },
    { signing: KEYS.signing },
  ]
  for (const text of [...wrong.map((keys) => JSON.stringify(keys)), 'keys', '']) {
    await writeFile(file, text)
    await assert.rejects(readPublicKeys(file), WrongUse)
  }
})
