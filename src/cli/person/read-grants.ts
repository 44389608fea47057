import { z } from 'zod'
import { describeProblems, parseWith } from '../../kernel/parse.ts'
import { grantRequestSchema, grantTermsSchema } from '../../protocol/consent/grant.ts'
import { revocationRequestSchema } from '../../protocol/http/site-api.ts'
import { purposeTerm } from '../../protocol/law/purpose.ts'
import { ACQUIRER_CLASSES } from '../../protocol/member.ts'
import { memberIdSchema } from '../../protocol/wire.ts'
import type { WireGrant, WireRevocation } from '../../sdk/issuer.ts'
import { WrongUse } from '../failures.ts'
import { openFile } from '../open-file.ts'
import { readRecords } from '../read-records.ts'
import { wholeNumber } from '../whole-number.ts'
import { grantsOfConsentRecords, requireRecordFormat } from './person-consents.ts'

/** A grant or a withdrawal in flags, or the file that holds many. */
export interface GrantFlags {
  readonly dataset?: string
  readonly person?: string
  readonly to?: string
  readonly purpose?: readonly string[]
  readonly mode?: readonly string[]
  readonly columns?: readonly string[]
  readonly explicit?: boolean
  readonly guardian?: boolean | string
  readonly asGuardian?: boolean
  readonly minimumPrice?: string
  readonly from?: string
  readonly until?: string
  readonly file?: string
  readonly format?: string
  readonly notice?: string
  readonly replace?: boolean
}

/** The terms of a grant, whoever gives it. */
export function readTerms(flags: GrantFlags): z.input<typeof grantTermsSchema> {
  requireFlags(flags, TERMS)
  return checked(grantTermsSchema, termsOf(flags))
}

const refusalSchema = grantTermsSchema.extend({ person: z.string().min(1) })

/** The terms that somebody refused. */
export function readRefusal(flags: GrantFlags): z.input<typeof refusalSchema> {
  requireFlags(flags, [...TERMS, 'person'])
  return checked(refusalSchema, { ...termsOf(flags), person: flags.person })
}

/** The one grant of the flags, or those of the file. */
export async function readGrants(flags: GrantFlags): Promise<readonly WireGrant[]> {
  const { file, format } = flags
  if (file === undefined) return [oneGrant(flags)]
  requireRecordFormat(format)
  return format === undefined ? grantsInFile(file) : grantsOfConsentRecords(file)
}

/** The one withdrawal of the flags, or those of the file. */
export async function readRevocations(flags: GrantFlags): Promise<readonly WireRevocation[]> {
  return flags.file === undefined ? [oneRevocation(flags)] : revocationsInFile(flags.file)
}

/** What a grant cannot do without, in the words of the command line. */
function requireFlags(given: GrantFlags, flags: readonly (keyof typeof FLAGS)[], instead = ''): void {
  const missing = flags.filter((flag) => given[flag] === undefined).map((flag) => FLAGS[flag])
  if (missing.length > 0) throw new WrongUse(`Say ${missing.join(', ')}${instead}`)
}

const ONE_OF_MANY = ', or several in a file with --file'
const FLAGS = {
  dataset: '--dataset NAME',
  person: '--person KEY',
  to: '--to GRANTEE',
  purpose: '--purpose TERM',
  mode: '--mode MODE',
} as const

/** What every terms need. */
const TERMS = ['dataset', 'to', 'purpose', 'mode'] as const

function oneGrant(flags: GrantFlags): WireGrant {
  requireFlags(flags, ['person', ...TERMS], ONE_OF_MANY)
  return checked(grantRequestSchema, {
    ...termsOf(flags),
    person: flags.person,
    replaces: flags.replace ?? false,
    ...(typeof flags.guardian === 'string' ? { guardian: flags.guardian } : {}),
    ...(flags.notice === undefined ? {} : { notice: flags.notice }),
    ...(flags.from === undefined ? {} : { validFrom: flags.from }),
    ...(flags.until === undefined ? {} : { validUntil: flags.until }),
  })
}

function termsOf(flags: GrantFlags): Record<string, unknown> {
  return {
    dataSet: flags.dataset,
    grantee: flags.to === undefined ? undefined : granteeToGive(flags.to),
    purposes: flags.purpose?.map(purposeTerm),
    modes: flags.mode,
    ...(flags.columns === undefined ? {} : { columns: flags.columns }),
    isExplicit: flags.explicit ?? false,
    givenBy: flags.guardian === undefined && flags.asGuardian !== true ? 'self' : 'guardian',
    ...(flags.minimumPrice === undefined ? {} : { minimumPriceMinor: wholeNumber(flags.minimumPrice) }),
  }
}

function oneRevocation(flags: GrantFlags): WireRevocation {
  requireFlags(flags, ['dataset', 'person'], ONE_OF_MANY)
  return checked(revocationRequestSchema, {
    dataSet: flags.dataset,
    person: flags.person,
    ...(flags.to === undefined ? {} : { grantee: granteeToRevoke(flags.to) }),
  })
}

/** Holds a wire form against its schema and gives the same wire form back. */
function checked<T>(
  schema: Parameters<typeof parseWith>[0] & { readonly _zod: { readonly input: T } },
  value: unknown,
  where = '',
): T {
  const parsed = parseWith(schema, value)
  if (!parsed.ok) throw new WrongUse(`Cannot read the grant${where}: ${describeProblems(parsed.error)}`)
  return value as T
}

type ReadGrantee = (text: string) => unknown

const granteeToGive: ReadGrantee = (text) => {
  if (EVERYBODY.has(text.toLowerCase()))
    throw new WrongUse(
      `Cannot grant to "${text}": say "anyone" for every member, "class:KIND" for some, or the name of one`,
    )
  return granteeOf(text)
}

/** A withdrawal that is meant for all grants must not end as one for a member of that name, which has none. */
const granteeToRevoke: ReadGrantee = (text) => {
  if (!EVERYBODY.has(text.toLowerCase())) return granteeOf(text)
  const named = memberIdSchema.safeParse(text).success
    ? `; a member of that name is {"member": "${text}"} in an NDJSON file`
    : ''
  throw new WrongUse(
    `Cannot revoke what was granted to "${text}": leave out --to for all grants of the person in the data set${named}`,
  )
}

function granteeOf(text: string): unknown {
  if (text === 'anyone') return { anyone: true }
  if (!text.startsWith('class:')) return { member: text }
  const kind = text.slice('class:'.length)
  const known: readonly string[] = ACQUIRER_CLASSES
  if (!known.includes(kind))
    throw new WrongUse(`There is no class of acquirers "${kind}": expected one of ${known.join(', ')}`)
  return { class: kind }
}

/** Words by which nobody means the member of that name. */
const EVERYBODY: ReadonlySet<string> = new Set([
  'all',
  'any',
  'anybody',
  'everybody',
  'everyone',
  'public',
  '*',
])

const LISTS: ReadonlySet<string> = new Set(['purposes', 'modes', 'columns'])

async function grantsInFile(file: string): Promise<WireGrant[]> {
  const grants: WireGrant[] = []
  for await (const { line, record } of readRecords(file, await openFile(file))) {
    grants.push(checked(grantRequestSchema, fieldsOf(record, granteeToGive), ` in line ${line} of "${file}"`))
  }
  if (grants.length === 0) throw new WrongUse(`Cannot give grants: "${file}" holds none`)
  return grants
}

async function revocationsInFile(file: string): Promise<WireRevocation[]> {
  const revocations: WireRevocation[] = []
  for await (const { line, record } of readRecords(file, await openFile(file))) {
    revocations.push(
      checked(revocationRequestSchema, fieldsOf(record, granteeToRevoke), ` in line ${line} of "${file}"`),
    )
  }
  if (revocations.length === 0) throw new WrongUse(`Cannot revoke grants: "${file}" holds none`)
  return revocations
}

/** A record of CSV has texts only: lists are separated by semicolons, yes and no are words, an empty field is none. */
function fieldsOf(record: unknown, readGrantee: ReadGrantee): unknown {
  if (typeof record !== 'object' || record === null) return record
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => {
        if (typeof value !== 'string') return [name, value]
        if (LISTS.has(name)) return [name, value.split(';').map((part) => part.trim())]
        if (name === 'grantee') return [name, readGrantee(value)]
        if (name === 'isExplicit') return [name, value === 'true']
        return [name, name === 'minimumPriceMinor' ? Number(value) : value]
      }),
  )
}
