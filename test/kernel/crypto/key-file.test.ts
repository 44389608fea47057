import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { ensureKeyFile, readKeyFile } from '../../../src/kernel/crypto/key-file.ts'
import { Fault } from '../../../src/kernel/faults.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hedgerow-key-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const refusedWith = (code: string) => (error: unknown) => error instanceof Fault && error.code === code

describe('key files', () => {
  test('are made once, for their owner only, and read back as the same key', async () => {
    const path = join(directory, 'keys', 'signing.jwk')
    const made = await ensureKeyFile(path, 'Ed25519')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(join(directory, 'keys')).mode & 0o777, 0o700)
    assert.equal((await ensureKeyFile(path, 'Ed25519')).keyId, made.keyId)
    assert.deepEqual(readdirSync(join(directory, 'keys')), ['signing.jwk'])
  })

  test('of many that make one at once, all get the same key', async () => {
    const path = join(directory, 'keys', 'signing.jwk')
    const keys = await Promise.all(Array.from({ length: 8 }, () => ensureKeyFile(path, 'Ed25519')))
    assert.equal(new Set(keys.map(({ keyId }) => keyId)).size, 1)
    assert.deepEqual(readdirSync(join(directory, 'keys')), ['signing.jwk'])
  })

  for (const mode of [0o640, 0o604, 0o644, 0o660, 0o610]) {
    test(`are refused with mode ${mode.toString(8)}`, async () => {
      const path = join(directory, 'signing.jwk')
      await ensureKeyFile(path, 'Ed25519')
      chmodSync(path, mode)
      await assert.rejects(readKeyFile(path), refusedWith('fault.key_exposed'))
      chmodSync(path, 0o600)
      await readKeyFile(path)
    })
  }

  test('that are not there are said to be missing', async () => {
    await assert.rejects(readKeyFile(join(directory, 'none.jwk')), refusedWith('fault.key_missing'))
  })

  test('that hold no private key are said to be malformed, without showing what they hold', async () => {
    const path = join(directory, 'signing.jwk')
    const { d, ...publicPart } = JSON.parse(
      readFileSync((await ensureKeyFile(path, 'Ed25519')) && path, 'utf8'),
    ) as Record<string, string>
    for (const text of [
      '',
      '{',
      'null',
      '{}',
      JSON.stringify(publicPart),
      JSON.stringify({ ...publicPart, d: 'AAAA' }),
    ]) {
      writeFileSync(path, text)
      await assert.rejects(
        readKeyFile(path),
        (error: unknown) => refusedWith('fault.key_malformed')(error) && !String(error).includes(d ?? 'd'),
      )
    }
  })

  test('whose public part is of another key are refused', async () => {
    const [one, two] = [join(directory, 'one.jwk'), join(directory, 'two.jwk')]
    await ensureKeyFile(one, 'Ed25519')
    await ensureKeyFile(two, 'Ed25519')
    const [first, second] = [one, two].map(
      (path) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>,
    )
    writeFileSync(one, JSON.stringify({ ...first, x: second?.['x'] }))
    await assert.rejects(readKeyFile(one), refusedWith('fault.key_malformed'))
  })
})
