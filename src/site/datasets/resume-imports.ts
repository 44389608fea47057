import { finishImport } from './finish-import.ts'
import type { FinishParts } from './finish-import.ts'
import { spoolDirectory } from './import-file.ts'
import { readOpenImports } from './import-store.ts'
import { clearSpool } from './spool-file.ts'

/**
 * Sets right what a server that was killed left half done, before anything else is served: batches that are in the
 * vault are written down with their receipts. Those that were only set aside wait, unread, for the same file to be
 * sent again. Spooled files are removed.
 */
export async function resumeImports(
  parts: FinishParts & { readonly directory: string },
): Promise<{ readonly finished: number; readonly waiting: number }> {
  await clearSpool(spoolDirectory(parts.directory))
  let finished = 0
  let waiting = 0
  for (const { dataSet, batch } of await readOpenImports(parts.db)) {
    if ((await parts.vault.findBatch({ dataSet, batch })) === undefined) {
      waiting += 1
    } else {
      await finishImport(parts, { dataSet, batch })
      finished += 1
    }
  }
  if (finished > 0) await parts.receipts.publish()
  return { finished, waiting }
}
