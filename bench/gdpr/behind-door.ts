import { Hono } from 'hono'
import { z } from 'zod'
import { systemClock } from '../../src/kernel/clock.ts'
import { callJson } from '../../src/kernel/http/call-json.ts'
import { listen } from '../../src/kernel/http/listen.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import type { GdprSystem, Operation } from './operations.ts'

const TOKEN_BYTES = 32

/**
 * The same system behind a web door with a token, in the same process and called by the same client as a site is: what is left
 * between this and a site is what the site does, and not that it is reached by HTTP.
 */
export async function behindDoor(system: GdprSystem): Promise<GdprSystem & AsyncDisposable> {
  const token = Buffer.from(systemRandom.bytes(TOKEN_BYTES)).toString('hex')
  const app = new Hono()
  app.post('/v1/operations/:caller', async (context) => {
    if (context.req.header('authorization') !== `Bearer ${token}`) return context.json({}, 401)
    const operation = await context.req.json<Operation>()
    return context.json({ answer: await system.perform(operation, Number(context.req.param('caller'))) })
  })
  const door = await listen(app, { host: '127.0.0.1', port: 0 })
  const response = z.strictObject({ answer: z.string() })
  return {
    name: `${system.name}, behind a door`,
    async perform(operation, caller) {
      const { answer } = await callJson({
        url: `${door.url}/v1/operations/${caller}`,
        method: 'POST',
        token,
        body: operation,
        response,
        clock: systemClock,
      })
      return answer
    },
    bytes: () => system.bytes(),
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  }
}
