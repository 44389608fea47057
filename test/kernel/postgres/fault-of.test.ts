import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Fault } from '../../../src/kernel/faults.ts'
import { faultOf } from '../../../src/kernel/postgres/fault-of.ts'
import { failedToStart } from '../../../src/kernel/postgres/postgres-programs.ts'

const withCode = (code: string) => Object.assign(new Error('said by the driver'), { code })

describe('faultOf()', () => {
  const cases: readonly [string, unknown][] = [
    ['fault.disk_full', withCode('ENOSPC')],
    ['fault.disk_full', withCode('53100')],
    ['fault.database_unreachable', withCode('ECONNREFUSED')],
    ['fault.database_unreachable', withCode('57P01')],
    ['fault.database_unreachable', withCode('08006')],
    ['fault.database_unreachable', new Error('Connection terminated unexpectedly')],
    ['fault.database_unreachable', new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')])],
    ['fault.internal', withCode('42601')],
    ['fault.internal', new Error('a bug')],
    ['fault.internal', 'not even an error'],
  ]
  for (const [code, error] of cases) {
    test(`gives ${code} for ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`, () => {
      const fault = faultOf(error, 'Cannot keep a grant')
      assert.equal(fault.code, code)
      assert.equal(fault.message, 'Cannot keep a grant')
      assert.equal(fault.cause, error)
    })
  }

  test('leaves a fault as it is', () => {
    const fault = new Fault('fault.not_found', { what: 'Cannot find it' })
    assert.equal(faultOf(fault, 'something else'), fault)
  })
})

test('failedToStart() says what to do where a library or the room is missing, else what was said last', () => {
  const library =
    'initdb: error while loading shared libraries: libicuuc.so.60: cannot open shared object file: No such file'
  assert.match(
    failedToStart(library, 'make its directory').message,
    /^Cannot make its directory .*install scripts allowed/,
  )
  assert.equal(failedToStart('x: No space left on device', 'start').code, 'fault.disk_full')
  assert.equal(failedToStart('a\nb\nc\nd\n', 'start').message, 'PostgreSQL did not start: b | c | d')
})
