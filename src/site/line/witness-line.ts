import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import { PeerRefusal, callJson, callText } from '../../kernel/http/call-json.ts'
import { WITNESS_API, cosignedSchema, logKeysSchema } from '../../protocol/http/witness-api.ts'
import type { SiteId } from '../../protocol/wire.ts'
import type { NetworkLine } from './network-line.ts'
import type { WitnessLine } from './show-witness.ts'

const TIMEOUT_MS = 10_000

/** The line to the witness at a network (C2SP tlog-witness): no token, because the checkpoint is signed itself. */
export function witnessLine(facts: {
  url: string
  site: SiteId
  network: Pick<NetworkLine, 'info'>
  clock: Clock
}): WitnessLine {
  let key: string | undefined
  const path = (of: { readonly path: string }) => `${facts.url}${of.path.replace('{site}', facts.site)}`
  return {
    async witnessKey(isAfresh = false) {
      if (isAfresh || key === undefined) key = (await facts.network.info()).witness
      return key
    },
    witnessed: () =>
      withDeadline({ clock: facts.clock, timeoutMs: TIMEOUT_MS }, (signal) =>
        callText({
          url: path(WITNESS_API.witnessed),
          method: 'GET',
          signal,
          clock: facts.clock,
        }),
      ).catch(whenNotFound(undefined)),
    rotations: () =>
      withDeadline({ clock: facts.clock, timeoutMs: TIMEOUT_MS }, async (signal) => {
        const { rotations } = await callJson({
          url: path(WITNESS_API.logKeys),
          method: 'GET',
          response: logKeysSchema,
          signal,
          clock: facts.clock,
        })
        return rotations
        // A network of before does not tell.
      }).catch(whenNotFound<readonly string[]>([])),
    showCheckpoints: (bodies) =>
      withDeadline({ clock: facts.clock, timeoutMs: TIMEOUT_MS }, (signal) =>
        callJson({
          url: `${facts.url}${WITNESS_API.addCheckpoints.path}`,
          method: 'POST',
          body: { shown: bodies },
          response: cosignedSchema,
          signal,
          clock: facts.clock,
        }),
      ),
  }
}

function whenNotFound<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof PeerRefusal && error.status === 404) return instead
    throw error
  }
}
