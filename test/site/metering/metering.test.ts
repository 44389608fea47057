import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { instant } from '../../../src/kernel/clock.ts'
import { verifyJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { money } from '../../../src/kernel/money.ts'
import { clearingRecordSchema } from '../../../src/protocol/money/clearing-record.ts'
import { TYP } from '../../../src/protocol/proof/message-types.ts'
import { splitsSchema } from '../../../src/protocol/money/split.ts'
import { tariffSchema } from '../../../src/protocol/money/tariff.ts'
import { askIdSchema, dataSetIdSchema, memberIdSchema, siteIdSchema } from '../../../src/protocol/wire.ts'
import { makeClearingRecord } from '../../../src/site/metering/make-clearing-record.ts'
import { measureRun } from '../../../src/site/metering/measure.ts'
import { priceRun } from '../../../src/site/metering/price-run.ts'

const tariff = tariffSchema.parse({
  currency: 'EUR',
  perRunMinor: 100,
  per100PeopleMinor: 10,
  perCpuSecondMinor: 5,
  capMinor: 500,
})

test('measureRun() counts in steps and rounds seconds up', () => {
  assert.deepEqual(measureRun({ people: 1_999, rows: 0, cpuMs: 1 }), {
    peopleStep: 1_000,
    rowsStep: 0,
    cpuSeconds: 1,
  })
  assert.deepEqual(measureRun({ people: 2_000, rows: 120, cpuMs: 1_000.1 }), {
    peopleStep: 2_000,
    rowsStep: 100,
    cpuSeconds: 2,
  })
  assert.deepEqual(measureRun({ people: 0, rows: 0, cpuMs: 0 }), {
    peopleStep: 0,
    rowsStep: 0,
    cpuSeconds: 0,
  })
})

test('priceRun() never owes more than was held', () => {
  const units = { peopleStep: 1_000, rowsStep: 0, cpuSeconds: 1 }
  assert.deepEqual(priceRun(units, { tariff, highest: money(205, 'EUR') }), {
    ok: true,
    value: money(205, 'EUR'),
  })
  const dear = priceRun(units, { tariff, highest: money(204, 'EUR') })
  assert.equal(!dear.ok && dear.error.code, 'declined.limit')
  // What is said names the public cap, not the price, which would tell the step.
  assert.equal(!dear.ok && dear.error.detail, 'A run costs up to 5.00 EUR')
  const foreign = priceRun(units, { tariff, highest: money(10_000, 'CHF') })
  assert.equal(!foreign.ok && foreign.error.code, 'declined.limit')
})

test('makeClearingRecord() signs what the schema reads back', () => {
  const key = generateKeyPair('Ed25519')
  const splits = splitsSchema.parse({ issuer: 6_000, custodian: 2_000, network: 1_000, subjects: 1_000 })
  const facts = {
    ask: askIdSchema.parse('ask_01JD3Z8Q4N5V6W7X8Y9Z0A1B2C'),
    site: siteIdSchema.parse('galway'),
    acquirer: memberIdSchema.parse('northcare'),
    manifest: {
      dataSet: dataSetIdSchema.parse('athletes'),
      issuer: memberIdSchema.parse('federation'),
      splits,
    },
    units: { peopleStep: 1_000, rowsStep: 0, cpuSeconds: 1 },
    price: money(205, 'EUR'),
    releaseDigest: digestOf('sealed'),
    now: instant(1_795_000_000_000),
  }
  const verified = verifyJws(makeClearingRecord(facts, key), {
    typ: TYP.clearingRecord,
    keyFor: () => key.publicJwk,
  })
  assert.ok(verified.ok)
  const record = clearingRecordSchema.parse(JSON.parse(verified.value.payload))
  assert.deepEqual(record.price, facts.price)
  assert.equal(record.time, facts.now)
  assert.equal(record.issuerProcessor, undefined)
  assert.deepEqual(record.splits, splits)
})
