import { Fault } from '../../kernel/faults.ts'
import { readText } from '../../kernel/http/request-body.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { logOrigin } from '../../protocol/proof/checkpoint.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import type { CosignedMessage } from '../../protocol/http/witness-api.ts'
import { cosignCheckpoints, readWitnessed } from '../witness/cosign-checkpoint.ts'
import type { NotCosigned, WitnessParts, Witnessed } from '../witness/cosign-checkpoint.ts'
import { readShownCheckpoint } from '../witness/read-submission.ts'
import type { ShownCheckpoint } from '../witness/read-submission.ts'
import type { NetworkEvents } from '../events.ts'
import { requireSite } from '../membership/directory.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** The network as a witness of its sites' logs (C2SP tlog-witness). */
export function serveWitness(door: NetworkDoor, parts: NetworkParts): void {
  const { witness } = parts
  door.serve(NETWORK_API.addCheckpoint, async ({ raw }) => {
    const body = await readText(raw, LIMITS.witnessRequestBytesMax)
    const shown = body === undefined ? undefined : readShownCheckpoint(body)
    if (!shown) return refusal({ kind: 'malformed' })
    const { lines, stopped } = await cosign(parts, [shown])
    return stopped ? refusal(stopped) : text(lines.join(''), 200)
  })
  door.serve(NETWORK_API.addCheckpoints, async ({ body }): Promise<CosignedMessage> => {
    const shown = readAll(body.shown)
    const { lines, stopped } = await cosign(parts, shown)
    const isCut = stopped === undefined && shown.length < body.shown.length
    const problem: NotCosigned | undefined = isCut ? { kind: 'malformed' } : stopped
    return { lines: [...lines], ...(problem ? { stopped: stoppedMessage(problem) } : {}) }
  })
  door.serve(NETWORK_API.witnessed, async ({ params }) => {
    const note = await readWitnessed(witness.db, logOrigin(params.site))
    if (note === undefined)
      throw new Fault('fault.not_found', { what: 'The witness has seen no checkpoint of this site' })
    return text(note, 200)
  })
  door.serve(NETWORK_API.logKeys, ({ params }) => {
    const { firstKeys, rotations } = requireSite(witness.directory, params.site)
    return Promise.resolve({ firstKeys, rotations: [...rotations] })
  })
}

async function cosign(
  { witness, events }: { readonly witness: WitnessParts; readonly events: NetworkEvents },
  shown: readonly ShownCheckpoint[],
): Promise<Witnessed> {
  const became = await cosignCheckpoints(witness, shown)
  const refused = became.stopped && shown[became.lines.length]
  if (became.stopped && refused) {
    const { origin, size } = refused.checkpoint
    const why = became.stopped.kind
    // What is no site's has the name that somebody unknown wrote.
    events.notCosigned({ why, size, ...(why === 'unknown-log' ? {} : { origin }) })
  }
  return became
}

/** The first so many that are of the form, and of one log. */
function readAll(bodies: readonly string[]): readonly ShownCheckpoint[] {
  const shown: ShownCheckpoint[] = []
  for (const body of bodies) {
    const one = readShownCheckpoint(body)
    if (!one || one.checkpoint.origin !== (shown[0] ?? one).checkpoint.origin) break
    shown.push(one)
  }
  return shown
}

const STATUS = {
  stale: 409,
  forked: 409,
  inconsistent: 422,
  malformed: 400,
  'not-signed': 403,
  'unknown-log': 404,
} as const satisfies Record<NotCosigned['kind'], number>

const SENTENCE = {
  forked: 'Another root was seen at this size',
  inconsistent: 'The proof does not show the log that was seen to be the beginning of this one',
  malformed: 'The body is not "old SIZE", a proof from no larger size, an empty line and a signed checkpoint',
  'not-signed': 'The checkpoint is not signed by the log that it names',
  'unknown-log': 'This is no log of a site of this network',
} as const satisfies Record<Exclude<NotCosigned['kind'], 'stale'>, string>

function refusal(problem: NotCosigned): Response {
  const status = STATUS[problem.kind]
  return problem.kind === 'stale'
    ? text(`${problem.size}\n`, status, 'text/x.tlog.size')
    : text(SENTENCE[problem.kind], status)
}

function stoppedMessage(problem: NotCosigned): NonNullable<CosignedMessage['stopped']> {
  const status = STATUS[problem.kind]
  return problem.kind === 'stale' ? { status, size: problem.size } : { status }
}

function text(body: string, status: number, type = 'text/plain; charset=utf-8'): Response {
  return new Response(body, { status, headers: { 'content-type': type, 'cache-control': 'no-store' } })
}
