import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { grantRequestSchema } from '../../src/protocol/consent/grant.ts'
import { ACQUIRER_CLASSES } from '../../src/protocol/member.ts'
import { MEMBERS, SITES } from '../../src/demo/demo-parties.ts'
import { grantsOf } from '../../src/demo/generate-grants.ts'
import { countryOfCommittee } from '../../src/demo/noc-countries.ts'
import * as scenarios from '../../src/demo/scenarios.ts'
import type { Scenario } from '../../src/demo/scenario.ts'
import { siteOfCountry, splitAthletes } from '../../src/demo/split-athletes.ts'
import type { Athlete } from '../../src/demo/split-athletes.ts'

const TODAY = '2026-11-24'
const text = readFileSync(
  createRequire(import.meta.url).resolve('@observablehq/sample-datasets/olympians.csv'),
  'utf8',
)
const parts = splitAthletes(text, TODAY)
const territories = { galway: 'IE', dresden: 'DE', zurich: 'CH' } as const

function grantsAt(site: keyof typeof territories, athlete: Athlete) {
  return grantsOf(athlete, { dataSet: 'athletes', siteCountry: territories[site], today: TODAY })
}

test('splitAthletes() gives every athlete to exactly one site, as many as the file has', () => {
  const counts = Object.fromEntries(
    Object.entries(parts).map(([site, { athletes }]) => [site, athletes.length]),
  )
  assert.deepEqual(counts, { galway: 3178, dresden: 441, zurich: 7919 })
  assert.equal(
    new Set(Object.values(parts).flatMap(({ athletes }) => athletes.map(({ key }) => key))).size,
    11_538,
  )
  for (const { csv, athletes } of Object.values(parts))
    assert.equal(csv.trimEnd().split('\n').length, athletes.length + 1)
})

test('siteOfCountry() keeps nationals of the EEA in it, and fails to the site outside for teams of no country', () => {
  const cases = {
    IE: 'galway',
    NO: 'galway',
    LI: 'galway',
    DE: 'dresden',
    CH: 'zurich',
    GB: 'zurich',
    US: 'zurich',
  }
  for (const [country, site] of Object.entries(cases))
    assert.equal(siteOfCountry(country, TODAY), site, country)
  assert.equal(siteOfCountry(undefined, TODAY), 'zurich')
})

test('countryOfCommittee() knows every committee in the file but the teams of no country', () => {
  const committees = new Set(
    text
      .split('\n')
      .slice(1)
      .flatMap((line) => /,([A-Z]{3}),(?:male|female),/.exec(line)?.[1] ?? []),
  )
  const unknown = [...committees].filter((noc) => countryOfCommittee(noc) === undefined)
  assert.deepEqual(
    unknown.toSorted((a, b) => a.localeCompare(b)),
    ['IOA', 'ROT'],
  )
  assert.equal(countryOfCommittee('GER'), 'DE')
  assert.equal(countryOfCommittee('SUI'), 'CH')
})

test('grantsOf() gives one person the same grants every time, each of them a grant', () => {
  for (const athlete of parts.galway.athletes.slice(0, 300)) {
    const grants = grantsAt('galway', athlete)
    assert.deepEqual(grantsAt('galway', athlete), grants)
    for (const grant of grants) assert.ok(grantRequestSchema.safeParse(grant).success)
  }
})

test('grantsOf() makes up every attitude in about the shares that it documents', () => {
  const all = parts.zurich.athletes.map((athlete) => grantsAt('zurich', athlete))
  const share = (isSo: (grants: (typeof all)[number]) => boolean) => all.filter(isSo).length / all.length
  const near = (value: number, expected: number) =>
    assert.ok(Math.abs(value - expected) < 0.02, `${value} is not about ${expected}`)
  near(
    share((grants) => grants.length === 0),
    0.1,
  )
  near(
    share((grants) => grants.some(({ modes }) => modes.includes('rows'))),
    0.25,
  )
  near(
    share((grants) => grants.some(({ grantee }) => 'class' in grantee && grantee.class === 'publisher')),
    0.9 * 0.6,
  )
  near(
    share((grants) => grants.some(({ grantee, isExplicit }) => 'anyone' in grantee && isExplicit === true)),
    0.6,
  )
})

test('grantsOf() lets a guardian speak for those under age, or the child in vain', () => {
  const children = parts.zurich.athletes.filter(({ birthDate }) => birthDate > '2000-08-05')
  assert.ok(children.length > 10)
  const givers = children.flatMap((athlete) => grantsAt('zurich', athlete).map(({ givenBy }) => givenBy))
  assert.ok(givers.includes('guardian') && givers.includes('self'))
  const adults = parts.zurich.athletes.filter(({ birthDate }) => birthDate < '1998-01-01')
  assert.ok(
    adults.flatMap((athlete) => grantsAt('zurich', athlete)).every(({ givenBy }) => givenBy === 'self'),
  )
})

test('the table of asks names members and sites that are there, and no two questions share an acquirer', () => {
  const single = Object.values(scenarios).flatMap((value) =>
    Array.isArray(value) ? (value as Scenario[]) : [value as Scenario],
  )
  const sites = new Set<string>(SITES.map(({ id }) => id))
  const questions = new Map<string, string>()
  for (const { acquirer, sql, sites: asked = [], expected } of single) {
    const member = MEMBERS.find(({ id }) => id === acquirer)
    assert.ok(member?.acquirerClass && ACQUIRER_CLASSES.includes(member.acquirerClass), acquirer)
    for (const site of asked) assert.ok(sites.has(site))
    if (expected.by === 'sites') assert.deepEqual(Object.keys(expected.reasons), asked)
    assert.equal(questions.get(acquirer) ?? sql, sql, `${acquirer} asks two questions`)
    questions.set(acquirer, sql)
  }
})
