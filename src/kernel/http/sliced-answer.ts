import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'

/** As much as a stream of texts gives at a time. */
const SLICE_BYTES = 65_536

/**
 * An answer of which it can be seen how much was taken: a large body that is given whole goes out in slices, each once the one before
 * was taken. In one piece it counts as taken when its last byte is, and who reads it slowly but steadily could not be told from who
 * reads nothing (`end-still-answers.ts`). Its length is announced all the same.
 */
export class SlicedAnswer<R extends IncomingMessage> extends ServerResponse<R> {
  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), done?: () => void): this {
    if (encoding === undefined && done === undefined && isLarge(chunk)) {
      const bytes = bytesOf(chunk)
      if (!this.headersSent) this.setHeader('content-length', bytes.byteLength)
      this.#writeFrom(bytes, 0)
      return this
    }
    if (typeof encoding === 'string') return super.end(chunk, encoding, done)
    return super.end(chunk, encoding ?? done)
  }

  /** Where the connection ends before all was taken, no slice is asked for any more. */
  #writeFrom(bytes: Buffer, start: number): void {
    for (let at = start; at < bytes.byteLength; at += SLICE_BYTES) {
      if (this.write(bytes.subarray(at, at + SLICE_BYTES))) continue
      this.once('drain', () => this.#writeFrom(bytes, at + SLICE_BYTES))
      return
    }
    super.end()
  }
}

function isLarge(chunk: unknown): chunk is string | Uint8Array {
  return (typeof chunk === 'string' || chunk instanceof Uint8Array) && chunk.length > SLICE_BYTES
}

function bytesOf(body: string | Uint8Array): Buffer {
  return typeof body === 'string'
    ? Buffer.from(body)
    : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}
