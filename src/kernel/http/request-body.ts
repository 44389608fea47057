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
 * @throws SenderLeft, Fault `fault.request_malformed`
 */
export async function readText(request: Request, bytesMax: number): Promise<string | undefined> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > bytesMax) return undefined
  // HTTP holds a body to the length it announced; only one of unknown length has to be counted as it comes.
  const bytes = length === null ? await gather(request, bytesMax) : await wholeOf(request)
  return bytes === undefined ? undefined : textOf(bytes)
}

async function wholeOf(request: Request): Promise<Uint8Array> {
  try {
    return await request.bytes()
  } catch (cause) {
    throw endOf(cause)
  }
}

/** In one place that grows, because a body may come in pieces that are a hundred times smaller than what it takes to keep one. */
async function gather(request: Request, bytesMax: number): Promise<Uint8Array | undefined> {
  let gathered = Buffer.alloc(0)
  let [sizeBytes, pieces] = [0, 0]
  for await (const piece of bodyOf(request)) {
    pieces += 1
    const before = sizeBytes
    sizeBytes += piece.byteLength
    if (sizeBytes > bytesMax) return undefined
    if (pieces > LIMITS.bodyPiecesMax + (sizeBytes / 1_024) * LIMITS.bodyPiecesPerKilobyteMax)
      throw new Fault('fault.request_malformed', {
        what: 'Cannot read the request: its body comes in too many pieces',
      })
    if (sizeBytes > gathered.byteLength) gathered = Buffer.concat([gathered], 2 * sizeBytes)
    gathered.set(piece, before)
  }
  return gathered.subarray(0, sizeBytes)
}

/** Another reader would take bytes that are not UTF-8 for other characters, and two names for one. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Fault('fault.request_malformed', {
      what: 'Cannot read the request: its body is not UTF-8',
      cause,
    })
  }
}

/**
 * The whole body as text, up to what a request of its kind may be.
 *
 * @throws SenderLeft, Fault `fault.request_too_large`
 */
export async function readBody(
  request: Request,
  endpoint: Pick<Endpoint, 'isExchange' | 'isPublic'>,
): Promise<string> {
  const bytesMax = bytesMaxOf(endpoint)
  const text = await readText(request, bytesMax)
  if (text !== undefined) return text
  throw new Fault('fault.request_too_large', {
    what: `Cannot take the request: its body is over ${bytesMax} bytes`,
  })
}

function bytesMaxOf({ isExchange, isPublic }: Pick<Endpoint, 'isExchange' | 'isPublic'>): number {
  if (isExchange === true) return LIMITS.exchangeBytesMax
  return isPublic === true ? LIMITS.unknownBytesMax : LIMITS.requestBytesMax
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
