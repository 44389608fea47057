import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'

/** One kept-alive HTTP/1.1 connection with one request in flight: the least a client can cost the machine it shares. */
export interface HttpLine {
  /** Sends a JSON body and gives the response's body. Fails unless the status is 2xx. */
  post(path: string, { body, token }: { body: string; token: string }): Promise<string>
  close(): void
}

/** Opens a connection to `http://host:port`. */
export async function openHttpLine(url: string): Promise<HttpLine> {
  const { hostname, port, host } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  return {
    post: (path, { body, token }) => {
      const head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
      const answer = readResponse(socket)
      socket.write(head + body)
      return answer
    },
    close: () => socket.destroy(),
  }
}

function readResponse(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const stop = () => {
      socket.off('data', take)
      socket.off('error', fail)
    }
    const fail = (error: Error) => {
      stop()
      reject(error)
    }
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? Number.NaN)
      if (Number.isNaN(length)) return fail(new Error('The response says no length'))
      const body = text.slice(end + 4)
      if (body.length < length) return
      stop()
      if (/^HTTP\/1\.1 2\d\d/.test(text)) resolve(body)
      else reject(new Error(body))
    }
    socket.on('data', take)
    socket.on('error', fail)
  })
}
