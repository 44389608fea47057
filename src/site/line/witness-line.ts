import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import { postText } from '../../kernel/http/call-json.ts'
import type { NetworkLine } from './network-line.ts'
import type { WitnessAnswer, WitnessLine } from './show-witness.ts'

const TIMEOUT_MS = 10_000

/** The line to the witness at a network (C2SP tlog-witness): texts, and no token, because the checkpoint is signed itself. */
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
    addCheckpoint: (body) =>
      withDeadline({ clock: facts.clock, timeoutMs: TIMEOUT_MS }, async (signal) => {
        return answerOf(await postText({ url: `${facts.url}/witness/add-checkpoint`, text: body, signal }))
      }),
  }
}

function answerOf({ status, contentType, text }: Awaited<ReturnType<typeof postText>>): WitnessAnswer {
  if (status === 200) return { kind: 'cosigned', line: text }
  const isSize = status === 409 && contentType.startsWith('text/x.tlog.size')
  return isSize && /^\d{1,15}\n$/.test(text)
    ? { kind: 'stale', size: Number(text) }
    : { kind: 'refused', status }
}
