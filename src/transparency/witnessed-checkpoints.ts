import { LIMITS } from '../kernel/limits.ts'
import type { Published } from './publisher.ts'

/**
 * Which checkpoints of a log a witness has signed, and which it should be shown: those under which receipts were handed out,
 * so that whoever has such a receipt can be given the signature later. Nothing waits for a witness.
 */
export class WitnessedCheckpoints {
  readonly #log: { readonly published: Published | undefined }
  readonly #handedOut = new Map<number, Published>()
  #newest: Published | undefined

  constructor(log: { readonly published: Published | undefined }) {
    this.#log = log
  }

  /** A receipt leaves with this checkpoint. Of many the oldest are let go: a later one covers the same log. */
  handOut(checkpoint: Published): Published {
    const [oldest] = this.#handedOut.keys()
    if (this.#handedOut.size >= LIMITS.checkpointsToWitnessMax && oldest !== undefined)
      this.#handedOut.delete(oldest)
    this.#handedOut.set(checkpoint.size, checkpoint)
    return checkpoint
  }

  /** Those handed out since this was asked before, and the newest unless it is witnessed; by size. */
  due(): readonly Published[] {
    const due = new Map(this.#handedOut)
    this.#handedOut.clear()
    const { published } = this.#log
    if (published) due.set(published.size, published)
    return [...due.values()]
      .filter(({ size }) => size > (this.#newest?.size ?? 0))
      .toSorted((a, b) => a.size - b.size)
  }

  cosigned(checkpoint: Published): void {
    if (checkpoint.size >= (this.#newest?.size ?? 0)) this.#newest = checkpoint
  }

  /** The newest checkpoint that is witnessed, if it covers a receipt. */
  over(sequence: number): Published | undefined {
    return this.#newest && sequence < this.#newest.size ? this.#newest : undefined
  }

  /** The newest checkpoint, with its cosignatures if it has some. */
  served(): Published | undefined {
    const { published } = this.#log
    return published?.size === this.#newest?.size ? this.#newest : published
  }
}
