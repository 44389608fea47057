import { z } from '@hono/zod-openapi'
import { instantSchema, memberIdSchema } from './wire.ts'

/**
 * Names of mailboxes that are of a role and of nobody (RFC 2142 §2 to §5, and those by which data protection is reached): everybody
 * on a network may write to them, whoever reads them today.
 */
export const ROLE_MAILBOXES: ReadonlySet<string> = new Set([
  'abuse',
  'compliance',
  'contact',
  'data-protection',
  'dataprotection',
  'datenschutz',
  'dpo',
  'gdpr',
  'hostmaster',
  'info',
  'legal',
  'noc',
  'office',
  'postmaster',
  'privacy',
  'security',
  'support',
])

const ROLES_SAID = [...ROLE_MAILBOXES].join(', ')

/** RFC 5321 §4.5.3.1. */
const ADDRESS_MAX = 254

/** Where a member is written to. No person's address: neither the register nor the network's database holds personal data. */
export const roleAddressSchema = z
  .string('expected an e-mail address')
  .max(ADDRESS_MAX, `expected at most ${ADDRESS_MAX} characters`)
  .regex(
    /^[a-z-]+@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
    'expected an e-mail address in lower case, such as privacy@northcare.example',
  )
  .refine(
    (address) => ROLE_MAILBOXES.has(address.slice(0, address.indexOf('@'))),
    `expected the mailbox of a role and no person's, one of ${ROLES_SAID}`,
  )

/** Where a member is written to, and since when it has been said. */
export const memberContactSchema = z
  .strictObject({ member: memberIdSchema, address: roleAddressSchema, since: instantSchema })
  .openapi('MemberContact')
export type MemberContact = z.infer<typeof memberContactSchema>
export type MemberContactMessage = z.input<typeof memberContactSchema>
