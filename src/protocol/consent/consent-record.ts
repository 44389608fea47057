import { DPV_VERSION } from '../law/dpv-purposes.ts'
import { LOCATIONS, PERSONAL_DATA } from '../law/dpv-terms.ts'
import type { Column, Manifest } from '../data-set.ts'
import type { GrantState, GrantTerms } from './grant.ts'
import { isExplicitConsentBasis } from '../law/legal-basis.ts'
import type { Mode } from '../mode.ts'
import type { PartyContact } from '../http/officer-api.ts'

/**
 * Consent records and receipts of ISO/IEC TS 27560:2023 in JSON-LD, with terms of the DPV as its guide "consent-27560" lays
 * them out. Only terms of the pinned release are written.
 */
const CONTEXT = {
  dpv: 'https://w3id.org/dpv#',
  pd: 'https://w3id.org/dpv/pd#',
  loc: 'https://w3id.org/dpv/loc#',
  'eu-gdpr': 'https://w3id.org/dpv/legal/eu/gdpr#',
  dct: 'http://purl.org/dc/terms/',
  schema: 'https://schema.org/',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  hedgerow: 'urn:hedgerow:terms:',
  /** The grant as a site takes it in, whole: what the vocabulary has no words for. */
  'hedgerow:terms': { '@type': '@json' },
} as const

const PROFILES = {
  record: 'https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr',
  receipt: 'https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr',
} as const

export type JsonLd = Readonly<Record<string, unknown>>

/** A decision of a person about a grant: given, refused, or what became of it. */
export interface ConsentDecision {
  /** Its name at the site, for example `grant_17` or `refusal_3`. */
  readonly name: string
  readonly terms: GrantTerms
  readonly state: GrantState | 'refused'
  /** The key by which the issuer knows the person. */
  readonly person: string
  readonly decidedAt: string
  /** `person`, `issuer:NAME` or `operator`. */
  readonly enteredBy: string
  readonly validFrom?: string | undefined
  readonly validUntil?: string | undefined
  readonly revokedAt?: string | undefined
  /** Its receipt in the log of the site. */
  readonly receipt: number
}

/** Where it was decided, and who the parties are as far as they have said. */
export interface ConsentPlace {
  readonly site: string
  readonly custodian: string
  readonly territory: string
  /** When the retention ends, as a date. */
  readonly keptUntil: string
  readonly manifest: Manifest
  readonly contacts: ReadonlyMap<string, PartyContact>
}

/** A consent record for one decision (TS 27560 §6.3; GDPR Art. 7(1)). */
export function consentRecord(decision: ConsentDecision, place: ConsentPlace): JsonLd {
  const { name, terms, person } = decision
  const { manifest, site, territory, custodian, contacts } = place
  const id = recordId(site, name)
  const authority = contacts.get(manifest.issuer)?.supervisoryAuthority
  return {
    '@id': id,
    '@type': 'dpv:ConsentRecord',
    'dct:conformsTo': PROFILES.record,
    'dct:identifier': name,
    'dpv:hasIdentifier': name,
    'dct:hasVersion': `DPV ${DPV_VERSION}`,
    'dpv:hasDataSubject': {
      '@type': manifest.person.subjects ?? 'dpv:DataSubject',
      'dct:identifier': person,
    },
    'dpv:hasJurisdiction': `loc:${territory}`,
    'dpv:hasApplicableLaw': 'eu-gdpr:GDPR',
    'dpv:hasDataController': party(manifest.issuer, 'dpv:DataController', contacts),
    'dpv:hasDataProcessor': party(custodian, 'dpv:DataProcessor', contacts),
    ...(authority === undefined
      ? {}
      : {
          'dpv:hasAuthority': { '@type': 'dpv:DataProtectionAuthority', 'dpv:hasName': authority },
        }),
    'dpv:hasLegalBasis': basesOf(terms, manifest),
    'dpv:hasProcess': processOf(terms, place),
    'dpv:hasConsentControl': {
      '@type': ['dpv:ProvideConsent', 'dpv:WithdrawConsent'],
      'dpv:isExercisedAt': '/v1/grants/revocations',
    },
    'dpv:hasRight': RIGHTS.map(([right, address]) => ({
      '@type': ['dpv:DataSubjectRight', `eu-gdpr:${right}`],
      'dpv:isExercisedAt': address,
    })),
    'dpv:hasNotice': {
      '@id': `/v1/officer/notices?dataSet=${manifest.dataSet}&purpose=${encodeURIComponent(terms.purposes[0] ?? '')}`,
      '@type': 'dpv:ConsentNotice',
      'dct:language': 'en',
      ...(terms.notice === undefined ? {} : { 'dct:identifier': terms.notice }),
    },
    'dpv:hasConsentStatus': eventsOf(decision),
    'hedgerow:receipt': `${site} ${decision.receipt}`,
    'hedgerow:terms': {
      ...terms,
      person,
      ...(decision.validFrom === undefined ? {} : { validFrom: decision.validFrom }),
      ...(decision.validUntil === undefined ? {} : { validUntil: decision.validUntil }),
    },
  }
}

/** One record as a document of its own. */
export function consentDocument(record: JsonLd): JsonLd {
  return { '@context': CONTEXT, ...record }
}

/** Records as one document, by themselves. */
export function consentRecords(records: readonly JsonLd[]): JsonLd {
  return { '@context': CONTEXT, '@graph': records }
}

/** The receipt that a person gets of their records (TS 27560 §6.4). */
export function consentReceipt(
  records: readonly JsonLd[],
  { site, receipt, madeAt, custodian }: { site: string; receipt: number; madeAt: string; custodian: string },
): JsonLd {
  const name = `receipt-${site}-${receipt}`
  return {
    '@context': CONTEXT,
    '@id': recordId(site, name),
    '@type': 'dpv:ConsentReceipt',
    'dct:conformsTo': PROFILES.receipt,
    'dct:identifier': name,
    'dpv:hasIdentifier': name,
    'dct:created': madeAt,
    'dct:publisher': custodian,
    'schema:recipient': 'dpv:DataSubject',
    'dpv:hasRecordOfActivity': records,
  }
}

/** Rights with where each is exercised at the site. */
const RIGHTS: readonly (readonly [right: string, address: string])[] = [
  ['A7-3', '/v1/grants/revocations'],
  ['A15', '/v1/people/me/export'],
  ['A16', '/v1/people/me/correction'],
  ['A17', '/v1/people/me/erasure'],
  ['A18', '/v1/people/me/restriction'],
  ['A20', '/v1/people/me/export'],
  ['A21', '/v1/people/me/objections'],
  ['A77', '/v1/officer/notices'],
]

function recordId(site: string, name: string): string {
  return `urn:hedgerow:${site}:${name}`
}

function basesOf(terms: GrantTerms, manifest: Manifest): readonly string[] {
  const special = columnsOf(terms, manifest).some(({ sensitivity }) => sensitivity === 'special_category')
  const isExplicit = terms.isExplicit || isExplicitConsentBasis(manifest.legalBasis)
  return [
    isExplicit ? 'eu-gdpr:A6-1-a-explicit-consent' : 'eu-gdpr:A6-1-a',
    ...(special && terms.isExplicit ? ['eu-gdpr:A9-2-a'] : []),
  ]
}

function processOf(terms: GrantTerms, { manifest, territory, keptUntil }: ConsentPlace): JsonLd {
  const where = { 'dpv:hasLocation': `loc:${territory}` }
  return {
    '@type': 'dpv:Process',
    'dct:title': manifest.title,
    'dct:identifier': manifest.dataSet,
    'dpv:hasPurpose': terms.purposes,
    'dpv:hasPersonalData': columnsOf(terms, manifest).map(personalData),
    'dpv:hasProcessing': ['dpv:Store', ...new Set(terms.modes.flatMap((mode) => PROCESSING[mode]))],
    'dpv:hasDataSource': manifest.issuer,
    'dpv:hasStorageCondition': [
      { '@type': 'dpv:StorageLocation', ...where },
      {
        '@type': 'dpv:StorageDuration',
        'dpv:hasDuration': { '@type': ['dpv:UntilTimeDuration', 'xsd:date'], 'rdf:value': keptUntil },
      },
    ],
    'dpv:hasProcessingCondition': { '@type': 'dpv:ProcessingLocation', ...where },
    'dpv:hasRule': {
      '@type': 'dpv:Permission',
      'dct:description': `Results may be used in: ${manifest.perimeter.release.within.join(', ')}. ${terms.modes.includes('rows') ? 'Of the data only single rows may leave the site, under a pseudonym' : 'The data does not leave the site'}.`,
      'dpv:hasLocation': manifest.perimeter.release.within
        .filter((area) => LOCATIONS.has(area))
        .map((area) => `loc:${area}`),
    },
    'dpv:hasRecipient': recipientOf(terms),
  }
}

const PROCESSING: Readonly<Record<Mode, readonly string[]>> = {
  aggregate: ['dpv:Analyse'],
  private: ['dpv:Analyse'],
  rows: ['dpv:Pseudonymise', 'dpv:Disclose'],
  function: ['dpv:Analyse'],
}

function columnsOf({ columns }: GrantTerms, manifest: Manifest): readonly Column[] {
  return manifest.columns.filter(
    ({ name, sensitivity }) =>
      (sensitivity === 'ordinary' || sensitivity === 'special_category') && (columns?.includes(name) ?? true),
  )
}

/** A column by the vocabulary's category where it names one. Nothing of it is needed for anything that the person wants. */
function personalData({ name, category, sensitivity }: Column): JsonLd {
  const term = category?.replace('dpv-pd:', '')
  const type = term !== undefined && PERSONAL_DATA.has(term) ? `pd:${term}` : 'dpv:PersonalData'
  return {
    '@type': sensitivity === 'special_category' ? [type, 'dpv:SpecialCategoryPersonalData'] : type,
    'dct:identifier': name,
    'dpv:hasNecessity': 'dpv:Optional',
  }
}

function recipientOf({ grantee }: GrantTerms): JsonLd {
  const who =
    'member' in grantee
      ? { 'dct:identifier': grantee.member }
      : {
          'dct:description':
            'class' in grantee ? `Every ${grantee.class} on the network` : 'Every member of the network',
        }
  return { '@type': ['dpv:Recipient', 'dpv:ThirdParty'], ...who }
}

function party(member: string, role: string, contacts: ReadonlyMap<string, PartyContact>): JsonLd {
  const contact = contacts.get(member)
  return {
    '@type': role,
    'dct:identifier': member,
    'dpv:hasIdentifier': member,
    'dpv:hasName': contact?.name ?? member,
    ...(contact === undefined
      ? {}
      : {
          'dpv:hasAddress': `${contact.address}, ${contact.country}`,
          'dpv:hasContact': contact.email,
          'schema:contactPoint': { '@type': 'schema:ContactPoint', 'schema:email': contact.email },
          ...(contact.dataProtectionOfficer === undefined
            ? {}
            : {
                'dpv:hasDataProtectionOfficer': {
                  '@type': 'dpv:DataProtectionOfficer',
                  'dpv:hasName': contact.dataProtectionOfficer.name,
                  'dpv:hasContact': contact.dataProtectionOfficer.email,
                },
              }),
        }),
  }
}

/** What the vocabulary says of where a grant stands. Of one that another took the place of it only says that it is not valid. */
const STATUSES: Readonly<Record<GrantState | 'refused', string>> = {
  in_force: 'dpv:ConsentGiven',
  not_yet: 'dpv:ConsentGiven',
  withdrawn: 'dpv:ConsentWithdrawn',
  expired: 'dpv:ConsentExpired',
  superseded: 'dpv:ConsentStatusInvalidForProcessing',
  text_changed: 'dpv:ConsentInvalidated',
  guardianship_ended: 'dpv:ConsentInvalidated',
  needs_guardian: 'dpv:ConsentStatusInvalidForProcessing',
  needs_both: 'dpv:ConsentStatusInvalidForProcessing',
  handed_over: 'dpv:ConsentStatusInvalidForProcessing',
  refused: 'dpv:ConsentRefused',
}

/** Every event of a decision, in order (TS 27560 §6.3.8). */
function eventsOf(decision: ConsentDecision): readonly JsonLd[] {
  const { state, terms, decidedAt, revokedAt, validFrom, validUntil } = decision
  const common = {
    'dpv:isIndicatedBy': terms.givenBy === 'guardian' ? 'dpv:GuardianOfDataSubject' : 'dpv:DataSubject',
    'dpv:hasIndicationMethod':
      decision.enteredBy === 'person' || decision.enteredBy.startsWith('guardian:')
        ? 'Signed in at the site'
        : `As told to and recorded by ${decision.enteredBy}`,
  }
  if (state === 'refused')
    return [
      { '@type': STATUSES.refused, 'hedgerow:state': state, 'dpv:isIndicatedAtTime': decidedAt, ...common },
    ]
  const type = terms.isExplicit ? 'dpv:ExplicitlyExpressedConsent' : 'dpv:ExpressedConsent'
  const given = {
    '@type': ['dpv:ConsentGiven', type],
    'dpv:isIndicatedAtTime': decidedAt,
    'dct:valid': `${validFrom ?? decidedAt}/${validUntil ?? '..'}`,
    'dpv:hasDuration':
      validUntil === undefined
        ? { '@type': 'dpv:UntilEventDuration', 'rdf:value': 'Withdrawal' }
        : { '@type': ['dpv:UntilTimeDuration', 'xsd:dateTime'], 'rdf:value': validUntil },
    ...common,
  }
  if (STATUSES[state] === 'dpv:ConsentGiven') return [{ ...given, 'hedgerow:state': state }]
  const at = revokedAt ?? (state === 'expired' ? validUntil : undefined)
  return [
    given,
    {
      '@type': STATUSES[state],
      'hedgerow:state': state,
      ...(at === undefined ? {} : { 'dpv:isIndicatedAtTime': at }),
      ...common,
    },
  ]
}
