import { createAdaptorServer } from '@hono/node-server'
import { createServer } from 'node:http'
import type { RequestListener, Server, ServerOptions } from 'node:http'
import type { Env, Hono } from 'hono'
import { systemClock } from '../clock.ts'
import { Fault } from '../faults.ts'
import { LIMITS } from '../limits.ts'
import { boundConnections } from './bound-connections.ts'
import type { ConnectionBounds } from './bound-connections.ts'
import { endSlowBodies } from './end-slow-bodies.ts'
import type { BodyPace } from './end-slow-bodies.ts'
import { endStillAnswers } from './end-still-answers.ts'
import { refuseOddRequests } from './refuse-odd-requests.ts'
import { serverUrl } from './server-url.ts'
import { SlicedAnswer } from './sliced-answer.ts'
import { takeTurns } from './take-turns.ts'

/** A door that is open on a port. Disposing closes it: no new requests, waiting ones are ended. */
export interface OpenDoor extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

/** Where a door is opened; what is bounded otherwise than everywhere. */
interface DoorPlace {
  readonly host: string
  readonly port: number
  readonly bodyPace?: BodyPace
  readonly answerLookMs?: number
  readonly bounds?: ConnectionBounds
}

/**
 * Opens a door on a port; 0 takes a free one.
 *
 * @throws Fault `fault.port_in_use`
 */
export async function listen(
  app: Pick<Hono<Env>, 'fetch'>,
  { host, port, bodyPace = LIMITS.bodyPace, answerLookMs = LIMITS.answerLookMs, bounds = LIMITS }: DoorPlace,
): Promise<OpenDoor> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    hostname: host,
    createServer: createOrderlyServer as typeof createServer,
    serverOptions: {
      keepAliveTimeout: LIMITS.idleConnectionMs,
      headersTimeout: LIMITS.requestHeadMs,
      // Node would end every request after five minutes, an import too.
      requestTimeout: 0,
    },
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenFault(cause, { host, port })))
    server.listen(port, host, () => resolve())
  })
  boundConnections(server as Server, bounds)
  endStillAnswers(server as Server, { lookMs: answerLookMs, clock: systemClock })
  endSlowBodies(server as Server, { pace: bodyPace, clock: systemClock })
  const address = server.address()
  const boundPort = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: serverUrl({ host, port: boundPort }),
    port: boundPort,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
    },
  }
}

function createOrderlyServer(options: ServerOptions, listener: RequestListener): Server {
  // A refusal has its turn too: what came in one piece with the request would otherwise not know that the connection ends.
  const inTurn = takeTurns(refuseOddRequests(listener), { waitingMax: LIMITS.requestsWaitingOnConnectionMax })
  return createServer({ ...options, ServerResponse: SlicedAnswer }, inTurn)
}

function listenFault(cause: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Fault {
  if (cause.code === 'EADDRINUSE') {
    return new Fault('fault.port_in_use', {
      what: `Cannot listen on ${host}:${port}: another program uses the port; choose another with --port`,
      cause,
    })
  }
  return new Fault('fault.configuration', {
    what: `Cannot listen on ${host}:${port} (${cause.code ?? 'unknown'}): check host and port`,
    cause,
  })
}
