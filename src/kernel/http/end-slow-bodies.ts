import type { IncomingMessage, Server } from 'node:http'
import type { Clock } from '../clock.ts'

/** How slowly the body of a request may come. */
export interface BodyPace {
  /** Between two looks, milliseconds. */
  readonly lookMs: number
  /** The least that comes in between, bytes. */
  readonly bytesMin: number
}

interface Underway {
  /** Read of the connection by the last look. */
  bytesRead: number
  /** Whether the last look found too little. */
  isSlow: boolean
}

/**
 * Ends connections on which the body of a request comes too slowly, twice in a row: held open so, they would take the places of
 * others. There is no limit to the whole time, as an import may take hours; nor is a sender to blame whom we keep waiting
 * ourselves, with what was read already not taken. The rule is that of a least rate, as for Apache's RequestReadTimeout.
 */
export function endSlowBodies(server: Server, { pace, clock }: { pace: BodyPace; clock: Clock }): void {
  const underway = new Map<IncomingMessage, Underway>()
  server.on('request', (request: IncomingMessage) => {
    if (request.complete || !announcesBody(request)) return
    underway.set(request, { bytesRead: request.socket.bytesRead, isSlow: false })
    const forget = (): void => void underway.delete(request)
    request.once('end', forget).once('close', forget)
  })
  const closed = new AbortController()
  server.once('close', () => closed.abort())
  const look = async (): Promise<void> => {
    while (!closed.signal.aborted) {
      for (const [request, seen] of underway) underway.set(request, lookAt(request, { seen, pace }))
      await clock.sleep(pace.lookMs, closed.signal)
    }
  }
  void look()
}

function lookAt(request: IncomingMessage, { seen, pace }: { seen: Underway; pace: BodyPace }): Underway {
  const { bytesRead } = request.socket
  const isSlow = bytesRead - seen.bytesRead < pace.bytesMin && !waitsForUs(request)
  if (isSlow && seen.isSlow) request.socket.destroy()
  return { bytesRead, isSlow }
}

/** Whether a request says that a body comes with it. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Whether something that came was not taken yet: the connection is not read on then. */
function waitsForUs(request: IncomingMessage): boolean {
  return request.complete || request.readableLength > 0
}
