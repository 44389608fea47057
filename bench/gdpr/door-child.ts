import { once } from 'node:events'
import { Hono } from 'hono'
import { listen } from '../../src/kernel/http/listen.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { openOnPostgres } from './on-postgres.ts'
import type { Operation } from './operations.ts'

// PostgreSQL, retrofitted, behind a web door in a process of its own; its parent is the benchmark. Prints its address and its token.
// Arguments: the address of a database, how many records, how many callers at once, and `signed` for a log whose lines are signed.
const TOKEN_BYTES = 32
const [url = '', records, callers, log] = process.argv.slice(2)
await using system = await openOnPostgres(url, {
  records: Number(records),
  callers: Number(callers),
  retrofit: log === 'signed' ? 'signed' : 'retrofitted',
})
const token = Buffer.from(systemRandom.bytes(TOKEN_BYTES)).toString('hex')
const app = new Hono()
app.post('/v1/operations/:caller', async (context) => {
  if (context.req.header('authorization') !== `Bearer ${token}`) return context.json({}, 401)
  const operation = await context.req.json<Operation>()
  return context.json({ answer: await system.perform(operation, Number(context.req.param('caller'))) })
})
await using door = await listen(app, { host: '127.0.0.1', port: 0 })
process.stdout.write(`${door.url} ${token}\n`)
await once(process, 'SIGTERM')
