import type { Digest } from '../../kernel/digest.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** A person as an issuer knows them, and at whose word something is done about them. */
export interface NamedPerson {
  readonly issuer: MemberId
  readonly person: string
  /** Kept in the record: `operator`, `issuer:NAME` or `person`. */
  readonly by: string
  /** A mark of the two under a key of the site, under which answers to the person are kept. */
  readonly nameMark: Digest
}
