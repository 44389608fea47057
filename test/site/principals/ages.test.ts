import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { later } from '../../../src/kernel/clock.ts'
import { testGrant } from '../../../src/testing/test-population.ts'
import type { TestAcquirer } from '../../../src/testing/test-trade.ts'
import { temporaryHome } from '../../cli/run-cli.ts'
import { typedHere } from '../../cli/typed-here.ts'
import { DOCUMENT, aFamily, bornYearsAgo } from './a-family.ts'
import type { Family } from './a-family.ts'

/** Of the twenty children some are fifteen, tomorrow sixteen; and some are of no known age. */
const TOMORROW = bornYearsAgo(16, -1)
let family: Family
let acquirer: TestAcquirer
before(async () => {
  family = await aFamily((_, index) => {
    if (index < 5) return { birthDate: TOMORROW }
    if (index < 8) return { birthDate: bornYearsAgo(14), country: 'BE' }
    return index < 14 ? { birthDate: '' } : {}
  })
  acquirer = await family.trade.addAcquirer('northcare')
})
after(() => family[Symbol.asyncDispose]())

const own = (person: string, more = {}) => testGrant('athletes', person, more)
const guardians = (person: string) => own(person, { givenBy: 'guardian' })

async function eligibleCount(): Promise<number> {
  const { sites } = await acquirer.ask('select height from athletes', { mode: 'rows' })
  return sites[0]?.release?.rows.length ?? 0
}

async function decides(person: string): Promise<string | undefined> {
  return (await family.issuer.principal(person, 'to look').view())[0]?.decides
}

describe('the birthday', () => {
  test('hands over: what a guardian gave stops, and counts again when the young person confirms it', async () => {
    await family.establish('p-0', 'parent-0')
    const parent = await family.as('parent-0')
    await parent.administration.giveGrants([guardians('p-0')])
    const young = await family.as('p-0')
    await assert.rejects(young.principal('me').confirm(), { status: 409 })
    await assert.rejects(parent.principal('p-0').confirm(), { status: 403 })
    family.clock.move(1)
    const [grant] = await young.administration.grants({ person: 'p-0', limit: 1 })
    assert.equal(grant?.state, 'handed_over')
    const [view] = await young.principal('me').view()
    assert.deepEqual([view?.band, view?.decides, view?.lapsed[0]?.state], ['16_to_17', 'self', 'handed_over'])
    assert.match(view?.lapsed[0]?.why ?? '', /decide yourself now/)
    await assert.rejects(parent.principal('p-0').view(), { status: 404 })
    const confirmed = await young.principal('me').confirm()
    assert.deepEqual([confirmed.changed, confirmed.unchanged], [1, 0])
    const states = (await young.administration.grants({ person: 'p-0', limit: 5 })).map((one) => [
      one.givenBy,
      one.state,
      one.enteredBy,
    ])
    assert.deepEqual(states.at(-1), ['self', 'in_force', 'person'])
    assert.deepEqual((await young.principal('me').confirm()).changed, 0)
    family.clock.move(-1)
  })
})

describe('evidence of an age', () => {
  test('of a document makes somebody of unknown age old enough; what is only said does not', async () => {
    await family.issuer.administration.giveGrants([own('p-8')])
    const before = await eligibleCount()
    const child = await family.as('p-8')
    assert.equal(await decides('p-8'), 'guardian')
    await child.principal('me').giveEvidence({ atLeast: 30 })
    assert.deepEqual([await decides('p-8'), await eligibleCount()], ['guardian', before])
    const [view] = await family.issuer.principal('p-8').giveEvidence({ atLeast: 16, document: DOCUMENT })
    assert.deepEqual([view?.decides, view?.band], ['self', '16_to_17'])
    assert.equal(await eligibleCount(), before + 1)
    assert.deepEqual(
      view?.evidence.map(({ kind, assurance, givenBy }) => [kind, assurance, givenBy]),
      [
        ['declared', 'low', 'person'],
        ['document', 'substantial', 'issuer:federation'],
      ],
    )
  })

  test('that contradicts makes nobody older, and the stricter counts at once', async () => {
    await family.issuer.principal('p-0').giveEvidence({ atLeast: 18, document: DOCUMENT })
    assert.equal(await decides('p-0'), 'guardian', 'the birth date says fifteen')
    await family.issuer.administration.giveGrants([own('p-30')])
    const before = await eligibleCount()
    const said = await (await family.as('p-30')).principal('me').giveEvidence({ below: 16 })
    assert.deepEqual([said[0]?.decides, await eligibleCount()], ['guardian', before - 1])
    const evidence = said[0]?.evidence[0]?.evidence ?? ''
    await assert.rejects((await family.as('p-30')).principal('me').endEvidence(evidence), { status: 403 })
    await family.issuer.principal('p-30').endEvidence(evidence)
    assert.equal(await eligibleCount(), before)
  })

  test('runs out', async () => {
    const expires = new Date(later(family.clock.now(), 3 * 86_400_000)).toISOString()
    await family.issuer.principal('p-9').giveEvidence({ atLeast: 16, document: DOCUMENT, expires })
    assert.equal(await decides('p-9'), 'self')
    family.clock.move(3)
    assert.equal(await decides('p-9'), 'guardian')
    family.clock.move(-3)
    await assert.rejects(family.issuer.principal('p-9').giveEvidence({ atLeast: 16 }), { status: 400 })
    await assert.rejects(
      family.issuer.principal('p-9').giveEvidence({ atLeast: 16, below: 16, document: DOCUMENT }),
      { status: 400 },
    )
  })

  test('is of those who may speak, survives a restart, and goes with the person', async () => {
    for (const seat of [await family.as('stranger'), await family.as('p-1')])
      await assert.rejects(seat.principal('p-9').giveEvidence({ below: 13 }), { status: 404 })
    await assert.rejects(family.operator.principal('p-9').giveEvidence({ atLeast: 18 }), { status: 403 })
    await family.issuer.principal('p-10').giveEvidence({ atLeast: 16, document: DOCUMENT })
    await family.site.stop()
    await family.site.start()
    const again = await family.restarted()
    assert.equal((await again.principal('p-10', 'to look').view())[0]?.decides, 'self')
    await again.rights.erase({ person: 'p-10' }, { reason: 'request' })
    await assert.rejects(again.principal('p-10', 'to look').view(), { status: 404 })
  })

  test('a birth date that a child corrects makes it no older, one that the issuer corrects does', async () => {
    const issuer = await family.restarted()
    const correction = { dataSet: 'athletes', set: { birth_date: '1990-01-01' } }
    await (await family.as('p-15')).rights.correct({ person: 'me' }, correction)
    assert.equal((await issuer.principal('p-15', 'to look').view())[0]?.decides, 'guardian')
    await issuer.rights.correct({ person: 'p-15' }, correction)
    assert.equal((await issuer.principal('p-15', 'to look').view())[0]?.decides, 'self')
  })
})

test('the command line shows who decides, takes evidence and moves, and fails by its codes', async (context) => {
  const home = await temporaryHome(context)
  const door = ['--site', family.site.name, '--url', family.site.url]
  const environment = { HEDGEROW_PERSON_TOKEN: await family.provider.token({ sub: 'p-16' }) }
  const codes = []
  for (const args of [
    ['person', 'age', ...door],
    ['person', 'evidence', ...door, '--below', '16'],
    ['person', 'move', ...door, '--to', 'FR'],
    ['grant', 'confirm', ...door],
    ['person', 'evidence', ...door],
    ['person', 'age', ...door, '--person', 'p-17'],
  ]) {
    const { code, out } = await typedHere(home, args, { environment })
    codes.push(code)
    if (args[1] === 'move')
      assert.match(
        out,
        /Decides alone from the age of 15 \(France\), 16 \(Ireland\)[\s\S]*Lives in France from .*says the person/,
      )
  }
  assert.deepEqual(codes, [0, 0, 0, 0, 2, 1])
})
