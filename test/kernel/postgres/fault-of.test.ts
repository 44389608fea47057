import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Fault } from '../../../src/kernel/faults.ts'
import { faultOf } from '../../../src/kernel/postgres/fault-of.ts'
import { checkedUrl, refusalOf } from '../../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../../src/kernel/secret.ts'
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
    ['fault.database_unreachable', new Error('Query read timeout')],
    ['fault.database_unreachable', new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')])],
    ['fault.database_unreachable', withCode('DEPTH_ZERO_SELF_SIGNED_CERT')],
    ['fault.database_unreachable', withCode('CERT_NOT_YET_VALID')],
    ['fault.database_unreachable', withCode('CERT_REVOKED')],
    ['fault.database_unfit', withCode('42501')],
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
  const owned = failedToStart('FATAL:  data directory "/d" has wrong ownership', 'start on "/d"')
  assert.deepEqual(
    [owned.code, /another user of the machine.*chown/.test(owned.message)],
    ['fault.database_unfit', true],
  )
  assert.equal(failedToStart('a\nb\nc\nd\n', 'start').message, 'PostgreSQL did not start: b | c | d')
})

test('an address that asks for TLS without saying who may answer asks who it is', () => {
  const checked = (query: string) => checkedUrl(new Secret(`postgres://u:p@db/x?${query}`)).reveal()
  for (const mode of ['prefer', 'require', 'verify-ca', 'verify-full'])
    assert.equal(checked(`a=1&sslmode=${mode}&b=2`), 'postgres://u:p@db/x?a=1&sslmode=verify-full&b=2')
  for (const other of ['sslmode=disable', 'sslmode=no-verify', 'sslmode=requires', 'a=sslmode=require'])
    assert.equal(checked(other), `postgres://u:p@db/x?${other}`)
})

test('refusalOf() says what is wrong with an address, a user or a certificate', () => {
  const cases: readonly [string, RegExp][] = [
    ['28000', /may not enter PostgreSQL at db:5432 .*pg_hba\.conf.*sslmode=verify-full/],
    ['28P01', /^The password is not right/],
    ['3D000', /^There is no such database/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /not signed by anybody who is trusted here: add "&sslrootcert=FILE"/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /sslrootcert/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another host/],
    ['CERT_HAS_EXPIRED', /has expired/],
    ['CERT_NOT_YET_VALID', /not valid yet: compare the clocks/],
    ['CERT_REVOKED', /was revoked$/],
    ['ECONNREFUSED', /^Cannot reach PostgreSQL at db:5432$/],
  ]
  for (const [code, said] of cases) assert.match(refusalOf(withCode(code), 'db:5432'), said, code)
  assert.match(
    refusalOf(new Error('The server does not support SSL connections'), 'db:5432'),
    /^There is no TLS/,
  )
})
