import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openStream, sealStream } from '../../src/kernel/crypto/sealed-stream.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { Secret } from '../../src/kernel/secret.ts'

const MIB = 1024 * 1024
const key = new Secret(systemRandom.bytes(32))
const seal = { key, context: 'backup/one', random: systemRandom }

test('sealStream() gives what openStream() opens, whatever the length and however it comes in pieces', async () => {
  const nearBoundary = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: -120, max: 120 }))
  await fc.assert(
    fc.asyncProperty(
      nearBoundary,
      fc.integer({ min: 5_000, max: 3 * MIB }),
      async ([segments, off], piece) => {
        const plain = bytesOf(Math.max(0, segments * MIB + off))
        const sealed = await gather(sealStream(pieces(plain, piece), seal))
        assert.ok(!sealed.includes(plain.subarray(0, 64)) || plain.length < 8)
        assert.ok((await gather(openStream(pieces(sealed, piece), seal))).equals(plain))
      },
    ),
    { numRuns: 12 },
  )
})

test('openStream() refuses a text that was changed, cut off, put in another order or sealed as something else', async () => {
  const sealed = await gather(sealStream([bytesOf(2 * MIB + 1_000)], seal))
  const refused = async (changed: Uint8Array, other: Partial<typeof seal> = {}) =>
    assert.rejects(gather(openStream(pieces(changed, MIB), { ...seal, ...other })), {
      code: 'fault.backup_damaged',
    })
  for (const at of [0, 1, 33, 41, MIB - 1, MIB, 2 * MIB, sealed.length - 1]) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    await refused(changed)
  }
  for (const end of [0, 20, 40, 56, MIB, 2 * MIB, sealed.length - 1]) await refused(sealed.subarray(0, end))
  await refused(Buffer.concat([sealed, Buffer.of(0)]))
  const [first, second, third] = [
    sealed.subarray(0, MIB),
    sealed.subarray(MIB, 2 * MIB),
    sealed.subarray(2 * MIB),
  ]
  await refused(Buffer.concat([second, first, third]))
  await refused(Buffer.concat([first, third]))
  await refused(Buffer.concat([first, second, second, third]))
  await refused(sealed, { context: 'backup/two' })
  await refused(sealed, { key: new Secret(systemRandom.bytes(32)) })
})

test('sealStream() seals the same twice so that nobody can tell', async () => {
  const [one, two] = [
    await gather(sealStream([bytesOf(100)], seal)),
    await gather(sealStream([bytesOf(100)], seal)),
  ]
  assert.notDeepEqual(one.subarray(1, 33), two.subarray(1, 33))
  assert.notDeepEqual(one.subarray(40), two.subarray(40))
})

function bytesOf(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31) % 251))
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const held: Uint8Array[] = []
  for await (const chunk of source) held.push(chunk)
  return Buffer.concat(held)
}
