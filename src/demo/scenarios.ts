import type { ReasonCode } from '../protocol/reason.ts'
import type { Scenario } from './scenario.ts'

// A table of what is asked in the demonstration: longer than other files, to be read as one page.

const BODY_BY_SEX = `select sex, count(*) as athletes, round(avg(height), 3) as height, round(avg(weight), 1) as weight
from athletes
where height is not null and weight is not null
group by sex
order by sex`

const COUNT_BY_SEX = `select sex, count(*) as athletes from athletes group by sex order by sex`

const RESEARCH = {
  purpose: 'dpv:CommercialResearch',
  mode: 'aggregate',
  legalBasis: 'eu-gdpr:A6-1-a',
  offer: 'athletes',
} as const
const SCIENCE = { ...RESEARCH, purpose: 'dpv:AcademicResearch' } as const

function approvedAt(...sites: string[]): Scenario['expected'] {
  return fromSites(Object.fromEntries(sites.map((site) => [site, ['approved'] as const])))
}

function fromSites(reasons: Readonly<Record<string, readonly ReasonCode[]>>): Scenario['expected'] {
  return { by: 'sites', reasons }
}

/** Asks that need nothing but the data as it was loaded, in the order in which they are sent. */
export const PLAIN_SCENARIOS: readonly Scenario[] = [
  {
    ...RESEARCH,
    name: 'body measures',
    acquirer: 'northcare',
    wish: 'Height and weight by sex',
    sql: BODY_BY_SEX,
    sites: ['galway'],
    releaseTo: 'IE',
    expected: approvedAt('galway'),
  },
  {
    ...RESEARCH,
    name: 'two sites',
    acquirer: 'midland-mutual',
    wish: 'The same at two sites',
    sql: BODY_BY_SEX,
    sites: ['galway', 'zurich'],
    releaseTo: 'IE',
    expected: approvedAt('galway', 'zurich'),
  },
  {
    ...RESEARCH,
    name: 'rows',
    acquirer: 'kestrel-kit',
    mode: 'rows',
    wish: 'Rowers one by one, who allow rows',
    sql: `select id as rower, sex, height, weight from athletes where sport = 'rowing'`,
    sites: ['galway', 'zurich'],
    releaseTo: 'NL',
    expected: approvedAt('galway', 'zurich'),
  },
  {
    ...RESEARCH,
    name: 'with noise',
    acquirer: 'northcare',
    mode: 'private',
    epsilon: 0.5,
    wish: 'Height and weight, with noise',
    sql: BODY_BY_SEX,
    sites: ['galway'],
    releaseTo: 'IE',
    expected: approvedAt('galway'),
  },
  {
    ...RESEARCH,
    name: 'budget spent',
    acquirer: 'northcare',
    mode: 'private',
    epsilon: 0.6,
    wish: 'With less noise, past the budget',
    sql: BODY_BY_SEX,
    sites: ['galway'],
    releaseTo: 'IE',
    expected: fromSites({ galway: ['declined.privacy_budget'] }),
  },
  {
    ...RESEARCH,
    name: 'a column less',
    acquirer: 'press-box',
    purpose: 'dpv:SellInsightsFromData',
    wish: 'Athletes and weight by sport',
    sql: `select sport, count(*) as athletes, round(avg(weight), 1) as weight from athletes group by sport order by athletes desc`,
    sites: ['galway'],
    releaseTo: 'FR',
    expected: fromSites({ galway: ['partial.columns'] }),
  },
  {
    ...RESEARCH,
    name: 'advertising',
    acquirer: 'ad-reach',
    purpose: 'dpv:TargetedAdvertising',
    wish: 'Whom to show running shoes to',
    sql: COUNT_BY_SEX,
    sites: ['galway'],
    releaseTo: 'IE',
    expected: fromSites({ galway: ['declined.purpose'] }),
  },
  {
    ...SCIENCE,
    name: 'too few',
    acquirer: 'quill-lab',
    wish: 'Golfers by country and sex',
    sql: `select residence, sex, count(*) as athletes from athletes where sport = 'golf' group by residence, sex`,
    sites: ['galway'],
    releaseTo: 'DE',
    expected: fromSites({ galway: ['declined.group_too_small'] }),
  },
  {
    ...SCIENCE,
    name: 'no legal basis',
    acquirer: 'monsoon-data',
    wish: 'Height and weight, for India',
    sql: BODY_BY_SEX,
    sites: ['galway'],
    releaseTo: 'IN',
    expected: fromSites({ galway: ['declined.perimeter_release'] }),
  },
  {
    ...RESEARCH,
    name: 'no funds',
    acquirer: 'penny-wise',
    wish: 'Height and weight, for one euro',
    sql: BODY_BY_SEX,
    sites: ['galway'],
    releaseTo: 'IE',
    expected: { by: 'network', reason: 'declined.funds' },
  },
  {
    ...SCIENCE,
    name: 'forged',
    acquirer: 'mask-co',
    wish: 'Height and weight, a forged key',
    sql: BODY_BY_SEX,
    sites: ['galway'],
    releaseTo: 'IE',
    isForged: true,
    expected: { by: 'network', reason: 'declined.signature' },
  },
  {
    ...SCIENCE,
    name: 'forbidden function',
    acquirer: 'probe-works',
    wish: 'A file of the server',
    sql: `select sport, count(*) as athletes, max(pg_read_file('/etc/passwd')) as file from athletes group by sport`,
    sites: ['galway'],
    releaseTo: 'FI',
    expected: fromSites({ galway: ['declined.sql_function'] }),
  },
]

/** Asked while the evidence of Dresden has run out, and again when it was renewed. */
export const EVIDENCE_EXPIRED: Scenario = {
  ...SCIENCE,
  name: 'evidence expired',
  acquirer: 'elbe-institute',
  wish: 'Athletes by sex',
  sql: COUNT_BY_SEX,
  sites: ['dresden'],
  releaseTo: 'DE',
  expected: fromSites({ dresden: ['declined.evidence_expired'] }),
}

export const EVIDENCE_RENEWED: Scenario = {
  ...EVIDENCE_EXPIRED,
  name: 'evidence renewed',
  wish: 'The same again',
  expected: approvedAt('dresden'),
}

/** Asked before one athlete withdraws, by the same acquirer after, and by one who never asked before. */
export const BEFORE_REVOCATION: Scenario = {
  ...RESEARCH,
  name: 'before a withdrawal',
  acquirer: 'harbour-health',
  wish: 'Height and weight by sex',
  sql: BODY_BY_SEX,
  sites: ['galway'],
  releaseTo: 'IE',
  expected: approvedAt('galway'),
}

export const AFTER_REVOCATION: Scenario = {
  ...BEFORE_REVOCATION,
  name: 'after a withdrawal',
  wish: 'The same again',
  expected: fromSites({ galway: ['declined.differencing'] }),
}

export const NEWCOMER_AFTER_REVOCATION: Scenario = {
  ...BEFORE_REVOCATION,
  name: 'a newcomer',
  acquirer: 'late-comer',
  wish: 'The same, by one who never asked',
  releaseTo: 'SE',
  expected: approvedAt('galway'),
}

/** Sent to Zurich while it is killed; answered when it is back. */
export const DURING_KILL: Scenario = {
  ...RESEARCH,
  name: 'a site is killed',
  acquirer: 'glacier-re',
  wish: 'Height and weight by sex',
  sql: BODY_BY_SEX,
  sites: ['zurich'],
  releaseTo: 'CH',
  expected: approvedAt('zurich'),
}
