import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'

/**
 * Ends connections of which nothing was taken from one look to the next though there is something to take: the answer lies in memory
 * until then. The timer of Node would be set anew by whatever the other side sends meanwhile. A piece counts once all of it was taken.
 */
export function endStillAnswers(server: Server, { lookMs, clock }: { lookMs: number; clock: Clock }): void {
  const takenOf = new Map<Socket, number>()
  server.on('connection', (socket: Socket) => {
    takenOf.set(socket, NOTHING_TO_TAKE)
    socket.once('close', () => takenOf.delete(socket))
  })
  const closed = new AbortController()
  server.once('close', () => closed.abort())
  const look = async (): Promise<void> => {
    while (!closed.signal.aborted) {
      await clock.sleep(lookMs, closed.signal)
      for (const [socket, before] of takenOf) {
        const taken = socket.bytesWritten - socket.writableLength
        if (socket.writableLength > 0 && taken === before) socket.destroy()
        takenOf.set(socket, socket.writableLength > 0 ? taken : NOTHING_TO_TAKE)
      }
    }
  }
  void look()
}

const NOTHING_TO_TAKE = -1
