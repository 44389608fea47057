import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { makeDirectory } from '../../kernel/make-directory.ts'
import type { Digest } from '../../kernel/digest.ts'
import { instant } from '../../kernel/clock.ts'
import { momentText } from '../../protocol/words/plain-words.ts'
import { HAND_OVER_FORMATS, HAND_OVER_PARTS } from '../../protocol/http/hand-over-api.ts'
import { openHandOver } from '../../sdk/hand-over.ts'
import { connectToSite } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { WrongUse } from '../failures.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { addSiteOptions, perform, verb } from '../verb.ts'

interface HandOverOptions extends SiteOptions {
  readonly out: string
  readonly reason: string
  readonly only?: string
  readonly format?: string
  readonly json?: boolean
}

/** `hedgerow dataset hand-over`: an issuer takes a data set back, in files that another site takes in. */
export function addHandOverVerb(dataset: Command, session: Session): void {
  addSiteOptions(
    verb(dataset, {
      name: 'hand-over <dataset>',
      summary: 'take a data set back whole: its terms, rows, grants and consent records, as files',
      example:
        'hedgerow dataset hand-over athletes --out athletes/ --reason "contract has ended" --site galway --as world-sport',
    }),
  )
    .requiredOption('--out <directory>', 'where to; it is made, readable by you alone')
    .requiredOption('--reason <text>', 'why; each person sees it')
    .option('--only <part>', `one file alone: ${HAND_OVER_PARTS.join(', ')}`)
    .option(
      '--format <format>',
      `of the rows: ${HAND_OVER_FORMATS.join(', ')} (received: no conversion, or no rows); absent: as they were received, Parquet as ndjson`,
    )
    .action((dataSet: string, options: HandOverOptions) =>
      perform(session, () => handOver(session, { dataSet, options })),
    )
}

async function handOver(
  session: Session,
  { dataSet, options }: { dataSet: string; options: HandOverOptions },
): Promise<void> {
  const parts = HAND_OVER_PARTS.filter((part) => options.only === undefined || part === options.only)
  if (parts.length === 0)
    throw new WrongUse(`Cannot use --only: expected one of ${HAND_OVER_PARTS.join(', ')}`)
  const format = HAND_OVER_FORMATS.find((one) => one === options.format)
  if (options.format !== undefined && format === undefined)
    throw new WrongUse(`Cannot use --format: expected one of ${HAND_OVER_FORMATS.join(', ')}`)
  if (format !== undefined && !parts.includes('rows'))
    throw new WrongUse(`Cannot use --format with --only ${options.only}: it is of the rows`)
  const { client } = await connectToSite(session, options)
  const seat = openHandOver(client)
  const manifest = await seat.manifest(dataSet)
  makeDirectory(options.out)
  const files = [join(options.out, `${dataSet}.manifest.json`)]
  await writeFile(files[0] ?? '', `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 })
  for (const part of parts) {
    const request = { part, reason: options.reason, ...(part === 'rows' ? { format } : {}) }
    const { ending, body } = await seat.file(dataSet, request)
    const file = join(options.out, `${dataSet}.${part}.${ending}`)
    const digest = await writeWhole(body, file)
    await seat.confirm(dataSet, { part, digest })
    files.push(file)
  }
  show(session, {
    json: options.json,
    value: { dataSet, files },
    print: () => {
      for (const file of files) say(session.terminal, file)
      if (options.only === undefined)
        say(
          session.terminal,
          'At another site: dataset describe, dataset import, grant give --file, in this order',
        )
    },
  })
}

/** Writes what comes to a file; what was written is on its disk, and known by its digest, when this resolves. */
async function writeWhole(body: ReadableStream<Uint8Array>, file: string): Promise<Digest> {
  const hash = createHash('sha256')
  const hashed = async function* (pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      hash.update(piece)
      yield piece
    }
  }
  await pipeline(Readable.fromWeb(body), hashed, createWriteStream(file, { mode: 0o600, flush: true }))
  return `sha-256:${hash.digest('hex')}`
}

/** `hedgerow site wind-down`: the site offers and answers nothing any more. */
export function addWindDownVerb(site: Command, session: Session): void {
  addSiteOptions(
    verb(site, {
      name: 'wind-down',
      summary: 'end the custody: nothing is offered or answered any more; rights and hand-over go on',
      example: 'hedgerow site wind-down --reason "the company closes" --site galway',
    }),
  )
    .requiredOption('--reason <text>', 'why; it stands at /v1/site for everybody')
    .action((options: SiteOptions & { reason: string; json?: boolean }) =>
      perform(session, async () => {
        const { client, site: name } = await connectToSite(session, options)
        const state = await openHandOver(client).windDown(options.reason)
        show(session, {
          json: options.json,
          value: state,
          print: () => {
            say(session.terminal, `${name} winds down since ${momentText(instant(state.since))}`)
            say(
              session.terminal,
              'Issuers take their data back with "hedgerow dataset hand-over"; people go on as before',
            )
          },
        })
      }),
    )
}
