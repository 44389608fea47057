import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import { PeerRefusal, callJson, callText } from '../../kernel/http/call-json.ts'
import { WITNESS_API, cosignedSchema } from '../../protocol/http/witness-api.ts'
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
  return {
    async witnessKey(isAfresh = false) {
      if (isAfresh || key === undefined) key = (await facts.network.info()).witness
      return key
    },
    witnessed: () =>
      withDeadline({ clock: facts.clock, timeoutMs: TIMEOUT_MS }, (signal) =>
        callText({
          url: `${facts.url}${WITNESS_API.witnessed.path.replace('{site}', facts.site)}`,
          method: 'GET',
          signal,
          clock: facts.clock,
        }),
      ).catch((error: unknown) => {
        if (error instanceof PeerRefusal && error.status === 404) return undefined
        throw error
      }),
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
