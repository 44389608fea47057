import type { ExerciseMessage } from '../../protocol/http/data-rights-protocol.ts'
import type { Agent } from './directory.ts'

/** As whom an agent presents a person. */
export interface PresentedPerson {
  /** The key by which the issuer knows them. */
  readonly person: string
  /** Whether the agent says that it has verified this very claim. */
  readonly isVerified: boolean
}

/** The person by the claim that a business goes by; `undefined` where the message has none (3.04). */
export function identityOf(message: ExerciseMessage, claim: string): PresentedPerson | undefined {
  const value = message[claim]
  if (typeof value !== 'string' || value === '' || value.length > 200) return undefined
  return { person: value, isVerified: message[`${claim}_verified`] === true }
}

/** Claims of schema.org/Person that the protocol names, for who handles the request to hold against what is known. */
const SHOWN = [
  'name',
  'email',
  'email_verified',
  'phone_number',
  'phone_number_verified',
  'address',
  'address_verified',
  'power_of_attorney',
] as const
const SAID_CHARACTERS_MAX = 2_000

/** What an agent says of a person and of the request; it is kept sealed under the person's key. */
export function claimsOf(message: ExerciseMessage, { name }: Agent): string {
  const claims = SHOWN.flatMap((claim) => {
    const value = message[claim]
    if (value === undefined || value === null) return []
    return [`${claim}: ${typeof value === 'string' ? value : JSON.stringify(value)}`]
  })
  const relationships = message.relationships ?? []
  return [
    `Through ${name}: ${message.exercise}${message.regime === undefined ? '' : ` (${message.regime})`}`,
    ...claims,
    ...(relationships.length === 0 ? [] : [`relationships: ${relationships.join(', ')}`]),
  ]
    .join('\n')
    .slice(0, SAID_CHARACTERS_MAX)
}
