import { EVERYBODY, MINIMUM_GROUP, countsText } from './operations.ts'
import type { Answer, Operation } from './operations.ts'
import { PURPOSES, dataOf, recordOf } from './records.ts'
import type { GdprRecord, Purpose } from './records.ts'

type Step = Operation['kind']

interface Person {
  data: string
  readonly source: string
  readonly purposes: Set<Purpose>
  readonly objections: Set<Purpose>
}

/** What stands at any moment, kept by plain means: the referee of every answer. */
export class Truth {
  readonly #people = new Map<string, Person>()
  readonly #left = new Map<Purpose, number>()
  #created = 0

  constructor(records: number) {
    for (let number = 0; number < records; number += 1) this.#add(recordOf(number))
  }

  /**
   * The next operation of a step, about somebody chosen, and what it is to answer; all systems get the same. `left` is how many have
   * ceased to be of its purpose until then.
   */
  next(
    step: Step,
    { chosen, fresh }: { chosen: number; fresh: number },
  ): { operation: Operation; expected: Answer; left: number } {
    const operation = this.#operationOf(step, { chosen, fresh })
    const expected = this.#apply(operation)
    return {
      operation,
      expected,
      left: 'purpose' in operation ? (this.#left.get(operation.purpose) ?? 0) : 0,
    }
  }

  get created(): number {
    return this.#created
  }

  #operationOf(step: Step, { chosen, fresh }: { chosen: number; fresh: number }): Operation {
    const user = `user${chosen % this.#created}`
    const purpose = PURPOSES[fresh % PURPOSES.length] ?? PURPOSES[0]
    const person = this.#people.get(user)
    switch (step) {
      case 'create-record':
        return { kind: step, record: recordOf(this.#created) }
      case 'read-data-by-pur':
      case 'count-by-pur':
      case 'decide-use':
        return { kind: step, purpose }
      case 'update-data-by-key':
        return { kind: step, user, data: dataOf(fresh) }
      case 'update-metadata-by-pur':
        return { kind: step, user, purpose, isGranted: person?.purposes.has(purpose) !== true }
      case 'update-metadata-by-usr':
        return { kind: step, user, purpose, isObjecting: person?.objections.has(purpose) !== true }
      case 'get-system-logs':
        return { kind: step, count: 1 + (fresh % 100) }
      case 'read-data-by-usr':
      case 'read-metadata-by-usr':
      case 'delete-record-by-usr':
      case 'verify-deletion':
        return { kind: step, user }
    }
  }

  #apply(operation: Operation): Answer {
    if (operation.kind === 'create-record') {
      this.#add(operation.record)
      return 'done'
    }
    if (operation.kind === 'read-data-by-pur') return countsText([...this.#bySource(operation.purpose)])
    if (operation.kind === 'count-by-pur') return countsText([[EVERYBODY, this.#count(operation.purpose)]])
    if (operation.kind === 'decide-use')
      return this.#count(operation.purpose) >= MINIMUM_GROUP ? 'allowed' : 'refused'
    if (operation.kind === 'get-system-logs') return String(operation.count)
    const person = this.#people.get(operation.user)
    if (operation.kind === 'verify-deletion') return person ? 'there' : 'gone'
    // Nobody and somebody without grants look alike.
    if (!person) return operation.kind === 'read-metadata-by-usr' ? '' : 'gone'
    switch (operation.kind) {
      case 'read-data-by-usr':
        return person.data
      case 'read-metadata-by-usr':
        return [...person.purposes].toSorted().join(',')
      case 'update-data-by-key':
        person.data = operation.data
        return 'done'
      case 'update-metadata-by-pur':
        if (!operation.isGranted) this.#leave(person, [operation.purpose])
        change(person.purposes, operation.purpose, operation.isGranted)
        return 'done'
      case 'update-metadata-by-usr':
        if (operation.isObjecting) this.#leave(person, [operation.purpose])
        change(person.objections, operation.purpose, operation.isObjecting)
        return 'done'
      case 'delete-record-by-usr':
        this.#leave(person, person.purposes)
        this.#people.delete(operation.user)
        return 'done'
    }
  }

  /** Counts, for each purpose, whoever may no longer be used for it. */
  #leave({ purposes, objections }: Person, leaving: Iterable<Purpose>): void {
    for (const purpose of leaving)
      if (purposes.has(purpose) && !objections.has(purpose))
        this.#left.set(purpose, (this.#left.get(purpose) ?? 0) + 1)
  }

  #count(purpose: Purpose): number {
    return this.#bySource(purpose)
      .values()
      .reduce((sum, count) => sum + count, 0)
  }

  #bySource(purpose: Purpose): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { source, purposes, objections } of this.#people.values())
      if (purposes.has(purpose) && !objections.has(purpose)) counts.set(source, (counts.get(source) ?? 0) + 1)
    return counts
  }

  #add({ user, data, source, purpose }: GdprRecord): void {
    this.#people.set(user, { data, source, purposes: new Set([purpose]), objections: new Set() })
    this.#created += 1
  }
}

function change(set: Set<Purpose>, purpose: Purpose, isIn: boolean): void {
  if (isIn) set.add(purpose)
  else set.delete(purpose)
}
