import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

/** What happens on one connection to bytes on their way. */
export interface RelayedConnection {
  /** Gives whether the bytes go on; `hangUp` ends the connection of whoever dialled. */
  pass(chunk: Buffer, from: 'client' | 'server', hangUp: () => void): boolean
}

/** Stands between two processes and passes on what each connection lets through. */
export interface Relay extends AsyncDisposable {
  /** What is dialled instead of the server. */
  readonly url: string
  /** Ends every connection that is open. */
  cutAll(): void
}

/** Opens one on a free loopback port before the server at `target`, an address or the path of a socket; `accept` refuses a connection by giving nothing. */
export async function relay(target: string, accept: () => RelayedConnection | undefined): Promise<Relay> {
  const dial = () => {
    if (target.startsWith('/')) return connect(target)
    const { hostname, port } = new URL(target)
    return connect(Number(port), hostname)
  }
  const open = new Set<Socket>()
  const cutAll = () => {
    for (const socket of open) socket.destroy()
  }
  const server = createServer((client) => {
    client.on('error', () => undefined)
    const connection = accept()
    if (!connection) {
      client.destroy()
      return
    }
    const upstream = dial()
    for (const [from, to, side] of [
      [client, upstream, 'client'],
      [upstream, client, 'server'],
    ] as const) {
      open.add(from)
      from.on('data', (chunk: Buffer) => {
        if (connection.pass(chunk, side, () => client.destroy())) to.write(chunk)
      })
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The relay has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    cutAll,
    async [Symbol.asyncDispose]() {
      cutAll()
      server.close()
      await once(server, 'close')
    },
  }
}
