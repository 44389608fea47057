import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { networkPart } from './network-part.ts'

/** How many connections a door keeps. */
export interface ConnectionBounds {
  readonly connectionsMax: number
  /** From one address. */
  readonly connectionsOfAddressMax: number
}

/**
 * Bounds what connections cost: each takes a file of the process and some memory, so that whoever opens enough of them keeps
 * everybody else out. Past the bound new ones are closed, those of the same address first.
 */
export function boundConnections(
  server: Server,
  { connectionsMax, connectionsOfAddressMax }: ConnectionBounds,
): void {
  const counts = new Map<string, number>()
  server.maxConnections = connectionsMax
  server.on('connection', (socket: Socket) => {
    const address = networkPart(socket.remoteAddress ?? '')
    const count = counts.get(address) ?? 0
    if (count >= connectionsOfAddressMax) {
      socket.destroy()
      return
    }
    counts.set(address, count + 1)
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1
      if (left > 0) counts.set(address, left)
      else counts.delete(address)
    })
  })
}
