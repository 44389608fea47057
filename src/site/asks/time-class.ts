import { monotonicMs, onceUnderWay } from '../../kernel/clock.ts'

/** Whatever is answered faster looks like this. */
const SHORTEST_MS = 8
/** Classes in a doubling: an answer waits 19 % longer than it took at most, and 9 % on average. */
const CLASSES_PER_DOUBLING = 4

/**
 * The time that an ask seems to have taken, in milliseconds: the next of 8, 9.5, 11.3, 13.5, 16, 19, … A run's own time
 * depends on rows that nobody may learn of, on how many groups were too small for instance; that of its class tells
 * little of it (security model, what is released: one time class).
 */
export function timeClassMs(elapsedMs: number): number {
  const step = Math.ceil(CLASSES_PER_DOUBLING * Math.log2(Math.max(elapsedMs, SHORTEST_MS) / SHORTEST_MS))
  return SHORTEST_MS * 2 ** (step / CLASSES_PER_DOUBLING)
}

/**
 * Waits until an ask that was taken up at `startedMs` (`monotonicMs`) has taken what its class takes. A timer knows whole milliseconds, and
 * comes a little early or late: what is left at last is waited for in turns of everything else that there is to do.
 */
export async function untilTimeClass(
  startedMs: number,
  {
    sleep,
    turn = onceUnderWay,
  }: { sleep: (durationMs: number) => Promise<void>; turn?: () => Promise<void> },
  elapsedMs = () => monotonicMs() - startedMs,
): Promise<void> {
  const untilMs = timeClassMs(elapsedMs())
  for (let leftMs = untilMs - elapsedMs(); leftMs > 0; leftMs = untilMs - elapsedMs())
    await (leftMs < 1 ? turn() : sleep(Math.floor(leftMs)))
}
