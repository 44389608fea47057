import { Fault } from '../../kernel/faults.ts'

/**
 * Rows that are changing: from before the vault shows the first of them until the record has counted it. Two answers at one count
 * have to be of the same rows, or their difference is about whoever changed; so what was read meanwhile waits, finds the
 * count moved, and is read again (docs/explanation/why-answers-cannot-be-combined.md).
 */
export class RowsInMotion {
  readonly #moving = new Map<string, Map<string, 'moving' | 'stuck'>>()
  #turn = Promise.withResolvers<void>()

  /** Rows of a data set are about to change; `cause` is that of one batch or correction. */
  begin(dataSet: string, cause: string): void {
    this.#of(dataSet).set(cause, 'moving')
  }

  /** The change is counted, or nothing of it has happened. */
  end(dataSet: string, cause: string): void {
    this.#of(dataSet).delete(cause)
    this.#wake()
  }

  /** Rows that had begun to change may have, and the record could not be told: nothing is answered of them until it has been. */
  stick(dataSet: string, cause: string): void {
    const causes = this.#of(dataSet)
    if (causes.has(cause)) causes.set(cause, 'stuck')
    this.#wake()
  }

  /** Changes rows and has that counted. Where it fails nobody knows whether they have changed. */
  async during<T>({ dataSet, cause }: { dataSet: string; cause: string }, act: () => Promise<T>): Promise<T> {
    this.begin(dataSet, cause)
    try {
      const done = await act()
      this.end(dataSet, cause)
      return done
    } catch (error) {
      this.stick(dataSet, cause)
      throw error
    }
  }

  /**
   * Resolves when no row of the data sets is changing.
   *
   * @throws Fault `fault.unavailable` where a change could not be counted
   */
  async settled(dataSets: readonly string[]): Promise<void> {
    for (;;) {
      const states = dataSets.flatMap((dataSet) => [...this.#of(dataSet).values()])
      if (states.length === 0) return
      if (states.includes('stuck')) {
        throw new Fault('fault.unavailable', {
          what: 'Cannot answer: rows of the data set have changed and the record could not be told; repeat the import, or start the site again',
        })
      }
      await this.#turn.promise
    }
  }

  #of(dataSet: string): Map<string, 'moving' | 'stuck'> {
    const known = this.#moving.get(dataSet) ?? new Map<string, 'moving' | 'stuck'>()
    this.#moving.set(dataSet, known)
    return known
  }

  #wake(): void {
    this.#turn.resolve()
    this.#turn = Promise.withResolvers()
  }
}
