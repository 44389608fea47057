import { join, relative, sep } from 'node:path'
import type { Command } from 'commander'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { purposeName, shortMomentText } from '../../protocol/words/plain-words.ts'
import { parseWitness } from '../../protocol/proof/cosignature.ts'
import type { Witness } from '../../protocol/proof/cosignature.ts'
import { formatMoney } from '../../kernel/money.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { RECEIPT_KINDS } from '../../protocol/proof/receipt.ts'
import type { Receipt, ReceiptKind } from '../../protocol/proof/receipt.ts'
import { NO_PINNED_KEYS, pinnedKeysSchema } from '../../sdk/pinned-keys.ts'
import type { PinnedKeys } from '../../sdk/pinned-keys.ts'
import { verifyReceipt } from '../../sdk/verify.ts'
import type { VerifiedReceipt } from '../../sdk/verify.ts'
import { connectAcquirer, connectToSite } from '../connect.ts'
import type { NetworkOptions, SiteOptions } from '../connect.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { readNamed } from '../open-file.ts'
import { pinFile, readMemberProfile } from '../member-profile.ts'
import { keepReceipts, readReceiptFile, writeReceipts } from './receipt-files.ts'
import { addReceiptSave } from './save-receipts.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'
import { addMemberOptions, addSiteOptions, perform, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface VerifyOptions {
  readonly as?: string
  readonly keys?: string
  readonly witness?: readonly string[]
  readonly json?: boolean
}

interface ListOptions extends SiteOptions {
  readonly kind?: ReceiptKind
  readonly limit?: string
  readonly json?: boolean
}

/** `hedgerow receipt …`: proofs of what was decided and done. */
export function addReceiptVerbs(program: Command, session: Session): void {
  const receipt = program.command('receipt').description('signed proofs of decisions and operations')
  verb(receipt, {
    name: 'verify <file...>',
    summary: 'verify receipts off line: signature, inclusion proof, checkpoint, witness signatures',
    example:
      'hedgerow receipt verify .hedgerow/members/northcare/receipts/*.json\nhedgerow receipt verify galway-17.json --keys pinned-keys.json',
  })
    .option('--keys <file>', 'keys that are believed (a pinned-keys.json); absent: those of the member')
    .option('--witness <key...>', 'require that this witness signed; the network’s key is in GET /v1/network')
    .option(
      '--as <member>',
      'member whose pinned keys are used; absent: whose directory the file is in, or the only one here',
    )
    .action((files: string[], options: VerifyOptions) =>
      perform(session, () => verify(session, { files, options })),
    )
  addSiteOptions(
    verb(receipt, {
      name: 'list',
      summary: 'receipts in the log of a site',
      example: 'hedgerow receipt list --site galway --kind evidence',
    }),
  )
    .option('--kind <kind>', `only ${RECEIPT_KINDS.join(', ')}`)
    .option('--limit <number>', 'at most so many', '50')
    .action((options: ListOptions) => perform(session, () => list(session, options)))
  addMemberOptions(
    verb(receipt, {
      name: 'fetch <ask>',
      summary: 'fetch the receipts of an ask into files',
      example: 'hedgerow receipt fetch ask_01JD… --as northcare',
    }),
  )
    .option('--to <directory>', 'where to; absent: "receipts" of the member')
    .action((ask: string, options: NetworkOptions & { to?: string; json?: boolean }) =>
      perform(session, () => fetchReceipts(session, { ask, options })),
    )
  addReceiptSave(receipt, session)
}

async function verify(
  session: Session,
  { files, options }: { files: readonly string[]; options: VerifyOptions },
): Promise<number> {
  const { terminal } = session
  const required = (options.witness ?? []).map(witnessOf)
  const results: { file: string; result: VerifiedReceipt }[] = []
  for (const file of files) {
    const bundles = await readReceiptFile(file)
    const pinned = await keysFor(session, { ...options, as: options.as ?? memberWhoKeeps(session, file) })
    for (const bundle of bundles) results.push({ file, result: verifyReceipt(bundle, pinned, required) })
  }
  const isGood = results.length > 0 && results.every(({ result }) => result.isVerified)
  show(session, {
    json: options.json,
    value: results.map(({ file, result }) => ({ file, ...result })),
    print: () => {
      for (const { file, result } of results) {
        say(terminal, `${file}:`)
        say(
          terminal,
          result.isVerified
            ? `  ${paint(terminal, 'good', 'verifies')}  ${receiptText(result.receipt)}${retiredText(result)}${witnessText(result)}`
            : `  ${paint(terminal, 'bad', result.problem)}`,
        )
      }
    },
  })
  return isGood ? EXIT.done : EXIT.fellShort
}

function witnessOf(text: string): Witness {
  const witness = parseWitness(text)
  if (witness) return witness
  throw new WrongUse(
    `Cannot use "${text}" as the key of a witness: expected name+hash+key, as GET /v1/network tells it`,
  )
}

function witnessText({ witnessed }: Extract<VerifiedReceipt, { isVerified: true }>): string {
  return witnessed.map(({ name, time }) => `\n    witnessed by ${name} ${shortMomentText(time)}`).join('')
}

function retiredText({ retired }: Extract<VerifiedReceipt, { isVerified: true }>): string {
  if (!retired) return ''
  const when = retired.at === undefined ? '' : ` on ${shortMomentText(retired.at)}`
  const place = retired.isPlaceProven ? 'it was in the log by then' : 'position not proven'
  return `\n    signed by a key retired${when}, ${place}`
}

/** The member in whose directory a file lies, if it lies in one. */
function memberWhoKeeps({ home }: Session, file: string): string | undefined {
  const [member, ...rest] = relative(join(home, 'members'), file).split(sep)
  return member === '..' || rest.length === 0 ? undefined : member
}

async function keysFor(
  session: Session,
  { keys, as }: Pick<VerifyOptions, 'keys'> & { as: string | undefined },
): Promise<PinnedKeys> {
  if (keys === undefined) {
    const profile = await readMemberProfile(session.home, as)
    const pinned = await pinFile(profile.directory).read()
    if (Object.keys(pinned.sites).length === 0 && !pinned.network)
      throw new WrongUse('There are no keys to verify with: name a file of them with --keys')
    return pinned
  }
  const parsed = pinnedKeysSchema.safeParse(parseJson(await readNamed(keys)))
  if (!parsed.success) throw new WrongUse(`Cannot read the keys in "${keys}": expected a pinned-keys.json`)
  return { ...NO_PINNED_KEYS, ...parsed.data }
}

/** What a receipt says, in one line. */
function receiptText(receipt: Receipt): string {
  const facts = [
    `${receipt.kind} ${receipt.sequence} of ${receipt.site}`,
    shortMomentText(receipt.time),
    receipt.reason,
    receipt.acquirer,
    receipt.dataSet,
    receipt.peopleStep === undefined || receipt.peopleStep === 0
      ? undefined
      : `≥ ${receipt.peopleStep} people`,
    receipt.price && formatMoney(receipt.price),
  ]
  return facts.filter((fact) => fact !== undefined).join(' · ')
}

async function list(session: Session, options: ListOptions): Promise<void> {
  const { administration } = await connectToSite(session, options)
  const receipts = await administration.receipts({
    kind: options.kind,
    limit: wholeNumber(options.limit ?? '50'),
  })
  show(session, {
    json: options.json,
    value: receipts,
    print: () => {
      if (receipts.length === 0)
        return say(
          session.terminal,
          `No receipts here${options.kind === undefined ? '' : ` of the kind "${options.kind}"`}`,
        )
      table(session.terminal, {
        head: ['sequence', 'time', 'kind', 'says'],
        rows: receipts.map((one) => [
          String(one.sequence),
          shortMomentText(one.time),
          one.kind,
          whatItSays(one.receipt),
        ]),
      })
    },
  })
}

function whatItSays(jws: string): string {
  const said = parseJson(peekJws(jws)?.payload ?? '')
  if (typeof said !== 'object' || said === null) return ''
  const names = ['reason', 'acquirer', 'purpose', 'mode', 'dataSet', 'batch'] as const
  const facts: Readonly<Record<string, unknown>> = { ...said }
  return names
    .flatMap((name) => {
      const fact = facts[name]
      if (typeof fact !== 'string') return []
      return name === 'purpose' ? [purposeName(fact)] : [fact]
    })
    .join(' · ')
}

async function fetchReceipts(
  session: Session,
  { ask, options }: { ask: string; options: NetworkOptions & { to?: string; json?: boolean } },
): Promise<void> {
  const { acquirer, profile } = await connectAcquirer(session, options)
  const result = await acquirer.open(await acquirer.find(ask))
  const bundles = [
    ...(result.receipt ? [result.receipt] : []),
    ...result.sites.flatMap((site) => site.bundles),
  ]
  const files =
    options.to === undefined
      ? await keepReceipts(profile.directory, result)
      : await writeReceipts(join(options.to), bundles, `${ask}-`)
  show(session, {
    json: options.json,
    value: { files },
    print: () => files.forEach((file) => say(session.terminal, file)),
  })
}
