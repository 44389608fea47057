import { seededRandom } from '../../src/demo/seeded-random.ts'
import { monotonicMs } from '../../src/kernel/clock.ts'
import { processorMs } from '../shared/processor-time.ts'
import { MINIMUM_GROUP } from './operations.ts'
import type { Answer, GdprSystem, Operation } from './operations.ts'
import type { Truth } from './truth.ts'
import type { Workload } from './workloads.ts'
import { zipfian } from './zipf.ts'

/** An operation with what it is to answer. */
export interface Step {
  readonly operation: Operation
  readonly expected: Answer
  readonly left: number
}

/** What came of a workload on one system. */
export interface Run {
  readonly totalMs: number
  /** Of everything: callers, servers and their PostgreSQL. */
  readonly processorMs: number
  readonly right: number
  /** Of these, aggregates that leave out a few who changed lately, so that nobody learns who (differencing). */
  readonly guarded: number
  /** And those that are refused for the same reason: somebody has left since it was answered. */
  readonly refused: number
  readonly byKind: ReadonlyMap<Operation['kind'], readonly number[]>
}

const WRONG_SHOWN = 3

/** What a site says where two answers would tell who left between them. */
const REFUSED = 'declined.differencing'

/** The operations of a workload; whoever performs them in this order must answer so. */
export function stepsOf(
  workload: Workload,
  { truth, count, seed }: { truth: Truth; count: number; seed: string },
): readonly Step[] {
  const random = seededRandom('gdprbench', seed)
  const zipf = zipfian(truth.created)
  const kinds = inRounds(
    Array.from({ length: count }, () => drawn(workload, random.next())),
    workload.round,
  )
  return kinds.map((kind) => {
    const part = random.next()
    const chosen = workload.isZipfian ? zipf(part) : Math.floor(part * truth.created)
    return truth.next(kind, { chosen, fresh: Math.floor(random.next() * 1_000_000) })
  })
}

type Kind = Operation['kind']

/** Where a workload has rounds: what changes something first, then what looks. */
function inRounds(kinds: readonly Kind[], round: number | undefined): readonly Kind[] {
  if (round === undefined) return kinds
  const rounds = Array.from({ length: Math.ceil(kinds.length / round) }, (_, index) =>
    kinds.slice(index * round, (index + 1) * round),
  )
  return rounds.flatMap((own) => [
    ...own.filter((kind) => !LOOKING.has(kind)),
    ...own.filter((kind) => LOOKING.has(kind)),
  ])
}

const LOOKING: ReadonlySet<Kind> = new Set(['count-by-pur', 'read-data-by-pur', 'decide-use'])

/**
 * Performs steps by several callers at once. All about one person are of one caller, in their order, so that what each is to
 * answer does not depend on who is faster.
 */
export async function runSteps(system: GdprSystem, steps: readonly Step[], callers: number): Promise<Run> {
  const queues = Array.from({ length: callers }, (): Step[] => [])
  for (const [index, step] of steps.entries()) queues[callerOf(step.operation, index) % callers]?.push(step)
  const byKind = new Map<Operation['kind'], number[]>()
  let [right, guarded, refused, wrong] = [0, 0, 0, 0]
  const leftWhenTold = new Map<string, number>()
  const started = monotonicMs()
  const processorBefore = processorMs()
  await Promise.all(
    queues.map(async (queue, caller) => {
      for (const { operation, expected, left } of queue) {
        const begun = monotonicMs()
        const answer = await system.perform(operation, caller)
        const times = byKind.get(operation.kind) ?? []
        byKind.set(operation.kind, times)
        times.push(monotonicMs() - begun)
        const hasLeft = isTold(operation) && left > (leftWhenTold.get(operation.purpose) ?? 0)
        if (isTold(operation) && answer !== REFUSED) leftWhenTold.set(operation.purpose, left)
        if (answer === expected) right += 1
        else if (hasLeft && answer === REFUSED) refused += 1
        else if (isGuarded(operation, { answer, expected })) guarded += 1
        else if ((wrong += 1) <= WRONG_SHOWN)
          console.error(`${system.name}: ${operation.kind} said ${answer}, not ${expected}`)
      }
    }),
  )
  return {
    totalMs: monotonicMs() - started,
    processorMs: processorMs() - processorBefore,
    right: right + guarded + refused,
    guarded,
    refused,
    byKind,
  }
}

/** Whether people are counted for it. */
function isTold(
  operation: Operation,
): operation is Extract<Operation, { kind: 'read-data-by-pur' | 'count-by-pur' | 'decide-use' }> {
  return LOOKING.has(operation.kind)
}

function callerOf(operation: Operation, index: number): number {
  const user =
    'record' in operation ? operation.record.user : 'user' in operation ? operation.user : undefined
  return user === undefined ? index : Number(user.slice('user'.length))
}

/**
 * A site leaves people out of an aggregate whose coming or going two answers would tell, fewer than make a group, and never counts
 * anybody too many. The same is held against every system.
 */
function isGuarded({ kind }: Operation, { answer, expected }: { answer: Answer; expected: Answer }): boolean {
  if (kind !== 'read-data-by-pur' && kind !== 'count-by-pur') return false
  const [told, all] = [countsOf(answer), countsOf(expected)]
  const isNobodyNew = [...told.keys()].every((source) => all.has(source))
  return (
    isNobodyNew &&
    [...all].every(([source, count]) => {
      const missing = count - (told.get(source) ?? 0)
      return missing >= 0 && missing < MINIMUM_GROUP
    })
  )
}

function countsOf(text: Answer): ReadonlyMap<string, number> {
  const pairs = text.split(',').map((pair) => pair.split(':'))
  return new Map(pairs.map(([source = '', count]) => [source, Number(count)]))
}

function drawn({ mix }: Workload, part: number): Workload['mix'][number][0] {
  let left = part * 100
  for (const [kind, share] of mix) {
    left -= share
    if (left < 0) return kind
  }
  const [[first]] = mix as readonly [Workload['mix'][number]]
  return first
}
