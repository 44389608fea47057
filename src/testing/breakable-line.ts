import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

/** A line to a server that can be cut, and on which answers can be lost after the server has acted. */
export interface BreakableLine extends AsyncDisposable {
  /** What is dialled instead of the server. */
  readonly url: string
  /** From now on nobody gets through, and who is on the line is cut off. */
  cut(): void
  mend(): void
  /** From now on requests that hold this text get through, and the line breaks before their answer comes. */
  loseAnswersTo(text: string): void
}

/** Stands on a free loopback port before the server at `target`. */
export async function breakableLine(target: string): Promise<BreakableLine> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let isCut = false
  let lost: string | undefined
  const cutAll = () => {
    for (const socket of open) socket.destroy()
  }
  const server = createServer((client) => {
    client.on('error', () => undefined)
    if (isCut) {
      client.destroy()
      return
    }
    const upstream = connect(Number(port), hostname)
    let isLost = false
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.on('data', (chunk: Buffer) => {
        if (from === client && lost !== undefined && chunk.includes(lost)) isLost = true
        if (from === upstream && isLost) client.destroy()
        else to.write(chunk)
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
  if (address === null || typeof address === 'string') throw new Error('The line has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut() {
      isCut = true
      cutAll()
    },
    mend() {
      isCut = false
      lost = undefined
    },
    loseAnswersTo(text) {
      lost = text
    },
    async [Symbol.asyncDispose]() {
      cutAll()
      server.close()
      await once(server, 'close')
    },
  }
}
