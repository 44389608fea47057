import { Fault } from '../faults.ts'
import { LIMITS } from '../limits.ts'
import { parseJson } from '../parse-json.ts'
import type { Endpoint } from './endpoint.ts'

/** The sender of a request left before all of its body was read: no failure of ours, and somebody could fill the log with it. */
export class SenderLeft extends Fault {
  constructor(cause: unknown) {
    super('fault.request_malformed', {
      what: 'Cannot read the request: its sender left before all of it had come',
      cause,
    })
  }
}

/**
 * The body of a request as it comes.
 *
 * @throws SenderLeft
 */
export async function* bodyOf({ body }: Request): AsyncGenerator<Uint8Array, void, undefined> {
  if (!body) return
  try {
    yield* body
  } catch (cause) {
    throw endOf(cause)
  }
}

/**
 * The whole body as text, up to a bound.
 *
 * @returns `undefined` where it is larger; no more of it is read then
 * @throws SenderLeft
 */
export async function readText(request: Request, bytesMax: number): Promise<string | undefined> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > bytesMax) return undefined
  // HTTP holds a body to the length it announced; only one of unknown length has to be counted as it comes.
  if (length !== null) {
    return request.text().catch((cause: unknown) => {
      throw endOf(cause)
    })
  }
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of bodyOf(request)) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > bytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * The whole body as text, up to what a request of its kind may be.
 *
 * @throws SenderLeft, Fault `fault.request_too_large`
 */
export async function readBody(
  request: Request,
  { isExchange }: Pick<Endpoint, 'isExchange'>,
): Promise<string> {
  const bytesMax = isExchange === true ? LIMITS.exchangeBytesMax : LIMITS.requestBytesMax
  const text = await readText(request, bytesMax)
  if (text !== undefined) return text
  throw new Fault('fault.request_too_large', {
    what: `Cannot take the request: its body is over ${bytesMax} bytes`,
  })
}

/**
 * What a body says.
 *
 * @throws Fault `fault.request_malformed`
 */
export function requireJson(text: string): unknown {
  const value = parseJson(text)
  if (value !== undefined) return value
  throw new Fault('fault.request_malformed', {
    what: 'Cannot read the request: its body is not JSON that every reader takes the same: no field twice, no NUL, no half of a pair',
  })
}

/** Only the sender can end a body; that one is read twice is a bug of ours. */
function endOf(cause: unknown): unknown {
  return cause instanceof TypeError ? cause : new SenderLeft(cause)
}
