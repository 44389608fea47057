import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import { callJson } from '../../kernel/http/call-json.ts'
import { WITNESS_API, cosignedSchema } from '../../protocol/http/witness-api.ts'
import type { NetworkLine } from './network-line.ts'
import type { WitnessLine } from './show-witness.ts'

const TIMEOUT_MS = 10_000

/** The line to the witness at a network (C2SP tlog-witness): no token, because the checkpoint is signed itself. */
export function witnessLine(facts: {
  url: string
  network: Pick<NetworkLine, 'info'>
  clock: Clock
}): WitnessLine {
  let key: string | undefined
  return {
    async witnessKey(isAfresh = false) {
      if (isAfresh || key === undefined) key = (await facts.network.info()).witness
      return key
    },
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
