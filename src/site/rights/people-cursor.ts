import { createSecretKey } from 'node:crypto'
import { hmacSha256 } from '../../kernel/digest.ts'
import type { SiteContext } from '../site-context.ts'
import { newestLookup } from '../vault/keys/lookup-digest.ts'
import { open, seal } from '../vault/keys/seal-cell.ts'

/** What a cursor needs of the site. */
type CursorContext = Pick<SiteContext, 'keys' | 'random'>

const NONCE_BYTES = 12
/** As long as the largest number of a person, so that the length of a cursor tells nothing. */
const DIGITS = 10

/**
 * Where a list of people goes on: the number of the last, sealed, because the site's numbers of people are shown to nobody. They run
 * over the people of all issuers, so one issuer could count another's by them. `place` is the list that it goes on.
 */
export function cursorBehind(number: number, site: CursorContext, place: string): string {
  const sealed = seal(String(number).padStart(DIGITS, '0'), {
    key: keyOf(site),
    nonce: site.random.bytes(NONCE_BYTES),
    context: Buffer.from(place),
  })
  return Buffer.from(sealed).toString('base64url')
}

/** The number that a cursor of this list was made from; `undefined` for anything else. */
export function numberOfCursor(cursor: string, site: CursorContext, place: string): number | undefined {
  const opened = open(Buffer.from(cursor, 'base64url'), { key: keyOf(site), context: Buffer.from(place) })
  return opened && Number(Buffer.from(opened).toString())
}

function keyOf({ keys }: CursorContext) {
  return createSecretKey(hmacSha256(newestLookup(keys.lookup).reveal(), 'cursors in lists of people'))
}
