import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
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
    async witnessKey() {
      key ??= (await facts.network.info()).witness
      return key
    },
    addCheckpoint: (body) =>
      withDeadline({ clock: facts.clock, timeoutMs: TIMEOUT_MS }, async (signal) => {
        const headers = { 'content-type': 'text/plain; charset=utf-8' }
        const address = `${facts.url}/witness/add-checkpoint`
        return answerOf(await fetch(address, { method: 'POST', headers, body, signal, redirect: 'error' }))
      }),
  }
}

async function answerOf(response: Response): Promise<WitnessAnswer> {
  const { status, headers } = response
  const said = await response.text()
  if (status === 200) return { kind: 'cosigned', line: said }
  const isSize = status === 409 && headers.get('content-type')?.startsWith('text/x.tlog.size') === true
  return isSize && /^\d{1,15}\n$/.test(said)
    ? { kind: 'stale', size: Number(said) }
    : { kind: 'refused', status }
}
