import { join } from 'node:path'
import { z } from 'zod'
import { replaceFile, syncDirectory } from '../../kernel/durable-file.ts'
import { Fault } from '../../kernel/faults.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import type { Vault } from '../vault/vault.ts'
import { readIfThere } from './safe.ts'
import type { Safe } from './safe.ts'

/** Numbers that are reserved at once: one write for so many new people. */
const BLOCK = 65_536
const FILE = 'numbers.json'
const numbersSchema = z.strictObject({ below: z.int().min(0) })

/**
 * Keeps in the safe below which number people's numbers stay, before any of them is given: a restored site gives none
 * of them again, because an acquirer would take the new person for the one whose pseudonym it knows.
 */
export async function reservingNumbers(vault: Vault, safe: Safe): Promise<Vault> {
  let below = await readReserved(safe)
  const reserve = async (needed: number): Promise<void> => {
    if (needed <= below) return
    const next = (Math.floor(needed / BLOCK) + 1) * BLOCK
    await replaceFile(join(safe.directory, FILE), `${JSON.stringify({ below: next })}\n`, { mode: 0o600 })
    await syncDirectory(safe.directory)
    below = next
  }
  await reserve(await vault.personCount())
  return {
    ...vault,
    numberPeople: async (lookups) => {
      await reserve((await vault.personCount()) + lookups.length)
      return vault.numberPeople(lookups)
    },
    takeTogether: async (arrival) => {
      const { first, newcomers } = arrival.expected
      await reserve(first + newcomers.length)
      return vault.takeTogether(arrival)
    },
  }
}

/** The number below which all that were ever given are. */
export async function readReserved(safe: Safe): Promise<number> {
  const path = join(safe.directory, FILE)
  const text = await readIfThere(path)
  if (text === undefined) return 0
  const parsed = numbersSchema.safeParse(parseJson(text))
  // Only whole blocks are ever written.
  if (parsed.success && parsed.data.below % BLOCK === 0) return parsed.data.below
  throw new Fault('fault.backup_safe', { what: `Cannot read "${path}": it does not say a number` })
}
