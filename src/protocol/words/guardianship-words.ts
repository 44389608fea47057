import type { GuardianshipState } from '../consent/guardianship.ts'
import { actorWords } from './plain-words.ts'

const STATES = {
  in_force: 'in force',
  of_age: 'former guardian: of age, decides alone',
  over: 'former guardian: its time is over',
  ended: 'former guardian',
} as const satisfies Record<GuardianshipState, string>

/** Where a guardianship stands, in words. Whoever has no power under it any more was the guardian, and is not. */
export function guardianshipStateWords({
  state,
  endedBy,
}: {
  readonly state: GuardianshipState
  readonly endedBy?: string | undefined
}): string {
  return endedBy === undefined ? STATES[state] : `${STATES[state]}, ended by ${actorWords(endedBy)}`
}
