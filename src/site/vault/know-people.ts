import type { DuckDBConnection } from '@duckdb/node-api'
import { inTransaction } from './engine.ts'
import {
  addPeople,
  expectNumbers,
  findNumbers,
  giveNumbers,
  keepFacts,
  keepKeys,
  nextNumber,
} from './people-table.ts'
import { forgettingAll } from './take-long.ts'
import { dropBrought } from './take-rows.ts'
import type { Vault } from './vault.ts'
import type { VaultMemory } from './vault-memory.ts'
import type { BesideTurn, ReadApart, RowsTurn } from './vault-turns.ts'

/** Up to so many are found in the turn itself. */
const FEW = 64

/**
 * How people come to be known: in great numbers, of which nobody else waits for more than what is written. Of whoever was forgotten
 * since they were numbered nothing is kept.
 */
export function knowingOf(
  {
    changingRows,
    beside,
    apart,
  }: { readonly changingRows: RowsTurn; readonly beside: BesideTurn; readonly apart: ReadApart },
  { memory, forgotten }: { readonly memory: VaultMemory; readonly forgotten: ReadonlySet<number> },
): Pick<Vault, 'numberPeople' | 'keepPrincipals' | 'keepSealedKeys'> {
  return {
    numberPeople: async (lookups) => {
      // Whoever is forgotten until the turn comes had the number when they were looked for.
      const ahead =
        lookups.length > FEW ? await apart('find people', (on) => lookFor(on, lookups)) : undefined
      return changingRows('number people', async ({ writer }) => {
        const numbers = await inTransaction(writer, async () => {
          const first = await nextNumber(writer)
          // Somebody came meanwhile, who may be one of these.
          if (ahead?.first !== first) return giveNumbers(writer, lookups)
          const expected = expectNumbers(lookups, ahead)
          await addPeople(writer, expected)
          return expected.numbers
        }).catch(forgettingAll(memory))
        memory.noteNumbered(lookups, numbers)
        return numbers
      })
    },
    keepPrincipals: (all) =>
      changingRows('keep what is known of people', async ({ writer }) => {
        const facts = all.filter(({ person }) => !forgotten.has(person))
        await inTransaction(writer, () => keepFacts(writer, facts)).catch(forgettingAll(memory))
        memory.noteFacts(facts)
      }),
    // Nothing that memory holds comes of sealed keys.
    keepSealedKeys: (dataSet, keys) =>
      beside('keep sealed keys', {
        bring: (connection) => keepKeys(connection, { dataSet, ...keys }),
        settle: ({ connection }) =>
          dropBrought(
            connection,
            { table: '_person_key', column: 'person' },
            keys.people.filter((person) => forgotten.has(person)),
          ),
        note: () => undefined,
      }),
  }
}

/** The numbers that people have, and the one that the next new person would get then. */
async function lookFor(connection: DuckDBConnection, lookups: readonly Uint8Array[]) {
  return { known: await findNumbers(connection, lookups), first: await nextNumber(connection) }
}
