import type { Fault } from '../../kernel/faults.ts'
import { GroupCommit } from '../../kernel/group-commit.ts'
import { correctRows } from './correct-rows.ts'
import { inTransaction } from './engine.ts'
import type { Engine } from './engine.ts'
import type { RowCorrection, Vault } from './vault.ts'
import { vaultFault } from './vault-fault.ts'
import type { VaultMemory } from './vault-memory.ts'
import type { RowsTurn } from './vault-turns.ts'

/** Corrections that are made by one write at most. */
const CORRECTED_AT_ONCE = 64

/** What became of a correction. Where its end was not heard of it may have been made. */
type Corrected = { readonly rows: number } | { readonly fault: Fault; readonly isUnheard: boolean }

/** How rows are corrected. What comes at the same time is written together; where that cannot be, each alone. */
export function correctingOf(changingRows: RowsTurn, memory: VaultMemory): Vault['correct'] {
  const correcting = new GroupCommit((corrections: readonly RowCorrection[]) => {
    let became: readonly Corrected[] = []
    return changingRows(
      'correct rows',
      async (engine) => {
        became = await correctAll(engine, corrections)
        for (const { manifest, facts } of corrections) {
          if (facts.birthDate === undefined && facts.residence === undefined)
            memory.noteCorrected(manifest.dataSet)
          else memory.forgetAll()
        }
        return became
      },
      () => {
        // Made a second time over what others made of it a correction comes to something else, and not at all it is lost.
        if (became.some((one) => 'fault' in one && one.isUnheard)) return undefined
        return madeAgain(corrections.filter((_, index) => 'rows' in (became[index] ?? {})))
      },
    )
  }, CORRECTED_AT_ONCE)
  return async (correction) => {
    const became = await correcting.add(correction)
    if ('fault' in became) throw became.fault
    return became
  }
}

async function correctAll(
  engine: Engine,
  corrections: readonly RowCorrection[],
): Promise<readonly Corrected[]> {
  const together = await correctTogether(engine, corrections)
  const isOver = !('fault' in together) || together.isUnheard || corrections.length === 1
  if (isOver) return 'fault' in together ? corrections.map(() => together) : together
  const all: Corrected[] = []
  for (const correction of corrections) {
    const alone = await correctTogether(engine, [correction])
    all.push(...('fault' in alone ? [alone] : alone))
  }
  return all
}

/** All of them in one transaction, or none. */
async function correctTogether(
  engine: Engine,
  corrections: readonly RowCorrection[],
): Promise<readonly { readonly rows: number }[] | Extract<Corrected, { readonly fault: Fault }>> {
  let isEnding = false
  try {
    return await inTransaction(engine.writer, async () => {
      const corrected: { readonly rows: number }[] = []
      for (const correction of corrections) corrected.push(await correctRows(engine.writer, correction))
      isEnding = true
      return corrected
    })
  } catch (error) {
    engine.note(error)
    return { fault: vaultFault(error, 'Cannot correct rows'), isUnheard: isEnding }
  }
}

function madeAgain(corrections: readonly RowCorrection[]) {
  return {
    again: async (writer: Engine['writer']) => {
      for (const correction of corrections) await correctRows(writer, correction)
    },
    sizeBytes: corrections.reduce((sum, correction) => sum + sizeOf(correction), 0),
  }
}

/** About what a correction takes in memory. */
function sizeOf({ set, where }: RowCorrection): number {
  let bytes = 0
  for (const value of [...set.values(), ...where.values()])
    bytes += typeof value === 'string' || value instanceof Uint8Array ? value.length * 2 : NUMBER_BYTES
  return bytes
}

/** What a number takes in memory. */
const NUMBER_BYTES = 8
