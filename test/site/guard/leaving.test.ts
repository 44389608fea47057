import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { openSealed } from '../../../src/kernel/crypto/jwe.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { TYP } from '../../../src/protocol/proof/message-types.ts'
import { releaseSchema } from '../../../src/protocol/release.ts'
import { dataSetIdSchema, memberIdSchema, siteIdSchema } from '../../../src/protocol/wire.ts'
import { checkRows } from '../../../src/site/guard/check-rows.ts'
import { coverageOf } from '../../../src/site/guard/coverage.ts'
import { pseudonymOf } from '../../../src/site/guard/pseudonym.ts'
import { sealRelease, sizeClassOf } from '../../../src/site/guard/seal-release.ts'

const scope = {
  key: new Secret(new Uint8Array(32).fill(7)),
  acquirer: memberIdSchema.parse('northcare'),
  purpose: 'dpv:AcademicResearch',
  dataSet: dataSetIdSchema.parse('athletes'),
}
const release = {
  ask: 'ask_01JD3Z8Q4N5V6W7X8Y9Z0A1B2C',
  site: siteIdSchema.parse('galway'),
  dataSet: 'athletes',
  mode: 'aggregate',
  columns: [
    { name: 'sport', type: 'text' },
    { name: 'height', type: 'number', unit: 'm' },
  ],
  rows: [['rowing', 1.87]],
}

test('pseudonymOf() is stable, and another for each acquirer, purpose, data set, person and key', () => {
  const name = pseudonymOf(41, scope)
  assert.match(name, /^[a-z2-7]{26}$/)
  assert.equal(pseudonymOf(41, scope), name)
  const others = [
    pseudonymOf(42, scope),
    pseudonymOf(41, { ...scope, acquirer: memberIdSchema.parse('southcare') }),
    pseudonymOf(41, { ...scope, purpose: 'dpv:Marketing' }),
    pseudonymOf(41, { ...scope, dataSet: dataSetIdSchema.parse('wages') }),
    pseudonymOf(41, { ...scope, key: new Secret(new Uint8Array(32).fill(8)) }),
  ]
  assert.equal(new Set([name, ...others]).size, 6)
  assert.equal(new Set(Array.from({ length: 5_000 }, (_, person) => pseudonymOf(person, scope))).size, 5_000)
})

test('sealRelease() is opened by its acquirer only, and its length tells the size class only', async () => {
  const acquirer = generateKeyPair('X25519')
  const sealed = sealRelease(release, acquirer.publicJwk)
  const longer = sealRelease(
    { ...release, rows: [...release.rows, ['cycling', 1.78], ['judo', 1.71]] },
    acquirer.publicJwk,
  )
  assert.ok(sealed.ok && longer.ok)
  assert.equal(sealed.value.jwe.length, longer.value.jwe.length)
  assert.equal(sealed.value.digest, digestOf(sealed.value.jwe))
  const opened = openSealed(sealed.value.jwe, { key: acquirer, typ: TYP.release })
  assert.deepEqual(releaseSchema.parse(JSON.parse(Buffer.from(opened ?? []).toString())), release)
  assert.equal(openSealed(sealed.value.jwe, { key: generateKeyPair('X25519'), typ: TYP.release }), undefined)
})

test('sealRelease() declines what is too large', async () => {
  const { publicJwk } = generateKeyPair('X25519')
  const rows = Array.from({ length: LIMITS.releaseRowsMax + 1 }, () => ['a', 1])
  const tooLong = sealRelease({ ...release, rows }, publicJwk)
  assert.equal(!tooLong.ok && tooLong.error.code, 'declined.too_large')
  const tooLarge = sealRelease({ ...release, attribution: 'x'.repeat(LIMITS.releaseBytesMax) }, publicJwk)
  assert.equal(!tooLarge.ok && tooLarge.error.code, 'declined.too_large')
})

test('the largest release, sealed, fits into one request beside its receipts', async () => {
  const { publicJwk } = generateKeyPair('X25519')
  const size = JSON.stringify({ ...release, attribution: '' }).length
  const attribution = 'x'.repeat(LIMITS.releaseBytesMax - size)
  const largest = sealRelease({ ...release, attribution }, publicJwk)
  assert.ok(largest.ok)
  assert.ok(largest.value.jwe.length + 256 * 1024 < LIMITS.requestBytesMax)
})

test('sizeClassOf() is at least the size and at most a quarter and a KiB more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2_048, max: LIMITS.releaseBytesMax }), (size) => {
      const sizeClass = sizeClassOf(size)
      assert.ok(sizeClass >= size && sizeClass <= size * 1.25 + 1_024)
      assert.equal(sizeClassOf(sizeClass), sizeClass)
    }),
  )
  assert.equal(sizeClassOf(1), 2_048)
})

test('checkRows() lets through what was declared, by type', () => {
  const good: [string, (string | number | boolean)[]][] = [
    ['boolean', [true, false]],
    ['integer', [0, -7, '9223372036854775807']],
    ['number', [1.5, -0.1, 1e300]],
    ['decimal', [1.5, '12.50', '-3']],
    ['text', ['', 'rowing']],
    ['date', ['2016-08-05']],
    ['timestamp', ['2016-08-05T10:00:00Z', '2016-08-05 10:00:00.123']],
  ]
  for (const [type, values] of good) {
    for (const value of [...values, null])
      assert.ok(checkRows([[value]], [{ name: 'x', type }]).ok, `${type}`)
  }
})

test('checkRows() stops values, widths and types that were not declared', () => {
  const bad: [string, (string | number | boolean)[]][] = [
    ['boolean', [1, 'true']],
    ['integer', [1.5, 2 ** 60, Number.NaN, '1.5', true]],
    ['number', [Number.NaN, Number.POSITIVE_INFINITY, '1.5', true]],
    ['decimal', ['1e5', 'NaN', Number.NaN]],
    ['text', [1, true]],
    ['date', ['5 August 2016', 20_160_805]],
    ['timestamp', ['2016-08-05', 1_470_000_000]],
    ['struct', ['{}']],
  ]
  for (const [type, values] of bad) {
    for (const value of values) {
      const checked = checkRows([[value]], [{ name: 'x', type }])
      assert.equal(!checked.ok && checked.error.code, 'declined.function_output', `${type}: ${value}`)
    }
  }
  assert.equal(checkRows([[1, 2]], [{ name: 'x', type: 'integer' }]).ok, false)
  assert.equal(checkRows([[]], [{ name: 'x', type: 'integer' }]).ok, false)
})

test('coverageOf() says nothing below the minimum group and only steps above', () => {
  assert.deepEqual(coverageOf({ people: 19, dataSetPeople: 1_000, minimumGroup: 20 }), {
    peopleStep: 0,
    coveragePct: 0,
  })
  assert.deepEqual(coverageOf({ people: 20, dataSetPeople: 1_000, minimumGroup: 20 }), {
    peopleStep: 20,
    coveragePct: 0,
  })
  assert.deepEqual(coverageOf({ people: 749, dataSetPeople: 1_000, minimumGroup: 20 }), {
    peopleStep: 500,
    coveragePct: 70,
  })
  assert.deepEqual(coverageOf({ people: 1_000, dataSetPeople: 1_000, minimumGroup: 20 }), {
    peopleStep: 1_000,
    coveragePct: 100,
  })
  assert.deepEqual(coverageOf({ people: 70, dataSetPeople: 1_000, minimumGroup: 60 }), {
    peopleStep: 60,
    coveragePct: 5,
  })
})

test('coverageOf() takes the whole in minimum groups, or twentieths of its step, so that shares never tell it exactly', () => {
  const share = (people: number, dataSetPeople: number) =>
    coverageOf({ people, dataSetPeople, minimumGroup: 20 }).coveragePct
  for (let whole = 201; whole <= 220; whole += 1)
    for (let people = 20; people <= 201; people += 1)
      assert.equal(share(people, whole), share(people, 220), `${people} of ${whole}`)
  assert.deepEqual([share(200, 200), share(200, 201)], [100, 90])
  // Of a step of 10,000 it is 500, and above it no more than it really is.
  assert.deepEqual([share(10_400, 10_501), share(10_400, 11_000), share(10_400, 11_001)], [90, 90, 90])
  assert.deepEqual([share(9_975, 10_001), share(9_976, 10_500)], [95, 95])
})
