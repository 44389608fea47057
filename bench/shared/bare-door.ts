import { verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import pg from 'pg'
import { publicKeyObject } from '../../src/kernel/crypto/keys.ts'
import type { PublicJwk } from '../../src/kernel/crypto/keys.ts'

// The least that a door for signed asks can be, in a process of its own: Node's HTTP with nothing around it, one signature with a
// key that is at hand, and one row of the same size, committed. It decides nothing. Arguments: the address of a database, the key
// as JWK. Prints its address.
const [databaseUrl, jwk = ''] = process.argv.slice(2)
const given = publicKeyObject(JSON.parse(jwk) as PublicJwk)
if (!given) throw new TypeError('The key to verify with is none')
const key = given
const client = new pg.Client({ connectionString: databaseUrl })
await client.connect()
await client.query(
  'create table if not exists bare_ask (id bigint generated always as identity primary key, jws text storage external) with (toast_tuple_target = 8160)',
)

const server = createServer((request, response) => {
  void take(request).then((answer) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
    })
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
process.stdout.write(
  `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}\n`,
)
await once(process, 'SIGTERM')
server.closeAllConnections()
server.close()
await client.end()

/** As the network does it, the signature is verified while the database works. */
async function take(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { ask } = JSON.parse(Buffer.concat(parts).toString()) as { ask: string }
  const keeping = client.query({
    name: 'keep',
    text: 'insert into bare_ask (jws) values ($1)',
    values: [ask],
  })
  const end = ask.lastIndexOf('.')
  const signature = Buffer.from(ask.slice(end + 1), 'base64url')
  const isGood = verify(null, Buffer.from(ask.slice(0, end), 'latin1'), key, signature)
  await keeping
  return JSON.stringify({ status: isGood ? 'waiting' : 'declined' })
}
