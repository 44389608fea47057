import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Answers the requests of one connection one after the other, as their answers have to go out (RFC 9112 §9.3.2). Otherwise whoever
 * sends thousands at once and reads nothing has all their answers made and kept. Of those that wait there are at most `waitingMax`:
 * more end the connection. What comes after the answer with which a connection ends is not looked at (RFC 9112 §9.6).
 */
export function takeTurns(
  listener: RequestListener,
  { waitingMax }: { waitingMax: number },
): RequestListener {
  const lines = new WeakMap<Socket, (() => void)[]>()
  return (request, response) => {
    const { socket } = request
    if (!socket.writable) return
    const next = (): void => {
      const turn = socket.writable ? lines.get(socket)?.shift() : undefined
      if (turn === undefined) lines.delete(socket)
      else turn()
    }
    const turn = (): void => {
      response.once('close', next)
      listener(request, response)
    }
    const line = lines.get(socket)
    if (line === undefined) {
      lines.set(socket, [])
      turn()
    } else if (line.length < waitingMax) line.push(turn)
    else socket.destroy()
  }
}
