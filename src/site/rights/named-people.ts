import type { KeyObject } from 'node:crypto'
import { inTurns } from '../../kernel/in-turns.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { SiteContext } from '../site-context.ts'
import { openCell } from '../vault/keys/person-keys.ts'
import type { KnownPerson } from './person-reading.ts'

/** Somebody of a data set, under the name by which its issuer knows them, with the key that opens what is sealed of theirs. */
export interface NamedPerson extends KnownPerson {
  readonly sealingKey: KeyObject
}

/** People whose keys are opened at one time. */
export const PEOPLE_AT_ONCE = 2_000

/** People of a data set under their names, some at a time. Whoever was erased has no key and is not among them. */
export async function* namedPeople(
  { vault, personKeys, db }: Pick<SiteContext, 'vault' | 'personKeys' | 'db'>,
  { manifest, people }: { manifest: Manifest; people: Iterable<number> },
): AsyncGenerator<readonly NamedPerson[]> {
  const { dataSet, issuer } = manifest
  const place = { dataSet, column: manifest.person.key }
  const numbers = [...people]
  for (let start = 0; start < numbers.length; start += PEOPLE_AT_ONCE) {
    const portion = numbers.slice(start, start + PEOPLE_AT_ONCE)
    const [keys, sealed] = await Promise.all([
      personKeys.keysOf(db, portion),
      vault.listSealedKeysOf(dataSet, portion),
    ])
    const named = await inTurns(portion, (number): NamedPerson | undefined => {
      const [sealingKey, text] = [keys.get(number), sealed.get(number)]
      const key = sealingKey && text && openCell(text, { key: sealingKey, place })
      return sealingKey === undefined || key === undefined ? undefined : { number, issuer, key, sealingKey }
    })
    yield named.filter((person) => person !== undefined)
  }
}
