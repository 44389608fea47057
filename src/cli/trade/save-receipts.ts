import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { NO_PINNED_KEYS, pinSite } from '../../sdk/pinned-keys.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { FellShort } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'
import { writeReceipts } from './receipt-files.ts'

interface SaveOptions extends SiteOptions {
  readonly to?: string
  readonly json?: boolean
}

/** `hedgerow receipt save`: receipts of a site's log and the keys by which anybody verifies them, into files. */
export function addReceiptSave(receipt: Command, session: Session): void {
  addSiteOptions(
    verb(receipt, {
      name: 'save <sequence...>',
      summary: 'receipts of a site’s log into files, with the keys that verify them',
      example: 'hedgerow receipt save 17 18 --site galway --to proofs',
    }),
  )
    .option('--to <directory>', 'where to', '.')
    .action((sequences: string[], options: SaveOptions) =>
      perform(session, () => saveReceipts(session, { sequences: sequences.map(wholeNumber), options })),
    )
}

/** All are there before any is written. */
async function saveReceipts(
  session: Session,
  { sequences, options }: { sequences: readonly number[]; options: SaveOptions },
): Promise<void> {
  const { administration, client } = await connectToSite(session, options)
  const { site, keys, firstKeys = keys, rotations } = await client.call(SITE_API.site)
  const pinned = pinSite(NO_PINNED_KEYS, { id: site, keys, firstKeys, rotations })
  if (!pinned.ok) throw new FellShort(`The keys of ${site} do not follow from its first ones`)
  const bundles = []
  for (const sequence of sequences) bundles.push(await administration.receipt(sequence))
  const directory = options.to ?? '.'
  const receipts = await writeReceipts(directory, bundles)
  const keyFile = join(directory, `${site}-keys.json`)
  await writeFile(keyFile, `${JSON.stringify(pinned.value, null, 2)}\n`)
  show(session, {
    json: options.json,
    value: { receipts, keys: keyFile },
    print: () => [...receipts, keyFile].forEach((file) => say(session.terminal, file)),
  })
}
