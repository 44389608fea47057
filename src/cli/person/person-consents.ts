import type { Command } from 'commander'
import { CONSENT_RECORD_FORMS } from '../../protocol/http/consent-record-api.ts'
import { readConsentRecords } from '../../protocol/consent/read-consent-records.ts'
import type { WireGrant } from '../../sdk/issuer.ts'
import type { PersonRecords } from '../../sdk/person.ts'
import { WrongUse } from '../failures.ts'
import { readNamed } from '../open-file.ts'
import { deliver } from '../officer/officer-seat.ts'
import { addPersonOptions, personRecords } from './person.ts'
import type { PersonOptions } from './person.ts'
import type { Session } from '../session.ts'
import { perform, verb } from '../verb.ts'

/** The format of consent records: ISO/IEC TS 27560 in JSON-LD. */
const CONSENT_RECORD_FORMAT = '27560'

/** The only format that is named: absent, it is none of consent records. */
export function requireRecordFormat(format: string | undefined): void {
  if (format !== undefined && format !== CONSENT_RECORD_FORMAT)
    throw new WrongUse(`Cannot use --format ${format}: expected ${CONSENT_RECORD_FORMAT}`)
}

/** `hedgerow person consents`: a person's consents as records, or a receipt, of ISO/IEC TS 27560. */
export function addPersonConsentsVerb(program: Command, session: Session): void {
  const person = program.commands.find((command) => command.name() === 'person') ?? program.command('person')
  addPersonOptions(
    verb(person, {
      name: 'consents',
      summary: 'a person’s consents as records or a receipt of ISO/IEC TS 27560, for other software to read',
      example:
        'hedgerow person consents --site galway --token-file my.token --form receipt --out my-consents.jsonld',
    }),
  )
    .option('--form <form>', CONSENT_RECORD_FORMS.join(' or '), 'records')
    .option('--out <file>', 'where to write it; absent: standard output')
    .action((options: PersonOptions & { form: string }) =>
      perform(session, async () => {
        const form = CONSENT_RECORD_FORMS.find((each) => each === options.form)
        if (form === undefined)
          throw new WrongUse(`Cannot use --form: expected ${CONSENT_RECORD_FORMS.join(' or ')}`)
        const records = await personRecords(session, options)
        await writeConsents(session, { records, form, out: options.out, json: options.json })
      }),
    )
}

/** Prints consent records, or writes them to a file. */
export async function writeConsents(
  session: Session,
  {
    records,
    form,
    out,
    json,
  }: {
    records: PersonRecords
    form: (typeof CONSENT_RECORD_FORMS)[number]
    out?: string | undefined
    json?: boolean | undefined
  },
): Promise<void> {
  const document: unknown = JSON.parse(await records.consents(form))
  const text = `${JSON.stringify(document, undefined, 2)}\n`
  await deliver(session, { text, out, json, isOfPerson: true })
}

/** The grants in a file of consent records, those that were given and have not ended. */
export async function grantsOfConsentRecords(file: string): Promise<readonly WireGrant[]> {
  let document: unknown
  try {
    document = JSON.parse(await readNamed(file))
  } catch {
    throw new WrongUse(`Cannot read "${file}": expected JSON`)
  }
  const read = readConsentRecords(document)
  if (!read.ok) throw new WrongUse(`Cannot use "${file}": ${read.error}`)
  if (read.value.grants.length === 0)
    throw new WrongUse(`Cannot give grants: no record in "${file}" is of a consent that stands`)
  return read.value.grants
}
