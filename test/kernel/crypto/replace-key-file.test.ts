import assert from 'node:assert/strict'
import { link, mkdtemp, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { ensureKeyFile, readKeyFile } from '../../../src/kernel/crypto/key-file.ts'
import { replaceKeyFile, wipeReplaced } from '../../../src/kernel/crypto/replace-key-file.ts'

async function twoKeys(context: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-replace-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const [file, next] = [join(directory, 'signing.jwk'), join(directory, 'next-signing.jwk')]
  const old = await ensureKeyFile(file, 'Ed25519')
  const fresh = await ensureKeyFile(next, 'Ed25519')
  return { directory, file, next, old, fresh }
}

test('replaceKeyFile() leaves the new key, and of the old one nothing: its bytes are overwritten', async (context) => {
  const { directory, file, next, fresh } = await twoKeys(context)
  const held = await open(file, 'r')
  context.after(() => held.close())
  await replaceKeyFile(file, next)
  assert.equal((await readKeyFile(file)).keyId, fresh.keyId)
  assert.deepEqual(await readdir(directory), ['signing.jwk'])
  // The file that was there is still open: what is in it now is what is on the disk.
  const { size } = await held.stat()
  const bytes = Buffer.alloc(size)
  await held.read(bytes, 0, size, 0)
  assert.ok(size > 0 && bytes.every((byte) => byte === 0))
})

test('wipeReplaced() leaves a key alone that is in use, wherever the replacement was cut off', async (context) => {
  const { directory, file, next, old, fresh } = await twoKeys(context)
  // After the link and before the rename: both names are the old key.
  await link(file, `${file}.old`)
  await wipeReplaced(file)
  assert.equal((await readKeyFile(file)).keyId, old.keyId)
  assert.deepEqual((await readdir(directory)).toSorted(), ['next-signing.jwk', 'signing.jwk'])
  // After the rename and before the wipe.
  await link(file, `${file}.old`)
  const held = await open(file, 'r')
  context.after(() => held.close())
  await rename(next, file)
  await wipeReplaced(file)
  assert.equal((await readKeyFile(file)).keyId, fresh.keyId)
  assert.deepEqual(await readdir(directory), ['signing.jwk'])
  assert.doesNotMatch(await readFile(held, 'utf8'), /[^\0]/)
})
