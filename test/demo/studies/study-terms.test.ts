import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { grantsOfPerson } from '../../../src/demo/studies/generate-study-grants.ts'
import { STUDIES, STUDY_MEMBERS, readStudyManifest } from '../../../src/demo/studies/studies.ts'
import { STUDY_ASKS } from '../../../src/demo/studies/study-asks.ts'
import { STUDY_KINDS } from '../../../src/demo/studies/study-kinds.ts'
import { parseWith } from '../../../src/kernel/parse.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import { isConsentBasis, isLegalBasisFitting } from '../../../src/protocol/law/legal-basis.ts'
import { isKnownPurpose, isPurposeRefused, isPurposeWithin } from '../../../src/protocol/law/purpose.ts'
import { askSchema } from '../../../src/protocol/ask.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { manifestsAt } from './open-study.ts'

const dataSets = STUDIES.flatMap((study) => study.dataSets.map((source) => ({ study, ...source })))

test('manifests: each parses, is of its study, and no file stands aside', async () => {
  const names = dataSets.map(({ dataSet }) => `${dataSet.replaceAll('_', '-')}.yaml`)
  const folder = fileURLToPath(new URL('../../../src/demo/studies/manifests', import.meta.url))
  assert.deepEqual(readdirSync(folder).toSorted(), names.toSorted())
  for (const { study, dataSet } of dataSets) {
    const { manifest, wire } = await readStudyManifest(dataSet)
    assert.equal(manifest.dataSet, dataSet)
    assert.equal(manifest.issuer, study.issuer)
    assert.ok(parseWith(manifestSchema, JSON.parse(JSON.stringify(wire))).ok, `${dataSet} survives the wire`)
  }
})

test('manifests: purposes and bases are known, attribution names the licence, people are adults', async () => {
  for (const { dataSet } of dataSets) {
    const { manifest } = await readStudyManifest(dataSet)
    for (const purpose of manifest.purposes) {
      assert.ok(isKnownPurpose(purpose) && !isPurposeRefused(purpose), `${dataSet}: ${purpose}`)
    }
    assert.ok(isLegalBasisFitting(manifest.legalBasis, manifest), dataSet)
    assert.match(manifest.attribution ?? '', /CC BY 4\.0/, dataSet)
    assert.equal(manifest.person.ageAtLeast, 18, dataSet)
  }
})

test('manifests: employees do not stand on consent', async () => {
  const { manifest } = await readStudyManifest('absences')
  assert.equal(isConsentBasis(manifest.legalBasis), false)
  assert.equal(isConsentBasis(manifest.specialCategoryBasis ?? ''), false)
  assert.deepEqual(STUDY_KINDS['swift-couriers'], [])
})

test('members: issuers and acquirers of the studies are there, each once', () => {
  const ids = STUDY_MEMBERS.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  for (const { issuer } of STUDIES) assert.ok(ids.includes(issuer), issuer)
  for (const { acquirer } of STUDY_ASKS) assert.ok(ids.includes(acquirer), acquirer)
})

test('kinds: shares add up, and nobody allows what the terms do not offer', async () => {
  for (const [issuer, kinds] of Object.entries(STUDY_KINDS)) {
    if (kinds.length === 0) continue
    assert.equal(
      kinds.reduce((sum, { share }) => sum + share, 0),
      100,
      issuer,
    )
    for (const { dataSets: names, purposes, modes } of kinds.flatMap(({ allows }) => allows)) {
      for (const name of names) {
        const { manifest } = await readStudyManifest(name)
        assert.equal(manifest.issuer, issuer)
        assert.ok(
          modes.every((mode) => manifest.modes.includes(mode)),
          `${name}: modes`,
        )
        for (const purpose of purposes) assert.ok(isKnownPurpose(purpose), purpose)
        assert.ok(
          purposes.some((purpose) => manifest.purposes.some((offered) => isPurposeWithin(purpose, offered))),
          `${name}: no purpose is offered`,
        )
      }
    }
  }
})

test('grantsOfPerson(): the same key and seed give the same grants, another seed others', () => {
  const of = (person: string, seed: string) =>
    grantsOfPerson('play-lab', { dataSet: 'outriders_sessions', person, seed })
  const people = Array.from({ length: 2_000 }, (_, index) => String(index + 1))
  for (const person of people) assert.deepEqual(of(person, 'a'), of(person, 'a'))
  assert.ok(people.some((person) => of(person, 'a').length !== of(person, 'b').length))
  const silent = people.filter((person) => of(person, 'a').length === 0).length
  assert.ok(silent > 20 && silent < 110, `${silent} of 2,000 silent, 3 % expected`)
  for (const grant of of('1', 'a')) assert.ok(parseWith(grantRequestSchema, grant).ok)
})

test('asks: each names an offer of its study, a basis and a purpose that fit it, and a name of its own', async () => {
  assert.equal(new Set(STUDY_ASKS.map(({ name }) => name)).size, STUDY_ASKS.length)
  for (const ask of STUDY_ASKS) {
    const study = STUDIES.find(({ name }) => name === ask.study)
    assert.deepEqual(ask.sites, [study?.site], ask.name)
    assert.ok(
      study?.dataSets.some(({ dataSet }) => dataSet === ask.offer),
      ask.name,
    )
    const { manifest } = await readStudyManifest(ask.offer)
    assert.ok(isLegalBasisFitting(ask.legalBasis, manifest), `${ask.name}: basis`)
    assert.ok(
      manifest.purposes.some((offered) => isPurposeWithin(ask.purpose, offered)),
      `${ask.name}: purpose`,
    )
    assert.ok(askSchema.shape.legalBasis.safeParse(ask.legalBasis).success)
  }
})

test('asks: the gate takes what has to be approved, and gives the reason for what it declines', async () => {
  for (const { name, sql, mode, sites, expected } of STUDY_ASKS) {
    const checked = checkQuestion(sql, { mode, dataSets: await manifestsAt(sites[0]) })
    if (expected.by === 'network') continue
    const reasons = expected.reasons[sites[0]] ?? []
    if (reasons.includes('approved')) assert.ok(checked.ok, `${name}: ${JSON.stringify(checked)}`)
    else if (!checked.ok) assert.ok(reasons.includes(checked.error.code), `${name}: ${checked.error.code}`)
  }
})
