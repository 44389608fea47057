import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { BookingLine } from '../../src/network/authorisation/booking-line.ts'
import { testDatabaseUrl } from '../../src/testing/test-postgres.ts'

test('a line that is closed while it connects keeps the database from nobody', async () => {
  await using postgres = await connect(await testDatabaseUrl('network'), {
    name: 'look',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  const line = new BookingLine(postgres)
  const opening = assert.rejects(line.open())
  await line[Symbol.asyncDispose]()
  await opening
  const { rows } = await sql`
    select from pg_stat_activity where datname = current_database() and application_name = 'hedgerow-booking'`.execute(
    postgres.db,
  )
  assert.deepEqual(rows, [])
  await using next = new BookingLine(postgres)
  await next.open()
})
