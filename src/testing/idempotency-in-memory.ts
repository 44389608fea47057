import { PLAIN_MEMORY } from '../kernel/http/idempotency.ts'
import type { IdempotencyStore, KeptAnswer } from '../kernel/http/idempotency.ts'

/** Answers of writes that are kept for the length of a test. */
export function idempotencyInMemory(): IdempotencyStore {
  const answers = new Map<string, KeptAnswer>()
  return {
    ...PLAIN_MEMORY,
    find: (caller, key) => Promise.resolve(answers.get(`${caller}\0${key}`)),
    keep: (caller, key, answer) => {
      answers.set(`${caller}\0${key}`, answer)
      return Promise.resolve()
    },
  }
}
