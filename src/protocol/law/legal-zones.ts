/**
 * Where European data-protection law holds, and where personal data may go: a dated table, longer than other files.
 *
 * Sources: Treaty on European Union Art. 52 and TFEU Art. 355 (territories); EEA Agreement and its Protocol 40
 * (Svalbard is outside); GDPR Art. 44 to 46; the Commission's page of adequacy decisions. State of mid-2026, known on
 * 2026-11-24; to be read again at each release. Not legal advice.
 *
 * A territory is an ISO 3166-1 alpha-2 code, and codes are exact: `FR` is not `RE`, `NO` is not `SJ`.
 */

/** A calendar date, `2026-11-24`; dates compare as texts. */
export type CalendarDate = string

interface Dated {
  /** First day. */
  readonly from: CalendarDate
  /** Last day; absent: no end is known. */
  readonly until?: CalendarDate
}

/** States of the Union by accession (TEU Art. 52). */
export const EU_STATES: Readonly<Record<string, Dated>> = {
  BE: { from: '1958-01-01' },
  DE: { from: '1958-01-01' },
  FR: { from: '1958-01-01' },
  IT: { from: '1958-01-01' },
  LU: { from: '1958-01-01' },
  NL: { from: '1958-01-01' },
  DK: { from: '1973-01-01' },
  IE: { from: '1973-01-01' },
  GB: { from: '1973-01-01', until: '2020-01-31' },
  GR: { from: '1981-01-01' },
  ES: { from: '1986-01-01' },
  PT: { from: '1986-01-01' },
  AT: { from: '1995-01-01' },
  FI: { from: '1995-01-01' },
  SE: { from: '1995-01-01' },
  CY: { from: '2004-05-01' },
  CZ: { from: '2004-05-01' },
  EE: { from: '2004-05-01' },
  HU: { from: '2004-05-01' },
  LT: { from: '2004-05-01' },
  LV: { from: '2004-05-01' },
  MT: { from: '2004-05-01' },
  PL: { from: '2004-05-01' },
  SI: { from: '2004-05-01' },
  SK: { from: '2004-05-01' },
  BG: { from: '2007-01-01' },
  RO: { from: '2007-01-01' },
  HR: { from: '2013-07-01' },
}

/** The other states of the European Economic Area; the GDPR holds there (EEA Joint Committee Decision 154/2018). */
export const EFTA_STATES: Readonly<Record<string, Dated>> = {
  IS: { from: '1994-01-01' },
  NO: { from: '1994-01-01' },
  LI: { from: '1995-05-01' },
}

/**
 * Territories with a code of their own that belong to a state and in which Union law holds (TFEU Art. 349 and
 * 355(1), (4)): outermost regions, Åland, Ceuta and Melilla (`EA`), the Canaries (`IC`). Everything else with a code of its own is
 * outside: GL, FO, NC, PF, WF, PM, BL, TF, AW, CW, SX, BQ, SJ, GG, JE, IM, GI, and northern Cyprus, which has no code.
 */
const STATE_OF_TERRITORY: Readonly<Record<string, string>> = {
  AX: 'FI',
  EA: 'ES',
  GF: 'FR',
  GP: 'FR',
  IC: 'ES',
  MF: 'FR',
  MQ: 'FR',
  RE: 'FR',
  YT: 'FR',
}

/** An adequacy decision of the Commission (GDPR Art. 45). */
export interface AdequacyDecision extends Dated {
  /** Our name for it, by which the operator can switch it off: `adequacy-us`. */
  readonly id: string
  readonly territory: string
  /** Who in the territory is covered: everybody, or only a recipient with this checked transfer basis. */
  readonly condition?: string
  readonly source: string
}

/**
 * Decisions in force. `condition` names what the network operator must have checked of a recipient where a decision
 * covers only some. Dates are those of the decisions; where the source says "to be checked" its text was not read again.
 */
export const ADEQUACY_DECISIONS: readonly AdequacyDecision[] = [
  {
    id: 'adequacy-ad',
    territory: 'AD',
    from: '2010-10-19',
    source: 'Decision 2010/625/EU; confirmed January 2024',
  },
  {
    id: 'adequacy-ar',
    territory: 'AR',
    from: '2003-06-30',
    source: 'Decision 2003/490/EC; confirmed January 2024',
  },
  {
    id: 'adequacy-br',
    territory: 'BR',
    from: '2026-01-27',
    source:
      'Decision of 26/27 January 2026, public and private; not public security, defence, criminal matters',
  },
  {
    id: 'adequacy-ca',
    territory: 'CA',
    condition: 'pipeda',
    from: '2001-12-20',
    source: 'Decision 2002/2/EC: commercial organisations under PIPEDA only',
  },
  {
    id: 'adequacy-ch',
    territory: 'CH',
    from: '2000-07-26',
    source: 'Decision 2000/518/EC; confirmed January 2024',
  },
  {
    id: 'adequacy-fo',
    territory: 'FO',
    from: '2010-03-05',
    source: 'Decision 2010/146/EU; confirmed January 2024',
  },
  {
    id: 'adequacy-gb',
    territory: 'GB',
    from: '2021-06-28',
    until: '2031-12-27',
    source: 'Decision (EU) 2021/1772, renewed on 19 December 2025',
  },
  {
    id: 'adequacy-gg',
    territory: 'GG',
    from: '2003-11-21',
    source: 'Decision 2003/821/EC; confirmed January 2024',
  },
  {
    id: 'adequacy-il',
    territory: 'IL',
    from: '2011-01-31',
    source:
      'Decision 2011/61/EU: automated processing, which every release is; not the occupied territories (to be checked against its text)',
  },
  {
    id: 'adequacy-im',
    territory: 'IM',
    from: '2004-04-28',
    source: 'Decision 2004/411/EC; confirmed January 2024',
  },
  {
    id: 'adequacy-je',
    territory: 'JE',
    from: '2008-05-08',
    source: 'Decision 2008/393/EC; confirmed January 2024',
  },
  {
    id: 'adequacy-jp',
    territory: 'JP',
    condition: 'appi',
    from: '2019-01-23',
    source:
      'Decision (EU) 2019/419: private businesses under APPI and the Supplementary Rules (to be checked against its text)',
  },
  {
    id: 'adequacy-kr',
    territory: 'KR',
    condition: 'pipa',
    from: '2021-12-17',
    source:
      'Decision (EU) 2022/254: not personal credit information, some religious and political bodies (to be checked against its text)',
  },
  {
    id: 'adequacy-nz',
    territory: 'NZ',
    from: '2012-12-19',
    source: 'Decision 2013/65/EU; confirmed January 2024',
  },
  {
    id: 'adequacy-us',
    territory: 'US',
    condition: 'dpf-certified',
    from: '2023-07-10',
    source:
      'Decision (EU) 2023/1795: organisations on the list of the Data Privacy Framework; upheld 2025-09-03, appeal pending',
  },
  {
    id: 'adequacy-uy',
    territory: 'UY',
    from: '2012-08-21',
    source: 'Decision 2012/484/EU; confirmed January 2024',
  },
]

/**
 * Appropriate safeguards that a recipient may have in any third country (GDPR Art. 46(2)(b), (c)). A reference may
 * stand behind a colon: `scc:2026-118`. Their names are also what the kill switch takes.
 */
export const TRANSFER_SAFEGUARDS = ['scc', 'bcr'] as const

/** Every basis that a recipient may have: the safeguards, and the conditions of adequacy decisions. */
export const TRANSFER_BASES: readonly string[] = [
  ...TRANSFER_SAFEGUARDS,
  ...ADEQUACY_DECISIONS.flatMap(({ condition = [] }) => condition),
]

/** Whether a text is such a basis, a safeguard with its reference or without. */
export function isTransferBasis(basis: string): boolean {
  return TRANSFER_BASES.includes(basis) || isSafeguard(basis, undefined)
}

/** What a question about places depends on besides the place. */
export interface ZoneFacts {
  readonly today: CalendarDate
  /** Transfer bases of a recipient that count; none for a site. */
  readonly bases?: readonly string[]
  /** The kill switch: ids of adequacy decisions and names of safeguards that the operator has removed, at once. */
  readonly removed?: ReadonlySet<string>
}

/** What makes a release to a place lawful; kept with the decision. */
export type TransferGround =
  | { readonly kind: 'no-transfer' }
  | { readonly kind: 'adequacy'; readonly decision: string; readonly condition?: string }
  | { readonly kind: 'safeguard'; readonly basis: string }

/** Whether Union law holds in a territory. */
export function isInEu(territory: string, today: CalendarDate): boolean {
  return holds(EU_STATES[stateOf(territory)], today)
}

/** Whether the GDPR holds in a territory: the Union and Iceland, Liechtenstein, Norway (without Svalbard). */
export function isInEea(territory: string, today: CalendarDate): boolean {
  return isInEu(territory, today) || holds(EFTA_STATES[territory], today)
}

/** The state whose law holds in a territory: `FR` for `RE`; the code itself where it has no other. */
export function stateOf(territory: string): string {
  return Object.hasOwn(STATE_OF_TERRITORY, territory)
    ? (STATE_OF_TERRITORY[territory] ?? territory)
    : territory
}

/** Whether an area of a perimeter (a country, `EU`, `EEA`, `adequate`) contains a territory. */
export function areaContains(area: string, territory: string, facts: ZoneFacts): boolean {
  switch (area) {
    case 'EU':
      return isInEu(territory, facts.today)
    case 'EEA':
      return isInEea(territory, facts.today)
    case 'adequate':
      return adequacyOf(territory, facts) !== undefined
    default:
      return area === territory
  }
}

/**
 * On what ground a result may go to a territory; `undefined` when on none. `facts.bases` must be bases that somebody
 * has checked; a condition of an adequacy decision and a safeguard both come from there.
 */
export function transferDecision(territory: string, facts: ZoneFacts): TransferGround | undefined {
  if (isInEea(territory, facts.today)) return { kind: 'no-transfer' }
  const adequacy = adequacyOf(territory, facts)
  if (adequacy) {
    const { id, condition } = adequacy
    return condition === undefined
      ? { kind: 'adequacy', decision: id }
      : { kind: 'adequacy', decision: id, condition }
  }
  const basis = facts.bases?.find((candidate) => isSafeguard(candidate, facts.removed))
  return basis === undefined ? undefined : { kind: 'safeguard', basis }
}

function adequacyOf(
  territory: string,
  { today, bases = [], removed }: ZoneFacts,
): AdequacyDecision | undefined {
  return ADEQUACY_DECISIONS.find(
    (decision) =>
      decision.territory === territory &&
      holds(decision, today) &&
      !removed?.has(decision.id) &&
      (decision.condition === undefined || bases.includes(decision.condition)),
  )
}

function isSafeguard(basis: string, removed: ReadonlySet<string> | undefined): boolean {
  const name = basis.split(':', 1)[0] ?? ''
  return TRANSFER_SAFEGUARDS.some((safeguard) => safeguard === name) && !removed?.has(name)
}

function holds(dated: Dated | undefined, today: CalendarDate): boolean {
  return dated !== undefined && dated.from <= today && (dated.until === undefined || today <= dated.until)
}
